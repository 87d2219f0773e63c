"""Rewriting a graph before it is imported: what exporters spell out becomes the operator that it means.

MatMul, Add a vector                                   Gemm
functions of single numbers, written out               `fastcnn.onnx.rewrite.gates`
functions of vectors, written out                      `fastcnn.onnx.rewrite.normalizations`
means of windows of several sizes                      `fastcnn.onnx.rewrite.adaptive`
batch normalization of all samples as one              `fastcnn.onnx.rewrite.tiles`
regions of each image, detections                     `fastcnn.onnx.rewrite.detectors`
"""

from dataclasses import replace

from fastcnn.onnx._executor import alive
from fastcnn.onnx._graph import OnnxGraph, OnnxNode
from fastcnn.onnx.rewrite.adaptive import adaptive_average
from fastcnn.onnx.rewrite.detectors import detections, regions_of_each
from fastcnn.onnx.rewrite.gates import gate
from fastcnn.onnx.rewrite.normalizations import normalization
from fastcnn.onnx.rewrite.patterns import Patterns
from fastcnn.onnx.rewrite.tiles import tiled


def _gemm(p: Patterns, node: OnnxNode) -> bool:
    for at in (0, 1) if node.operator == "Add" and len(node.inputs) == 2 else ():
        product = p.made_by(node.inputs[at], "MatMul")
        bias = p.constant(node.inputs[1 - at])
        if product is None or bias is None or len(product.inputs) != 2:
            continue
        kernel = p.constant(product.inputs[1])
        if kernel is not None and kernel.ndim == 2 and bias.ndim == 1 and bias.size == kernel.shape[1] and _is_matrix(
                p, product.inputs[0]):
            p.put(node, [product], replace(node, operator="Gemm", attributes={},
                                           inputs=(*product.inputs, node.inputs[1 - at])))
            return True
    return False


def _is_matrix(p: Patterns, name: str) -> bool:
    node = p.maker.get(name)
    shape = next((value.shape for value in p.graph.inputs if value.name == name), None)
    return (shape is not None and len(shape) == 2) or (node is not None and node.operator in ("Flatten", "Gemm"))


_RULES = detections, regions_of_each, normalization, adaptive_average, gate, tiled, _gemm


def simplified(graph: OnnxGraph) -> OnnxGraph:
    """Return the living part of a graph, the patterns above replaced wherever nothing else reads what is inside."""
    p = Patterns(graph)
    for node in reversed(graph.nodes):  # the whole before its parts: Mish has a Softplus inside
        if not node.domain and id(node) not in p.gone and node.outputs[0] in p.moving:
            any(rule(p, node) for rule in _RULES)
    nodes = tuple(p.new.get(id(node), node) for node in graph.nodes if id(node) not in p.gone)
    read = set[str]().union(*(node.reads() for node in p.new.values()))
    graph = replace(graph, nodes=nodes, constants=graph.constants | {
        name: value for name, value in p.constants.items() if name in read and name not in p.maker})
    return replace(graph, nodes=tuple(alive(graph)))
