import numpy as np
import pytest

from fastcnn.kernels.cpu.optimizers.factored import factored_step, factored_step_scratch
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


def _steps(shape, dtype, steps=2):
    state, u = np.zeros(shape, dtype), unwritten(*shape, dtype=dtype)
    for step in range(steps):
        gradients = random(*shape, dtype=dtype, seed=step)
        scratch = unwritten(factored_step_scratch(shape[0] * shape[2], dtype))
        with inputs_unchanged(gradients):
            factored_step(u, state, scratch, gradients, 0.4, 1e-30)
    return u, state


@types
@pytest.mark.parametrize("shape", [(1, 7, 5), (3, 4, 6), (1, 1, 9), (4, 8, 1), (1, 2, 2), (2, many(300), 77),
                                   (1, many(3000), 20), (1, 20, many(3000))], ids=str)
def test_a_factored_step_agrees_with_its_twin(shape, dtype):
    u, state = _steps(shape, dtype)
    expected = np.zeros(shape)
    for step in range(2):
        wanted, expected = reference.factored_step(expected, random(*shape, dtype=dtype, seed=step), 0.4, 1e-30)
    assert_close(u, wanted)
    assert_close(state, expected)


def test_a_factored_step_gives_the_same_bits_from_any_number_of_threads_and_compiles_once_a_type():
    assert_same_bits(lambda: _steps((3, 300, 211), np.float32))
    _steps((1, 2, 3), np.float64)
    assert_one_specialization_a_type(factored_step)
