"""How parameters start, with Keras's names and scaling.

Variance scaling draws with variance scale / n, n being the fan-in, the fan-out or their mean; a kernel (KH, KW, C, K)
has fan-in KH KW C and fan-out KH KW K.

    LeCun    1 / fan_in                    LeCun, Bottou, Orr and Muller, "Efficient backprop", 1998
    Glorot   2 / (fan_in + fan_out)        Glorot and Bengio, 2010 (also called Xavier)
    He       2 / fan_in                    He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015
"""

import contextlib
import contextvars
import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import random, unsupported
from fastcnn.errors import ArgumentError, unknown
from fastcnn.unsupported import ExplainsUnsupported

# The standard deviation of a unit normal distribution cut off at two: normal draws are divided by it.
_TRUNCATED_STDDEV = 0.87962566103423978


class Initializer(ExplainsUnsupported):
    """Makes the first value of a parameter: ``initializer(shape, dtype)``."""

    unsupported = "initializer"

    def __call__(self, shape: tuple[int, ...], dtype: Any = "float32") -> np.ndarray:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        return dict(vars(self))

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Initializer":
        """Make an initializer from `get_config`."""
        return cls(**config)


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


class VarianceScaling(Initializer):
    """Draws with variance scale / n.

    Parameters
    ----------
    scale : float
        Positive.
    mode : str
        n is "fan_in", "fan_out" or their mean, "fan_avg".
    distribution : str
        "truncated_normal", "untruncated_normal" or "uniform".
    seed : int, optional
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
    """Truncated normal with variance 1 / fan_in."""

    rule = (1.0, "fan_in", "truncated_normal")


class LecunUniform(_Scaled):
    """Uniform with variance 1 / fan_in."""

    rule = (1.0, "fan_in", "uniform")


class GlorotNormal(_Scaled):
    """Truncated normal with variance 2 / (fan_in + fan_out)."""

    rule = (1.0, "fan_avg", "truncated_normal")


class GlorotUniform(_Scaled):
    """Uniform with variance 2 / (fan_in + fan_out)."""

    rule = (1.0, "fan_avg", "uniform")


class HeNormal(_Scaled):
    """Truncated normal with variance 2 / fan_in."""

    rule = (2.0, "fan_in", "truncated_normal")


class HeUniform(_Scaled):
    """Uniform with variance 2 / fan_in."""

    rule = (2.0, "fan_in", "uniform")


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a parameter: inputs one output sees, and outputs that see one input."""
    if len(shape) < 2:
        size = shape[0] if shape else 1
        return size, size
    field = math.prod(shape[:-2])
    return field * shape[-2], field * shape[-1]


_CLASSES: dict[str, type[Initializer]] = {
    c.__name__: c
    for c in (Zeros, Ones, Constant, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, LecunNormal,
              LecunUniform, GlorotNormal, GlorotUniform, HeNormal, HeUniform)
}
_NAMES = {
    "zeros": Zeros, "ones": Ones, "constant": Constant, "random_normal": RandomNormal,
    "random_uniform": RandomUniform, "truncated_normal": TruncatedNormal, "variance_scaling": VarianceScaling,
    "lecun_normal": LecunNormal, "lecun_uniform": LecunUniform, "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform, "xavier_normal": GlorotNormal, "xavier_uniform": GlorotUniform,
    "he_normal": HeNormal, "he_uniform": HeUniform,
}  # fmt: skip


_nothing_drawn = contextvars.ContextVar("nothing_drawn", default=False)


@contextlib.contextmanager
def nothing_drawn() -> Iterator[None]:
    """Let parameters made inside start at zero and use up no seed: their values come from a file."""
    token = _nothing_drawn.set(True)
    try:
        yield
    finally:
        _nothing_drawn.reset(token)


def first_value(initializer: str | dict | Initializer, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return the first value of a parameter, C-contiguous; zeros inside `nothing_drawn`."""
    chosen = Zeros() if _nothing_drawn.get() else get(initializer)
    return np.asarray(chosen(shape, dtype), order="C")  # not ascontiguousarray, which makes a vector of one number


def get(initializer: str | dict | Initializer) -> Initializer:
    """Return the initializer for a name ("he_normal"), a configuration, or an initializer itself.

    Raises
    ------
    ArgumentError
        If the name is not known.
    """
    if isinstance(initializer, Initializer):
        return initializer
    if isinstance(initializer, dict) and initializer.get("class_name") in _CLASSES:
        return _CLASSES[initializer["class_name"]](**initializer.get("config", {}))
    if isinstance(initializer, str) and (initializer in _NAMES or initializer in _CLASSES):
        return (_NAMES.get(initializer) or _CLASSES[initializer])()
    if isinstance(initializer, type) and issubclass(initializer, Initializer):
        raise ArgumentError(f"initializer: expected an instance, got the class {initializer.__name__}; "
                            f"write {initializer.__name__}()")
    raise ArgumentError(unknown("initializer", initializer, _NAMES))


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("initializers")
