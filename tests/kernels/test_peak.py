import numpy as np
import pytest

from fastcnn.kernels.cpu.peak import multiply_add_chain, repeated_copy, triad
from tests import reference
from tests.kernels.checking import (
    PLAIN,
    assert_close,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    types,
    unwritten,
)

shapes = pytest.mark.parametrize("shape", [(0, 5), (1, 1), (3, 96), (2, 401)])  # a block is 24 to 192 elements


@pytest.mark.skipif(PLAIN, reason="vectors of LLVM")
@types
@shapes
@pytest.mark.parametrize("steps", [0, 1, 7])
def test_a_chain_of_multiply_adds_agrees_with_its_twin(shape, steps, dtype):
    x, scale, shift = random(*shape, dtype=dtype), dtype(0.75), dtype(0.3)

    def run():
        y = unwritten(*shape, dtype=dtype)
        multiply_add_chain(y, x, scale, shift, steps)
        return (y,)

    with inputs_unchanged(x):
        (y,) = run()
    assert_close(y, reference.multiply_add_chain(x, float(scale), float(shift), steps))
    assert_same_bits(run)


@types
@shapes
@pytest.mark.parametrize("repeats", [1, 3])
def test_triad_and_copy_agree_with_their_twins(shape, repeats, dtype):
    shape = shape[0], many(shape[1])
    a, b, scale = random(*shape, dtype=dtype), random(*shape, dtype=dtype, seed=1), dtype(1.5)
    y, copied = unwritten(*shape, dtype=dtype), unwritten(*shape, dtype=dtype)
    with inputs_unchanged(a, b):
        triad(y, a, b, scale, repeats)
        repeated_copy(copied, a, repeats)
    assert_close(y, reference.triad(a, b, float(scale), repeats))
    np.testing.assert_array_equal(copied, reference.repeated_copy(a, repeats))
