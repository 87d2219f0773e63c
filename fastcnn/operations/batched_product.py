"""The matrix product of two arrays, sample by sample, on the kernels of grouped convolution."""

from collections.abc import Callable

import numpy as np

from fastcnn import device, geometry
from fastcnn.operations.activation import LINEAR, clamp_array
from fastcnn.operations.algorithms import algorithm_of
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.layout import permuted

Gradients = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


def batched_product(left: np.ndarray, right: np.ndarray) -> tuple[np.ndarray, Gradients]:
    """Return y[n, i, k] = sum over c of left[n, i, c] right[n, k, c], and dy -> (dleft, dright).

    Every sample has a filter bank of its own: it is a 1x1 convolution of (rows, N C) in N groups.

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
