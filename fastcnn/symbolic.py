r"""Symbolic tensors: what layers return before there is data, and how a model remembers who made them.

`layers.Input` returns a `Tensor`; a layer called with tensors instead of arrays fixes its shapes, makes its parameters,
writes down a `LayerCall`, and returns a new tensor::

    Input --Tensor--> Conv2D --Tensor--> Add --Tensor-->        a node is one call of a layer: who, from what, to what
               \\________________________/

A layer called twice has two nodes and one set of parameters. What is done to tensors with operators or functions, as in
``x + y``, is a layer's call, too: `operators` says of which.
"""

import math
import numbers
from collections.abc import Callable, Sequence
from typing import Any

from fastcnn.errors import ArgumentError, UnknownArgumentError
from fastcnn.unsupported import ExplainsUnsupported

#: What applies a layer where a tensor is added to, scaled, ...: `fastcnn.layers`, which lies above, fills it.
operators: dict[str, Callable[..., Any]] = {}


class _Either:
    """What a layer's `call` is told as `training`: what it does with tensors runs in training and in prediction."""

    def __bool__(self) -> bool:
        raise ArgumentError("training: expected call to do the same in training and in prediction, since it is asked "
                            "for both at once; hand it on to layers, as in self.dropout(x, training=training)")

    def __eq__(self, other: object) -> bool:
        return bool(self)

    __hash__ = None  # type: ignore[assignment]


EITHER = _Either()


class Tensor(ExplainsUnsupported):
    """The output of one call of a layer, without values.

    Attributes
    ----------
    shape : tuple
        With None for the batch: (None, H, W, C).
    dtype : dtype
    name : str
        The layer's.
    node : LayerCall
        The call that returns it.
    index : int
        Which of the node's outputs it is.

    Examples
    --------
    >>> x = fc.Input((8,))
    >>> (2 * x + 1).shape
    (None, 8)
    """

    unsupported = "tensor"

    __array_ufunc__ = None  # an array before an operator leaves the operation to the tensor, which refuses it

    def __init__(self, shape: Any, dtype: Any, node: "LayerCall", index: int) -> None:
        self.shape, self.dtype, self.node, self.index = tuple(shape), dtype, node, index

    @property
    def name(self) -> str:
        """The name of the layer that made it."""
        return self.node.layer.name

    @property
    def ndim(self) -> int:
        """How many dimensions it has, that of the batch among them."""
        return len(self.shape)

    def __add__(self, other: Any) -> Any:
        return _merged("add", self, other)

    def __sub__(self, other: Any) -> Any:
        return _merged("subtract", self, other)

    def __mul__(self, other: Any) -> Any:
        return _merged("multiply", self, other)

    def __truediv__(self, other: Any) -> Any:
        return _scaled(self, 1.0 / float(other)) if _is_number(other) and other else NotImplemented

    def __rsub__(self, other: Any) -> Any:
        return _scaled(self, -1.0, float(other)) if _is_number(other) else NotImplemented

    def __neg__(self) -> Any:
        return _scaled(self, -1.0)

    def __pow__(self, other: Any) -> Any:
        return operators["power"](self, float(other)) if _is_number(other) else NotImplemented

    def __abs__(self) -> Any:
        return operators["abs"](self)

    def __matmul__(self, other: Any) -> Any:
        raise UnknownArgumentError(f"{self!r}: a matrix product with @ is not offered; use layers.Dense for weights, "
                                   f"or layers.Dot for two tensors")

    def __getitem__(self, key: Any) -> Any:
        raise UnknownArgumentError(f"{self!r}: a part in brackets, [{key!r}], is not offered; use layers.Slice, "
                                   f"layers.Take or, at the borders of images, layers.Cropping2D")

    __radd__, __rmul__, __rmatmul__ = __add__, __mul__, __matmul__

    __iter__ = None  # else brackets would make it something to go through

    def __bool__(self) -> bool:
        raise ArgumentError(f"{self!r}: expected no question about its values, which it has none of; "
                            f"make a model and call predict")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ArgumentError(f"{self!r}: expected an array here, got a symbolic tensor; apply layers to it, such as "
                            f"layers.Rescaling, and make a model of its input and the result")

    def __repr__(self) -> str:
        return f"<Tensor {self.shape} of {self.node.layer}>"


