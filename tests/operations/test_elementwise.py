"""Elementary functions beside NumPy's, and the rectifier that learns its slope."""

import math

import numpy as np
import pytest

from fastcnn.operations import elementwise
from tests.operations.checking import look_over, normal, of_parameters, parameter

POSITIVE = np.abs(normal(3, 4)) + 0.2

FUNCTIONS = {
    "absolute": (elementwise.ABSOLUTE, np.abs, normal(3, 4)),
    "square root": (elementwise.SQUARE_ROOT, np.sqrt, POSITIVE),
    "logarithm": (elementwise.LOGARITHM, np.log, POSITIVE),
    "reciprocal": (elementwise.RECIPROCAL, np.reciprocal, normal(3, 4)),
    "power": (elementwise.power(2.5), lambda x: x**2.5, POSITIVE),
    "square": (elementwise.power(2.0), np.square, normal(3, 4)),
    "sign": (elementwise.SIGN, np.sign, normal(3, 4)),
    "is zero": (elementwise.IS_ZERO, lambda x: (x == 0).astype(float), normal(3, 4)),
    "round": (elementwise.ROUND, np.rint, 5 * normal(3, 4)),
    "floor": (elementwise.FLOOR, np.floor, 5 * normal(3, 4)),
    "ceiling": (elementwise.CEILING, np.ceil, 5 * normal(3, 4)),
    "error function": (elementwise.ERROR_FUNCTION, np.vectorize(math.erf), normal(3, 4)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_what_its_name_says(name):
    function, formula, x = FUNCTIONS[name]
    y, _ = look_over(function.forward, x, expected=formula)
    np.testing.assert_array_equal(function.predict(x), y)


def test_zero_is_zero_whatever_its_sign():
    np.testing.assert_array_equal(elementwise.IS_ZERO.predict(np.array([0.0, -0.0, 1e-300, np.nan])), [1, 1, 0, 0])


@pytest.mark.parametrize("shape", [(3, 4), (1, 4), (3, 1)])
def test_a_slope_is_learned(shape):
    alpha = normal(*shape, seed=5)
    look_over(of_parameters(elementwise.prelu, "alpha"), normal(2, 3, 4), alpha,
              expected=lambda x, alpha: np.where(x > 0, x, alpha * x))
    still = parameter(alpha)
    look_over(lambda x: elementwise.prelu(x, still, trainable=False), normal(2, 3, 4))
    assert not still.grad.any()
