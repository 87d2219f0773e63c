"""The formulas of `fastcnn.kernels.scalar` for kernels of CUDA: elementary functions of one float32."""

from fastcnn.kernels import scalar
from fastcnn.kernels.cuda.compile.shim import f32, inlined

exp = inlined(scalar.exp32)
exp_nonpositive = inlined(scalar.exp_nonpositive32)
expm1_nonpositive = inlined(scalar.expm1_nonpositive32)
exp_half_square = inlined(scalar.exp_half_square32)
log = inlined(scalar.log32)
log1p = inlined(scalar.log1p32)
cos_turn = inlined(scalar.cos_turn32)
mix = inlined(scalar.mix)

_sigmoid_from = inlined(scalar.sigmoid32)
_tanh_from = inlined(scalar.tanh32)
_normal_cdf_from = inlined(scalar.normal_cdf32)
_erf_from = inlined(scalar.erf32)

_MINUS_TWO, _MINUS_ROOT_TWO, _TINY = f32(-2), f32(-1.4142135623730951), f32(1e-37)


@inlined
def sigmoid(x):
    """1 / (1 + exp(-x))."""
    return _sigmoid_from(x, exp_nonpositive(-abs(x)))


@inlined
def tanh(x):
    """tanh(x)."""
    return _tanh_from(x, expm1_nonpositive(_MINUS_TWO * abs(x)))


@inlined
def normal_cdf(x):
    """The share of the normal distribution below x: erfc(-x / sqrt(2)) / 2."""
    return _normal_cdf_from(x, exp_half_square(x))


@inlined
def erf(x):
    """erf(x), the share of the normal distribution within sqrt(2) x of 0."""
    return _erf_from(x, normal_cdf(_MINUS_ROOT_TWO * abs(x)))


@inlined
def power(u, exponent):
    """Return u^exponent for u >= 0; 0^0 is 1."""
    return exp(exponent * log(_TINY if u < _TINY else u))
