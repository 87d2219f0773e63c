"""A model's structure as JSON can hold it, and back.

A functional model is a list of layers and a list of calls; a call names its layer and the calls whose outputs it
takes::

    layers  [{"class_name": "InputLayer", "config": {...}}, {"class_name": "Conv2D", ...}, ...]
    calls   [{"layer": "input_layer", "inputs": []}, {"layer": "conv2d", "inputs": [[0, 0]]}, ...]
    inputs  [[0, 0]]       outputs [[1, 0]]         each [call, which of its outputs]

Inside `layers`, an entry may be a model itself. A layer that several models share is written where it is met first;
there and in the other places its entry has a number in common, ``"shared": 0``.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from fastcnn import dtype_policies, layers, registry
from fastcnn.errors import ArgumentError
from fastcnn.layers import held_layers
from fastcnn.layers.input import InputLayer
from fastcnn.layers.operation import Operation
from fastcnn.models import operation_calls
from fastcnn.models.structure import Structure
from fastcnn.symbolic import Tensor


def check_names(model: Any, found: Sequence[Any]) -> None:
    """Raise ArgumentError if two layers of a model have one name."""
    twice = [name for name, count in Counter(layer.name for layer in found).items() if count > 1]
    if twice:
        raise ArgumentError(f'{model}: expected layers with different names, got two "{twice[0]}"; '
                            f"give one of them another name=")


def check_name(model: Any, found: Sequence[Any], layer: Any) -> None:
    """Raise ArgumentError if a layer's name is that of one before it."""
    if any(other.name == layer.name for other in found):
        check_names(model, [*found, layer])


#: The models that a structure may name. Each enters itself with `enter`: here they could not be imported, since they
#: are written and read by what is here.
kinds: dict[str, type] = {}


def enter(cls: type) -> type:
    """Let structures name a class of models; a decorator."""
    kinds[cls.__name__] = cls
    return cls


#: The key of an argument's entry, where an argument is a layer.
LAYER = "layer of its own"

#: What the outermost model has written, by identity, or made, by number, and models inside it use again.
_written: ContextVar[dict[int, dict[str, Any]] | None] = ContextVar("written", default=None)
_read: ContextVar[dict[int, Any] | None] = ContextVar("read", default=None)


@contextmanager
def _common(table: ContextVar[dict[int, Any] | None]) -> Iterator[dict[int, Any]]:
    """Give the table of the outermost model."""
    known = table.get()
    if known is not None:
        yield known
        return
    known = {}
    token = table.set(known)
    try:
        yield known
    finally:
        table.reset(token)


def entries(found: Sequence[Any]) -> list[dict[str, Any]]:
    """Return layers, or models inside a model, as JSON can hold them."""
    with _common(_written) as written:
        return [_entry(layer, written) for layer in found]


def _entry(layer: Any, written: dict[int, dict[str, Any]]) -> dict[str, Any]:
    first = written.get(id(layer.original))
    if first is not None:
        number = first.setdefault("shared", sum("shared" in one for one in written.values()))
        return {"class_name": first["class_name"], "config": {}, "shared": number}
    one = written[id(layer.original)] = {"class_name": type(layer).__name__, "config": {}}
    config = layer.get_config()
    one["config"] = without_layers(config) if layer.has_call or not layer.is_composite else config
    if layer.holds_layers and (frozen := held_layers.frozen(layer)):
        one["frozen"] = frozen
    return one


def without_layers(config: Any) -> Any:
    """Return the configuration of a layer whose arguments may be layers with entries in their places."""
    if isinstance(config, layers.Layer):
        return {LAYER: entries([config])[0]}
    if isinstance(config, dict):
        return {key: without_layers(one) for key, one in config.items()}
    return [without_layers(one) for one in config] if isinstance(config, (list, tuple)) else config


def with_layers(config: Any, custom_objects: dict[str, type]) -> Any:
    """Return what `without_layers` was given, with new layers."""
    if isinstance(config, dict):
        if config.keys() == {LAYER}:
            return make_all([config[LAYER]], custom_objects, "Layer")[0]
        return {key: with_layers(one, custom_objects) for key, one in config.items()}
    return [with_layers(one, custom_objects) for one in config] if isinstance(config, list) else config


def _entries_within(config: Any) -> Iterator[dict[str, Any]]:
    """Yield the entries of layers that are arguments."""
    if isinstance(config, dict) and config.keys() == {LAYER}:
        yield config[LAYER]
    elif isinstance(config, (dict, list)):
        for one in config.values() if isinstance(config, dict) else config:
            yield from _entries_within(one)


