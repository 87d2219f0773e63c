"""Elementary functions for the kernels: float32 polynomials that vectorize, the C library for float64.

A float32 loop over one of them takes 0.2 to 0.6 nanoseconds an element, where a call of the library takes 7 to 30.
"""

import math

import numpy as np

from fastcnn.kernels import scalar
from fastcnn.kernels.cpu._jit import by_type, inlined

_sigmoid_from = inlined(scalar.sigmoid32, exact=True)
_tanh_from = inlined(scalar.tanh32, exact=True)
_normal_cdf_from = inlined(scalar.normal_cdf32, exact=True)

#: Scrambles 32 bits: the counter-based random numbers are made of it.
mix = inlined(scalar.mix)


def _exp64(x):
    """exp(x)."""
    return math.exp(x)


def _log64(x):
    """log(x)."""
    return math.log(x)


def _log1p64(x):
    """log(1 + x), for 0 <= x <= 1."""
    return math.log1p(x)


exp = by_type(scalar.exp32, _exp64)
exp_nonpositive = by_type(scalar.exp_nonpositive32, _exp64)
log = by_type(scalar.log32, _log64)
log1p = by_type(scalar.log1p32, _log1p64)


def _sigmoid32(x):
    return _sigmoid_from(x, exp_nonpositive(-abs(x)))


def _sigmoid64(x):
    """1 / (1 + exp(-x))."""
    e = math.exp(-abs(x))
    return (e if x < 0 else 1.0) / (1.0 + e)


def _tanh32(x):
    return _tanh_from(x, exp_nonpositive(np.float32(-2) * abs(x)))


def _tanh64(x):
    """tanh(x)."""
    return math.tanh(x)


def _normal_cdf32(x):
    return _normal_cdf_from(x, exp_nonpositive(np.float32(-0.5) * x * x))


def _normal_cdf64(x):
    """The share of the normal distribution below x: erfc(-x / sqrt(2)) / 2."""
    return 0.5 * math.erfc(-x * math.sqrt(0.5))


sigmoid = by_type(_sigmoid32, _sigmoid64)
tanh = by_type(_tanh32, _tanh64)
normal_cdf = by_type(_normal_cdf32, _normal_cdf64)


as_ordered = by_type(scalar.as_ordered32, scalar.as_ordered64)
from_ordered = by_type(scalar.from_ordered32, scalar.from_ordered64)


@inlined(exact=True)
def minus_both(a, b, c):
    """(a - b) - c in this order: where a and b are large, a - (b + c) would lose c."""
    return (a - b) - c


@inlined(exact=True)
def plus_gap(a, b, c):
    """a + (b - c) in this order: where b and c are large, (a + b) - c would lose a."""
    return a + (b - c)
