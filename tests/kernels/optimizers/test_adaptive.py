import numpy as np
import pytest

from fastcnn.kernels import optimizer_codes as codes
from fastcnn.kernels.cpu.optimizers.adaptive import adaptive_step
from tests import reference
from tests.kernels.checking import (
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    types,
)

# name: (code, which of s, q and p there are, learning rate, a, b, c, d, epsilon)
CASES = {
    "adagrad": (codes.ADAGRAD, "s", 0.1, 0, 0, 0, 0, 1e-7),
    "adadelta": (codes.ADADELTA, "sq", 0.5, 0.95, 0, 0, 0, 1e-4),
    "rmsprop": (codes.RMSPROP, "s", 0.1, 0.9, 0, 0, 0, 1e-4),
    "rmsprop with momentum": (codes.RMSPROP, "sq", 0.1, 0.9, 0.7, 0, 0, 1e-4),
    "rmsprop centered": (codes.RMSPROP, "sp", 0.1, 0.9, 0, 0, 0, 1e-2),
    "rmsprop centered with momentum": (codes.RMSPROP, "sqp", 0.1, 0.9, 0.7, 0, 0, 1e-2),
    "nadam": (codes.NADAM, "sq", 0.1, 0.1, 0.001, 0.9, 0.5, 1e-4),
    "adamax": (codes.ADAMAX, "sq", 0.1, 0.1, 0.999, 0, 0, 1e-7),
    "lion": (codes.LION, "s", 0.1, 0.9, 0.99, 0, 0, 0),
    "ftrl": (codes.FTRL, "sq", 0.1, 0.5, 0.2, 0.3, 0.1, 0),
    "lamb": (codes.LAMB, "sqp", 0.1, 0.1, 0.001, 2.0, 3.0, 1e-4),
    "schedule-free": (codes.SCHEDULE_FREE, "sq", 0.1, 0.9, 0.1, 0.25, 0.5, 1e-4),
}

names = pytest.mark.parametrize("name", CASES)


def _start(name, size, dtype):
    code, has, *_ = CASES[name]
    start = 0.1 if code in (codes.ADAGRAD, codes.FTRL) else 0
    return [random(size, dtype=dtype), np.full(size, start, dtype), np.zeros(size if "q" in has else 0, dtype),
            np.zeros(size if "p" in has else 0, dtype)]


def _run(name, size, dtype, decay=0.0, clear=False):
    code, _, *scalars = CASES[name]
    arrays = _start(name, size, dtype)
    for step in range(3):
        gradients = random(size, dtype=dtype, seed=1 + step)
        with inputs_unchanged(*([] if clear else [gradients])):
            adaptive_step(*arrays, gradients, code, *map(float, scalars), decay, clear)
        assert not clear or not gradients.any()
    return arrays


@types
@names
@pytest.mark.parametrize("size", [0, 1, 17, 100_001])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_adaptive_step_agrees_with_its_twin(name, size, dtype, decay):
    size = many(size)
    code, _, *scalars = CASES[name]
    expected = _start(name, size, np.float64)
    for step in range(3):
        expected = reference.adaptive_step(*expected, random(size, seed=1 + step), code, *scalars, decay)
    for got, wanted in zip(_run(name, size, dtype, decay), expected, strict=True):
        assert_close(got, wanted, factor=4)


@types
@names
def test_with_clear_the_step_is_the_same_and_the_gradients_are_zero(name, dtype):
    for kept, cleared in zip(_run(name, 5000, dtype), _run(name, 5000, dtype, clear=True), strict=True):
        np.testing.assert_array_equal(kept, cleared)


@types
@names
def test_a_nan_gradient_stays_with_its_own_parameter(name, dtype):
    code, _, *scalars = CASES[name]
    arrays, gradients = _start(name, 40, dtype), random(40, dtype=dtype)
    gradients[7] = np.nan
    adaptive_step(*arrays, gradients, code, *map(float, scalars), 0.0, False)
    changed = arrays[3] if name == "lamb" else arrays[0]
    assert np.flatnonzero(np.isnan(changed)).tolist() == [7]


def test_adaptive_steps_give_the_same_bits_from_any_number_of_threads_and_compile_once_a_type():
    assert_same_bits(lambda: [a for name in CASES for a in _run(name, 100_001, np.float32)])
    _run("lion", 3, np.float64)
    assert_one_specialization_a_type(adaptive_step)
