"""Roundings, whose derivative is 0, and the error function."""

from typing import Any

from fastcnn.ops.arithmetic import divide, multiply, power
from fastcnn.ops.casting import floating
from fastcnn.ops.elementary import applied, kept


def erf(x: Any) -> Any:
    """Return twice the integral of exp(-t^2) / sqrt(pi) from 0 to x.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.erf([0.0])
    array([0.], dtype=float32)
    """
    return applied("erf", x)


def floor(x: Any) -> Any:
    """Return the largest integer not above x, as a floating number. The derivative is 0.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.floor([-1.5, 1.5])
    array([-2.,  1.], dtype=float32)
    """
    return applied("floor", x)


def ceil(x: Any) -> Any:
    """Return the smallest integer not below x, as a floating number. The derivative is 0.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.ceil([-1.5, 1.5])
    array([-1.,  2.], dtype=float32)
    """
    return applied("ceil", x)


def round(x: Any, decimals: int = 0) -> Any:
    """Return the nearest number of so many decimals, of two the even one. The derivative is 0.

    Parameters
    ----------
    x : array or tensor
    decimals : int

    Examples
    --------
    >>> fc.ops.round([0.5, 1.5, 2.4])
    array([0., 2., 2.], dtype=float32)
    """
    if not decimals:
        return kept("round", x)
    scale = power(10.0, decimals)
    return divide(applied("round", multiply(floating(x, "ops.round"), scale)), scale)
