"""Batch normalization of a batch as one sample: instance normalization with statistics that were tracked.

    x (N, C, H, W) --Reshape--> (1, N C, H, W) --BatchNormalization--> --Reshape--> (N, C, H, W)

whose numbers are those of the C channels, N times. Channel by channel it is a batch normalization of x as it is.
"""

from dataclasses import replace

import numpy as np

from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx.rewrite.patterns import Patterns


def tiled(p: Patterns, node: OnnxNode) -> bool:
    """Let a batch normalization, which ends with this node, read what is before the first reshape."""
    norm = p.made_by(node.inputs[0], "BatchNormalization") if node.operator == "Reshape" else None
    first = None if norm is None else p.made_by(norm.inputs[0], "Reshape")
    if norm is None or first is None or len(node.inputs) != 2 or len(first.inputs) != 2:
        return False
    wanted, flat = p.constant(node.inputs[1]), p.constant(first.inputs[1])
    numbers = [p.constant(name) for name in norm.inputs[1:]]
    if wanted is None or flat is None or len(wanted) < 3 or len(wanted) != len(flat) or flat[0] != 1 or (
            not np.array_equal(wanted[2:], flat[2:]) or wanted[0] < 2 or wanted[1] < 1):
        return False
    n, c = wanted[:2].tolist()
    parts = []
    for value in numbers:
        if value is None or value.size != n * c or not np.array_equal(value, np.tile(value.reshape(-1)[:c], n)):
            return False
        parts.append(value.reshape(-1)[:c])
    names = [f"{norm.outputs[0]}/{name}" for name in norm.inputs[1:]]
    p.constants |= dict(zip(names, parts, strict=True))
    p.put(norm, [first], replace(norm, inputs=(first.inputs[0], *names)))
    return True
