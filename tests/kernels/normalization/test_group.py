import numpy as np
import pytest

from fastcnn.kernels.cpu.normalization.group import (
    group_norm_backward,
    group_norm_backward_scratch,
    group_norm_forward,
    group_norm_forward_scratch,
)
from tests import reference
from tests.kernels.checking import (
    PLAIN,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    assert_within,
    inputs_unchanged,
    random,
    slope,
    types,
    unwritten,
)

EPSILON = 1e-3

# Rows: layer normalization, groups of (N, C), longer than a block. Images: groups, one group, a channel a group, more
# channels than a long row has lanes, one and three images that are cut into slabs, positions that fill no long row.
SHAPES = [
    (0, 1, 2, 5), (1, 1, 1, 1), (7, 1, 1, 33), (5, 1, 3, 7), (3, 1, 2, 5000), (3001, 1, 1, 24),
    (0, 9, 2, 2), (2, 5, 2, 3), (4, 49, 4, 8), (2, 30, 1, 6), (3, 21, 5, 1), (2, 7, 3, 100), (9, 300, 8, 2),
    (1, 4001, 4, 16), (3, 1500, 2, 32), (20, 2, 1, 3),
]
shapes = pytest.mark.parametrize("shape", [s for s in SHAPES if not PLAIN or np.prod(s) < 10_000], ids=str)
parameters = pytest.mark.parametrize(("scale", "center"), [(True, True), (False, True), (True, False), (False, False)])


def _parameters(shape, dtype, scale=True, center=True):
    channels = shape[2] * shape[3]
    gamma, beta = 1 + 0.1 * random(channels, seed=5), random(channels, seed=6)
    return gamma[:channels if scale else 0].astype(dtype), beta[:channels if center else 0].astype(dtype)


def _forward(x, gamma, beta, epsilon=EPSILON):
    n, _, groups, _ = x.shape
    y, mean, rstd = (unwritten(*shape, dtype=x.dtype) for shape in (x.shape, (n, groups), (n, groups)))
    scratch = unwritten(group_norm_forward_scratch(x.shape, x.dtype), dtype=x.dtype)
    with inputs_unchanged(x, gamma, beta):
        group_norm_forward(y, mean, rstd, scratch, x, gamma, beta, epsilon)
    assert_within(scratch)
    return y, mean, rstd


def _backward(dy, x, mean, rstd, gamma, beta):
    dx, dgamma, dbeta = unwritten(*x.shape, dtype=x.dtype), np.ones_like(gamma), np.full_like(beta, 2)
    scratch = unwritten(group_norm_backward_scratch(x.shape, x.dtype), dtype=x.dtype)
    with inputs_unchanged(dy, x, mean, rstd, gamma):
        group_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma)
    assert_within(scratch)
    return dx, dgamma, dbeta


@types
@shapes
@parameters
def test_group_norm_agrees_with_its_twin(shape, dtype, scale, center):
    x, dy = 2 + 3 * random(*shape, dtype=dtype), random(*shape, dtype=dtype, seed=1)
    gamma, beta = _parameters(shape, dtype, scale, center)
    got = _forward(x, gamma, beta)
    for a, b in zip(got, reference.group_norm_forward(x, gamma, beta, EPSILON), strict=True):
        assert_close(a, b)

    dx, dgamma, dbeta = reference.group_norm_backward(dy, x, got[1], got[2], gamma)
    got = _backward(dy, x, got[1], got[2], gamma, beta)
    # With a few numbers in a group dx is a small difference of large terms, as large as dy / sqrt(variance).
    terms = max(1.0, np.abs(dx).max(initial=0))
    np.testing.assert_allclose(got[0], dx, rtol=0, atol=terms * (2e-5 if dtype == np.float32 else 1e-10))
    # Sums over samples and positions round in proportion to the root of their number.
    factor = max(4.0, (shape[0] * shape[1]) ** 0.5)
    assert_close(got[1], (1 + dgamma)[:got[1].size], factor)
    assert_close(got[2], (2 + dbeta)[:got[2].size], factor)


@pytest.mark.parametrize("shape", [(3, 1, 2, 5), (2, 4, 2, 3)])
def test_group_norm_gradients_are_the_slopes(shape):
    x, dy = random(*shape), random(*shape, seed=1)
    gamma, beta = _parameters(shape, np.float64)
    _, mean, rstd = _forward(x, gamma, beta)
    dx, dgamma, dbeta = _backward(dy, x, mean, rstd, gamma, beta)
    assert_slope(dx, slope(lambda x: _forward(x, gamma, beta)[0], x, dy, step=1e-6))
    assert_slope(dgamma - 1, slope(lambda gamma: _forward(x, gamma, beta)[0], gamma, dy))
    assert_slope(dbeta - 2, slope(lambda beta: _forward(x, gamma, beta)[0], beta, dy))


@pytest.mark.parametrize("shape", [(3, 1, 2, 3000), (2, 700, 3, 2), (1, 9001, 3, 4)])
def test_a_mean_that_is_large_beside_the_deviation_costs_no_precision(shape):
    x = 1000 + random(*shape, dtype=np.float32)
    x[:, :1] += 3000 if shape[1] > 1 else 0  # a beginning unlike the rest
    _, mean, rstd = _forward(x, *_parameters(shape, np.float32))
    _, exact_mean, exact_rstd = reference.group_norm_forward(x, *_parameters(shape, np.float32), EPSILON)
    np.testing.assert_allclose(mean, exact_mean, rtol=1e-6)
    np.testing.assert_allclose(rstd, exact_rstd, rtol=1e-4 if shape[1] == 1 else 2e-5)


@types
@pytest.mark.parametrize("shape", [(4, 1, 3, 5), (4, 30, 3, 2)])
def test_a_nan_reaches_its_group_and_no_other(shape, dtype):
    x = random(*shape, dtype=dtype)
    x[1, -1, 2, 0] = np.nan
    y, mean, rstd = _forward(x, *_parameters(shape, dtype))
    expected = np.zeros(shape, bool)
    expected[1, :, 2] = True
    np.testing.assert_array_equal(np.isnan(y), expected)
    for array in (mean, rstd):
        np.testing.assert_array_equal(np.isnan(array), expected[:, 0, :, 0])


@pytest.mark.parametrize("shape", [(3000, 1, 2, 50), (12, 500, 4, 16), (2, 3000, 4, 16)])
def test_group_norm_gives_the_same_bits_from_any_number_of_threads(shape):
    x, dy = random(*shape, dtype=np.float32), random(*shape, dtype=np.float32, seed=1)
    gamma, beta = _parameters(shape, np.float32)

    def run():
        forward = _forward(x, gamma, beta)
        return (*forward, *_backward(dy, x, *forward[1:], gamma, beta))

    assert_same_bits(run)


def test_group_norm_compiles_once_a_type():
    for dtype in TYPES:
        x = random(3, 1, 2, 2, dtype=dtype)
        gamma, beta = _parameters(x.shape, dtype)
        _, mean, rstd = _forward(x, gamma, beta)
        _backward(x, x, mean, rstd, gamma, beta)
    assert_one_specialization_a_type(group_norm_forward, group_norm_backward)
