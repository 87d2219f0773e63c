"""Activations whose formula holds everywhere, or that are smooth where two of them meet."""

from typing import Any

from fastcnn.activations.names import FUNCTIONS
from fastcnn.kernels import codes
from fastcnn.operations.activation import Elementwise, applied


def sigmoid(x: Any) -> Any:
    """y = 1 / (1 + exp(-x)). ONNX: Sigmoid.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.sigmoid(x).round(2)
    array([0.12, 0.38, 0.5 , 0.62, 0.98], dtype=float32)
    """
    return applied(FUNCTIONS["sigmoid"], x)


def log_sigmoid(x: Any) -> Any:
    """y = -log(1 + exp(-x)).

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.log_sigmoid(x).round(2)
    array([-2.13, -0.97, -0.69, -0.47, -0.02], dtype=float32)
    """
    return applied(FUNCTIONS["log_sigmoid"], x)


def tanh(x: Any) -> Any:
    """y = tanh(x). ONNX: Tanh.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.tanh(x).round(2)
    array([-0.96, -0.46,  0.  ,  0.46,  1.  ], dtype=float32)
    """
    return applied(FUNCTIONS["tanh"], x)


def tanh_shrink(x: Any) -> Any:
    """y = x - tanh(x).

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.tanh_shrink(x).round(2)
    array([-1.04, -0.04,  0.  ,  0.04,  3.  ], dtype=float32)
    """
    return applied(FUNCTIONS["tanh_shrink"], x)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """y = x where x > 0, else alpha (exp(x) - 1); Clevert, Unterthiner and Hochreiter, 2016. ONNX: Elu.

    Parameters
    ----------
    x : array or Tensor
    alpha : float
        -alpha is the limit for small x.

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.elu(x).round(2)
    array([-0.86, -0.39,  0.  ,  0.5 ,  4.  ], dtype=float32)
    """
    return applied(Elementwise("elu", codes.ELU, float(alpha)), x)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """y = max(x, 0) + min(0, alpha (exp(x / alpha) - 1)); Barron, 2017. ONNX: Celu.

    Parameters
    ----------
    x : array or Tensor
    alpha : float
        -alpha is the limit for small x.

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.celu(x).round(2)
    array([-0.86, -0.39,  0.  ,  0.5 ,  4.  ], dtype=float32)
    """
    return applied(Elementwise("celu", codes.CELU, float(alpha)), x)


def selu(x: Any) -> Any:
    """y = 1.0507 (x or 1.6733 (exp(x) - 1)); Klambauer et al., 2017. ONNX: Selu.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.selu(x).round(2)
    array([-1.52, -0.69,  0.  ,  0.53,  4.2 ], dtype=float32)
    """
    return applied(FUNCTIONS["selu"], x)


def silu(x: Any) -> Any:
    """y = x sigmoid(x), also called swish; Ramachandran et al., 2017. ONNX: Swish.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.silu(x).round(2)
    array([-0.24, -0.19,  0.  ,  0.31,  3.93], dtype=float32)
    """
    return applied(FUNCTIONS["silu"], x)


def mish(x: Any) -> Any:
    """y = x tanh(log(1 + exp(x))); Misra, 2019. ONNX: Mish.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.mish(x).round(2)
    array([-0.25, -0.22,  0.  ,  0.38,  4.  ], dtype=float32)
    """
    return applied(FUNCTIONS["mish"], x)


def gelu(x: Any, approximate: bool = False) -> Any:
    """y = x Phi(x), or with tanh for Phi's erf; Hendrycks and Gimpel, 2016. ONNX: Gelu.

    Parameters
    ----------
    x : array or Tensor
    approximate : bool
        Whether tanh takes the place of erf.

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.gelu(x).round(2)
    array([-0.05, -0.15,  0.  ,  0.35,  4.  ], dtype=float32)
    """
    return applied(FUNCTIONS["gelu_tanh" if approximate else "gelu"], x)


def softplus(x: Any) -> Any:
    """y = log(1 + exp(x)). ONNX: Softplus.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.softplus(x).round(2)
    array([0.13, 0.47, 0.69, 0.97, 4.02], dtype=float32)
    """
    return applied(FUNCTIONS["softplus"], x)


def squareplus(x: Any, b: float = 4) -> Any:
    """y = (x + sqrt(x^2 + b)) / 2; Barron, 2021.

    Parameters
    ----------
    x : array or Tensor
    b : float
        How smooth the corner at 0 is.

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.squareplus(x).round(2)
    array([0.41, 0.78, 1.  , 1.28, 4.24], dtype=float32)
    """
    return applied(Elementwise("squareplus", codes.SQUAREPLUS, float(b)), x)


def softsign(x: Any) -> Any:
    """y = x / (1 + |x|). ONNX: Softsign.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.softsign(x).round(2)
    array([-0.67, -0.33,  0.  ,  0.33,  0.8 ], dtype=float32)
    """
    return applied(FUNCTIONS["softsign"], x)


def exponential(x: Any) -> Any:
    """y = exp(x). ONNX: Exp.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.exponential(x).round(2)
    array([ 0.14,  0.61,  1.  ,  1.65, 54.6 ], dtype=float32)
    """
    return applied(FUNCTIONS["exponential"], x)
