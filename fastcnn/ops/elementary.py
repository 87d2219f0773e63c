"""Functions of one number: signs, roots, exponentials, logarithms."""

import math
from typing import Any

import numpy as np

from fastcnn.kernels import codes
from fastcnn.kernels import function_codes as functions
from fastcnn.operations.activation import Elementwise
from fastcnn.operations.elementwise import ElementaryFunction
from fastcnn.ops.arithmetic import multiply
from fastcnn.ops.casting import floating, meet
from fastcnn.ops.primitive import is_floating, on_host, primitive, same, unchanged

_FUNCTIONS: dict[str, Any] = {
    "abs": ElementaryFunction(functions.ABSOLUTE), "sqrt": ElementaryFunction(functions.SQUARE_ROOT),
    "log": ElementaryFunction(functions.LOGARITHM), "reciprocal": ElementaryFunction(functions.RECIPROCAL),
    "sign": ElementaryFunction(functions.SIGN), "round": ElementaryFunction(functions.ROUND),
    "floor": ElementaryFunction(functions.FLOOR), "ceil": ElementaryFunction(functions.CEILING),
    "erf": ElementaryFunction(functions.ERROR_FUNCTION), "sin": ElementaryFunction(functions.SINE),
    "cos": ElementaryFunction(functions.COSINE), "arctan": ElementaryFunction(functions.ARC_TANGENT),
    "log1p": ElementaryFunction(functions.LOG_OF_ONE_PLUS), "square": ElementaryFunction(functions.POWER, 2.0),
    "expm1": ElementaryFunction(functions.EXPONENTIAL_MINUS_ONE), "exp": Elementwise("exp", codes.EXPONENTIAL),
    "tanh": Elementwise("tanh", codes.TANH),
}  # fmt: skip
_OF_INTEGERS: dict[str, Any] = {"abs": np.abs, "sign": np.sign, "square": np.square, "round": np.positive}
_ONNX = {"abs": "Abs", "sqrt": "Sqrt", "log": "Log", "reciprocal": "Reciprocal", "sign": "Sign", "round": "Round",
         "floor": "Floor", "ceil": "Ceil", "erf": "Erf", "sin": "Sin", "cos": "Cos", "arctan": "Atan", "exp": "Exp",
         "tanh": "Tanh"}


def _onnx_function(writer: Any, names: Any, shapes: Any, *, function: str) -> str:
    if function == "square":
        return str(writer.node("Mul", [names[0], names[0]]))
    one = writer.constant(np.ones(()), "one")
    if function == "log1p":
        return str(writer.node("Log", [writer.node("Add", [names[0], one])]))
    if function == "expm1":
        return str(writer.node("Sub", [writer.node("Exp", names), one]))
    return str(writer.node(_ONNX[function], names))


@primitive(unchanged, same, replayable=True, onnx=_onnx_function)
def _function(x: Any, function: str) -> Any:
    if not is_floating(x):
        return on_host(_OF_INTEGERS[function], x), None
    y, back = _FUNCTIONS[function].forward(x)
    return y, lambda dy: (back(dy),)


def applied(function: str, x: Any) -> Any:
    """Return a function of floating numbers, by its name; integers are float32.

    Parameters
    ----------
    function : str
    x : array or tensor
    """
    return _function(floating(x, f"ops.{function}"), function=function)


def kept(function: str, x: Any) -> Any:
    """As `applied`, of a function that leaves integers what they are.

    Parameters
    ----------
    function : str
    x : array or tensor
    """
    return _function(*meet(f"ops.{function}", x), function=function)


def abs(x: Any) -> Any:
    """Return the absolute value; its derivative at 0 is 0.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.abs([-1.5, 2])
    array([1.5, 2. ], dtype=float32)
    """
    return kept("abs", x)


def negative(x: Any) -> Any:
    """Return -x.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.negative([-1, 2])
    array([ 1, -2], dtype=int32)
    """
    return multiply(x, -1)


def square(x: Any) -> Any:
    """Return x^2.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.square([-1.5, 2])
    array([2.25, 4.  ], dtype=float32)
    """
    return kept("square", x)


def sign(x: Any) -> Any:
    """Return -1, 0 or 1. The derivative is 0.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.sign([-1.5, 0, 2])
    array([-1.,  0.,  1.], dtype=float32)
    """
    return kept("sign", x)


def sqrt(x: Any) -> Any:
    """Return the square root, NaN where x < 0.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.sqrt([0, 4])
    array([0., 2.], dtype=float32)
    """
    return applied("sqrt", x)


def rsqrt(x: Any) -> Any:
    """Return 1 / sqrt(x).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.rsqrt([4.0])
    array([0.5], dtype=float32)
    """
    return reciprocal(sqrt(x))


def reciprocal(x: Any) -> Any:
    """Return 1 / x.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.reciprocal([4.0])
    array([0.25], dtype=float32)
    """
    return applied("reciprocal", x)


def exp(x: Any) -> Any:
    """Return e^x.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.exp([0, 1]).round(3)
    array([1.   , 2.718], dtype=float32)
    """
    return applied("exp", x)


def expm1(x: Any) -> Any:
    """Return e^x - 1, exactly near 0 too.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.expm1([1e-6])
    array([1.0000005e-06], dtype=float32)
    """
    return applied("expm1", x)


def log(x: Any) -> Any:
    """Return the natural logarithm, NaN where x < 0.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.log([1.0])
    array([0.], dtype=float32)
    """
    return applied("log", x)


def log1p(x: Any) -> Any:
    """Return log(1 + x), exactly near 0 too.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.log1p([0.0])
    array([0.], dtype=float32)
    """
    return applied("log1p", x)


def log2(x: Any) -> Any:
    """Return the logarithm to base 2.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.log2([1.0, 8.0]).round(3)
    array([0., 3.], dtype=float32)
    """
    return multiply(log(x), 1 / math.log(2))


def log10(x: Any) -> Any:
    """Return the logarithm to base 10.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.log10([1.0, 100.0]).round(3)
    array([0., 2.], dtype=float32)
    """
    return multiply(log(x), 1 / math.log(10))


absolute = abs
