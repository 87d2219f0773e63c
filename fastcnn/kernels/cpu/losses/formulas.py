"""What the kernels of losses share, on single numbers; the formulas stand beside the kernels."""

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.elementary import exp_nonpositive, log, log1p, power

EPSILON = 1e-7  # Keras's


@inlined(always=True)
def clip(p):
    """Return p within [eps, 1 - eps]."""
    low, high = type(p)(EPSILON), type(p)(1 - EPSILON)
    p = low if p < low else p
    return high if p > high else p


@inlined(always=True)
def clips(p):
    """Return whether `clip` changes p."""
    return p < type(p)(EPSILON) or p > type(p)(1 - EPSILON)


@inlined(always=True)
def floor_of(x):
    """Return max(x, eps)."""
    low = type(x)(EPSILON)
    return low if x < low else x


@inlined(always=True)
def sign(x):
    """Return -1, 0 or 1, and NaN for NaN."""
    one = type(x)(1)
    return one if x > type(x)(0) else (-one if x < type(x)(0) else x)


@inlined(always=True)
def logistic_loss(x, t):
    """max(x, 0) - x t + log(1 + exp(-|x|)), which cannot overflow."""
    positive = type(x)(0) if x < type(x)(0) else x
    return positive - x * t + log1p(exp_nonpositive(-abs(x)))


@inlined(always=True)
def log_loss(p, t):
    """-t log(p) - (1 - t) log(1 - p), p clipped."""
    p, one = clip(p), type(p)(1)
    return -(t * log(p) + (one - t) * log(one - p))


@inlined(always=True)
def focal_value(p, t, gamma, b, c):
    """(b + c t) u^gamma log_loss(p, t), u = p + t - 2 p t the probability that is missing."""
    u = abs(p + t - (p + p) * t)
    return (b + c * t) * (power(u, gamma) * log_loss(p, t))


@inlined(always=True)
def focal_slope(p, t, gamma, b, c):
    """The derivative of `focal_value` by p."""
    one = type(p)(1)
    u = abs(p + t - (p + p) * t)
    before = power(u, gamma - one)  # u^gamma is u times it, where u is not tiny
    inside = type(p)(0) if clips(p) else power(u, gamma) * ((p - t) / (p * (one - p)))
    return (b + c * t) * (gamma * before * (one - (t + t)) * log_loss(p, t) + inside)
