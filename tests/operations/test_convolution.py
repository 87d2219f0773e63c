"""Convolutions of arrays beside their naive twin: gradients, what is added before the activation, packed weights."""

import numpy as np
import pytest

from fastcnn.geometry import conv2d
from fastcnn.kernels import codes
from fastcnn.operations.activation import RELU, Elementwise
from fastcnn.operations.convolution import convolution, predict_convolution
from tests import reference
from tests.operations.checking import look_over, normal, parameter

TANH = Elementwise("tanh", codes.TANH)
ACTIVATIONS = {"none": (None, lambda y: y), "relu": (RELU, lambda y: np.maximum(y, 0)), "tanh": (TANH, np.tanh)}
CASES = {
    "direct": {"channels": 3, "filters": 4},
    "in groups": {"channels": 4, "filters": 6, "groups": 2},
    "depthwise": {"channels": 4, "filters": 4, "groups": 4},
    "a border of its own": {"channels": 3, "filters": 4, "window": 5, "size": 6, "padding": 2},
}


class Case:
    """Arrays of a convolution of two images, and its numbers by the naive twin."""

    def __init__(self, channels, filters, groups=1, window=3, size=5, padding=1):
        self.x = normal(2, size, size, channels) if size == 5 else normal(1, size, size, channels)
        self.weights = parameter(normal(window, window, channels // groups, filters, seed=1))
        self.bias = parameter(normal(filters, seed=2))
        self.g = conv2d(self.x.shape, filters, (window, window), padding=((padding, padding),) * 2, groups=groups)
        self.shape = (len(self.x), size, size, filters)

    def expected(self, residual=0.0):
        nothing, unbounded = np.zeros(0), np.array([-np.inf, np.inf])
        y = reference.conv2d_forward(self.x, self.weights.array, self.bias.array, nothing, unbounded, self.g)
        return y + residual


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_convolution_is_its_formula_and_its_gradients_are_slopes(name, activation):
    case, (function, formula) = Case(**CASES[name]), ACTIVATIONS[activation]

    def run(x, weights, bias):
        own = parameter(weights), parameter(bias)
        y, back = convolution(x, *own, function, case.g, case.shape)

        def backward(dy):
            dx = back(dy)
            return (dx, *(p.gradient for p in own))

        return y, backward

    y, _ = look_over(run, case.x, case.weights.array, case.bias.array)
    np.testing.assert_allclose(y, formula(case.expected()), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_prediction_adds_its_residual_before_the_activation(name, activation):
    case, (function, formula) = Case(**CASES[name]), ACTIVATIONS[activation]
    residual = normal(*case.shape, seed=3)
    before = residual.copy()
    for _ in range(2):  # with weights that are packed, and that were
        y = predict_convolution(case.x, case.weights, case.bias, function, case.g, case.shape, residual)
        np.testing.assert_allclose(y, formula(case.expected(residual)), rtol=1e-12, atol=1e-12)
        y = predict_convolution(case.x, case.weights, case.bias, function, case.g, case.shape)
        np.testing.assert_allclose(y, formula(case.expected()), rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(residual, before)


@pytest.mark.parametrize("name", CASES)
def test_a_prediction_follows_the_weights_and_the_bias(name):
    case = Case(**CASES[name])
    for p in (case.weights, case.bias):
        predict_convolution(case.x, case.weights, case.bias, None, case.g, case.shape)
        p.assign(p.array + 1)
        y = predict_convolution(case.x, case.weights, case.bias, None, case.g, case.shape)
        np.testing.assert_allclose(y, case.expected(), rtol=1e-12, atol=1e-12)


def test_what_nobody_wants_is_not_made():
    case = Case(**CASES["direct"])
    _, back = convolution(case.x, case.weights, case.bias, None, case.g, case.shape, learns=False)
    assert back(normal(*case.shape)).shape == case.x.shape
    assert not case.weights.grad.any()
    assert not case.bias.grad.any()
    _, back = convolution(case.x, case.weights, None, None, case.g, case.shape, wants_dx=False)
    assert back(normal(*case.shape)) is None
    assert case.weights.grad.any()
