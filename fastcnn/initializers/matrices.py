"""Initializers that look at a parameter as a matrix: the identity, and one with orthogonal columns or rows."""

import math
from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.errors import ArgumentError
from fastcnn.initializers.base import Initializer


class Identity(Initializer):
    """The identity matrix, times a gain.

    Parameters
    ----------
    gain : float

    Examples
    --------
    >>> initializers.Identity(2.0)((2, 3))
    array([[2., 0., 0.],
           [0., 2., 0.]], dtype=float32)
    """

    def __init__(self, gain: float = 1.0) -> None:
        self.gain = gain

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        if len(shape) != 2:
            raise ArgumentError(f"Identity: expected a matrix, got shape {tuple(shape)}; use Orthogonal for others")
        return self.gain * np.eye(*shape, dtype=dtype)


class Orthogonal(Initializer):
    """A random matrix (all axes but the last, the last) whose columns, or rows if they are fewer, are orthonormal.

    Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning", 2014.

    Parameters
    ----------
    gain : float
        A factor of all numbers.
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> q = initializers.Orthogonal(seed=1)((3, 3))
    >>> np.allclose(q.T @ q, np.eye(3), atol=1e-6)
    True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        self.gain, self.seed = gain, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        if len(shape) < 2:
            raise ArgumentError(f"Orthogonal: expected a shape of at least two dimensions, got {tuple(shape)}")
        rows, columns = math.prod(shape[:-1]), shape[-1]
        drawn = random.generator(self.seed).normal(size=(max(rows, columns), min(rows, columns)))
        q, r = np.linalg.qr(drawn)
        q = q * np.sign(np.diag(r))  # so that all orthogonal matrices are equally likely
        return np.ascontiguousarray(self.gain * (q if rows >= columns else q.T), dtype).reshape(shape)
