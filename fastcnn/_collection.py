"""Imports without the collector of garbage.

Importing Numba, the kernels and the layers makes half a million objects, all of which stay. Python's collector goes
through them again and again meanwhile, which takes a tenth of the time from a start to the first prediction.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def postponed() -> Iterator[None]:
    """Collect no garbage within a ``with`` statement; where none was collected before, none is after it."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
