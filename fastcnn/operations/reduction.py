"""Numbers made of all those along some axes: their sum, the largest, the smallest, the product."""

import math

import numpy as np

from fastcnn import device
from fastcnn.operations import Backward
from fastcnn.operations.broadcasting import expanded, scaled, summed_to
from fastcnn.operations.layout import from_rows, rows_along

Axes = tuple[int, ...]


def total(x: np.ndarray, axes: Axes, mean: bool = False) -> tuple[np.ndarray, Backward]:
    """Return the sum along axes, or the mean, and dy -> dx. Summed axes stay, with length 1.

    Parameters
    ----------
    x : array
    axes : tuple of int
        Counted from the front.
    mean : bool
    """
    x_shape, shape = x.shape, tuple(1 if k in axes else n for k, n in enumerate(x.shape))
    count = math.prod(x_shape[k] for k in axes)
    scale = 1.0 / max(1, count) if mean else 1.0
    if mean and not count:
        y = device.of(x).full(shape, x.dtype, math.nan)
    else:
        y = summed_to(x, shape, scale)
    return y, lambda dy: scaled(expanded(dy.reshape(shape), x_shape), scale)


def extreme(x: np.ndarray, axes: Axes, code: int) -> tuple[np.ndarray, Backward]:
    """Return the largest or smallest number, or the product, of all along axes, and dy -> dx.

    Parameters
    ----------
    x : array
    axes : tuple of int
        Counted from the front. They stay, with length 1.
    code : int
        Of `fastcnn.kernels.tensor_codes`.
    """
    d, x_shape = device.of(x), x.shape
    shape = tuple(1 if k in axes else n for k, n in enumerate(x_shape))
    rows = rows_along(x, axes).reshape(math.prod(shape), math.prod(x_shape[k] for k in axes))
    y = d.empty((len(rows),), x.dtype)
    d.kernels.reduce_rows_forward(y, rows, code)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(rows.shape, dy.dtype)
        d.kernels.reduce_rows_backward(dx, dy.reshape(-1), rows, y, code)
        return from_rows(dx, x_shape, axes)

    return y.reshape(shape), backward
