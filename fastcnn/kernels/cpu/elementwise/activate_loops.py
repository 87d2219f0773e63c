"""The formulas of activations as loops over one array in place, one loop for functions that are alike.

What they compute is told in `activation`. Each loop loads a vector, evaluates a polynomial or a
few comparisons, and stores it::

    y | v0 | v1 | v2 | ..     v -> f(v) -> same place; in the backward pass (v, s) -> v f'(s), s being what was saved

A comparison is written so that NaN falls on the side that keeps it.
"""

import math

import numpy as np

from fastcnn.kernels.codes import (
    CELU,
    CLIP,
    ELU,
    EXPONENTIAL,
    GELU,
    GELU_TANH,
    HARD_SIGMOID,
    HARD_SILU,
    LEAKY_RELU,
    LOG_SIGMOID,
    MISH,
    RELU,
    SCALED_ELU,
    SELU,
    SHRINK,
    SIGMOID,
    SILU,
    SOFTPLUS,
    SOFTSIGN,
    SPARSE_PLUS,
    SQUAREPLUS,
    STEP,
    TANH,
    TANH_SHRINK,
    THRESHOLD,
)
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.elementary import (
    exp,
    exp_half_square,
    exp_nonpositive,
    expm1_nonpositive,
    log1p,
    normal_cdf,
    sigmoid,
    tanh,
)

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946
_SQRT_8_BY_PI, _CUBIC = 1.5957691216057308, 0.044715
_PDF_0 = 0.3989422804014327  # 1 / sqrt(2 pi)


@inlined
def bounds(code, alpha, beta):
    """Return the lower and the upper bound of RELU and CLIP; ReLU's upper one is NaN, which no number reaches."""
    return (0.0, math.nan) if code == RELU else (beta, alpha)


@inlined
def _elu(code, alpha, beta):
    """Return scale, negative and rate: y = scale x or negative (exp(rate x) - 1)."""
    if code == CELU:
        return 1.0, alpha, 1.0 / alpha
    if code == SELU:
        return _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA, 1.0
    scale = 1.0 if code == ELU else beta
    return scale, scale * alpha, 1.0


@inlined(exact=True)
def forward_loop(y, code, alpha, beta):
    """y = f(y) for a flat array."""
    real = y.dtype.type
    zero, one, two = real(0), real(1), real(2)
    first, second = real(alpha), real(beta)
    if code in (RELU, CLIP):
        lower, upper = bounds(code, alpha, beta)
        low, high = real(lower), real(upper)
        for i in range(y.size):
            v = low if y[i] < low else y[i]
            y[i] = high if v > high else v
    elif code == STEP:
        for i in range(y.size):
            y[i] = y[i] if y[i] != y[i] else (one if y[i] >= zero else zero)
    elif code == SIGMOID:
        for i in range(y.size):
            y[i] = sigmoid(y[i])
    elif code == TANH:
        for i in range(y.size):
            y[i] = tanh(y[i])
    elif code == LEAKY_RELU:
        for i in range(y.size):
            y[i] = y[i] if y[i] > second else first * (y[i] - second)
    elif code in (ELU, SELU, CELU, SCALED_ELU):
        a, b, c = _elu(code, alpha, beta)
        scale, negative, rate = real(a), real(b), real(c)
        for i in range(y.size):
            y[i] = scale * y[i] if y[i] > zero else negative * expm1_nonpositive(zero if y[i] > zero else rate * y[i])
    elif code == SILU:
        for i in range(y.size):
            y[i] = y[i] * sigmoid(y[i])
    elif code == GELU:
        for i in range(y.size):
            y[i] = y[i] * normal_cdf(y[i])
    elif code == GELU_TANH:
        slope, cubic = real(_SQRT_8_BY_PI), real(_CUBIC)
        for i in range(y.size):
            y[i] = y[i] * sigmoid(slope * (y[i] + cubic * y[i] * y[i] * y[i]))
    elif code == HARD_SIGMOID:
        for i in range(y.size):
            v = first * y[i] + second
            v = zero if v < zero else v
            y[i] = one if v > one else v
    elif code == HARD_SILU:
        sixth, half = one / real(6), one / two
        for i in range(y.size):
            v = sixth * y[i] + half
            v = zero if v < zero else v
            y[i] = y[i] * (one if v > one else v)
    elif code == MISH:
        for i in range(y.size):
            above, below, _ = _mish(y[i], exp_nonpositive(-abs(y[i])), one, two)
            y[i] = y[i] * (above / below)
    elif code in (SOFTPLUS, LOG_SIGMOID):
        sign = one if code == SOFTPLUS else -one
        for i in range(y.size):
            v = sign * y[i]
            y[i] = sign * ((v if v > zero else zero) + log1p(exp_nonpositive(-abs(v))))
    elif code == SOFTSIGN:
        for i in range(y.size):
            y[i] = y[i] / (one + abs(y[i]))
    elif code == EXPONENTIAL:
        for i in range(y.size):
            y[i] = exp(y[i])
    elif code == SHRINK:
        for i in range(y.size):
            v = y[i] + second if y[i] < zero else y[i] - second
            y[i] = zero if (y[i] <= first) & (y[i] >= -first) else v
    elif code == TANH_SHRINK:
        for i in range(y.size):
            y[i] = y[i] - tanh(y[i])
    elif code == THRESHOLD:
        for i in range(y.size):
            y[i] = second if y[i] <= first else y[i]
    elif code == SQUAREPLUS:
        half = one / two
        for i in range(y.size):
            v = abs(y[i]) + np.sqrt(y[i] * y[i] + first)
            y[i] = half * (first / v if y[i] < zero else v)  # their product is `first`: nothing cancels
    elif code == SPARSE_PLUS:
        half = one / two
        for i in range(y.size):
            v = half * (y[i] + one)
            v = v * v if y[i] < one else y[i]
            y[i] = zero if y[i] <= -one else v


