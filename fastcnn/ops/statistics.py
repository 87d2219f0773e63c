"""Variances, weighted means, norms: what is made of sums."""

import math
from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.geometry.tensor_shapes import axes_from_front, from_front
from fastcnn.ops.arithmetic import add, divide, multiply, power, subtract
from fastcnn.ops.casting import cast, floating, meet, stop_gradient
from fastcnn.ops.comparison import not_equal
from fastcnn.ops.creation import ones_like
from fastcnn.ops.elementary import abs as absolute
from fastcnn.ops.elementary import exp, log, sqrt, square
from fastcnn.ops.reduction import max, mean, sum
from fastcnn.ops.shaping import reshape, squeeze


def var(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean squared distance from the mean along axes.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.

    Examples
    --------
    >>> fc.ops.var([1.0, 3.0])
    array(1., dtype=float32)
    """
    x = floating(x, "ops.var")
    return mean(square(subtract(x, mean(x, axis, keepdims=True))), axis, keepdims)


def std(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the square root of `var`.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.

    Examples
    --------
    >>> fc.ops.std([1.0, 5.0])
    array(2., dtype=float32)
    """
    return sqrt(var(x, axis, keepdims))


def average(x: Any, axis: Any = None, weights: Any = None) -> Any:
    """Return the mean along axes, each number with a weight.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    weights : array or tensor, optional
        Which broadcasts with `x`, or is a vector along the axis.

    Examples
    --------
    >>> fc.ops.average([1.0, 4.0], weights=[2.0, 1.0])
    array(2., dtype=float32)
    """
    if weights is None:
        return mean(x, axis)
    x, weights = meet("ops.average", x, weights, floating=True)
    if weights.ndim == 1 and x.ndim > 1 and axis is not None:
        at = from_front(axis, x.ndim, "ops.average")
        weights = reshape(weights, [-1 if k == at else 1 for k in range(x.ndim)])
    return divide(sum(multiply(x, weights), axis), sum(_spread(weights, x), axis))


def _spread(weights: Any, x: Any) -> Any:
    return multiply(weights, ones_like(x))


def logsumexp(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return log(sum(exp(x))) along axes, with no overflow.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.

    Examples
    --------
    >>> fc.ops.logsumexp([1000.0, 1000.0]).round(2)
    np.float32(1000.69)
    """
    x = floating(x, "ops.logsumexp")
    top = stop_gradient(max(x, axis, keepdims=True))
    found = add(log(sum(exp(subtract(x, top)), axis, keepdims=True)), top)
    return found if keepdims else squeeze(found, axes_from_front(axis, x.ndim, "ops.logsumexp"))


def norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the length of vectors: the root of the sum of squares, or the p-norm.

    Parameters
    ----------
    x : array or tensor
    ord : int, float or "euclidean", optional
        p; 1 sums absolute values, inf takes the largest of them.
    axis : int or tuple of int, optional
        Of all numbers if absent.
    keepdims : bool
        Whether the axes stay, with length 1.

    Raises
    ------
    ArgumentError
        For norms of matrices other than the root of the sum of squares.

    Examples
    --------
    >>> fc.ops.norm([3.0, 4.0])
    array(5., dtype=float32)
    """
    x = floating(x, "ops.norm")
    if ord in (None, 2, "euclidean", "fro"):
        if ord == 2 and len(axes_from_front(axis, x.ndim, "ops.norm")) > 1:
            raise ArgumentError("ops.norm: expected one axis for ord=2, got a matrix, whose spectral norm is not "
                                "offered")
        return sqrt(sum(square(x), axis, keepdims))
    if isinstance(ord, str) or len(axes_from_front(axis, x.ndim, "ops.norm")) > 1:
        raise ArgumentError(f"ops.norm: expected ord to be a number and one axis, got ord={ord!r} and axis={axis!r}")
    if ord == math.inf:
        return max(absolute(x), axis, keepdims)
    if ord == 1:
        return sum(absolute(x), axis, keepdims)
    return power(sum(power(absolute(x), float(ord)), axis, keepdims), 1 / float(ord))


def count_nonzero(x: Any, axis: Any = None) -> Any:
    """Return how many numbers along axes are other than 0.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional

    Examples
    --------
    >>> fc.ops.count_nonzero([1, 0, 2])
    array(2, dtype=int32)
    """
    return sum(cast(not_equal(x, 0), "int32"), axis)
