import numpy as np
import pytest

from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F, EPSILON, MOMENTUM = np.float32, 1e-3, 0.9
batch_norm_forward, batch_norm_predict = on_cuda(cuda.batch_norm_forward), on_cuda(cuda.batch_norm_predict)
batch_norm_backward = on_cuda(cuda.batch_norm_backward)


def _parameters(channels, scale, center):
    gamma, beta = 1 + 0.1 * random(channels, seed=5), random(channels, seed=6)
    return gamma[:channels if scale else 0].astype(F), beta[:channels if center else 0].astype(F)


def _forward(x, gamma, beta, rectifier, addend=None):
    channels = x.shape[1]
    y, mean, rstd = unwritten(*x.shape, dtype=F), unwritten(channels, dtype=F), unwritten(channels, dtype=F)
    moving = np.full(channels, 0.5, F), np.ones(channels, F)
    scratch = unwritten(cuda.batch_norm_forward_scratch(x.shape, F), dtype=F)
    addend = gamma[:0] if addend is None else addend
    with inputs_unchanged(x, addend, gamma, beta):
        batch_norm_forward(y, mean, rstd, *moving, scratch, x, addend, gamma, beta, MOMENTUM, EPSILON, *rectifier)
    return y, mean, rstd, *moving


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 3), (1, 9), (33, 2), (40, 7), (150, 1)], ids=str)
@pytest.mark.parametrize(("rectifier", "scale", "center"), [
    ((1.0, np.inf), True, True), ((0.0, 2.0), False, True), ((0.2, np.inf), True, False)])
def test_batch_normalization_agrees_with_its_twin(shape, rectifier, scale, center):
    x, dy = 2 * random(*shape, dtype=F) + F(3), random(*shape, dtype=F, seed=1)
    gamma, beta = _parameters(shape[1], scale, center)
    moving = np.full(shape[1], 0.5), np.ones(shape[1])
    addend = x[::-1].reshape(-1).copy() if scale else gamma[:0]
    results = _forward(x, gamma, beta, rectifier, addend)
    for got, expected in zip(results, reference.batch_norm_forward(*moving, x, addend, gamma, beta, MOMENTUM, EPSILON,
                                                                    *rectifier), strict=True):
        assert_close(got, expected, factor=4)
    y, mean, rstd, *moving = results
    with inputs_unchanged(x, gamma, beta, *moving):
        batch_norm_predict(y, np.empty(0, F), x, gamma, beta, *moving, EPSILON, *rectifier)
    assert_close(y, reference.batch_norm_predict(x, gamma, beta, *moving, EPSILON, *rectifier))
    dx, dgamma, dbeta = unwritten(*shape, dtype=F), np.ones_like(gamma), np.full_like(beta, 2)
    scratch = unwritten(cuda.batch_norm_backward_scratch(shape, F), dtype=F)
    with inputs_unchanged(dy, x, mean, rstd, gamma, beta):
        batch_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma, beta, *rectifier)
    expected = reference.batch_norm_backward(dy, x, mean, rstd, gamma, beta, *rectifier)
    assert_close(dx, expected[0], factor=4)
    assert_close(dgamma, expected[1][:gamma.size] + 1, factor=4)
    assert_close(dbeta, expected[2][:beta.size] + 2)


def test_the_variance_of_numbers_far_from_zero_is_exact_and_the_same_bits_each_time():
    x = random(70, 2, dtype=F) + F(1000)
    first, second = (_forward(x, np.empty(0, F), np.empty(0, F), (1.0, np.inf)) for _ in range(2))
    np.testing.assert_allclose(first[2], 1 / np.sqrt(x.astype(float).var(axis=0) + EPSILON), rtol=1e-5)
    assert [one.tobytes() for one in first] == [one.tobytes() for one in second]
