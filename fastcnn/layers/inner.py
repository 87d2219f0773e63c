"""What a layer of a user's own may not hold yet: layers with weights, and parameters that it did not make itself.

Nobody would count, train or save them, without a word. The layers of fastcnn that hold others (fused nodes, twins) own
their parameters and are not asked. Once layers may hold layers, this file is where that begins.
"""

from collections.abc import Iterator
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.parameters import Parameter

_KNOWN = ("_arguments", "_original", "nodes", "parameters")


def refuse(layer: Any, base: type) -> None:
    """Raise ArgumentError if a layer of a user's own holds what would be lost.

    Parameters
    ----------
    layer : Layer
    base : type
        `Layer`, which this room's other files have from `fastcnn.layers.base`.
    """
    if type(layer).__module__.partition(".")[0] == "fastcnn":
        return
    own = set(map(id, layer.parameters))
    for attribute, value in vars(layer).items():
        for one in () if attribute in _KNOWN else _within(value, set()):
            if isinstance(one, Parameter) and id(one) not in own:
                raise ArgumentError(f"{layer}: expected parameters that it made itself, got {attribute} "
                                    f'("{one.path}"), which nobody would train or save; make it in create_weights, '
                                    f"with self.add_weight(name, shape, initializer)")
            if isinstance(one, base) and one is not layer and _has_weights(one, base):
                raise ArgumentError(f"{layer}: expected no layers with weights in a layer, got {attribute} ({one}), "
                                    f"which nobody would train or save; write a function that applies the layers to "
                                    f"tensors, for fc.Model(inputs, outputs), or make an fc.Model of them")


def _within(value: Any, seen: set[int]) -> Iterator[Any]:
    """Yield what lists, tuples, sets and dicts hold, or the value itself."""
    if not isinstance(value, (list, tuple, set, frozenset, dict)):
        yield value
    elif id(value) not in seen:
        seen.add(id(value))
        for one in value.values() if isinstance(value, dict) else value:
            yield from _within(one, seen)


def _has_weights(layer: Any, base: Any) -> bool:
    """Return whether a layer has weights, may make some when it is built, or adds a penalty to the loss."""
    return bool(layer.parameters or layer.activity_regularizer is not None
                or type(layer).create_weights is not base.create_weights
                or type(layer).weights is not base.weights)  # a model's are those of its layers
