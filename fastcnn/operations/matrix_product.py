"""Products of matrices, one for each sample, on the kernels of grouped convolution."""

from collections.abc import Callable

import numpy as np

from fastcnn import device, geometry
from fastcnn.operations.activation import LINEAR, clamp_array
from fastcnn.operations.algorithms import algorithm_of
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.layout import permuted

Gradients = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def product(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Return the product of two matrices; it has no way back.

    Parameters
    ----------
    left : (rows, C) array
    right : (C, columns) array
    """
    d, dtype, (rows, c), columns = device.of(left), left.dtype, left.shape, right.shape[1]
    if not rows * c * columns:
        return d.zeros((rows, columns), dtype)
    y = d.empty((1, 1, rows, columns), dtype)
    forward = algorithm_of(geometry.conv2d((1, 1, rows, c), columns, (1, 1)), d, dtype, False).forward
    forward.run(d, y, left.reshape(1, 1, rows, c), forward.arguments(
        d, right.reshape(1, 1, c, columns), NOTHING[dtype], clamp_array(LINEAR, dtype)))
    return y.reshape(rows, columns)


def matrix_product(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """Return y[n, i, k] = sum over c of left[n, i, c] right[n, c, k], and dy -> (dleft, dright).

    As `batched_product`, with the second matrix as it is usually written: the samples are groups of a 1x1 convolution.

    Parameters
    ----------
    left : (N, rows, C) array
    right : (N, C, columns) array
    """
    d, dtype = device.of(left), left.dtype
    (n, rows, c), columns = left.shape, right.shape[2]
    if not n * rows * c * columns:
        y = d.zeros((n, rows, columns), dtype)
        return y, lambda dy: (d.zeros((n, rows, c), dtype), d.zeros((n, c, columns), dtype))
    images = permuted(left, (1, 0, 2)).reshape(1, 1, rows, n * c)
    bank = permuted(right, (1, 0, 2)).reshape(1, 1, c, n * columns)
    found = d.empty((1, 1, rows, n * columns), dtype)
    algorithm = algorithm_of(geometry.conv2d(images.shape, n * columns, (1, 1), groups=n), d, dtype, False)
    algorithm.forward.run(d, found, images, algorithm.forward.arguments(d, bank, NOTHING[dtype],
                                                                        clamp_array(LINEAR, dtype)))

    def backward(dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        dz = permuted(dy, (1, 0, 2)).reshape(found.shape)
        dimages, dbank = d.empty(images.shape, dtype), d.zeros(bank.shape, dtype)
        back = algorithm.backward_input
        back.run(d, dimages, dz, back.arguments(d, bank, NOTHING[dtype], clamp_array(LINEAR, dtype)))
        algorithm.backward_weights.run(d, dbank, NOTHING[dtype], images, dz)
        return (permuted(dimages.reshape(rows, n, c), (1, 0, 2)), permuted(dbank.reshape(c, n, columns), (1, 0, 2)))

    return permuted(found.reshape(rows, n, columns), (1, 0, 2)), backward
