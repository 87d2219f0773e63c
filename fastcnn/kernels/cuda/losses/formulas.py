"""What the kernels of losses share, on single numbers; the formulas stand beside the kernels."""

from fastcnn.kernels.cuda.compile.shim import f32, inlined
from fastcnn.kernels.cuda.elementwise.elementary import exp_nonpositive, log, log1p, power

_ZERO, _ONE = f32(0), f32(1)
EPSILON, ALMOST_ONE = f32(1e-7), f32(1 - 1e-7)  # Keras's


@inlined
def clip(p):
    """Return p within [eps, 1 - eps]."""
    p = EPSILON if p < EPSILON else p
    return ALMOST_ONE if p > ALMOST_ONE else p


@inlined
def clips(p):
    """Return whether `clip` changes p."""
    return p < EPSILON or p > ALMOST_ONE


@inlined
def floor_of(x):
    """Return max(x, eps)."""
    return EPSILON if x < EPSILON else x


@inlined
def sign(x):
    """Return -1, 0 or 1, and NaN for NaN."""
    return _ONE if x > _ZERO else (-_ONE if x < _ZERO else x)


@inlined
def logistic_loss(x, t):
    """max(x, 0) - x t + log(1 + exp(-|x|)), which cannot overflow."""
    positive = _ZERO if x < _ZERO else x
    return positive - x * t + log1p(exp_nonpositive(-abs(x)))


@inlined
def log_loss(p, t):
    """-t log(p) - (1 - t) log(1 - p), p clipped."""
    p = clip(p)
    return -(t * log(p) + (_ONE - t) * log(_ONE - p))


@inlined
def focal_value(p, t, gamma, b, c):
    """(b + c t) u^gamma log_loss(p, t), u = p + t - 2 p t the probability that is missing."""
    u = abs(p + t - (p + p) * t)
    return (b + c * t) * (power(u, gamma) * log_loss(p, t))


@inlined
def focal_slope(p, t, gamma, b, c):
    """The derivative of `focal_value` by p."""
    u = abs(p + t - (p + p) * t)
    before = power(u, gamma - _ONE)  # u^gamma is u times it, where u is not tiny
    inside = _ZERO if clips(p) else power(u, gamma) * ((p - t) / (p * (_ONE - p)))
    return (b + c * t) * (gamma * before * (_ONE - (t + t)) * log_loss(p, t) + inside)
