"""From a graph of the file to a model: constants are computed, every node that is left becomes layers.

The batch is free in the model whatever the file says. Shapes that the file computes are computed here, with the number
that the file has for its batch, or one that nothing else has.
"""

import inspect
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ArgumentError, ModelFileError
from fastcnn.layers.base import Layer
from fastcnn.layers.symbolic import Tensor
from fastcnn.onnx._graph import Graph, Node, Value
from fastcnn.onnx._program import Step, execute
from fastcnn.onnx._view import Dim, View, channels_last, laid_out, runs, transposed
from fastcnn.onnx.operators import find

#: Operators that tell nothing about the order of an image's axes.
_BLIND = {"Abs", "Add", "Cast", "Celu", "Clip", "Div", "Dropout", "Elu", "Erf", "Exp", "Gelu", "HardSigmoid",
          "HardSwish", "Identity", "LeakyRelu", "Max", "Mean", "Min", "Mish", "Mul", "Neg", "Pad", "Pow", "Relu",
          "Selu", "Sigmoid", "Softplus", "Softsign", "Sub", "Sum", "Swish", "Tanh", "ThresholdedRelu"}

#: Operators whose second dimension is the channels'.
_IMAGES = {"AveragePool", "BatchNormalization", "Conv", "ConvTranspose", "InstanceNormalization", "MaxPool", "Pad"}

_NO_BATCH = 7919  # a free batch: a prime that no other dimension has


class NotOfferedError(Exception):
    """A node that no layer stands for, with the reason."""


class Unknown:
    """A value that depends on a node that is not offered."""


Converter = Callable[..., Any]

#: The name of a later value, and the transposes on the way to it.
Later = tuple[str, tuple[tuple[int, ...], ...]]
_converters: dict[str, Converter] = {}


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


def convertible() -> list[str]:
    """Return the names of the operators that become layers."""
    return sorted(_converters)


