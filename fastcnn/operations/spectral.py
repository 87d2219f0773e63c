"""The largest singular value of a kernel, by the power iteration."""

import math

import numpy as np

from fastcnn import device
from fastcnn.operations.matrix_product import matrix_product
from fastcnn.parameters import Parameter


def normalize_spectrum(kernel: Parameter, vector: Parameter, iterations: int) -> None:
    """Divide a kernel by an estimate of its largest singular value, and let the vector u be the better one for it.

    Parameters
    ----------
    kernel : (..., K) Parameter
        Looked at as a matrix of K columns; one of zeros stays.
    vector : (1, K) Parameter
        u, of length 1 after the first call.
    iterations : int
    """
    kernel.hold()
    d, columns = device.of(kernel.array), kernel.shape[-1]
    matrix, u, length = kernel.array.reshape(1, -1, columns), vector.array, 0.0
    for _ in range(iterations):
        v, _back = matrix_product(matrix, u.reshape(1, columns, 1))
        _divide(v, _length(v))
        u, _back = matrix_product(v.reshape(1, 1, v.size), matrix)
        length = _length(u)
        _divide(u, length)
    if not length:
        return
    _divide(kernel.array, length)
    d.copy(vector.array, u.reshape(1, columns))
    kernel.version += 1
    vector.version += 1


def _length(x: np.ndarray) -> float:
    return math.sqrt(float(np.square(device.get(x), dtype=np.float64).sum()))


def _divide(x: np.ndarray, by: float) -> None:
    """Divide all numbers of an array, in place; nothing by 0."""
    d = device.of(x)
    factor = d.put(np.array([1.0 / by if by else 1.0]))
    d.kernels.scale_parts(x.reshape(-1), factor, d.put(np.array([0, x.size])), math.inf)
