"""Draws whose variance follows from the shape of a parameter: LeCun's, Glorot's and He's."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.initializers.base import Initializer
from fastcnn.initializers.distributions import RandomNormal, RandomUniform, TruncatedNormal

# The standard deviation of a unit normal distribution cut off at two: normal draws are divided by it.
_TRUNCATED_STDDEV = 0.87962566103423978


class VarianceScaling(Initializer):
    """Random numbers with variance scale / n, where n depends on the shape.

    Parameters
    ----------
    scale : float
        Positive.
    mode : str
        n is "fan_in", "fan_out" or their mean, "fan_avg".
    distribution : str
        "truncated_normal", "untruncated_normal" or "uniform".
    seed : int, optional

    Examples
    --------
    >>> initializers.VarianceScaling(2.0, mode="fan_out", seed=1)((64, 256)).std().round(2)
    np.float32(0.09)
    """

    def __init__(self, scale: float = 1.0, mode: str = "fan_in", distribution: str = "truncated_normal",
                 seed: int | None = None) -> None:
        if scale <= 0:
            raise ArgumentError(f"VarianceScaling: expected a positive scale, got {scale}")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ArgumentError(unknown("VarianceScaling: mode", mode, ("fan_in", "fan_out", "fan_avg")))
        kinds = ("truncated_normal", "untruncated_normal", "uniform")
        if distribution not in kinds:
            raise ArgumentError(unknown("VarianceScaling: distribution", distribution, kinds))
        self.scale, self.mode, self.distribution, self.seed = scale, mode, distribution, seed

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        fan_in, fan_out = fans(shape)
        n = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2}[self.mode]
        variance = self.scale / max(1.0, n)
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return RandomUniform(-limit, limit, self.seed)(shape, dtype)
        if self.distribution == "untruncated_normal":
            return RandomNormal(0.0, math.sqrt(variance), self.seed)(shape, dtype)
        return TruncatedNormal(0.0, math.sqrt(variance) / _TRUNCATED_STDDEV, self.seed)(shape, dtype)


class _Scaled(VarianceScaling):
    """A variance scaling with a name of its own and the seed as its only argument."""

    rule: tuple[float, str, str]

    def __init__(self, seed: int | None = None) -> None:
        super().__init__(*self.rule, seed=seed)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed}


class LecunNormal(_Scaled):
    """Truncated normal with variance 1 / fan_in.

    Parameters
    ----------
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> initializers.LecunNormal(seed=1)((256, 64)).std().round(3)
    np.float32(0.062)
    """

    rule = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform with variance 1 / fan_in.

    Parameters
    ----------
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> initializers.LecunUniform(seed=1)((256, 64)).std().round(3)
    np.float32(0.063)
    """

    rule = (1.0, "fan_in", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal with variance 2 / (fan_in + fan_out).

    Parameters
    ----------
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> initializers.GlorotNormal(seed=1)((256, 64)).std().round(3)
    np.float32(0.079)
    """

    rule = (1.0, "fan_avg", "truncated_normal")


class GlorotUniform(_Scaled):
    """Uniform with variance 2 / (fan_in + fan_out).

    Parameters
    ----------
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> initializers.GlorotUniform(seed=1)((256, 64)).std().round(3)
    np.float32(0.079)
    """

    rule = (1.0, "fan_avg", "uniform")


class HeNormal(_Scaled):
    """Truncated normal with variance 2 / fan_in.

    Parameters
    ----------
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> initializers.HeNormal(seed=1)((256, 64)).std().round(3)
    np.float32(0.088)
    """

    rule = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform with variance 2 / fan_in.

    Parameters
    ----------
    seed : int, optional
        As in `RandomNormal`.

    Examples
    --------
    >>> initializers.HeUniform(seed=1)((256, 64)).std().round(3)
    np.float32(0.089)
    """

    rule = (2.0, "fan_in", "uniform")


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a parameter: how many inputs an output sees, and how many outputs see an input.

    Parameters
    ----------
    shape : tuple of int

    Examples
    --------
    >>> initializers.fans((3, 3, 16, 32))
    (144, 288)
    """
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]
