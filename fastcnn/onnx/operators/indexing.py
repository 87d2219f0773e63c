"""What picks elements by index, and what writes them there."""

from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import from_front
from fastcnn.onnx.operators._registry import operator


@operator("Gather")
def gather(x: np.ndarray, indices: np.ndarray, *, axis: int = 0) -> np.ndarray:
    """The slices along an axis at the indices, whose dimensions stand in its place; for one index a view."""
    if indices.ndim == 0:
        where: list[Any] = [slice(None)] * x.ndim
        where[from_front(axis, x.ndim)] = int(indices)
        return x[tuple(where)]
    return np.take(x, indices.astype(np.int64, copy=False), axis)


@operator("GatherElements")
def gather_elements(x: np.ndarray, indices: np.ndarray, *, axis: int = 0) -> np.ndarray:
    """y[i, j, ...] = x[indices[i, j, ...], j, ...] for axis 0; indices may cover a part of the other axes."""
    return x[_places(x, indices, axis)]


@operator("GatherND")
def gather_nd(x: np.ndarray, indices: np.ndarray, *, batch_dims: int = 0) -> np.ndarray:
    """Slices of x: the last dimension of `indices` holds the first indices of each."""
    b = batch_dims
    batch = tuple(np.arange(n).reshape(-1, *(1,) * (indices.ndim - 2 - at)) for at, n in enumerate(indices.shape[:b]))
    return x[(*batch, *np.moveaxis(indices.astype(np.int64), -1, 0))]


def _places(x: np.ndarray, indices: np.ndarray, axis: int) -> tuple[np.ndarray, ...]:
    grid: list[Any] = list(np.ogrid[tuple(slice(n) for n in indices.shape)])
    grid[axis] = indices.astype(np.int64)
    return tuple(grid)


_WRITERS = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def _written(x: np.ndarray, where: tuple[np.ndarray, ...], updates: np.ndarray, reduction: str) -> np.ndarray:
    y = x.copy()
    if reduction == "none":
        y[where] = updates
    elif reduction in _WRITERS:
        _WRITERS[reduction].at(y, where, updates)
    else:
        raise ModelFileError(f"Scatter: expected a reduction of none, {', '.join(_WRITERS)}, got {reduction!r}")
    return y


@operator("ScatterElements", "Scatter")
def scatter_elements(x: np.ndarray, indices: np.ndarray, updates: np.ndarray, *, axis: int = 0,
                     reduction: str = "none") -> np.ndarray:
    """x with y[indices[i, j, ...], j, ...] = updates[i, j, ...] for axis 0."""
    return _written(x, _places(x, indices, axis), updates, reduction)


@operator("ScatterND")
def scatter_nd(x: np.ndarray, indices: np.ndarray, updates: np.ndarray, *, reduction: str = "none") -> np.ndarray:
    """x with the slices at `indices` written."""
    return _written(x, tuple(np.moveaxis(indices.astype(np.int64), -1, 0)), updates, reduction)


@operator("Compress")
def compress(x: np.ndarray, condition: np.ndarray, *, axis: int | None = None) -> np.ndarray:
    """The slices along an axis where the condition holds, or the elements."""
    return np.compress(condition, x, axis)


@operator("ReverseSequence")
def reverse_sequence(x: np.ndarray, lengths: np.ndarray, *, batch_axis: int = 1, time_axis: int = 0) -> np.ndarray:
    """Each sequence of a batch with its first so many elements in the other order."""
    y = np.moveaxis(x, (batch_axis, time_axis), (0, 1)).copy()
    for row, length in zip(y, lengths.tolist()):
        row[:length] = row[:length][::-1].copy()
    return np.moveaxis(y, (0, 1), (batch_axis, time_axis))


@operator("TensorScatter")
def tensor_scatter(x: np.ndarray, update: np.ndarray, start: np.ndarray | None = None, *, axis: int = -2,
                   mode: str = "linear") -> np.ndarray:
    """x with `update` written along an axis from `start` on, for each element of the batch its own."""
    y = np.moveaxis(x.copy(), axis, 1)
    new = np.moveaxis(update, axis, 1)
    begins = np.zeros(x.shape[0], np.int64) if start is None else start
    for row, piece, begin in zip(y, new, begins.tolist()):
        at = np.arange(begin, begin + piece.shape[0])
        row[at % row.shape[0] if mode == "circular" else at] = piece
    return np.moveaxis(y, 1, axis)
