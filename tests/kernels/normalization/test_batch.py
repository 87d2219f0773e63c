import numpy as np
import pytest

from fastcnn import device
from fastcnn.kernels.cpu.normalization.batch import (
    batch_norm_backward,
    batch_norm_backward_scratch,
    batch_norm_forward,
    batch_norm_forward_scratch,
    batch_norm_predict,
    batch_norm_predict_scratch,
)
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    assert_within,
    inputs_unchanged,
    many,
    random,
    slope,
    types,
    unwritten,
)

EPSILON, MOMENTUM = 1e-3, 0.9

sizes = pytest.mark.parametrize("shape", [
    (0, 3), (1, 1), (2, 1), (5, 3), (1, 700), (300, 6), (77, 64), (130, 513), (20_001, 5), (70_001, 1)], ids=str)
NONE, RELU, RELU1, LEAKY = (1.0, np.inf), (0.0, np.inf), (0.0, 1.0), (0.2, np.inf)  # slope and ceiling
rectifiers = pytest.mark.parametrize("rectifier", [NONE, RELU, RELU1, LEAKY], ids=["plain", "relu", "relu1", "leaky"])
parameters = pytest.mark.parametrize(("scale", "center"), [(True, True), (False, True), (True, False), (False, False)])


def _parameters(channels, dtype, scale=True, center=True):
    gamma, beta = 1 + 0.1 * random(channels, seed=5), random(channels, seed=6)
    return gamma[:channels if scale else 0].astype(dtype), beta[:channels if center else 0].astype(dtype)


def _forward(x, gamma, beta, rectifier=NONE, addend=None):
    dtype, channels = x.dtype, x.shape[1]
    y, mean, rstd = unwritten(*x.shape, dtype=dtype), unwritten(channels, dtype=dtype), unwritten(channels, dtype=dtype)
    moving_mean, moving_variance = np.full(channels, 0.5, dtype), np.ones(channels, dtype)
    scratch = unwritten(batch_norm_forward_scratch(x.shape, dtype), dtype=dtype)
    addend = gamma[:0] if addend is None else addend
    with inputs_unchanged(x, addend, gamma, beta):
        batch_norm_forward(y, mean, rstd, moving_mean, moving_variance, scratch, x, addend, gamma, beta, MOMENTUM,
                           EPSILON, *rectifier)
    assert_within(scratch)
    return y, mean, rstd, moving_mean, moving_variance


def _predict(y, x, gamma, beta, mean, variance, rectifier):
    scratch = unwritten(batch_norm_predict_scratch(x.shape, x.dtype), dtype=x.dtype)
    batch_norm_predict(y, scratch, x, gamma, beta, mean, variance, EPSILON, *rectifier)
    assert_within(scratch)


def _backward(dy, x, mean, rstd, gamma, beta, rectifier=NONE):
    dx, dgamma, dbeta = unwritten(*x.shape, dtype=x.dtype), np.ones_like(gamma), np.full_like(beta, 2)
    scratch = unwritten(batch_norm_backward_scratch(x.shape, x.dtype), dtype=x.dtype)
    with inputs_unchanged(dy, x, mean, rstd, gamma):
        batch_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma, beta, *rectifier)
    assert_within(scratch)
    return dx, dgamma, dbeta


