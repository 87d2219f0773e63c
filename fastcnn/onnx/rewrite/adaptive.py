"""Adaptive pooling whose windows differ or overlap, as PyTorch's newer exporter writes it.

    Transpose, GatherND of every pixel of every window, Transpose, ReduceMean        windows of one size
    ..., Where, Gather, Add, Gather, Add, ..., Div                                   windows of several, one tap a node

Tried on one image, whose size the indices tell, it gives the means of its windows.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.geometry.resize import adaptive_windows
from fastcnn.onnx._executor import OperatorCall, execute
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx.operators import find
from fastcnn.onnx.rewrite.patterns import Patterns
from fastcnn.onnx.rewrite.regions import Region, regions

_PARTS = {"Add", "Div", "Gather", "GatherND", "ReduceMean", "Transpose", "Where"}
_TURN = (2, 3, 0, 1)  # pixels first, for GatherND
_MOST = 400  # nodes; a window of 11 x 11 pixels has 250


def adaptive_average(p: Patterns, node: OnnxNode) -> bool:
    """Put one node, AdaptiveAverage, in the place of a chain that ends with this one and takes means of windows."""
    if node.operator not in ("Div", "ReduceMean") or "GatherND" not in p.operators:
        return False
    for region in regions(p, node, _is_known, _MOST):
        gathers = [part for part in region.nodes if part.operator == "GatherND"]
        if len(gathers) != 1:
            continue
        indices = p.constant(gathers[0].inputs[1])
        if indices is None or indices.shape[-1] != 2 or indices.min(initial=0) < 0:
            continue
        size = tuple((indices.reshape(-1, 2).max(0) + 1).tolist())
        x = np.random.default_rng(0).standard_normal((2, 3, *size)).astype(np.float32)
        source, turned = _before_turn(p, region.source)
        y = _computed(p, region, x.transpose(_TURN) if turned else x)
        if isinstance(y, np.ndarray) and y.ndim == 4 and y.shape[:2] == (2, 3) and np.allclose(
                y, _means(x, y.shape[2:]), atol=1e-5):
            p.put(node, [part for part in region.nodes if part is not node],
                  replace(node, operator="AdaptiveAverage", inputs=(source,),
                          attributes={"sizes": list(size), "output_size": list(y.shape[2:])}))
            return True
    return False


def _before_turn(p: Patterns, name: str) -> tuple[str, bool]:
    """Return the image behind a transpose that several poolings share, and whether there is one."""
    maker = p.maker.get(name)
    if maker is None or maker.operator != "Transpose" or maker.attributes.get("perm") != list(_TURN):
        return name, False
    return maker.inputs[0], True


def _is_known(p: Patterns, node: OnnxNode) -> bool:
    return not node.domain and node.operator in _PARTS and all(
        name in p.moving or p.constant(name) is not None for name in node.inputs if name)


def _computed(p: Patterns, region: Region, x: np.ndarray) -> Any:
    values: dict[str, Any] = {region.source: x}
    for node in region.nodes:
        operator = find("", node.operator)
        assert operator is not None
        given = {name: values[name] if name in values else p.constant(name) for name in node.inputs if name}
        told = {"opset": p.graph.opsets.get("", 1), "outputs": 1, "kept": {}}
        keywords = node.attributes | {key: told[key] for key in operator.told}
        try:
            values |= execute(OperatorCall(node, operator, keywords, {}), given, "model")
        except ModelFileError:
            return None
    return values[region.nodes[-1].outputs[0]]


def _means(x: np.ndarray, outputs: tuple[int, ...]) -> np.ndarray:
    rows, columns = (adaptive_windows(n, m) for n, m in zip(x.shape[2:], outputs))
    return np.array([[x[:, :, top:bottom, left:right].mean((2, 3)) for left, right in columns]
                     for top, bottom in rows]).transpose(2, 3, 0, 1)
