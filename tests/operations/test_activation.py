"""Activations beside NumPy's: along which axes, in whose memory."""

import numpy as np
import pytest

from fastcnn.errors import ArgumentError
from fastcnn.kernels import codes
from fastcnn.operations.activation import RELU, Composed, Elementwise, SoftmaxFunction, activate, activate_only
from tests.operations.checking import look_over, normal

TANH = Elementwise("tanh", codes.TANH)
SILU = Elementwise("silu", codes.SILU)


@pytest.mark.parametrize("axis", [(-1,), (1,), (2,), (1, 2), (-1, 1)])
@pytest.mark.parametrize("log", [False, True])
def test_softmax_is_taken_over_its_axes_together(axis, log):
    def formula(x):
        e = np.exp(x - x.max(axis, keepdims=True))
        p = e / e.sum(axis, keepdims=True)
        return np.log(p) if log else p

    function, x = SoftmaxFunction("softmax", log, axis), normal(2, 3, 4, 5)
    y, _ = look_over(function.forward, x, expected=formula)
    np.testing.assert_array_equal(function.predict(x), y)


@pytest.mark.parametrize("axis", [(0,), (-3,), (3,), ()])
def test_softmax_over_the_batch_or_over_no_axis_is_refused(axis):
    with pytest.raises(ArgumentError, match=r"softmax: expected an axis in 1..2, or counted from the end"):
        SoftmaxFunction("softmax", False, axis).forward(normal(2, 3, 4))


def test_one_function_follows_the_other():
    both = Composed("tanh of relu", (RELU, TANH))
    x = normal(3, 4)
    look_over(both.forward, x, expected=lambda x: np.tanh(np.maximum(x, 0)))
    np.testing.assert_allclose(both.predict(x), np.tanh(np.maximum(x, 0)), rtol=1e-12)


@pytest.mark.parametrize("function", [TANH, Composed("both", (RELU, TANH))], ids=["one", "composed"])
def test_the_memory_of_the_input_is_taken_where_it_may_be_and_only_there(function):
    x = normal(3, 4)
    before = x.copy()
    for run in (lambda: function.predict(x), lambda: function.forward(x)[0]):
        assert not np.shares_memory(run(), x)
        np.testing.assert_array_equal(x, before)
    for run in (lambda x: function.predict(x, in_place=True), lambda x: function.forward(x, in_place=True)[0],
                lambda x: activate(x, function)[0], lambda x: activate_only(x, function)):
        own = x.copy()
        assert np.shares_memory(run(own), own)


def test_a_function_whose_way_back_needs_its_input_leaves_it():
    x = normal(3, 4)
    before = x.copy()
    y, _ = SILU.forward(x, in_place=True)
    assert not np.shares_memory(y, x)
    np.testing.assert_array_equal(x, before)


def test_no_activation_hands_on_what_it_gets():
    x, dy = normal(3, 4), normal(3, 4, seed=1)
    y, back = activate(x, None)
    assert y is x
    assert back(dy) is dy
    assert activate_only(x, None) is x
