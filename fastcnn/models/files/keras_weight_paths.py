"""Where Keras 3, and 2.12 to 2.15 in its format, put the weights of a layer.

The place is a class and a count, not a name, since names differ from run to run::

    layers/conv2d                               the first Conv2D in model.layers
    layers/conv2d_1                             the second
    layers/functional/layers/dense              the first Dense in the first model in the model
    layers/block/conv                           what a layer of one's own holds, by the names of its attributes
    layers/block/branches/conv2d                in a list, tuple or dict by class and count again

    _layer_checkpoint_dependencies/conv2d       the same in Keras 2.12 to 2.14

A layer that is met again, in another model, has no second place; some versions count it all the same. Where the counts
do not lead to groups, the groups are tried as names of the layers themselves: their own, or automatic ones, which
number the layers of a class in the order in which they were made, conv2d_7, conv2d_8.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from fastcnn.auto_names import snake_case
from fastcnn.formats.hdf5 import Tree
from fastcnn.layers import Layer, held_layers
from fastcnn.layers.operation import Operation
from fastcnn.models.files import keras_table
from fastcnn.models.network import Network
from fastcnn.parameters import Parameter

_FOLDERS = ("layers", "_layer_checkpoint_dependencies")


class Place(NamedTuple):
    """The group of a layer, or of a model; what layers within have is at places of their own."""

    path: str
    layer: Any

    @property
    def variables(self) -> str:
        """The path of the group that holds its arrays."""
        return f"{self.path}/vars" if self.path else "vars"

    @property
    def parameters(self) -> list[Parameter]:
        """What is kept there, in its order."""
        if isinstance(self.layer, Network) and not self.layer.has_call:
            return []
        own = [p for p in self.layer.parameters if p.trainable]
        if type(self.layer).__name__ in keras_table.KEEPS_THE_KERNEL:
            own = [self.layer.layer.kernel, *own]
        return own + [p for p in self.layer.parameters if not p.trainable]


def written_places(model: Any) -> Iterator[Place]:
    """Yield the place of a model, and those of each layer in it, once, as Keras 3.15 writes them."""
    yield Place("", model)
    yield from _walk(None, model, "", _counted, {id(model.original)})


def places(tree: Tree, model: Any) -> list[Place]:
    """Return the place of each layer of a model and of models inside, once."""
    if _folder(tree, "") is None and not model.has_call:
        tree.fault("an HDF5 file without layers", "write it with keras_model.save_weights")
    ways = [[Place("", model), *_walk(tree, model, "", way, {id(model.original)})] for way in _WAYS]
    return next((way for way in ways if _all_there(tree, way)), ways[0])


def strange_places(tree: Tree, model: Any, used: set[str]) -> list[str]:
    """Tell what a file has and a model lacks, beside the states of random numbers and of optimizers."""
    others: Counter[str] = Counter()
    folder = "" if model.has_call else _folder(tree, "") or ""

    def visit(name: str, thing: Any) -> None:
        place, vars_, _ = f"{folder}/{name}".lstrip("/").rpartition("/vars/")
        if isinstance(thing, tree.h5py.Dataset) and vars_ and place not in used and not _is_state(place):
            others[place] += 1

    (tree.group(tree.root, folder) if folder else tree.root).visititems(visit)  # hard links alone, each object once
    strange = [f"{count} weights in {place}, which the model lacks" for place, count in others.items()]
    # Of layers without weights only this one changes what comes out, and Keras's EfficientNets have it or not.
    names = tree.root[folder] if folder else ()
    scaled = [f"{folder}/{name}" for name in names if re.fullmatch(r"rescaling_\d+", name)]
    return strange + [f"{place}, which the model lacks (an EfficientNet needs imagenet_rescaling=True)"
                      for place in scaled if place not in used]


def _is_state(place: str) -> bool:
    return "seed_generator" in place or place == "optimizer"


def named_places(tree: Tree, model: Any, path: str = "") -> tuple[list[Place], list[str]]:
    """Return the places of the layers that have one name in the file and in the model, and all names of the file."""
    folder = _folder(tree, path)
    group = None if folder is None else tree.group(tree.root, folder)
    names: dict[str, str] = {}
    for child in group or ():
        variables = tree.group(group, f"{child}/vars")
        name = None if variables is None else tree.text(variables, "name")
        if name is not None:
            names[name] = f"{folder}/{child}"
    if group and not names:
        tree.fault("layers without names, as older versions of Keras write them",
                   "leave by_name away, where the order counts, or let Keras write the whole model as .h5")
    found: list[Place] = []
    for layer in model.layers:
        if layer.name not in names or not layer.weights:
            continue
        if isinstance(layer, Network) and not layer.has_call:
            found += named_places(tree, layer, names[layer.name])[0]
        else:
            place = Place(names[layer.name], layer)
            found += [place, *_walk(tree, layer, place.path, _counted, {id(layer.original)})]
    return found, list(names)


def _walk(tree: Tree | None, model: Any, path: str, way: Any, seen: set[int]) -> Iterator[Place]:
    """Yield the places of what a model, or a layer of one's own, has within."""
    if isinstance(model, Network) and not model.has_call:
        folder = (None if tree is None else _folder(tree, path)) or f"{path}/layers".lstrip("/")
        named = way(tree, folder, _listed(model), seen)
        found: Iterator[tuple[str, Any]] = ((f"{folder}/{name}", layer) for layer, name in named)
    else:
        found = _within(model, path)
    for place, layer in found:
        if id(layer.original) in seen:
            continue
        seen.add(id(layer.original))
        yield Place(place, layer)
        yield from _walk(tree, layer, place, way, seen)


