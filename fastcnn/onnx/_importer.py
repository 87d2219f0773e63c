"""From a graph of the file to a model: constants are computed, every node that is left becomes layers.

The batch is free in the model whatever the file says. `_dynamic_batch.py` explains what the file computes from it.
"""

import inspect
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.onnx._dynamic_batch import DynamicBatch
from fastcnn.onnx._executor import FAULTS, OperatorCall, alive
from fastcnn.onnx._fold_affine import Folding
from fastcnn.onnx._graph import OnnxGraph, OnnxNode, ValueInfo
from fastcnn.onnx._layout import Arranging, NotOfferedError
from fastcnn.onnx._layout_view import Parts, View, channels_last, laid_out
from fastcnn.onnx._moved_batch import Turned, straight
from fastcnn.onnx._types import FLOAT, suits, types_after
from fastcnn.onnx.operators import find
from fastcnn.symbolic import Tensor

#: Operators that tell nothing about the order of an image's axes.
_BLIND = {"Abs", "Add", "Cast", "Ceil", "Celu", "Clip", "Div", "Dropout", "Elu", "Equal", "Erf", "Exp", "Floor", "Gelu",
          "Greater", "GreaterOrEqual", "HardSigmoid", "HardSwish", "Identity", "LeakyRelu", "Less", "LessOrEqual",
          "Log", "LogSigmoid", "Max", "Mean", "Min", "Mish", "Mul", "Neg", "Not", "Pad", "Pow", "Reciprocal", "Relu",
          "Round", "Selu", "Shrink", "Sigmoid", "Sign", "Softplus", "Softsign", "Sqrt", "Sub", "Sum", "Swish", "Tanh",
          "Threshold", "ThresholdedRelu", "Where"}

#: Operators whose second dimension is the channels'.
_IMAGES = {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "Detections", "InstanceNormalization",
           "MaxPool", "Pad"}


#: Inputs that are boxes or places, (N, ..., numbers of each), by operator and position: they have no channels.
_LISTS = {("RegionsAlign", 1), ("RegionsPool", 1), ("GridSample", 1), ("Detections", 0)}


class Unknown:
    """A value that depends on a node that is not offered."""


Converter = Callable[..., Any]

_converters: dict[str, Converter] = {}
_of_turned: dict[str, Converter] = {}


def converter(*names: str) -> Callable[[Converter], Converter]:
    """Enter the function below as what makes layers of a node: function(importer, *inputs, **attributes).

    Inputs are views, arrays or None. The keywords node, opset and outputs are told, as `operators` are; the result is
    a view, or a tuple of them.
    """

    def enter(function: Converter) -> Converter:
        for name in names:
            _converters[name] = function
        return function

    return enter


def of_turned(*names: str) -> Callable[[Converter], Converter]:
    """Enter the function below for a first input whose batch is not its first dimension, a `Turned`."""

    def enter(function: Converter) -> Converter:
        _of_turned.update(dict.fromkeys(names, function))
        return function

    return enter


