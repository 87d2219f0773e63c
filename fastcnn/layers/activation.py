"""Activations: the functions that layers apply to their output, and a layer for each.

A derivative is taken from the output where the formula allows it (ReLU, tanh, sigmoid, ...), so that the input need
not be kept; only SiLU and GELU keep it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, unknown
from fastcnn.kernels import codes
from fastcnn.layers.base import Backward, Call, Layer, Shape


@dataclass(frozen=True)
class Elementwise:
    """One function of one number, by its code in the kernels."""

    name: str
    code: int
    alpha: float = 0.0

    def forward(self, x: np.ndarray, in_place: bool = False) -> tuple[np.ndarray, Backward]:
        """Return the output and its backward pass; with `in_place` the memory of `x` may be taken for the output."""
        d = device.of(x)
        saves_input = codes.saves_input(self.code)
        y = x if in_place and not saves_input else d.empty(x.shape, x.dtype)
        d.kernels.activation_forward(y.reshape(-1), x.reshape(-1), self.code, self.alpha)
        return y, self.backward(x if saves_input else y)

    def backward(self, saved: np.ndarray) -> Backward:
        """Return dy -> dx, given the output, or the input for the codes that save it."""
        def backward(dy: np.ndarray) -> np.ndarray:
            d = device.of(dy)
            dx = d.empty(dy.shape, dy.dtype)
            d.kernels.activation_backward(dx.reshape(-1), dy.reshape(-1), saved.reshape(-1), self.code, self.alpha)
            return dx

        return backward


@dataclass(frozen=True)
class SoftmaxFunction:
    """exp(x) / sum exp(x) over the last axis, or its logarithm."""

    name: str
    log: bool

    def forward(self, x: np.ndarray, in_place: bool = False) -> tuple[np.ndarray, Backward]:
        """As `Elementwise.forward`."""
        d = device.of(x)
        y = d.empty(x.shape, x.dtype)
        rows = (-1, x.shape[-1]) if x.size else (0, x.shape[-1])
        d.kernels.softmax_forward(y.reshape(rows), x.reshape(rows), self.log)

        def backward(dy: np.ndarray) -> np.ndarray:
            dx = d.empty(dy.shape, dy.dtype)
            d.kernels.softmax_backward(dx.reshape(rows), dy.reshape(rows), y.reshape(rows), self.log)
            return dx

        return y, backward


Function = Elementwise | SoftmaxFunction

_FUNCTIONS: dict[str, Function] = {
    f.name: f
    for f in (
        Elementwise("relu", codes.RELU),
        Elementwise("step", codes.STEP),
        Elementwise("sigmoid", codes.SIGMOID),
        Elementwise("tanh", codes.TANH),
        Elementwise("leaky_relu", codes.LEAKY_RELU, 0.2),
        Elementwise("elu", codes.ELU, 1.0),
        Elementwise("selu", codes.SELU),
        Elementwise("silu", codes.SILU),
        Elementwise("gelu", codes.GELU),
        Elementwise("gelu_tanh", codes.GELU_TANH),
        SoftmaxFunction("softmax", False),
        SoftmaxFunction("log_softmax", True),
    )
}
_FUNCTIONS["swish"] = _FUNCTIONS["silu"]


def function(name: str | None, who: Any = "activation") -> Function | None:
    """Return the function of a name; None for None and "linear".

    Raises
    ------
    ArgumentError
        If the name is not known.
    """
    if name is None or name == "linear":
        return None
    if isinstance(name, str) and name in _FUNCTIONS:
        return _FUNCTIONS[name]
    raise ArgumentError(unknown(f"{who}: activation", name, ["linear", *_FUNCTIONS]))


class _ActivationLayer(Layer):
    """A layer that applies `self.function`, or nothing where it is None."""

    function: Function | None

    def forward(self, x: np.ndarray, call: Call = Call()) -> tuple[np.ndarray, Backward]:
        x = self.checked(x)
        if self.function is None:
            return x, lambda dy: dy
        return self.function.forward(x)


class Activation(_ActivationLayer):
    """Apply the activation of a name.

    Parameters
    ----------
    activation : str
        linear, relu, step, sigmoid, tanh, leaky_relu, elu, selu, silu (swish), gelu, gelu_tanh, softmax or log_softmax.
    """

    def __init__(self, activation: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function(activation, self)


def _named(class_name: str, function_name: str, formula: str) -> type[Layer]:
    members = {"function": _FUNCTIONS[function_name], "__doc__": formula, "__module__": __name__}
    return type(class_name, (_ActivationLayer,), members)


Step: Callable[..., Layer] = _named("Step", "step", "y = 1 where x >= 0, else 0; its derivative is 0 everywhere.")
Sigmoid: Callable[..., Layer] = _named("Sigmoid", "sigmoid", "y = 1 / (1 + exp(-x)). ONNX: Sigmoid.")
Tanh: Callable[..., Layer] = _named("Tanh", "tanh", "y = tanh(x). ONNX: Tanh.")
SELU: Callable[..., Layer] = _named(
    "SELU", "selu", "y = 1.0507 (x or 1.6733 (exp(x) - 1)); Klambauer et al., 2017. ONNX: Selu.")
SiLU: Callable[..., Layer] = _named(
    "SiLU", "silu", "y = x sigmoid(x), also called swish; Ramachandran et al., 2017.")


class Linear(_ActivationLayer):
    """y = x."""

    function = None


class ReLU(_ActivationLayer):
    """y = max(x, 0). ONNX: Relu."""

    function = _FUNCTIONS["relu"]


class LeakyReLU(_ActivationLayer):
    """y = x where x > 0, else negative_slope x; Maas, Hannun and Ng, 2013. ONNX: LeakyRelu.

    Parameters
    ----------
    negative_slope : float
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if negative_slope < 0:
            raise ArgumentError(f"{self}: expected a negative_slope of at least 0, got {negative_slope}")
        self.function = Elementwise("leaky_relu", codes.LEAKY_RELU, float(negative_slope))


