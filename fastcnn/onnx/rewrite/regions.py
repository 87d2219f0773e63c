"""Chains of nodes that make one value of one other, and what they make of numbers.

x --+--------------------> Mul --> Div --> y        one source, x, whatever lies between;
    +--> Add --> Clip ------^                       nobody else reads what lies inside
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx.rewrite.numbers import ELEMENTWISE, REDUCTIONS
from fastcnn.onnx.rewrite.patterns import Patterns

#: Operators that change no number, only the axes of 1.
SHAPING = ("Expand", "Reshape", "Unsqueeze")

_MOST = 24  # nodes of the longest chain that is tried


@dataclass(frozen=True)
class Region:
    """Nodes in their order, the last of which gives the value, and the one name they read from outside.

    Attributes
    ----------
    source : str
    nodes : tuple of OnnxNode
    numbers : dict
        The constants among what they read: single numbers, and vectors where those are known.
    axes : dict
        Those of the reductions, by the nodes' outputs.
    flat : frozenset of str
        The outputs of reductions that take their axes away; a later node has to give them back.
    """

    source: str
    nodes: tuple[OnnxNode, ...]
    numbers: dict[str, Any]
    axes: dict[str, tuple[int, ...]]
    flat: frozenset[str]

    def __call__(self, x: np.ndarray) -> Any:
        """Return what the nodes make of numbers; None where an attribute is one that is not known here."""
        values: dict[str, Any] = {**self.numbers, self.source: x, "": None}
        with np.errstate(all="ignore"):
            try:
                for node in self.nodes:
                    values[node.outputs[0]] = self._computed(node, values)
            except (TypeError, ValueError):
                return None
        return values[self.nodes[-1].outputs[0]]

    def _computed(self, node: OnnxNode, values: dict[str, Any]) -> Any:
        """Return what one node makes of arrays, in which the axes of a reduction stay as 1."""
        if node.outputs[0] in self.axes:
            return REDUCTIONS[node.operator](values[node.inputs[0]], self.axes[node.outputs[0]])
        if node.operator in SHAPING:
            return values[node.inputs[0]]
        return ELEMENTWISE[node.operator](*(values[name] for name in node.inputs), **node.attributes)

    def has_its_axes(self) -> bool:
        """Return whether axes that a reduction took away are given back before the value meets others."""
        lacking = set(self.flat)
        for node in self.nodes:
            values = [name for name in node.inputs if name not in self.numbers and name]
            lacks = [name in lacking for name in values[:1] if node.operator in SHAPING] or [
                name in lacking for name in values]
            if node.operator in ("Reshape", "Unsqueeze"):
                if not all(lacks):
                    return False
            elif any(lacks) and (not all(lacks) or node.operator in (*REDUCTIONS, "Expand")):
                return False
            elif any(lacks):
                lacking.add(node.outputs[0])
        return self.nodes[-1].outputs[0] not in lacking


def regions(p: Patterns, last: OnnxNode, is_known: Callable[[Patterns, OnnxNode], bool], most: int = _MOST
            ) -> Iterator[Region]:
    """Yield the chains of at least two nodes that end with a node, from the shortest to the longest.

    Parameters
    ----------
    p : Patterns
    last : OnnxNode
    is_known : callable
        (patterns, node) -> whether it may be a part.
    most : int
        Nodes of the longest.
    """
    if not is_known(p, last) or p.trials <= 0:
        return
    nodes, inside = [last], {id(last)}
    while len(nodes) <= most:
        made = {name for node in nodes for name in node.outputs}
        read = {name for node in nodes for name in node.inputs if name in p.moving} - made
        if len(read) == 1 and len(nodes) > 1:
            p.trials -= 1
            yield _region(p, read.copy().pop(), nodes)
        if not read or p.trials <= 0:  # a shape alone; enough
            return
        name = max(read, key=lambda name: p.place.get(name, -1))
        node = p.maker.get(name)
        if node is None or id(node) in p.gone or id(node) in p.new or not is_known(p, node):
            return
        if name in p.results or any(id(reader) not in inside for reader in p.readers[name]):
            return
        nodes.insert(0, node)
        inside.add(id(node))


def _region(p: Patterns, source: str, nodes: list[OnnxNode]) -> Region:
    ordered = sorted(nodes, key=lambda node: p.place[node.outputs[0]])
    names = {name for node in nodes for name in node.inputs}
    numbers = {name: p.vector(name) if (number := p.number(name)) is None else number for name in names}
    axes = {node.outputs[0]: axes_of(p, node) for node in nodes if node.operator in REDUCTIONS}
    return Region(source, tuple(ordered), {name: n for name, n in numbers.items() if n is not None},
                  {name: found for name, found in axes.items() if found is not None},
                  frozenset(name for name in axes if not p.maker[name].attributes.get("keepdims", 1)))


def is_elementwise(p: Patterns, node: OnnxNode) -> bool:
    """Return whether a node computes number by number, of values and single constants."""
    return not node.domain and node.operator in ELEMENTWISE and len(node.outputs) == 1 and all(
        not name or name in p.moving or p.number(name) is not None for name in node.inputs)


def axes_of(p: Patterns, node: OnnxNode) -> tuple[int, ...] | None:
    """Return the axes of a reduction; None if it names none."""
    given: Any = node.attributes.get("axes")
    if len(node.inputs) > 1:
        found = p.constant(node.inputs[1])
        given = None if found is None else found.reshape(-1).tolist()
    return tuple(given) if given else None
