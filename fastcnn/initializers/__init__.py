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
from fastcnn.initializers.matrices import Identity, Orthogonal
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
    "Constant", "GlorotNormal", "GlorotUniform", "HeNormal", "HeUniform", "Identity", "IdentityInitializer",
    "Initializer", "LecunNormal", "LecunUniform", "Ones", "Orthogonal", "OrthogonalInitializer", "PatchWhitening",
    "RandomNormal", "RandomUniform", "TruncatedNormal", "VarianceScaling", "Zeros", "constant", "deserialize", "fans",
    "first_value", "get", "glorot_normal", "glorot_uniform", "he_normal", "he_uniform", "identity", "lecun_normal",
    "lecun_uniform", "nothing_drawn", "ones", "orthogonal", "random_normal", "random_uniform", "serialize",
    "truncated_normal", "variance_scaling", "zeros",
]  # fmt: skip

_CLASSES: dict[str, type[Initializer]] = {
    c.__name__: c
    for c in (Zeros, Ones, Constant, RandomNormal, RandomUniform, TruncatedNormal, VarianceScaling, LecunNormal,
              LecunUniform, GlorotNormal, GlorotUniform, HeNormal, HeUniform, Identity, Orthogonal, PatchWhitening)
}
_NAMES = {
    "zeros": Zeros, "ones": Ones, "constant": Constant, "random_normal": RandomNormal,
    "random_uniform": RandomUniform, "truncated_normal": TruncatedNormal, "variance_scaling": VarianceScaling,
    "lecun_normal": LecunNormal, "lecun_uniform": LecunUniform, "glorot_normal": GlorotNormal,
    "glorot_uniform": GlorotUniform, "xavier_normal": GlorotNormal, "xavier_uniform": GlorotUniform,
    "he_normal": HeNormal, "he_uniform": HeUniform, "identity": Identity, "orthogonal": Orthogonal,
    "IdentityInitializer": Identity, "OrthogonalInitializer": Orthogonal,
}  # fmt: skip

# Keras's other names of the classes.
zeros, ones, constant, identity, orthogonal = Zeros, Ones, Constant, Identity, Orthogonal
IdentityInitializer, OrthogonalInitializer = Identity, Orthogonal
random_normal, random_uniform, truncated_normal = RandomNormal, RandomUniform, TruncatedNormal
variance_scaling, lecun_normal, lecun_uniform = VarianceScaling, LecunNormal, LecunUniform
glorot_normal, glorot_uniform, he_normal, he_uniform = GlorotNormal, GlorotUniform, HeNormal, HeUniform


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


def first_value(initializer: Any, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return the first value of a parameter, C-contiguous; zeros inside `nothing_drawn`.

    Parameters
    ----------
    initializer : as of `get`, but not None
    shape : tuple of int
    dtype : dtype

    Raises
    ------
    ArgumentError
        If it is not known, or what it gives has another shape.

    Examples
    --------
    >>> initializers.first_value("ones", (2,), "float32")
    array([1., 1.], dtype=float32)
    """
    chosen = Zeros() if _nothing_drawn.get() else get(initializer)
    if chosen is None:
        raise ArgumentError(unknown("initializer", initializer, _NAMES))
    value = np.asarray(chosen(shape, dtype=dtype), dtype, order="C")  # not ascontiguousarray: it makes a vector of ()
    if value.shape != tuple(shape):
        raise ArgumentError(f"initializer {getattr(chosen, '__name__', type(chosen).__name__)}: expected values of "
                            f"shape {tuple(shape)}, got {value.shape}")
    return value


def get(identifier: Any) -> Any:
    """Return the initializer for a name ("he_normal"), a configuration, a class, an array, or what is one itself.

    Parameters
    ----------
    identifier : str, dict, class, array, function or Initializer, or None
        An array is the value itself. A function is called as an initializer is, with shape and dtype. None stays None.

    Raises
    ------
    ArgumentError
        If the name is not known.

    Examples
    --------
    >>> type(initializers.get("he_normal")).__name__
    'HeNormal'
    """
    if identifier is None or isinstance(identifier, Initializer):
        return identifier
    if isinstance(identifier, dict) and identifier.get("class_name") in _CLASSES:
        return _CLASSES[identifier["class_name"]].from_config(identifier.get("config", {}))
    if isinstance(identifier, str) and (identifier in _NAMES or identifier in _CLASSES):
        return (_NAMES.get(identifier) or _CLASSES[identifier])()
    if isinstance(identifier, np.ndarray):
        return Constant(identifier)
    if isinstance(identifier, type) and issubclass(identifier, Initializer):
        return identifier()
    if callable(identifier) and not isinstance(identifier, type):
        return identifier
    raise ArgumentError(unknown("initializer", identifier, _NAMES))


def serialize(initializer: Initializer) -> dict[str, Any]:
    """Return a configuration of an initializer, which `get` understands and JSON can hold.

    Parameters
    ----------
    initializer : Initializer

    Examples
    --------
    >>> initializers.serialize(initializers.HeNormal(seed=1))
    {'class_name': 'HeNormal', 'config': {'seed': 1}}
    """
    return {"class_name": type(initializer).__name__, "config": initializer.get_config()}


def deserialize(config: dict[str, Any], custom_objects: dict[str, type[Initializer]] | None = None) -> Initializer:
    """Return the initializer that `serialize` wrote down.

    Parameters
    ----------
    config : dict
    custom_objects : dict, optional
        Your own classes by name.

    Examples
    --------
    >>> initializers.deserialize({"class_name": "HeNormal", "config": {"seed": 1}}).seed
    1
    """
    own = (custom_objects or {}).get(config.get("class_name", "")) if isinstance(config, dict) else None
    found: Initializer = get(config) if own is None else own.from_config(config.get("config", {}))
    return found


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("initializers")
