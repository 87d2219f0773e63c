"""A model's structure as JSON can hold it, and back.

A functional model is a list of layers and a list of calls; a call names its layer and the calls whose outputs it
takes::

    layers  [{"class_name": "InputLayer", "config": {...}}, {"class_name": "Conv2D", ...}, ...]
    calls   [{"layer": "input_layer", "inputs": []}, {"layer": "conv2d", "inputs": [[0, 0]]}, ...]
    inputs  [[0, 0]]       outputs [[1, 0]]         each [call, which of its outputs]

Inside `layers`, an entry may be a model itself.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from fastcnn import layers, models
from fastcnn.errors import ArgumentError
from fastcnn.layers.input import InputLayer
from fastcnn.layers.symbolic import Tensor


def check_names(model: Any, found: Sequence[Any]) -> None:
    """Raise ArgumentError if two layers of a model have one name."""
    twice = [name for name, count in Counter(layer.name for layer in found).items() if count > 1]
    if twice:
        raise ArgumentError(f'{model}: expected layers with different names, got two "{twice[0]}"; '
                            f"give one of them another name=")


def entry(layer: Any) -> dict[str, Any]:
    """Return a layer, or a model inside a model, as JSON can hold it."""
    return {"class_name": type(layer).__name__, "config": layer.get_config()}


def of_model(model: Any, traced: Any, given_inputs: Any, given_outputs: Any) -> dict[str, Any]:
    """Return what `tensors` makes a model's tensors of again.

    Raises
    ------
    ArgumentError
        If the model begins between the layers of another.
    """
    strange = [t for t in traced.inputs if not isinstance(t.node.layer, InputLayer)]
    if strange:
        raise ArgumentError(f"{model}: expected inputs made by fc.Input, got the output of {strange[0].node.layer}; "
                            f"call its layers on an Input of their own to save them")
    calls = {id(t.node): at for at, t in enumerate(traced.inputs)}
    listed: list[dict[str, Any]] = [{"layer": t.node.layer.name, "inputs": []} for t in traced.inputs]
    place = lambda t: [calls[id(t.node)], t.index]
    for node in traced.nodes:
        calls[id(node)] = len(listed)
        told = {} if node.training is None else {"training": node.training}
        listed.append({"layer": node.layer.name, "inputs": [place(t) for t in node.inputs]} | told)
    names = lambda given, tensors: (
        dict(zip(given, map(place, tensors), strict=True)) if isinstance(given, dict) else list(map(place, tensors)))
    frozen = {} if model.trainable else {"trainable": False}
    return {"name": model.name, "layers": [entry(layer) for layer in traced.layers], "calls": listed,
            "inputs": names(given_inputs, traced.inputs), "outputs": names(given_outputs, traced.outputs)} | frozen


def tensors(config: dict[str, Any], custom_objects: dict[str, type], who: str) -> tuple[Any, Any]:
    """Make the layers of `of_model` and call them: return inputs and outputs as the model was given them.

    Raises
    ------
    ArgumentError
        If there are classes that are not known: all of them are named.
    """
    made = {layer.name: layer for layer in make_all(config["layers"], custom_objects, who)}
    done: list[tuple[Tensor, ...]] = []
    for call in config["calls"]:
        layer, inputs = made[call["layer"]], [done[at][which] for at, which in call["inputs"]]
        if isinstance(layer, InputLayer):
            done.append((layer.tensor(),))
            continue
        result = layer(inputs if layer.many_inputs else inputs[0], call.get("training"))
        done.append(result if isinstance(result, tuple) else (result,))
    pick = lambda given: ({name: done[at][which] for name, (at, which) in given.items()} if isinstance(given, dict)
                          else _one([done[at][which] for at, which in given]))
    return pick(config["inputs"]), pick(config["outputs"])


def make_all(entries: Sequence[dict[str, Any]], custom_objects: dict[str, type], who: str) -> list[Any]:
    """Make layers from entries; classes are found in `custom_objects`, then among the layers and models of fastcnn.

    Raises
    ------
    ArgumentError
        If there are classes that are not known: all of them are named.
    """
    known = classes(custom_objects)
    strange = sorted(unknown_classes(entries, custom_objects))
    if strange:
        raise ArgumentError(f"{who}.from_config: expected layers of fastcnn or of custom_objects, "
                            f"got {', '.join(strange)}")
    return [_made(known[one["class_name"]], one["config"], custom_objects) for one in entries]


def unknown_classes(entries: Sequence[dict[str, Any]], custom_objects: dict[str, type]) -> set[str]:
    """Return the names of classes that nobody knows, in models inside models too."""
    known = classes(custom_objects)
    found = {one["class_name"] for one in entries} - set(known)
    for one in entries:
        inner = one["config"].get("layers") if isinstance(one["config"], dict) else None
        if isinstance(inner, list):
            found |= unknown_classes(inner, custom_objects)
    return found


def classes(custom_objects: dict[str, type]) -> dict[str, Any]:
    """Return the classes that a structure may name."""
    rooms = {name: getattr(room, name) for room in (layers, models) for name in room.__all__}
    known = {name: it for name, it in rooms.items() if isinstance(it, type) and issubclass(it, layers.Layer)}
    return known | {"Input": InputLayer} | custom_objects  # "Input" in files of version 0.1


def _made(cls: Any, config: dict[str, Any], custom_objects: dict[str, type]) -> Any:
    if issubclass(cls, models.Model):
        return cls.from_config(config, custom_objects=custom_objects)
    return cls.from_config(config)


def _one(found: list[Tensor]) -> Any:
    return found[0] if len(found) == 1 else found
