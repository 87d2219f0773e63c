"""Activations by family, and their numbers: what the two parameters mean, as constants of the loops over arrays."""

import math

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

#: Straight pieces; what is made of a sigmoid, a hyperbolic tangent or the normal distribution; and corners that an
#: exponential, a root or a square makes soft. Each family is one function of `activate_loops` and of `activate_slopes`.
PIECEWISE = RELU, CLIP, STEP, LEAKY_RELU, HARD_SIGMOID, HARD_SILU, SHRINK, THRESHOLD
SIGMOIDAL = SIGMOID, TANH, SILU, GELU, GELU_TANH, TANH_SHRINK
SOFT = ELU, SELU, CELU, SCALED_ELU, EXPONENTIAL, MISH, SOFTPLUS, LOG_SIGMOID, SOFTSIGN, SQUAREPLUS, SPARSE_PLUS

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946


@inlined
def bounds(code, alpha, beta):
    """Return the lower and the upper bound of RELU and CLIP; ReLU's upper one is NaN, which no number reaches."""
    return (0.0, math.nan) if code == RELU else (beta, alpha)


@inlined
def numbers(code, alpha, beta):
    """Return the three constants that a loop has, in float64.

    The lower and the upper bound of RELU and CLIP; of the four ELUs scale, negative and rate of y = scale x or negative
    (exp(rate x) - 1); the sign that makes a softplus of both SOFTPLUS and LOG_SIGMOID; of all others the parameters.
    """
    if code in (RELU, CLIP):
        lower, upper = bounds(code, alpha, beta)
        return lower, upper, 0.0
    if code == CELU:
        return 1.0, alpha, 1.0 / alpha
    if code == SELU:
        return _SELU_SCALE, _SELU_SCALE * _SELU_ALPHA, 1.0
    if code in (ELU, SCALED_ELU):
        scale = 1.0 if code == ELU else beta
        return scale, scale * alpha, 1.0
    if code in (SOFTPLUS, LOG_SIGMOID):
        return (1.0 if code == SOFTPLUS else -1.0), 0.0, 0.0
    return alpha, beta, 0.0


@inlined(exact=True, always=True)
def mish(x, e, one, two):
    """tanh(softplus(x)) as a quotient, from e = exp(-|x|), and what is missing to 1, times the divisor.

    With q = exp(x): ((1 + q)^2 - 1) / ((1 + q)^2 + 1) = (q^2 + 2 q) / (q^2 + 2 q + 2); divided by q^2 where x > 0.
    """
    above = e * (e + two) if x < one - one else one + two * e
    rest = two if x < one - one else two * e * e
    return above, above + rest, rest