@types
@sizes
@parameters
@rectifiers
def test_batch_norm_agrees_with_its_twin(shape, dtype, scale, center, rectifier):
    shape = (many(shape[0]), many(shape[1]))
    x, dy = 2 + 3 * random(*shape, dtype=dtype), random(*shape, dtype=dtype, seed=1)
    gamma, beta = _parameters(shape[1], dtype, scale, center)
    addend = x[::-1].reshape(-1).copy() if rectifier == RELU1 else gamma[:0]
    got = _forward(x, gamma, beta, rectifier, addend)
    moving = np.full(shape[1], 0.5), np.ones(shape[1])
    for a, b in zip(got, reference.batch_norm_forward(*moving, x, addend, gamma, beta, MOMENTUM, EPSILON, *rectifier),
                    strict=True):
        assert_close(a, b)

    dx, dgamma, dbeta = reference.batch_norm_backward(dy, x, got[1], got[2], gamma, beta, *rectifier)
    got = _backward(dy, x, got[1], got[2], gamma, beta, rectifier)
    # With a few rows dx is a small difference of large terms, as large as dy / sqrt(variance).
    terms = max(1.0, np.abs(dx).max(initial=0))
    np.testing.assert_allclose(got[0], dx, rtol=0, atol=terms * (2e-5 if dtype == np.float32 else 1e-10))
    # Sums over the rows round in proportion to their length's root.
    factor = max(4.0, shape[0] ** 0.5)
    assert_close(got[1], (1 + dgamma)[:got[1].size], factor)
    assert_close(got[2], (2 + dbeta)[:got[2].size], factor)


@types
@sizes
@parameters
@rectifiers
def test_batch_norm_predict_agrees_with_its_twin(shape, dtype, scale, center, rectifier):
    shape = (many(shape[0]), many(shape[1]))
    x, y = random(*shape, dtype=dtype), unwritten(*shape, dtype=dtype)
    gamma, beta = _parameters(shape[1], dtype, scale, center)
    mean, variance = random(shape[1], dtype=dtype, seed=2), np.abs(random(shape[1], dtype=dtype, seed=3)) + dtype(0.1)
    with inputs_unchanged(x, gamma, beta, mean, variance):
        _predict(y, x, gamma, beta, mean, variance, rectifier)
    assert_close(y, reference.batch_norm_predict(x, gamma, beta, mean, variance, EPSILON, *rectifier))


@rectifiers
@pytest.mark.parametrize("shape", [(7, 3), (2, 5)])
def test_batch_norm_gradients_are_the_slopes(shape, rectifier):
    x, dy = random(*shape), random(*shape, seed=1)
    gamma, beta = _parameters(shape[1], np.float64)
    _, mean, rstd, _, _ = _forward(x, gamma, beta)
    dx, dgamma, dbeta = _backward(dy, x, mean, rstd, gamma, beta, rectifier)
    assert_slope(dx, slope(lambda x: _forward(x, gamma, beta, rectifier)[0], x, dy, step=1e-6))
    assert_slope(dgamma - 1, slope(lambda gamma: _forward(x, gamma, beta, rectifier)[0], gamma, dy))
    assert_slope(dbeta - 2, slope(lambda beta: _forward(x, gamma, beta, rectifier)[0], beta, dy))


def test_a_mean_that_is_large_beside_the_deviation_costs_no_precision():
    x = 1000 + random(50_001, 3, dtype=np.float32)
    _, mean, rstd, _, _ = _forward(x, *_parameters(3, np.float32))
    np.testing.assert_allclose(mean, x.mean(axis=0, dtype=np.float64), rtol=1e-6)
    np.testing.assert_allclose(rstd, (x.astype(np.float64).var(axis=0) + EPSILON) ** -0.5, rtol=1e-4)


