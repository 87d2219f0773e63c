"""Classes and functions of users by name, as Keras registers them: loading finds them without ``custom_objects=``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from fastcnn.errors import ArgumentError

_registered: dict[str, Any] = {}
_names: dict[Any, str] = {}
_scope: ContextVar[dict[str, Any] | None] = ContextVar("custom_objects", default=None)


def register_keras_serializable(package: str = "Custom", name: str | None = None) -> Callable[[Any], Any]:
    """Return a decorator that registers a class or a function, so that files and configurations may name it.

    Parameters
    ----------
    package : str
        What the name begins with: ``package>Name``.
    name : str, optional
        That of the class or function if absent.

    Raises
    ------
    ArgumentError
        If a class has no ``get_config``.

    Examples
    --------
    >>> @fc.saving.register_keras_serializable(package="mine")
    ... class Twice(layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x
    ...
    >>> fc.saving.get_registered_name(Twice)
    'mine>Twice'
    """
    def enter(found: Any) -> Any:
        registered = f"{package}>{name or found.__name__}"
        if isinstance(found, type) and not hasattr(found, "get_config"):
            raise ArgumentError(f"register_keras_serializable: expected a class with get_config, got "
                                f"{found.__name__}, which has none; write one that returns the constructor's arguments")
        _registered[registered] = found
        _names[found] = registered
        return found

    return enter


def get_registered_name(obj: Any) -> str:
    """Return the name under which a class or function is registered, else its own.

    Parameters
    ----------
    obj : class or function

    Examples
    --------
    >>> fc.saving.get_registered_name(layers.Dense)
    'Dense'
    """
    return _names.get(obj, obj.__name__)


def get_registered_object(name: str, custom_objects: dict[str, Any] | None = None,
                          module_objects: dict[str, Any] | None = None) -> Any:
    """Return the class or function of a registered name; None if there is none.

    Parameters
    ----------
    name : str
    custom_objects, module_objects : dict, optional
        Where else to look.

    Examples
    --------
    >>> fc.saving.get_registered_object("mine>Nothing") is None
    True
    """
    for known in (_scope.get(), _registered, custom_objects, module_objects):
        if known and name in known:
            return known[name]
    return None


def get_custom_objects() -> dict[str, Any]:
    """Return what is registered, by name: a dict that may be changed.

    Examples
    --------
    >>> fc.saving.get_custom_objects()["Mine"] = layers.Dense
    >>> fc.saving.get_registered_object("Mine") is layers.Dense
    True
    """
    return _registered


@contextmanager
def custom_object_scope(custom_objects: dict[str, Any] | None) -> Iterator[None]:
    """Let names mean classes and functions within a ``with`` statement.

    Parameters
    ----------
    custom_objects : dict, or None

    Examples
    --------
    >>> with fc.saving.custom_object_scope({"Mine": layers.Dense}):
    ...     fc.saving.get_registered_object("Mine").__name__
    'Dense'
    """
    before = _scope.set({**(_scope.get() or {}), **(custom_objects or {})})
    try:
        yield
    finally:
        _scope.reset(before)


CustomObjectScope = custom_object_scope


def known() -> dict[str, Any]:
    """Return what is registered or in the scope, by its name and by that of the class or function alone."""
    found = {**_registered, **(_scope.get() or {})}
    return {getattr(one, "__name__", name): one for name, one in found.items()} | found


def known_classes() -> dict[str, type]:
    """As `known`, of classes alone."""
    return {name: one for name, one in known().items() if isinstance(one, type)}
