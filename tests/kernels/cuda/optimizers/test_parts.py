import numpy as np
import pytest

from fastcnn.kernels import cuda
from fastcnn.kernels import optimizer_codes as codes
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

F = np.float32
adaptive_step, bound_norms = on_cuda(cuda.adaptive_step), on_cuda(cuda.bound_norms)
moving_average, penalty = on_cuda(cuda.moving_average), on_cuda(cuda.penalty)
scale_parts, squared_norms = on_cuda(cuda.scale_parts), on_cuda(cuda.squared_norms)

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


@pytest.mark.parametrize("name", CASES)
def test_adaptive_step_agrees_with_its_twin(name):
    code, has, *numbers = CASES[name]
    start = 0.1 if code in (codes.ADAGRAD, codes.FTRL) else 0
    state = [random(17, dtype=F), np.full(17, start, F), *(np.zeros(17 * (one in has), F) for one in "qp")]
    expected = [one.astype(float) for one in state]
    for step in range(3):
        gradients = random(17, dtype=F, seed=1 + step)
        expected = reference.adaptive_step(*expected, gradients, code, *map(float, numbers), 0.01)
        adaptive_step(*state, gradients, code, *map(float, numbers), 0.01, step == 2)
        assert gradients.any() == (step < 2)
    for got, wanted in zip(state, expected, strict=True):
        assert_close(got, wanted, factor=4)


@pytest.mark.parametrize("sizes", [(0,), (1,), (5, 0, 0, 7), (3, 20, 1, 0, 17, 2), (1,) * 9], ids=str)
def test_norms_and_factors_of_parts_agree_with_their_twins(sizes):
    offsets = np.cumsum([0, *sizes])
    array, factors = random(offsets[-1], dtype=F), np.random.default_rng(1).random(len(sizes))
    norms, scratch = unwritten(len(sizes)), unwritten(cuda.squared_norms_scratch(len(sizes), F))
    with inputs_unchanged(array, offsets, factors):
        squared_norms(norms, scratch, array, offsets)
    np.testing.assert_allclose(norms, reference.squared_norms(array, offsets), rtol=1e-12)
    for limit in (np.inf, 0.5):
        scaled = array.copy()
        scale_parts(scaled, factors, offsets, limit)
        assert_close(scaled, reference.scale_parts(array, factors, offsets, limit))


@pytest.mark.parametrize("share", [1.0, 0.01])
def test_moving_average_agrees_with_its_twin(share):
    average, values = random(11, dtype=F), random(11, dtype=F, seed=1)
    expected = reference.moving_average(average, values, share)
    average[0] = np.nan if share == 1 else average[0]  # its first value is forgotten
    with inputs_unchanged(values):
        moving_average(average, values, share)
    assert_close(average, expected)


@pytest.mark.parametrize("size", [0, 1, 29])
@pytest.mark.parametrize(("l1", "l2"), [(0.1, 0.0), (0.3, 0.2)])
def test_penalty_agrees_with_its_twin(size, l1, l2):
    w, gradient = random(size, dtype=F), random(size, dtype=F, seed=1)
    w[:size // 3] = 0
    total, alone, scratch = unwritten(1), unwritten(1), unwritten(cuda.penalty_scratch(size, F))
    expected = reference.penalty(gradient, w, l1, l2)
    with inputs_unchanged(w):
        penalty(total, gradient, scratch, w, l1, l2)
        penalty(alone, np.empty(0, F), scratch, w, l1, l2)
    np.testing.assert_allclose(total, expected[0], rtol=1e-12)
    np.testing.assert_array_equal(alone, total)
    assert_close(gradient, expected[1])


@pytest.mark.parametrize("shape", [(1, 7, 3), (1, 1, 1), (3, 5, 2), (0, 3, 2), (2, 0, 3)], ids=str)
def test_bound_norms_agrees_with_its_twin(shape):
    for bounds in ((0.0, 1.5, 1.0), (2.0, 3.0, 0.25)):
        array = random(*shape, dtype=F)
        expected = reference.bound_norms(array, *bounds, 1e-7)
        bound_norms(array, np.empty(0), *bounds, 1e-7)
        assert_close(array, expected)


@pytest.mark.parametrize("shape", [(1, 7, 5), (3, 4, 6), (1, 1, 9), (4, 8, 1), (0, 2, 3)], ids=str)
def test_a_factored_step_agrees_with_its_twin(shape):
    state, u, expected = np.zeros(shape, F), unwritten(*shape, dtype=F), np.zeros(shape)
    for step in range(2):
        gradients, scratch = random(*shape, dtype=F, seed=step), unwritten(shape[0] * shape[2])
        wanted, expected = reference.factored_step(expected, gradients, 0.4, 1e-30)
        with inputs_unchanged(gradients):
            on_cuda(cuda.factored_step)(u, state, scratch, gradients, 0.4, 1e-30)
    assert_close(u, wanted)
    assert_close(state, expected)
