"""Activations, as `fastcnn.activations` has them, of vectors, of integers and of lists too."""

from collections.abc import Callable
from typing import Any

from fastcnn import activations
from fastcnn.geometry.tensor_shapes import axes_from_front
from fastcnn.ops.arithmetic import subtract
from fastcnn.ops.casting import convert_to_tensor, floating
from fastcnn.ops.elementary import exp
from fastcnn.ops.shaping import reshape
from fastcnn.ops.statistics import logsumexp
from fastcnn.parameters import Parameter
from fastcnn.symbolic import Tensor, tracing


def applied(function: Callable[..., Any], x: Any, *arguments: Any, axis: Any = None) -> Any:
    """Return an activation of an array or tensor. It wants a batch: what has none is a batch of one.

    Parameters
    ----------
    function : callable
        Of `fastcnn.activations`.
    x : array or tensor
    *arguments
        The function's.
    axis : int or tuple of int, optional
        The function's, of a softmax.
    """
    x = floating(x, f"ops.{function.__name__}")
    if isinstance(x, Parameter):
        x = convert_to_tensor(x) if not tracing() else reshape(x, x.shape)
    axes = () if axis is None else axes_from_front(axis, x.ndim, f"ops.{function.__name__}")
    alone = x.ndim < 2 or 0 in axes
    if isinstance(x, Tensor) and x.shape[:1] == (None,):
        if 0 in axes:  # along the batch, which layers leave alone
            found = subtract(x, logsumexp(x, axes, keepdims=True))
            return exp(found) if function is activations.softmax else found
        alone = False
    if alone:
        y = reshape(x, (1, *x.shape) if x.ndim else (1, 1))
        y = function(y, *arguments, *([tuple(k + 1 for k in axes)] if axes else []))
    else:
        y = function(x, *arguments, *([axes] if axes else []))
    return y if y.shape == x.shape else reshape(y, x.shape)


def relu(x: Any) -> Any:
    """Return max(x, 0).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.relu([-3.0, 0.0, 3.0]).round(2)
    array([0., 0., 3.], dtype=float32)
    """
    return applied(activations.relu, x)


def relu6(x: Any) -> Any:
    """Return min(max(x, 0), 6).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.relu6([-3.0, 0.0, 3.0]).round(2)
    array([0., 0., 3.], dtype=float32)
    """
    return applied(activations.relu6, x)


def sigmoid(x: Any) -> Any:
    """Return 1 / (1 + exp(-x)).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.sigmoid([-3.0, 0.0, 3.0]).round(2)
    array([0.05, 0.5 , 0.95], dtype=float32)
    """
    return applied(activations.sigmoid, x)


def softplus(x: Any) -> Any:
    """Return log(1 + exp(x)).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.softplus([-3.0, 0.0, 3.0]).round(2)
    array([0.05, 0.69, 3.05], dtype=float32)
    """
    return applied(activations.softplus, x)


def softsign(x: Any) -> Any:
    """Return x / (1 + |x|).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.softsign([-3.0, 0.0, 3.0]).round(2)
    array([-0.75,  0.  ,  0.75], dtype=float32)
    """
    return applied(activations.softsign, x)


def silu(x: Any) -> Any:
    """Return x sigmoid(x).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.silu([-3.0, 0.0, 3.0]).round(2)
    array([-0.14,  0.  ,  2.86], dtype=float32)
    """
    return applied(activations.silu, x)


def selu(x: Any) -> Any:
    """Return `elu`, scaled so that mean and variance stay.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.selu([-3.0, 0.0, 3.0]).round(2)
    array([-1.67,  0.  ,  3.15], dtype=float32)
    """
    return applied(activations.selu, x)


def log_sigmoid(x: Any) -> Any:
    """Return log(sigmoid(x)).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.log_sigmoid([-3.0, 0.0, 3.0]).round(2)
    array([-3.05, -0.69, -0.05], dtype=float32)
    """
    return applied(activations.log_sigmoid, x)


def hard_sigmoid(x: Any) -> Any:
    """Return min(max(x / 6 + 1/2, 0), 1).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.hard_sigmoid([-3.0, 0.0, 3.0]).round(2)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return applied(activations.hard_sigmoid, x)


def hard_silu(x: Any) -> Any:
    """Return x hard_sigmoid(x).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.hard_silu([-3.0, 0.0, 3.0]).round(2)
    array([-0.,  0.,  3.], dtype=float32)
    """
    return applied(activations.hard_silu, x)


def hard_tanh(x: Any) -> Any:
    """Return min(max(x, -1), 1).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.hard_tanh([-3.0, 0.0, 3.0]).round(2)
    array([-1.,  0.,  1.], dtype=float32)
    """
    return applied(activations.hard_tanh, x)


def tanh_shrink(x: Any) -> Any:
    """Return x - tanh(x).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.tanh_shrink([-3.0, 0.0, 3.0]).round(2)
    array([-2.,  0.,  2.], dtype=float32)
    """
    return applied(activations.tanh_shrink, x)


def sparse_plus(x: Any) -> Any:
    """Return 0 below -1, x above 1, and (x + 1)^2 / 4 between.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.sparse_plus([-3.0, 0.0, 3.0]).round(2)
    array([0.  , 0.25, 3.  ], dtype=float32)
    """
    return applied(activations.sparse_plus, x)


def sparse_sigmoid(x: Any) -> Any:
    """Return 0 below -1, 1 above 1, and (x + 1) / 2 between.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.sparse_sigmoid([-3.0, 0.0, 3.0]).round(2)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return applied(activations.sparse_sigmoid, x)


swish, hard_swish = silu, hard_silu
