"""What the units of a network do: those that never fire, those that are stuck at an end, those that are alike."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.graph import execute, trace
from fastcnn.layers.base import Call, Layer

_BATCH = 64
_ENDS = {"sigmoid": (0.01, 0.99), "hard_sigmoid": (0.01, 0.99), "tanh": (-0.98, 0.98), "hard_tanh": (-0.98, 0.98)}
_STOPS = ("relu", "relu6")
_STUCK = 0.95  # of a unit's values, beyond its ends


class LayerActivity(NamedTuple):
    """The units of a layer, over some examples.

    Attributes
    ----------
    layer, activation : str
    units : int
    dead : (M,) array of int
        Which units of a ReLU are 0 for every example and place: they learn nothing any more.
    saturated : (M,) array of int
        Which units of a sigmoid or tanh are within a hundredth of an end for 95 % of the examples and places.
    zeros : float
        The share of values of a ReLU that are 0.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(3, "relu", kernel_initializer="zeros"), layers.Dense(1)])
    >>> fc.report.unit_activity(model, np.ones((4, 2), "float32"))[0].dead.tolist()
    [0, 1, 2]
    """

    layer: str
    activation: str
    units: int
    dead: NDArray[Any]
    saturated: NDArray[Any]
    zeros: float


def unit_activity(model: Any, x: Any) -> list[LayerActivity]:
    """Return what the units of each ReLU, sigmoid and tanh within a network do; its outputs are left out.

    Parameters
    ----------
    model : Model
        Built, with one input. Models inside it are opened.
    x : (N, ...) array
        Examples as the model takes them: a few hundred of the training part.

    Raises
    ------
    ArgumentError
        If the model is not built, or has several inputs.

    Examples
    --------
    >>> model = fc.Sequential([fc.Input((2,)), layers.Dense(3, "tanh"), layers.Dense(1, "sigmoid")])
    >>> [one.activation for one in fc.report.unit_activity(model, np.ones((4, 2), "float32"))]
    ['tanh']
    """
    if getattr(model, "traced", None) is None or len(model.input_shapes) != 1:
        raise ArgumentError(f"unit_activity: expected a built model with one input, got {model}")
    graph = trace.opened(model.traced, training=False)
    looked_at = [(step, name) for step in graph.steps
                 if (name := _activation(step.node)) in _STOPS or name in _ENDS if graph.outputs[0] not in step.outputs]
    counts: dict[int, list[Any]] = {}
    given = np.ascontiguousarray(np.asarray(x), model.array_dtype)
    for begin in range(0, len(given), _BATCH):
        values: list[Any] = [None] * graph.slots
        values[graph.inputs[0]] = given[begin:begin + _BATCH]
        for step in graph.steps:
            y, _ = step.node.forward(execute.arguments(step, values), Call(training=False, wants_dx=False))
            for slot, one in zip(step.outputs, y if len(step.outputs) > 1 else (y,), strict=True):
                values[slot] = one
        for number, (step, name) in enumerate(looked_at):
            y = device.get(values[step.outputs[0]])
            rows = y.reshape(-1, y.shape[-1])
            low, high = _ENDS.get(str(name), (0.0, np.inf))
            outside = ((rows <= low) | (rows >= high)).sum(axis=0)
            most = rows.max(axis=0)
            one = counts.setdefault(number, [0, np.zeros(rows.shape[1]), np.full(rows.shape[1], -np.inf)])
            one[0] += len(rows)
            one[1] += outside
            one[2] = np.maximum(one[2], most)
    return [_activity(step, str(name), *counts[number]) for number, (step, name) in enumerate(looked_at)
            if number in counts]


def units_alike(weights: Any) -> int:
    """Return how many units have the very weights of another unit before them: units that start alike stay alike.

    Parameters
    ----------
    weights : (..., K) array
        A filter bank, or the weights of a dense layer.

    Examples
    --------
    >>> fc.report.units_alike(np.ones((3, 4)))
    3
    """
    columns = np.asarray(weights, np.float64)
    columns = columns.reshape(-1, columns.shape[-1]).T
    most = float(np.abs(columns).max()) or 1.0
    # Sums in another order round differently, so not the bits are compared.
    return len(columns) - len(np.unique(np.round(columns / most, 5), axis=0))


def _activity(step: Any, name: str, total: int, outside: NDArray[Any], most: NDArray[Any]) -> LayerActivity:
    is_relu, none = name in _STOPS, np.zeros(0, int)
    return LayerActivity(step.node.name, name, len(most), np.flatnonzero(most <= 0) if is_relu else none,
                         none if is_relu else np.flatnonzero(outside >= _STUCK * total),
                         float(outside.sum() / max(total * len(most), 1)) if is_relu else 0.0)


def _activation(node: Any) -> str | None:
    """Return the name of the activation that a layer ends in, or is."""
    if not isinstance(node, Layer):
        return None
    if type(node).__name__ == "ReLU":
        return "relu"
    found = getattr(node, "function", None) or getattr(node, "activation", None)
    return getattr(found, "name", None)
