"""The arguments a layer was made with: caught as they were given, and written down so that JSON can hold them."""

import functools
import inspect
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import activations, constraints, initializers, regularizers, unsupported
from fastcnn.errors import ArgumentError, UnknownArgumentError
from fastcnn.geometry.arguments import is_integer

#: What Keras 2's scripts tell the first layer of a Sequential.
_OF_INPUT = ("input_shape", "input_dim")

#: As `inspect.signature`, which takes as long as making a layer, and is asked for the same functions again and again.
signature_of = functools.lru_cache(maxsize=1024)(inspect.signature)


def caught(cls: Any, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """Return the arguments of a layer's constructor by name.

    Parameters
    ----------
    cls : type
        The layer's; its `more_arguments` are handed on like those of `Layer`.
    args, kwargs : list, dict

    Raises
    ------
    UnknownArgumentError
        If the constructor does not take them, or `Layer`, to which it hands on those it has no name for.
    """
    signature = signature_of(cls.__init__)
    named = list(signature.parameters.values())[1:]
    known = [p.name for p in named if p.kind is not p.VAR_KEYWORD]
    others = next((p.name for p in named if p.kind is p.VAR_KEYWORD), "")
    if others:
        known = list(dict.fromkeys([*known, *cls.more_arguments, "name", "dtype", "trainable", "activity_regularizer",
                                    *_OF_INPUT]))
    for name, value in kwargs.items():
        if name not in known:
            shape = _of_input(cls, name, value)
            raise unsupported.argument(cls, name, value, known) if shape is None else UnknownArgumentError(shape)
    try:
        bound = signature.bind(None, *args, **kwargs)
    except TypeError as error:
        raise UnknownArgumentError(f"{cls.__name__}: {error}; its arguments are {', '.join(known)}") from None
    given = dict(list(bound.arguments.items())[1:])
    if cls.__module__.partition(".")[0] == "fastcnn":
        _check_switches(cls, given, signature)
    more: dict[str, Any] = given.pop(others, {})
    return given | {name: value for name, value in more.items() if name not in _OF_INPUT}  # the model begins with it


@functools.cache
def defaults(cls: Any) -> dict[str, Any]:
    """Return the arguments of a layer of fastcnn's that have defaults; none of a class of a user's own."""
    if cls.__module__.partition(".")[0] != "fastcnn":
        return {}
    named = signature_of(cls.__init__).parameters.values()
    return {p.name: p.default for p in named if p.default is not p.empty and p.name not in ("name", "dtype")}


def takes(cls: type, name: str) -> bool:
    """Return whether the constructor of a layer takes an argument, or hands on those it has no name for."""
    parameters = signature_of(cls.__init__).parameters  # type: ignore[misc]
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


def _check_switches(cls: type, given: dict[str, Any], signature: inspect.Signature) -> None:
    """Raise ArgumentError for what is neither True nor False where the default is one of them, and arrays for words."""
    for name, value in given.items():
        if type(signature.parameters[name].default) is str and isinstance(value, np.ndarray) \
                and not name.endswith("_initializer"):
            raise ArgumentError(f"{cls.__name__}: expected {name} such as {signature.parameters[name].default!r}, "
                                f"got an array")
        if type(signature.parameters[name].default) is bool and not isinstance(value, (bool, np.bool_)) and (
                not is_integer(value) or value not in (0, 1)):
            raise ArgumentError(f"{cls.__name__}: expected {name} to be True or False, got {value!r}")


def refuse(who: Any, **not_offered: tuple[Any, Any]) -> None:
    """Raise for an argument of Keras's that has a value not offered here: name=(given, the only one offered)."""
    for name, (given, offered) in not_offered.items():
        if isinstance(given, np.ndarray) or given != offered:
            raise ArgumentError(f"{who}: {name}={given!r} is not offered; leave it at {offered!r}")


def first_shape(who: Any, input_shape: Any, input_dim: Any) -> tuple[int, ...] | None:
    """Return what a first layer was told of its input, or None."""
    if input_shape is None and input_dim is None:
        return None
    shape = (input_dim,) if input_shape is None else input_shape
    if not isinstance(shape, (tuple, list)) or not all(is_integer(n) for n in shape):
        raise ArgumentError(f"{type(who).__name__}: expected input_shape such as (28, 28, 1), or input_dim such as 8, "
                            f"got {shape if input_dim is None else input_dim!r}")
    return tuple(int(n) for n in shape)


def _of_input(cls: type, name: str, value: Any) -> str | None:
    """Return a sentence about the shape of the input, which Keras's layers once took, or None of another argument."""
    if name not in ("batch_input_shape", *_OF_INPUT):
        return None
    many = name == "batch_input_shape" and isinstance(value, (tuple, list))
    shape = value[1:] if many else (value,) if name == "input_dim" else value
    return f"{cls.__name__}: {name}={value!r} is not offered; begin the model with fastcnn.Input({shape})"


def _function(activation: Any) -> Any:
    """Return the function of a layer that was given as an activation; anything else as it is."""
    return getattr(activation, "function", activation) if callable(getattr(activation, "predict", None)) else activation


def plain(value: Any) -> Any:
    """Return an argument as JSON holds it; one that it cannot hold as it is."""
    if isinstance(value, (initializers.Initializer, regularizers.Regularizer)):
        return {"class_name": type(value).__name__, "config": plain(value.get_config())}
    if isinstance(value, constraints.Constraint):
        return plain(constraints.serialize(value))
    if isinstance(value, np.dtype) or (isinstance(value, type) and issubclass(value, (np.generic, float))):
        return np.dtype(value).name
    if callable(value) or isinstance(value, activations.Function):
        return activations.config_of(value) or value
    if isinstance(value, (np.generic, np.ndarray)):
        return plain(value.tolist())
    if isinstance(value, dict):
        return {key: plain(_function(one) if key == "activation" else one) for key, one in value.items()}
    return [plain(one) for one in value] if isinstance(value, (list, tuple)) else value
