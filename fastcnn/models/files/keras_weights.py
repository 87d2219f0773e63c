"""Weights out of Keras's files, whatever version wrote them.

Keras 3 names the place of a layer by its class and a count (`keras_weight_paths`), and numbers its weights::

    layers/conv2d/vars/0                            the kernel of the first Conv2D in model.layers
    layers/conv2d/vars/1                            its bias

Keras 1 and 2, and ``.h5`` files of Keras 3, list the layers in an attribute, and the weights of each in another; a
model inside a model counts as one layer::

    layer_names = [conv1, bn1, ...]     conv1: weight_names = [conv1/kernel:0, conv1/bias:0]     conv1/conv1/kernel:0

A shape is compared with the parameter's before anything is read, and nothing is assigned before everything fits.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError
from fastcnn.formats.hdf5 import Tree
from fastcnn.formats.keras import weights_of
from fastcnn.models.files import keras_optimizer
from fastcnn.models.files.assign_weights import Found, assign, require_common
from fastcnn.models.files.keras_weight_paths import Place, named_places, places, strange_places
from fastcnn.models.network import Network
from fastcnn.parameters import Parameter

_REMEDY = "make the model as the one that was saved"
#: What Keras called a parameter before version 3.
_OLD_NAMES = {"depthwise_kernel": "kernel"}


def load(model: Any, path: Path, by_name: bool = False, skip_mismatch: bool = False) -> None:
    """As `fastcnn.saving.load_keras_weights`."""
    if not model.built:
        raise ArgumentError(f"{model}: expected a built model, got one without weights; call build(input_shape)")
    with weights_of(path, sum(p.size * p.dtype.itemsize for p in model.weights)) as tree:
        root = tree.root
        if not _lists_layers(root) and "model_weights" in root:
            root = tree.group(root, "model_weights")  # a whole model of Keras 2
        found, strange, names = (_listed(tree, model, root, by_name) if _lists_layers(root) else
                                 _placed(tree, model, by_name))
    if by_name:
        require_common(path, model, names, found)
    assign(path, model, found, strange, skip_mismatch, _REMEDY)


def load_optimizer(model: Any, path: Path) -> None:
    """Set the state of a compiled model's optimizer to what a file of Keras 3 holds; warn where that does not fit."""
    with weights_of(path, sum(p.size * p.dtype.itemsize for p in model.weights)) as tree:
        arrays = _state(tree)
    if not arrays:
        return
    optimizer = model.optimizer
    try:
        keras_optimizer.give_back(optimizer, model.trainable_weights, arrays)
    except ArgumentError as error:
        if len(arrays) > 2:  # what Keras writes before a training has begun
            warn(f"{path}: the optimizer begins anew, since the file has {error}")


def _state(tree: Tree) -> list[np.ndarray]:
    """Return the state of the optimizer in a file, in its order."""
    group = tree.group(tree.root, "optimizer_weights")
    if group is not None:
        names = tree.names(group, "weight_names")
    else:
        group = tree.group(tree.root, "optimizer/vars")
        names = [str(k) for k in range(len(group or ()))]
    found = []
    for name in names:
        array = tree.array(group, name, f"optimizer/{name}")
        if array is None or array.dtype.kind not in "fiu":
            return []
        tree.require_whole(array, f"optimizer/{name}")
        found.append(np.asarray(array[()]))
    return found


def _lists_layers(root: Any) -> bool:
    return "layer_names" in root.attrs or "layer_names0" in root.attrs


def _placed(tree: Tree, model: Any, by_name: bool) -> tuple[list[Found], list[str], list[str]]:
    """Find the weights where Keras 3 puts them: return them, what the model lacks, and the names of layers."""
    names: list[str] = []
    if by_name:
        chosen, names = named_places(tree, model)
    else:
        chosen = places(tree, model)
    found = [_numbered(tree, place) for place in chosen]
    return found, [] if by_name else strange_places(tree, model, {place.path for place in chosen}), names