class Importer(Arranging, DynamicBatch, Folding):
    """One graph on its way to a model.

    Parameters
    ----------
    graph : OnnxGraph
    who : str
        What errors call the file.
    input_shapes : dict
        Shapes of inputs without the batch, in the file's order, in place of what the file says.
    channels_first : bool
        Whether inputs and outputs keep the file's order.
    """

    def __init__(self, graph: OnnxGraph, who: str, input_shapes: dict[str, Any], channels_first: bool) -> None:
        self.graph, self.who, self.channels_first = graph, who, channels_first
        DynamicBatch.__init__(self, graph.inputs)
        self.values: dict[str, Any] = dict(graph.constants)
        self.reasons: dict[str, list[str]] = defaultdict(list)
        self.names: Counter[str] = Counter()
        self.types: dict[str, str] = {}  # of what is no float in the file
        self.readers: dict[str, list[OnnxNode]] = defaultdict(list)
        for node in graph.nodes:
            for name in node.reads():
                self.readers[name].append(node)
        self.makers = {name: node for node in graph.nodes for name in node.outputs if name}
        self.results = [value.name for value in graph.outputs]
        self.absorbed: set[int] = set()
        self.moved: dict[Any, Tensor] = {}  # what was arranged already
        self.file_is_last = False  # whether the file has images channels-last, too
        self.dtype = "float64" if any(v.dtype == np.float64 for v in graph.inputs) else "float32"
        self.inputs = [self._input(value, input_shapes) for value in graph.inputs]

    # --- the walk ---------------------------------------------------------------------------------------------------

    def run(self) -> tuple[list[Tensor], list[Tensor]]:
        """Return the model's inputs and outputs.

        Raises
        ------
        ModelFileError
            All nodes that no layer stands for, in one message.
        """
        with np.errstate(all="ignore"):
            for node in self.graph.nodes:
                if id(node) not in self.absorbed:
                    self._convert(node)
        for name in dict.fromkeys(self.results):
            self._straighten(name)
        if self.reasons:
            parts = [f"{reason} ({', '.join(nodes[:3])}{', ...' if len(nodes) > 3 else ''})"
                     for reason, nodes in sorted(self.reasons.items())]
            raise ModelFileError(f"{self.who}: expected nodes that layers of fastcnn stand for, "
                                 f"got {'; '.join(parts)}; fastcnn.onnx.backend runs more operators, without training")
        return self.inputs, [self._output(value.name) for value in self.graph.outputs]

    def _convert(self, node: OnnxNode) -> None:
        # What is missing was to come from a node that was taken into another, which is refused.
        inputs = [self.values.get(name, Unknown()) if name else None for name in node.inputs]
        results: Any = []
        reason, culprit = "", node
        try:
            if any(isinstance(value, Unknown) for value in inputs):
                if node.operator not in _converters and find(node.domain, node.operator) is None:
                    raise NotOfferedError(f"operator {node.operator}")
                results = [Unknown() for _ in node.outputs]
            elif node.operator == "If" and isinstance(inputs[0], np.ndarray):
                self.require_any_batch(node)
                results = self._branch(node, node.attributes["then_branch" if inputs[0].all() else "else_branch"])
            elif not any(isinstance(value, (View, Turned, Parts)) for value in inputs):
                results = self._computed(node)
            else:
                results = self._layered(node, inputs)
        except NotOfferedError as error:
            reason, culprit = str(error), error.node or node
        except (ArgumentError, ModelFileError) as error:
            reason = f"{node.operator}: {error}"
        except FAULTS as error:
            reason = f"{node.operator} whose inputs or attributes do not suit it, {' '.join(str(error).split())}"
        results = list(results) if isinstance(results, (tuple, list)) else [results]
        for at, name in enumerate(node.outputs):
            value = results[at] if at < len(results) else None
            if value is None and not reason and self.is_wanted(name):
                reason = f"output {at + 1} of {node.operator}"
            if name:
                self.values[name] = Unknown() if value is None else value
        if reason and str(culprit) not in self.reasons[reason]:
            self.reasons[reason].append(str(culprit))

    def _straighten(self, name: str) -> None:
        """Let an output have its batch first, or note why it cannot."""
        try:
            self.values[name] = straight(self.values[name])
        except NotOfferedError as error:
            self.reasons[str(error)].append(str(error.node))

    def _branch(self, node: OnnxNode, graph: OnnxGraph) -> list[Any]:
        """Convert the nodes of a graph inside a node as if they stood outside; the names that it makes end with it."""
        nodes = alive(graph)
        own = {*graph.constants, *(name for inner in nodes for name in inner.outputs if name)}
        tables: list[dict[str, Any]] = [self.values, self.other, self.makers, self.readers]
        hidden = [{name: table.pop(name) for name in own & table.keys()} for table in tables]
        names = [value.name for value in graph.outputs]
        outer, self.results = self.results, [*self.results, *names]
        self.values |= graph.constants
        for inner in nodes:
            self.makers |= {name: inner for name in inner.outputs if name}
            for name in inner.reads():
                self.readers[name].append(inner)
        for inner in nodes:
            if id(inner) not in self.absorbed:
                self._convert(inner)
        found = [self.values.get(name, Unknown()) for name in names]
        other = {result: self.other[name] for result, name in zip(node.outputs, names) if name in self.other}
        for table, before in zip(tables, hidden):
            for name in own & table.keys():
                del table[name]
            table |= before
        self.other |= other
        self.results = outer
        return found

    def _computed(self, node: OnnxNode) -> list[Any]:
        operator = find(node.domain, node.operator)
        if operator is None or node.graphs() or set(node.attributes) - operator.attributes:
            raise NotOfferedError(f"operator {node.operator}")
        told = {"opset": self.opset(node), "outputs": len(node.outputs), "kept": {}}
        keywords = node.attributes | {name: told[name] for name in operator.told}
        found = self.for_any_batch(OperatorCall(node, operator, keywords, {}))
        return [found.get(name) for name in node.outputs]  # None for one that the operator does not give

    def _layered(self, node: OnnxNode, inputs: Sequence[Any]) -> Any:
        turned = _of_turned.get(node.operator) if isinstance(inputs[0], Turned) and not node.domain else None
        if turned is None:
            self.require_any_batch(node)
        types = [self.types.get(name, FLOAT) for name in node.inputs]
        if not suits(node, types):
            raise NotOfferedError(f"{node.operator} of {next(kind for kind in types if kind != FLOAT)}")
        self.types |= dict(zip(node.outputs, types_after(node, types), strict=False))
        function = turned or (_converters.get(node.operator) if not node.domain else None)
        if function is None:
            raise NotOfferedError(f"operator {node.domain + '.' if node.domain else ''}{node.operator}")
        inputs = inputs if turned else [straight(value) for value in inputs]
        known = inspect.signature(function).parameters
        told = {"node": node, "opset": self.opset(node), "outputs": len(node.outputs)}
        strange = [name for name in node.attributes if name not in known or name in told]
        if strange:
            raise NotOfferedError(f"attribute {strange[0]!r} of {node.operator}")
        keywords = node.attributes | {name: value for name, value in told.items() if name in known}
        try:
            inspect.signature(function).bind(self, *inputs, **keywords)
        except TypeError as error:
            raise NotOfferedError(f"{node.operator} with {len(inputs)} inputs ({error})") from None
        return function(self, *inputs, **keywords)

    def is_wanted(self, name: str) -> bool:
        """Return whether something reads a value."""
        return bool(name) and (name in self.results or bool(self.readers.get(name)))

    def opset(self, node: OnnxNode) -> int:
        """Return the version of a node's operator set."""
        return self.graph.opsets.get(node.domain, 1)

    # --- the borders ------------------------------------------------------------------------------------------------

    def _input(self, value: ValueInfo, input_shapes: dict[str, Any]) -> Tensor:
        shape = tuple(input_shapes[value.name]) if value.name in input_shapes else (value.shape or ())[1:]
        who = f"{self.who}: input {value.name!r}"
        if value.dtype is None or value.dtype.kind != "f" or (value.shape is not None and len(value.shape) < 2):
            raise ModelFileError(f"{who}: expected floats of a batch and at least one dimension after it, got "
                                 f"{value.dtype} {value.shape}; fastcnn.onnx.backend runs such files")
        free = [n for n in shape if not isinstance(n, (int, np.integer)) or n < 1]
        if free or not shape:
            raise ArgumentError(f"{who}: expected a size for every dimension after the batch, got {value.shape}; "
                                f"give input_shapes={{{value.name!r}: (3, 224, 224)}}, say, on the command line "
                                f"--input-shape {value.name}=3,224,224")
        name = self.name(value.name)
        rank = len(shape)
        is_list = any((node.operator, at) in _LISTS for node in self.readers[value.name]
                      for at, read in enumerate(node.inputs) if read == value.name)
        is_file_order = rank == 1 or is_list or self._is_transposed_at_once(value.name, rank)
        make = lambda shape: layers.Input(shape=tuple(map(int, shape)), name=name, dtype=self.dtype)
        self.file_is_last |= is_file_order and rank > 1 and not is_list
        if is_file_order:
            tensor = make(shape)
            self.values[value.name] = laid_out(tensor)
        elif self.channels_first:
            tensor = make(shape)
            self.values[value.name] = self.in_channels_last(laid_out(tensor))
        else:
            tensor = make((*shape[1:], shape[0]))
            self.values[value.name] = channels_last(tensor)
        return tensor

    def _is_transposed_at_once(self, name: str, rank: int) -> bool:
        """Return whether the file's own order is channels-last: whatever looks at an axis is a move of the last one.

        What treats all numbers alike, or a border that comes first, says nothing.
        """
        wanted, verdicts = [0, rank, *range(1, rank)], []
        left, seen = [name], {name}
        while left:
            for node in self.readers[left.pop()]:
                if node.operator in _BLIND and not node.domain:
                    left.extend(set(node.outputs) - seen)
                    seen.update(node.outputs)
                elif node.operator not in ("Shape", "Size"):
                    moved = node.operator == "Transpose" and node.attributes.get("perm") == wanted
                    if rank == 2:  # the way back would look the same
                        moved = moved and all(n.operator in _IMAGES for n in self.readers[node.outputs[0]])
                    verdicts.append(moved)
        return bool(verdicts) and all(verdicts)

    def _output(self, name: str) -> Tensor:
        value = self.values[name]
        if isinstance(value, Parts):
            raise ModelFileError(f"{self.who}: expected outputs that are tensors, got the sequence {name!r}; "
                                 "fastcnn.onnx.backend runs such files")
        if not isinstance(value, View):
            raise ModelFileError(f"{self.who}: expected outputs that depend on an input, got {name!r}, which does not")
        as_in_file = self.channels_first or self.file_is_last or len(value.dims) < 2
        if as_in_file or (value.is_natural and not value.is_channels_last):
            return self.arranged(value, value.dims)
        return self.arranged(value, (*value.dims[1:], value.dims[0]))
