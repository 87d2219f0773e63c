"""Sums, products, quotients and powers of two tensors, number by number, with broadcasting."""

from typing import Any

import numpy as np

from fastcnn import symbolic
from fastcnn.geometry.tensor_shapes import together
from fastcnn.kernels import tensor_codes
from fastcnn.operations import division, merge
from fastcnn.ops import types
from fastcnn.ops.casting import meet
from fastcnn.ops.comparison import equal, where
from fastcnn.ops.primitive import Gradients, is_floating, on_host, primitive, same
from fastcnn.symbolic import Tensor


def _broadcast(*shapes: Any, **_: Any) -> Any:
    return together(shapes, "ops")


def _of_rank(a: Any, b: Any) -> tuple[Any, Any]:
    """Return arrays of one rank, with dimensions of 1 in front of the shorter one's."""
    rank = max(a.ndim, b.ndim)
    return tuple(x if x.ndim == rank else x.reshape((1,) * (rank - x.ndim) + x.shape) for x in (a, b))


def _merged(operation: Any, function: Any, a: Any, b: Any) -> tuple[Any, Gradients | None]:
    """Run an operation of kernels, or NumPy's function on integers and truth values."""
    if not is_floating(a):
        return on_host(function, a, b), None
    shapes = a.shape, b.shape
    y, back = operation(_of_rank(a, b))
    return y, lambda dy: tuple(g.reshape(s) for g, s in zip(back(dy), shapes, strict=True))


def _writer(operator: str) -> Any:
    return lambda writer, names, shapes, **_: writer.node(operator, names)


@primitive(_broadcast, same, replayable=True, onnx=_writer("Add"))
def _add(a: Any, b: Any) -> Any:
    return _merged(merge.add, np.add, a, b)


@primitive(_broadcast, same, replayable=True, onnx=_writer("Sub"))
def _subtract(a: Any, b: Any) -> Any:
    return _merged(merge.subtract, np.subtract, a, b)


@primitive(_broadcast, same, replayable=True, onnx=_writer("Mul"))
def _multiply(a: Any, b: Any) -> Any:
    return _merged(merge.multiply, np.multiply, a, b)


@primitive(_broadcast, same, replayable=True, onnx=_writer("Max"))
def _maximum(a: Any, b: Any) -> Any:
    return _merged(merge.maximum, np.maximum, a, b)


@primitive(_broadcast, same, replayable=True, onnx=_writer("Min"))
def _minimum(a: Any, b: Any) -> Any:
    return _merged(merge.minimum, np.minimum, a, b)


@primitive(_broadcast, same, replayable=True, onnx=_writer("Div"))
def _divide(a: Any, b: Any) -> Any:
    return division.divide(a, b)


@primitive(_broadcast, same, replayable=True, onnx=_writer("Pow"))
def _power(a: Any, b: Any) -> Any:
    return division.power(a, b) if is_floating(a) else (on_host(np.power, a, b), None)


@primitive(_broadcast, same)
def _mod(a: Any, b: Any) -> Any:
    return division.remainder(a, b) if is_floating(a) else (on_host(np.mod, a, b), None)


@primitive(_broadcast, same)
def _floor_divide(a: Any, b: Any) -> Any:
    if not is_floating(a):
        return on_host(np.floor_divide, a, b), None
    return division.binary(a, b, tensor_codes.WHOLE_QUOTIENT), None


def _layers_suit(a: Any, b: Any) -> bool:
    """Return whether the layers `Add`, `Multiply`, ... do it, which rules of fusion know."""
    return (isinstance(a, Tensor) and isinstance(b, Tensor) and a.suits_layers and b.suits_layers
            and a.dtype == b.dtype and a.ndim == b.ndim)


def _by_layer(name: str, row: Any, x1: Any, x2: Any) -> Any:
    if _layers_suit(x1, x2):
        return symbolic.operators[name](x1, x2)
    return row(*meet(f"ops.{name}", x1, x2))


