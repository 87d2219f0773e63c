"""The weights of fastcnn's own file, matched with a model's: by path, by order, or by the names of layers alone."""

from pathlib import Path
from typing import Any

import numpy as np

from fastcnn.formats.tensors import StoredArray
from fastcnn.models.files.assign_weights import Found, assign, require_common

_REMEDY = "make the model as the one that was saved, use load_model"


def load(path: Path, model: Any, tensors: dict[str, Any], by_name: bool = False,
         skip_mismatch: bool = False) -> None:
    """As `fastcnn.saving.load_weights`, for tensors by path in the order of the model that was saved."""
    own = model.named_weights()
    kinds = [p.name for p in own.values()]
    if not by_name and own.keys() != tensors.keys() and kinds == [n.rpartition("/")[2] for n in tensors]:
        tensors = dict(zip(own, tensors.values(), strict=True))
    there = _by_layer(tensors)
    found = [_found(layer, parameters, there.get(layer, {})) for layer, parameters in _by_layer(own).items()
             if not by_name or layer in there]
    if by_name:
        require_common(path, model, list(there), found)
    known = {one.layer for one in found}
    strange = [] if by_name else [f"{layer}/{name}" for layer, arrays in there.items() if layer not in known
                                  for name in arrays]
    assign(path, model, found, [f"{name!r}, which the model lacks" for name in strange], skip_mismatch, _REMEDY)


def _by_layer(named: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return {layer: {weight: what}} of {layer/weight: what}."""
    layers: dict[str, dict[str, Any]] = {}
    for path, what in named.items():
        layer, _, name = path.rpartition("/")
        layers.setdefault(layer, {})[name] = what
    return layers


def _found(layer: str, parameters: dict[str, Any], arrays: dict[str, np.ndarray | StoredArray]) -> Found:
    found = Found(layer)
    for name in dict.fromkeys([*parameters, *arrays]):
        path = f"{layer}/{name}"
        if name not in arrays:
            found.wrong.append(f"no {path!r}")
        elif name not in parameters:
            found.wrong.append(f"{path!r}, which the model lacks")
        elif (parameters[name].shape, parameters[name].dtype) != (arrays[name].shape, arrays[name].dtype):
            got, expected = (f"{a.dtype} {a.shape}" for a in (arrays[name], parameters[name]))
            found.wrong.append(f"{path!r} as {got} instead of {expected}")
        else:
            found.values.append((parameters[name], arrays[name]))
    return found
