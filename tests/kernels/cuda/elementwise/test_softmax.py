import numpy as np
import pytest

from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F = np.float32
softmax_forward, softmax_backward = on_cuda(cuda.softmax_forward), on_cuda(cuda.softmax_backward)


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (5, 2), (3, 7), (2, 25)], ids=str)
@pytest.mark.parametrize("log_of_it", [False, True])
def test_softmax_agrees_with_its_twin(shape, log_of_it):
    x, dy = 2 * random(*shape, dtype=F), random(*shape, dtype=F, seed=1)
    y, dx = unwritten(*shape, dtype=F), unwritten(*shape, dtype=F)
    with inputs_unchanged(x):
        softmax_forward(y, x, log_of_it)
    assert_close(y, reference.softmax_forward(x, log_of_it))
    with inputs_unchanged(dy, y):
        softmax_backward(dx, dy, y, log_of_it)
    assert_close(dx, reference.softmax_backward(dy, y, log_of_it))


def test_softmax_takes_large_numbers_and_passes_nan_on_within_its_row():
    x = np.array([[1e30, 0, -np.inf], [np.nan, 1, 2], [0, 0, 0]], F)
    y = unwritten(3, 3, dtype=F)
    softmax_forward(y, x, False)
    np.testing.assert_allclose(y, [[1, 0, 0], [np.nan] * 3, [1 / 3] * 3], rtol=1e-6)
