"""Activations as layers. The functions themselves are in `fastcnn.activations`; layers that learn, in other files."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import activations, traits
from fastcnn.geometry.arguments import axes
from fastcnn.layers.base import Call, Layer, Shape
from fastcnn.operations import Backward
from fastcnn.operations.activation import Function, SoftmaxFunction
from fastcnn.traits import Trait

function = activations.get


class _ActivationLayer(Layer):
    """A layer that applies `self.function`, or nothing where it is None."""

    traits = Trait.POINTWISE | Trait.CALLS_KERNELS

    function: Function | None

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        if self.function is None:
            return x, lambda dy: dy
        return self.function.forward(x)

    def predict(self, x: np.ndarray) -> np.ndarray:
        x = self.checked(x)
        return x if self.function is None else self.function.predict(x)


def is_activation(layer: Any) -> bool:
    """Return whether all that a layer does is to apply `layer.function`, a function of fastcnn's or None."""
    return Trait.POINTWISE in traits.of(layer) and (
        layer.function is None or traits.of(layer.function) is not traits.NONE)


class Activation(_ActivationLayer):
    """Apply an activation.

    Parameters
    ----------
    activation : str or function
        The name of a function of `fastcnn.activations`, or the function.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Activation("relu").predict(x)
    array([[0. , 0. , 0. , 0.5, 4. ]], dtype=float32)
    """

    traits = Trait.POINTWISE | Trait.CALLS_KERNELS

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function(activation, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if isinstance(self.function, SoftmaxFunction):
            self.function.axes(len(input_shape), self)
        return input_shape

    @property
    def activation(self) -> Function | None:
        """The function, which has a name and can be called; None is the identity."""
        return self.function


class _Softmax(_ActivationLayer):
    traits = Trait.POINTWISE

    def _over(self, axis: int | Sequence[int], name: str, log: bool) -> None:
        self.function = SoftmaxFunction(name, log, axes(axis, self, "axis"))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        assert isinstance(self.function, SoftmaxFunction)
        self.function.axes(len(input_shape), self)
        return input_shape


class Softmax(_Softmax):
    """y_i = exp(x_i) / sum_j exp(x_j) over an axis, or several together. ONNX: Softmax.

    Parameters
    ----------
    axis : int or sequence of int
        0, the batch, is refused.

    Examples
    --------
    >>> x = np.array([[0, 0, 1], [2, 2, 2]], "float32")
    >>> layers.Softmax().predict(x).round(2)
    array([[0.21, 0.21, 0.58],
           [0.33, 0.33, 0.33]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._over(axis, "softmax", False)


class LogSoftmax(_Softmax):
    """y_i = x_i - log sum_j exp(x_j) over an axis, or several together. ONNX: LogSoftmax.

    Parameters
    ----------
    axis : int or sequence of int
        0, the batch, is refused.

    Examples
    --------
    >>> x = np.array([[0, 0, 1], [2, 2, 2]], "float32")
    >>> layers.LogSoftmax().predict(x).round(2)
    array([[-1.55, -1.55, -0.55],
           [-1.1 , -1.1 , -1.1 ]], dtype=float32)
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._over(axis, "log_softmax", True)
