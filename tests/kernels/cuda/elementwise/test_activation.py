import numpy as np
import pytest

from fastcnn.kernels import codes, cuda
from fastcnn.kernels.codes import saves_input
from tests import reference
from tests.kernels.checking import assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

activation_forward, activation_backward = on_cuda(cuda.activation_forward), on_cuda(cuda.activation_backward)

MERGING = {"SUM", "PRODUCT", "MAXIMUM", "MINIMUM", "PRELU", "MASK"}
CODES = {name: code for name, code in vars(codes).items()
         if name.isupper() and name[0] != "L" and isinstance(code, int) and name not in MERGING} | {
    name: getattr(codes, name) for name in ("LINEAR", "LEAKY_RELU", "LOG_SIGMOID")}
ALPHA, BETA = 0.3, 0.2

every_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())


@every_code
def test_activation_agrees_with_its_twin(code):
    x, dy = 3 * random(203, dtype=np.float32), random(203, dtype=np.float32, seed=1)
    y, dx = unwritten(*x.shape, dtype=x.dtype), unwritten(*x.shape, dtype=x.dtype)
    with inputs_unchanged(x):
        activation_forward(y, x, code, ALPHA, BETA)
    saved = x if saves_input(code) else y
    with inputs_unchanged(dy, saved):
        activation_backward(dx, dy, saved, code, ALPHA, BETA)
    assert_close(y, reference.activation_forward(x, code, ALPHA, BETA))
    assert_close(dx, reference.activation_backward(dy, x, code, ALPHA, BETA))


@every_code
def test_activation_keeps_nan_and_takes_infinity(code):
    x = np.array([np.nan, np.inf, 80, -80, 0], np.float32)
    y = unwritten(5, dtype=x.dtype)
    activation_forward(y, x, code, ALPHA, BETA)
    with np.errstate(all="ignore"):
        expected = reference.activation_forward(x, code, ALPHA, BETA)
    assert np.isnan(y[0])
    assert not np.isnan(y[2:]).any()
    np.testing.assert_allclose(y[2:], expected[2:], rtol=2e-6, atol=1e-30)


def test_activation_in_place_is_the_same_and_takes_nothing():
    x = random(37, dtype=np.float32)
    y = unwritten(37, dtype=x.dtype)
    activation_forward(y, x, codes.TANH, 0, 0)
    activation_forward(x, x, codes.TANH, 0, 0)
    np.testing.assert_array_equal(x, y)
    activation_forward(*[np.empty(0, np.float32)] * 2, codes.RELU, 0, 0)
