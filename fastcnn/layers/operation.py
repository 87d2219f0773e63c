"""The node of an operation of `fastcnn.ops` on symbolic tensors: ``ops.maximum(x, y)``, ``x / y``, ``x[:, 1:]``."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import _hooks, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.layers import open_sizes
from fastcnn.layers.base import Backward, Call, Layer, Shape, names
from fastcnn.layers.held_layers import all_within
from fastcnn.operations.bfloat16 import multiplied
from fastcnn.operations.merge import add_to_gradient
from fastcnn.parameters import Parameter
from fastcnn.symbolic import Tensor

_TENSOR = "tensor"


class Operation(Layer):
    """An operation of `fastcnn.ops` as a layer. Operations and operators on symbolic tensors make it.

    Operands are tensors, constants, and parameters of the layer whose ``call`` is asked, whose gradients it adds to.

    Parameters
    ----------
    operation : str
        The name of a primitive of `fastcnn.ops`.
    arguments : dict
        What it is told beside its operands.
    operands : list
        "tensor" for each input, and constants: {"value": ..., "dtype": ...}.
    output_dtype : str
        The type of the result.

    Examples
    --------
    >>> x = fc.Input((8, 8, 3))
    >>> y = fc.ops.maximum(x, 0.5)
    >>> y.node.layer
    <Operation "maximum", output (N, 8, 8, 3)>
    """

    many_inputs = True
    takes_open_sizes = True

    def __init__(self, operation: str, arguments: dict[str, Any], operands: Sequence[Any], output_dtype: str,
                 **kwargs: Any) -> None:
        super().__init__(**{"name": names.new(operation), **kwargs})
        self.primitive = _hooks.hooks["primitive"](operation)
        self.operation, self.arguments = operation, _as_json(arguments)
        self.operands: list[Any] = [one if isinstance(one, (str, Parameter)) else _constant(one) for one in operands]
        self.array_dtype = np.dtype(output_dtype)
        self.replayable = self.primitive.replayable and not any(isinstance(one, Parameter) for one in self.operands)
        self.is_source = not any(isinstance(one, str) for one in self.operands)
        self._owners: list[Any] = []  # the layers whose parameters it reads

    @classmethod
    def between(cls, primitive: Any, operands: Sequence[Any], arguments: dict[str, Any]) -> Tensor:
        """Return the symbolic result of a primitive of tensors, parameters and arrays.

        Parameters
        ----------
        primitive : Primitive
        operands : list of Tensor, Parameter or array
        arguments : dict
        """
        dtype = primitive.dtype(*[np.dtype(one.dtype) for one in operands], **arguments)
        inputs = [one for one in operands if isinstance(one, Tensor)]
        layer = cls(primitive.name, arguments, [_TENSOR if isinstance(one, Tensor) else one for one in operands],
                    dtype.name)
        layer._owners = [_owner(one) for one in operands if isinstance(one, Parameter)]
        made: Tensor = layer(inputs)
        return made

    def __call__(self, x: Any = None, training: bool | None = None, **named: Any) -> Any:
        """Return the symbolic result for tensors, of any types; the result for arrays."""
        if not self.is_source and not symbolic.is_symbolic(x):
            return self.predict(x)
        inputs = self.arranged(x)
        verb = self.for_shape(tuple(one.shape for one in inputs))
        node = symbolic.LayerCall(self, inputs, [verb.output_shape], None)
        self.nodes.append(node)
        return node.outputs[0]

    @property
    def trainable_weights(self) -> list[Parameter]:
        """Those of its operands that training changes; they are others' weights."""
        of = [one for one in self.operands if isinstance(one, Parameter)]
        return [p for p, owner in zip(of, self._owners, strict=True) if p.trainable and owner.trainable]

    def _whole(self, shape: Any) -> Any:
        return tuple(map(tuple, shape))

    def arranged(self, x: Any) -> tuple[Any, ...]:
        return tuple(x) if isinstance(x, (list, tuple)) else (x,)

    def _filled(self, xs: Sequence[Any]) -> list[Any]:
        """Return all operands, with what comes in at the places of tensors."""
        given = iter(xs)
        return [next(given) if isinstance(one, str) else multiplied(one) if isinstance(one, Parameter) else one
                for one in self.operands]

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        try:
            return self._shape_of(input_shape)
        except ArgumentError:
            # Several sizes that are not known, of which not only the batch's is one, are more than primitives know of.
            if not open_sizes.is_open(input_shape) or any(shape[:1] != (None,) for shape in input_shape):
                raise
        found: Shape = open_sizes.answered(input_shape, self._shape_of)
        return found

    def _shape_of(self, input_shape: Shape) -> Shape:
        given = iter(input_shape)
        shapes = [next(given) if isinstance(one, str) else one.shape for one in self.operands]
        return tuple(self.primitive.shape(*shapes, **self.arguments))

    def forward(self, x: Any, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        y, back = self.primitive.run(*self._filled(self.arranged(x)), **self.arguments)
        learns = {id(p) for p in self.trainable_weights}

        def backward(dy: np.ndarray) -> tuple[Any, ...]:
            found = (None,) * len(self.operands) if back is None or dy is None else back(dy)
            for one, gradient in zip(self.operands, found, strict=True):
                if isinstance(one, Parameter) and gradient is not None and id(one) in learns:
                    add_to_gradient(one, gradient)
            return tuple(g for one, g in zip(self.operands, found, strict=True) if isinstance(one, str))

        return y, backward

    def predict(self, x: Any) -> np.ndarray:
        y: np.ndarray = self.primitive.run(*self._filled(self.arranged(x)), **self.arguments)[0]
        return y

    def get_config(self) -> dict[str, Any]:
        if any(isinstance(one, Parameter) for one in self.operands):
            raise ArgumentError(f"{self}: expected operands that a file can hold, got a parameter of another layer; "
                                f"put the operation into the call of a layer that makes it with add_weight")
        operands = [one if isinstance(one, str) else {"value": one.tolist(), "dtype": one.dtype.name}
                    for one in self.operands]
        return {"operation": self.operation, "arguments": self.arguments, "operands": operands,
                "output_dtype": self.array_dtype.name, "name": self.name}


def _owner(parameter: Parameter) -> Any:
    """Return the layer whose parameter it is, among those whose `call` is being asked, and what they hold."""
    for layer in reversed(symbolic.tracing()):
        for one in (layer, *(held for _, held in all_within(layer))):
            if any(p is parameter for p in one.parameters):
                return one
    raise ArgumentError(f'expected parameters of the layer whose call is asked, got "{parameter.path}"; '
                        f"make it in build or __init__, with self.add_weight, and use it in call")


def _constant(one: Any) -> np.ndarray:
    """Return a constant as kernels take it."""
    value = np.array(one["value"], one["dtype"]) if isinstance(one, dict) else one
    return np.require(value, requirements=["C", "W"])


def _as_json(value: Any) -> Any:
    """Return arguments as they are when they were written and read again: with lists for tuples."""
    if isinstance(value, dict):
        return {key: _as_json(one) for key, one in value.items()}
    return [_as_json(one) for one in value] if isinstance(value, (list, tuple)) else value
