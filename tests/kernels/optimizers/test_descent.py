import numpy as np
import pytest

from fastcnn.kernels.cpu.optimizers.descent import adam, sgd
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    inputs_unchanged,
    many,
    random,
    types,
)

sizes = pytest.mark.parametrize("size", [0, 1, 17, 100_001])


def _sgd(size, dtype, momentum, nesterov, steps=3, decay=0.0):
    values = random(size, dtype=dtype)
    velocity = np.zeros(size if momentum else 0, dtype)
    for step in range(steps):
        gradients = random(size, dtype=dtype, seed=1 + step)
        with inputs_unchanged(gradients):
            sgd(values, velocity, gradients, 0.1, momentum, nesterov, decay, False)
    return values, velocity


def _adam(size, dtype, steps=3, amsgrad=False, decay=0.0):
    values, m, v = random(size, dtype=dtype), np.zeros(size, dtype), np.zeros(size, dtype)
    largest = np.zeros(size if amsgrad else 0, dtype)
    for step in range(1, steps + 1):
        gradients = random(size, dtype=dtype, seed=step)
        with inputs_unchanged(gradients):
            adam(values, m, v, largest, gradients, 0.001, 0.9, 0.999, 1e-7, step, decay, False)
    return values, m, v, largest


@types
@sizes
@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
@pytest.mark.parametrize("decay", [0.0, 0.01])
def test_sgd_agrees_with_its_twin(size, dtype, momentum, nesterov, decay):
    size = many(size)
    values, velocity = random(size), np.zeros(size if momentum else 0)
    for step in range(3):
        values, velocity = reference.sgd(values, velocity, random(size, seed=1 + step), 0.1, momentum, nesterov,
                                         decay)
    got = _sgd(size, dtype, momentum, nesterov, decay=decay)
    assert_close(got[0], values)
    assert_close(got[1], velocity)


@types
@sizes
@pytest.mark.parametrize(("amsgrad", "decay"), [(False, 0.0), (True, 0.0), (False, 0.01)])
def test_adam_agrees_with_its_twin(size, dtype, amsgrad, decay):
    size = many(size)
    state = random(size), np.zeros(size), np.zeros(size), np.zeros(size if amsgrad else 0)
    for step in range(1, 4):
        state = reference.adam(*state, random(size, seed=step), 0.001, 0.9, 0.999, 1e-7, step, decay)
    for got, expected in zip(_adam(size, dtype, 3, amsgrad, decay), state, strict=True):
        assert_close(got, expected)


@types
def test_the_first_step_of_adam_is_the_learning_rate_whatever_the_gradient(dtype):
    gradients = np.array([1e-3, -1, 1e3, 0], dtype)
    values = np.zeros(4, dtype)
    adam(values, np.zeros(4, dtype), np.zeros(4, dtype), np.zeros(0, dtype), gradients, 0.001, 0.9, 0.999, 1e-12, 1,
         0.0, False)
    np.testing.assert_allclose(values, [-0.001, 0.001, -0.001, 0], rtol=1e-5)


@types
def test_a_nan_gradient_stays_with_its_own_parameter(dtype):
    gradients = random(40, dtype=dtype)
    gradients[7] = np.nan
    values, m, v = np.zeros((3, 40), dtype)
    sgd(values, m, gradients, 0.1, 0.9, False, 0.0, False)
    adam(values, m, v, v[:0], gradients, 0.1, 0.9, 0.999, 1e-7, 1, 0.0, False)
    assert np.flatnonzero(np.isnan(values)).tolist() == [7]


@types
@sizes
@pytest.mark.parametrize("kernel", ["sgd", "momentum", "nesterov", "adam"])
def test_with_clear_the_step_is_the_same_and_the_gradients_are_zero(kernel, size, dtype):
    size = many(size)
    results = []
    for clear in (False, True):
        values, m, v = random(size, dtype=dtype), np.zeros(size, dtype), np.zeros(size, dtype)
        gradients = random(size, dtype=dtype, seed=1)
        if kernel == "adam":
            adam(values, m, v, v[:0], gradients, 0.001, 0.9, 0.999, 1e-7, 1, 0.0, clear)
        else:
            velocity = m[:0] if kernel == "sgd" else m
            sgd(values, velocity, gradients, 0.1, 0.9, kernel == "nesterov", 0.0, clear)
        np.testing.assert_array_equal(gradients, 0 if clear else random(size, dtype=dtype, seed=1))
        results.append((values, m, v))
    for a, b in zip(*results, strict=True):
        np.testing.assert_array_equal(a, b)


def test_optimizers_give_the_same_bits_from_any_number_of_threads():
    assert_same_bits(lambda: (*_sgd(100_001, np.float32, 0.9, True), *_adam(100_001, np.float32)))


def test_optimizers_compile_once_a_type():
    for dtype in TYPES:
        _sgd(3, dtype, 0.9, False)
        _adam(3, dtype)
    assert_one_specialization_a_type(sgd, adam)
