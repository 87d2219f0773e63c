import numpy as np
import pytest

from fastcnn.kernels.cpu.optimizers.parts import moving_average, scale_parts, squared_norms, squared_norms_scratch
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)

sizes = pytest.mark.parametrize("sizes", [
    (0,), (1,), (5, 0, 0, 7), (300_001,), (3, 200_000, 1, 0, 70_000, 2), tuple(range(1, 400)), (65_536,) * 3],
    ids=lambda v: f"{len(v)} parts of {sum(v)}")


def _offsets(sizes):
    return np.cumsum([0, *map(many, sizes)])


def _norms(array, offsets):
    parts = len(offsets) - 1
    norms, scratch = unwritten(parts), unwritten(squared_norms_scratch(parts, array.dtype))
    with inputs_unchanged(array, offsets):
        squared_norms(norms, scratch, array, offsets)
    return norms


@types
@sizes
def test_squared_norms_agree_with_their_twin(sizes, dtype):
    offsets = _offsets(sizes)
    array = random(offsets[-1], dtype=dtype)
    np.testing.assert_allclose(_norms(array, offsets), reference.squared_norms(array, offsets), rtol=1e-12)


@types
@sizes
@pytest.mark.parametrize("limit", [np.inf, 0.5])
def test_scaled_parts_agree_with_their_twin(sizes, dtype, limit):
    offsets = _offsets(sizes)
    array, factors = random(offsets[-1], dtype=dtype), np.random.default_rng(1).random(len(offsets) - 1)
    expected = reference.scale_parts(array, factors, offsets, limit)
    with inputs_unchanged(factors, offsets):
        scale_parts(array, factors, offsets, limit)
    assert_close(array, expected)


@types
@pytest.mark.parametrize("share", [1.0, 0.01])
def test_moving_average_agrees_with_its_twin(dtype, share):
    average, values = random(many(100_001), dtype=dtype), random(many(100_001), dtype=dtype, seed=1)
    expected = reference.moving_average(average, values, share)
    if share == 1:
        average[0] = np.nan  # its first value is forgotten
    with inputs_unchanged(values):
        moving_average(average, values, share)
    assert_close(average, expected)


@types
def test_a_nan_shows_in_its_own_part(dtype):
    array, offsets = random(60, dtype=dtype), np.array([0, 10, 40, 60])
    array[17] = np.nan
    assert np.isnan(_norms(array, offsets)).tolist() == [False, True, False]
    scale_parts(array, np.ones(3), offsets, 0.1)
    assert np.flatnonzero(np.isnan(array)).tolist() == [17]


def test_parts_give_the_same_bits_from_any_number_of_threads_and_compile_once_a_type():
    def run(size, dtype=np.float32):
        array, offsets = random(size, dtype=dtype), np.array([0, size // 3, size // 2, size])
        norms = _norms(array, offsets)
        average = array.copy()
        scale_parts(array, norms, offsets, 1.0)
        moving_average(average, array, 0.1)
        return norms, array, average

    assert_same_bits(lambda: run(300_001))
    run(3, np.float64)
    assert_one_specialization_a_type(squared_norms, scale_parts, moving_average)
