import numpy as np
import pytest

from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import assert_close, random
from tests.kernels.cuda.checking import on_cuda

F, NONE = np.float32, np.empty(0, np.float32)
sgd, adam = on_cuda(cuda.sgd), on_cuda(cuda.adam)


@pytest.mark.parametrize(("momentum", "nesterov", "decay"), [(0.0, False, 0.01), (0.9, False, 0.0), (0.9, True, 0.01)])
def test_sgd_agrees_with_its_twin(momentum, nesterov, decay):
    values, velocity = random(19, dtype=F), np.zeros(19 if momentum else 0, F)
    expected = values.astype(float), velocity.astype(float)
    for step in range(3):
        gradients = random(19, dtype=F, seed=1 + step)
        expected = reference.sgd(*expected, gradients, 0.1, momentum, nesterov, decay)
        before = gradients.copy()
        sgd(values, velocity, gradients, 0.1, momentum, nesterov, decay, step == 2)
        np.testing.assert_array_equal(gradients, 0 if step == 2 else before)
    for got, wanted in zip((values, velocity), expected, strict=True):
        assert_close(got, wanted)


@pytest.mark.parametrize(("amsgrad", "decay"), [(False, 0.0), (True, 0.01)])
def test_adam_agrees_with_its_twin(amsgrad, decay):
    state = random(19, dtype=F), np.zeros(19, F), np.zeros(19, F), np.zeros(19 if amsgrad else 0, F)
    expected = tuple(one.astype(float) for one in state)
    for step in range(1, 4):
        gradients = random(19, dtype=F, seed=step)
        expected = reference.adam(*expected, gradients, 0.001, 0.9, 0.999, 1e-7, step, decay)
        before = gradients.copy()
        adam(*state, gradients, 0.001, 0.9, 0.999, 1e-7, step, decay, step == 3)
        np.testing.assert_array_equal(gradients, 0 if step == 3 else before)
    for got, wanted in zip(state, expected, strict=True):
        assert_close(got, wanted)


def test_a_step_takes_nothing():
    sgd(NONE, NONE, NONE, 0.1, 0.9, False, 0.0, True)
