"""Transposed convolutions: the adjoint of the convolution that they belong to, and their gradients."""

import numpy as np
import pytest

from fastcnn.geometry import conv2d
from fastcnn.kernels import codes
from fastcnn.operations.activation import RELU, Elementwise
from fastcnn.operations.convolution_transpose import convolution_transpose, predict_convolution_transpose
from tests import reference
from tests.operations.checking import look_over, normal, parameter

UNBOUNDED = np.array([-np.inf, np.inf])
ACTIVATIONS = {"none": (None, lambda y: y), "relu": (RELU, lambda y: np.maximum(y, 0)),
               "tanh": (Elementwise("tanh", codes.TANH), np.tanh)}
#: of y, filters of x, strides, groups
CASES = {"plain": ((2, 5, 6, 3), 4, (1, 1), 1), "in strides": ((2, 7, 5, 4), 6, (2, 2), 2)}


def _case(name):
    y_shape, filters, strides, groups = CASES[name]
    g = conv2d(y_shape, filters, (3, 3), strides, "same", groups=groups)
    x_shape = y_shape[0], int(g[0]["oh"]), int(g[0]["ow"]), filters
    weights = normal(3, 3, y_shape[-1] // groups, filters, seed=1)
    return g, x_shape, y_shape, weights, normal(y_shape[-1], seed=2)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_it_is_the_adjoint_of_its_convolution_and_its_gradients_are_slopes(name, activation):
    (g, x_shape, y_shape, weights, bias), (function, activated) = _case(name), ACTIVATIONS[activation]

    def run(x, weights, bias):
        own = parameter(weights), parameter(bias)
        y, back = convolution_transpose(x, *own, function, g, y_shape)
        return y, lambda dy: (back(dy), *(p.gradient for p in own))

    expected = lambda x, w, b: activated(reference.conv2d_backward_input(x, w, b, UNBOUNDED, g))
    look_over(run, normal(*x_shape), weights, bias, expected=expected)
    kernel, offset = parameter(weights), parameter(bias)
    for k in range(6):
        x = normal(*x_shape, seed=k)
        y = predict_convolution_transpose(x, kernel, offset, function, g, y_shape)
        np.testing.assert_allclose(y, expected(x, kernel.array, offset.array), rtol=1e-12, atol=1e-12)
        if k >= 2:  # what was packed before is packed again
            p = (kernel, offset)[k % 2]
            p.assign(p.array + 1)
    assert kernel.derived
    run_of_training = convolution_transpose(x, kernel, offset, function, g, y_shape)
    assert run_of_training
    assert not kernel.derived, "training lets packed weights go"


def test_what_nobody_wants_is_not_made_and_a_bias_may_be_absent():
    g, x_shape, y_shape, weights, bias = _case("plain")
    x, dy, kernel, offset = normal(*x_shape), normal(*y_shape, seed=3), parameter(weights), parameter(bias)
    y, back = convolution_transpose(x, kernel, None, None, g, y_shape)
    np.testing.assert_allclose(y, reference.conv2d_backward_input(x, weights, np.empty(0), UNBOUNDED, g), rtol=1e-12,
                               atol=1e-12)
    np.testing.assert_allclose(predict_convolution_transpose(x, kernel, None, None, g, y_shape), y, rtol=1e-12)
    dx, once = back(dy).copy(), kernel.grad.copy()
    back(dy)
    np.testing.assert_allclose(kernel.grad, 2 * once, rtol=1e-12, err_msg="gradients are added to")
    np.testing.assert_array_equal(convolution_transpose(x, kernel, offset, None, g, y_shape, learns=False)[1](dy), dx)
    np.testing.assert_allclose(kernel.grad, 2 * once, rtol=1e-12)
    assert not offset.grad.any()
    assert convolution_transpose(x, kernel, offset, None, g, y_shape, wants_dx=False)[1](dy) is None
    np.testing.assert_allclose(offset.grad, dy.sum((0, 1, 2)), rtol=1e-12)
