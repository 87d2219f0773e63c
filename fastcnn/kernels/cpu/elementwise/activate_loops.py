"""The formulas of activations as loops over one array in place, a loop for functions that are alike.

What they compute is told in `activation`; a, b and c are the numbers of `activate_numbers`. Each loop loads a vector,
evaluates a polynomial or a few comparisons, and stores it::

    y | v0 | v1 | v2 | ..     v -> f(v) -> same place

A comparison is written so that NaN falls on the side that keeps it. Their gradients are in `activate_slopes`.
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
from fastcnn.kernels.cpu.simd.activations import activated
from fastcnn.kernels.cpu.simd.elementary import (
    exp,
    exp_nonpositive,
    expm1_nonpositive,
    log1p,
    normal_cdf,
    sigmoid,
    tanh,
)


@inlined(exact=True)
def forward_loop(y, code, alpha, beta):
    """y = f(y) for a flat array."""
    real = y.dtype.type
    first, second, third = numbers(code, alpha, beta)
    a, b, c = real(first), real(second), real(third)
    if activated(y, code):
        return
    if code in PIECEWISE:
        _piecewise(y, code, a, b)
    elif code in SIGMOIDAL:
        _sigmoidal(y, code)
    elif code in SOFT:
        _soft(y, code, a, b, c)


@inlined(exact=True)
def _piecewise(y, code, a, b):
    """Straight pieces: comparisons alone."""
    real = y.dtype.type
    zero, one, half = real(0), real(1), real(0.5)
    if code in (RELU, CLIP):
        for i in range(y.size):
            v = a if y[i] < a else y[i]
            y[i] = b if v > b else v
    elif code == STEP:
        for i in range(y.size):
            y[i] = y[i] if y[i] != y[i] else (one if y[i] >= zero else zero)
    elif code == LEAKY_RELU:
        for i in range(y.size):
            y[i] = y[i] if y[i] > b else a * (y[i] - b)
    elif code == HARD_SIGMOID:
        for i in range(y.size):
            v = a * y[i] + b
            v = zero if v < zero else v
            y[i] = one if v > one else v
    elif code == HARD_SILU:
        sixth = one / real(6)
        for i in range(y.size):
            v = sixth * y[i] + half
            v = zero if v < zero else v
            y[i] = y[i] * (one if v > one else v)
    elif code == SHRINK:
        for i in range(y.size):
            v = y[i] + b if y[i] < zero else y[i] - b
            y[i] = zero if (y[i] <= a) & (y[i] >= -a) else v
    else:  # THRESHOLD
        for i in range(y.size):
            y[i] = b if y[i] <= a else y[i]


@inlined(exact=True)
def _sigmoidal(y, code):
    """What is made of a sigmoid, a hyperbolic tangent or the normal distribution."""
    real = y.dtype.type
    if code == SIGMOID:
        for i in range(y.size):
            y[i] = sigmoid(y[i])
    elif code == TANH:
        for i in range(y.size):
            y[i] = tanh(y[i])
    elif code == SILU:
        for i in range(y.size):
            y[i] = y[i] * sigmoid(y[i])
    elif code == GELU:
        for i in range(y.size):
            y[i] = y[i] * normal_cdf(y[i])
    elif code == GELU_TANH:
        slope, cubic = real(SQRT_8_BY_PI), real(CUBIC)
        for i in range(y.size):
            y[i] = y[i] * sigmoid(slope * (y[i] + cubic * y[i] * y[i] * y[i]))
    else:  # TANH_SHRINK
        for i in range(y.size):
            y[i] = y[i] - tanh(y[i])


@inlined(exact=True)
def _soft(y, code, a, b, c):
    """Corners that an exponential, a root or a square makes soft."""
    real = y.dtype.type
    zero, one, two, half = real(0), real(1), real(2), real(0.5)
    if code in (ELU, SELU, CELU, SCALED_ELU):
        for i in range(y.size):
            y[i] = a * y[i] if y[i] > zero else b * expm1_nonpositive(zero if y[i] > zero else c * y[i])
    elif code == EXPONENTIAL:
        for i in range(y.size):
            y[i] = exp(y[i])
    elif code == MISH:
        for i in range(y.size):
            above, below, _ = mish(y[i], exp_nonpositive(-abs(y[i])), one, two)
            y[i] = y[i] * (above / below)
    elif code in (SOFTPLUS, LOG_SIGMOID):
        for i in range(y.size):
            v = a * y[i]
            y[i] = a * ((v if v > zero else zero) + log1p(exp_nonpositive(-abs(v))))
    elif code == SOFTSIGN:
        for i in range(y.size):
            y[i] = y[i] / (one + abs(y[i]))
    elif code == SQUAREPLUS:
        for i in range(y.size):
            v = abs(y[i]) + np.sqrt(y[i] * y[i] + a)
            y[i] = half * (a / v if y[i] < zero else v)  # their product is `a`: nothing cancels
    else:  # SPARSE_PLUS
        for i in range(y.size):
            v = half * (y[i] + one)
            v = v * v if y[i] < one else y[i]
            y[i] = zero if y[i] <= -one else v
