"""Activation functions by Keras's names: for ``activation="relu"`` or ``activation=activations.relu``, and to call.

Each function of this module takes an array, or a symbolic tensor of a functional model, and the parameters that Keras's
has. A layer is told a function by its name, or is given the function itself, which is saved by its name; one with other
parameters than the defaults is a layer: ``layers.ReLU(max_value=3)``.

Behind them are objects with a forward and a backward pass (`fastcnn.operations.activation`). A derivative is taken from
the output where the formula allows it (ReLU, tanh, sigmoid, ...), so that the input need not be kept.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from fastcnn import unsupported
from fastcnn.activations.names import FUNCTIONS, THRESHOLD, get, rectifier
from fastcnn.activations.names import clip as clip
from fastcnn.activations.names import config_of as config_of
from fastcnn.geometry.arguments import integers
from fastcnn.kernels import codes
from fastcnn.operations.activation import Elementwise, SoftmaxFunction, applied
from fastcnn.operations.activation import Function as Function


def relu(x: Any, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0) -> Any:
    """y = max_value where x >= max_value, x where threshold < x, else negative_slope (x - threshold). ONNX: Relu.

    With the defaults it is max(x, 0).

    Parameters
    ----------
    x : array or Tensor
    negative_slope : float
        The slope below the threshold.
    max_value : float, optional
        The largest y.
    threshold : float
        Where y begins to follow x.
    """
    return applied(rectifier(negative_slope, max_value, threshold), x)


def linear(x: Any) -> Any:
    """y = x."""
    return applied(None, x)


def relu6(x: Any) -> Any:
    """y = min(max(x, 0), 6); Howard et al., 2017. ONNX: Clip."""
    return applied(FUNCTIONS["relu6"], x)


def step(x: Any) -> Any:
    """y = 1 where x >= 0, else 0; its derivative is 0 everywhere."""
    return applied(FUNCTIONS["step"], x)


def sigmoid(x: Any) -> Any:
    """y = 1 / (1 + exp(-x)). ONNX: Sigmoid."""
    return applied(FUNCTIONS["sigmoid"], x)


def hard_sigmoid(x: Any) -> Any:
    """y = min(max(x / 6 + 1/2, 0), 1). ONNX: HardSigmoid with alpha 1/6."""
    return applied(FUNCTIONS["hard_sigmoid"], x)


def tanh(x: Any) -> Any:
    """y = tanh(x). ONNX: Tanh."""
    return applied(FUNCTIONS["tanh"], x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """y = x where x > 0, else negative_slope x; Maas, Hannun and Ng, 2013. ONNX: LeakyRelu.

    Parameters
    ----------
    x : array or Tensor
    negative_slope : float
        What x is multiplied by below 0.
    """
    return applied(Elementwise("leaky_relu", codes.LEAKY_RELU, float(negative_slope)), x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """y = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter, 2016. ONNX: Elu.

    Parameters
    ----------
    x : array or Tensor
    alpha : float
        -alpha is the limit for small x.
    """
    return applied(Elementwise("elu", codes.ELU, float(alpha)), x)


def selu(x: Any) -> Any:
    """y = 1.0507 (x or 1.6733 (exp(x) - 1)); Klambauer et al., 2017. ONNX: Selu."""
    return applied(FUNCTIONS["selu"], x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1)); Barron, 2017. ONNX: Celu.

    Parameters
    ----------
    x : array or Tensor
    alpha : float
        -alpha is the limit for small x.
    """
    return applied(Elementwise("celu", codes.CELU, float(alpha)), x)


def silu(x: Any) -> Any:
    """y = x sigmoid(x), also called swish; Ramachandran et al., 2017. ONNX: Swish."""
    return applied(FUNCTIONS["silu"], x)


def hard_silu(x: Any) -> Any:
    """y = x min(max(x / 6 + 1/2, 0), 1), also hard_swish; Howard et al., 2019. ONNX: HardSwish."""
    return applied(FUNCTIONS["hard_silu"], x)


