"""Which parts of a graph layers run, and which the table of operators: a schedule for inputs of given shapes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.onnx._graph import OnnxGraph
from fastcnn.onnx._partition_walk import FEWEST, HEAVY, NoOperatorError, Rounds, suits
from fastcnn.onnx._schedule import Layers, Schedule
from fastcnn.onnx._simplify import simplified
from fastcnn.onnx.operators.arrays import type_of


def worth(graph: OnnxGraph) -> bool:
    """Return whether layers may run a part of a graph that is faster then."""
    return len(graph.nodes) >= FEWEST and any(node.operator in HEAVY for node in graph.nodes)


def schedule(graph: OnnxGraph, who: str, inputs: Sequence[np.ndarray]) -> tuple[Schedule, list[Any]] | None:
    """Return a schedule for inputs of these shapes, and the outputs for these; None if no part is worth it.

    Parameters
    ----------
    graph : OnnxGraph
        Every node is of use.
    who : str
    inputs : sequence of arrays
    """
    arrays = dict(zip((value.name for value in graph.inputs), inputs, strict=True))
    taken = [name for name, x in arrays.items() if suits(x)]
    if not taken:
        return None
    first = max((arrays[name] for name in taken), key=lambda x: x.size)
    taken = [name for name in taken if len(arrays[name]) == len(first) and arrays[name].dtype == first.dtype]
    rounds = _walked(graph, who, arrays, taken)
    if rounds is None or not any(isinstance(part, Layers) for part in rounds.parts):
        return None
    results = [value.name for value in graph.outputs]
    names = set(results).union(*(part.reads for part in rounds.parts))
    constants = {name: value for name, value in rounds.im.values.items()
                 if name in names and isinstance(value, np.ndarray)}
    found = Schedule(rounds.parts, constants, list(arrays), results, who)
    return found, [rounds.array(name) for name in results]


def _walked(graph: OnnxGraph, who: str, arrays: dict[str, np.ndarray], taken: list[str]) -> Rounds | None:
    """Return the walk over a graph, if it can be as patterns, else as it stands; None if it cannot.

    A pattern is one operator of one type: where data are cast to another on the way, all is done as written.
    """
    plain = _casts(graph, arrays[taken[0]].dtype)
    for form in (graph,) if plain else (simplified(graph), graph):
        try:
            rounds = Rounds(form, who, arrays, taken)
            with np.errstate(all="ignore"):
                rounds.run()
        except NoOperatorError:
            continue
        except (ArgumentError, ModelFileError):
            return None  # the operators say what is wrong, if anything is
        return rounds
    return None


def _casts(graph: OnnxGraph, dtype: np.dtype) -> bool:
    """Return whether data, of which shapes are none, are cast to another type than a model's."""
    data = {value.name for value in graph.inputs}
    for node in graph.nodes:
        if node.operator not in ("Shape", "Size") and not data.isdisjoint(node.reads()):
            data.update(node.outputs)
            to = node.attributes.get("to")
            if node.operator == "CastLike" or (node.operator == "Cast" and to is not None and type_of(to) != dtype):
                return True
    return False
