"""Optimizers by their names, and as configurations that JSON can hold."""

from collections.abc import Callable
from typing import Any

from fastcnn.errors import ArgumentError, unknown
from fastcnn.optimizers.adafactor import Adafactor
from fastcnn.optimizers.adam_family import Adamax, Lamb, Lion, Nadam, ScheduleFreeAdamW
from fastcnn.optimizers.adaptive import Adadelta, Adagrad, Ftrl, RMSprop
from fastcnn.optimizers.base import Optimizer
from fastcnn.optimizers.descent import SGD, Adam, AdamW
from fastcnn.optimizers.muon import Muon

_CLASSES: dict[str, type[Optimizer]] = {c.__name__: c for c in (
    SGD, Adam, AdamW, Adagrad, Adadelta, RMSprop, Nadam, Adamax, Lion, Ftrl, Lamb, Adafactor, Muon, ScheduleFreeAdamW)}
_BY_CLASS = {name.lower(): kind for name, kind in _CLASSES.items()}  # Keras's older files have them in small letters
_NAMES: dict[str, Callable[..., Optimizer]] = {
    "sgd": SGD,
    "momentum": lambda learning_rate=0.01, **named: SGD(learning_rate, momentum=0.9, **named),
    "nesterov": lambda learning_rate=0.01, **named: SGD(learning_rate, momentum=0.9, nesterov=True, **named),
    "adam": Adam,
}
_NAMES |= {name.lower(): kind for name, kind in _CLASSES.items()}

#: The names that `get` and the command line take; "momentum" and "nesterov" are SGD with a momentum of 0.9.
names = tuple(_NAMES)


def enter(cls: type[Optimizer]) -> type[Optimizer]:
    """Let configurations name a class that is made of other optimizers; a decorator.

    Parameters
    ----------
    cls : type
    """
    _BY_CLASS[cls.__name__.lower()] = cls
    return cls


def get(optimizer: str | dict | Optimizer, **arguments: Any) -> Optimizer:
    """Return the optimizer for a name or a configuration, or an optimizer itself.

    Parameters
    ----------
    optimizer : str, dict or Optimizer
        A name such as "adam"; a configuration as `serialize` makes it.
    **arguments
        Of a new one, such as learning_rate.

    Raises
    ------
    ArgumentError
        If the name is not known.

    Examples
    --------
    >>> optimizers.get("adam", learning_rate=0.01).learning_rate
    0.01
    """
    if isinstance(optimizer, Optimizer):
        return optimizer
    if isinstance(optimizer, dict) and str(optimizer.get("class_name")).lower() in _BY_CLASS:
        return _BY_CLASS[optimizer["class_name"].lower()].from_config(optimizer.get("config", {}) | arguments)
    if isinstance(optimizer, str) and optimizer.lower() in _NAMES:
        return _NAMES[optimizer.lower()](**arguments)
    if isinstance(optimizer, type) and issubclass(optimizer, Optimizer):
        raise ArgumentError(f"optimizer: expected an instance, got the class {optimizer.__name__}; "
                            f"write {optimizer.__name__}()")
    raise ArgumentError(unknown("optimizer", optimizer, _NAMES))


def serialize(optimizer: Optimizer) -> dict[str, Any]:
    """Return a configuration of an optimizer, which `get` understands and JSON can hold.

    Parameters
    ----------
    optimizer : Optimizer

    Examples
    --------
    >>> optimizers.serialize(optimizers.SGD(0.1))["config"]["learning_rate"]
    0.1
    """
    return {"class_name": type(optimizer).__name__, "config": optimizer.get_config()}


def deserialize(config: dict[str, Any], custom_objects: dict[str, type[Optimizer]] | None = None) -> Optimizer:
    """Return the optimizer that `serialize` wrote down.

    Parameters
    ----------
    config : dict
    custom_objects : dict, optional
        Your own classes by name.

    Examples
    --------
    >>> optimizers.deserialize(optimizers.serialize(optimizers.SGD(0.1))).learning_rate
    0.1
    """
    own = (custom_objects or {}).get(config.get("class_name", "")) if isinstance(config, dict) else None
    return get(config) if own is None else own.from_config(config.get("config", {}))
