import numpy as np
import pytest

from fastcnn.kernels import codes
from fastcnn.kernels.codes import saves_input
from fastcnn.kernels.cpu.activation import activation_backward, activation_forward
from tests import reference
from tests.kernels.checking import (
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    inputs_unchanged,
    many,
    random,
    slope,
    unwritten,
)

CODES = {name: getattr(codes, name) for name in (
    "LINEAR", "RELU", "STEP", "SIGMOID", "TANH", "LEAKY_RELU", "ELU", "SELU", "SILU", "GELU", "GELU_TANH")}
ALPHA = 0.3

every_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())
types = pytest.mark.parametrize("dtype", TYPES)


def _forward(x, code):
    y = unwritten(*x.shape, dtype=x.dtype)
    activation_forward(y, x, code, ALPHA)
    return y


def _backward(dy, x, code):
    dx = unwritten(*x.shape, dtype=x.dtype)
    saved = x if saves_input(code) else _forward(x, code)
    with inputs_unchanged(dy, saved):
        activation_backward(dx, dy, saved, code, ALPHA)
    return dx


@types
@every_code
@pytest.mark.parametrize("size", [0, 1, 37, 100_003])
def test_activation_agrees_with_its_twin(code, dtype, size):
    x, dy = 3 * random(many(size), dtype=dtype), random(many(size), dtype=dtype, seed=1)
    with inputs_unchanged(x):
        y = _forward(x, code)
    assert_close(y, reference.activation_forward(x, code, ALPHA))
    assert_close(_backward(dy, x, code), reference.activation_backward(dy, x, code, ALPHA))


@types
@every_code
def test_activation_in_place_is_the_same(code, dtype):
    x = random(many(70_001), dtype=dtype)
    expected = _forward(x, code)
    activation_forward(x, x, code, ALPHA)
    np.testing.assert_array_equal(x, expected)


@every_code
def test_activation_gradient_is_the_slope(code):
    x, dy = random(41) + 0.01, random(41, seed=1)
    assert_slope(_backward(dy, x, code), slope(lambda x: reference.activation_forward(x, code, ALPHA), x, dy))


@types
@every_code
def test_activation_passes_nan_on_and_takes_infinity(code, dtype):
    x = np.array([np.nan, np.inf, 200, -200, 0.0], dtype).repeat(20)
    y = _forward(x, code)
    assert np.isnan(y[:20]).all()
    with np.errstate(all="ignore"):
        assert_close(y[20:], reference.activation_forward(x[20:], code, ALPHA))
    if code not in (codes.LINEAR, codes.RELU, codes.STEP, codes.LEAKY_RELU):
        assert np.isnan(_backward(np.ones_like(x), x, code)[:20]).all()


@types
def test_derivatives_at_the_corner_are_keras_s(dtype):
    zero, one = np.zeros(1, dtype), np.ones(1, dtype)
    assert _forward(zero, codes.STEP) == 1
    assert _backward(one, zero, codes.RELU) == 0
    assert _backward(one, zero, codes.STEP) == 0
    assert _backward(one, zero, codes.LEAKY_RELU) == dtype(ALPHA)


@every_code
def test_activation_gives_the_same_bits_from_any_number_of_threads(code):
    x = random(many(200_001), dtype=np.float32)
    assert_same_bits(lambda: (_forward(x, code), _backward(x, x, code)))


def test_activation_compiles_once_a_type():
    for dtype in TYPES:
        x = random(5, dtype=dtype)
        _backward(x, x, codes.TANH)
    assert_one_specialization_a_type(activation_forward, activation_backward)
