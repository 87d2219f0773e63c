"""Elementary functions, number by number.

ONNX: Abs, Sqrt, Log, Reciprocal, Pow with a constant exponent, Sign, Round, Floor, Ceil, Erf, Sin, Cos, Atan. With
a = alpha::

    code                    y = f(x)                                     f'(x), by what is saved
    ABSOLUTE                |x|                                          sign(x)
    SQUARE_ROOT             sqrt(x)                                      1 / (2 y)
    LOGARITHM               log(x)                                       1 / x
    RECIPROCAL              1 / x                                        -y^2
    POWER                   x^a; NaN where x < 0 and a is no integer     a x^(a - 1)
    SIGN                    -1, 0 or 1                                   0
    IS_ZERO                 1 where x = 0, else 0                        0
    ROUND                   the nearest integer, of two the even one     0
    FLOOR, CEILING          the nearest integer below, above             0
    ERROR_FUNCTION          erf(x)                                       2 exp(-x^2) / sqrt(pi)
    SINE, COSINE            sin(x), cos(x)                               cos(x), -sin(x)
    ARC_TANGENT             atan(x)                                      1 / (1 + x^2)
    LOG_OF_ONE_PLUS         log(1 + x)                                   1 / (1 + x)
    EXPONENTIAL_MINUS_ONE   exp(x) - 1                                   y + 1

One vector of numbers at a time goes from memory through registers to memory::

    x | v0 | v1 | v2 | ..   v -> f(v)   y | v0 | v1 | v2 | ..       the branch on the code lies outside the loops

A power is exp(a log|x|) in double precision, for float32 too: a rounding of the logarithm would be magnified by a.
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.elementary import erf, exp, exp_half_square, log
from fastcnn.kernels.function_codes import (
    ABSOLUTE,
    ARC_TANGENT,
    CEILING,
    COSINE,
    ERROR_FUNCTION,
    EXPONENTIAL_MINUS_ONE,
    FLOOR,
    IS_ZERO,
    LOG_OF_ONE_PLUS,
    LOGARITHM,
    POWER,
    RECIPROCAL,
    ROUND,
    SIGN,
    SINE,
    SQUARE_ROOT,
)

_TWO_BY_ROOT_PI, _ROOT_TWO = 1.1283791670955126, 1.4142135623730951


@kernel
def function_forward(y, x, code, alpha):
    """Write y = f(x) for flat arrays.

    Parameters
    ----------
    y : (size,) array
        Written; fresh memory.
    x : (size,) array
    code : int
        ABSOLUTE, SQUARE_ROOT, ... of `fastcnn.kernels.function_codes`.
    alpha : float
        The exponent; without meaning for the others.
    """
    chunks = chunks_for(y.size, 64)
    parallel(_forward_chunk, chunks, (chunks, y, x, code, alpha))


@inlined
def _forward_chunk(chunk, chunks, y, x, code, alpha):
    begin, end = chunk_of(chunk, chunks, y.size)
    _forward(y[begin:end], x[begin:end], code, alpha)


@inlined(exact=True)
def _forward(y, x, code, alpha):
    one = y.dtype.type(1)
    if code == ABSOLUTE:
        for i in range(y.size):
            y[i] = abs(x[i])
    elif code == SQUARE_ROOT:
        for i in range(y.size):
            y[i] = np.sqrt(x[i])
    elif code == LOGARITHM:
        for i in range(y.size):
            y[i] = log(x[i])
    elif code == RECIPROCAL:
        for i in range(y.size):
            y[i] = one / x[i]
    elif code == POWER:
        is_whole, is_odd = alpha == np.floor(alpha), 0.5 * alpha != np.floor(0.5 * alpha)
        for i in range(y.size):
            y[i] = _power(np.float64(x[i]), alpha, is_whole, is_odd)
    elif code == ERROR_FUNCTION:
        for i in range(y.size):
            y[i] = erf(x[i])
    elif code >= SINE:
        _by_library(y, x, code)
    else:
        _steps(y, x, code)


@inlined(exact=True)
def _by_library(y, x, code):
    """The functions of the C library, one number at a time."""
    if code == SINE:
        for i in range(y.size):
            y[i] = np.sin(x[i])
    elif code == COSINE:
        for i in range(y.size):
            y[i] = np.cos(x[i])
    elif code == ARC_TANGENT:
        for i in range(y.size):
            y[i] = np.arctan(x[i])
    elif code == LOG_OF_ONE_PLUS:
        for i in range(y.size):
            y[i] = math.log1p(x[i])
    elif code == EXPONENTIAL_MINUS_ONE:
        for i in range(y.size):
            y[i] = math.expm1(x[i])


@inlined(exact=True)
def _steps(y, x, code):
    """The functions whose slope is 0 wherever they have one."""
    zero, one = y.dtype.type(0), y.dtype.type(1)
    if code == SIGN:
        for i in range(y.size):
            y[i] = one if x[i] > zero else (-one if x[i] < zero else x[i])
    elif code == IS_ZERO:
        for i in range(y.size):
            y[i] = one if x[i] == zero else zero
    elif code == ROUND:
        for i in range(y.size):
            y[i] = np.rint(x[i])
    elif code == FLOOR:
        for i in range(y.size):
            y[i] = np.floor(x[i])
    elif code == CEILING:
        for i in range(y.size):
            y[i] = np.ceil(x[i])


@inlined(exact=True, always=True)
def _power(x, alpha, is_whole, is_odd):
    """x^alpha in float64; the sign of a negative x, -0 too, stays where alpha is odd; x^0 = 1."""
    size = 1.0 if alpha == 0.0 else exp(alpha * log(abs(x)))
    if is_whole:
        return np.copysign(size, x) if is_odd else size
    return np.nan if x < 0.0 else size


@kernel
def function_backward(dx, dy, saved, code, alpha):
    """Write dx = dy f'(x) for flat arrays.

    Parameters
    ----------
    dx : (size,) array
        Written; fresh memory.
    dy : (size,) array
    saved : (size,) array
        The input x where `function_codes.saves_input(code)`, else the output y.
    code, alpha
        As in the forward pass.
    """
    chunks = chunks_for(dx.size, 64)
    parallel(_backward_chunk, chunks, (chunks, dx, dy, saved, code, alpha))


@inlined
def _backward_chunk(chunk, chunks, dx, dy, saved, code, alpha):
    begin, end = chunk_of(chunk, chunks, dx.size)
    _backward(dx[begin:end], dy[begin:end], saved[begin:end], code, alpha)


@inlined(exact=True)
def _backward(dx, dy, s, code, alpha):
    real = dx.dtype.type
    zero, half = real(0), real(0.5)
    if code == ABSOLUTE:
        for i in range(dx.size):
            dx[i] = dy[i] if s[i] > zero else (-dy[i] if s[i] < zero else zero * s[i])
    elif code == SQUARE_ROOT:
        for i in range(dx.size):
            dx[i] = half * dy[i] / s[i]
    elif code == LOGARITHM:
        for i in range(dx.size):
            dx[i] = dy[i] / s[i]
    elif code == RECIPROCAL:
        for i in range(dx.size):
            dx[i] = -dy[i] * s[i] * s[i]
    elif code == POWER:
        below = alpha - 1.0
        is_whole, is_odd = below == np.floor(below), 0.5 * below != np.floor(0.5 * below)
        for i in range(dx.size):
            dx[i] = dy[i] * (alpha * _power(np.float64(s[i]), below, is_whole, is_odd))
    elif code == ERROR_FUNCTION:
        slope, root = real(_TWO_BY_ROOT_PI), real(_ROOT_TWO)
        for i in range(dx.size):
            dx[i] = dy[i] * (slope * exp_half_square(root * s[i]))
    elif code >= SINE:
        _by_library_backward(dx, dy, s, code)
    else:
        for i in range(dx.size):
            dx[i] = zero


@inlined(exact=True)
def _by_library_backward(dx, dy, s, code):
    real = dx.dtype.type
    if code == SINE:
        for i in range(dx.size):
            dx[i] = dy[i] * np.cos(s[i])
    elif code == COSINE:
        for i in range(dx.size):
            dx[i] = -dy[i] * np.sin(s[i])
    elif code == ARC_TANGENT:
        for i in range(dx.size):
            dx[i] = dy[i] / (real(1) + s[i] * s[i])
    elif code == LOG_OF_ONE_PLUS:
        for i in range(dx.size):
            dx[i] = dy[i] / (real(1) + s[i])
    elif code == EXPONENTIAL_MINUS_ONE:
        for i in range(dx.size):
            dx[i] = dy[i] * (s[i] + real(1))
