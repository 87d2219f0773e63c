"""What weights may be, with Keras's names: an optimizer brings them there after each of its steps."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastcnn import registry, unsupported
from fastcnn.constraints.base import Constraint, assign
from fastcnn.constraints.bounds import MaxNorm, MinMaxNorm, NonNeg, UnitNorm
from fastcnn.errors import ArgumentError, unknown

__all__ = ["Constraint", "MaxNorm", "MinMaxNorm", "NonNeg", "UnitNorm", "deserialize", "get", "max_norm",
           "min_max_norm", "non_neg", "serialize", "unit_norm"]

# Keras's other names of the classes.
max_norm, min_max_norm, non_neg, unit_norm = MaxNorm, MinMaxNorm, NonNeg, UnitNorm

_CLASSES: dict[str, type[Constraint]] = {c.__name__: c for c in (MaxNorm, MinMaxNorm, NonNeg, UnitNorm)}
_NAMES: dict[str, type[Constraint]] = _CLASSES | {
    "max_norm": MaxNorm, "min_max_norm": MinMaxNorm, "non_neg": NonNeg, "unit_norm": UnitNorm,
    "maxnorm": MaxNorm, "minmaxnorm": MinMaxNorm, "nonneg": NonNeg, "unitnorm": UnitNorm}


def get(identifier: Any) -> Any:
    """Return the constraint for a name ("max_norm"), a configuration, a class, or what is one itself; None for None.

    Parameters
    ----------
    identifier : str, dict, class, function or Constraint, or None
        A function is called with the value of a weight, an array, and returns the one that is kept.

    Raises
    ------
    ArgumentError
        If the name is not known.

    Examples
    --------
    >>> constraints.get("max_norm")
    MaxNorm(max_value=2, axis=0)
    """
    if isinstance(identifier, dict) and isinstance(identifier.get("class_name"), str):
        kind = _CLASSES.get(identifier["class_name"]) or _own(identifier["class_name"])
        if kind is not None:
            return kind.from_config(identifier.get("config", {}))
    if isinstance(identifier, str):
        kind = _NAMES.get(identifier) or _own(identifier)
        if kind is not None:
            return kind() if isinstance(kind, type) else kind
    if isinstance(identifier, type) and issubclass(identifier, Constraint):
        return identifier()
    if identifier is None or (callable(identifier) and not isinstance(identifier, type)):
        return identifier
    name = identifier.get("class_name", identifier) if isinstance(identifier, dict) else identifier
    raise ArgumentError(unknown("constraint", name, _NAMES))


def apply(constraint: Any, parameter: Any) -> None:
    """Let a parameter be what a constraint, or a function, makes of it.

    Parameters
    ----------
    constraint : Constraint, or function of an array
    parameter : Parameter
    """
    if isinstance(constraint, Constraint):
        constraint.apply(parameter)
    else:
        assign(constraint, parameter)


def serialize(constraint: Constraint) -> dict[str, Any]:
    """Return a configuration of a constraint, which `get` understands and JSON can hold.

    Parameters
    ----------
    constraint : Constraint

    Examples
    --------
    >>> constraints.serialize(constraints.UnitNorm())
    {'class_name': 'UnitNorm', 'config': {'axis': 0}}
    """
    return {"class_name": registry.get_registered_name(type(constraint)), "config": constraint.get_config()}


def deserialize(config: dict[str, Any], custom_objects: dict[str, Any] | None = None) -> Any:
    """Return the constraint that `serialize` wrote down.

    Parameters
    ----------
    config : dict
    custom_objects : dict, optional
        Your own classes by name.

    Examples
    --------
    >>> constraints.deserialize({"class_name": "UnitNorm", "config": {"axis": 1}})
    UnitNorm(axis=1)
    """
    with registry.custom_object_scope(custom_objects):
        return get(config)


def _own(name: str) -> Any:
    """Return a class or function of a user's own of a registered name, or None."""
    found: Callable[..., Any] | None = registry.get_registered_object(name) or registry.known_classes().get(name)
    return found


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("constraints")
