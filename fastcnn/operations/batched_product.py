"""The matrix product of two arrays, sample by sample, on the kernels of grouped convolution."""

import math
from collections.abc import Callable

import numpy as np

from fastcnn import device, geometry
from fastcnn.operations import Backward
from fastcnn.operations.activation import LINEAR, clamp_array
from fastcnn.operations.algorithms import algorithm_of
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.layout import from_rows, permuted, rows_along
from fastcnn.operations.normalization import l2_normalization

Gradients = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]

_EPSILON = 1e-7  # as in Keras's Dot


def batched_product(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """Return y[n, i, k] = sum over c of left[n, i, c] right[n, k, c], and dy -> (dleft, dright).

    It runs as a 1x1 convolution of (rows, N C) in N groups, since each sample has a filter bank of its own.

    Parameters
    ----------
    left : (N, rows, C) array
    right : (N, columns, C) array
    """
    d, dtype = device.of(left), left.dtype
    (n, rows, c), columns = left.shape, right.shape[1]
    images = permuted(left, (1, 0, 2)).reshape(1, 1, rows, n * c)
    bank = permuted(right, (2, 0, 1)).reshape(1, 1, c, n * columns)
    y = d.empty((1, 1, rows, n * columns), dtype)
    # A batch of no samples has no groups, which no kernel takes.
    algorithm = None
    if n:
        algorithm = algorithm_of(geometry.conv2d(images.shape, n * columns, (1, 1), groups=n), d, dtype, False)
        arguments = algorithm.forward.arguments(d, bank, NOTHING[dtype], clamp_array(LINEAR, dtype))
        algorithm.forward.run(d, y, images, arguments)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dz = permuted(dy.reshape(n, rows, columns), (1, 0, 2)).reshape(y.shape)
        dimages, dbank = d.empty(images.shape, dtype), d.zeros(bank.shape, dtype)
        if algorithm is not None:
            arguments = algorithm.backward_input.arguments(d, bank, NOTHING[dtype], clamp_array(LINEAR, dtype))
            algorithm.backward_input.run(d, dimages, dz, arguments)
            algorithm.backward_weights.run(d, dbank, NOTHING[dtype], images, dz)
        return (permuted(dimages.reshape(rows, n, c), (1, 0, 2)), permuted(dbank.reshape(c, n, columns), (1, 2, 0)))

    return permuted(y.reshape(rows, n, columns), (1, 0, 2)), backward


def dot(left: np.ndarray, right: np.ndarray, axes: tuple[int, int], normalize: bool = False
        ) -> tuple[np.ndarray, Gradients]:
    """Return the dot products (N, rows, columns) of all vectors of a sample, and dy -> (dleft, dright).

    Parameters
    ----------
    left, right : array
    axes : (int, int)
        Along which the vectors of each lie, counted from the front.
    normalize : bool
        Scale the vectors to length 1 first.
    """
    a, left_backward = _vectors(left, axes[0], normalize)
    b, right_backward = _vectors(right, axes[1], normalize)
    y, product_backward = batched_product(a, b)

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        da, db = product_backward(dy)
        return left_backward(da), right_backward(db)

    return y, backward


def _vectors(x: np.ndarray, axis: int, normalize: bool) -> tuple[np.ndarray, Backward]:
    """Return an array as (N, vectors, length), the vectors of length 1 if so asked, and the way back."""
    rows, x_shape = rows_along(x, (axis,)), x.shape
    shape = x_shape[0], math.prod(x_shape[1:axis]) * math.prod(x_shape[axis + 1:]), x_shape[axis]
    y, unit_backward = l2_normalization(rows, (1,), _EPSILON) if normalize else (rows, None)
    rows_shape = rows.shape

    def backward(dy: np.ndarray) -> np.ndarray:
        dy = dy.reshape(rows_shape)
        return from_rows(dy if unit_backward is None else unit_backward(dy), x_shape, (axis,))

    return y.reshape(shape), backward
