"""Formulas on single numbers, undecorated: plain Python, which each device compiles its own way.

The functions named ``...32`` are float32 formulas (their kin for float64 are in `fastcnn.kernels.scalar64`) without
branches and without library calls, so that a compiler turns a loop of them into vector instructions (a call of libm an
element costs ten times as much). Errors are at most 3 units in the last place (ulp) where a docstring does not say
otherwise. The limits come out right: infinities, overflow to infinity, underflow to zero; NaN stays NaN, which is why
a bound is written ``bound if x > bound else x``.

They must be compiled without re-association: ``(x - n * HIGH) - n * LOW`` in one part loses twelve bits.

The polynomials are minimax fits to these functions, made for this package (Lawson's iteration, in double precision);
the reductions of the argument are the classical ones (Muller et al., "Handbook of Floating-Point Arithmetic", 2018,
chapter 10). Every constant is a float32: one float64 among them would turn the whole formula into float64.

Formulas that need an exponential take it as an argument, so that each device can bring its own.
"""

import numpy as np

_F = np.float32

_HALF, _ONE, _TWO = _F(0.5), _F(1), _F(2)
_LOG2_E = _F(1.4426950408889634)
_LN2_HIGH, _LN2_LOW = _F(0.693359375), _F(-2.12194440e-4)  # the high part has 9 bits, so its product with n is exact
_ROUND = _F(12582912)  # 1.5 * 2^23: adding it leaves the nearest integer in the lowest bits
_ROUND_BITS = np.int32(0x4B400000)
_EXP_LOW, _EXP_NORMAL, _EXP_HIGH = _F(-104), _F(-87.33), _F(89)
_ONE_BITS = np.int32(0x3F800000)
_SQRT_HALF_BITS = np.int32(0x3F3504F3)
_MANTISSA = np.int32(0x007FFFFF)
_TINY, _SCALE, _SCALE_BITS = _F(1.17549435e-38), _F(8388608), np.int32(23)
_INF, _NAN = _F(np.inf), _F(np.nan)

_E2, _E3, _E4, _E5, _E6 = map(_F, (0.499999934, 0.1666651997, 0.04166839584, 0.008368796892, 0.001381443104))
_L0, _L1, _L2, _L3, _L4, _L5, _L6, _L7 = map(_F, (
    0.3333333166, -0.2500082274, 0.2000123317, -0.166232975, 0.1420155754, -0.1316059523, 0.1276330033, -0.07635588232))
_S0, _S1, _S2, _S3, _S4 = map(_F, (0.6666667567, 0.3999887336, 0.2861702029, 0.2142603137, 0.2430758649))
_SIGN, _MAGNITUDE = np.int32(-0x80000000), np.int32(0x7FFFFFFF)
_UPPER_HALF = np.int32(-0x1000)  # clears the lowest 12 bits
_EXPM1_LOW, _CDF_FAR, _ERF_SMALL = _F(-30), _F(15), _F(0.75)
_P0, _P1, _P2, _P3, _P4 = map(_F, (0.500000003, 0.438295462, 0.1832355305, 0.04063336284, 0.004116330466))
_Q1, _Q2, _Q3, _Q4, _Q5 = map(_F, (1.674475905, 1.202504743, 0.4694716702, 0.1018591832, 0.01031799059))

_R0, _R1, _R2, _R3, _R4, _R5 = map(_F, (
    1.1283791654963862, -0.376126187567169, 0.11283376574409693, -0.026834624563854916, 0.005114345530876987,
    -0.0006749513092042388))

# (2 pi)^n / n! with alternating signs, n odd: Taylor's series of sin(2 pi w), whose next term is below 2^-30.
_QUARTER = _F(0.25)
_T0, _T1, _T2, _T3, _T4, _T5, _T6 = map(_F, (
    6.283185307179586, -41.341702240399755, 81.60524927607504, -76.70585975306136, 42.058693944897634,
    -15.094642576822984, 3.8199525848482803))


def exp32(x):
    """exp(x) = 2^n exp(r), n the integer nearest to x / ln 2; 2^n in two factors, for the subnormal results."""
    x = _EXP_LOW if x < _EXP_LOW else x
    x = _EXP_HIGH if x > _EXP_HIGH else x
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    power = _ONE + (r + r * r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6)))))
    bits = np.int32(np.float32(shifted).view(np.int32) - _ROUND_BITS)
    half = np.int32(bits >> 1)
    first = np.int32((half + 127) << 23).view(np.float32)
    second = np.int32((bits - half + 127) << 23).view(np.float32)
    return power * first * second


def exp_nonpositive32(x):
    """exp(x) for x <= 0, a third cheaper than `exp32`: zero below -87.33, where results become subnormal."""
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    power = _ONE + (r + r * r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6)))))
    scale = np.int32((np.float32(shifted).view(np.int32) << 23) + _ONE_BITS).view(np.float32)
    return _F(0) if x < _EXP_NORMAL else power * scale


def expm1_nonpositive32(x):
    """exp(x) - 1 for x <= 0 as 2^n (exp(r) - 1) + (2^n - 1), which is exact to the last bits near 0 too."""
    x = _EXPM1_LOW if x < _EXPM1_LOW else x
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    part = r + r * r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6))))
    scale = np.int32((np.float32(shifted).view(np.int32) << 23) + _ONE_BITS).view(np.float32)
    return scale * part + (scale - _ONE)


