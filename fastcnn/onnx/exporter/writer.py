"""The graph that is written, and in which order of dimensions each of its tensors is there.

fastcnn's images are channels-last, ONNX's channels-first. An `ExportedTensor` may be there in the one order, the other,
or both: a transposition is written when an operator wants an order that is not there yet, and never twice::

    images (N, H, W, C) --Transpose--> (N, C, H, W) --Conv--Relu--MaxPool--> (N, C, H', W') --Transpose--> outputs
"""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from fastcnn._version import __version__
from fastcnn.symbolic import as_shapes

LAST, FIRST = "last", "first"


@dataclass
class ExportedTensor:
    """A tensor: its shape, channels last, with None for the batch, and its names by order of dimensions."""

    shape: tuple[Any, ...]
    names: dict[str, str] = field(default_factory=dict)

    @property
    def rank(self) -> int:
        return len(self.shape)

    @property
    def order(self) -> str:
        """The order that is there; channels-first if both are, and for tensors without positions."""
        return FIRST if FIRST in self.names else LAST


class Writer:
    """Nodes and constants of a graph in the making.

    Parameters
    ----------
    opset : int
    dtype : dtype
        Of all tensors.
    reserved : sequence of str
        Names that the inputs and outputs have.
    written : callable
        (writer, layer, values) -> values: writes a layer.

    Attributes
    ----------
    scales : dict
        Of tensors that were quantized, by their names.
    """

    def __init__(self, opset: int, dtype: np.dtype, reserved: Sequence[str],
                 written: Callable[["Writer", Any, list[ExportedTensor]], list[ExportedTensor]]) -> None:
        self.opset, self.dtype, self._written = opset, dtype, written
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, np.ndarray] = {}
        self.scales: dict[str, float] = {}
        self.prefix = ""
        self._used = set(reserved)
        self._counts: Counter[str] = Counter()
        self._named: dict[int, tuple[Any, str]] = {}

    # --- names ------------------------------------------------------------------------------------------------------

    def fresh(self, hint: str) -> str:
        """Return a name that nothing has yet."""
        name = wanted = f"{self.prefix}/{hint}" if self.prefix else hint
        while name in self._used:
            self._counts[wanted] += 1
            name = f"{wanted}_{self._counts[wanted]}"
        self._used.add(name)
        return name

    def constant(self, value: Any, hint: str, dtype: Any = None) -> str:
        """Return the name of a constant; a list of integers is int64, an array of numbers of the graph's type.

        Parameters
        ----------
        value : array or list
        hint : str
        dtype : dtype, optional
        """
        array = np.asarray(value)
        if dtype is None:
            dtype = np.int64 if array.dtype.kind in "iu" else self.dtype
        name = self.fresh(hint)
        self.constants[name] = np.ascontiguousarray(array, dtype).reshape(array.shape)  # a number stays one
        return name

    def parameter(self, parameter: Any, array: Any, hint: str) -> str:
        """Return the name of a parameter's constant, the same for a layer that is called twice."""
        known = self._named.get(id(parameter))
        if known is None:
            known = (parameter, self.constant(array, hint))
            self._named[id(parameter)] = known
        return known[1]

    # --- nodes ------------------------------------------------------------------------------------------------------

    def node(self, operator: str, inputs: Sequence[str], outputs: int = 1, **attributes: Any) -> Any:
        """Write a node; return the name of its output, or a list of them."""
        names = [self.fresh(operator.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, name=self.fresh(operator), **attributes))
        return names[0] if outputs == 1 else names

    def layer(self, layer: Any, *inputs: str) -> Any:
        """Write a built layer, one that a layer with ``write_onnx`` holds; return the name of its output, or a list.

        Parameters
        ----------
        layer : Layer
        *inputs : str
            Names of tensors that lie as its ``forward`` gets them.
        """
        shapes = as_shapes(layer.input_shape)
        before, self.prefix = self.prefix, f"{self.prefix}/{layer.name}"
        values = [self.value(name, shape, LAST) for name, shape in zip(inputs, shapes, strict=True)]
        names = [self.get(value, LAST) for value in self._written(self, layer, values)]
        self.prefix = before
        return names[0] if len(names) == 1 else names

    def node_named(self, operator: str, one: str, output: str) -> str:
        """Write a node of one input whose output has a name that is given."""
        self.nodes.append(helper.make_node(operator, [one], [output], name=self.fresh(operator)))
        return output

    def value(self, name: str, shape: Any, order: str) -> ExportedTensor:
        """Return a value that is there in one order, or, without positions, in both."""
        shape = tuple(shape)
        return ExportedTensor(shape, {LAST: name, FIRST: name} if len(shape) <= 2 else {order: name})

    def get(self, value: ExportedTensor, order: str) -> str:
        """Return the name of a value in an order, transposing it if it is not there yet."""
        if order not in value.names:
            other = value.names[value.order]
            axes = to_first(value.rank) if order == FIRST else to_last(value.rank)
            value.names[order] = self.node("Transpose", [other], perm=axes)
        return value.names[order]

    def elementwise(self, operator: str, value: ExportedTensor, *more: str, **attributes: Any) -> ExportedTensor:
        """Write an operator that works number by number, in the order that is there."""
        order = value.order
        return self.value(self.node(operator, [value.names[order], *more], **attributes), value.shape, order)

    def scalar(self, number: float, hint: str = "scalar") -> str:
        """Return the name of a constant number."""
        return self.constant(np.asarray(number, self.dtype), hint)

    def over_sample(self, array: np.ndarray, value: ExportedTensor, hint: str) -> str:
        """Return a constant that broadcasts with a value: `array` has the rank of a sample, channels last."""
        turned = array if value.order == LAST or array.ndim < 2 else np.moveaxis(array, -1, 0)
        return self.constant(turned, hint)

    def per_channel(self, array: np.ndarray, value: ExportedTensor, hint: str) -> str:
        """Return a constant with a number for each channel that broadcasts with a value."""
        positions = value.rank - 2 if value.order == FIRST else 0
        return self.constant(array.reshape(-1, *(1,) * positions), hint)

    def reshape(self, value: ExportedTensor, shape: Any) -> ExportedTensor:
        """Write a reshaping of each sample, as it lies channels last."""
        to = self.constant([0, *shape[1:]], "shape")
        return self.value(self.node("Reshape", [self.get(value, LAST), to]), shape, LAST)

    def axis(self, value: ExportedTensor, axis: int, order: str) -> int:
        """Return where an axis of the channels-last tensor is in an order."""
        axis %= value.rank
        return axis if order == LAST else to_first(value.rank).index(axis)

    def model(self, inputs: Sequence[tuple[str, Any]], outputs: Sequence[tuple[str, Any]], name: str
              ) -> onnx.ModelProto:
        """Return the whole as a model; inputs and outputs are (name, shape with names for what is open)."""
        kind = helper.np_dtype_to_tensor_dtype(self.dtype)
        info = lambda pairs: [helper.make_tensor_value_info(n, kind, shape) for n, shape in pairs]
        graph = helper.make_graph(self.nodes, name, info(inputs), info(outputs),
                                  [numpy_helper.from_array(array, n) for n, array in self.constants.items()])
        made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)],
                                 producer_name="fastcnn", producer_version=__version__)
        # The oldest version of the format that has the operators: readers refuse newer ones than they know.
        made.ir_version = helper.find_min_ir_version_for(made.opset_import)
        return made


def to_first(rank: int) -> list[int]:
    """Return the axes, channels last, in the order of channels first."""
    return [0, rank - 1, *range(1, rank - 1)]


def to_last(rank: int) -> list[int]:
    """Return the axes, channels first, in the order of channels last."""
    return [0, *range(2, rank), 1]
