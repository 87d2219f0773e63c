"""The nodes of a graph by what they make and read, and the replacements found so far."""

from collections import defaultdict

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx._executor import OperatorCall, execute
from fastcnn.onnx._graph import OnnxGraph, OnnxNode
from fastcnn.onnx.operators import find

_TRIALS = 5000
_SMALL = 2**14  # elements of a constant that is worth computing here


class Patterns:
    """A graph while it is rewritten.

    Attributes
    ----------
    maker : dict
        The node behind a name.
    readers : dict
        The nodes that read a name.
    place : dict
        The index of the node behind a name.
    results : set of str
        The names that are outputs.
    moving : set of str
        The names whose values depend on an input's, not on its shape alone.
    gone : set of int
        Nodes that are replaced, by identity.
    new : dict
        The node that stands in the place of another, by identity.
    operators : set of str
        Those of all nodes.
    trials : int
        How many chains may still be tried: a file of a hundred thousand nodes has to be loaded, too.
    """

    def __init__(self, graph: OnnxGraph) -> None:
        self.graph = graph
        self.maker = {name: node for node in graph.nodes for name in node.outputs if name}
        self.place = {name: at for at, node in enumerate(graph.nodes) for name in node.outputs if name}
        self.readers: dict[str, list[OnnxNode]] = defaultdict(list)
        self.moving = {value.name for value in graph.inputs}
        for node in graph.nodes:
            names = node.reads()
            for name in names:
                self.readers[name].append(node)
            if node.operator not in ("Shape", "Size") and names & self.moving:
                self.moving.update(name for name in node.outputs if name)
        self.results = {value.name for value in graph.outputs}
        self.gone: set[int] = set()
        self.new: dict[int, OnnxNode] = {}
        self.constants = dict(graph.constants)
        self.operators = {node.operator for node in graph.nodes}
        self.trials = _TRIALS

    def made_by(self, name: str, operator: str) -> OnnxNode | None:
        """Return the node behind a name if it is of an operator, and nobody else reads it."""
        node = self.maker.get(name)
        if node is None or node.domain or node.operator != operator or id(node) in self.gone or id(node) in self.new:
            return None
        return None if len(self.readers[name]) > 1 or name in self.results else node

    def number(self, name: str) -> float | None:
        """Return a constant of one element, which gives no value another dimension."""
        value = self.constant(name)
        is_one = value is not None and value.size == 1 and value.ndim < 2 and value.dtype.kind in "fiu"
        return float(value.reshape(-1)[0]) if is_one else None  # type: ignore[union-attr]

    def vector(self, name: str) -> np.ndarray | None:
        """Return a constant of several numbers along one dimension, floats."""
        value = self.constant(name)
        is_vector = value is not None and value.dtype.kind == "f" and sum(n != 1 for n in value.shape) == 1
        return value if is_vector else None

    def constant(self, name: str) -> np.ndarray | None:
        """Return a constant: one of the file's weights, or a few numbers that nodes make of constants."""
        left = [name]
        while left:
            node = self.maker.get(left[-1])
            if left[-1] in self.constants:
                left.pop()
                continue
            operator = None if node is None else find(node.domain, node.operator)
            if node is None or left[-1] in self.moving or operator is None or not operator.pure or node.graphs():
                return None
            given = [one for one in node.inputs if one]
            if missing := [one for one in given if one not in self.constants]:
                left += missing
                continue
            if any(not isinstance(self.constants[one], np.ndarray) or self.constants[one].size > _SMALL
                   for one in given):
                return None
            told = {"opset": self.graph.opsets.get(node.domain, 1), "outputs": len(node.outputs), "kept": {}}
            keywords = node.attributes | {key: told[key] for key in operator.told}
            try:
                self.constants |= execute(OperatorCall(node, operator, keywords, {}), self.constants, "model")
            except ModelFileError:  # which the importer tells, with the others
                return None
            if left[-1] not in self.constants:
                return None
        return self.constants[name] if isinstance(self.constants[name], np.ndarray) else None

    def put(self, last: OnnxNode, others: list[OnnxNode], new: OnnxNode) -> None:
        """Let one node stand in the place of several, of which `last` is the last."""
        self.gone.update(map(id, others))
        self.new[id(last)] = new
