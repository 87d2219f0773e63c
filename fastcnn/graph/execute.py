"""Running a graph: forward and back, or forward alone."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.graph.steps import Graph, GraphStep
from fastcnn.layers.base import Backward, Call
from fastcnn.operations.bfloat16 import summed
from fastcnn.operations.broadcasting import scaled
from fastcnn.operations.merge import weighted_sum


def forward(graph: Graph, xs: Sequence[np.ndarray], call: Call, penalties: list[float] | None = None
            ) -> tuple[list[np.ndarray], Backward]:
    """Train: return the outputs, and backward(dys) -> dxs, lists with None for what nobody wants.

    A step computes the gradient of its input only if something before it is trainable, and a part without trainable
    weights has no backward pass at all. `backward` drops each step's closure once it ran, so that the memory which the
    closure kept can be used again.

    Parameters
    ----------
    graph : Graph
    xs : sequence of arrays
        One for each input.
    call : Call
    penalties : list, optional
        Gets the penalties on outputs of layers.
    """
    values: list[Any] = [None] * graph.slots
    for slot, x in zip(graph.inputs, xs, strict=True):
        values[slot] = x
    tape: list[tuple[GraphStep, Backward, Any]] = []
    for step, (below, back) in zip(graph.steps, graph.learns(call.wants_dx), strict=True):
        told = Call(call.seed, call.step, below, call.training and step.training, step.use)
        if step.is_link:
            y, way = step.node.forward(values[step.inputs[0]], told)
        else:
            y, way = step.node.forward(arguments(step, values), told)
        ys = y if len(step.outputs) > 1 else (y,)
        for slot, one in zip(step.outputs, ys, strict=True):
            values[slot] = one
        if step.regularizer is not None:
            way = _penalized(step.regularizer, way, ys)
            _note(penalties, step.regularizer, ys)
        # Where nothing learns, what the step kept is let go at once.
        if back:
            tape.append((step, way, None if len(ys) == 1 else [one.shape for one in ys]))
        for slot in step.last_uses:
            values[slot] = None
    wanted = graph.inputs if call.wants_dx else []

    def backward(dys: Sequence[np.ndarray | None]) -> list[np.ndarray | None]:
        gradients: list[Any] = [None] * graph.slots
        for slot, dy in zip(graph.outputs, dys, strict=True):
            _add(gradients, slot, dy)
        while tape:
            step, way, shapes = tape.pop()
            dy = _gradient_of(step, gradients, shapes)
            if dy is None and step.regularizer is None:
                continue
            # Gradients are dropped as soon as they were used: the next step takes their memory. Nobody but the way back
            # holds this one, so that it may let go of it before it ends.
            for slot in step.outputs:
                gradients[slot] = None
            given = [dy]
            del dy
            dx = way(given.pop())
            del way
            for slot, one in zip(step.inputs, dx if isinstance(dx, tuple) else (dx,), strict=True):
                _add(gradients, slot, one)
        return [gradients[slot] for slot in wanted] if wanted else [None] * len(graph.inputs)

    return [values[slot] for slot in graph.outputs], backward


def infer(graph: Graph, xs: Sequence[np.ndarray], penalties: list[float] | None = None) -> list[np.ndarray]:
    """Return the outputs; nothing is kept. `penalties` as in `forward`."""
    values: list[Any] = [None] * graph.slots
    for slot, x in zip(graph.inputs, xs, strict=True):
        values[slot] = x
    d = device.of(xs[0])
    offers, given = d.is_sparing, set(map(id, xs))
    del xs  # so that an input, too, is free after its last use
    for step in graph.steps:
        if offers:
            d.offer([values[slot] for slot in step.last_uses if id(values[slot]) not in given
                     and sum(one is values[slot] for one in values) == 1])
        y = step.node.predict(values[step.inputs[0]] if step.is_link else arguments(step, values))
        if offers:
            d.offer(())
        ys = y if len(step.outputs) > 1 else (y,)
        for slot, one in zip(step.outputs, ys, strict=True):
            values[slot] = one
        if step.regularizer is not None:
            _note(penalties, step.regularizer, ys)
        for slot in step.last_uses:
            values[slot] = None
    return [values[slot] for slot in graph.outputs]


def arguments(step: GraphStep, values: list[Any]) -> Any:
    """Return what a step's node is given: one array, or a tuple of several."""
    if step.node.many_inputs:
        return tuple(values[slot] for slot in step.inputs)
    return values[step.inputs[0]]


def _gradient_of(step: GraphStep, gradients: list[Any], shapes: Any) -> Any:
    """Return the gradient of a step's output, or a tuple of them; None if nothing depends on it."""
    if shapes is None:
        return gradients[step.outputs[0]]
    found = [gradients[slot] for slot in step.outputs]
    given = next((one for one in found if one is not None), None)
    if given is None:
        return None
    # Whoever reads one output gives no gradient for the others: that is zero.
    d = device.of(given)
    return tuple(d.zeros(shape, given.dtype) if one is None else one for one, shape in zip(found, shapes, strict=True))


def _add(gradients: list[Any], slot: int, dy: Any) -> None:
    """Add to the gradient of a slot. The sum gets memory of its own, since `dy` may be a view of another array."""
    before = gradients[slot]
    if dy is None or before is None:
        gradients[slot] = before if dy is None else dy
        return
    gradients[slot] = summed(before, dy)


def _note(penalties: list[float] | None, regularizer: Any, ys: Sequence[np.ndarray]) -> None:
    """Write down the penalty on what a layer returned, divided by the batch."""
    if penalties is not None:
        penalties += [regularizer.value(y) / max(1, len(y)) for y in ys]


def _penalized(regularizer: Any, way: Backward, ys: Sequence[np.ndarray]) -> Backward:
    """Let the gradient of the penalty on what a layer returned join those that others gave, or be the only one."""
    def joined(y: np.ndarray, dy: np.ndarray | None) -> np.ndarray:
        total = device.of(y).zeros(y.shape, y.dtype)
        regularizer.add_gradient(total, y)
        total = scaled(total, 1.0 / max(1, len(y)))
        return total if dy is None else weighted_sum([total, dy], [1.0, 1.0])[0]

    def backward(dy: Any) -> Any:
        dys = dy if isinstance(dy, tuple) else [dy] * len(ys)
        found = tuple(joined(y, one) for y, one in zip(ys, dys, strict=True))
        return way(found if len(found) > 1 else found[0])

    return backward
