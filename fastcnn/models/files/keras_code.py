"""Functions in Keras's files: by name, which is data, or as code of Python, which runs where the caller trusts it.

    {"class_name": "function", "module": "mine", "config": "scaled", "registered_name": "scaled"}
    {"class_name": "__lambda__", "config": {"code": "4wEAAAAA...", "defaults": null, "closure": null}}

The second is what Keras makes of ``lambda x: x ** 2``: bytes of the interpreter that wrote them, which no other version
of Python takes. They are read only where ``safe_mode=False`` says so.
"""

import base64
import binascii
import marshal
import types
from collections.abc import Callable
from typing import Any

from fastcnn import registry
from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError


def named(function: Any) -> dict[str, Any]:
    """Return the entry of a function by its name."""
    name = registry.get_registered_name(function)
    return {"module": function.__module__, "class_name": "function", "config": name, "registered_name": name}


def is_code(entry: Any) -> bool:
    """Return whether an entry holds code."""
    return isinstance(entry, dict) and entry.get("class_name") == "__lambda__"


def written(function: Any) -> dict[str, Any] | None:
    """Return the entry of a function of a Lambda layer: its name, its code where it has none, None for neither."""
    if not isinstance(function, types.FunctionType):
        return named(function) if hasattr(function, "__name__") and hasattr(function, "__module__") else None
    if function.__name__ != "<lambda>":
        return named(function)
    closure = [cell.cell_contents for cell in function.__closure__ or ()]
    if not all(isinstance(one, (str, int, float, bool, type(None))) for one in (
            *closure, *(function.__defaults__ or ()))):
        return None
    warn("a lambda is written to the file as code of this version of Python, which load_model runs with "
         "safe_mode=False alone; a function with a name, or a layer of your own, needs none")
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    return {"class_name": "__lambda__", "config": {
        "code": code, "defaults": None if function.__defaults__ is None else list(function.__defaults__),
        "closure": closure or None}}


def run(entry: dict[str, Any], names: dict[str, Any]) -> Callable[..., Any]:
    """Return the function of an entry with code.

    Parameters
    ----------
    entry : dict
    names : dict
        What the code may call by name.

    Raises
    ------
    ArgumentError
        If it is no code of this version of Python.
    """
    config = entry.get("config") or {}
    try:
        told = config["value"] if "value" in config else [config["code"], config.get("defaults"), config.get("closure")]
        text, defaults, closure = told
        code = marshal.loads(base64.decodebytes(text.encode("ascii")))
        cells = tuple(types.CellType(one) for one in closure or ())
        return types.FunctionType(code, names, code.co_name, None if defaults is None else tuple(defaults), cells)
    except (KeyError, TypeError, ValueError, EOFError, AttributeError, binascii.Error) as error:
        raise ArgumentError(f"a function as code that this version of Python cannot read ({error})") from None
