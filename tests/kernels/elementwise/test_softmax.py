import numpy as np
import pytest

from fastcnn.kernels.cpu.elementwise.softmax import softmax_backward, softmax_forward
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
    types,
    unwritten,
)

logs = pytest.mark.parametrize("log_of_it", [False, True], ids=["softmax", "log_softmax"])


def _forward(x, log_of_it):
    y = unwritten(*x.shape, dtype=x.dtype)
    softmax_forward(y, x, log_of_it)
    return y


def _backward(dy, y, log_of_it):
    dx = unwritten(*y.shape, dtype=y.dtype)
    with inputs_unchanged(dy, y):
        softmax_backward(dx, dy, y, log_of_it)
    return dx


@types
@logs
@pytest.mark.parametrize("shape", [(0, 5), (1, 1), (3, 2), (7, 10), (2, 1000), (5, 5000), (20_011, 4)], ids=str)
def test_softmax_agrees_with_its_twin(shape, dtype, log_of_it):
    shape = (many(shape[0]), many(shape[1]))
    x, dy = 3 * random(*shape, dtype=dtype), random(*shape, dtype=dtype, seed=1)
    with inputs_unchanged(x):
        y = _forward(x, log_of_it)
    assert_close(y, reference.softmax_forward(x, log_of_it))
    if shape[1] <= 1000:
        assert_close(_backward(dy, y, log_of_it), reference.softmax_backward(dy, y, log_of_it))


@logs
def test_softmax_gradient_is_the_slope(log_of_it):
    x, dy = random(3, 7), random(3, 7, seed=1)
    dx = _backward(dy, _forward(x, log_of_it), log_of_it)
    assert_slope(dx, slope(lambda x: reference.softmax_forward(x, log_of_it), x, dy))


@types
def test_softmax_of_large_numbers_neither_overflows_nor_vanishes(dtype):
    x = np.array([[1000, 1000, -1000], [-3e4, -3e4, -3e4]], dtype)
    np.testing.assert_allclose(_forward(x, False), [[0.5, 0.5, 0], [1 / 3, 1 / 3, 1 / 3]], rtol=1e-6)
    logarithms = [[np.log(0.5), np.log(0.5), np.log(0.5) - 2000], [-np.log(3)] * 3]
    np.testing.assert_allclose(_forward(x, True), logarithms, rtol=1e-6)


@types
@logs
@pytest.mark.parametrize("column", [0, 1, 4])
def test_a_nan_makes_its_whole_row_nan_and_no_other(column, dtype, log_of_it):
    x = random(3, 5, dtype=dtype)
    x[1, column] = np.nan
    y = _forward(x, log_of_it)
    assert np.isnan(y[1]).all()
    assert np.isfinite(y[[0, 2]]).all()


@logs
def test_softmax_gives_the_same_bits_from_any_number_of_threads(log_of_it):
    x = random(20_001, 10, dtype=np.float32)
    assert_same_bits(lambda: (_forward(x, log_of_it), _backward(x, _forward(x, log_of_it), log_of_it)))


def test_softmax_compiles_once_a_type():
    for dtype in TYPES:
        x = random(2, 3, dtype=dtype)
        _backward(x, _forward(x, False), False)
    assert_one_specialization_a_type(softmax_forward, softmax_backward)
