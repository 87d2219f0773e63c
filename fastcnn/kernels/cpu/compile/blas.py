"""Numba looks for a BLAS before it compiles anything, and for that imports SciPy, a quarter of a second of a start.

No kernel here multiplies by ``np.dot``. So Numba is told whether SciPy can be found; code of users that needs a BLAS
imports it then.
"""

import importlib.util
import sys

from numba.np import linalg


def find_only() -> None:
    """Import what asks for a BLAS in Numba, while asking imports nothing; without effect if it was imported before."""
    if "numba.np.arraymath" in sys.modules:
        return
    asked = linalg.ensure_blas
    linalg.ensure_blas = _found
    try:
        from numba.np import arraymath
    finally:
        linalg.ensure_blas = asked
    arraymath.ensure_blas = asked


def _found() -> None:
    """Raise what Numba expects where there is no SciPy."""
    if importlib.util.find_spec("scipy") is None:
        raise ImportError("scipy is not installed")
