"""The walk that finds the parts of a graph which layers can run.

It goes in rounds. What the importer can convert becomes layers of one model. What it cannot, and what depends on that,
waits; then the model runs, the operators behind it run by the table, and what they made is the input of the next
round::

    nodes       Conv  Relu  NonZero  Conv  Gather  Conv  Softmax
    round 1     Conv  Relu  .......  Conv  ......  ....  .......      a model of three layers
    operators               NonZero        Gather
    round 2                                        Conv  Softmax      a model of two

So the shapes of what operators make are seen, not inferred: a schedule is written while its first inputs are computed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ModelFileError
from fastcnn.models import Model
from fastcnn.onnx import convert as _convert  # noqa: F401  (enters the converters)
from fastcnn.onnx._executor import step_of
from fastcnn.onnx._graph import OnnxGraph, OnnxNode
from fastcnn.onnx._importer import Importer, Unknown
from fastcnn.onnx._layout_view import View, channels_last, laid_out
from fastcnn.onnx._schedule import Layers, Operators, Part, Start, Values
from fastcnn.onnx.operators import find
from fastcnn.onnx.operators._memory import in_memory_order, is_float
from fastcnn.symbolic import Tensor

#: Operators that make it worth to have layers in the place of nodes.
HEAVY = {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "Gemm", "GlobalAveragePool", "MatMul",
         "MaxPool"}
FEWEST = 2  # nodes of a model

#: Operators whose outputs have another shape for other data.
_OF_FREE_SHAPE = {"Compress", "If", "Loop", "NonMaxSuppression", "NonZero", "Scan", "Unique"}

#: Operators whose outputs have another type than their inputs, or are none: a layer has floats alone.
_BY_TABLE = {"And", "ArgMax", "ArgMin", "Cast", "CastLike", "DequantizeLinear", "Dropout", "Equal", "Greater",
             "GreaterOrEqual", "IsInf", "IsNaN", "Less", "LessOrEqual", "Not", "Or", "QuantizeLinear",
             "SplitToSequence", "TopK", "Xor"}


class NoOperatorError(Exception):
    """A pattern that no layer stands for here, and the table has no operator of its name."""


def suits(x: Any) -> bool:
    """Return whether an array may be what a model is given."""
    return isinstance(x, np.ndarray) and is_float(x) and x.ndim > 1 and x.size > 0


class Rounds:
    """The walk over a graph.

    Attributes
    ----------
    im : Importer
        Its values are views of this round's tensors, and constants.
    arrays : dict
        What was computed, by name and by tensor.
    left : list of OnnxNode
    by_table : set of int
        Nodes that no layer is to stand for, by identity.
    starts : dict
        Where models may begin, by tensor.
    shapes : dict
        Of operators' outputs that layers rely on.
    free : set of str
        What has another shape for other data.
    parts : list of Part
    """

    def __init__(self, graph: OnnxGraph, who: str, arrays: dict[str, np.ndarray], taken: list[str]) -> None:
        self.graph, self.who, self.arrays = graph, who, Values(arrays)
        values = tuple(replace(value, shape=arrays[value.name].shape, dtype=arrays[value.name].dtype)
                       for value in graph.inputs if value.name in taken)
        self.im = Importer(replace(graph, inputs=values), who, {}, False)
        self.left = list(graph.nodes)
        self.by_table = {id(node) for node in graph.nodes if not _has_layers(node)}
        self.parts: list[Part] = []
        views = {name: self.im.values[name] for name in taken}
        self.starts = {view.tensor: Start(view.tensor, name, not view.is_natural) for name, view in views.items()}
        self.shapes: dict[str, tuple[int, ...]] = {}
        self.free: set[str] = set()

    def run(self) -> None:
        """Walk until no node is left."""
        while self.left:
            self._round()
        for at, part in enumerate(self.parts):
            if isinstance(part, Operators):
                known = tuple((name, self.shapes[name]) for name in sorted(part.makes & self.shapes.keys()))
                self.parts[at] = replace(part, shapes=known)

    def array(self, name: str) -> Any:
        """Return a value in the file's order, computed or constant."""
        return self.arrays[name] if name in self.arrays else self.im.values[name]

    def _round(self) -> None:
        waiting, made, missing = list[OnnxNode](), list[OnnxNode](), set[str]()
        known = len(self.by_table)
        for node in self.left:
            if id(node) in self.im.absorbed or (missing.isdisjoint(node.reads()) and self._converted(node)):
                made.append(node)
            elif missing.isdisjoint(node.reads()) and self._is_ready(node):
                self._execute(node)
            else:
                waiting.append(node)
                missing.update(node.outputs)
        if len(waiting) == len(self.left) and len(self.by_table) == known:
            raise ModelFileError(f"{self.who}: expected inputs of {waiting[0]} that something makes, got none")
        wanted = {value.name for value in self.graph.outputs}.union(*(node.reads() for node in waiting))
        views = {name: view for name, view in self.im.values.items() if name in wanted and isinstance(view, View)}
        moving = [node for node in made if self._moves(node)]
        odd = [node for node in moving if any(name in wanted and self._is_odd(name) for name in node.outputs)]
        if odd:
            self.by_table.update(map(id, odd))
            waiting = self._back(waiting, moving)
        elif len(moving) >= FEWEST and any(node.operator in HEAVY for node in moving):
            if new := {name: view for name, view in views.items() if name not in self.arrays}:
                self._model(new)
            self._go_on_from(views)
        elif moving:  # the table does it as well
            self.by_table.update(map(id, moving))
            waiting = self._back(waiting, moving)
        self.left = waiting

    def _moves(self, node: OnnxNode) -> bool:
        """Return whether a node that was converted has become more than constants."""
        return any(not isinstance(self.im.values.get(name), np.ndarray) for name in node.outputs if name)

    def _is_odd(self, name: str) -> bool:
        """Return whether a value is known to the importer alone: as none that a model makes."""
        return name not in self.arrays and not isinstance(self.im.values.get(name), (View, np.ndarray))

    def _converted(self, node: OnnxNode) -> bool:
        """Make layers of a node, or a constant; return whether that can be."""
        if id(node) in self.by_table or any(name not in self.im.values for name in node.reads()):
            return False
        absorbed = set(self.im.absorbed)
        self.im.reasons.clear()
        self.im._convert(node)
        if not self.im.reasons and not any(isinstance(self.im.values.get(name), Unknown) for name in node.outputs):
            return True
        self.im.absorbed = absorbed
        self.by_table.add(id(node))
        for name in node.outputs:
            self.im.values.pop(name, None)
        return False

    def _is_ready(self, node: OnnxNode) -> bool:
        """Return whether all that a node reads is computed."""
        return all(name in self.arrays or isinstance(self.im.values.get(name), np.ndarray) for name in node.reads())

    def _execute(self, node: OnnxNode) -> None:
        """Run a node by the table; what can be a layer's input becomes one of this round's model."""
        if find(node.domain, node.operator) is None:
            raise NoOperatorError
        part = Operators(step_of(node, self.graph.opsets, self.who))
        values = {name: self.array(name) for name in node.reads()}
        part.run(values, self.who)
        self.parts.append(part)
        free = node.operator in _OF_FREE_SHAPE or not self.free.isdisjoint(node.reads())
        self.free |= part.makes if free else set()
        for name in part.makes & values.keys():
            x = self.arrays[name] = values[name]
            if not free and suits(x) and x.dtype == self.im.dtype and len(x) == self.im.batch:
                self.shapes[name] = x.shape
                moves = x.ndim > 2 and in_memory_order(x)[1]
                tensor = self._input(name, (*x.shape[2:], x.shape[1]) if moves else x.shape[1:])
                self.starts[tensor] = Start(tensor, name, moves)
                self.im.values[name] = channels_last(tensor) if moves else laid_out(tensor)

    def _input(self, name: str, shape: Sequence[int]) -> Tensor:
        return layers.Input(tuple(map(int, shape)), name=self.im.name(name), dtype=self.im.dtype)

    def _model(self, views: dict[str, View]) -> None:
        """Make the model of this round, and compute what is wanted of it."""
        tensors = dict.fromkeys(view.tensor for view in views.values())
        outputs = tuple(tensor for tensor in tensors if tensor not in self.starts)
        inputs = list(_begins(outputs))
        model = Model(inputs, list(outputs)) if outputs else None
        starts = dict.fromkeys((*inputs, *(tensor for tensor in tensors if tensor in self.starts)))
        part = Layers(model, tuple(self.starts[tensor] for tensor in starts), outputs, tuple(views.items()))
        part.run(self.arrays, self.who)
        self.parts.append(part)

    def _go_on_from(self, views: dict[str, View]) -> None:
        """Let what this round's model made, and what it was given, be inputs of the next."""
        for name in [name for name, value in self.im.values.items() if isinstance(value, View)]:
            if name not in views:
                del self.im.values[name]
        self.im.moved.clear()
        new: dict[Tensor, Tensor] = {}
        for name, view in views.items():
            if view.tensor not in self.starts and view.tensor not in new:
                new[view.tensor] = self._input(name, view.tensor.shape[1:])
            if view.tensor in new:
                self.im.values[name] = view.on(new[view.tensor])
        self.starts |= {tensor: Start(tensor, key, False) for key, tensor in new.items()}

    def _back(self, waiting: list[OnnxNode], made: list[OnnxNode]) -> list[OnnxNode]:
        """Return the nodes that wait, with those that were converted and are not to be yet."""
        self.im.absorbed -= set(map(id, made))
        for node in made:
            for name in node.outputs:
                self.im.values.pop(name, None)
        again = {*map(id, waiting), *map(id, made)}
        return [node for node in self.graph.nodes if id(node) in again]


def _has_layers(node: OnnxNode) -> bool:
    operator = find(node.domain, node.operator)
    return node.operator not in _BY_TABLE and (operator is None or operator.pure)


def _begins(outputs: Sequence[Tensor]) -> Iterator[Tensor]:
    """Yield the inputs that tensors depend on, each once, in the order of a search from the first."""
    left, seen = list(outputs)[::-1], set[int]()
    while left:
        tensor = left.pop()
        if id(tensor) not in seen:
            seen.add(id(tensor))
            if not tensor.node.inputs:
                yield tensor
            left.extend(reversed(tensor.node.inputs))
