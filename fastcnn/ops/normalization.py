"""Means and variances, and what is normalized by them."""

from collections.abc import Sequence
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.geometry.tensor_shapes import axes_from_front, from_front
from fastcnn.ops.arithmetic import add, divide, maximum, multiply, power, subtract
from fastcnn.ops.casting import floating
from fastcnn.ops.elementary import abs as absolute
from fastcnn.ops.elementary import rsqrt, sqrt, square
from fastcnn.ops.reduction import max as largest
from fastcnn.ops.reduction import mean
from fastcnn.ops.reduction import sum as total
from fastcnn.ops.shaping import reshape
from fastcnn.ops.statistics import var


def moments(x: Any, axes: Any, keepdims: bool = False, synchronized: bool = False) -> tuple[Any, Any]:
    """Return mean and variance along axes.

    Parameters
    ----------
    x : array or tensor
    axes : int or sequence of int
    keepdims : bool
        Whether the axes stay, with length 1.
    synchronized : bool
        True is not offered.

    Examples
    --------
    >>> fc.ops.moments([1.0, 3.0], 0)
    (array(2., dtype=float32), array(1., dtype=float32))
    """
    if synchronized:
        raise ArgumentError("ops.moments: synchronized=True is not offered; there is one device")
    return mean(x, axes, keepdims), var(x, axes, keepdims)


def batch_normalization(x: Any, mean: Any, variance: Any, axis: int, offset: Any = None, scale: Any = None,
                        epsilon: float = 1e-3) -> Any:
    """Return scale (x - mean) / sqrt(variance + epsilon) + offset, with a number of each for an entry of the axis.

    Parameters
    ----------
    x : array or tensor
    mean, variance : vectors
    axis : int
    offset, scale : vectors, optional
    epsilon : float

    Examples
    --------
    >>> fc.ops.batch_normalization(np.ones((1, 2), "float32"), [1.0, 0.0], [1.0, 1.0], -1, epsilon=0.0)
    array([[0., 1.]], dtype=float32)
    """
    x = floating(x, "ops.batch_normalization")
    at = from_front(axis, x.ndim, "ops.batch_normalization")
    along = [-1 if k == at else 1 for k in range(x.ndim)]
    slope = rsqrt(add(floating(variance, "ops.batch_normalization"), epsilon))
    if scale is not None:
        slope = multiply(slope, scale)
    y = multiply(subtract(x, reshape(mean, along)), reshape(slope, along))
    return y if offset is None else add(y, reshape(offset, along))


def layer_normalization(x: Any, gamma: Any = None, beta: Any = None, axis: Any = -1,
                        epsilon: float | None = None) -> Any:
    """Return gamma (x - mean) / sqrt(variance + epsilon) + beta, mean and variance being those along axes.

    Parameters
    ----------
    x : array or tensor
    gamma, beta : arrays or tensors, optional
        Which broadcast along the axes.
    axis : int or sequence of int
    epsilon : float, optional
        1e-7 if absent.

    Examples
    --------
    >>> fc.ops.layer_normalization([[1.0, 3.0]]).round(3)
    array([[-1.,  1.]], dtype=float32)
    """
    x = floating(x, "ops.layer_normalization")
    axes = axes_from_front(axis, x.ndim, "ops.layer_normalization")
    centre, spread = moments(x, axes, keepdims=True)
    y = multiply(subtract(x, centre), rsqrt(add(spread, 1e-7 if epsilon is None else epsilon)))
    return _affine(y, gamma, beta, axes)


def rms_normalization(x: Any, scale: Any = None, axis: Any = -1, epsilon: float | None = None) -> Any:
    """Return scale x / sqrt(mean(x^2) + epsilon), the mean being that along axes.

    Parameters
    ----------
    x : array or tensor
    scale : array or tensor, optional
    axis : int or sequence of int
    epsilon : float, optional
        1e-7 if absent.

    Examples
    --------
    >>> fc.ops.rms_normalization([[3.0, 4.0]]).round(3)
    array([[0.849, 1.131]], dtype=float32)
    """
    x = floating(x, "ops.rms_normalization")
    axes = axes_from_front(axis, x.ndim, "ops.rms_normalization")
    y = multiply(x, rsqrt(add(mean(square(x), axes, keepdims=True), 1e-7 if epsilon is None else epsilon)))
    return _affine(y, scale, None, axes)


def _affine(y: Any, scale: Any, offset: Any, axes: Sequence[int]) -> Any:
    shape = [n if k in axes else 1 for k, n in enumerate(y.shape)]
    for operation, value in ((multiply, scale), (add, offset)):
        if value is not None:
            y = operation(y, reshape(value, shape))
    return y


def normalize(x: Any, axis: int = -1, order: Any = 2, epsilon: float | None = None) -> Any:
    """Return vectors along an axis divided by their lengths, or by epsilon where they are shorter.

    Parameters
    ----------
    x : array or tensor
    axis : int
    order : int or float
        Of the norm; inf is the largest absolute value.
    epsilon : float, optional
        1e-7 if absent.

    Examples
    --------
    >>> fc.ops.normalize([[3.0, 4.0]])
    array([[0.6, 0.8]], dtype=float32)
    """
    x, epsilon = floating(x, "ops.normalize"), 1e-7 if epsilon is None else epsilon
    if not isinstance(order, (int, float)) or order < 1:
        raise ArgumentError(f"ops.normalize: expected an order of at least 1, got {order!r}")
    if order == 2:  # as Keras: no root of 0, whose derivative is infinite
        return multiply(x, rsqrt(maximum(total(square(x), axis, keepdims=True), epsilon * epsilon)))
    if order == float("inf"):
        length = largest(absolute(x), axis, keepdims=True)
    else:
        length = total(power(absolute(x), float(order)), axis, keepdims=True)
        length = sqrt(length) if order == 2 else power(length, 1 / float(order))
    return divide(x, maximum(length, epsilon))
