"""The parameters of a model by path: ``conv2d/kernel``, ``encoder/conv2d/kernel``."""

from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.parameters import Parameter


def named(model: Any) -> dict[str, Parameter]:
    """As `fastcnn.Model.named_weights`."""
    found: dict[str, Parameter] = {p.name: p for p in model.parameters}
    for name, layer in model.held_layers().items():
        plain = not (model.has_call or layer.is_composite or layer.held_layers())
        each = ((p.path, p) for p in layer.weights) if plain else layer.weights_by_path()
        for path, p in each:
            path = path if plain else f"{name}/{path}"
            if found.setdefault(path, p) is not p:
                raise ArgumentError(f"{model}: expected weights with different paths, got two of {path}")
    first: dict[int, str] = {}  # a layer in two models has two paths: the first is kept
    return {path: p for path, p in found.items() if first.setdefault(id(p), path) == path}
