"""The gradients of activations as loops over two arrays, dx = dx f'(s) in place: the counterpart of `activate_loops`.

What was saved, s, is the input or the output, as `activation` tells; a, b and c are the numbers of `activate_numbers`::

    dx | v0 | v1 | v2 | ..     (v, s) -> v f'(s) -> same place
"""

import numpy as np

from fastcnn.kernels.activation_numbers import CUBIC, SQRT_8_BY_PI
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
    SQUAREPLUS,
    STEP,
    TANH,
)
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.elementwise.activate_numbers import PIECEWISE, SIGMOIDAL, SOFT, mish, numbers
from fastcnn.kernels.cpu.simd.elementary import (
    exp_half_square,
    exp_nonpositive,
    expm1_nonpositive,
    normal_cdf,
    sigmoid,
    tanh,
)

_PDF_0 = 0.3989422804014327  # 1 / sqrt(2 pi)


@inlined(exact=True)
def backward_loop(dx, s, code, alpha, beta):
    """dx = dx f'(s) for flat arrays of one size."""
    real = dx.dtype.type
    first, second, third = numbers(code, alpha, beta)
    if code in (ELU, SELU, CELU, SCALED_ELU):
        second = second * third  # the slope of negative (exp(rate x) - 1) at 0
    a, b, c = real(first), real(second), real(third)
    if code in PIECEWISE:
        _piecewise(dx, s, code, a, b)
    elif code in SIGMOIDAL:
        _sigmoidal(dx, s, code)
    elif code in SOFT:
        _soft(dx, s, code, a, b, c)


@inlined(exact=True)
def _piecewise(dx, s, code, a, b):
    """Straight pieces: comparisons alone."""
    real = dx.dtype.type
    zero, one, three, half = real(0), real(1), real(3), real(0.5)
    if code in (RELU, CLIP):
        for i in range(dx.size):
            dx[i] = zero if (s[i] <= a) | (s[i] >= b) else dx[i]
    elif code == STEP:
        for i in range(dx.size):
            dx[i] = zero
    elif code == LEAKY_RELU:
        for i in range(dx.size):
            dx[i] = dx[i] if s[i] > b else a * dx[i]
    elif code == HARD_SIGMOID:
        for i in range(dx.size):
            dx[i] = zero if (s[i] <= zero) | (s[i] >= one) else a * dx[i]
    elif code == HARD_SILU:
        third = one / three
        for i in range(dx.size):
            slope = third * s[i] + half
            slope = zero if s[i] < -three else slope
            dx[i] = dx[i] * (one if s[i] > three else slope)
    elif code == SHRINK:
        for i in range(dx.size):
            dx[i] = zero if (s[i] <= a) & (s[i] >= -a) else dx[i]
    else:  # THRESHOLD
        for i in range(dx.size):
            dx[i] = zero if s[i] <= a else dx[i]


@inlined(exact=True)
def _sigmoidal(dx, s, code):
    """What is made of a sigmoid, a hyperbolic tangent or the normal distribution."""
    real = dx.dtype.type
    one, three = real(1), real(3)
    if code == SIGMOID:
        for i in range(dx.size):
            dx[i] = dx[i] * s[i] * (one - s[i])
    elif code == TANH:
        for i in range(dx.size):
            dx[i] = dx[i] * (one - s[i] * s[i])
    elif code == SILU:
        for i in range(dx.size):
            f = sigmoid(s[i])
            dx[i] = dx[i] * (f * (one + s[i] * (one - f)))
    elif code == GELU:
        pdf = real(_PDF_0)
        for i in range(dx.size):
            dx[i] = dx[i] * (normal_cdf(s[i]) + s[i] * (pdf * exp_half_square(s[i])))
    elif code == GELU_TANH:
        slope, cubic = real(SQRT_8_BY_PI), real(CUBIC)
        for i in range(dx.size):
            f = sigmoid(slope * (s[i] + cubic * s[i] * s[i] * s[i]))
            inner = slope * (one + three * cubic * s[i] * s[i])
            dx[i] = dx[i] * (f + s[i] * (f * (one - f) * inner))
    else:  # TANH_SHRINK
        for i in range(dx.size):
            f = tanh(s[i])
            dx[i] = dx[i] * f * f


@inlined(exact=True)
def _soft(dx, s, code, a, b, c):
    """Corners that an exponential, a root or a square makes soft."""
    real = dx.dtype.type
    zero, one, two, half = real(0), real(1), real(2), real(0.5)
    if code in (ELU, SELU, CELU, SCALED_ELU):
        for i in range(dx.size):
            slope = b * exp_nonpositive(zero if s[i] > zero else c * s[i])
            dx[i] = dx[i] * (a if s[i] > zero else slope)
    elif code == EXPONENTIAL:
        for i in range(dx.size):
            dx[i] = dx[i] * s[i]
    elif code == MISH:
        for i in range(dx.size):
            e = exp_nonpositive(-abs(s[i]))
            above, below, rest = mish(s[i], e, one, two)
            part = one / below
            f, missing = above * part, rest * part  # f'(x) = f + x (1 - f^2) sigmoid(x), f = tanh(softplus(x))
            dx[i] = dx[i] * (f + s[i] * (missing * (one + f)) * ((e if s[i] < zero else one) / (one + e)))
    elif code in (SOFTPLUS, LOG_SIGMOID):
        for i in range(dx.size):
            dx[i] = -dx[i] * expm1_nonpositive(-a * s[i])
    elif code == SOFTSIGN:
        for i in range(dx.size):
            rest = one - abs(s[i])
            dx[i] = dx[i] * rest * rest
    elif code == SQUAREPLUS:
        for i in range(dx.size):
            dx[i] = dx[i] * (half + half * s[i] / np.sqrt(s[i] * s[i] + a))
    else:  # SPARSE_PLUS
        for i in range(dx.size):
            slope = half * (s[i] + one)
            slope = zero if slope < zero else slope
            dx[i] = dx[i] * (one if slope > one else slope)