def mish(x: Any) -> Any:
    """y = x tanh(log(1 + exp(x))); Misra, 2019. ONNX: Mish."""
    return applied(FUNCTIONS["mish"], x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """y = x Phi(x), or with tanh for Phi's erf; Hendrycks and Gimpel, 2016. ONNX: Gelu.

    Parameters
    ----------
    x : array or Tensor
    approximate : bool
        Whether tanh takes the place of erf.
    """
    return applied(FUNCTIONS["gelu_tanh" if approximate else "gelu"], x)


def softplus(x: Any) -> Any:
    """y = log(1 + exp(x)). ONNX: Softplus."""
    return applied(FUNCTIONS["softplus"], x)


def softsign(x: Any) -> Any:
    """y = x / (1 + |x|). ONNX: Softsign."""
    return applied(FUNCTIONS["softsign"], x)


def exponential(x: Any) -> Any:
    """y = exp(x). ONNX: Exp."""
    return applied(FUNCTIONS["exponential"], x)


def hard_tanh(x: Any) -> Any:
    """y = min(max(x, -1), 1). ONNX: Clip."""
    return applied(FUNCTIONS["hard_tanh"], x)


def tanh_shrink(x: Any) -> Any:
    """y = x - tanh(x)."""
    return applied(FUNCTIONS["tanh_shrink"], x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """y = x -+ threshold where |x| > threshold, else 0. ONNX: Shrink.

    Parameters
    ----------
    x : array or Tensor
    threshold : float
        What |x| must exceed, and what it loses.
    """
    return applied(Elementwise("soft_shrink", codes.SHRINK, float(threshold), float(threshold)), x)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """y = x where |x| > threshold, else 0. ONNX: Shrink.

    Parameters
    ----------
    x : array or Tensor
    threshold : float
        What |x| must exceed.
    """
    return applied(Elementwise("hard_shrink", codes.SHRINK, float(threshold)), x)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """y = x where x > threshold, else default_value. ONNX: ThresholdedRelu, with 0.

    Parameters
    ----------
    x : array or Tensor
    threshold : float
        What x must exceed.
    default_value : float
        y elsewhere.
    """
    return applied(replace(THRESHOLD, alpha=float(threshold), beta=float(default_value)), x)


def log_sigmoid(x: Any) -> Any:
    """y = -log(1 + exp(-x))."""
    return applied(FUNCTIONS["log_sigmoid"], x)


def squareplus(x: Any, b: float = 4) -> Any:
    """y = (x + sqrt(x^2 + b)) / 2; Barron, 2021.

    Parameters
    ----------
    x : array or Tensor
    b : float
        How smooth the corner at 0 is.
    """
    return applied(Elementwise("squareplus", codes.SQUAREPLUS, float(b)), x)


def sparse_plus(x: Any) -> Any:
    """y = 0 where x <= -1, (x + 1)^2 / 4 where x < 1, else x."""
    return applied(FUNCTIONS["sparse_plus"], x)


def sparse_sigmoid(x: Any) -> Any:
    """y = min(max((x + 1) / 2, 0), 1)."""
    return applied(FUNCTIONS["sparse_sigmoid"], x)


def softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """y_i = exp(x_i) / sum_j exp(x_j) over an axis, or several together. ONNX: Softmax.

    Parameters
    ----------
    x : array or Tensor
    axis : int or sequence of int
        Over which the sum is 1.
    """
    return applied(SoftmaxFunction("softmax", False, integers(axis, "softmax", "axis")), x)


def log_softmax(x: Any, axis: int | Sequence[int] = -1) -> Any:
    """y_i = x_i - log sum_j exp(x_j) over an axis, or several together. ONNX: LogSoftmax.

    Parameters
    ----------
    x : array or Tensor
    axis : int or sequence of int
        Over which the sum of exp(y) is 1.
    """
    return applied(SoftmaxFunction("log_softmax", True, integers(axis, "log_softmax", "axis")), x)


swish, hard_swish = silu, hard_silu

__all__ = [
    "celu", "elu", "exponential", "gelu", "get", "hard_shrink", "hard_sigmoid", "hard_silu", "hard_swish",
    "hard_tanh", "leaky_relu", "linear", "log_sigmoid", "log_softmax", "mish", "relu", "relu6", "selu", "sigmoid",
    "silu", "soft_shrink", "softmax", "softplus", "softsign", "sparse_plus", "sparse_sigmoid", "squareplus", "step",
    "swish", "tanh", "tanh_shrink", "threshold",
]  # fmt: skip


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("activations")
