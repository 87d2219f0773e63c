import numpy as np
import pytest

from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F, EPSILON = np.float32, 1e-3
group_norm_forward, group_norm_backward = on_cuda(cuda.group_norm_forward), on_cuda(cuda.group_norm_backward)
unit_rows_forward, unit_rows_backward = on_cuda(cuda.unit_rows_forward), on_cuda(cuda.unit_rows_backward)
local_response_norm_forward = on_cuda(cuda.local_response_norm_forward)
local_response_norm_backward = on_cuda(cuda.local_response_norm_backward)


@pytest.mark.parametrize("shape", [(0, 1, 2, 5), (1, 1, 1, 1), (5, 1, 1, 9), (3, 1, 3, 4), (2, 5, 2, 3), (2, 7, 4, 1),
                                   (1, 9, 1, 3), (0, 4, 2, 2)], ids=str)
@pytest.mark.parametrize(("scale", "center"), [(True, True), (False, True), (True, False)])
def test_group_normalization_agrees_with_its_twin(shape, scale, center):
    n, _, groups, d = shape
    x, dy = 2 * random(*shape, dtype=F) + F(1), random(*shape, dtype=F, seed=1)
    gamma, beta = 1 + random(groups * d, dtype=F, seed=5) / 9, random(groups * d, dtype=F, seed=6)
    gamma, beta = gamma[:gamma.size * scale], beta[:beta.size * center]
    y, mean, rstd = unwritten(*shape, dtype=F), unwritten(n, groups, dtype=F), unwritten(n, groups, dtype=F)
    scratch = unwritten(cuda.group_norm_forward_scratch(shape, F), dtype=F)
    with inputs_unchanged(x, gamma, beta):
        group_norm_forward(y, mean, rstd, scratch, x, gamma, beta, EPSILON)
    for got, expected in zip((y, mean, rstd), reference.group_norm_forward(x, gamma, beta, EPSILON), strict=True):
        assert_close(got, expected, factor=4)
    dx, dgamma, dbeta = unwritten(*shape, dtype=F), np.ones_like(gamma), np.full_like(beta, 2)
    scratch = unwritten(cuda.group_norm_backward_scratch(shape, F), dtype=F)
    with inputs_unchanged(dy, x, mean, rstd, gamma):
        group_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma)
    expected = reference.group_norm_backward(dy, x, mean, rstd, gamma)
    if shape[1] * d > 1:  # of one number nothing is left but rounding
        assert_close(dx, expected[0], factor=4)
    assert_close(dgamma, np.asarray(expected[1])[:gamma.size] + 1, factor=4)
    assert_close(dbeta, np.asarray(expected[2])[:beta.size] + 2)


@pytest.mark.parametrize("more", [0.0, 0.7])
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 2), (3, 17)], ids=str)
def test_unit_rows_agree_with_their_twin(shape, more):
    x, dy = random(*shape, dtype=F), random(*shape, dtype=F, seed=1)
    x[1:2] = 0 if more == 0 else x[1:2]
    y, scale, dx = unwritten(*shape, dtype=F), unwritten(shape[0], dtype=F), unwritten(*shape, dtype=F)
    with inputs_unchanged(x):
        unit_rows_forward(y, scale, x, EPSILON, more)
    for got, expected in zip((y, scale), reference.unit_rows_forward(x, EPSILON, more), strict=True):
        assert_close(got, expected)
    with inputs_unchanged(dy, y, scale):
        unit_rows_backward(dx, dy, y, scale, EPSILON)
    assert_close(dx, reference.unit_rows_backward(dy, y, scale, EPSILON))


@pytest.mark.parametrize(("before", "after"), [(2, 2), (1, 2), (3, 0), (9, 9)])
@pytest.mark.parametrize("shape", [(0, 4), (1, 1), (5, 3), (2, 11)], ids=str)
def test_local_response_normalization_agrees_with_its_twin(shape, before, after):
    x, dy = random(*shape, dtype=F), random(*shape, dtype=F, seed=1)
    y, dx = unwritten(*shape, dtype=F), unwritten(*shape, dtype=F)
    settings = before, after, 0.05, 0.75, 2.0
    scratch = unwritten(cuda.local_response_norm_scratch(shape, before, after, F), dtype=F)
    with inputs_unchanged(x, dy):
        local_response_norm_forward(y, scratch, x, *settings)
        local_response_norm_backward(dx, scratch, dy, x, *settings)
    assert_close(y, reference.local_response_norm_forward(x, *settings))
    assert_close(dx, reference.local_response_norm_backward(dy, x, *settings))
