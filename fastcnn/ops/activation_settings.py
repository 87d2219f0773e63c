"""Activations that are told more than their input: slopes, thresholds, axes."""

from typing import Any

from fastcnn import activations
from fastcnn.ops.activation import applied, sigmoid
from fastcnn.ops.arithmetic import multiply
from fastcnn.ops.casting import floating
from fastcnn.ops.parts import split


def leaky_relu(x: Any, negative_slope: float = 0.2) -> Any:
    """Return x where x > 0, else negative_slope x.

    Parameters
    ----------
    x : array or tensor
    negative_slope : float

    Examples
    --------
    >>> fc.ops.leaky_relu([-3.0, 0.0, 3.0]).round(2)
    array([-0.6,  0. ,  3. ], dtype=float32)
    """
    return applied(activations.leaky_relu, x, negative_slope)


def elu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where x > 0, else alpha (exp(x) - 1).

    Parameters
    ----------
    x : array or tensor
    alpha : float

    Examples
    --------
    >>> fc.ops.elu([-3.0, 0.0, 3.0]).round(2)
    array([-0.95,  0.  ,  3.  ], dtype=float32)
    """
    return applied(activations.elu, x, alpha)


def celu(x: Any, alpha: float = 1.0) -> Any:
    """Return x where x > 0, else alpha (exp(x / alpha) - 1).

    Parameters
    ----------
    x : array or tensor
    alpha : float

    Examples
    --------
    >>> fc.ops.celu([-3.0, 0.0, 3.0]).round(2)
    array([-0.95,  0.  ,  3.  ], dtype=float32)
    """
    return applied(activations.celu, x, alpha)


def gelu(x: Any, approximate: bool = True) -> Any:
    """Return x times the share of the normal distribution below x.

    Parameters
    ----------
    x : array or tensor
    approximate : bool
        Whether tanh stands for that share.

    Examples
    --------
    >>> fc.ops.gelu([-3.0, 0.0, 3.0]).round(2)
    array([-0.,  0.,  3.], dtype=float32)
    """
    return applied(activations.gelu, x, approximate)


def squareplus(x: Any, b: float = 4) -> Any:
    """Return (x + sqrt(x^2 + b)) / 2.

    Parameters
    ----------
    x : array or tensor
    b : float

    Examples
    --------
    >>> fc.ops.squareplus([-3.0, 0.0, 3.0]).round(2)
    array([0.3, 1. , 3.3], dtype=float32)
    """
    return applied(activations.squareplus, x, b)


def hard_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Return x where |x| > threshold, else 0.

    Parameters
    ----------
    x : array or tensor
    threshold : float

    Examples
    --------
    >>> fc.ops.hard_shrink([-3.0, 0.0, 3.0]).round(2)
    array([-3.,  0.,  3.], dtype=float32)
    """
    return applied(activations.hard_shrink, x, threshold)


def soft_shrink(x: Any, threshold: float = 0.5) -> Any:
    """Return x moved towards 0 by threshold, at most to 0.

    Parameters
    ----------
    x : array or tensor
    threshold : float

    Examples
    --------
    >>> fc.ops.soft_shrink([-3.0, 0.0, 3.0]).round(2)
    array([-2.5,  0. ,  2.5], dtype=float32)
    """
    return applied(activations.soft_shrink, x, threshold)


def threshold(x: Any, threshold: float, default_value: float) -> Any:
    """Return x where x > threshold, else default_value.

    Parameters
    ----------
    x : array or tensor
    threshold, default_value : float

    Examples
    --------
    >>> fc.ops.threshold([-3.0, 0.0, 3.0], 1.0, 0.0)
    array([0., 0., 3.], dtype=float32)
    """
    return applied(activations.threshold, x, threshold, default_value)


def softmax(x: Any, axis: Any = -1) -> Any:
    """Return exp(x) divided by its sum along an axis, or several together.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int

    Examples
    --------
    >>> fc.ops.softmax([1.0, 2.0, 3.0]).round(2)
    array([0.09, 0.24, 0.67], dtype=float32)
    """
    return applied(activations.softmax, x, axis=axis)


def log_softmax(x: Any, axis: Any = -1) -> Any:
    """Return the logarithm of `softmax`.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int

    Examples
    --------
    >>> fc.ops.log_softmax([1.0, 2.0, 3.0]).round(2)
    array([-2.41, -1.41, -0.41], dtype=float32)
    """
    return applied(activations.log_softmax, x, axis=axis)


def glu(x: Any, axis: int = -1) -> Any:
    """Return the first half of the entries along an axis times the sigmoid of the second half.

    Parameters
    ----------
    x : array or tensor
    axis : int

    Examples
    --------
    >>> fc.ops.glu([2.0, 0.0])
    array([1.], dtype=float32)
    """
    first, second = split(floating(x, "ops.glu"), 2, axis)
    return multiply(first, sigmoid(second))
