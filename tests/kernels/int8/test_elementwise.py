import numpy as np
import pytest

from fastcnn.kernels.cpu.int8.elementwise import (
    byte_border,
    byte_table,
    dequantize_bytes,
    quantize_bytes,
    quantized_add,
)
from tests import reference

SCALE = np.array([0.05], np.float32)
DRAW = np.random.default_rng(0)


def some_bytes(size):
    return DRAW.integers(0, 256, size, dtype=np.uint8)


@pytest.mark.parametrize("size", [0, 1, 37, 100_003])
def test_numbers_become_bytes_and_numbers_again_as_by_the_twins(size):
    x = DRAW.normal(0, 4, size).astype(np.float32)
    y, z = np.zeros(size, np.uint8), np.zeros(size, np.float32)
    quantize_bytes(y, x, SCALE, 100)
    np.testing.assert_array_equal(y, reference.quantize_bytes(x, SCALE, 100))
    dequantize_bytes(z, y, SCALE, 100)
    np.testing.assert_array_equal(z, reference.dequantize_bytes(y, SCALE, 100))


def test_halves_go_to_the_even_neighbour_and_what_is_beyond_to_the_ends():
    x = np.array([0.5, 1.5, 2.5, -0.5, -1.5, 1e30, np.inf, -np.inf, np.nan, 250.4], np.float32)
    y = np.zeros(x.size, np.uint8)
    quantize_bytes(y, x, np.ones(1, np.float32), 5)
    np.testing.assert_array_equal(y, [5, 7, 7, 5, 3, 255, 255, 0, 0, 255])


@pytest.mark.parametrize("size", [0, 5, 40_001])
def test_a_sum_of_bytes_agrees_with_its_twin_also_in_place(size):
    a, b, y = some_bytes(size), some_bytes(size), np.zeros(size, np.uint8)
    told = np.array([0.7, 0.31], np.float32), np.array([0, 248.25], np.float32), np.array([3, 120, 7])
    quantized_add(y, a, b, *told)
    np.testing.assert_array_equal(y, reference.quantized_add(a, b, *told))
    quantized_add(a, a, b, *told)
    np.testing.assert_array_equal(a, y)


def test_a_table_of_bytes_agrees_with_its_twin():
    x, table = some_bytes(40_001), DRAW.permutation(256).astype(np.uint8)
    y = np.zeros_like(x)
    byte_table(y, x, table)
    np.testing.assert_array_equal(y, reference.byte_table(x, table))


@pytest.mark.parametrize("sizes", [(2, 5, 6, 7, 8, 9, 1, 2), (1, 4, 3, 1, 4, 3, 0, 0), (3, 20, 30, 64, 22, 31, 2, 1)])
def test_a_border_of_bytes_agrees_with_its_twin_and_fills_what_is_beyond(sizes):
    sizes = np.array(sizes)
    x = some_bytes(int(np.prod(sizes[:4])))
    y = np.zeros(int(sizes[0] * sizes[4] * sizes[5] * sizes[3]) + 20, np.uint8)
    byte_border(y, x, sizes, 9)
    np.testing.assert_array_equal(y[:-20], reference.byte_border(x, sizes, 9).reshape(-1))
    assert (y[-20:] == 9).all()
