"""Sums and means over axes, whose error does not grow with the number of terms.

NumPy adds in pairs along memory that lies in one piece, and one after another across it: there, sums that are not short
are made in float64 and rounded once.
"""

import math
from typing import Any

import numpy as np

from fastcnn.onnx.operators._memory import is_float

_TERMS = 64  # added one after another


def total(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
    """Return the sum over some axes, or all, in the type of `x`."""
    kind = np.float64 if is_float(x) and not _is_exact(x, axis) else x.dtype
    return np.asarray(np.sum(x, axis=axis, keepdims=keepdims, dtype=kind)).astype(x.dtype, copy=False)


def mean(x: np.ndarray, axis: Any = None, keepdims: bool = False) -> np.ndarray:
    """Return the mean over some axes, or all, in the type of `x`, or in float64 where the kernels do not compute it."""
    if not is_float(x):
        return np.asarray(np.mean(x, axis=axis, keepdims=keepdims, dtype=np.float64))
    kind = x.dtype if _is_exact(x, axis) else np.float64
    return np.asarray(np.mean(x, axis=axis, keepdims=keepdims, dtype=kind)).astype(x.dtype, copy=False)


def center(x: np.ndarray, axis: Any) -> np.ndarray:
    """Return the mean over some axes, which are kept: of equal numbers exactly that number."""
    return np.mean(x, axis=axis, keepdims=True, dtype=np.float64).astype(x.dtype, copy=False)


def _is_exact(x: np.ndarray, axis: Any) -> bool:
    """Return whether NumPy's own sum has few terms, or adds them in pairs: over the last axes of contiguous memory."""
    axes = list(range(x.ndim)) if axis is None else [int(a) % x.ndim for a in np.atleast_1d(axis)]
    if math.prod(x.shape[a] for a in axes) <= _TERMS:
        return True
    return x.flags.c_contiguous and sorted(axes) == list(range(x.ndim - len(axes), x.ndim))
