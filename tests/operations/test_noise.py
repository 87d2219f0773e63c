"""Dropout and noise: what is left and what is dropped, how much of it, and that a key draws the same again."""

import numpy as np
import pytest

from fastcnn.operations.noise import alpha_dropout, dropout, gaussian_dropout, gaussian_noise
from tests.operations.checking import look_over, normal

KEY, MANY = (7, 3), (50, 40, 5)  # 10,000 numbers: a share of 0.3 is hit to 0.0046 in one of three draws
P = -1.0507009873554805 * 1.6732632423543772


@pytest.mark.parametrize("rate", [0.3, 0.8])
def test_dropout_leaves_a_part_and_scales_it(rate):
    x = normal(*MANY)
    y, _ = look_over(lambda x: dropout(x, rate, KEY), x)
    kept = y != 0
    np.testing.assert_allclose(y[kept], x[kept] / (1 - rate), rtol=1e-14)
    assert abs(kept.mean() - (1 - rate)) < 0.025


def test_another_key_drops_others():
    ones = np.ones(MANY)
    first = dropout(ones, 0.5, KEY)[0].copy()
    np.testing.assert_array_equal(dropout(ones, 0.5, KEY)[0], first)
    for key in ((8, 3), (7, 4)):
        assert 0.4 < (dropout(ones, 0.5, key)[0] == first).mean() < 0.6


@pytest.mark.parametrize("mask_shape", [(50, 1, 5), (1, 40, 1), (50, 40, 5)])
def test_what_shares_a_mask_is_dropped_together(mask_shape):
    y, _ = look_over(lambda x: dropout(x, 0.5, KEY, mask_shape), normal(*MANY))
    kept = y != 0
    shared = tuple(k for k, n in enumerate(mask_shape) if n == 1)
    assert (kept.all(shared) | ~kept.any(shared)).all()
    assert 0 < kept.mean() < 1


def test_a_mask_drops_what_is_no_number():
    y, _ = dropout(np.full((4, 8), np.nan), 0.5, KEY, (1, 8))
    assert set(np.isnan(y).mean(0)) == {0.0, 1.0}
    assert not y[~np.isnan(y)].any()


@pytest.mark.parametrize("mask_shape", [None, (50, 1, 5)])
def test_alpha_dropout_keeps_mean_and_variance(mask_shape):
    rate, x = 0.3, normal(*MANY)
    y, _ = look_over(lambda x: alpha_dropout(x, rate, KEY, mask_shape), x)
    a = ((1 - rate) * (1 + rate * P**2)) ** -0.5
    b = -a * rate * P
    kept = np.abs(y - (a * P + b)) > 1e-9
    np.testing.assert_allclose(y[kept], a * x[kept] + b, rtol=1e-9, atol=1e-12)
    if mask_shape is None:
        assert abs(kept.mean() - (1 - rate)) < 0.025
        assert abs(y.mean()) < 0.05
        assert abs(y.var() - 1) < 0.08


def test_noise_is_added_and_its_gradient_is_dy():
    x = normal(*MANY)
    y, _ = look_over(lambda x: gaussian_noise(x, 0.5, KEY), x)
    assert abs((y - x).mean()) < 0.025
    assert abs((y - x).std() - 0.5) < 0.02
    _, backward = gaussian_noise(x, 0.5, KEY)
    assert backward(x) is x


@pytest.mark.parametrize("rate", [0.2, 0.5])
def test_noise_multiplies(rate):
    x = normal(*MANY)
    y, _ = look_over(lambda x: gaussian_dropout(x, rate, KEY), x)
    factors = y / x
    assert abs(factors.mean() - 1) < 0.05
    assert abs(factors.std() - np.sqrt(rate / (1 - rate))) < 0.05
