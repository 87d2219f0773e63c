"""Activations that are made of pieces: straight lines and parabolas, and no exponential function."""

from dataclasses import replace
from typing import Any

from fastcnn.activations.names import FUNCTIONS, THRESHOLD, rectifier
from fastcnn.kernels import codes
from fastcnn.operations.activation import Elementwise, applied


def linear(x: Any) -> Any:
    """y = x.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.linear(x)
    array([-2. , -0.5,  0. ,  0.5,  4. ], dtype=float32)
    """
    return applied(None, x)


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

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.relu(x, max_value=3)
    array([0. , 0. , 0. , 0.5, 3. ], dtype=float32)
    """
    return applied(rectifier(negative_slope, max_value, threshold), x)


def relu6(x: Any) -> Any:
    """y = min(max(x, 0), 6); Howard et al., 2017. ONNX: Clip.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.relu6(x)
    array([0. , 0. , 0. , 0.5, 4. ], dtype=float32)
    """
    return applied(FUNCTIONS["relu6"], x)


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """y = x where x > 0, else negative_slope x; Maas, Hannun and Ng, 2013. ONNX: LeakyRelu.

    Parameters
    ----------
    x : array or Tensor
    negative_slope : float
        What x is multiplied by below 0.

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.leaky_relu(x).round(2)
    array([-0.4, -0.1,  0. ,  0.5,  4. ], dtype=float32)
    """
    return applied(Elementwise("leaky_relu", codes.LEAKY_RELU, float(negative_slope)), x)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """y = x where x > threshold, else default_value. ONNX: ThresholdedRelu, with 0.

    Parameters
    ----------
    x : array or Tensor
    threshold : float
        What x must exceed.
    default_value : float
        y elsewhere.

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.threshold(x, 0.1, default_value=-1)
    array([-1. , -1. , -1. ,  0.5,  4. ], dtype=float32)
    """
    return applied(replace(THRESHOLD, alpha=float(threshold), beta=float(default_value)), x)


def step(x: Any) -> Any:
    """y = 1 where x >= 0, else 0; its derivative is 0 everywhere.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.step(x)
    array([0., 0., 1., 1., 1.], dtype=float32)
    """
    return applied(FUNCTIONS["step"], x)


def hard_sigmoid(x: Any) -> Any:
    """y = min(max(x / 6 + 1/2, 0), 1). ONNX: HardSigmoid with alpha 1/6.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.hard_sigmoid(x).round(2)
    array([0.17, 0.42, 0.5 , 0.58, 1.  ], dtype=float32)
    """
    return applied(FUNCTIONS["hard_sigmoid"], x)


def hard_tanh(x: Any) -> Any:
    """y = min(max(x, -1), 1). ONNX: Clip.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.hard_tanh(x)
    array([-1. , -0.5,  0. ,  0.5,  1. ], dtype=float32)
    """
    return applied(FUNCTIONS["hard_tanh"], x)


def hard_silu(x: Any) -> Any:
    """y = x min(max(x / 6 + 1/2, 0), 1), also hard_swish; Howard et al., 2019. ONNX: HardSwish.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.hard_silu(x).round(2)
    array([-0.33, -0.21,  0.  ,  0.29,  4.  ], dtype=float32)
    """
    return applied(FUNCTIONS["hard_silu"], x)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """y = x where |x| > threshold, else 0. ONNX: Shrink.

    Parameters
    ----------
    x : array or Tensor
    threshold : float
        What |x| must exceed.

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.hard_shrink(x)
    array([-2.,  0.,  0.,  0.,  4.], dtype=float32)
    """
    return applied(Elementwise("hard_shrink", codes.SHRINK, float(threshold)), x)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """y = x -+ threshold where |x| > threshold, else 0. ONNX: Shrink.

    Parameters
    ----------
    x : array or Tensor
    threshold : float
        What |x| must exceed, and what it loses.

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.soft_shrink(x)
    array([-1.5,  0. ,  0. ,  0. ,  3.5], dtype=float32)
    """
    return applied(Elementwise("soft_shrink", codes.SHRINK, float(threshold), float(threshold)), x)


def sparse_plus(x: Any) -> Any:
    """y = 0 where x <= -1, (x + 1)^2 / 4 where x < 1, else x.

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.sparse_plus(x).round(2)
    array([0.  , 0.06, 0.25, 0.56, 4.  ], dtype=float32)
    """
    return applied(FUNCTIONS["sparse_plus"], x)


def sparse_sigmoid(x: Any) -> Any:
    """y = min(max((x + 1) / 2, 0), 1).

    Parameters
    ----------
    x : array or Tensor

    Examples
    --------
    >>> x = np.array([-2, -0.5, 0, 0.5, 4], "float32")
    >>> activations.sparse_sigmoid(x).round(2)
    array([0.  , 0.25, 0.5 , 0.75, 1.  ], dtype=float32)
    """
    return applied(FUNCTIONS["sparse_sigmoid"], x)
