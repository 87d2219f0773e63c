"""Rewriting a graph before it is imported: what exporters spell out becomes the operator that it means.

MatMul, Add a vector                                   Gemm
x Sigmoid(x)                                           Swish
x (1 + Erf(x / sqrt 2)) / 2, in any order              Gelu
x Tanh(Softplus(x))                                    Mish
x HardSigmoid(x) with alpha 1/6 and beta 1/2           HardSwish
"""

import math
from collections import defaultdict
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn.onnx._graph import Graph, Node
from fastcnn.onnx._program import Step, execute
from fastcnn.onnx.operators import find


class _Patterns:
    """The nodes of a graph by what they make and read."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.maker = {name: node for node in graph.nodes for name in node.outputs if name}
        self.readers: dict[str, list[Node]] = defaultdict(list)
        for node in graph.nodes:
            for name in node.reads():
                self.readers[name].append(node)
        self.results = {value.name for value in graph.outputs}
        self.gone: set[int] = set()
        self.new: dict[int, Node] = {}
        self.constants = dict(graph.constants)

    def made_by(self, name: str, operator: str, alone: bool = True) -> Node | None:
        """Return the node behind a name if it is of an operator, and, with `alone`, nobody else reads it."""
        node = self.maker.get(name)
        if node is None or id(node) in self.gone or not _is(node, operator):
            return None
        return None if alone and (len(self.readers[name]) > 1 or name in self.results) else node

    def product(self, name: str) -> Node | None:
        """Return the product or quotient behind a name, if nobody else reads it."""
        return self.made_by(name, "Mul") or self.made_by(name, "Div")

    def number(self, name: str) -> float | None:
        """Return a constant of one element, which gives no value another dimension."""
        value = self.constant(name)
        is_one = value is not None and value.size == 1 and value.ndim < 2 and value.dtype.kind == "f"
        return float(value.reshape(-1)[0]) if is_one else None  # type: ignore[union-attr]

    def constant(self, name: str) -> np.ndarray | None:
        """Return a constant, from the file's weights or a Constant node."""
        node = self.maker.get(name)
        if name not in self.constants and node is not None and _is(node, "Constant"):
            operator = find("", "Constant")
            assert operator is not None
            self.constants |= execute(Step(node, operator, node.attributes, {}), {}, "model")
        return self.constants.get(name)

    def put(self, last: Node, others: list[Node], new: Node) -> None:
        """Let one node stand in the place of several, of which `last` is the last."""
        self.gone.update(map(id, others))
        self.new[id(last)] = new


def _is(node: Node, name: str) -> bool:
    """Return whether a node is of an operator, with as many inputs as that needs."""
    operator = find(node.domain, name)
    return node.operator == name and operator is not None and len(node.inputs) == operator.fewest


def _other(node: Node, name: str) -> str | None:
    """Return the other input of a node of two, or None."""
    if len(node.inputs) != 2 or name not in node.inputs:
        return None
    return node.inputs[1] if node.inputs[0] == name else node.inputs[0]


def _gemm(p: _Patterns, node: Node) -> bool:
    for at in (0, 1) if node.operator == "Add" and len(node.inputs) == 2 else ():
        product = p.made_by(node.inputs[at], "MatMul")
        bias = p.constant(node.inputs[1 - at])
        if product is None or bias is None:
            continue
        kernel = p.constant(product.inputs[1])
        if kernel is not None and kernel.ndim == 2 and bias.ndim == 1 and bias.size == kernel.shape[1] and _is_matrix(
                p, product.inputs[0]):
            p.put(node, [product], replace(node, operator="Gemm", attributes={},
                                           inputs=(*product.inputs, node.inputs[1 - at])))
            return True
    return False


def _is_matrix(p: _Patterns, name: str) -> bool:
    node = p.maker.get(name)
    shape = next((value.shape for value in p.graph.inputs if value.name == name), None)
    return (shape is not None and len(shape) == 2) or (node is not None and node.operator in ("Flatten", "Gemm"))


def _self_gated(p: _Patterns, node: Node) -> bool:
    """x Sigmoid(x), x HardSigmoid(x), x Tanh(Softplus(x))."""
    if node.operator != "Mul":
        return False
    for gate_name in node.inputs:
        x = _other(node, gate_name)
        gate, hard, tanh = (p.made_by(gate_name, name) for name in ("Sigmoid", "HardSigmoid", "Tanh"))
        if gate is not None and gate.inputs[0] == x:
            p.put(node, [gate], replace(node, operator="Swish", inputs=(x,), attributes={}))
            return True
        if hard is not None and hard.inputs[0] == x and math.isclose(
                hard.attributes.get("alpha", 0.2), 1 / 6, rel_tol=1e-5) and hard.attributes.get("beta", 0.5) == 0.5:
            p.put(node, [hard], replace(node, operator="HardSwish", inputs=(x,), attributes={}))
            return True
        inner = None if tanh is None else p.made_by(tanh.inputs[0], "Softplus")
        if tanh is not None and inner is not None and inner.inputs[0] == x:
            p.put(node, [tanh, inner], replace(node, operator="Mish", inputs=(x,), attributes={}))
            return True
    return False


def _gelu(p: _Patterns, node: Node) -> bool:
    """The product of x, 1/2 and 1 + Erf(x / sqrt 2), in any order."""
    half, factors, inside = _factors(p, node)
    if len(factors) != 2 or half != 0.5:
        return False
    for x, name in (factors, factors[::-1]):
        plus = p.made_by(name, "Add")
        erf = None if plus is None else next((e for e in (p.made_by(i, "Erf") for i in plus.inputs) if e), None)
        inner = None if erf is None else p.product(erf.inputs[0])
        if plus is None or erf is None or inner is None or p.number(_other(plus, erf.outputs[0]) or "") != 1:
            continue
        scale, of, within = _factors(p, inner)
        if of == [x] and math.isclose(scale, math.sqrt(0.5), rel_tol=1e-3):
            gone = [*inside, plus, erf, inner, *within]
            p.put(node, gone, replace(node, operator="Gelu", inputs=(x,), attributes={}))
            return True
    return False


def _factors(p: _Patterns, node: Node) -> tuple[float, list[str], list[Node]]:
    """Return the constant factor of a product or quotient, its other factors, and the products inside it."""
    scale, names, inside = 1.0, list[str](), list[Node]()
    left = [node] if node.operator in ("Mul", "Div") else []
    while left and len(names) < 3:
        one = left.pop()
        for at, name in enumerate(one.inputs):
            divides = one.operator == "Div" and at == 1
            number, inner = p.number(name), p.product(name)
            if number:
                scale = scale / number if divides else scale * number
            elif inner is not None and not divides:
                left.append(inner)
                inside.append(inner)
            else:
                names += ["", "", ""] if divides else [name]  # divided by a value: no product
    return scale, names, inside


def simplified(graph: Graph) -> Graph:
    """Return a graph with the patterns above replaced, wherever nothing else reads what is inside them."""
    p: Any = _Patterns(graph)
    for node in graph.nodes:
        if not node.domain and id(node) not in p.gone:
            _ = _gemm(p, node) or _self_gated(p, node) or _gelu(p, node)
    nodes = tuple(p.new.get(id(node), node) for node in graph.nodes if id(node) not in p.gone)
    return replace(graph, nodes=nodes)