@pytest.mark.parametrize("channels", [1, 3, 64, 300])
def test_a_block_that_begins_unlike_the_rest_costs_no_precision(channels):
    # The shift is the mean of the first rows: here a constant far from everything else.
    x = random(many(30_001), channels, dtype=np.float32)
    x[:700] = 0
    x[700:] += 1000
    _, mean, rstd, _, _ = _forward(x, *_parameters(channels, np.float32))
    exact = x.astype(np.float64)
    np.testing.assert_allclose(mean, exact.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(rstd, (exact.var(axis=0) + EPSILON) ** -0.5, rtol=2e-6)


@types
@pytest.mark.parametrize("shape", [(301, 5), (130, 70)])
def test_with_relu_it_is_batch_norm_and_then_relu(shape, dtype):
    x, dy = random(*shape, dtype=dtype), random(*shape, dtype=dtype, seed=1)
    gamma, beta = _parameters(shape[1], dtype)
    plain, rectified = _forward(x, gamma, beta), _forward(x, gamma, beta, RELU)
    np.testing.assert_array_equal(rectified[0], np.maximum(plain[0], 0))
    for a, b in zip(plain[1:], rectified[1:], strict=True):
        np.testing.assert_array_equal(a, b)
    masked = np.where(plain[0] <= 0, dtype(0), dy)
    for a, b in zip(_backward(dy, x, *plain[1:3], gamma, beta, RELU), _backward(masked, x, *plain[1:3], gamma, beta),
                    strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_rectifier_makes_zeros_of_infinity_below_and_a_leaky_one_keeps_it():
    x = np.array([[-np.inf, np.inf, -2.0, 4.0]], np.float32).T
    for rectifier, expected in ((RELU, [0, np.inf, 0, 4]), ((0.5, np.inf), [-np.inf, np.inf, -1, 4]),
                                (NONE, [-np.inf, np.inf, -2, 4]), ((0.0, 3.0), [0, 3, 0, 3])):
        y, one = unwritten(4, 1, dtype=np.float32), np.ones(1, np.float32)
        scratch = unwritten(batch_norm_predict_scratch(x.shape, x.dtype), dtype=x.dtype)
        batch_norm_predict(y, scratch, x, one, one[:0], 0 * one, one, 0.0, *rectifier)
        np.testing.assert_array_equal(y[:, 0], np.float32(expected))


def test_a_result_that_no_cache_would_hold_has_the_same_bits_where_vectors_are_aligned_and_where_not():
    shape = many(16384), 256  # 16 MB
    x, (gamma, beta) = random(*shape, dtype=np.float32), _parameters(256, np.float32)
    mean, variance = random(256, dtype=np.float32, seed=2), np.abs(random(256, dtype=np.float32, seed=3)) + 1
    memory, results = device.cpu.empty((x.size + 1,), np.float32), []  # begins at a multiple of 64 bytes
    for begin in (0, 1):
        memory.fill(np.nan)
        y = memory[begin:begin + x.size].reshape(shape)
        _predict(y, x, gamma, beta, mean, variance, RELU)
        results.append(y.copy())
    np.testing.assert_array_equal(*results)
    assert_close(results[0], reference.batch_norm_predict(x, gamma, beta, mean, variance, EPSILON, *RELU))


@types
def test_a_nan_reaches_its_channel_and_no_other(dtype):
    x = random(300, 3, dtype=dtype)
    x[200, 1] = np.nan
    for array in _forward(x, *_parameters(3, dtype)):
        assert np.isnan(array).reshape(-1, 3).all(axis=0).tolist() == [False, True, False]
        assert np.isfinite(array.reshape(-1, 3)[:, [0, 2]]).all()


@types
def test_an_empty_batch_moves_nothing(dtype):
    x = np.empty((0, 3), dtype)
    _, _, _, moving_mean, moving_variance = _forward(x, *_parameters(3, dtype))
    np.testing.assert_array_equal(moving_mean, 0.5)
    np.testing.assert_array_equal(moving_variance, 1)


@pytest.mark.parametrize("shape", [(20_001, 6), (3001, 64)])
def test_batch_norm_gives_the_same_bits_from_any_number_of_threads(shape):
    x, dy = random(*shape, dtype=np.float32), random(*shape, dtype=np.float32, seed=1)
    gamma, beta = _parameters(shape[1], np.float32)

    def run():
        forward = _forward(x, gamma, beta)
        y = np.empty_like(x)
        _predict(y, x, gamma, beta, forward[1], np.abs(forward[2]), RELU)
        return (*forward, *_backward(dy, x, forward[1], forward[2], gamma, beta), y)

    assert_same_bits(run)


def test_batch_norm_compiles_once_a_type():
    for dtype in TYPES:
        x = random(3, 2, dtype=dtype)
        gamma, beta = _parameters(2, dtype)
        _, mean, rstd, _, _ = _forward(x, gamma, beta)
        _backward(x, x, mean, rstd, gamma, beta)
        _predict(x.copy(), x, gamma, beta, mean, rstd, NONE)
    assert_one_specialization_a_type(batch_norm_forward, batch_norm_predict, batch_norm_backward)
