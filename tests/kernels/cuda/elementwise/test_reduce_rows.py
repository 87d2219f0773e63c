import numpy as np
import pytest

from fastcnn.kernels import cuda
from fastcnn.kernels.tensor_codes import LARGEST, ROW_PRODUCT, SMALLEST
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F = np.float32
reduce_rows_forward, reduce_rows_backward = on_cuda(cuda.reduce_rows_forward), on_cuda(cuda.reduce_rows_backward)


@pytest.mark.parametrize("code", [LARGEST, SMALLEST, ROW_PRODUCT])
@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 2), (3, 7), (2, 13)], ids=str)
def test_rows_are_reduced_as_by_their_twin(code, shape):
    x = np.round(2 * random(*shape, dtype=F))  # equal numbers are met, and zeros
    dy, y, dx = random(shape[0], dtype=F, seed=1), unwritten(shape[0], dtype=F), unwritten(*shape, dtype=F)
    with inputs_unchanged(x, dy):
        reduce_rows_forward(y, x, code)
        reduce_rows_backward(dx, dy, x, y, code)
    assert_close(y, reference.reduce_rows_forward(x, code))
    assert_close(dx, reference.reduce_rows_backward(dy, x, code))


def test_a_row_with_a_nan_has_none_larger():
    x, y = np.array([[1, np.nan, 2], [3, np.inf, -np.inf]], F), unwritten(2, dtype=F)
    reduce_rows_forward(y, x, LARGEST)
    np.testing.assert_array_equal(y, [np.nan, np.inf])
    reduce_rows_forward(y, x, SMALLEST)
    np.testing.assert_array_equal(y, [np.nan, -np.inf])
