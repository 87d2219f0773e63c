"""Constants, and draws from distributions that are told."""

import math
from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.initializers.base import Initializer


class Zeros(Initializer):
    """All zeros.

    Examples
    --------
    >>> initializers.Zeros()((2, 2))
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """All ones.

    Examples
    --------
    >>> initializers.Ones()((2, 2))
    array([[1., 1.],
           [1., 1.]], dtype=float32)
    """

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return np.ones(shape, dtype)


class Constant(Initializer):
    """All `value`.

    Parameters
    ----------
    value : float or array

    Examples
    --------
    >>> initializers.Constant(0.5)((3,))
    array([0.5, 0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: Any = 0.0) -> None:
        self.value = value

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value.tolist() if isinstance(self.value, np.ndarray) else self.value}

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return np.full(shape, self.value, dtype)


class RandomNormal(Initializer):
    """Normally distributed numbers.

    Parameters
    ----------
    mean, stddev : float
    seed : int, optional
        None takes the next seed of `fastcnn.random`.

    Examples
    --------
    >>> initializers.RandomNormal(stddev=0.1, seed=1)((3,)).round(3)
    array([0.035, 0.082, 0.033], dtype=float32)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return random.generator(self.seed).normal(self.mean, self.stddev, shape).astype(dtype)


class RandomUniform(Initializer):
    """Uniformly distributed numbers.

    Parameters
    ----------
    minval, maxval : float
        The smallest number, and the limit that is not reached.
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> initializers.RandomUniform(0, 1, seed=1)((3,)).round(3)
    array([0.512, 0.95 , 0.144], dtype=float32)
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return random.generator(self.seed).uniform(self.minval, self.maxval, shape).astype(dtype)


class TruncatedNormal(Initializer):
    """Normally distributed numbers. What is more than two standard deviations from the mean is drawn again.

    Parameters
    ----------
    mean, stddev : float
        Of the normal distribution before it is cut.
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> initializers.TruncatedNormal(stddev=0.1, seed=1)((3,)).round(3)
    array([0.035, 0.082, 0.033], dtype=float32)
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        draw = random.generator(self.seed)
        values = draw.standard_normal(math.prod(shape))
        while (far := np.flatnonzero(np.abs(values) > 2)).size:
            values[far] = draw.standard_normal(far.size)
        return (values * self.stddev + self.mean).reshape(shape).astype(dtype)
