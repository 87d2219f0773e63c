import numpy as np
import pytest

from fastcnn.kernels.cpu.normalization.unit_rows import unit_rows_backward, unit_rows_forward
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    inputs_unchanged,
    many,
    random,
    slope,
    unwritten,
)

EPSILON = 1e-3


def _forward(x, more=0.0):
    y, scale = unwritten(*x.shape, dtype=x.dtype), unwritten(x.shape[0], dtype=x.dtype)
    with inputs_unchanged(x):
        unit_rows_forward(y, scale, x, EPSILON, more)
    return y, scale


def _backward(dy, y, scale):
    dx = unwritten(*y.shape, dtype=y.dtype)
    with inputs_unchanged(dy, y, scale):
        unit_rows_backward(dx, dy, y, scale, EPSILON)
    return dx


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("more", [0.0, 0.7])
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 37), (300, 400)], ids=str)
def test_unit_rows_agree_with_their_twin(shape, dtype, more):
    x, dy = random(*map(many, shape), dtype=dtype), random(*map(many, shape), dtype=dtype, seed=1)
    x[2:3] *= 1e-6
    y, scale = _forward(x, more)
    expected, of_rows = reference.unit_rows_forward(x, EPSILON, more)
    assert_close(y, expected)
    np.testing.assert_allclose(scale, of_rows, rtol=1e-5)
    dx = _backward(dy, y, scale)
    expected = reference.unit_rows_backward(dy, y, scale, EPSILON)
    for i in range(len(dx)):
        np.testing.assert_allclose(dx[i], expected[i], atol=2e-5 * scale[i])


@pytest.mark.parametrize("more", [0.0, 0.7])
def test_the_gradient_is_the_slope(more):
    x, dy = random(3, 7), random(3, 7, seed=1)
    function = lambda x: reference.unit_rows_forward(x, EPSILON, more)[0]
    assert_slope(_backward(dy, *_forward(x, more)), slope(function, x, dy))


def test_the_same_bits_from_any_number_of_threads():
    x = random(700, 300, dtype=np.float32)
    assert_same_bits(lambda: (*_forward(x), _backward(x, *_forward(x))))


def test_unit_rows_compile_once_a_type():
    for dtype in TYPES:
        x = random(2, 3, dtype=dtype)
        _backward(x, *_forward(x))
    assert_one_specialization_a_type(unit_rows_forward, unit_rows_backward)
