"""Operators on quantized tensors as what they mean: dequantized inputs, an operator on numbers, a quantized output.

    QLinearConv(x, .., w, .., y_scale, y_zero, bias)     ->     DequantizeLinear x, w, bias;  Conv;  QuantizeLinear

So files of either form, and of onnxruntime's own operators (`com.microsoft`), become the same layers.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn.onnx._graph import OnnxGraph, OnnxNode

_MICROSOFT = "com.microsoft"


def unpacked(graph: OnnxGraph) -> OnnxGraph:
    """Return a graph without operators on quantized tensors.

    Parameters
    ----------
    graph : OnnxGraph
    """
    work = _Unpacking(graph)
    nodes = [one for node in graph.nodes for one in work.of(node)]
    return graph if len(nodes) == len(graph.nodes) else replace(
        graph, nodes=tuple(nodes), constants=graph.constants | work.constants)


class _Unpacking:
    def __init__(self, graph: OnnxGraph) -> None:
        self.constants: dict[str, np.ndarray] = dict(graph.constants)
        self.used = {*graph.constants, *(name for node in graph.nodes for name in (*node.inputs, *node.outputs)),
                     *(value.name for value in graph.inputs)}

    def of(self, node: OnnxNode) -> list[OnnxNode]:
        """Return the nodes in the place of one."""
        unpack = _BY_OPERATOR.get((node.domain, node.operator))
        return [node] if unpack is None else unpack(self, node)

    def name(self, hint: str) -> str:
        """Return a name that nothing has."""
        name = next(one for k in range(len(self.used) + 1) if (one := f"{hint}_{k}") not in self.used)
        self.used.add(name)
        return name

    def dequantized(self, node: OnnxNode, quantized: Sequence[str], axis: int | None = None
                    ) -> tuple[OnnxNode, str]:
        """Return a node that turns (tensor, scale, zero point) into numbers, and their name."""
        out = self.name(f"{quantized[0]}_numbers")
        told = {} if axis is None else {"axis": axis}
        return OnnxNode("", "DequantizeLinear", out, tuple(quantized), (out,), told), out

    def around(self, node: OnnxNode, operator: str, inputs: Sequence[tuple[Sequence[str], int | None]],
               output: Sequence[str], attributes: dict[str, Any]) -> list[OnnxNode]:
        """Return an operator on numbers with what dequantizes its inputs, and quantizes its output."""
        before = [self.dequantized(node, quantized, axis) for quantized, axis in inputs]
        middle = self.name(f"{node.outputs[0]}_numbers")
        return [*(one for one, _ in before),
                OnnxNode("", operator, node.name, tuple(name for _, name in before), (middle,), attributes),
                OnnxNode("", "QuantizeLinear", f"{node.name}_quantized", (middle, *output), node.outputs)]

    def conv(self, node: OnnxNode) -> list[OnnxNode]:
        """Unpack QLinearConv."""
        x, w, y, bias = node.inputs[:3], node.inputs[3:6], node.inputs[6:8], node.inputs[8:9]
        operands: list[tuple[Sequence[str], int | None]] = [(x, None), (w, 0)]
        if bias and bias[0]:
            scales = self.constants.get(x[1]), self.constants.get(w[1])
            if scales[0] is None or scales[1] is None or scales[0].size != 1:
                return [node]
            step = self.name(f"{bias[0]}_scale")
            self.constants[step] = (scales[0].reshape(()) * scales[1]).astype(np.float32)
            operands.append(((bias[0], step), 0))
        return self.around(node, "Conv", operands, y, node.attributes)

    def matmul(self, node: OnnxNode) -> list[OnnxNode]:
        """Unpack QLinearMatMul."""
        return self.around(node, "MatMul", [(node.inputs[:3], None), (node.inputs[3:6], 1)], node.inputs[6:8], {})

    def gemm(self, node: OnnxNode) -> list[OnnxNode]:
        """Unpack onnxruntime's QGemm."""
        a, b, bias, y = node.inputs[:3], node.inputs[3:6], node.inputs[6:7], node.inputs[7:9]
        alpha = node.attributes.get("alpha", 1.0)
        turned = {name: value for name, value in node.attributes.items() if name in ("transA", "transB")}
        scales = self.constants.get(a[1]), self.constants.get(b[1])
        if len(y) < 2 or alpha != 1.0 or scales[0] is None or scales[1] is None or scales[0].size != 1:
            return [node]
        operands: list[tuple[Sequence[str], int | None]] = [(a, None), (b, 0 if turned.get("transB") else 1)]
        if bias and bias[0]:
            step = self.name(f"{bias[0]}_scale")
            self.constants[step] = (scales[0].reshape(()) * scales[1]).astype(np.float32)
            operands.append(((bias[0], step), 0))
        return self.around(node, "Gemm", operands, y, turned)

    def sum_of_two(self, node: OnnxNode) -> list[OnnxNode]:
        """Unpack onnxruntime's QLinearAdd."""
        return self.around(node, "Add", [(node.inputs[:3], None), (node.inputs[3:6], None)], node.inputs[6:8], {})

    def concat(self, node: OnnxNode) -> list[OnnxNode]:
        """Unpack onnxruntime's QLinearConcat."""
        parts = node.inputs[2:]
        return self.around(node, "Concat", [(parts[k:k + 3], None) for k in range(0, len(parts), 3)], node.inputs[:2],
                           node.attributes)

    def pool(self, node: OnnxNode) -> list[OnnxNode]:
        """Unpack onnxruntime's QLinearGlobalAveragePool and QLinearAveragePool."""
        told = {name: value for name, value in node.attributes.items() if name != "channels_last"}
        if node.attributes.get("channels_last"):
            return [node]
        return self.around(node, node.operator.removeprefix("QLinear"), [(node.inputs[:3], None)], node.inputs[3:5],
                           told)

    def softmax(self, node: OnnxNode) -> list[OnnxNode]:
        """Unpack onnxruntime's QLinearSoftmax."""
        if node.attributes.get("opset", 13) < 13:
            return [node]
        return self.around(node, "Softmax", [(node.inputs[:3], None)], node.inputs[3:5],
                           {"axis": node.attributes.get("axis", -1)})


_BY_OPERATOR = {
    ("", "QLinearConv"): _Unpacking.conv, ("", "QLinearMatMul"): _Unpacking.matmul,
    (_MICROSOFT, "QGemm"): _Unpacking.gemm, (_MICROSOFT, "QLinearAdd"): _Unpacking.sum_of_two,
    (_MICROSOFT, "QLinearConcat"): _Unpacking.concat, (_MICROSOFT, "QLinearGlobalAveragePool"): _Unpacking.pool,
    (_MICROSOFT, "QLinearAveragePool"): _Unpacking.pool, (_MICROSOFT, "QLinearSoftmax"): _Unpacking.softmax,
}
