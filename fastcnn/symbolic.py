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
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.tensor_operators import OperatorMethods, operation
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

#: What a tensor is asked in the place of a function of NumPy's: where it stands on the left, and on the right.
_OPERATORS = {
    "less": ("__lt__", "__gt__"), "less_equal": ("__le__", "__ge__"), "greater": ("__gt__", "__lt__"),
    "greater_equal": ("__ge__", "__le__"), "bitwise_and": ("__and__", "__rand__"), "bitwise_or": ("__or__", "__ror__"),
    "bitwise_xor": ("__xor__", "__rxor__"), "divide": ("__truediv__", "__rtruediv__"),
    "floor_divide": ("__floordiv__", "__rfloordiv__"), "remainder": ("__mod__", "__rmod__"),
    "power": ("__pow__", "__rpow__")} | {
        name: (f"__{short}__", f"__r{short}__") for name, short in (
            ("add", "add"), ("subtract", "sub"), ("multiply", "mul"), ("matmul", "matmul"))}

_tracing: ContextVar[tuple[Any, ...]] = ContextVar("tracing", default=())


def tracing() -> tuple[Any, ...]:
    """Return the layers whose `call` is being asked what it does, the outermost first."""
    return _tracing.get()


@contextmanager
def asked(layer: Any) -> Iterator[None]:
    """Let a layer be among those of `tracing`, within a ``with`` statement: its parameters are operands then."""
    before = _tracing.set((*_tracing.get(), layer))
    try:
        yield
    finally:
        _tracing.reset(before)


class Tensor(OperatorMethods, ExplainsUnsupported):
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

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **_: Any) -> Any:
        """Be asked where an array stands before an operator, ``array + tensor``, or takes it in, ``array += tensor``.

        The latter gives a tensor: the array stays as it is.
        """
        names = _OPERATORS.get(ufunc.__name__)
        if method != "__call__" or names is None or len(inputs) != 2:
            raise ArgumentError(f"{self!r}: expected an array here, got a symbolic tensor; use fc.ops in place of "
                                f"NumPy, or make a model of its input and the result")
        left, right = inputs
        if isinstance(left, Tensor):
            return getattr(left, names[0])(right)
        return getattr(right, names[1])(left)

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
        if _is_number(other) and other and self.suits_layers:
            return _scaled(self, 1.0 / float(other))
        return super().__truediv__(other)

    def __rsub__(self, other: Any) -> Any:
        return _scaled(self, -1.0, float(other)) if _is_number(other) and self.suits_layers else super().__rsub__(other)

    def __neg__(self) -> Any:
        return _scaled(self, -1.0) if self.suits_layers else super().__neg__()

    def __pow__(self, other: Any) -> Any:
        if _is_number(other) and other and self.suits_layers:
            return operators["power"](self, float(other))
        return super().__pow__(other)

    def __abs__(self) -> Any:
        return operators["abs"](self) if self.suits_layers else super().__abs__()

    __radd__, __rmul__ = __add__, __mul__

    __iter__ = None  # else brackets would make it something to go through

    @property
    def suits_layers(self) -> bool:
        """Whether layers take it: it has a floating type and a batch."""
        return bool(self.dtype.kind == "f" and self.shape[:1] == (None,))

    def __bool__(self) -> bool:
        raise ArgumentError(f"{self!r}: expected no question about its values, which it has none of; "
                            f"make a model and call predict")

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise ArgumentError(f"{self!r}: expected an array here, got a symbolic tensor; use fc.ops in place of NumPy, "
                            f"or make a model of its input and the result")

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
        self.outputs = tuple(Tensor(shape, layer.array_dtype, self, k) for k, shape in enumerate(shapes))


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
    if training and not (tracing() and getattr(tracing()[-1], "takes_training", False)):
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
    wrong = [one for one in inputs if one.dtype != layer.array_dtype]
    if wrong:
        raise ArgumentError(f"{layer}: expected tensors of its own dtype, {layer.array_dtype.name}, "
                            f"got {wrong[0].dtype.name}; make all layers with one dtype")
    shapes = tuple(one.shape for one in inputs)
    verb = layer.for_shape(shapes if layer.many_inputs else shapes[0])
    batches = {shape[0] for shape in shapes}
    told = batches.pop() if len(batches) == 1 else None  # how many samples, where `gradients` knows it
    node = LayerCall(layer, inputs, [(told, *shape[1:]) for shape in as_shapes(verb.output_shape)], training)
    if not (tracing() and getattr(tracing()[-1], "forgets_calls", False)):
        layer.nodes.append(node)
    return layer.rearranged(node.outputs)


def as_shapes(shape: Any) -> tuple[Any, ...]:
    """Return one shape, or several, as a tuple of shapes."""
    return tuple(shape) if several(shape) else (shape,)


def several(shape: Any) -> bool:
    """Return whether `shape` is a tuple of shapes rather than a shape."""
    return bool(shape) and isinstance(shape[0], (tuple, list))


def _merged(name: str, a: Tensor, b: Any) -> Any:
    """Return the sum, difference or product of two tensors, or of a tensor and a number: layers, where there are such.

    Other types than the layers' and constants are operations of `fastcnn.ops`.
    """
    if _is_number(b) and a.suits_layers:
        return _scaled(a, float(b)) if name == "multiply" else _scaled(a, 1.0, float(b) if name == "add" else -float(b))
    if isinstance(b, Tensor) and a.suits_layers and b.suits_layers and a.dtype == b.dtype:
        return operators[name](a, b)
    return operation(name, a, b)


def _scaled(a: Tensor, scale: float, offset: float = 0.0) -> Any:
    return operators["scale"](a, scale, offset)


def _is_number(value: Any) -> bool:
    return isinstance(value, numbers.Real) and math.isfinite(value)