def exp_half_square32(x):
    """exp(-x^2 / 2): x^2 in two parts, the square of x cut to 12 bits, which is exact, and the rest.

    The rounding of x^2 itself would be magnified by x^2 / 2.
    """
    high = np.int32(np.float32(x).view(np.int32) & _UPPER_HALF).view(np.float32)
    square, rest = -_HALF * high * high, -_HALF * (x - high) * (x + high)
    shifted = square * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = ((square - n * _LN2_HIGH) - n * _LN2_LOW) + rest
    power = _ONE + (r + r * r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * _E6)))))
    scale = np.int32((np.float32(shifted).view(np.int32) << 23) + _ONE_BITS).view(np.float32)
    return _F(0) if -_HALF * x * x < _EXP_NORMAL else power * scale  # of x: the bits of a NaN may be cut to infinity's


def log32(x):
    """log(x) = n ln 2 + log(1 + f), x = 2^n (1 + f) with 1 + f in [sqrt(1/2), sqrt(2))."""
    subnormal = x < _TINY
    scaled = x * _SCALE if subnormal else x
    bits = np.int32(np.float32(scaled).view(np.int32) - _SQRT_HALF_BITS)
    n = _F(np.int32((bits >> 23) - (_SCALE_BITS if subnormal else np.int32(0))))
    f = np.int32((bits & _MANTISSA) + _SQRT_HALF_BITS).view(np.float32) - _ONE
    tail = _L4 + f * (_L5 + f * (_L6 + f * _L7))
    cubic = f * f * f * (_L0 + f * (_L1 + f * (_L2 + f * (_L3 + f * tail))))
    value = n * _LN2_HIGH + (f + (cubic + (n * _LN2_LOW - _HALF * f * f)))
    value = value if x < _INF else x  # infinity and NaN are their own logarithms
    value = -_INF if x == _F(0) else value
    return _NAN if x < _F(0) else value


def log1p32(x):
    """log(1 + x) for 0 <= x <= 1, as 2 artanh(s) with s = x / (2 + x) <= 1/3."""
    s = x / (_TWO + x)
    z = s * s
    return _TWO * s + s * z * (_S0 + z * (_S1 + z * (_S2 + z * (_S3 + z * _S4))))


def sigmoid32(x, e):
    """1 / (1 + exp(-x)) from e = exp(-|x|), which keeps the relative error small on both sides."""
    return (e if x < _F(0) else _ONE) / (_ONE + e)


def tanh32(x, t):
    """tanh(x) = -t / (2 + t) with the sign of x, from t = exp(-2 |x|) - 1: nothing cancels, near 0 or far from it."""
    size = np.float32(-t / (_TWO + t)).view(np.int32)
    return np.int32((size & _MAGNITUDE) | (np.float32(x).view(np.int32) & _SIGN)).view(np.float32)


def normal_cdf32(x, e):
    """The normal distribution's cdf(x) = erfc(-x / sqrt(2)) / 2 from e = exp(-x^2 / 2): tail(a) = e R(a), a = |x|.

    R is rational and good to 1e-8 of itself, so the left tail is as exact as `e` there, unlike 1 + erf: 6 ulp.
    """
    a = abs(x)
    a = _CDF_FAR if a > _CDF_FAR else a
    above = _P0 + a * (_P1 + a * (_P2 + a * (_P3 + a * _P4)))
    below = _ONE + a * (_Q1 + a * (_Q2 + a * (_Q3 + a * (_Q4 + a * _Q5))))
    tail = e * (above / below)
    return tail if x < _F(0) else _ONE - tail


def erf32(x, tail):
    """erf(x) from tail = cdf(-sqrt(2) |x|): 1 - 2 tail with the sign of x; a polynomial where that would cancel."""
    z = x * x
    small = x * (_R0 + z * (_R1 + z * (_R2 + z * (_R3 + z * (_R4 + z * _R5)))))
    large = _ONE - _TWO * tail
    return small if abs(x) < _ERF_SMALL else (-large if x < _F(0) else large)


def cos_turn32(t):
    """cos(2 pi t) for 0 <= t <= 1, as the sine of what is left to a quarter of a turn: within 2^-22."""
    w = _QUARTER - abs(t - _HALF)
    z = w * w
    tail = _T3 + z * (_T4 + z * (_T5 + z * _T6))
    return -w * (_T0 + z * (_T1 + z * (_T2 + z * tail)))


def as_ordered32(x):
    """Return an int32 for a float32 such that the integers are in the order of the numbers, NaN at the ends."""
    bits = np.int32(np.float32(x).view(np.int32))
    return np.int32(bits ^ ((bits >> 31) & np.int32(0x7FFFFFFF)))


def from_ordered32(key):
    """Return the float32 of `as_ordered32`."""
    return np.int32(key ^ ((key >> 31) & np.int32(0x7FFFFFFF))).view(np.float32)


def as_ordered64(x):
    """As `as_ordered32`: an int64 for a float64."""
    bits = np.int64(np.float64(x).view(np.int64))
    return np.int64(bits ^ ((bits >> 63) & np.int64(0x7FFFFFFFFFFFFFFF)))


def from_ordered64(key):
    """Return the float64 of `as_ordered64`."""
    return np.int64(key ^ ((key >> 63) & np.int64(0x7FFFFFFFFFFFFFFF))).view(np.float64)


_LOW32, _FIRST, _SECOND, _GOLDEN = 0xFFFFFFFF, 0x21F0AAAD, 0x735A2D97, 0x9E3779B9


def mix(x):
    """Return `x`, an integer of 32 bits, scrambled: a bijection in which each bit moves half of the others.

    Multiply and xor-shift with the constants of C. Wellons, "Prospecting for hash functions" (2018; in the public
    domain). In 64-bit integers cut back to 32, which compilers narrow and Python can follow.
    """
    x = (x ^ (x >> 16)) * _FIRST & _LOW32
    x = (x ^ (x >> 15)) * _SECOND & _LOW32
    return x ^ (x >> 15)
