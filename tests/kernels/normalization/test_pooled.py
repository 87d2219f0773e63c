import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels.cpu import max_pool2d_backward, max_pool2d_forward, max_pool2d_index_type
from fastcnn.kernels.cpu.normalization.pooled import (
    batch_norm_pool_backward,
    batch_norm_pool_backward_scratch,
    batch_norm_pool_forward,
    batch_norm_pool_forward_scratch,
)
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_within,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)
from tests.kernels.normalization.test_batch import _forward as normalized
from tests.kernels.normalization.test_batch import _parameters

EPSILON, MOMENTUM = 1e-3, 0.9
NONE, RELU, RELU1, LEAKY = (1.0, np.inf), (0.0, np.inf), (0.0, 1.0), (0.2, np.inf)  # slope and ceiling

#: Images and windows: with rows and columns that no window sees, one window an image, few and many channels.
SIZES = [((2, 4, 4, 3), (2, 2)), ((1, 7, 9, 5), (2, 4)), ((many(70), 16, 16, 20), (2, 2)), ((3, 9, 6, 300), (4, 3)),
         ((2, 3, 2, 1), (3, 2))]
sizes = pytest.mark.parametrize(("shape", "window"), SIZES, ids=str)


def _geometry(shape, window):
    g = shapes.pool2d(shape, window, window)
    return g, (shape[0], int(g[0]["oh"]), int(g[0]["ow"]), shape[3])


def _forward(x, window, gamma, beta, rectifier):
    (g, out), dtype, c = _geometry(x.shape, window), x.dtype, x.shape[-1]
    y, argmax = unwritten(*out, dtype=dtype), np.full(out, 99, max_pool2d_index_type(_geometry(x.shape, window)[0]))
    mean, rstd = unwritten(c, dtype=dtype), unwritten(c, dtype=dtype)
    moving = np.full(c, 0.5, dtype), np.ones(c, dtype)
    scratch = unwritten(batch_norm_pool_forward_scratch(g, dtype), dtype=dtype)
    with inputs_unchanged(x, gamma, beta):
        batch_norm_pool_forward(y, argmax, mean, rstd, *moving, scratch, x, gamma, beta, MOMENTUM, EPSILON, *rectifier,
                                g)
    assert_within(scratch)
    return y, argmax, mean, rstd, *moving


def _backward(dy, argmax, x, window, mean, rstd, gamma, beta, rectifier):
    g, _ = _geometry(x.shape, window)
    dx, dgamma, dbeta = unwritten(*x.shape, dtype=x.dtype), np.ones_like(gamma), np.full_like(beta, 2)
    scratch = unwritten(batch_norm_pool_backward_scratch(g, x.dtype), dtype=x.dtype)
    with inputs_unchanged(dy, argmax, x, mean, rstd, gamma):
        batch_norm_pool_backward(dx, dgamma, dbeta, scratch, dy, argmax, x, mean, rstd, gamma, beta, *rectifier, g)
    assert_within(scratch)
    return dx, dgamma, dbeta


@types
@sizes
@pytest.mark.parametrize(("rectifier", "scale", "center"), [
    (NONE, True, True), (RELU, True, True), (RELU1, False, True), (LEAKY, True, False)])
def test_batch_norm_pool_agrees_with_its_twin(shape, window, dtype, rectifier, scale, center):
    x, (g, out) = 2 + 3 * random(*shape, dtype=dtype), _geometry(shape, window)
    dy = random(*out, dtype=dtype, seed=1)
    gamma, beta = _parameters(shape[3], dtype, scale, center)
    got = _forward(x, window, gamma, beta, rectifier)
    moving = np.full(shape[3], 0.5), np.ones(shape[3])
    expected = reference.batch_norm_pool_forward(*moving, x, gamma, beta, MOMENTUM, EPSILON, *rectifier, g)
    for k in (0, 2, 3, 4, 5):  # which of two equal numbers won is a matter of rounding
        assert_close(got[k], expected[k])
    dx, dgamma, dbeta = reference.batch_norm_pool_backward(dy, got[1], x, got[2], got[3], gamma, beta, *rectifier, g)
    got = _backward(dy, got[1], x, window, got[2], got[3], gamma, beta, rectifier)
    terms = max(1.0, np.abs(dx).max(initial=0))
    np.testing.assert_allclose(got[0], dx, rtol=0, atol=terms * (2e-5 if dtype == np.float32 else 1e-10))
    factor = max(4.0, (x.size // shape[3]) ** 0.5)
    assert_close(got[1], (1 + dgamma)[:got[1].size], factor)
    assert_close(got[2], (2 + dbeta)[:got[2].size], factor)


@types
@sizes
def test_what_is_pooled_has_the_bits_of_normalization_and_then_pooling(shape, window, dtype):
    x, (g, out) = random(*shape, dtype=dtype), _geometry(shape, window)
    gamma, beta = _parameters(shape[3], dtype)
    gamma[::2] *= -1
    found = _forward(x, window, gamma, beta, RELU)
    z, *statistics = normalized(x.reshape(-1, shape[3]), gamma, beta, RELU)
    y, argmax = unwritten(*out, dtype=dtype), np.zeros(out, max_pool2d_index_type(g))
    max_pool2d_forward(y, argmax, z.reshape(shape), g)
    for a, b in zip(found, (y, argmax, *statistics), strict=True):
        np.testing.assert_array_equal(a, b)


@types
def test_a_gradient_reaches_the_number_that_won_alone(dtype):
    x, window, (g, out) = random(2, 5, 6, 4, dtype=dtype), (2, 3), _geometry((2, 5, 6, 4), (2, 3))
    dy, (gamma, beta) = random(*out, dtype=dtype, seed=1), _parameters(4, dtype)
    _, argmax, *_ = _forward(x, window, gamma, beta, NONE)
    spread = unwritten(*x.shape, dtype=dtype)
    max_pool2d_backward(spread, dy, argmax, g)
    # With these statistics dx is dy less its mean, whose sums are those of what was scattered.
    dx, _, dbeta = _backward(dy, argmax, x, window, np.zeros(4, dtype), np.ones(4, dtype), gamma[:0], beta, NONE)
    np.testing.assert_allclose(dbeta - 2, spread.sum(axis=(0, 1, 2)), rtol=1e-4)
    slopes = (spread * x).mean(axis=(0, 1, 2))
    np.testing.assert_allclose(dx, spread - spread.mean(axis=(0, 1, 2)) - x * slopes, rtol=1e-3, atol=1e-5)


def test_batch_norm_pool_gives_the_same_bits_from_any_number_of_threads():
    x, window = random(70, 16, 16, 20, dtype=np.float32), (2, 2)
    gamma, beta = _parameters(20, np.float32)

    def run():
        y, argmax, mean, rstd, *moving = _forward(x, window, gamma, beta, RELU)
        return y, argmax, *moving, *_backward(y + 1, argmax, x, window, mean, rstd, gamma, beta, RELU)

    assert_same_bits(run)


def test_batch_norm_pool_compiles_once_a_type():
    for dtype in TYPES:
        x, (gamma, beta) = random(1, 2, 2, 2, dtype=dtype), _parameters(2, dtype)
        y, argmax, mean, rstd, *_ = _forward(x, (2, 2), gamma, beta, NONE)
        _backward(y, argmax, x, (2, 2), mean, rstd, gamma, beta, NONE)
    assert_one_specialization_a_type(batch_norm_pool_forward, batch_norm_pool_backward)
