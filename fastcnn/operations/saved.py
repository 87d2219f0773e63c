"""What a forward pass saves for its way back.

An operation hands over what its backward pass will read, and gets a function that returns it::

    x_again = saved(x)              ...         def backward(dy): ... x_again() ...

As a rule that is the array itself. Where numbers are stored in 16 bits between layers, it is the array in 16 bits,
which is widened when the backward pass wants it (PyTorch's `saved_tensors_hooks`). So the closure of a backward pass
must hold nothing else of the array: its shape rather than itself.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

Saved = Callable[[], np.ndarray]
Saving = Callable[[np.ndarray], Saved]


class _Current(threading.local):
    saving: Saving | None = None


_current = _Current()


def saved(x: np.ndarray) -> Saved:
    """Return what gives x again on the way back.

    Parameters
    ----------
    x : array
        Nobody writes to it before the way back.
    """
    saving = _current.saving
    return (lambda: x) if saving is None else saving(x)


def saving_now() -> Saving | None:
    """Return what saves arrays of the calling thread, None where they are saved as they are."""
    return _current.saving


@contextmanager
def saving_by(saving: Saving) -> Iterator[None]:
    """Let the calling thread save arrays otherwise, within a ``with`` statement.

    Parameters
    ----------
    saving : callable
        As `saved`.
    """
    before = _current.saving
    _current.saving = saving
    try:
        yield
    finally:
        _current.saving = before
