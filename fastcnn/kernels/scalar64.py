"""The float64 kin of the formulas in `fastcnn.kernels.scalar`, where the method of each is told.

As there: no branches, no library calls, so that loops become vector instructions; errors of at most 3 ulp; compiled
without re-association. Integers become numbers by adding them to the bits of 1.5 * 2^52, since AVX2 has no
instruction for 64 bits. The polynomials are minimax fits made for this package (Remez's exchange, and Lawson's
iteration for the quotient of two, in fifty digits).
"""

import numpy as np

_LOG2_E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10  # the high part has 32 bits, so its product is exact
_ROUND = 6755399441055744.0  # 1.5 * 2^52: adding it leaves the nearest integer in the lowest bits
_ROUND_BITS = np.int64(0x4338000000000000)
_EXP_LOW, _EXP_NORMAL, _EXP_HIGH = -746.0, -708.39, 710.0
_ONE_BITS = np.int64(0x3FF0000000000000)
_SQRT_HALF_BITS = np.int64(0x3FE6A09E667F3BCD)
_MANTISSA = np.int64(0x000FFFFFFFFFFFFF)
_SIGN, _MAGNITUDE = np.int64(-0x8000000000000000), np.int64(0x7FFFFFFFFFFFFFFF)
_UPPER_HALF = np.int64(-0x8000000)  # clears the lowest 27 bits: what is left has an exact square
_TINY, _SCALE, _SCALE_BITS = 2.2250738585072014e-308, 18014398509481984.0, np.int64(54)
_EXPM1_LOW, _CDF_FAR, _ERF_SMALL = -60.0, 38.6, 0.75

_E2, _E3, _E4, _E5, _E6, _E7, _E8, _E9, _E10, _E11 = (
    0.5000000000000006, 0.16666666666666685, 0.04166666666657332, 0.008333333333314557, 0.0013888888932484674,
    0.00019841269903124041, 2.4801504311944058e-05, 2.755722785662248e-06, 2.7626382216430174e-07,
    2.5114508051777306e-08)
_L0, _L1, _L2, _L3, _L4, _L5, _L6 = (
    0.6666666666666696, 0.3999999999960992, 0.2857142870582112, 0.22222201864158705, 0.181834104245098,
    0.15317656268450175, 0.14762490892367286)
_S0, _S1, _S2, _S3, _S4, _S5, _S6, _S7, _S8, _S9 = (
    0.6666666666666659, 0.4000000000007776, 0.2857142855615545, 0.22222223524936421, 0.18181757799754017,
    0.15386293345135899, 0.1330417355090293, 0.12082697672371068, 0.08435322958311602, 0.16852993298965194)
_P0, _P1, _P2, _P3, _P4, _P5, _P6, _P7, _P8, _P9 = (
    0.5, 0.7748828125994274, 0.5940593650587644, 0.28934213482584514, 0.09770367702222149, 0.02362376549426719,
    0.004089601765223309, 0.0004904595114947596, 3.7258023894158815e-05, 1.385874743086212e-06)
_Q1, _Q2, _Q3, _Q4, _Q5, _Q6, _Q7, _Q8, _Q9, _Q10 = (
    2.3476501860017103, 2.56127256769459, 1.7144205346858672, 0.7820653580983231, 0.25497111503184217,
    0.06043845089983719, 0.010344503421659313, 0.001232873552089726, 9.339201614784314e-05, 3.4738728161271714e-06)
_R0, _R1, _R2, _R3, _R4, _R5, _R6, _R7, _R8, _R9, _R10 = (
    1.1283791670955126, -0.37612638903183715, 0.11283791670952481, -0.026866170644402425, 0.0052239776151216865,
    -0.0008548326169053, 0.00012055288775760019, -1.492417660283383e-05, 1.643038772920557e-06,
    -1.593759620359506e-07, 1.1463745087979134e-08)


def exp64(x):
    """exp(x), as `exp32`."""
    x = _EXP_LOW if x < _EXP_LOW else x
    x = _EXP_HIGH if x > _EXP_HIGH else x
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    tail = _E7 + r * (_E8 + r * (_E9 + r * (_E10 + r * _E11)))
    power = 1.0 + (r + r * r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * (_E6 + r * tail))))))
    bits = np.int64(np.float64(shifted).view(np.int64) - _ROUND_BITS)
    half = np.int64(bits >> 1)
    first = np.int64((half + 1023) << 52).view(np.float64)
    second = np.int64((bits - half + 1023) << 52).view(np.float64)
    return power * first * second


def exp_nonpositive64(x):
    """exp(x) for x <= 0, as `exp_nonpositive32`: zero below -708.39."""
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    tail = _E7 + r * (_E8 + r * (_E9 + r * (_E10 + r * _E11)))
    power = 1.0 + (r + r * r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * (_E6 + r * tail))))))
    scale = np.int64((np.float64(shifted).view(np.int64) << 52) + _ONE_BITS).view(np.float64)
    return 0.0 if x < _EXP_NORMAL else power * scale


