import numpy as np
import pytest

from fastcnn.kernels.cpu.optimizers.bounded_norms import bound_norms, bound_norms_scratch
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    many,
    random,
    types,
    unwritten,
)


def _bounded(array, *bounds):
    vectors = array.shape[0] * array.shape[2]
    bound_norms(array, unwritten(bound_norms_scratch(vectors, array.dtype)), *bounds, 1e-7)
    return array


@types
@pytest.mark.parametrize("shape", [(1, 27, 16), (1, 1, 1), (3, 5, 2), (0, 3, 2), (2, 0, 3), (many(40_000), 3, 1),
                                   (2, many(3000), 37)], ids=str)
@pytest.mark.parametrize("bounds", [(0.0, 1.5, 1.0), (1.0, 1.0, 1.0), (2.0, 3.0, 0.25)], ids=str)
def test_bound_norms_agrees_with_its_twin(shape, dtype, bounds):
    array = random(*shape, dtype=dtype)
    expected = reference.bound_norms(array, *bounds, 1e-7)
    assert_close(_bounded(array, *bounds), expected)


@types
def test_a_vector_of_zeros_stays_and_a_nan_shows_in_its_own_vector(dtype):
    array = random(1, 4, 3, dtype=dtype)
    array[0, :, 0], array[0, 2, 1] = 0, np.nan
    _bounded(array, 1.0, 1.0, 1.0)
    assert (array[0, :, 0] == 0).all()
    assert np.isnan(array[0, :, 1]).all()
    assert np.isfinite(array[0, :, 2]).all()


def test_bound_norms_gives_the_same_bits_from_any_number_of_threads_and_compiles_once_a_type():
    assert_same_bits(lambda: _bounded(random(3, 700, 211, dtype=np.float32), 0.0, 2.0, 1.0))
    _bounded(random(1, 2, 3), 0.0, 1.0, 1.0)
    assert_one_specialization_a_type(bound_norms)
