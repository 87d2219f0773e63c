"""Files that leave sizes open: converted for several sizes, and what comes out alike is the model for any size.

A converter knows the size of everything, and writes what follows from it into layers: a border, the target of a
reshape. So a file is converted for three sizes, an odd one among them, since borders may depend on that. If the layers
are the same but for their shapes, they do not depend on the size, and a twin of the model takes any. If they are not,
somebody has to say the size.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.models import Model
from fastcnn.onnx._graph import OnnxGraph, ValueInfo

#: What open sizes are in the meantime, (first, more for each further one): even, for layers that halve, and one odd.
_SIZES = (256, 64), (448, 128), (255, 66)


def open_inputs(graph: OnnxGraph, given: dict[str, Any]) -> dict[str, tuple[Any, ...]]:
    """Return the shapes without the batch of inputs whose sizes nobody has said, None for each open one."""
    return {value.name: _opened(value) for value in graph.inputs
            if value.name not in given and value.shape is not None and None in _opened(value)}


def any_size(make: Callable[[dict[str, Any]], Model], wanted: dict[str, tuple[Any, ...]]) -> Model | None:
    """Return the model of a file for all sizes; None if its layers depend on them.

    Parameters
    ----------
    make : callable
        From shapes of inputs, by name, to the model for these.
    wanted : dict
        Shapes with None for what is open.
    """
    found: list[Model] = []
    for number, (first, more) in enumerate(_SIZES):
        try:
            made = make({name: tuple(_filled(shape, first, more)) for name, shape in wanted.items()})
        except (ArgumentError, ModelFileError):
            if number < 2:
                return None
            break  # the network takes no odd sizes
        if found and not _are_alike(found[0], made):
            return None
        found.append(made)
    shapes = [tuple(n if n == m else None for n, m in zip(one, other, strict=True))
              for one, other in zip(found[0].input_shapes, found[1].input_shapes, strict=True)]
    try:
        twin: Model = found[0].for_shape(tuple(shapes) if found[0].many_inputs else shapes[0])
    except ArgumentError:
        return None
    return twin


def _are_alike(one: Model, other: Model) -> bool:
    """Return whether two models have the same layers, calls and weights, but for the shapes of their inputs."""
    return _told(one) == _told(other) and all(
        a.shape == b.shape and np.array_equal(a.array, b.array, equal_nan=True)
        for a, b in zip(one.weights, other.weights, strict=True))


def _told(model: Model) -> str:
    config = model.get_config() | {"name": ""}
    config["layers"] = [entry["config"] | {"shape": None} if entry["class_name"] == "InputLayer" else entry
                        for entry in config["layers"]]
    return json.dumps(config, default=str, sort_keys=True)


def _opened(value: ValueInfo) -> tuple[Any, ...]:
    return tuple(n if isinstance(n, (int, np.integer)) and n > 0 else None for n in (value.shape or ())[1:])


def _filled(shape: tuple[Any, ...], first: int, more: int) -> Iterator[int]:
    for axis, n in enumerate(shape):
        yield first + axis * more if n is None else n