def expm1_nonpositive64(x):
    """exp(x) - 1 for x <= 0, as `expm1_nonpositive32`."""
    x = _EXPM1_LOW if x < _EXPM1_LOW else x
    shifted = x * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    tail = _E7 + r * (_E8 + r * (_E9 + r * (_E10 + r * _E11)))
    part = r + r * r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * (_E6 + r * tail)))))
    scale = np.int64((np.float64(shifted).view(np.int64) << 52) + _ONE_BITS).view(np.float64)
    return scale * part + (scale - 1.0)


def exp_half_square64(x):
    """exp(-x^2 / 2), as `exp_half_square32`."""
    high = np.int64(np.float64(x).view(np.int64) & _UPPER_HALF).view(np.float64)
    square, rest = -0.5 * high * high, -0.5 * (x - high) * (x + high)
    shifted = square * _LOG2_E + _ROUND
    n = shifted - _ROUND
    r = ((square - n * _LN2_HIGH) - n * _LN2_LOW) + rest
    tail = _E7 + r * (_E8 + r * (_E9 + r * (_E10 + r * _E11)))
    power = 1.0 + (r + r * r * (_E2 + r * (_E3 + r * (_E4 + r * (_E5 + r * (_E6 + r * tail))))))
    scale = np.int64((np.float64(shifted).view(np.int64) << 52) + _ONE_BITS).view(np.float64)
    return 0.0 if -0.5 * x * x < _EXP_NORMAL else power * scale


def log64(x):
    """log(x) = n ln 2 + log(1 + f), as `log32`, with log(1 + f) = f - s (f - s^2 P(s^2)), s = f / (2 + f)."""
    subnormal = x < _TINY
    scaled = x * _SCALE if subnormal else x
    bits = np.int64(np.float64(scaled).view(np.int64) - _SQRT_HALF_BITS)
    n = np.int64((bits >> 52) - (_SCALE_BITS if subnormal else np.int64(0)) + _ROUND_BITS).view(np.float64) - _ROUND
    f = np.int64((bits & _MANTISSA) + _SQRT_HALF_BITS).view(np.float64) - 1.0
    s = f / (2.0 + f)
    z = s * s
    cubic = z * (_L0 + z * (_L1 + z * (_L2 + z * (_L3 + z * (_L4 + z * (_L5 + z * _L6))))))
    finite = n * _LN2_HIGH + (f - (s * (f - cubic) - n * _LN2_LOW))
    value = finite if x < np.inf else x
    value = -np.inf if x == 0.0 else value
    return np.nan if x < 0.0 else value


def log1p64(x):
    """log(1 + x) for 0 <= x <= 1, as `log64` without its power of two."""
    s = x / (2.0 + x)
    z = s * s
    tail = _S5 + z * (_S6 + z * (_S7 + z * (_S8 + z * _S9)))
    return x - s * (x - z * (_S0 + z * (_S1 + z * (_S2 + z * (_S3 + z * (_S4 + z * tail))))))


def sigmoid64(x, e):
    """As `sigmoid32`."""
    return (e if x < 0.0 else 1.0) / (1.0 + e)


def tanh64(x, t):
    """As `tanh32`."""
    size = np.float64(-t / (2.0 + t)).view(np.int64)
    return np.int64((size & _MAGNITUDE) | (np.float64(x).view(np.int64) & _SIGN)).view(np.float64)


def normal_cdf64(x, e):
    """As `normal_cdf32`; R is good to 6e-17 of itself."""
    a = abs(x)
    a = _CDF_FAR if a > _CDF_FAR else a
    above = _P5 + a * (_P6 + a * (_P7 + a * (_P8 + a * _P9)))
    above = _P0 + a * (_P1 + a * (_P2 + a * (_P3 + a * (_P4 + a * above))))
    below = _Q5 + a * (_Q6 + a * (_Q7 + a * (_Q8 + a * (_Q9 + a * _Q10))))
    below = 1.0 + a * (_Q1 + a * (_Q2 + a * (_Q3 + a * (_Q4 + a * below))))
    tail = e * (above / below)
    return tail if x < 0.0 else 1.0 - tail


def erf64(x, tail):
    """As `erf32`."""
    z = x * x
    far = _R5 + z * (_R6 + z * (_R7 + z * (_R8 + z * (_R9 + z * _R10))))
    small = x * (_R0 + z * (_R1 + z * (_R2 + z * (_R3 + z * (_R4 + z * far)))))
    large = 1.0 - 2.0 * tail
    return small if abs(x) < _ERF_SMALL else (-large if x < 0.0 else large)


def cos_turn64(t):
    """As `cos_turn32`, within 2^-51; the series' next term is below 2^-59."""
    w = 0.25 - abs(t - 0.5)
    z = w * w
    tail = 42.058693944897634 + z * (-15.094642576822984 + z * (3.8199525848482803 + z * (
        -0.7181223017785001 + z * (0.10422916220813978 + z * (-0.012031585942120619 + z * 0.0011309237482517954)))))
    return -w * (6.283185307179586 + z * (-41.341702240399755 + z * (81.60524927607504 + z * (
        -76.70585975306136 + z * tail))))