def _numbered(tree: Tree, place: Place) -> Found:
    found, parameters = Found(str(place.layer)), place.parameters
    variables = tree.group(tree.root, place.variables)
    count = 0 if variables is None else len(variables)
    if count != len(parameters):
        found.wrong.append(f"{count} weights in {place.path} instead of the {len(parameters)} of {place.layer}")
        return found
    for i, parameter in enumerate(parameters):
        _take(tree, found, variables, str(i), parameter, f"{place.path}/vars/{i}")
    return found


def _listed(tree: Tree, model: Any, root: Any, by_name: bool) -> tuple[list[Found], list[str], list[str]]:
    """Find the weights where Keras 1 and 2 put them: by the layers' names if they are the same, else in their order."""
    groups = {name: tree.group(root, name) for name in tree.names(root, "layer_names")}
    missing = [name for name, group in groups.items() if group is None]
    if missing:
        tree.fault(f"no group {', '.join(map(repr, missing[:8]))} for a layer it lists")
    weights = {name: tree.names(group, "weight_names") for name, group in groups.items()}
    weights = {name: own for name, own in weights.items() if own}
    layers = [layer for layer in model.layers if layer.weights]
    there = {layer.name: layer for layer in layers}
    if by_name or there.keys() == weights.keys():
        pairs = [(name, there[name]) for name in weights if name in there]
    elif len(weights) == len(layers):
        pairs = list(zip(weights, layers, strict=True))
    else:
        return [], [f"{len(weights)} layers with weights instead of {len(layers)}"], list(weights)
    return [_of_group(tree, groups[name], name, weights[name], layer) for name, layer in pairs], [], list(weights)


def _of_group(tree: Tree, group: Any, name: str, weights: list[str], layer: Any) -> Found:
    found = Found(str(layer))
    if len(weights) != len(layer.weights):
        found.wrong.append(f"{len(weights)} weights in {name} instead of the {len(layer.weights)} of {layer}")
        return found
    parameters = _in_order_of(weights, layer)
    if parameters is None:
        found.wrong.append(f"weights in {name} in an order that {layer} does not have")
        return found
    for weight, parameter in zip(weights, parameters, strict=True):
        _take(tree, found, group, weight, parameter, f"{name}/{weight}")
    return found


def _in_order_of(weights: Sequence[str], layer: Any) -> list[Parameter] | None:
    """Return a layer's parameters in the order of a file's names: trained ones come first, and what is frozen last.

    So the order of a model inside a model depends on what was frozen when the file was written. Names of layers tell it
    where they are the same, and else the last parts of the names, kernel, bias, gamma, ... None if they do not.
    """
    trained_first = sorted(layer.weights, key=lambda p: not p.trainable)
    if not isinstance(layer, Network):
        return trained_first
    told = [name.partition(":")[0].split("/")[-2:] for name in weights]
    told = [[*before, _OLD_NAMES.get(last, last)] for *before, last in told]
    by_path = {p.path: p for p in layer.weights}
    if sorted(by_path) == sorted(map("/".join, told)):
        return [by_path["/".join(path)] for path in told]
    for order in (layer.trainable_weights + layer.non_trainable_weights, trained_first, layer.weights):
        if [p.name for p in order] == [path[-1] for path in told]:
            return order
    return None


def _take(tree: Tree, found: Found, group: Any, name: str, parameter: Parameter, where: str) -> None:
    """Add a parameter's value to what was found, or what is wrong with it."""
    array = tree.array(group, name, where)
    if array is None:
        found.wrong.append(f"no {where}")
    elif array.shape != parameter.shape or array.dtype.kind not in "fiu":
        found.wrong.append(f"{where} as {array.dtype} {array.shape} instead of {parameter.shape} for "
                           f"{parameter.path!r}")
    else:
        tree.require_whole(array, where)
        found.values.append((parameter, np.asarray(array[()], parameter.dtype)))
