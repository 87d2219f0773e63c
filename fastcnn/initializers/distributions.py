"""Constants, and draws from distributions that are told."""

import math
from typing import Any

import numpy as np

from fastcnn import random
from fastcnn.initializers.base import Initializer


class Zeros(Initializer):
    """All zeros."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return np.zeros(shape, dtype)


class Ones(Initializer):
    """All ones."""

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return np.ones(shape, dtype)


class Constant(Initializer):
    """All `value`."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return np.full(shape, self.value, dtype)


class RandomNormal(Initializer):
    """Normal with a mean and a standard deviation.

    Parameters
    ----------
    mean, stddev : float
    seed : int, optional
        None takes the next of the sequence (`fastcnn.random`).
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return random.generator(self.seed).normal(self.mean, self.stddev, shape).astype(dtype)


class RandomUniform(Initializer):
    """Uniform between two numbers.

    Parameters
    ----------
    minval, maxval : float
        The lowest, and what is not reached.
    seed : int, optional
        As of `RandomNormal`.
    """

    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None:
        self.minval, self.maxval, self.seed = minval, maxval, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        return random.generator(self.seed).uniform(self.minval, self.maxval, shape).astype(dtype)


class TruncatedNormal(Initializer):
    """Normal, with draws further than two standard deviations from the mean drawn again.

    Parameters
    ----------
    mean, stddev : float
        Of the normal distribution before it is cut.
    seed : int, optional
        As of `RandomNormal`.
    """

    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None:
        self.mean, self.stddev, self.seed = mean, stddev, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        draw = random.generator(self.seed)
        values = draw.standard_normal(math.prod(shape))
        while (far := np.flatnonzero(np.abs(values) > 2)).size:
            values[far] = draw.standard_normal(far.size)
        return (values * self.stddev + self.mean).reshape(shape).astype(dtype)
