import numpy as np
import pytest

from fastcnn.kernels import function_codes
from fastcnn.kernels.cpu.elementwise.function import function_backward, function_forward
from fastcnn.kernels.function_codes import saves_input
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
    types,
    unwritten,
)

CODES = {name: code for name, code in vars(function_codes).items() if name.isupper() and name[0] != "_"}
POSITIVE = (function_codes.SQUARE_ROOT, function_codes.LOGARITHM, function_codes.POWER, function_codes.LOG_OF_ONE_PLUS)
STEPS = (function_codes.SIGN, function_codes.IS_ZERO, function_codes.ROUND, function_codes.FLOOR,
         function_codes.CEILING)
ALPHA = 1.7

every_code = pytest.mark.parametrize("code", CODES.values(), ids=CODES.keys())


def _forward(x, code, alpha=ALPHA):
    y = unwritten(*x.shape, dtype=x.dtype)
    with inputs_unchanged(x):
        function_forward(y, x, code, alpha)
    return y


def _backward(dy, x, code, alpha=ALPHA):
    dx = unwritten(*x.shape, dtype=x.dtype)
    saved = x if saves_input(code) else _forward(x, code, alpha)
    with inputs_unchanged(dy, saved):
        function_backward(dx, dy, saved, code, alpha)
    return dx


def _within(x, code):
    """Return numbers that the function takes, none near 0, where quotients say nothing about a sum's tolerance."""
    return np.abs(x) + x.dtype.type(0.3) if code in POSITIVE else np.where(np.abs(x) < 0.1, x.dtype.type(0.1), x)


@types
@every_code
@pytest.mark.parametrize("size", [0, 1, 37, 100_003])
def test_a_function_agrees_with_its_twin(code, dtype, size):
    x, dy = _within(3 * random(many(size), dtype=dtype), code), random(many(size), dtype=dtype, seed=1)
    assert_close(_forward(x, code), reference.function_forward(x, code, ALPHA))
    assert_close(_backward(dy, x, code), reference.function_backward(dy, x, code, ALPHA), factor=2)


@types
@pytest.mark.parametrize("alpha", [-2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 3.0, 1 / 3])
def test_a_power_has_the_sign_of_its_base_where_the_exponent_is_odd(alpha, dtype):
    x = np.array([-3, -0.5, 0.25, 2, 40], dtype)
    np.testing.assert_allclose(_forward(x, function_codes.POWER, alpha),
                               reference.function_forward(x, function_codes.POWER, alpha), rtol=3e-7)
    np.testing.assert_allclose(_backward(x, x, function_codes.POWER, alpha),
                               reference.function_backward(x, x, function_codes.POWER, alpha), rtol=3e-7)


@types
def test_the_slope_of_a_power_of_one_is_one_at_zero_too(dtype):
    x = np.array([0.0, -0.0, -1.0, np.inf, 3.0], dtype)
    np.testing.assert_array_equal(_backward(np.full_like(x, 2), x, function_codes.POWER, 1.0), np.full_like(x, 2))


@types
@pytest.mark.parametrize("alpha", [-3.0, -2.0, 2.0, 3.0])
def test_a_zero_keeps_its_sign_in_odd_powers(alpha, dtype):
    x = np.array([0.0, -0.0], dtype)
    expected = reference.function_forward(x, function_codes.POWER, alpha).astype(dtype)
    assert _forward(x, function_codes.POWER, alpha).tobytes() == expected.tobytes()


@every_code
def test_the_gradient_is_the_slope(code):
    if code not in STEPS:
        x, dy = _within(random(41), code), random(41, seed=1)
        assert_slope(_backward(dy, x, code), slope(lambda x: reference.function_forward(x, code, ALPHA), x, dy))


@types
@every_code
def test_zeros_infinities_and_nan_have_their_values(code, dtype):
    x = np.array([np.nan, np.inf, -np.inf, 0.0, -1.5, 2.5, 3.5, -0.5], dtype).repeat(20)
    x = x[~np.isneginf(x)] if code == function_codes.POWER else x  # of which C's power is infinity
    expected = reference.function_forward(x, code, ALPHA)
    np.testing.assert_allclose(_forward(x, code), expected, rtol=1e-6, atol=1e-7)


@every_code
def test_the_same_bits_from_any_number_of_threads(code):
    x = _within(random(200_001, dtype=np.float32), code)
    assert_same_bits(lambda: (_forward(x, code), _backward(x, x, code)))


def test_functions_compile_once_a_type():
    for dtype in TYPES:
        x = random(5, dtype=dtype)
        _backward(x, x, function_codes.ABSOLUTE)
    assert_one_specialization_a_type(function_forward, function_backward)
