import numpy as np
import pytest

from fastcnn.kernels.cpu.normalization.local_response import (
    local_response_norm_backward,
    local_response_norm_forward,
    local_response_norm_scratch,
)
from tests import reference
from tests.kernels.checking import (
    PLAIN,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    assert_vectors,
    assert_within,
    inputs_unchanged,
    many,
    random,
    slope,
    types,
    unwritten,
)

FORMULA = 0.05, 0.75, 2.0  # alpha, beta, k

windows = pytest.mark.parametrize(("before", "after"), [(2, 2), (1, 2), (2, 1), (0, 0), (3, 0), (9, 9)])
SHAPES = [(0, 4), (1, 1), (5, 3), (3, 40), (1501, 17), (3, 5000)]
shapes = pytest.mark.parametrize("shape", [s for s in SHAPES if not PLAIN or np.prod(s) < 1000], ids=str)


def _scratch(shape, before, after, dtype):
    return unwritten(local_response_norm_scratch(shape, before, after, dtype), dtype=dtype)


def _forward(x, before, after, formula=FORMULA):
    y, scratch = unwritten(*x.shape, dtype=x.dtype), _scratch(x.shape, before, after, x.dtype)
    with inputs_unchanged(x):
        local_response_norm_forward(y, scratch, x, before, after, *formula)
    assert_within(scratch)
    return y


def _backward(dy, x, before, after, formula=FORMULA):
    dx, scratch = unwritten(*x.shape, dtype=x.dtype), _scratch(x.shape, before, after, x.dtype)
    with inputs_unchanged(dy, x):
        local_response_norm_backward(dx, scratch, dy, x, before, after, *formula)
    assert_within(scratch)
    return dx


@types
@shapes
@windows
def test_local_response_norm_agrees_with_its_twin(shape, before, after, dtype):
    x, dy = 3 * random(*shape, dtype=dtype), random(*shape, dtype=dtype, seed=1)
    for formula in (FORMULA, (1e-4, 0.5, 1.0), (2.0, 1.25, 0.1)):
        args = before, after, *formula
        assert_close(_forward(x, before, after, formula), reference.local_response_norm_forward(x, *args))
        assert_close(_backward(dy, x, before, after, formula), reference.local_response_norm_backward(dy, x, *args), 2)


@windows
def test_local_response_norm_gradient_is_the_slope(before, after):
    x, dy = random(3, 7), random(3, 7, seed=1)
    assert_slope(_backward(dy, x, before, after), slope(lambda x: _forward(x, before, after), x, dy))


@types
def test_a_nan_reaches_the_windows_that_see_it_and_no_other(dtype):
    x = random(300, 20, dtype=dtype)
    x[100, 7] = np.nan
    rows, channels = np.nonzero(np.isnan(_forward(x, 2, 1)))
    assert set(rows) == {100}
    assert channels.tolist() == [6, 7, 8, 9]


def test_local_response_norm_gives_the_same_bits_from_any_number_of_threads():
    x, dy = random(3001, 40, dtype=np.float32), random(3001, 40, dtype=np.float32, seed=1)
    assert_same_bits(lambda: (_forward(x, 2, 2), _backward(dy, x, 2, 2)))


def test_loops_of_float32_become_vector_instructions():
    x, scratch = np.zeros((many(8), 32), np.float32), np.zeros(5000, np.float32)
    assert_vectors(local_response_norm_forward.py_func, x, scratch, x, 2, 2, *FORMULA)


def test_local_response_norm_compiles_once_a_type():
    for dtype in TYPES:
        x = random(3, 4, dtype=dtype)
        _backward(_forward(x, 1, 1), x, 1, 1)
    assert_one_specialization_a_type(local_response_norm_forward, local_response_norm_backward)
