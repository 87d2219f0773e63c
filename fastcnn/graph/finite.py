"""Where numbers stop being finite: looked for layer by layer, once something is wrong."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.graph.execute import arguments
from fastcnn.graph.steps import Graph
from fastcnn.layers.base import Call


def first_not_finite(graph: Graph, xs: Sequence[np.ndarray], call: Call) -> str | None:
    """Return what is the first not to be finite when a batch goes forward: "the data", a layer's output, or None.

    Parameters
    ----------
    graph : Graph
        Of layers as they are, nothing fused.
    xs : sequence of arrays
        One for each input.
    call : Call
        Of the step that went wrong, so that dropout draws what it drew. Moving statistics move once more.
    """
    if not all(map(is_finite, xs)):
        return "the data"
    values: list[Any] = [None] * graph.slots
    for slot, x in zip(graph.inputs, xs, strict=True):
        values[slot] = x
    for step in graph.steps:
        told = Call(call.seed, call.step, False, call.training and step.training, step.use)
        y, _ = step.node.forward(values[step.inputs[0]] if step.is_link else arguments(step, values), told)
        ys = y if len(step.outputs) > 1 else (y,)
        if not all(map(is_finite, ys)):
            return f'the output of "{step.node.name}"'
        for slot, one in zip(step.outputs, ys, strict=True):
            values[slot] = one
        for slot in step.last_uses:
            values[slot] = None
    return None


def is_finite(array: Any) -> bool:
    """Return whether an array holds neither NaN nor infinity."""
    return bool(np.isfinite(device.get(array)).all())
