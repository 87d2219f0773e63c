"""Arithmetic, comparison, logic and functions of one number, with NumPy's broadcasting, which is ONNX's."""

import functools
import math
from typing import Any

import numpy as np

from fastcnn.onnx.operators._registry import operator


def _aligned(a: np.ndarray, b: np.ndarray, axis: int | None) -> np.ndarray:
    """Return `b` as operator sets before 7 broadcast it: its dimensions lie at `axis` of `a`."""
    if axis is None or b.ndim == 0:
        return b
    axis = axis + a.ndim if axis < 0 else axis
    return b.reshape(*b.shape, *(1,) * (a.ndim - axis - b.ndim))


@operator("Add")
def add(a: np.ndarray, b: np.ndarray, *, axis: int | None = None, broadcast: int = 0) -> np.ndarray:
    return np.add(a, _aligned(a, b, axis))


@operator("Sub")
def sub(a: np.ndarray, b: np.ndarray, *, axis: int | None = None, broadcast: int = 0) -> np.ndarray:
    return np.subtract(a, _aligned(a, b, axis))


@operator("Mul")
def mul(a: np.ndarray, b: np.ndarray, *, axis: int | None = None, broadcast: int = 0) -> np.ndarray:
    return np.multiply(a, _aligned(a, b, axis))


@operator("Div")
def div(a: np.ndarray, b: np.ndarray, *, axis: int | None = None, broadcast: int = 0) -> np.ndarray:
    """a / b; of integers, rounded towards zero."""
    b = _aligned(a, b, axis)
    if not np.issubdtype(a.dtype, np.integer):
        return np.divide(a, b)
    quotient = np.floor_divide(a, b)
    inexact = (np.remainder(a, b) != 0) & ((a < 0) != (b < 0))
    return quotient + inexact.astype(a.dtype)


@operator("Pow")
def power(a: np.ndarray, b: np.ndarray, *, axis: int | None = None, broadcast: int = 0) -> np.ndarray:
    """a to the power of b, in the type of a."""
    b = _aligned(a, b, axis)
    if np.issubdtype(a.dtype, np.integer) and np.issubdtype(b.dtype, np.signedinteger) and (b < 0).any():
        b = b.astype(np.float64)
    return np.power(a, b).astype(a.dtype)


@operator("Mod")
def mod(a: np.ndarray, b: np.ndarray, *, fmod: int = 0) -> np.ndarray:
    """The remainder: with the sign of b, or with the sign of a if `fmod`."""
    return np.fmod(a, b) if fmod else np.remainder(a, b).astype(a.dtype)


@operator("Max")
def maximum(*arrays: np.ndarray) -> np.ndarray:
    return functools.reduce(np.maximum, arrays)


@operator("Min")
def minimum(*arrays: np.ndarray) -> np.ndarray:
    return functools.reduce(np.minimum, arrays)


@operator("Sum")
def total(*arrays: np.ndarray) -> np.ndarray:
    return functools.reduce(np.add, arrays)


@operator("Mean")
def mean(*arrays: np.ndarray) -> np.ndarray:
    return functools.reduce(np.add, arrays) / np.asarray(len(arrays), arrays[0].dtype)


@operator("Clip")
def clip(x: np.ndarray, low: np.ndarray | None = None, high: np.ndarray | None = None, *,
         min: float | None = None, max: float | None = None) -> np.ndarray:
    """The number nearest to x in [low, high]; high where they are crossed."""
    lower, upper = low if low is not None else min, high if high is not None else max
    if lower is not None:
        x = np.maximum(x, np.asarray(lower, x.dtype))
    return x if upper is None else np.minimum(x, np.asarray(upper, x.dtype))


def _same_type(ufunc: Any) -> Any:
    """Return the function whose result has its argument's type."""
    return lambda x: ufunc(x).astype(x.dtype, copy=False)


for _name, _ufunc in {
    "Abs": np.abs, "Neg": np.negative, "Sqrt": np.sqrt, "Exp": np.exp, "Log": np.log, "Floor": np.floor,
    "Ceil": np.ceil, "Round": np.rint, "Sign": np.sign, "Sin": np.sin, "Cos": np.cos, "Tan": np.tan,
    "Asin": np.arcsin, "Acos": np.arccos, "Atan": np.arctan, "Sinh": np.sinh, "Cosh": np.cosh,
    "Asinh": np.arcsinh, "Acosh": np.arccosh, "Atanh": np.arctanh,
    "Not": np.logical_not, "BitwiseNot": np.invert,
}.items():
    operator(_name)(_same_type(_ufunc))

for _name, _comparison in {
    "Greater": np.greater, "GreaterOrEqual": np.greater_equal, "Less": np.less, "LessOrEqual": np.less_equal,
    "Equal": np.equal, "And": np.logical_and, "Or": np.logical_or, "Xor": np.logical_xor,
    "BitwiseAnd": np.bitwise_and, "BitwiseOr": np.bitwise_or, "BitwiseXor": np.bitwise_xor,
}.items():
    operator(_name)(lambda a, b, *, axis=None, broadcast=0, _f=_comparison: _f(a, _aligned(a, b, axis)))


@operator("IsNaN")
def is_nan(x: np.ndarray) -> np.ndarray:
    return np.isnan(x)


@operator("IsInf")
def is_inf(x: np.ndarray, *, detect_negative: int = 1, detect_positive: int = 1) -> np.ndarray:
    infinite = np.isinf(x)
    return infinite & ((x > 0) & bool(detect_positive) | (x < 0) & bool(detect_negative))


@operator("Reciprocal")
def reciprocal(x: np.ndarray) -> np.ndarray:
    return np.asarray(1, x.dtype) / x


@operator("Erf")
def erf(x: np.ndarray) -> np.ndarray:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    numbers = x.astype(np.float64).ravel().tolist()
    return np.fromiter(map(math.erf, numbers), np.float64, x.size).reshape(x.shape).astype(x.dtype)


@operator("BitShift")
def bit_shift(a: np.ndarray, b: np.ndarray, *, direction: str) -> np.ndarray:
    """The bits moved; by more than there are, nothing is left but the sign."""
    bits = a.dtype.itemsize * 8
    far = (b >= bits) | (b < 0)
    by = np.where(far, 0, b).astype(a.dtype)
    if direction == "LEFT":
        return np.where(far, 0, np.left_shift(a, by)).astype(a.dtype)
    return np.where(far, np.where(a < 0, -1, 0), np.right_shift(a, by)).astype(a.dtype)


@operator("Where")
def where(condition: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.where(condition, x, y)


def _running(x: np.ndarray, axis: np.ndarray, accumulate: Any, neutral: int, exclusive: int,
             reverse: int) -> np.ndarray:
    along = int(axis.reshape(-1)[0])
    x = np.flip(x, along) if reverse else x
    if exclusive:
        first = np.full_like(np.take(x, [0], along), neutral)
        x = np.concatenate([first, np.take(x, range(x.shape[along] - 1), along)], along)
    y = accumulate(x, axis=along, dtype=x.dtype)
    return np.flip(y, along) if reverse else y


@operator("CumSum")
def cum_sum(x: np.ndarray, axis: np.ndarray, *, exclusive: int = 0, reverse: int = 0) -> np.ndarray:
    """The sum of all elements up to here along an axis."""
    return _running(x, axis, np.cumsum, 0, exclusive, reverse)


@operator("CumProd")
def cum_prod(x: np.ndarray, axis: np.ndarray, *, exclusive: int = 0, reverse: int = 0) -> np.ndarray:
    """The product of all elements up to here along an axis."""
    return _running(x, axis, np.cumprod, 1, exclusive, reverse)