@inlined(exact=True, always=True)
def _mish(x, e, one, two):
    """tanh(softplus(x)) as a quotient, from e = exp(-|x|), and what is missing to 1, times the divisor.

    With q = exp(x): ((1 + q)^2 - 1) / ((1 + q)^2 + 1) = (q^2 + 2 q) / (q^2 + 2 q + 2); divided by q^2 where x > 0.
    """
    above = e * (e + two) if x < one - one else one + two * e
    rest = two if x < one - one else two * e * e
    return above, above + rest, rest


@inlined(exact=True)
def backward_loop(dx, s, code, alpha, beta):
    """dx = dx f'(s) for flat arrays of one size."""
    real = dx.dtype.type
    zero, one, two = real(0), real(1), real(2)
    first, second = real(alpha), real(beta)
    if code in (RELU, CLIP):
        lower, upper = bounds(code, alpha, beta)
        low, high = real(lower), real(upper)
        for i in range(dx.size):
            dx[i] = zero if (s[i] <= low) | (s[i] >= high) else dx[i]
    elif code == STEP:
        for i in range(dx.size):
            dx[i] = zero
    elif code == SIGMOID:
        for i in range(dx.size):
            dx[i] = dx[i] * s[i] * (one - s[i])
    elif code == TANH:
        for i in range(dx.size):
            dx[i] = dx[i] * (one - s[i] * s[i])
    elif code == LEAKY_RELU:
        for i in range(dx.size):
            dx[i] = dx[i] if s[i] > second else first * dx[i]
    elif code in (ELU, SELU, CELU, SCALED_ELU):
        a, b, c = _elu(code, alpha, beta)
        scale, negative, rate = real(a), real(b * c), real(c)
        for i in range(dx.size):
            slope = negative * exp_nonpositive(zero if s[i] > zero else rate * s[i])
            dx[i] = dx[i] * (scale if s[i] > zero else slope)
    elif code == SILU:
        for i in range(dx.size):
            f = sigmoid(s[i])
            dx[i] = dx[i] * (f * (one + s[i] * (one - f)))
    elif code == GELU:
        pdf = real(_PDF_0)
        for i in range(dx.size):
            dx[i] = dx[i] * (normal_cdf(s[i]) + s[i] * (pdf * exp_half_square(s[i])))
    elif code == GELU_TANH:
        slope, cubic = real(_SQRT_8_BY_PI), real(_CUBIC)
        for i in range(dx.size):
            f = sigmoid(slope * (s[i] + cubic * s[i] * s[i] * s[i]))
            inner = slope * (one + (two + one) * cubic * s[i] * s[i])
            dx[i] = dx[i] * (f + s[i] * (f * (one - f) * inner))
    elif code == HARD_SIGMOID:
        for i in range(dx.size):
            dx[i] = zero if (s[i] <= zero) | (s[i] >= one) else first * dx[i]
    elif code == HARD_SILU:
        third, half, three = one / real(3), one / two, real(3)
        for i in range(dx.size):
            slope = third * s[i] + half
            slope = zero if s[i] < -three else slope
            dx[i] = dx[i] * (one if s[i] > three else slope)
    elif code == MISH:
        for i in range(dx.size):
            e = exp_nonpositive(-abs(s[i]))
            above, below, rest = _mish(s[i], e, one, two)
            part = one / below
            f, missing = above * part, rest * part  # f'(x) = f + x (1 - f^2) sigmoid(x), f = tanh(softplus(x))
            dx[i] = dx[i] * (f + s[i] * (missing * (one + f)) * ((e if s[i] < zero else one) / (one + e)))
    elif code in (SOFTPLUS, LOG_SIGMOID):
        sign = one if code == LOG_SIGMOID else -one
        for i in range(dx.size):
            dx[i] = -dx[i] * expm1_nonpositive(sign * s[i])
    elif code == SOFTSIGN:
        for i in range(dx.size):
            rest = one - abs(s[i])
            dx[i] = dx[i] * rest * rest
    elif code == EXPONENTIAL:
        for i in range(dx.size):
            dx[i] = dx[i] * s[i]
    elif code == SHRINK:
        for i in range(dx.size):
            dx[i] = zero if (s[i] <= first) & (s[i] >= -first) else dx[i]
    elif code == TANH_SHRINK:
        for i in range(dx.size):
            f = tanh(s[i])
            dx[i] = dx[i] * f * f
    elif code == THRESHOLD:
        for i in range(dx.size):
            dx[i] = zero if s[i] <= first else dx[i]
    elif code == SQUAREPLUS:
        half = one / two
        for i in range(dx.size):
            dx[i] = dx[i] * (half + half * s[i] / np.sqrt(s[i] * s[i] + first))
    elif code == SPARSE_PLUS:
        half = one / two
        for i in range(dx.size):
            slope = half * (s[i] + one)
            slope = zero if slope < zero else slope
            dx[i] = dx[i] * (one if slope > one else slope)
