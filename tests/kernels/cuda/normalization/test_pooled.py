import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F, EPSILON, MOMENTUM = np.float32, 1e-3, 0.9
forward, backward = on_cuda(cuda.batch_norm_pool_forward), on_cuda(cuda.batch_norm_pool_backward)


@pytest.mark.parametrize(("shape", "window"), [((2, 4, 4, 3), (2, 2)), ((1, 5, 7, 2), (2, 3))], ids=str)
@pytest.mark.parametrize("rectifier", [(1.0, np.inf), (0.0, 1.0)])
def test_batch_normalization_with_pooling_agrees_with_its_twin(shape, window, rectifier):
    x, g, c = 2 * random(*shape, dtype=F) + F(3), shapes.pool2d(shape, window, window), shape[3]
    gamma, beta = random(c, dtype=F, seed=5) + F(1), random(c, dtype=F, seed=6)
    out = shape[0], int(g[0]["oh"]), int(g[0]["ow"]), c
    y, argmax, mean, rstd = unwritten(*out, dtype=F), np.zeros(out, np.uint8), *(unwritten(c, dtype=F) for _ in "ms")
    moving = np.full(c, 0.5, F), np.ones(c, F)
    before = [one.copy() for one in moving]
    scratch = unwritten(cuda.batch_norm_pool_forward_scratch(g, F), dtype=F)
    with inputs_unchanged(x, gamma, beta):
        forward(y, argmax, mean, rstd, *moving, scratch, x, gamma, beta, MOMENTUM, EPSILON, *rectifier, g)
    expected = reference.batch_norm_pool_forward(*before, x, gamma, beta, MOMENTUM, EPSILON, *rectifier, g)
    for got, one in zip((y, mean, rstd, *moving), (expected[0], *expected[2:]), strict=True):
        assert_close(got, one, factor=4)
    dy, dx = random(*out, dtype=F, seed=1), unwritten(*shape, dtype=F)
    dgamma, dbeta = np.ones_like(gamma), np.full_like(beta, 2)
    scratch = unwritten(cuda.batch_norm_pool_backward_scratch(g, F), dtype=F)
    with inputs_unchanged(dy, argmax, x, mean, rstd, gamma, beta):
        backward(dx, dgamma, dbeta, scratch, dy, argmax, x, mean, rstd, gamma, beta, *rectifier, g)
    expected = reference.batch_norm_pool_backward(dy, argmax, x, mean, rstd, gamma, beta, *rectifier, g)
    for got, one in zip((dx, dgamma, dbeta), (expected[0], expected[1] + 1, expected[2] + 2), strict=True):
        assert_close(got, one, factor=4)