def _listed(model: Any) -> list[Any]:
    """Return the layers that Keras counts: its operations are none."""
    return [one for one in model.layers if not isinstance(one, Operation)
            and type(one).__name__ not in keras_table.OPERATIONS]


def _within(layer: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield places of the layers that a layer of one's own holds, by its attributes; those with _ come last."""
    attributes = held_layers.attributes(layer) if layer.holds_layers or layer.has_call else {}
    if isinstance(layer, Network):  # its list of layers is an attribute, too
        attributes["layers"] = layer.layers
    for name in sorted(attributes, key=lambda name: f"~{name}" if name.startswith("_") else name):
        yield from _of_attribute(attributes[name], f"{path}/{name}".lstrip("/"))


def _of_attribute(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Layer):
        yield path, value
    elif isinstance(value, (list, tuple, dict)):
        counts: Counter[str] = Counter()
        for one in value.values() if isinstance(value, dict) else value:
            if not isinstance(one, (Layer, list, tuple, dict)):
                continue
            kind = _kind(one) if isinstance(one, Layer) else "container"
            yield from _of_attribute(one, f"{path}/{kind}_{counts[kind]}" if counts[kind] else f"{path}/{kind}")
            counts[kind] += 1


def _counted(tree: Tree, folder: str, layers: list[Any], seen: set[int]) -> Iterator[tuple[Any, str]]:
    """Keras 3's way: a class and a count."""
    yield from _count(layers, set())


def _counted_once(tree: Tree, folder: str, layers: list[Any], seen: set[int]) -> Iterator[tuple[Any, str]]:
    """The way of Keras 2.15: layers that have a place already are not counted."""
    yield from _count(layers, seen)


def _count(layers: list[Any], passed_over: set[int]) -> Iterator[tuple[Any, str]]:
    counts: Counter[str] = Counter()
    for layer in layers:
        if id(layer) in passed_over:
            continue
        kind = _kind(layer)
        yield layer, f"{kind}_{counts[kind]}" if counts[kind] else kind
        counts[kind] += 1


def _counted_twice(tree: Tree, folder: str, layers: list[Any], seen: set[int]) -> Iterator[tuple[Any, str]]:
    """The way of Keras 2.12 to 2.14: a layer with weights is listed twice, and has the first of two counts."""
    twice = [layer for layer in layers for _ in range(2 if layer.weights else 1)]
    yield from _count(twice, set())


def _own_names(tree: Tree, folder: str, layers: list[Any], seen: set[int]) -> Iterator[tuple[Any, str]]:
    for layer in layers:
        yield layer, layer.name


def _numbered_names(tree: Tree, folder: str, layers: list[Any], seen: set[int]) -> Iterator[tuple[Any, str]]:
    """Pair the k-th made of each class in the file with the k-th made in the model, by their automatic names."""
    group = tree.group(tree.root, folder)
    for kind in dict.fromkeys(_kind(layer) for layer in layers):
        ours = [layer for layer in layers if _kind(layer) == kind]
        theirs = sorted((name for name in group or () if _number(name, kind) is not None),
                        key=lambda name: _number(name, kind))
        if len(theirs) == len(ours) and all(_number(layer.name, kind) is not None for layer in ours):
            yield from zip(sorted(ours, key=lambda layer: _number(layer.name, kind)), theirs, strict=True)
        else:
            yield from ((layer, "") for layer in ours)


def _number(name: str, kind: str) -> int:
    found = re.fullmatch(rf"{re.escape(kind)}(?:_(\d{{1,9}}))?", name)
    return None if found is None else int(found[1] or 0)  # type: ignore[return-value]


def _kind(layer: Any) -> str:
    name = type(layer).__name__
    if name in keras_table.NOT_KERAS:
        name = "Identity" if name == "Linear" else "Activation"
    return layer.kind if name == "Model" else snake_case(name)


def _folder(tree: Tree, path: str) -> str | None:
    """Return the group that holds the layers of the model at a place."""
    tried = (f"{path}/{name}".lstrip("/") for name in _FOLDERS)
    return next((folder for folder in tried if tree.group(tree.root, folder) is not None), None)


def _all_there(tree: Tree, found: list[Place]) -> bool:
    return all(tree.group(tree.root, place.variables) is not None for place in found if place.parameters)


_WAYS = (_counted, _counted_once, _counted_twice, _own_names, _numbered_names)
