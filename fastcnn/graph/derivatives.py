"""Whether the backward pass of each layer is the derivative of its forward pass: looked for layer by layer."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device
from fastcnn.graph.execute import arguments
from fastcnn.graph.steps import Graph, GraphStep
from fastcnn.layers.base import Call

_MOVES = (1e-6, 1e-7, 1e-8)  # the next where a kink may lie within
_NEAR = 1e-6  # derivatives that are nearer to one another are the same
_ASIDE = 1e-2  # of an input's size: kinks at zero, where nobody can tell a derivative, are left


class LayerError(NamedTuple):
    """How far the two derivatives of a layer are apart, in a direction drawn at random.

    Attributes
    ----------
    layer : str
        Its name.
    of : str
        "its input", or the name of a parameter.
    error : float
        |a - b| / (|a| + |b|) of the derivative that backward tells, and of the one from differences.
    """

    layer: str
    of: str
    error: float


def layer_errors(graph: Graph, xs: Sequence[np.ndarray], call: Call, seed: int = 0) -> Iterator[LayerError]:
    """Yield for each layer, its inputs together and each of its parameters, how far two derivatives are apart.

    Parameters
    ----------
    graph : Graph
        Of layers as they are, nothing fused, in float64.
    xs : sequence of arrays
        One for each input.
    call : Call
        Of a training step: random numbers are the same in every pass.
    seed : int
        Of the directions.
    """
    draw = np.random.default_rng(seed)
    values: list[Any] = [None] * graph.slots
    for slot, x in zip(graph.inputs, xs, strict=True):
        values[slot] = x
    for step in graph.steps:
        told = Call(call.seed, call.step, True, call.training and step.training, step.use)
        yield from _of_step(step, arguments(step, values), told, draw)
        y, _ = step.node.forward(arguments(step, values), told)
        for slot, one in zip(step.outputs, y if len(step.outputs) > 1 else (y,), strict=True):
            values[slot] = one


def _of_step(step: GraphStep, x: Any, call: Call, draw: np.random.Generator) -> Iterator[LayerError]:
    """Yield the errors of one layer for its input, moved aside a little."""
    node, several = step.node, isinstance(x, tuple)
    parameters = list(node.trainable_weights)
    statistics = [(p, p.numpy()) for p in node.weights if not p.trainable]
    inputs = [np.array(device.get(one)) for one in (x if several else (x,))]
    inputs = [one + _ASIDE * one.std() * draw.standard_normal(one.shape) for one in inputs]
    mixture: list[np.ndarray] = []

    def passed() -> tuple[list[np.ndarray], Any]:
        d = device.of(x[0] if several else x)
        given = [d.put(np.ascontiguousarray(one)) for one in inputs]
        y, backward = node.forward(tuple(given) if several else given[0], call)
        for p, value in statistics:
            p.assign(value)
        return list(y) if isinstance(y, tuple) else [y], backward

    def mixed() -> float:
        return float(sum((device.get(y) * m).sum() for y, m in zip(passed()[0], mixture, strict=True)))

    for p in parameters:
        p.zero_grad()
    ys, backward = passed()
    mixture += [draw.standard_normal(y.shape) for y in ys]
    d = device.of(ys[0])
    dys = tuple(d.put(m) for m in mixture)
    dx = backward(dys if len(dys) > 1 else dys[0])
    found = [np.zeros_like(at) if one is None else np.array(device.get(one))  # None: nothing depends on it
             for one, at in zip(dx if isinstance(dx, tuple) else (dx,), inputs, strict=True)]

    def move_inputs(by: float, directions: list[np.ndarray]) -> None:
        for one, direction in zip(inputs, directions, strict=True):
            one += by * direction

    yield LayerError(node.name, "its input", _apart(mixed, move_inputs, inputs, found, draw))
    for p in parameters:
        gradient, kept = p.grad.copy(), p.numpy()

        def move(by: float, directions: list[np.ndarray], p: Any = p) -> None:
            p.assign(p.numpy() + by * directions[0])

        yield LayerError(node.name, p.name, _apart(mixed, move, [kept], [gradient], draw))
        p.assign(kept)


def _apart(value: Callable[[], float], move: Callable[[float, list[np.ndarray]], None], at: list[np.ndarray],
           gradients: list[np.ndarray], draw: np.random.Generator) -> float:
    """Return how far a directional derivative from differences is from that of gradients, relative to both."""
    directions = [draw.standard_normal(one.shape) for one in at]
    told = float(sum((g * v).sum() for g, v in zip(gradients, directions, strict=True)))
    least = np.inf
    for by in _MOVES:
        move(by, directions)
        above = value()
        move(-2 * by, directions)
        below = value()
        move(by, directions)
        seen = (above - below) / (2 * by)
        if not np.isfinite(seen):  # moved aside the input is not one that the layer takes, as a negative one of a root
            return 0.0
        whole = abs(told) + abs(seen)
        error = abs(told - seen) / whole if not whole <= _NEAR * (abs(above) + abs(below)) else 0.0
        least = min(least, np.inf if np.isnan(error) else error)
        if least <= _NEAR:
            break
    return least
