"""Numbers that are moved without being changed."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from fastcnn import device
from fastcnn.geometry import permutation
from fastcnn.operations import Backward
from fastcnn.operations.broadcasting import summed_to

Gradients = Callable[[np.ndarray], tuple[np.ndarray, ...]]


def permuted(x: np.ndarray, axes: tuple[int, ...], who: str = "permuted") -> np.ndarray:
    """Return ``numpy.transpose(x, axes)`` as an array that kernels take; `who` asks, for the message.

    Parameters
    ----------
    axes : tuple of int
    """
    shape, g = permutation.permuted(x.shape, axes, who)
    return x.reshape(shape) if g is None else _moved(x, shape, g)


def transpose(x: np.ndarray, axes: tuple[int, ...], who: str = "transpose") -> tuple[np.ndarray, Backward]:
    """Return `permuted`, and dy -> dx.

    Parameters
    ----------
    axes : tuple of int
    """
    return permuted(x, axes, who), lambda dy: permuted(dy, permutation.inverse(axes), who)


def rows_along(x: np.ndarray, axes: tuple[int, ...], who: str = "rows_along") -> np.ndarray:
    """Return an array as rows, one for each vector along some of its axes.

    Parameters
    ----------
    x : array
    axes : tuple of int
        Counted from the front.
    who : str
        Whom an error names, if too many axes would move.
    """
    shape, g, _ = permutation.rows_along(x.shape, axes, who)
    return x.reshape(shape) if g is None else _moved(x, shape, g)


def from_rows(rows: np.ndarray, shape: tuple[int, ...], axes: tuple[int, ...], who: str = "from_rows") -> np.ndarray:
    """Return the array of `shape` from its rows: the inverse of `rows_along` with these axes.

    Parameters
    ----------
    rows : (count, length) array
    shape, axes : tuple of int
        The axes are counted from the front.
    """
    _, _, g = permutation.rows_along(shape, axes, who)
    return rows.reshape(shape) if g is None else _moved(rows, shape, g)


def _moved(x: np.ndarray, shape: tuple[int, ...], g: np.ndarray) -> np.ndarray:
    d = device.of(x)
    y = d.empty(shape, x.dtype)
    d.kernels.permute(y.reshape(-1), x.reshape(-1), g)
    return y


def repeat_vector(x: np.ndarray, n: int) -> tuple[np.ndarray, Backward]:
    """Return (N, n, features), each vector of x (N, features) `n` times, and dy -> dx.

    Parameters
    ----------
    n : int
    """
    d, (samples, features) = device.of(x), x.shape
    y = d.empty((samples, n, features), x.dtype)
    d.copy(y, x.reshape(samples, 1, features))
    return y, lambda dy: summed_to(dy, (samples, 1, features)).reshape(samples, features)


def concatenate(arrays: Sequence[np.ndarray], axis: int) -> tuple[np.ndarray, Gradients]:
    """Return arrays side by side along an axis, and dy -> a gradient for each.

    Parameters
    ----------
    arrays : sequence of ndarray
        Of equal shapes but for the axis.
    axis : int
        Counted from the front.
    """
    first, d = arrays[0], device.of(arrays[0])
    dtype, before, after = first.dtype, first.shape[:axis], first.shape[axis + 1:]
    y = d.empty((*before, sum([x.shape[axis] for x in arrays]), *after), dtype)
    # Seen as a matrix with a row for each index before the axis, an input is a range of the output's columns.
    rows, one = math.prod(before), math.prod(after)
    total, begin, parts = y.shape[axis] * one, 0, []
    for x in arrays:
        width = x.shape[axis] * one
        d.kernels.copy_columns(y.reshape(rows, total), begin, x.reshape(rows, width), 0, width)
        parts.append((x.shape, begin, width))
        begin += width

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        if rows == 1:
            flat = dy.reshape(-1)
            return tuple([flat[begin:begin + width].reshape(shape) for shape, begin, width in parts])
        whole = dy.reshape(rows, total)
        gradients = []
        for shape, begin, width in parts:
            dx = d.empty(shape, dtype)
            d.kernels.copy_columns(dx.reshape(rows, width), 0, whole, begin, width)
            gradients.append(dx)
        return tuple(gradients)

    return y, backward
