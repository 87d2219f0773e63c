"""The layers that a layer of a user's own holds: in its attributes, and in lists, tuples and dicts of them.

They are found when they are asked for, in the order of the attributes, and their place is told as a path::

    self.conv = Conv2D(8, 3)                    conv
    self.branches = [Conv2D(8, 1), ReLU()]      branches/0, branches/1
    self.heads = {"mask": Conv2D(1, 1)}         heads/mask

The layers of fastcnn itself are not asked: twins and fused nodes own what they hold.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.parameters import Parameter

#: Attributes that are the layer's own: its arguments may be layers, its nodes name it.
_KNOWN = frozenset(("_arguments", "_original", "nodes", "parameters", "_layers", "_gradient_graphs", "_twins"))
_NO_USER_S = ("fastcnn", "numpy", "builtins")


def direct(layer: Any, base: type) -> dict[str, Any]:
    """Return the layers that a layer holds, each once, by the first of their paths.

    Parameters
    ----------
    layer : Layer
    base : type
        What is a layer: `Weights`, which this room's other files have from `fastcnn.layers.weights`.
    """
    found: dict[int, tuple[str, Any]] = {}
    for attribute, value in vars(layer).items():
        if attribute not in _KNOWN and isinstance(value, (list, tuple, dict, base)):
            for path, one in _within(attribute, value, ()):
                if isinstance(one, base):
                    found.setdefault(id(one), (path, one))
    return dict(found.values())


def attributes(layer: Any) -> dict[str, Any]:
    """Return the attributes of a layer that may hold layers, with the layers, lists, tuples and dicts that they are."""
    return {name: value for name, value in vars(layer).items()
            if name not in _KNOWN and (isinstance(value, (list, tuple, dict)) or hasattr(value, "holds_layers"))}


def swapped(value: Any, others: dict[int, Any]) -> Any:
    """Return an attribute's value with other layers in the places of those it holds, by identity."""
    if id(value) in others:
        return others[id(value)]
    if isinstance(value, dict):
        return type(value)((key, swapped(one, others)) for key, one in value.items())
    if isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*(swapped(one, others) for one in value))
    return type(value)(swapped(one, others) for one in value) if isinstance(value, (list, tuple)) else value


def all_within(layer: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[str, Any]]:
    """Yield the layers that a layer holds, those that they hold, and so on, with their paths.

    One that several hold comes several times.

    Raises
    ------
    ArgumentError
        If a layer holds itself.
    """
    for path, one in layer.held_layers().items():
        if one is layer or any(one is other for other in above):
            raise ArgumentError(f"{layer}: expected no layer that holds itself, got {path} ({one}); keep what lies "
                                f"above a layer out of its attributes")
        yield path, one
        yield from ((f"{path}/{inner}", other) for inner, other in all_within(one, (*above, layer)))


def frozen(layer: Any) -> list[int]:
    """Return which of the layers within a layer, in the order of `all_within`, are not trainable."""
    return [k for k, (_, one) in enumerate(all_within(layer)) if not one.trainable]


def freeze(layer: Any, which: Sequence[int]) -> None:
    """Let some of the layers within a layer be not trainable: once it is built, and holds them all.

    What they hold is told for itself.
    """
    if not layer.built:
        layer._frozen_within = which
        return
    for k, (_, one) in enumerate(all_within(layer)):
        if k in which:
            one._trainable = False


def check(layer: Any, base: type) -> None:
    """Raise ArgumentError if a layer of a user's own holds what nobody would count, train or save.

    Parameters
    ----------
    layer : Layer
    base : type
        As of `direct`.
    """
    if not layer.holds_layers:
        return
    own = set(map(id, layer.parameters))
    for attribute, value in vars(layer).items():
        for path, one in () if attribute in _KNOWN else _within(attribute, value, ()):
            if isinstance(one, Parameter) and id(one) not in own:
                raise ArgumentError(f"{layer}: expected parameters that it made itself, got {path} "
                                    f'("{one.path}"), which nobody would train or save; make it in create_weights, '
                                    f"with self.add_weight(name, shape, initializer)")
            hidden = next((inner for inner in _hidden(one, base) if _may_have_weights(inner)), None)
            if hidden is not None:
                raise ArgumentError(f"{layer}: expected layers in attributes, lists, tuples and dicts, got {hidden} in "
                                    f"{path}, a {type(one).__name__}, where nobody would train or save it")
    for _, one in all_within(layer):
        if one.activity_regularizer is not None and not layer.has_call:
            raise ArgumentError(f"{layer}: expected no activity_regularizer in a layer that it runs itself, got {one}, "
                                f"whose penalty nobody would add; give {type(layer).__name__} one, or write call(self, "
                                f"x), which puts layers together, in the place of forward")


def check_built(layer: Any) -> None:
    """Raise ArgumentError if a layer that was built holds one that is not, though it will make weights."""
    for path, one in layer.held_layers().items():
        if not one.built and _may_have_weights(one):
            if layer.has_call:
                raise ArgumentError(f"{layer}: expected call to apply every layer that it holds, got {path} ({one}), "
                                    f"which it does not; leave it out")
            raise ArgumentError(f"{layer}: expected its layers to be built with it, got {path} ({one}), whose weights "
                                f"nobody would train or save; build it in create_weights(self, input_shape), or write "
                                f"call(self, x), which puts layers together, in the place of forward")


def _within(path: str, value: Any, above: tuple[int, ...]) -> Iterator[tuple[str, Any]]:
    """Yield what lists, tuples and dicts hold, or the value itself, each with its path."""
    if not isinstance(value, (list, tuple, dict)):
        yield path, value
    elif id(value) not in above:
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from _within(f"{path}/{key}", one, (*above, id(value)))


def _hidden(value: Any, base: type) -> Iterator[Any]:
    """Yield the layers in a set, or in the attributes of a user's object that is no layer."""
    if isinstance(value, (set, frozenset)):
        inside: Any = value
    elif isinstance(value, (base, type)) or type(value).__module__.partition(".")[0] in _NO_USER_S:
        return
    else:
        inside = getattr(value, "__dict__", {}).values()
    yield from (one for each in inside for _, one in _within("", each, ()) if isinstance(one, base))


def _may_have_weights(layer: Any) -> bool:
    """Return whether a layer has weights, may make some when it is built, or adds a penalty to the loss."""
    return bool(layer.weights or layer.activity_regularizer is not None or layer.makes_weights or any(
        map(_may_have_weights, layer.held_layers().values())))