def of_model(model: Any, structure: Structure) -> dict[str, Any]:
    """Return what `tensors` makes a model's tensors of again.

    Raises
    ------
    ArgumentError
        If the model begins between the layers of another.
    """
    traced = structure.traced
    strange = [t for t in traced.inputs if not isinstance(t.node.layer, InputLayer)]
    if strange:
        raise ArgumentError(f"{model}: expected inputs made by fc.Input, got the output of {strange[0].node.layer}; "
                            f"call its layers on an Input of their own to save them")
    calls = {id(t.node): at for at, t in enumerate(traced.inputs)}
    listed: list[dict[str, Any]] = [{"layer": t.node.layer.name, "inputs": []} for t in traced.inputs]

    def place(tensor: Tensor) -> list[int]:
        return [calls[id(tensor.node)], tensor.index]

    def named(given: Any, found: Sequence[Tensor]) -> Any:
        places = list(map(place, found))
        return dict(zip(given, places, strict=True)) if isinstance(given, dict) else places

    for node in traced.nodes:
        calls[id(node)] = len(listed)
        told = {} if node.training is None else {"training": node.training}
        listed.append({"layer": node.layer.name, "inputs": [place(t) for t in node.inputs]} | told)
    frozen = {} if model.trainable else {"trainable": False}
    return {"name": model.name, "layers": entries(traced.layers), "calls": listed,
            "inputs": named(structure.given_inputs, traced.inputs),
            "outputs": named(structure.given_outputs, traced.outputs)} | frozen


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
        if "operation" in call:
            done.append(operation_calls.called(call, done))
            continue
        layer, inputs = made[call["layer"]], [done[at][which] for at, which in call["inputs"]]
        if isinstance(layer, InputLayer):
            done.append((layer.tensor(),))
            continue
        layer(inputs if layer.many_inputs else inputs[0], call.get("training"))
        done.append(layer.nodes[-1].outputs)

    def pick(given: Any) -> Any:
        if isinstance(given, dict):
            return {name: done[at][which] for name, (at, which) in given.items()}
        return _one([done[at][which] for at, which in given])

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
    with _common(_read) as made, registry.custom_object_scope(custom_objects):  # for layers that are arguments
        return [_made(known[one["class_name"]], one, custom_objects, made) for one in entries]


def unknown_classes(entries: Sequence[dict[str, Any]], custom_objects: dict[str, type]) -> set[str]:
    """Return the names of classes that nobody knows, in models inside models too."""
    known = classes(custom_objects)
    found = {one["class_name"] for one in entries} - set(known)
    for one in entries:
        inner = one["config"].get("layers") if isinstance(one["config"], dict) else None
        within = [*(inner if isinstance(inner, list) else ()), *_entries_within(one["config"])]
        if within:
            found |= unknown_classes(within, custom_objects)
    return found


def classes(custom_objects: dict[str, type]) -> dict[str, Any]:
    """Return the classes that a structure may name."""
    ours = {name: getattr(layers, name) for name in layers.__all__}
    known = {name: it for name, it in ours.items() if isinstance(it, type) and issubclass(it, layers.Layer)}
    known["Operation"] = Operation
    known |= kinds | {"Input": InputLayer}  # "Input" in files of version 0.1
    return known | registry.known_classes() | custom_objects


def as_trainable(model: Any, config: dict[str, Any]) -> Any:
    """Return a model with `trainable` as its structure says: that of its layers stays what theirs says."""
    model._trainable = config.get("trainable", True) is not False
    return model


@contextmanager
def reading(who: str) -> Iterator[None]:
    """Tell in one sentence what a structure that was damaged does to who reads it."""
    try:
        with dtype_policies.as_written():
            yield
    except ArgumentError:
        raise
    except Exception as error:  # a structure may hold anything, and by it reach any line of the layers
        raise ArgumentError(f"{who}.from_config: expected a structure as get_config returns it, got one that cannot "
                            f"be built ({type(error).__name__}: {error})") from error


def _made(cls: Any, one: dict[str, Any], custom_objects: dict[str, type], made: dict[int, Any]) -> Any:
    number = one.get("shared")
    if number in made:
        return made[number]
    more = {"custom_objects": custom_objects} if issubclass(cls, tuple(kinds.values())) and not cls.has_call else {}
    layer = cls.from_config(with_layers(one["config"], custom_objects), **more)
    held_layers.freeze(layer, one.get("frozen", ()))
    if number is not None:
        made[number] = layer
    return layer


def _one(found: list[Tensor]) -> Any:
    return found[0] if len(found) == 1 else found
