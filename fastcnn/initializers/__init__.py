"""How parameters start, with Keras's names and scaling.

Variance scaling draws with variance scale / n, n being the fan-in, the fan-out or their mean; a kernel (KH, KW, C, K)
has fan-in KH KW C and fan-out KH KW K.

    LeCun    1 / fan_in                    LeCun, Bottou, Orr and Muller, "Efficient backprop", 1998
    Glorot   2 / (fan_in + fan_out)        Glorot and Bengio, 2010 (also called Xavier)
    He       2 / fan_in                    He, Zhang, Ren and Sun, "Delving deep into rectifiers", 2015
"""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import unsupported
from fastcnn.errors import ArgumentError, unknown
from fastcnn.initializers.base import Initializer
from fastcnn.initializers.distributions import Constant, Ones, RandomNormal, RandomUniform, TruncatedNormal, Zeros
from fastcnn.initializers.scaling import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    VarianceScaling,
    fans,
)
from fastcnn.initializers.whitening import PatchWhitening

__all__ = [
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Initializer", "LecunNormal", "LecunUniform",
    "Ones", "PatchWhitening", "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "fans",
    "first_value", "get", "nothing_drawn",
]  # fmt: skip

_CLASSES: dict[str, type[Initializer]] = {
    c.__name__: c
    for c in (Zeros, Ones, Constant, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, LecunNormal,
              LecunUniform, GlorotNormal, GlorotUniform, HeNormal, HeUniform, PatchWhitening)
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
    """Within this context, new parameters start at zero and use up no seed, since a file holds their values.

    Examples
    --------
    >>> with initializers.nothing_drawn():
    ...     initializers.first_value("glorot_uniform", (2, 2), "float32")
    array([[0., 0.],
           [0., 0.]], dtype=float32)
    """
    token = _nothing_drawn.set(True)
    try:
        yield
    finally:
        _nothing_drawn.reset(token)


def first_value(initializer: str | dict | Initializer, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return the first value of a parameter, C-contiguous; zeros inside `nothing_drawn`.

    Parameters
    ----------
    initializer : str, dict or Initializer
    shape : tuple of int
    dtype : dtype

    Examples
    --------
    >>> initializers.first_value("ones", (2,), "float32")
    array([1., 1.], dtype=float32)
    """
    chosen = Zeros() if _nothing_drawn.get() else get(initializer)
    return np.asarray(chosen(shape, dtype), order="C")  # not ascontiguousarray, which makes a vector of one number


def get(initializer: str | dict | Initializer) -> Initializer:
    """Return the initializer for a name ("he_normal"), a configuration, or an initializer itself.

    Parameters
    ----------
    initializer : str, dict or Initializer

    Raises
    ------
    ArgumentError
        If the name is not known.

    Examples
    --------
    >>> type(initializers.get("he_normal")).__name__
    'HeNormal'
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
