"""Where Keras 3, and 2.12 to 2.15 in its format, put the weights of a layer.

The place is a class and a count, not a name, since names differ from run to run::

    layers/conv2d                               the first Conv2D in model.layers
    layers/conv2d_1                             the second
    layers/functional/layers/dense              the first Dense in the first model in the model

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
from fastcnn.models.network import Network

_FOLDERS = ("layers", "_layer_checkpoint_dependencies")


class Place(NamedTuple):
    """The group of a layer."""

    path: str
    layer: Any


def places(tree: Tree, model: Any) -> list[Place]:
    """Return the place of each layer of a model and of models inside, once."""
    if _folder(tree, "") is None:
        tree.fault("an HDF5 file without layers", "write it with keras_model.save_weights")
    ways = [list(_walk(tree, model, "", way, set())) for way in _WAYS]
    return next((way for way in ways if _all_there(tree, way)), ways[0])


def strange_places(tree: Tree, used: set[str]) -> list[str]:
    """Tell what a file has and a model lacks, beside the states of random numbers and of optimizers."""
    others: Counter[str] = Counter()
    folder = _folder(tree, "") or ""

    def visit(name: str, thing: Any) -> None:
        place, vars_, _ = f"{folder}/{name}".rpartition("/vars/")
        if isinstance(thing, tree.h5py.Dataset) and vars_ and place not in used and "seed_generator" not in place:
            others[place] += 1

    tree.group(tree.root, folder).visititems(visit)  # hard links alone, each object once
    strange = [f"{count} weights in {place}, which the model lacks" for place, count in others.items()]
    # Of layers without weights only this one changes what comes out, and Keras's EfficientNets have it or not.
    scaled = [f"{folder}/{name}" for name in tree.root[folder] if re.fullmatch(r"rescaling_\d+", name)]
    return strange + [f"{place}, which the model lacks (an EfficientNet needs imagenet_rescaling=True)"
                      for place in scaled if place not in used]


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
        if isinstance(layer, Network):
            found += named_places(tree, layer, names[layer.name])[0]
        else:
            found.append(Place(names[layer.name], layer))
    return found, list(names)


def _walk(tree: Tree, model: Any, path: str, way: Any, seen: set[int]) -> Iterator[Place]:
    folder = _folder(tree, path) or f"{path}/layers".lstrip("/")
    for layer, name in way(tree, folder, model.layers, seen):
        if id(layer) in seen:
            continue
        seen.add(id(layer))
        if isinstance(layer, Network):
            yield from _walk(tree, layer, f"{folder}/{name}", way, seen)
        else:
            yield Place(f"{folder}/{name}", layer)


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
    return layer.kind if isinstance(layer, Network) else snake_case(type(layer).__name__)


def _folder(tree: Tree, path: str) -> str | None:
    """Return the group that holds the layers of the model at a place."""
    tried = (f"{path}/{name}".lstrip("/") for name in _FOLDERS)
    return next((folder for folder in tried if tree.group(tree.root, folder) is not None), None)


def _all_there(tree: Tree, found: list[Place]) -> bool:
    return all(tree.group(tree.root, f"{place.path}/vars") is not None for place in found if place.layer.weights)


_WAYS = (_counted, _counted_once, _counted_twice, _own_names, _numbered_names)
