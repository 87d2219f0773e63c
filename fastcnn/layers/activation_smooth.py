"""Smooth activations as layers: sigmoid, exponential units and their kin."""

from typing import Any

from fastcnn.activations.names import parametric
from fastcnn.geometry.arguments import number
from fastcnn.layers.activation import _ActivationLayer, function
from fastcnn.traits import Trait


class Sigmoid(_ActivationLayer):
    """y = 1 / (1 + exp(-x)). ONNX: Sigmoid.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Sigmoid().predict(x).round(2)
    array([[0.12, 0.38, 0.5 , 0.62, 0.98]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = function("sigmoid")


class Tanh(_ActivationLayer):
    """y = tanh(x). ONNX: Tanh.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Tanh().predict(x).round(2)
    array([[-0.96, -0.46,  0.  ,  0.46,  1.  ]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = function("tanh")


class ELU(_ActivationLayer):
    """y = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter, 2016. ONNX: Elu.

    Parameters
    ----------
    alpha : float

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.ELU().predict(x).round(2)
    array([[-0.86, -0.39,  0.  ,  0.5 ,  4.  ]], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = parametric("elu", number(alpha, self, "a number for alpha"))


class CELU(_ActivationLayer):
    """y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1)); Barron, 2017. ONNX: Celu.

    Parameters
    ----------
    alpha : float
        Not 0.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.CELU(alpha=2).predict(x).round(2)
    array([[-1.26, -0.44,  0.  ,  0.5 ,  4.  ]], dtype=float32)
    """

    def __init__(self, alpha: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        alpha = number(alpha, self, "an alpha other than 0", lambda n: n != 0)
        self.function = parametric("celu", alpha)


class SELU(_ActivationLayer):
    """y = scale (x where x > 0, else alpha (exp(x) - 1)); Klambauer et al., 2017. ONNX: Selu.

    Parameters
    ----------
    alpha, scale : float
        The paper's, 1.6733 and 1.0507; scale is ONNX's gamma.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.SELU().predict(x).round(2)
    array([[-1.52, -0.69,  0.  ,  0.53,  4.2 ]], dtype=float32)
    """

    def __init__(self, alpha: float | None = None, scale: float | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function("selu")
        if alpha is not None or scale is not None:
            papers = 1.6732632423543772, 1.0507009873554805
            a, b = (number(p if given is None else given, self, "numbers for alpha and scale")
                    for given, p in zip((alpha, scale), papers, strict=True))
            self.function = parametric("scaled_elu", a, b)


class SiLU(_ActivationLayer):
    """y = x sigmoid(x), also called swish; Ramachandran et al., 2017. ONNX: Swish.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.SiLU().predict(x).round(2)
    array([[-0.24, -0.19,  0.  ,  0.31,  3.93]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = function("silu")


class Mish(_ActivationLayer):
    """y = x tanh(log(1 + exp(x))); Misra, 2019. ONNX: Mish.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Mish().predict(x).round(2)
    array([[-0.25, -0.22,  0.  ,  0.38,  4.  ]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = function("mish")


class GELU(_ActivationLayer):
    """y = x Phi(x), Phi being the normal distribution's; Hendrycks and Gimpel, 2016. ONNX: Gelu.

    Parameters
    ----------
    approximate : bool
        Take the paper's formula with tanh instead of erf.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.GELU().predict(x).round(2)
    array([[-0.05, -0.15,  0.  ,  0.35,  4.  ]], dtype=float32)
    """

    def __init__(self, approximate: bool = False, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.function = function("gelu_tanh" if approximate else "gelu")


class Softplus(_ActivationLayer):
    """y = log(1 + exp(x)). ONNX: Softplus.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Softplus().predict(x).round(2)
    array([[0.13, 0.47, 0.69, 0.97, 4.02]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = function("softplus")


class Softsign(_ActivationLayer):
    """y = x / (1 + |x|). ONNX: Softsign.

    Examples
    --------
    >>> x = np.array([[-2, -0.5, 0, 0.5, 4]], "float32")
    >>> layers.Softsign().predict(x).round(2)
    array([[-0.67, -0.33,  0.  ,  0.33,  0.8 ]], dtype=float32)
    """

    traits = Trait.POINTWISE
    function = function("softsign")
