"""Activations whose formula holds everywhere, or that are smooth where two of them meet."""

from typing import Any

from fastcnn.activations.names import FUNCTIONS
from fastcnn.kernels import codes
from fastcnn.operations.activation import Elementwise, applied


def sigmoid(x: Any) -> Any:
    """y = 1 / (1 + exp(-x)). ONNX: Sigmoid."""
    return applied(FUNCTIONS["sigmoid"], x)


def log_sigmoid(x: Any) -> Any:
    """y = -log(1 + exp(-x))."""
    return applied(FUNCTIONS["log_sigmoid"], x)


def tanh(x: Any) -> Any:
    """y = tanh(x). ONNX: Tanh."""
    return applied(FUNCTIONS["tanh"], x)


def tanh_shrink(x: Any) -> Any:
    """y = x - tanh(x)."""
    return applied(FUNCTIONS["tanh_shrink"], x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """y = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter, 2016. ONNX: Elu.

    Parameters
    ----------
    x : array or Tensor
    alpha : float
        -alpha is the limit for small x.
    """
    return applied(Elementwise("elu", codes.ELU, float(alpha)), x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1)); Barron, 2017. ONNX: Celu.

    Parameters
    ----------
    x : array or Tensor
    alpha : float
        -alpha is the limit for small x.
    """
    return applied(Elementwise("celu", codes.CELU, float(alpha)), x)


def selu(x: Any) -> Any:
    """y = 1.0507 (x or 1.6733 (exp(x) - 1)); Klambauer et al., 2017. ONNX: Selu."""
    return applied(FUNCTIONS["selu"], x)


def silu(x: Any) -> Any:
    """y = x sigmoid(x), also called swish; Ramachandran et al., 2017. ONNX: Swish."""
    return applied(FUNCTIONS["silu"], x)


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


def squareplus(x: Any, b: float = 4) -> Any:
    """y = (x + sqrt(x^2 + b)) / 2; Barron, 2021.

    Parameters
    ----------
    x : array or Tensor
    b : float
        How smooth the corner at 0 is.
    """
    return applied(Elementwise("squareplus", codes.SQUAREPLUS, float(b)), x)


def softsign(x: Any) -> Any:
    """y = x / (1 + |x|). ONNX: Softsign."""
    return applied(FUNCTIONS["softsign"], x)


def exponential(x: Any) -> Any:
    """y = exp(x). ONNX: Exp."""
    return applied(FUNCTIONS["exponential"], x)
