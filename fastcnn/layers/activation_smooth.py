"""Smooth activations as layers: sigmoid, exponential units and their kin."""

from typing import Any

from fastcnn.activations.names import parametric
from fastcnn.geometry.arguments import number
from fastcnn.layers.activation import _ActivationLayer, function
from fastcnn.traits import Trait


class Sigmoid(_ActivationLayer):
    """y = 1 / (1 + exp(-x)). ONNX: Sigmoid."""

    traits = Trait.POINTWISE
    function = function("sigmoid")


class Tanh(_ActivationLayer):
    """y = tanh(x). ONNX: Tanh."""

    traits = Trait.POINTWISE
    function = function("tanh")


class ELU(_ActivationLayer):
    """y = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter, 2016. ONNX: Elu.

    Parameters
    ----------
    alpha : float
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
    """y = x sigmoid(x), also called swish; Ramachandran et al., 2017. ONNX: Swish."""

    traits = Trait.POINTWISE
    function = function("silu")


class Mish(_ActivationLayer):
    """y = x tanh(log(1 + exp(x))); Misra, 2019. ONNX: Mish."""

    traits = Trait.POINTWISE
    function = function("mish")


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


class Softplus(_ActivationLayer):
    """y = log(1 + exp(x)). ONNX: Softplus."""

    traits = Trait.POINTWISE
    function = function("softplus")


class Softsign(_ActivationLayer):
    """y = x / (1 + |x|). ONNX: Softsign."""

    traits = Trait.POINTWISE
    function = function("softsign")
