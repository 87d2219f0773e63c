import numpy as np
import pytest

from fastcnn.kernels.cpu.optimizers.penalty import penalty, penalty_scratch
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


def _run(size, dtype, l1, l2, wants_gradient=True):
    w, gradient = random(size, dtype=dtype), random(size if wants_gradient else 0, dtype=dtype, seed=1)
    w[:size // 3] = 0
    total, scratch = unwritten(1), unwritten(penalty_scratch(size, dtype))
    with inputs_unchanged(w):
        penalty(total, gradient, scratch, w, l1, l2)
    return w, total, gradient


@types
@pytest.mark.parametrize("size", [0, 1, 17, 300_001])
@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.0, 0.02), (0.3, 0.2)])
def test_penalty_agrees_with_its_twin(size, dtype, l1, l2):
    size = many(size)
    w, total, gradient = _run(size, dtype, l1, l2)
    expected = reference.penalty(random(size, seed=1), w, l1, l2)
    np.testing.assert_allclose(total, expected[0], rtol=1e-12)  # summed in float64 whatever the type
    assert_close(gradient, expected[1])
    np.testing.assert_array_equal(_run(size, dtype, l1, l2, wants_gradient=False)[1], total)


@types
def test_a_nan_weight_shows_in_the_penalty_and_in_its_own_gradient(dtype):
    w, total, gradient = np.array([1, np.nan, -1], dtype), unwritten(1), np.zeros(3, dtype)
    penalty(total, gradient, unwritten(64), w, 0.0, 0.5)
    assert np.isnan(total[0])
    assert np.isnan(gradient).tolist() == [False, True, False]


def test_penalty_gives_the_same_bits_from_any_number_of_threads_and_compiles_once_a_type():
    assert_same_bits(lambda: _run(300_001, np.float32, 0.1, 0.2))
    _run(3, np.float64, 0.1, 0.2)
    assert_one_specialization_a_type(penalty)
