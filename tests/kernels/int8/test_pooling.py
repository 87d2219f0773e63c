import numpy as np
import pytest

from fastcnn import geometry
from fastcnn.kernels.cpu.int8.pooling import byte_max_pool2d, quantized_average_pool2d
from tests import reference

CASES = [((2, 9, 8, 70), (3, 3), (2, 2), ((1, 1), (1, 0))), ((1, 4, 4, 5), (2, 2), (2, 2), "valid"),
         ((3, 7, 7, 33), (7, 7), (1, 1), "valid")]


def drawn(shape, window, strides, padding):
    g = geometry.pool2d(shape, window, strides, padding)
    return g, np.random.default_rng(0).integers(0, 256, int(np.prod(shape)), dtype=np.uint8)


@pytest.mark.parametrize("case", CASES)
def test_max_pooling_of_bytes_agrees_with_its_twin(case):
    g, x = drawn(*case)
    want = reference.byte_max_pool2d(x, 4, g)
    y = np.zeros(want.size, np.uint8)
    byte_max_pool2d(y, x, 4, g)
    np.testing.assert_array_equal(y, want.reshape(-1))


@pytest.mark.parametrize("zero", [4, -1])
@pytest.mark.parametrize("case", CASES)
def test_average_pooling_of_bytes_agrees_with_its_twin(case, zero):
    g, x = drawn(*case)
    told = np.array([0.5], np.float32), np.array([-4, 90], np.float32), np.array([5, zero])
    want = reference.quantized_average_pool2d(x, *told, g)
    y = np.zeros(want.nbytes, np.uint8)
    quantized_average_pool2d(y, x, *told, g)
    np.testing.assert_array_equal(y, want.reshape(-1).view(np.uint8))
