"""Arrays between ONNX's order of dimensions, (N, C, ...), and the kernels' order, (N, ..., C)."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.operations.layout import permuted

LARGEST = 1 << 34  # bytes of one array that a file may ask for: 16 GiB


def is_float(x: np.ndarray) -> bool:
    """Return whether the kernels compute this type."""
    return x.dtype == np.float32 or x.dtype == np.float64


def dense(x: np.ndarray) -> np.ndarray:
    """Return `x` C-contiguous and writable, as kernels need it; a copy only where it is not."""
    return x if x.flags.c_contiguous and x.flags.writeable else np.array(x, order="C")


def channels_last(x: np.ndarray) -> np.ndarray:
    """Return (N, C, ...) as (N, ..., C), contiguous: no copy if it lies so in memory."""
    view = np.moveaxis(x, 1, -1)
    if is_float(x) and x.size and not view.flags.c_contiguous:
        return permuted(dense(x), (0, *range(2, x.ndim), 1), "channels_last")
    return dense(view)


def channels_first(x: np.ndarray) -> np.ndarray:
    """Return (N, ..., C) as a view (N, C, ...)."""
    return np.moveaxis(x, -1, 1)


def in_memory_order(x: np.ndarray) -> tuple[np.ndarray, bool]:
    """Return `x` or its channels-last view, whichever is contiguous, and whether it is the view."""
    if x.ndim > 2 and not x.flags.c_contiguous:
        view = np.moveaxis(x, 1, -1)
        if view.flags.c_contiguous and view.flags.writeable:
            return view, True
    return dense(x), False


def from_front(axis: int, rank: int) -> int:
    """Return an axis counted from the front, where a negative one counts from the end."""
    if not -rank <= axis < rank:
        raise ModelFileError(f"expected an axis of the {rank} there are, got {axis}")
    return axis % rank


def check_size(who: str, shape: Any, dtype: Any) -> None:
    """Raise ModelFileError for an array that no machine holds, before anybody asks for its memory."""
    if any(int(n) < 0 for n in shape):
        raise ModelFileError(f"{who}: expected dimensions of at least 0, got {[int(n) for n in shape]}")
    size = math.prod(int(n) for n in shape) * np.dtype(dtype).itemsize
    if size > LARGEST:
        raise ModelFileError(f"{who}: expected an array of at most {LARGEST >> 30} GiB, "
                             f"got the shape {[int(n) for n in shape]}: {size / 2**30:,.0f} GiB")