def add(x1: Any, x2: Any) -> Any:
    """Return x1 + x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.add(np.ones((1, 3), "float32"), 2)
    array([[3., 3., 3.]], dtype=float32)
    """
    if isinstance(x1, Tensor) and types.is_weak(x2) and x1.suits_layers:
        return x1 + x2
    return _by_layer("add", _add, x1, x2)


def subtract(x1: Any, x2: Any) -> Any:
    """Return x1 - x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.subtract([3, 2], [1, 1])
    array([2, 1], dtype=int32)
    """
    if isinstance(x1, Tensor) and types.is_weak(x2) and x1.suits_layers:
        return x1 - x2
    return _by_layer("subtract", _subtract, x1, x2)


def multiply(x1: Any, x2: Any) -> Any:
    """Return x1 x2, number by number.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.multiply([1.5, 2], 2)
    array([3., 4.], dtype=float32)
    """
    if isinstance(x1, Tensor) and types.is_weak(x2) and x1.suits_layers:
        return x1 * x2
    return _by_layer("multiply", _multiply, x1, x2)


def maximum(x1: Any, x2: Any) -> Any:
    """Return the larger of two numbers; where they are equal, each gets half the gradient.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.maximum([1, 5], 3)
    array([3, 5], dtype=int32)
    """
    return _maximum(*meet("ops.maximum", x1, x2))


def minimum(x1: Any, x2: Any) -> Any:
    """Return the smaller of two numbers; where they are equal, each gets half the gradient.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.minimum([1, 5], 3)
    array([1, 3], dtype=int32)
    """
    return _minimum(*meet("ops.minimum", x1, x2))


def divide(x1: Any, x2: Any) -> Any:
    """Return x1 / x2; integers are divided as float32.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.divide([1, 3], 2)
    array([0.5, 1.5], dtype=float32)
    """
    return _divide(*meet("ops.divide", x1, x2, floating=True))


def divide_no_nan(x1: Any, x2: Any) -> Any:
    """Return x1 / x2, and 0 where x2 is 0.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.divide_no_nan([1.0, 3.0], [0.0, 2.0])
    array([0. , 1.5], dtype=float32)
    """
    x1, x2 = meet("ops.divide_no_nan", x1, x2, floating=True)
    by_zero = equal(x2, 0)
    return where(by_zero, 0.0, divide(x1, where(by_zero, 1.0, x2)))


def floor_divide(x1: Any, x2: Any) -> Any:
    """Return the largest integer not above x1 / x2. Its derivative is 0.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.floor_divide([7, -7], 2)
    array([ 3, -4], dtype=int32)
    """
    return _floor_divide(*meet("ops.floor_divide", x1, x2))


def mod(x1: Any, x2: Any) -> Any:
    """Return x1 - x2 floor(x1 / x2), which has the sign of x2.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.mod([7, -7], 4)
    array([3, 1], dtype=int32)
    """
    return _mod(*meet("ops.mod", x1, x2))


def power(x1: Any, x2: Any) -> Any:
    """Return x1^x2. Where x1 <= 0, the derivative along x2 is 0.

    Parameters
    ----------
    x1, x2 : arrays or tensors

    Examples
    --------
    >>> fc.ops.power([1, 2, 3], 2)
    array([1, 4, 9], dtype=int32)
    """
    if isinstance(x1, Tensor) and types.is_weak(x2) and x2 and x1.suits_layers:
        return x1 ** x2
    return _power(*meet("ops.power", x1, x2))


def clip(x: Any, x_min: Any, x_max: Any) -> Any:
    """Return x, but no number below x_min and none above x_max.

    Parameters
    ----------
    x : array or tensor
    x_min, x_max : numbers, arrays or tensors

    Examples
    --------
    >>> fc.ops.clip([-1.0, 0.5, 2.0], 0, 1)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    return minimum(maximum(x, x_min), x_max)


true_divide = divide
