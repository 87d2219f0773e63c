"""What the two parameters of an activation mean, as constants of its formula on every device; undecorated."""

import math

from fastcnn.kernels.codes import CELU, CLIP, ELU, LOG_SIGMOID, RELU, SCALED_ELU, SELU, SOFTPLUS

_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772848170429916717, 1.0507009873554804934193349852946

#: Of the hyperbolic tangent that is nearly the normal distribution.
SQRT_8_BY_PI, CUBIC = 1.5957691216057308, 0.044715


def bounds(code, alpha, beta):
    """Return the lower and the upper bound of RELU and CLIP; ReLU's upper one is NaN, which no number reaches."""
    return (0.0, math.nan) if code == RELU else (beta, alpha)


def numbers(code, alpha, beta):
    """Return the three constants of a formula, in float64.

    The lower and the upper bound of RELU and CLIP; of the four ELUs scale, negative and rate of y = scale x or negative
    (exp(rate x) - 1); the sign that makes a softplus of both SOFTPLUS and LOG_SIGMOID; of all others the parameters.
    """
    if code == RELU:
        return 0.0, math.nan, 0.0
    if code == CLIP:
        return beta, alpha, 0.0
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


def mish(x, e, one, two):
    """tanh(softplus(x)) as a quotient, from e = exp(-|x|), and what is missing to 1, times the divisor.

    With q = exp(x): ((1 + q)^2 - 1) / ((1 + q)^2 + 1) = (q^2 + 2 q) / (q^2 + 2 q + 2); divided by q^2 where x > 0.
    """
    above = e * (e + two) if x < one - one else one + two * e
    rest = two if x < one - one else two * e * e
    return above, above + rest, rest
