import numpy as np
import pytest

from fastcnn.kernels.cpu.layout.top_rows import top_rows_backward, top_rows_forward
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    unwritten,
)


def _forward(x, k):
    y, at = (unwritten(x.shape[0], k, dtype=x.dtype) for _ in range(2))
    with inputs_unchanged(x):
        top_rows_forward(y, at, x)
    return y, at


def _backward(dy, at, columns):
    dx = unwritten(dy.shape[0], columns, dtype=dy.dtype)
    with inputs_unchanged(dy, at):
        top_rows_backward(dx, dy, at)
    return dx


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize(("rows", "columns", "k"), [(0, 3, 1), (1, 1, 1), (5, 7, 7), (300, 400, 5), (40, 9, 2)])
def test_the_largest_of_rows_agree_with_their_twin(rows, columns, k, dtype):
    rows, columns = many(rows), min(columns, many(columns))
    x = np.round(random(rows, columns, dtype=dtype), 1)  # rounded, for equal numbers
    y, at = _forward(x, k)
    for got, expected in zip((y, at), reference.top_rows_forward(x, k), strict=True):
        np.testing.assert_array_equal(got, expected.astype(dtype))
    dy = random(rows, k, dtype=dtype, seed=1)
    np.testing.assert_array_equal(_backward(dy, at, columns), reference.top_rows_backward(dy, at, columns))


def test_nan_comes_after_all_numbers_and_minus_infinity_is_one():
    x = np.array([[np.nan, 1, np.nan, -np.inf, 3]], np.float32)
    y, at = _forward(x, 4)
    np.testing.assert_array_equal(y, np.array([[3, 1, -np.inf, np.nan]], np.float32))
    np.testing.assert_array_equal(at, [[4, 1, 3, 0]])


def test_the_same_bits_from_any_number_of_threads():
    x = random(700, 300, dtype=np.float32)
    assert_same_bits(lambda: (*_forward(x, 3), _backward(*_forward(x, 3), 300)))


def test_the_kernels_compile_once_a_type():
    for dtype in TYPES:
        _backward(*_forward(random(2, 3, dtype=dtype), 2), 3)
    assert_one_specialization_a_type(top_rows_forward, top_rows_backward)
