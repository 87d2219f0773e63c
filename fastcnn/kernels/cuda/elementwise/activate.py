"""Activations and their slopes as functions of one number; what they compute is told in the CPU's `activation`.

`a`, `b`, `c` are the numbers of `fastcnn.kernels.activation_numbers`. A comparison is written so that NaN falls on the
side that keeps it.
"""

import math

from fastcnn.kernels import activation_numbers
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
    LINEAR,
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
    THRESHOLD,
)
from fastcnn.kernels.cuda.compile.shim import f32, inlined
from fastcnn.kernels.cuda.elementwise.elementary import (
    exp,
    exp_half_square,
    exp_nonpositive,
    expm1_nonpositive,
    log1p,
    normal_cdf,
    sigmoid,
    tanh,
)

_ZERO, _ONE, _TWO, _THREE, _HALF, _SIXTH, _THIRD = map(f32, (0, 1, 2, 3, 0.5, 1 / 6, 1 / 3))
_SLOPE, _CUBIC, _PDF_0 = f32(SQRT_8_BY_PI), f32(CUBIC), f32(0.3989422804014327)
_ELUS = ELU, SELU, CELU, SCALED_ELU

_mish = inlined(activation_numbers.mish)


@inlined
def activate(x, code, a, b, c):
    """f(x)."""
    if code in (LINEAR, RELU, CLIP, STEP, LEAKY_RELU, HARD_SIGMOID, HARD_SILU, SHRINK, THRESHOLD):
        return _piecewise(x, code, a, b)
    if code in (SIGMOID, TANH, SILU, GELU, GELU_TANH):
        return _sigmoidal(x, code)
    return _soft(x, code, a, b, c)


@inlined
def _piecewise(x, code, a, b):
    if code in (RELU, CLIP):
        v = a if x < a else x
        return b if v > b else v
    if code == STEP:
        return x if x != x else (_ONE if x >= _ZERO else _ZERO)
    if code == LEAKY_RELU:
        return x if x > b else a * (x - b)
    if code == HARD_SIGMOID:
        v = a * x + b
        v = _ZERO if v < _ZERO else v
        return _ONE if v > _ONE else v
    if code == HARD_SILU:
        v = _SIXTH * x + _HALF
        v = _ZERO if v < _ZERO else v
        return x * (_ONE if v > _ONE else v)
    if code == SHRINK:
        v = x + b if x < _ZERO else x - b
        return _ZERO if x <= a and x >= -a else v
    if code == THRESHOLD:
        return b if x <= a else x
    return x


@inlined
def _sigmoidal(x, code):
    if code == SIGMOID:
        return sigmoid(x)
    if code == TANH:
        return tanh(x)
    if code == SILU:
        return x * sigmoid(x)
    if code == GELU:
        return x * normal_cdf(x)
    return x * sigmoid(_SLOPE * (x + _CUBIC * x * x * x))


@inlined
def _soft(x, code, a, b, c):
    if code in _ELUS:
        return a * x if x > _ZERO else b * expm1_nonpositive(_ZERO if x > _ZERO else c * x)
    if code == EXPONENTIAL:
        return exp(x)
    if code == MISH:
        above, below, _ = _mish(x, exp_nonpositive(-abs(x)), _ONE, _TWO)
        return x * (above / below)
    if code in (SOFTPLUS, LOG_SIGMOID):
        v = a * x
        return a * ((v if v > _ZERO else _ZERO) + log1p(exp_nonpositive(-abs(v)))) if v == v else v
    if code == SOFTSIGN:
        return x / (_ONE + abs(x))
    if code == SQUAREPLUS:
        v = abs(x) + f32(math.sqrt(x * x + a))
        return _HALF * (a / v if x < _ZERO else v)  # their product is `a`: nothing cancels
    if code == SPARSE_PLUS:
        v = _HALF * (x + _ONE)
        v = v * v if x < _ONE else x
        return _ZERO if x <= -_ONE else v
    return x - tanh(x)  # TANH_SHRINK


@inlined
def slope(s, code, a, b, c):
    """f'(x) of what was saved, the input or the output, as `codes.saves_input` tells; STEP's is taken as 0."""
    if code in (LINEAR, RELU, CLIP, STEP, LEAKY_RELU, HARD_SIGMOID, HARD_SILU, SHRINK, THRESHOLD):
        return _piecewise_slope(s, code, a, b)
    if code in (SIGMOID, TANH, SILU, GELU, GELU_TANH):
        return _sigmoidal_slope(s, code)
    return _soft_slope(s, code, a, b, c)


@inlined
def _piecewise_slope(s, code, a, b):
    if code in (RELU, CLIP):
        return _ZERO if s <= a or s >= b else _ONE
    if code == STEP:
        return _ZERO
    if code == LEAKY_RELU:
        return _ONE if s > b else a
    if code == HARD_SIGMOID:
        return _ZERO if s <= _ZERO or s >= _ONE else a
    if code == HARD_SILU:
        v = _THIRD * s + _HALF
        v = _ZERO if s < -_THREE else v
        return _ONE if s > _THREE else v
    if code == SHRINK:
        return _ZERO if s <= a and s >= -a else _ONE
    if code == THRESHOLD:
        return _ZERO if s <= a else _ONE
    return _ONE


@inlined
def _sigmoidal_slope(s, code):
    if code == SIGMOID:
        return s * (_ONE - s)
    if code == TANH:
        return _ONE - s * s
    if code == SILU:
        f = sigmoid(s)
        return f * (_ONE + s * (_ONE - f))
    if code == GELU:
        return normal_cdf(s) + s * (_PDF_0 * exp_half_square(s))
    f = sigmoid(_SLOPE * (s + _CUBIC * s * s * s))
    return f + s * (f * (_ONE - f) * (_SLOPE * (_ONE + _THREE * _CUBIC * s * s)))


@inlined
def _soft_slope(s, code, a, b, c):
    if code in _ELUS:
        return a if s > _ZERO else b * c * exp_nonpositive(_ZERO if s > _ZERO else c * s)
    if code == EXPONENTIAL:
        return s
    if code == MISH:
        e = exp_nonpositive(-abs(s))
        above, below, rest = _mish(s, e, _ONE, _TWO)
        part = _ONE / below
        f, missing = above * part, rest * part  # f'(x) = f + x (1 - f^2) sigmoid(x), f = tanh(softplus(x))
        return f + s * (missing * (_ONE + f)) * ((e if s < _ZERO else _ONE) / (_ONE + e))
    if code in (SOFTPLUS, LOG_SIGMOID):
        return -expm1_nonpositive(-a * s)
    if code == SOFTSIGN:
        rest = _ONE - abs(s)
        return rest * rest
    if code == SQUAREPLUS:
        return _HALF + _HALF * s / f32(math.sqrt(s * s + a))
    if code == SPARSE_PLUS:
        v = _HALF * (s + _ONE)
        v = _ZERO if v < _ZERO else v
        return _ONE if v > _ONE else v
    f = tanh(s)
    return f * f
