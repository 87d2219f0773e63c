"""The float32 polynomials over the whole range of float32, in units in the last place."""

import numpy as np
import pytest
from scipy import special

from fastcnn.kernels.cpu import elementary
from fastcnn.kernels.cpu._jit import inlined, kernel, registry

# Every 509th of all float32 values: all exponents, both signs, subnormal numbers, infinities, NaN.
EVERYWHERE = np.arange(0, 2**32, 509, dtype=np.uint64).astype(np.uint32).view(np.float32)
FLUSHED = 1.2e-38  # what `exp_nonpositive` may lose at the smallest normal number


def _over(function):
    """Return a kernel that applies `function` to an array."""

    @inlined(exact=True)
    def loop(y, x):
        for i in range(y.size):
            y[i] = function(x[i])

    @kernel
    def apply(y, x):
        loop(y, x)

    registry.pop("test_elementary.apply")
    apply._cache.disable()  # a kernel over another function would have the same entry
    return apply


def _error_in_ulp(got, exact):
    """Return the errors of the float32 numbers in units of their last place, 0 where both are the same infinity."""
    with np.errstate(all="ignore"):
        rounded = exact.astype(np.float32)
        np.testing.assert_array_equal(np.isnan(got), np.isnan(exact))
        np.testing.assert_array_equal(got[np.isinf(rounded)], rounded[np.isinf(rounded)])
        return np.where(np.isfinite(rounded), np.abs(got - exact) / np.spacing(np.abs(rounded)), 0)


CASES = {  # name: (exact, where it is defined, ulp allowed, absolute error allowed beside)
    "exp": (np.exp, EVERYWHERE, 1.0, 0),
    "exp_nonpositive": (np.exp, EVERYWHERE[~(EVERYWHERE > 0)], 1.0, FLUSHED),
    "log": (np.log, EVERYWHERE, 1.0, 0),
    "log1p": (np.log1p, EVERYWHERE[(EVERYWHERE >= 0) & (EVERYWHERE <= 1)], 2.0, 0),
    "sigmoid": (special.expit, EVERYWHERE, 3.0, FLUSHED),
    "tanh": (np.tanh, EVERYWHERE, 2.0, 0),
    "normal_cdf": (special.ndtr, EVERYWHERE[~(EVERYWHERE < -2)], 5.0, 0),
}


@pytest.mark.parametrize("name", CASES)
def test_elementary_functions_are_exact_to_a_few_units_in_the_last_place(name):
    exact, x, ulp, absolute = CASES[name]
    y = np.full_like(x, np.nan)
    apply = _over(getattr(elementary, name))
    apply(y, x)
    with np.errstate(all="ignore"):
        expected = exact(x.astype(np.float64))
        error = np.where(np.abs(y - expected) <= absolute, 0, _error_in_ulp(y, expected))
    worst = np.nanargmax(error)
    assert error[worst] <= ulp, f"{name}({x[worst]}): {error[worst]} ulp"


@pytest.mark.parametrize("name", CASES)
def test_float32_loops_are_vector_instructions_without_library_calls(name):
    apply = _over(getattr(elementary, name))
    apply(np.zeros(3, np.float32), np.zeros(3, np.float32))
    assembly = next(iter(apply.inspect_asm().values()))
    packed = ("vmulps", "vaddps", "mulps", "fmul", "vfmadd")
    assert any(line.split()[0].startswith(packed) and ("mm" in line or ".4s" in line)
               for line in assembly.splitlines() if line.strip())
    assert not any(word in assembly for word in ("expf", "tanhf", "logf", "erff"))


def test_the_left_tail_of_the_normal_distribution_keeps_its_relative_precision():
    x = np.linspace(-13, -2, 100_001).astype(np.float32)
    y = np.empty_like(x)
    _over(elementary.normal_cdf)(y, x)
    np.testing.assert_allclose(y, special.ndtr(x.astype(np.float64)), rtol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_plain_python_and_float64_take_the_library(name):
    x = -0.75 if name == "exp_nonpositive" else 0.75
    assert getattr(elementary, name)(x) == pytest.approx(CASES[name][0](x), rel=1e-15)
    y = np.empty(1)
    _over(getattr(elementary, name))(y, np.array([x]))
    assert y[0] == pytest.approx(CASES[name][0](x), rel=1e-15)


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
