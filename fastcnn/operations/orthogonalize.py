"""A matrix made nearly orthogonal by a Newton-Schulz iteration: its singular values come near 1."""

import math

import numpy as np

from fastcnn import device
from fastcnn.kernels import codes
from fastcnn.operations.layout import permuted
from fastcnn.operations.matrix_product import product

_EPSILON = 1e-7


def orthogonalize(x: np.ndarray, steps: int, coefficients: tuple[float, float, float]) -> np.ndarray:
    """Return U V^T, nearly, of the singular value decomposition x = U S V^T: X <- a X + (b A + c A A) X, A = X X^T.

    It begins with x / |x|. Bernstein and Newhouse, 2024; the coefficients are those of Jordan et al., "Muon", 2024.

    Parameters
    ----------
    x : (rows, columns) array
    steps : int
    coefficients : (float, float, float)
        a, b and c.
    """
    (a, b, c), tall = coefficients, x.shape[0] > x.shape[1]
    x = permuted(x, (1, 0)) if tall else x  # A is the smaller of two matrices
    norm = math.sqrt(float(np.square(device.get(x), dtype=np.float64).sum()))
    x = _sum(x, x, 1.0 / (norm + _EPSILON), 0.0)
    for _ in range(steps):
        squares = product(x, permuted(x, (1, 0)))
        x = _sum(x, product(_sum(squares, product(squares, squares), b, c), x), a, 1.0)
    return permuted(x, (1, 0)) if tall else x


def _sum(x: np.ndarray, y: np.ndarray, alpha: float, beta: float) -> np.ndarray:
    """Return alpha x + beta y."""
    d = device.of(x)
    z = d.empty(x.shape, x.dtype)
    flat = [one.reshape(1, 1, -1) for one in (z, x, y)]
    d.kernels.merge_forward(*flat, codes.SUM, alpha, beta, 0)
    return z
