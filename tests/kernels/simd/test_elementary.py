"""The elementary functions over the whole range of float32 and of float64, in units in the last place."""

import math

import numpy as np
import pytest

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, registry
from fastcnn.kernels.cpu.simd import elementary
from tests.kernels.checking import types

FLUSHED = {np.float32: 1.2e-38, np.float64: 2.3e-308}  # what may be lost at the smallest normal number


def _everywhere(dtype, step):
    """Return numbers of all exponents and both signs, subnormal ones, infinities, NaN, and many of usual sizes.

    Of float32 that is every `step`-th number that there is.
    """
    draw = np.random.default_rng(0)
    if dtype == np.float32:
        bits = np.arange(0, 2**32, step, dtype=np.uint64).astype(np.uint32).view(np.float32)
    else:
        bits = draw.integers(0, 2**64, 509_000_000 // step, dtype=np.uint64).view(np.float64)
    extremes = [0.0, -0.0, np.inf, -np.inf, np.nan, np.finfo(dtype).smallest_subnormal, np.finfo(dtype).tiny, 1.0]
    usual = [draw.uniform(-bound, bound, 150_000_000 // step) for bound in (1, 10, 100, 760)]
    return np.concatenate([bits, *(np.asarray(part).astype(dtype) for part in (extremes, *usual))])


def _over(function):
    """Return a kernel that applies `function` to an array."""

    @inlined(exact=True)
    def loop(y, x):
        for i in range(y.size):
            y[i] = function(x[i])

    @kernel
    def apply(y, x):
        loop(y, x)

    registry.pop("tests.kernels.simd.test_elementary.apply")
    apply._cache.disable()  # a kernel over another function would have the same entry
    return apply


def _error_in_ulp(got, exact):
    """Return the errors of numbers in units of their last place, 0 where both are the same infinity."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(got.dtype)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(exact))
        np.testing.assert_array_equal(got[np.isinf(rounded)], rounded[np.isinf(rounded)])
        return np.where(np.isfinite(rounded), np.abs(got - exact) / np.spacing(np.abs(rounded)), 0).astype(float)


_erf, _erfc = (np.vectorize(f, otypes=[np.float64]) for f in (math.erf, math.erfc))


def _exact_erf(x):
    return _erf(x.astype(np.float64))


def _exact_cdf(x):
    """erfc(-x / sqrt(2)) / 2, with the rounding of its argument put right: erfc magnifies it by its square."""
    precise = -x * np.sqrt(np.longdouble(0.5))
    rounded = precise.astype(np.float64)
    rest = np.where(np.isfinite(x), precise - rounded, 0)
    slope = 2 / np.sqrt(np.longdouble(np.pi)) * np.exp(-rounded.astype(np.longdouble) ** 2)
    return (_erfc(rounded) - slope * rest) / 2


NOT_POSITIVE, FROM_0_TO_1 = (lambda x: ~(x > 0)), (lambda x: (x >= 0) & (x <= 1))
EVERY, NOT_FAR_LEFT = (lambda x: np.ones(x.shape, bool)), (lambda x: ~(x < -1))
CASES = {  # name: (exact, where it is defined, ulp allowed, whether results may be flushed to zero)
    "exp": (np.exp, EVERY, 1.5, False),
    "exp_nonpositive": (np.exp, NOT_POSITIVE, 1.5, True),
    "expm1_nonpositive": (np.expm1, NOT_POSITIVE, 1.5, False),
    "exp_half_square": (lambda x: np.exp(-x * x / 2), EVERY, 1.5, True),
    "log": (np.log, EVERY, 1.0, False),
    "log1p": (np.log1p, FROM_0_TO_1, 2.0, False),
    "sigmoid": (lambda x: np.where(x < 0, np.exp(-np.abs(x)), 1) / (1 + np.exp(-np.abs(x))), EVERY, 3.0, True),
    "tanh": (np.tanh, EVERY, 3.0, False),
    "erf": (_exact_erf, EVERY, 3.0, False),
    "normal_cdf": (_exact_cdf, NOT_FAR_LEFT, 5.0, False),
}


@types
@pytest.mark.parametrize("step", [5003, pytest.param(509, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", CASES)
def test_elementary_functions_are_exact_to_a_few_units_in_the_last_place(name, step, dtype):
    exact, defined, ulp, flushed = CASES[name]
    x = _everywhere(dtype, step)
    x = x[defined(x)]
    y = np.full_like(x, np.nan)
    apply = _over(getattr(elementary, name))
    apply(y, x)
    with np.errstate(all="ignore"):
        expected = exact(x.astype(np.float64 if dtype == np.float32 else np.longdouble))
        lost = np.abs(y - expected) <= (FLUSHED[dtype] if flushed else 0)
        error = np.where(lost, 0, _error_in_ulp(y, expected))
    worst = np.nanargmax(error)
    assert error[worst] <= ulp, f"{name}({x[worst]!r}) is {y[worst]!r}: {error[worst]} ulp"


@types
@pytest.mark.parametrize("name", CASES)
def test_loops_are_vector_instructions_without_library_calls(name, dtype):
    apply = _over(getattr(elementary, name))
    apply(np.zeros(3, dtype), np.zeros(3, dtype))
    assembly = next(iter(apply.inspect_asm().values()))
    single = dtype == np.float32
    packed = ("vmulps", "vaddps", "mulps") if single else ("vmulpd", "vaddpd", "mulpd")
    packed += ("fmul", *(f"vfmadd{order}{'ps' if single else 'pd'}" for order in (132, 213, 231)))
    assert any(line.split()[0].startswith(packed) and ("mm" in line or ".4s" in line or ".2d" in line)
               for line in assembly.splitlines() if line.strip())
    calls = [line for line in assembly.splitlines() if line.split()[:1] == ["callq"]]
    assert not any(word in line for line in calls for word in ("exp", "tanh", "log", "erf"))


@types
def test_the_left_tail_of_the_normal_distribution_keeps_its_relative_precision(dtype):
    x = np.linspace(-13 if dtype == np.float32 else -37, -1, 100_001).astype(dtype)
    y = np.empty_like(x)
    _over(elementary.normal_cdf)(y, x)
    np.testing.assert_allclose(y, _exact_cdf(x).astype(np.float64), rtol=6 * np.finfo(dtype).eps, atol=0)


@types
def test_a_zero_keeps_its_sign(dtype):
    x = np.array([0.0, -0.0], dtype)
    for function in (elementary.tanh, elementary.erf):
        y = np.empty_like(x)
        _over(function)(y, x)
        np.testing.assert_array_equal(np.signbit(y), [False, True])


@pytest.mark.parametrize("name", CASES)
def test_plain_python_takes_the_float64_formula(name):
    x = -0.75 if "nonpositive" in name else 0.75
    assert getattr(elementary, name)(x) == pytest.approx(float(CASES[name][0](np.float64(x))), rel=1e-15)


def test_mix_is_a_bijection_of_32_bits():
    x = np.random.default_rng(0).integers(0, 2**32, 1_000_000)
    x = np.unique(x)
    assert np.unique(elementary.mix(x)).size == x.size


def test_mix_moves_half_of_the_bits_when_one_bit_moves():
    x = np.random.default_rng(1).integers(0, 2**32, 20_000)
    for bit in range(32):
        changed = elementary.mix(x) ^ elementary.mix(x ^ (1 << bit))
        share = [(changed >> b & 1).mean() for b in range(32)]
        assert min(share) > 0.45
        assert max(share) < 0.55
