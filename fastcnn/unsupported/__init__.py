"""Names and arguments of Keras 3 that fastcnn does not offer: the error for each says what there is instead.

A name that is missing stays an AttributeError, so that ``hasattr`` answers, an unknown argument stays a TypeError, and
``from fastcnn.layers import LSTM`` an ImportError; what they say comes from the tables of this package. Those are read
when something is missing, and cost nothing before.
"""

import functools
import importlib
import inspect
import opcode
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from fastcnn.errors import MissingError, UnknownArgumentError, unknown

_IMPORT_FROM = opcode.opmap["IMPORT_FROM"]


def names_of(room: str) -> Callable[[str], Any]:
    """Return the ``__getattr__`` of a room of fastcnn, such as "layers"; "" is fastcnn itself."""
    module = f"fastcnn.{room}".rstrip(".")

    def missing(name: str) -> Any:
        instead = table("names", room or "fastcnn").get(name)
        if instead is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}", name=name, obj=sys.modules[module])
        text = f"{module}.{name} is not offered; {instead}"
        caller: Any = sys._getframe(1)
        if caller.f_code.co_name == "__getattr__":  # fastcnn's own, which is asked first
            caller = caller.f_back
        # Python throws away what an AttributeError says where a name is imported, and asks no more of an ImportError.
        if caller.f_code.co_code[caller.f_lasti] == _IMPORT_FROM:
            raise ImportError(text, name=module)
        raise MissingError(text)

    return missing


@functools.cache
def table(file: str, room: str) -> dict[str, str]:
    """Return what there is instead of the names of a room, or of the attributes or arguments of a kind of object."""
    rows = getattr(importlib.import_module(f"fastcnn.unsupported.{file}"), room.upper(), {})
    return {name: instead for instead, names in rows.items() for name in names.split()}


def attribute(who: Any, kind: str, name: str) -> AttributeError:
    """Return the error for an attribute that an object does not have; `kind` names a table in `attributes.py`."""
    instead = None if name.startswith("_") else table("attributes", kind).get(name)
    if instead is None:
        return AttributeError(f"{type(who).__name__!r} object has no attribute {name!r}", name=name, obj=who)
    speaker = str(who) if kind == "layer" and "name" in vars(who) else type(who).__name__
    return MissingError(f"{speaker}: {name} is not offered; {instead}")


def argument(cls: type, name: str, value: Any, known: Any) -> TypeError:
    """Return the error for an argument that a constructor does not know."""
    instead = table("arguments", "arguments").get(name)
    if instead is None:
        return UnknownArgumentError(unknown(f"{cls.__name__}: argument", name, known))
    return UnknownArgumentError(f"{cls.__name__}: {name}={value!r} is not offered; {instead}")


@functools.cache
def _arguments_of(cls: type) -> tuple[str, ...] | None:
    """Return the names of a constructor's arguments, those it hands on too; None if it may take any."""
    found: list[str] = []
    for kind in cls.__mro__:
        if "__init__" not in vars(kind):
            continue
        parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]  # type: ignore[misc]
        found += [p.name for p in parameters if p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)]
        if not any(p.kind is p.VAR_KEYWORD for p in parameters):
            return tuple(dict.fromkeys(found))
        if not kind.__module__.startswith("fastcnn.") or vars(kind).get("any_arguments"):
            return None  # what becomes of them is its own affair
    return None


def takes(cls: type, name: str) -> bool:
    """Return whether a constructor takes an argument, or may take any."""
    known = _arguments_of(cls)
    return known is None or name in known


class ExplainsUnsupported:
    """A base of classes of which Keras's have more arguments and attributes."""

    #: The table of its attributes, in `fastcnn.unsupported.attributes`.
    unsupported = ""

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        if kwargs:
            kind: Any = cls
            known = _arguments_of(kind)
            for name, value in kwargs.items():
                if known is not None and name not in known:
                    raise argument(cls, name, value, known)
        return super().__new__(cls)

    if not TYPE_CHECKING:  # else type checkers would believe in any attribute

        def __getattr__(self, name: str) -> Any:
            raise attribute(self, self.unsupported, name)


class _Missing:
    """An attribute that raises what `attribute` returns."""

    def __init__(self, kind: str, name: str) -> None:
        self.kind, self.name = kind, name

    def __get__(self, instance: Any, owner: type) -> Any:
        raise attribute(owner if instance is None else instance, self.kind, self.name)


def explain_unsupported(kind: str) -> Callable[[type], type]:
    """Return a decorator of classes whose objects say what there is instead of the attributes in a table.

    It is for objects that every step asks: the ``__getattr__`` of `ExplainsUnsupported` would make each of their
    attributes take twice as long.
    """
    def enter(cls: type) -> type:
        for name in table("attributes", kind):
            setattr(cls, name, _Missing(kind, name))
        return cls

    return enter
