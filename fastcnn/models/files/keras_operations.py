"""Operations written for Keras: layers that it knows as operations alone, and primitives of `fastcnn.ops`."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn.geometry import tensor_shapes
from fastcnn.layers.operation import Operation
from fastcnn.models.files import keras_table
from fastcnn.models.files.keras_entries import Entries

_NUMPY, _CORE = "keras.src.ops.numpy", "keras.src.ops.core"


class Written(NamedTuple):
    """One of Keras's operations.

    Attributes
    ----------
    module, class_name : str
    config : dict
        Its own arguments.
    arguments : callable
        Tensors, as Keras's JSON has them -> the arguments of the call.
    """

    module: str
    class_name: str
    config: dict[str, Any]
    arguments: Callable[[list[Any]], list[Any]]


def written(entries: Entries, layer: Any) -> Written | None:
    """Return the operation that a layer is in Keras; None for a layer that is one there, or that Keras has not."""
    found = _of_layer(layer)
    if found is None and isinstance(layer, Operation):
        found = _of_primitive(layer)
        if found is None:
            entries.refuse(f'the operation {layer.operation} "{layer.name}"')
    if found is not None and entries.is_old:
        entries.refuse(f"{layer}, an operation, which .keras holds")
    return found


def _of_layer(layer: Any) -> Written | None:
    kind = type(layer).__name__
    if kind in keras_table.OPERATIONS:
        return Written(*keras_table.OPERATIONS[kind], {"decimals": 0} if kind == "Round" else {}, list)
    if kind == "Clip":
        bounds = (("x_min", layer.function.beta), ("x_max", layer.function.alpha))
        told = {name: float(one) for name, one in bounds if np.isfinite(one)}
        if len(told) == 2:
            return Written(_NUMPY, "Clip", told, list)
        return Written(_NUMPY, "Maximum" if "x_min" in told else "Minimum", {}, lambda xs: [*xs, *told.values()])
    if kind == "Power":
        return Written(_NUMPY, "Power", {}, lambda xs: [*xs, layer.exponent])
    return None


def _of_primitive(layer: Operation) -> Written | None:
    name, told = layer.operation, layer.arguments
    operands = [one if isinstance(one, str) else _constant(one) for one in layer.operands]

    def filled(tensors: Sequence[Any]) -> list[Any]:
        given = iter(tensors)
        return [next(given) if isinstance(one, str) else one for one in operands]

    if name in keras_table.PRIMITIVES:
        return Written(*keras_table.PRIMITIVES[name], {}, filled)
    if name in keras_table.BY_WORD:
        word = told.get("function") or told.get("how") or told.get("relation")
        if word not in keras_table.BY_WORD[name]:
            return None
        config = {key: told[key] for key in ("axis", "keepdims") if key in told}
        if word == "round":
            config = {"decimals": 0}
        return Written(*keras_table.BY_WORD[name][word], config, filled)
    if name == "cast":
        return Written(_CORE, "Cast", {"dtype": told["dtype"]}, filled)
    if name == "stop_gradient":
        return Written(_CORE, "StopGradient", {}, filled)
    if name == "concatenate":
        return Written(_NUMPY, "Concatenate", {"axis": told["axis"]}, lambda xs: [filled(xs)])
    if name == "transpose":
        return Written(_NUMPY, "Transpose", {"axes": told["axes"]}, filled)
    if name == "reshape":
        return Written(_NUMPY, "Reshape", {"newshape": [-1 if n is None else n for n in told["shape"]]}, filled)
    if name == "get_item":
        return Written(_NUMPY, "GetItem", {}, lambda xs: [*filled(xs), _key(told["part"])])
    return None


def _constant(value: np.ndarray) -> Any:
    if value.ndim:
        return {"class_name": "__numpy__", "config": {"value": value.tolist(), "dtype": value.dtype.name}}
    return value.item()


def _key(part: Sequence[Sequence[Any]]) -> list[Any]:
    """Return what brackets said as Keras writes it: a tuple becomes a list."""
    items: list[Any] = []
    for kind, *told in part:
        if kind == tensor_shapes.NEW:
            items.append(None)
        elif kind == tensor_shapes.PART:
            start, stop, step = told
            items.append({"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}})
        else:
            items.append(told[0])
    return items
