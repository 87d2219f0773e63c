import numpy as np
import pytest

from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F = np.float32
dropout, gaussian_noise, uniform_numbers = map(on_cuda, (cuda.dropout, cuda.gaussian_noise, cuda.uniform_numbers))
SEEDS = [(5, 7), (2**40 + 3, 1), (2**63 - 1, 2**63 - 1), (-1, 0)]


@pytest.mark.parametrize(("seed", "step"), SEEDS)
def test_random_numbers_are_those_of_the_twin(seed, step):
    x, y = random(37, dtype=F), unwritten(37, dtype=F)
    for rate in (0.0, 0.3, 0.9):
        with inputs_unchanged(x):
            dropout(y, x, rate, seed, step)
        expected = reference.dropout(x, rate, seed, step)
        np.testing.assert_array_equal(y == 0, expected == 0)
        assert_close(y, expected)
    if seed >= 0:
        for multiplied in (0, 1):
            with inputs_unchanged(x):
                gaussian_noise(y, x, 0.3, multiplied, seed, step)
            assert_close(y, reference.gaussian_noise(x, 0.3, multiplied, seed, step))
        uniform_numbers(y, -2.0, 3.0, seed, step)
        assert_close(y, reference.uniform_numbers(y, -2.0, 3.0, seed, step))


def test_what_is_dropped_is_zero_whatever_it_was_and_in_place_is_the_same():
    x = np.full(40, np.inf, F)
    dropout(x, x, 0.5, 1, 2)
    assert set(x) == {0, np.inf}
    dropout(*[np.empty(0, F)] * 2, 0.5, 1, 2)
