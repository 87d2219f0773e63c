import numpy as np
import pytest
from scipy import stats

from fastcnn.kernels.cpu.elementwise.dropout import dropout
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)


def _dropout(x, rate=0.5, seed=0, step=0):
    y = unwritten(*x.shape, dtype=x.dtype)
    with inputs_unchanged(x):
        dropout(y, x, rate, seed, step)
    return y


def _mask(size, rate=0.5, seed=0, step=0):
    return _dropout(np.ones(size, np.float32), rate, seed, step) != 0


@types
@pytest.mark.parametrize("size", [0, 1, 37, 70_001])
@pytest.mark.parametrize("rate", [0.0, 0.1, 0.5, 0.9])
def test_dropout_agrees_with_its_twin(size, rate, dtype):
    x = random(many(size), dtype=dtype)
    assert_close(_dropout(x, rate, 5, 7), reference.dropout(x, rate, 5, 7))


@types
def test_dropout_agrees_with_its_twin_for_large_seeds_and_steps(dtype):
    x = random(50, dtype=dtype)
    for seed, step in ((2**40 + 3, 1), (1, 2**40 + 3), (2**63 - 1, 2**63 - 1), (-1, 0)):
        assert_close(_dropout(x, 0.5, seed, step), reference.dropout(x, 0.5, seed, step))


@types
def test_dropout_in_place_is_the_same(dtype):
    x = random(many(70_001), dtype=dtype)
    expected = _dropout(x)
    dropout(x, x, 0.5, 0, 0)
    np.testing.assert_array_equal(x, expected)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5, 0.9])
def test_the_share_that_is_kept_is_one_minus_the_rate(rate):
    for seed in range(5):
        kept = int(_mask(200_000, rate, seed).sum())
        assert stats.binomtest(kept, 200_000, 1 - rate).pvalue > 1e-4


def _independent(a, b):
    """Return the p-value of the chi-square test that two masks are independent."""
    return stats.chi2_contingency([[np.sum(a & b), np.sum(a & ~b)], [np.sum(~a & b), np.sum(~a & ~b)]]).pvalue


@pytest.mark.parametrize("distance", [1, 2, 3, 4, 8, 16, 32, 64, 256, 1024, 4096, 65536])
def test_neighbours_are_independent(distance):
    mask = _mask(400_000, seed=1)
    assert _independent(mask[:-distance], mask[distance:]) > 1e-4


def test_steps_and_seeds_have_independent_masks():
    first = _mask(100_000, seed=3, step=3)
    for seed, step in ((3, 4), (3, 5), (4, 3), (5, 3), (3 + 2**32, 3), (3, 3 + 2**32), (4, 2), (0, 0)):
        assert _independent(first, _mask(100_000, seed=seed, step=step)) > 1e-4


def test_an_element_is_kept_in_half_of_the_steps_and_of_the_seeds():
    by_step = np.mean([_mask(2000, step=step) for step in range(400)], axis=0)
    by_seed = np.mean([_mask(2000, seed=seed) for seed in range(400)], axis=0)
    for share in (by_step, by_seed):  # 400 throws: standard deviation 0.025
        assert abs(share.mean() - 0.5) < 0.005
        assert 0.022 < share.std() < 0.028


def test_runs_of_eight_elements_take_all_256_patterns_equally_often():
    bits = _mask(8 * 100_000, seed=9).reshape(-1, 8)
    patterns = np.bincount(np.packbits(bits, axis=1)[:, 0], minlength=256)
    assert stats.chisquare(patterns).pvalue > 1e-4


@types
def test_dropout_keeps_the_mean_and_leaves_nothing_of_what_it_drops(dtype):
    y = _dropout(np.ones(100_000, dtype), 0.2)
    np.testing.assert_allclose(np.unique(y), [0, 1.25], rtol=1e-6)
    assert abs(y.mean(dtype=np.float64) - 1) < 0.01
    for value in (np.nan, np.inf, -np.inf):
        np.testing.assert_array_equal(_dropout(np.full(100, value, dtype)), np.where(_mask(100), dtype(value), 0))


def test_dropout_gives_the_same_bits_from_any_number_of_threads():
    x = random(200_001, dtype=np.float32)
    assert_same_bits(lambda: (_dropout(x, 0.3, 1, 2),))


def test_dropout_compiles_once_a_type():
    for dtype in TYPES:
        _dropout(random(3, dtype=dtype))
    assert_one_specialization_a_type(dropout)
