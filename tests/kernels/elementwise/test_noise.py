import numpy as np
import pytest
from scipy import stats

from fastcnn.kernels import scalar, scalar64
from fastcnn.kernels.cpu.elementwise.noise import gaussian_noise, uniform_numbers
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_vectors,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)


def _noisy(x, stddev=0.5, multiplied=0, seed=0, step=0):
    y = unwritten(*x.shape, dtype=x.dtype)
    with inputs_unchanged(x):
        gaussian_noise(y, x, stddev, multiplied, seed, step)
    return y


def _normal(size, seed=0, step=0):
    return _noisy(np.zeros(size, np.float32), 1.0, 0, seed, step)


@types
@pytest.mark.parametrize("size", [0, 1, 37, 20_001])
@pytest.mark.parametrize("multiplied", [0, 1])
@pytest.mark.parametrize(("seed", "step"), [(5, 7), (2**40 + 3, 1), (2**63 - 1, 2**63 - 1)])
def test_gaussian_noise_agrees_with_its_twin(size, multiplied, seed, step, dtype):
    x = random(many(size), dtype=dtype)
    expected = reference.gaussian_noise(x, 0.3, multiplied, seed, step)
    assert_close(_noisy(x, 0.3, multiplied, seed, step), expected)
    gaussian_noise(x, x, 0.3, multiplied, seed, step)
    assert_close(x, expected)


def _uniform(size, low=0.0, high=1.0, seed=0, step=0, dtype=np.float32):
    y = unwritten(size, dtype=dtype)
    uniform_numbers(y, low, high, seed, step)
    return y


@types
@pytest.mark.parametrize("size", [0, 1, 37, 20_001])
@pytest.mark.parametrize(("seed", "step"), [(5, 7), (2**63 - 1, 2**63 - 1)])
def test_uniform_numbers_agree_with_their_twin(size, seed, step, dtype):
    y = _uniform(many(size), -1.0, 2.0, seed, step, dtype)
    assert_close(y, reference.uniform_numbers(y, -1.0, 2.0, seed, step))


def test_uniform_numbers_are_uniform_and_the_same_from_any_number_of_threads():
    y = _uniform(200_000, seed=3)
    assert stats.kstest(y, "uniform").pvalue > 1e-4
    assert stats.pearsonr(y[1:], y[:-1]).pvalue > 1e-4
    assert stats.pearsonr(y, _uniform(200_000, seed=3, step=1)).pvalue > 1e-4
    assert 0 <= y.min() < y.max() < 1
    assert_same_bits(lambda: (_uniform(200_001, 0.125, 1 / 3, 1, 2),))
    _uniform(3, dtype=np.float64)
    assert_one_specialization_a_type(uniform_numbers)


def test_the_numbers_are_normal():
    for seed in range(5):
        z = _normal(200_000, seed).astype(np.float64)
        assert stats.kstest(z, "norm").pvalue > 1e-4
        assert abs(z.mean()) < 4 / 200_000**0.5
        assert abs(z.var() - 1) < 4 * (2 / 200_000) ** 0.5
        beyond = [int((np.abs(z) > k).sum()) for k in (2, 3, 4)]
        for k, count in zip((2, 3, 4), beyond, strict=True):
            assert stats.binomtest(count, 200_000, 2 * stats.norm.sf(k)).pvalue > 1e-4


@pytest.mark.parametrize("distance", [1, 2, 16, 256, 4096])
def test_neighbours_are_uncorrelated(distance):
    z = _normal(200_000, seed=1)
    for a, b in ((z, z), (z**2, z**2), (z, z**2)):
        assert stats.pearsonr(a[:-distance], b[distance:]).pvalue > 1e-4


def test_steps_and_seeds_have_uncorrelated_numbers():
    first = _normal(100_000, 3, 3)
    for seed, step in ((3, 4), (4, 3), (3 + 2**32, 3), (3, 3 + 2**32), (4, 2), (0, 0)):
        assert stats.pearsonr(first, _normal(100_000, seed, step)).pvalue > 1e-4


@types
def test_a_nan_stays(dtype):
    for multiplied in (0, 1):
        assert np.isnan(_noisy(np.full(100, np.nan, dtype), multiplied=multiplied)).all()


@pytest.mark.parametrize("formula", [scalar.cos_turn32, scalar64.cos_turn64])
def test_cos_turn_is_the_cosine_to_a_few_units_of_one(formula):
    t = np.linspace(0, 1, 4097).astype(np.float32 if formula is scalar.cos_turn32 else np.float64)  # exact in both
    error = np.abs([formula(v) for v in t] - np.cos(2 * np.pi * t.astype(np.float64)))
    assert error.max() <= 4 * np.finfo(t.dtype).eps  # NumPy rounds 2 pi t, up to 2 of them


def test_gaussian_noise_gives_the_same_bits_from_any_number_of_threads():
    x = random(200_001, dtype=np.float32)
    assert_same_bits(lambda: (_noisy(x, 0.3, 1, 1, 2),))


def test_loops_of_float32_become_vector_instructions():
    x = np.zeros(8, np.float32)
    assert_vectors(gaussian_noise.py_func, x, x, 0.5, 0, 1, 1)


def test_gaussian_noise_compiles_once_a_type():
    for dtype in TYPES:
        _noisy(random(3, dtype=dtype))
    assert_one_specialization_a_type(gaussian_noise)
