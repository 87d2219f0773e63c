"""Activations as layers. The functions themselves are in `fastcnn.activations`; layers that learn, in other files."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import activations, traits
from fastcnn.activations.names import parametric
from fastcnn.geometry.arguments import axes, number
from fastcnn.layers.base import Call, Layer, Shape
from fastcnn.operations.activation import Backward, Elementwise, Function, SoftmaxFunction
from fastcnn.traits import Trait

function = activations.get


class _ActivationLayer(Layer):
    """A layer that applies `self.function`, or nothing where it is None."""

    traits = Trait.POINTWISE

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
    """

    traits = Trait.POINTWISE

    def __init__(self, activation: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function(activation, self)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        if isinstance(self.function, SoftmaxFunction):
            self.function.axes(len(input_shape), self)
        return input_shape


def _named(class_name: str, function_name: str, formula: str) -> type[Layer]:
    members = {"function": function(function_name), "__doc__": formula, "__module__": __name__,
               "traits": Trait.POINTWISE}
    return type(class_name, (_ActivationLayer,), members)


Step: Callable[..., Layer] = _named("Step", "step", "y = 1 where x >= 0, else 0; its derivative is 0 everywhere.")
Sigmoid: Callable[..., Layer] = _named("Sigmoid", "sigmoid", "y = 1 / (1 + exp(-x)). ONNX: Sigmoid.")
Tanh: Callable[..., Layer] = _named("Tanh", "tanh", "y = tanh(x). ONNX: Tanh.")
SiLU: Callable[..., Layer] = _named(
    "SiLU", "silu", "y = x sigmoid(x), also called swish; Ramachandran et al., 2017. ONNX: Swish.")
HardSiLU: Callable[..., Layer] = _named(
    "HardSiLU", "hard_silu", "y = x min(max(x / 6 + 1/2, 0), 1), also called hard swish; Howard et al., 2019. "
    "ONNX: HardSwish.")
Mish: Callable[..., Layer] = _named("Mish", "mish", "y = x tanh(log(1 + exp(x))); Misra, 2019. ONNX: Mish.")
Softplus: Callable[..., Layer] = _named("Softplus", "softplus", "y = log(1 + exp(x)). ONNX: Softplus.")
Softsign: Callable[..., Layer] = _named("Softsign", "softsign", "y = x / (1 + |x|). ONNX: Softsign.")
ReLU6: Callable[..., Layer] = _named("ReLU6", "relu6", "y = min(max(x, 0), 6); Howard et al., 2017. ONNX: Clip.")


class Linear(_ActivationLayer):
    """y = x."""

    traits = Trait.POINTWISE
    function = None


class ReLU(_ActivationLayer):
    """y = max_value where x >= max_value, x where threshold < x, else negative_slope (x - threshold). ONNX: Relu, Clip.

    Parameters
    ----------
    max_value : float, optional
    negative_slope : float
    threshold : float
        None of the three may be negative.
    """

    def __init__(self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = {"max_value": 0.0 if max_value is None else max_value, "negative_slope": negative_slope,
                 "threshold": threshold}
        for name, value in given.items():
            number(value, self, f"a {name} of at least 0", lambda n: n >= 0)
        self.function = activations.rectifier(negative_slope, max_value, threshold)


class LeakyReLU(_ActivationLayer):
    """y = x where x > 0, else negative_slope x; Maas, Hannun and Ng, 2013. ONNX: LeakyRelu.

    Parameters
    ----------
    negative_slope : float
    """

    def __init__(self, negative_slope: float = 0.3, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        slope = number(negative_slope, self, "a negative_slope of at least 0", lambda n: n >= 0)
        self.function = parametric("leaky_relu", slope)


class ThresholdedReLU(_ActivationLayer):
    """y = x where x > theta, else 0; Konda, Memisevic and Krueger, 2014. ONNX: ThresholdedRelu.

    Parameters
    ----------
    theta : float
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = parametric("threshold", number(theta, self, "a number for theta"))


class Clip(_ActivationLayer):
    """y = min(max(x, min_value), max_value); its derivative is 0 on the bounds and outside. ONNX: Clip.

    Parameters
    ----------
    min_value, max_value : float, optional
        Each may be absent.
    """

    def __init__(self, min_value: float | None = None, max_value: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for bound in (min_value, max_value):
            if bound is not None and not (isinstance(bound, float) and math.isinf(bound)):
                number(bound, self, "numbers or None for min_value and max_value")
        self.function = activations.clip(min_value, max_value)


class HardSigmoid(_ActivationLayer):
    """y = min(max(alpha x + beta, 0), 1). ONNX: HardSigmoid, whose alpha is 0.2 by default, not Keras's 1/6.

    Parameters
    ----------
    alpha, beta : float
    """

    def __init__(self, alpha: float = 1 / 6, beta: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = parametric("hard_sigmoid", number(alpha, self, "a number for alpha"),
                                   number(beta, self, "a number for beta"))


class ELU(_ActivationLayer):
    """y = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter, 2016. ONNX: Elu.

    Parameters
    ----------
    alpha : float
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = parametric("elu", number(alpha, self, "a number for alpha"))


class SELU(_ActivationLayer):
    """y = scale (x where x > 0, else alpha (exp(x) - 1)); Klambauer et al., 2017. ONNX: Selu.

    Parameters
    ----------
    alpha, scale : float
        The paper's, 1.6733 and 1.0507; scale is ONNX's gamma.
    """

    def __init__(self, alpha: float | None = None, scale: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function("selu")
        if alpha is not None or scale is not None:
            papers = 1.6732632423543772, 1.0507009873554805
            a, b = (number(p if given is None else given, self, "numbers for alpha and scale")
                    for given, p in zip((alpha, scale), papers, strict=True))
            self.function = parametric("scaled_elu", a, b)


class CELU(_ActivationLayer):
    """y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1)); Barron, 2017. ONNX: Celu.

    Parameters
    ----------
    alpha : float
        Not 0.
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        alpha = number(alpha, self, "an alpha other than 0", lambda n: n != 0)
        self.function = parametric("celu", alpha)


class GELU(_ActivationLayer):
    """y = x Phi(x), Phi being the normal distribution's; Hendrycks and Gimpel, 2016. ONNX: Gelu.

    Parameters
    ----------
    approximate : bool
        Take the paper's formula with tanh instead of erf.
    """

    def __init__(self, approximate: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function("gelu_tanh" if approximate else "gelu")


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
        Not 0, the batch.
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._over(axis, "softmax", False)


class LogSoftmax(_Softmax):
    """y_i = x_i - log sum_j exp(x_j) over an axis, or several together. ONNX: LogSoftmax.

    Parameters
    ----------
    axis : int or sequence of int
        Not 0, the batch.
    """

    def __init__(self, axis: int | Sequence[int] = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._over(axis, "log_softmax", True)


__all__ = ["CELU", "ELU", "GELU", "SELU", "Activation", "Clip", "Elementwise", "Function", "HardSiLU", "HardSigmoid",
           "LeakyReLU", "Linear", "LogSoftmax", "Mish", "ReLU", "ReLU6", "SiLU", "Sigmoid", "Softmax",
           "SoftmaxFunction", "Softplus", "Softsign", "Step", "Tanh", "ThresholdedReLU", "function",
           "is_activation"]
