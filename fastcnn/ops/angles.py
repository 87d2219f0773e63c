"""Functions of angles, and their hyperbolic sisters."""

from typing import Any

from fastcnn.ops.arithmetic import divide, multiply, subtract
from fastcnn.ops.casting import floating
from fastcnn.ops.elementary import applied, exp, expm1, negative


def sin(x: Any) -> Any:
    """Return the sine of an angle in radians.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.sin([0.0])
    array([0.], dtype=float32)
    """
    return applied("sin", x)


def cos(x: Any) -> Any:
    """Return the cosine of an angle in radians.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.cos([0.0])
    array([1.], dtype=float32)
    """
    return applied("cos", x)


def tan(x: Any) -> Any:
    """Return the tangent of an angle in radians.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.tan([0.0])
    array([0.], dtype=float32)
    """
    return divide(sin(x), cos(x))


def arctan(x: Any) -> Any:
    """Return the angle in radians, between -pi/2 and pi/2, whose tangent is x.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.arctan([1.0]).round(3)
    array([0.785], dtype=float32)
    """
    return applied("arctan", x)


def sinh(x: Any) -> Any:
    """Return (e^x - e^-x) / 2.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.sinh([0.0])
    array([0.], dtype=float32)
    """
    x = floating(x, "ops.sinh")
    return multiply(subtract(expm1(x), expm1(negative(x))), 0.5)


def cosh(x: Any) -> Any:
    """Return (e^x + e^-x) / 2.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.cosh([0.0])
    array([1.], dtype=float32)
    """
    x = floating(x, "ops.cosh")
    return multiply(subtract(exp(x), multiply(exp(negative(x)), -1.0)), 0.5)


def tanh(x: Any) -> Any:
    """Return (e^x - e^-x) / (e^x + e^-x).

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.tanh([0.0])
    array([0.], dtype=float32)
    """
    return applied("tanh", x)