class Importer:
    """One graph on its way to a model.

    Parameters
    ----------
    graph : Graph
    who : str
        What errors call the file.
    input_shapes : dict
        Shapes of inputs without the batch, in the file's order, in place of what the file says.
    channels_first : bool
        Whether inputs and outputs keep the file's order.
    """

    def __init__(self, graph: Graph, who: str, input_shapes: dict[str, Any], channels_first: bool) -> None:
        self.graph, self.who, self.channels_first = graph, who, channels_first
        self.values: dict[str, Any] = dict(graph.constants)
        self.reasons: dict[str, list[str]] = defaultdict(list)
        self.names: Counter[str] = Counter()
        self.readers: dict[str, list[Node]] = defaultdict(list)
        for node in graph.nodes:
            for name in node.reads():
                self.readers[name].append(node)
        self.makers = {name: node for node in graph.nodes for name in node.outputs if name}
        self.results = [value.name for value in graph.outputs]
        self.absorbed: set[int] = set()
        self.moved: dict[Any, Tensor] = {}  # what was arranged already
        self.file_is_last = False  # whether the file has images channels-last, too
        self.dtype = "float64" if any(v.dtype == np.float64 for v in graph.inputs) else "float32"
        self.batch = _batch(graph)
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
        if self.reasons:
            parts = [f"{reason} ({', '.join(nodes[:3])}{', ...' if len(nodes) > 3 else ''})"
                     for reason, nodes in sorted(self.reasons.items())]
            raise ModelFileError(f"{self.who}: expected nodes that layers of fastcnn stand for, "
                                 f"got {'; '.join(parts)}; fastcnn.onnx.backend runs more operators, without training")
        return self.inputs, [self._output(value.name) for value in self.graph.outputs]

    def _convert(self, node: Node) -> None:
        inputs = [self.values[name] if name else None for name in node.inputs]
        results: Any
        try:
            if any(isinstance(value, Unknown) for value in inputs):
                if node.operator not in _converters and find(node.domain, node.operator) is None:
                    raise NotOfferedError(f"operator {node.operator}")
                results = [Unknown() for _ in node.outputs]
            elif node.operator == "If" and isinstance(inputs[0], np.ndarray):
                results = self._branch(node.attributes["then_branch" if inputs[0].all() else "else_branch"])
            elif not any(isinstance(value, View) for value in inputs):
                results = self._computed(node)
            else:
                results = self._layered(node, inputs)
        except NotOfferedError as error:
            self.reasons[str(error)].append(str(node))
            results = [Unknown() for _ in node.outputs]
        except (ArgumentError, ModelFileError) as error:
            self.reasons[f"{node.operator}: {error}"].append(str(node))
            results = [Unknown() for _ in node.outputs]
        results = list(results) if isinstance(results, (tuple, list)) else [results]
        for name, value in zip(node.outputs, results):
            if name:
                self.values[name] = value

    def _branch(self, graph: Graph) -> list[Any]:
        """Convert the nodes of a graph inside a node as if they stood outside."""
        self.values |= graph.constants
        self.results += [value.name for value in graph.outputs]
        for node in graph.nodes:
            self.makers |= {name: node for name in node.outputs if name}
            for name in node.reads():
                self.readers[name].append(node)
        for node in graph.nodes:
            if id(node) not in self.absorbed:
                self._convert(node)
        return [self.values[value.name] for value in graph.outputs]

    def _computed(self, node: Node) -> list[Any]:
        operator = find(node.domain, node.operator)
        if operator is None or node.graphs() or set(node.attributes) - operator.attributes:
            raise NotOfferedError(f"operator {node.operator}")
        told = {"opset": self.opset(node), "outputs": len(node.outputs), "kept": {}}
        keywords = node.attributes | {name: told[name] for name in operator.told}
        found = execute(Step(node, operator, keywords, {}), self.values, self.who)
        return [found.get(name) for name in node.outputs]

    def _layered(self, node: Node, inputs: Sequence[Any]) -> Any:
        function = _converters.get(node.operator) if not node.domain else None
        if function is None:
            raise NotOfferedError(f"operator {node.domain + '.' if node.domain else ''}{node.operator}")
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

    def opset(self, node: Node) -> int:
        """Return the version of a node's operator set."""
        return self.graph.opsets.get(node.domain, 1)

    # --- the borders ------------------------------------------------------------------------------------------------

    def _input(self, value: Value, input_shapes: dict[str, Any]) -> Tensor:
        shape = tuple(input_shapes[value.name]) if value.name in input_shapes else (value.shape or ())[1:]
        who = f"{self.who}: input {value.name!r}"
        if value.dtype is None or value.dtype.kind != "f" or (value.shape is not None and not value.shape):
            raise ModelFileError(f"{who}: expected floats with a batch, got {value.dtype} {value.shape}; "
                                 "fastcnn.onnx.backend runs such files")
        free = [n for n in shape if not isinstance(n, (int, np.integer)) or n < 1]
        if free or not shape:
            raise ArgumentError(f"{who}: expected a size for every dimension after the batch, got {value.shape}; "
                                f"give input_shapes={{{value.name!r}: (3, 224, 224)}}, say")
        name = self.name(value.name)
        rank = len(shape)
        is_file_order = rank == 1 or self._is_transposed_at_once(value.name, rank)
        make = lambda shape: layers.Input(shape=tuple(map(int, shape)), name=name, dtype=self.dtype)
        self.file_is_last |= is_file_order and rank > 1
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
        if not isinstance(value, View):
            raise ModelFileError(f"{self.who}: expected outputs that depend on an input, got {name!r}, which does not")
        as_in_file = self.channels_first or self.file_is_last or len(value.dims) < 2
        if as_in_file or (value.is_natural and not value.is_channels_last):
            return self.arranged(value, value.dims)
        return self.arranged(value, (*value.dims[1:], value.dims[0]))

    # --- for converters ---------------------------------------------------------------------------------------------

    def name(self, wanted: str) -> str:
        """Return a name for a layer that no other has."""
        plain = re.sub(r"[^0-9A-Za-z_.\-]+", "_", wanted).strip("_.") or "layer"
        count = self.names[plain]
        self.names[plain] += 1
        return self.name(f"{plain}_{count}") if count else plain

    def apply(self, node: Node | None, make: Callable[..., Layer], x: Any, *args: Any, weights: Any = None,
              **kwargs: Any) -> Any:
        """Make a layer, call it and set its weights; return the tensor, or tensors.

        Parameters
        ----------
        node : Node or None
            For the name.
        make : layer class
        x : Tensor or list of them
        *args, **kwargs
            The layer's arguments.
        weights : list of arrays, optional
        """
        label = make.__name__.lower() if node is None else node.name or f"{node.operator}_{node.outputs[0]}"
        if weights is not None:
            kwargs |= {name: "zeros" for name in inspect.signature(make.__init__).parameters
                       if name == "kernel_initializer"}
        layer = make(*args, name=self.name(label), dtype=self.dtype, **kwargs)
        y = layer(x)
        if weights is not None:
            layer.set_weights([np.asarray(w, self.dtype) for w in weights])
        return y

    def also(self, node: Node, later: Later, view: View) -> View:
        """Return the output of a node, which is the value of a later name, too, if nodes were taken with it."""
        name, turns = later
        if name != node.outputs[0]:
            after = view
            for turn in turns:
                after = transposed(after, [axis - 1 for axis in turn[1:]])
            self.values[name] = after
        return view

    def arranged(self, view: View, groups: Sequence[Dim], shape: Sequence[int] | None = None) -> Tensor:
        """Return a tensor with the atoms of `groups` one after the other, a dimension for each; moved where needed.

        Parameters
        ----------
        view : View
        groups : sequence of tuple of int
        shape : sequence of int, optional
            Other dimensions of the same order.
        """
        pieces, order, sizes = runs(view, groups)
        shape = tuple(sizes if shape is None else shape)
        key = view.tensor, pieces, order, shape
        if key not in self.moved:
            tensor = view.tensor
            if order != tuple(range(len(order))):
                tensor = self.apply(None, layers.Permute, self.shaped(tensor, pieces), tuple(at + 1 for at in order))
            self.moved[key] = self.shaped(tensor, shape)
        return self.moved[key]

    def shaped(self, tensor: Tensor, shape: Sequence[int]) -> Tensor:
        """Return a tensor with other dimensions of the same memory."""
        return tensor if tensor.shape[1:] == tuple(shape) else self.apply(None, layers.Reshape, tensor, tuple(shape))

    def in_channels_last(self, view: View) -> View:
        """Return the view with its first dimension last in memory."""
        return channels_last(self.image(view))

    def image(self, view: View, rank: int | None = None) -> Tensor:
        """Return (N, ..., C) of the file's (N, C, ...).

        Raises
        ------
        NotOfferedError
            If it has another number of dimensions than `rank` and the channels.
        """
        if not view.dims or (rank is not None and len(view.dims) != rank + 1):
            raise NotOfferedError(f"an input of {len(view.dims) + 1} dimensions")
        return self.arranged(view, (*view.dims[1:], view.dims[0]))

    def flat(self, view: View) -> Tensor:
        """Return (N, numbers) in the order of memory."""
        return self.arranged(view, (tuple(range(len(view.sizes))),))

    def with_last(self, view: View, axis: int) -> tuple[Tensor, Callable[[Tensor], View]]:
        """Return (N, ..., numbers along one dimension), and the way from such a tensor back to a view.

        Parameters
        ----------
        view : View
        axis : int
            The dimension, without the batch.
        """
        last = view.dims[axis]
        others = tuple(atom for atom in range(len(view.sizes)) if atom not in last)
        if (*others, *last) == tuple(range(len(view.sizes))) and view.tensor.shape[-1] == view.shape[axis]:
            return view.tensor, view.on
        tensor = self.arranged(view, (others, last))
        return tensor, lambda y: self._moved(view, y, (others, last))

    @staticmethod
    def _moved(view: View, tensor: Tensor, groups: Sequence[Dim]) -> View:
        """Return the view of what has the atoms of `view` in the order of `groups`."""
        place = {atom: at for at, atom in enumerate(atom for group in groups for atom in group)}
        sizes = tuple(view.sizes[atom] for atom in place)
        return View(tensor, sizes, tuple(tuple(place[atom] for atom in dim) for dim in view.dims))

    def constant(self, value: Any, what: str) -> np.ndarray:
        """Return an input that has to be a constant."""
        if not isinstance(value, np.ndarray):
            raise NotOfferedError(f"{what} that is computed from the data")
        return value

    def following(self, name: str) -> Node | None:
        """Return the only node that reads a value, or None if there is another number of them."""
        nodes = self.readers[name]
        return nodes[0] if len(nodes) == 1 and name not in self.results else None

    def affine_after(self, node: Node, rank: int, channels: int, axis: int = 1) -> tuple[np.ndarray, np.ndarray, Later]:
        """Take the products and sums with constants by channel that follow a node and that nobody else reads.

        Transposes and casts on the way are passed by.

        Parameters
        ----------
        node : Node
        rank, axis : int
            Dimensions of its output, and which of them is the channels'.
        channels : int

        Returns
        -------
        array, array
            Scale and offset, (channels,) each.
        Later
            What the last output is, for `also`.
        """
        scale, offset, name = np.ones(channels), np.zeros(channels), node.outputs[0]
        taken: Later = (name, ())
        passed: list[Node] = []
        turns: list[tuple[int, ...]] = []
        while (after := self.following(name)) is not None and not after.domain:
            numbers = self._by_channel(after, name, rank, channels, axis)
            passed.append(after)
            if numbers is not None:
                scale, offset = _composed(after, name, scale, offset, numbers)
                self.absorbed.update(map(id, passed))
                passed, taken = [], (after.outputs[0], tuple(turns))
            elif after.operator == "Transpose" and after.attributes.get("perm", [1])[0] == 0:
                turns.append(tuple(after.attributes["perm"]))
                axis = turns[-1].index(axis)
            elif after.operator != "Identity" and (after.operator, after.attributes.get("to")) != ("Cast", 1):
                break
            name = after.outputs[0]
        return scale, offset, taken

    def _by_channel(self, node: Node, name: str, rank: int, channels: int, axis: int) -> np.ndarray | None:
        """Return the constant that a node adds, subtracts or multiplies, a number a channel; None if it is none."""
        if node.operator not in ("Add", "Sub", "Mul", "Div") or len(node.inputs) != 2 or "axis" in node.attributes:
            return None
        other = node.inputs[0] if node.inputs[1] == name else node.inputs[1]
        value = self.known(other)
        if value is None or other == name or value.dtype.kind != "f" or value.ndim > rank:
            return None
        if node.operator == "Div" and node.inputs[1] == name:
            return None
        shape = (1,) * (rank - value.ndim) + value.shape
        if any(n != 1 for at, n in enumerate(shape) if at != axis) or shape[axis] not in (1, channels):
            return None
        return np.broadcast_to(value.reshape(-1), (channels,)).astype(np.float64)

    def known(self, name: str) -> np.ndarray | None:
        """Return the value of a name if it is a constant, computed already or through a chain of one-input nodes."""
        value = self.values.get(name)
        if isinstance(value, np.ndarray):
            return value
        if value is not None:
            return None
        node = self.makers.get(name)
        if node is None or not node.inputs or any(self.known(one) is None for one in node.inputs if one):
            return None
        self._convert(node)
        self.absorbed.add(id(node))
        found = self.values.get(name)
        return found if isinstance(found, np.ndarray) else None


def _composed(node: Node, name: str, scale: np.ndarray, offset: np.ndarray,
              numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scale and offset with one more product or sum behind them."""
    if node.operator == "Mul":
        return scale * numbers, offset * numbers
    if node.operator == "Div":
        return scale / numbers, offset / numbers
    if node.operator == "Add":
        return scale, offset + numbers
    if node.inputs[0] == name:
        return scale, offset - numbers
    return -scale, numbers - offset


def _batch(graph: Graph) -> int:
    """Return the file's batch, or the number that stands for a free one."""
    found = {value.shape[0] for value in graph.inputs if value.shape}
    fixed = {n for n in found if isinstance(n, int) and n > 0}
    if len(fixed) > 1:
        raise ModelFileError(f"expected inputs of one batch, got {sorted(fixed)}")
    return fixed.pop() if fixed else _NO_BATCH
