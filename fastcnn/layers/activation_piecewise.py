"""Activations that are made of pieces as layers: rectifiers and their kin."""

import math
from typing import Any

from fastcnn import activations
from fastcnn.activations.names import parametric
from fastcnn.geometry.arguments import number
from fastcnn.layers.activation import _ActivationLayer, function
from fastcnn.traits import Trait


class Linear(_ActivationLayer):
    """y = x.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Linear().predict(x)
    array([[-2. , -0.5,  0. ,  0.5,  4. ]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = None


class ReLU(_ActivationLayer):
    """y = max_value where x >= max_value, x where threshold < x, else negative_slope (x - threshold). ONNX: Relu, Clip.

    Parameters
    ----------
    max_value : float, optional
    negative_slope : float
    threshold : float
        Each of the three is at least 0.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.ReLU(max_value=3).predict(x)
    array([[0. , 0. , 0. , 0.5, 3. ]], dtype=float32)
    """

    def __init__(self, max_value: float | None = None, negative_slope: float = 0.0, threshold: float = 0.0,
                 **kwargs: Any) -> None:
        super().__init__(**kwargs)
        given = {"max_value": 0.0 if max_value is None else max_value, "negative_slope": negative_slope,
                 "threshold": threshold}
        for name, value in given.items():
            number(value, self, f"a {name} of at least 0", lambda n: n >= 0)
        self.function = activations.rectifier(negative_slope, max_value, threshold)


class ReLU6(_ActivationLayer):
    """y = min(max(x, 0), 6); Howard et al., 2017. ONNX: Clip.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.ReLU6().predict(x)
    array([[0. , 0. , 0. , 0.5, 4. ]], dtype=float32)
    """

    traits = Trait.POINTWISE | Trait.CALLS_KERNELS
    function = function("relu6")


class LeakyReLU(_ActivationLayer):
    """y = x where x > 0, else negative_slope x; Maas, Hannun and Ng, 2013. ONNX: LeakyRelu.

    Parameters
    ----------
    negative_slope : float

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.LeakyReLU(0.1).predict(x)
    array([[-0.2 , -0.05,  0.  ,  0.5 ,  4.  ]], dtype=float32)
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

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.ThresholdedReLU(0.6).predict(x)
    array([[0., 0., 0., 0., 4.]], dtype=float32)
    """

    def __init__(self, theta: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = parametric("threshold", number(theta, self, "a number for theta"))


class Clip(_ActivationLayer):
    """y = min(max(x, min_value), max_value); its derivative is 0 on the bounds and outside. ONNX: Clip.

    Parameters
    ----------
    min_value, max_value : float, optional
        None means no bound.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Clip(-1, 1).predict(x)
    array([[-1. , -0.5,  0. ,  0.5,  1. ]], dtype=float32)
    """

    def __init__(self, min_value: float | None = None, max_value: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for bound in (min_value, max_value):
            if bound is not None and not (isinstance(bound, float) and math.isinf(bound)):
                number(bound, self, "numbers or None for min_value and max_value")
        self.function = activations.clip(min_value, max_value)


class Step(_ActivationLayer):
    """y = 1 where x >= 0, else 0; its derivative is 0 everywhere.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Step().predict(x)
    array([[0., 0., 1., 1., 1.]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = function("step")


class HardSigmoid(_ActivationLayer):
    """y = min(max(alpha x + beta, 0), 1). ONNX: HardSigmoid, whose alpha is 0.2 by default, not Keras's 1/6.

    Parameters
    ----------
    alpha, beta : float

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.HardSigmoid().predict(x).round(2)
    array([[0.17, 0.42, 0.5 , 0.58, 1.  ]], dtype=float32)
    """

    def __init__(self, alpha: float = 1 / 6, beta: float = 0.5, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = parametric("hard_sigmoid", number(alpha, self, "a number for alpha"),
                                   number(beta, self, "a number for beta"))


class HardSiLU(_ActivationLayer):
    """y = x min(max(x / 6 + 1/2, 0), 1), also called hard swish; Howard et al., 2019. ONNX: HardSwish.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.HardSiLU().predict(x).round(2)
    array([[-0.33, -0.21,  0.  ,  0.29,  4.  ]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = function("hard_silu")
