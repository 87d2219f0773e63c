"""Selected numbers: by a condition, by their place, or the largest."""

import math
from collections.abc import Sequence

import numpy as np

from fastcnn import device
from fastcnn.geometry.interpolation import picked_taps
from fastcnn.operations import Backward
from fastcnn.operations.broadcasting import aligned, summed_to
from fastcnn.operations.elementwise import IS_ZERO
from fastcnn.operations.layout import from_rows, rows_along
from fastcnn.operations.merge import Gradients, masked, weighted_sum
from fastcnn.operations.resize import resize


def where(arrays: Sequence[np.ndarray]) -> tuple[np.ndarray, Gradients]:
    """Return b where the condition is 0, else a, and dy -> a gradient for each, none for the condition.

    Parameters
    ----------
    arrays : (array, array, array)
        The condition, a and b, which broadcast. Numbers that are not chosen may be infinite or NaN.
    """
    given = [x.shape for x in arrays]
    condition, a, b = aligned(arrays)
    other = IS_ZERO.predict(condition)
    chosen = IS_ZERO.predict(other)
    y, _ = weighted_sum([masked(a, chosen), masked(b, other)], [1.0, 1.0])
    a_shape, b_shape = a.shape, b.shape

    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        da, db = summed_to(masked(dy, chosen), a_shape), summed_to(masked(dy, other), b_shape)
        # A condition is a step, whose derivative is 0.
        return device.of(dy).zeros(given[0], dy.dtype), da.reshape(given[1]), db.reshape(given[2])

    return y, backward


def strided_slice(x: np.ndarray, axis: int, places: range) -> tuple[np.ndarray, Backward]:
    """Return the numbers at places along an axis, which is counted from the front, and dy -> dx.

    Parameters
    ----------
    axis : int
    places : range
    """
    d, x_shape = device.of(x), x.shape
    at = *(slice(None),) * axis, slice(places.start, places.stop if places.stop >= 0 else None, places.step)
    y = d.empty((*x_shape[:axis], len(places), *x_shape[axis + 1:]), x.dtype)
    d.read(y, x, at)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.zeros(x_shape, dy.dtype)
        d.write(dx, at, dy)
        return dx

    return y, backward


def take(x: np.ndarray, indices: tuple[int, ...], axis: int) -> tuple[np.ndarray, Backward]:
    """Return ``numpy.take(x, indices, axis)``, and dy -> dx, in which a number's gradient is the sum over its copies.

    Parameters
    ----------
    x : array
    indices : tuple of int
        In any order, with repetitions; negative ones count from the end of the axis.
    axis : int
        Counted from the front.
    """
    x_shape = x.shape
    before, n, after = math.prod(x_shape[:axis]), x_shape[axis], math.prod(x_shape[axis + 1:])
    y, back = resize(x.reshape(before, n, after), [picked_taps(n, indices, x.dtype.name)])
    y_shape = y.shape
    return (y.reshape(*x_shape[:axis], len(indices), *x_shape[axis + 1:]),
            lambda dy: back(dy.reshape(y_shape)).reshape(x_shape))


def top_k(x: np.ndarray, k: int, axis: int, indices: bool = False) -> tuple[np.ndarray, Backward]:
    """Return the k largest numbers along an axis, the largest first, or their indices; and dy -> dx.

    Of equal numbers the first comes first. Gradients go to the numbers that were taken; indices have none.

    Parameters
    ----------
    x : array
    k : int
    axis : int
        Counted from the front.
    indices : bool
        Return their indices, as numbers of the type of `x`.
    """
    d, x_shape, axes = device.of(x), x.shape, (axis,)
    rows = rows_along(x, axes)
    largest, at = d.empty((len(rows), k), x.dtype), d.empty((len(rows), k), x.dtype)
    d.kernels.top_rows_forward(largest, at, rows)
    y_shape, shape = (*x_shape[:axis], k, *x_shape[axis + 1:]), rows.shape

    def backward(dy: np.ndarray) -> np.ndarray:
        if indices:
            return d.zeros(x_shape, dy.dtype)
        dx = d.empty(shape, dy.dtype)
        d.kernels.top_rows_backward(dx, rows_along(dy, axes), at)
        return from_rows(dx, x_shape, axes)

    return from_rows(at if indices else largest, y_shape, axes), backward