class LayerCall:
    """One call of a layer on symbolic tensors.

    Attributes
    ----------
    layer : Layer
    inputs, outputs : tuple of Tensor
    training : bool or None
        What the caller said: False runs the layer as in inference even while the model trains.
    """

    def __init__(self, layer: Any, inputs: Sequence[Tensor], shapes: Sequence[Any], training: bool | None) -> None:
        self.layer, self.inputs, self.training = layer, tuple(inputs), training
        self.outputs = tuple(Tensor(shape, layer.compute_dtype, self, k) for k, shape in enumerate(shapes))


def is_symbolic(x: Any) -> bool:
    """Return whether `x` is a tensor, or a list, tuple or dict with one."""
    if isinstance(x, dict):
        x = list(x.values())
    return isinstance(x, Tensor) or (isinstance(x, (list, tuple)) and any(isinstance(one, Tensor) for one in x))


def connect(layer: Any, x: Any, training: bool | None = None) -> Any:
    """Call a layer on tensors: build it for their shapes, and return its outputs as tensors.

    Parameters
    ----------
    layer : Layer
    x : Tensor, or list, tuple or dict of them
    training : bool, optional
        False keeps the layer in inference (its moving statistics stay, dropout rests) while the model trains.

    Raises
    ------
    ArgumentError
        If a shape or type does not suit the layer, or `x` is not what it takes.
    """
    if training is EITHER:
        training = None
    if training:
        raise ArgumentError(f"{layer}: training=True is not offered where layers are put together; "
                            f"model(x, training=True) runs a whole model as in training")
    inputs = layer.arranged(x)
    strange = [one for one in inputs if not isinstance(one, Tensor)]
    if strange:
        raise ArgumentError(f"{layer}: expected symbolic tensors alone, got {type(strange[0]).__name__} among them; "
                            f"give constants to a layer such as layers.Rescaling")
    if len(inputs) > 1 and not layer.many_inputs:
        raise ArgumentError(f"{layer}: expected one tensor, got {len(inputs)}; "
                            f"join them first, with layers.Concatenate for example")
    wrong = [one for one in inputs if one.dtype != layer.compute_dtype]
    if wrong:
        raise ArgumentError(f"{layer}: expected tensors of its own dtype, {layer.compute_dtype.name}, "
                            f"got {wrong[0].dtype.name}; make all layers with one dtype")
    shapes = tuple(one.shape for one in inputs)
    verb = layer.for_shape(shapes if layer.many_inputs else shapes[0])
    node = LayerCall(layer, inputs, as_shapes(verb.output_shape), training)
    layer.nodes.append(node)
    return layer.rearranged(node.outputs)


def as_shapes(shape: Any) -> tuple[Any, ...]:
    """Return one shape, or several, as a tuple of shapes."""
    return tuple(shape) if several(shape) else (shape,)


def several(shape: Any) -> bool:
    """Return whether `shape` is a tuple of shapes rather than a shape."""
    return bool(shape) and isinstance(shape[0], (tuple, list))


def _merged(name: str, a: Tensor, b: Any) -> Any:
    """Return the sum, difference or product of two tensors, or of a tensor and a number."""
    if _is_number(b):
        return _scaled(a, float(b)) if name == "multiply" else _scaled(a, 1.0, float(b) if name == "add" else -float(b))
    if not isinstance(b, Tensor):
        return NotImplemented
    return operators[name](a, b)


def _scaled(a: Tensor, scale: float, offset: float = 0.0) -> Any:
    return operators["scale"](a, scale, offset)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and math.isfinite(value)
