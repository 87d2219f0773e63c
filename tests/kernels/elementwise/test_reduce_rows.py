import numpy as np
import pytest

from fastcnn.kernels import tensor_codes
from fastcnn.kernels.cpu.elementwise.reduce_rows import reduce_rows_backward, reduce_rows_forward
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)

CODES = {name: getattr(tensor_codes, name) for name in ("LARGEST", "SMALLEST", "ROW_PRODUCT")}
every_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())


def _forward(x, code):
    y = unwritten(len(x), dtype=x.dtype)
    with inputs_unchanged(x):
        reduce_rows_forward(y, x, code)
    return y


def _backward(dy, x, code):
    dx, y = unwritten(*x.shape, dtype=x.dtype), _forward(x, code)
    with inputs_unchanged(dy, x, y):
        reduce_rows_backward(dx, dy, x, y, code)
    return dx


@types
@every_code
@pytest.mark.parametrize(("rows", "columns"), [(0, 3), (1, 1), (5, 7), (300, 400)])
def test_rows_agree_with_the_twin(rows, columns, code, dtype):
    x = random(many(rows), min(columns, 13 if code == tensor_codes.ROW_PRODUCT else many(columns)), dtype=dtype)
    x, dy = np.round(x, 1), random(many(rows), dtype=dtype, seed=1)  # rounded, for equal numbers and zeros
    assert_close(_forward(x, code), reference.reduce_rows_forward(x, code))
    assert_close(_backward(dy, x, code), reference.reduce_rows_backward(dy, x, code))


@types
def test_a_row_with_nan_has_none_larger_or_smaller(dtype):
    x = np.array([[1, np.nan, 3], [np.nan, 1, 2], [1, 2, 3]], dtype)
    np.testing.assert_array_equal(_forward(x, tensor_codes.LARGEST), np.array([np.nan, np.nan, 3], dtype))
    np.testing.assert_array_equal(_forward(x, tensor_codes.SMALLEST), np.array([np.nan, np.nan, 1], dtype))


@every_code
def test_the_same_bits_from_any_number_of_threads(code):
    x, dy = random(700, 300, dtype=np.float32), random(700, dtype=np.float32, seed=1)
    assert_same_bits(lambda: (_forward(x, code), _backward(dy, x, code)))


def test_the_kernels_compile_once_a_type():
    for dtype in TYPES:
        _backward(random(2, dtype=dtype), random(2, 3, dtype=dtype), tensor_codes.LARGEST)
    assert_one_specialization_a_type(reduce_rows_forward, reduce_rows_backward)