class ELU(_ActivationLayer):
    """y = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter, 2016. ONNX: Elu.

    Parameters
    ----------
    alpha : float
        Not negative.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if alpha < 0:
            raise ArgumentError(f"{self}: expected an alpha of at least 0, got {alpha}")
        self.function = Elementwise("elu", codes.ELU, float(alpha))


class GELU(_ActivationLayer):
    """y = x Phi(x), Phi being the normal distribution's; Hendrycks and Gimpel, 2016. ONNX: Gelu.

    Parameters
    ----------
    approximate : bool
        Take the paper's formula with tanh instead of erf.
    """

    def __init__(self, approximate: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = _FUNCTIONS["gelu_tanh" if approximate else "gelu"]


class Softmax(_ActivationLayer):
    """y_i = exp(x_i) / sum_j exp(x_j) over the last axis. ONNX: Softmax.

    Parameters
    ----------
    axis : int
        The last, -1.
    """

    def __init__(self, axis: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.refuse(axis=(axis, -1))
        self.function = _FUNCTIONS["softmax"]


class LogSoftmax(_ActivationLayer):
    """y_i = x_i - log sum_j exp(x_j) over the last axis. ONNX: LogSoftmax."""

    function = _FUNCTIONS["log_softmax"]


def apply(activation: Function | None, z: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Apply an activation to a layer's own fresh output; the memory of `z` may be taken."""
    if activation is None:
        return z, lambda dy: dy
    return activation.forward(z, in_place=True)


__all__ = ["ELU", "GELU", "SELU", "Activation", "LeakyReLU", "Linear", "LogSoftmax", "ReLU", "Shape", "SiLU",
           "Sigmoid", "Softmax", "Step", "Tanh", "apply", "function"]
