"""Activations beside NumPy's: along which axes, in whose memory."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.kernels import codes
from fastcnn.operations.activation import (
    LINEAR,
    RELU,
    Composed,
    Elementwise,
    SoftmaxFunction,
    activate,
    activate_only,
    applied,
    clamp_array,
    clamp_of,
)
from fastcnn.traits import NONE, Trait
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
    runs = [lambda x: function.predict(x, in_place=True), lambda x: activate_only(x, function)]
    if function is TANH:  # of functions in turn the first way back wants what lies there
        runs += [lambda x: function.forward(x, in_place=True)[0], lambda x: activate(x, function)[0]]
    for run in runs:
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


def test_a_function_is_called_with_any_numbers_and_returns_floats():
    for given, kind in ((normal(2, 3), "float64"), (normal(2, 3).astype("float32"), "float32"),
                        (np.arange(-3, 3).reshape(2, 3), "float32"), (normal(2, 3).astype("float16"), "float32"),
                        (normal(3, 2).T, "float64")):
        before = given.copy()
        y = RELU(given)
        assert y.dtype == kind
        np.testing.assert_array_equal(y, np.maximum(given, 0).astype(kind))
        assert not np.shares_memory(y, given)
        np.testing.assert_array_equal(given, before)
        assert applied(None, given) is given
    frozen = normal(2, 3)
    frozen.setflags(write=False)
    np.testing.assert_array_equal(RELU(frozen), np.maximum(frozen, 0))


def test_a_function_is_called_with_a_symbolic_tensor():
    inputs = fc.Input((3,))
    model = fc.Model(inputs, RELU(applied(None, inputs)))
    np.testing.assert_array_equal(model.predict(np.array([[-1, 0, 2]], "float32")), [[0, 0, 2]])


@pytest.mark.parametrize(("function", "name"), [(RELU, "relu"), (None, "linear")])
def test_a_function_of_something_else_is_refused_by_name(function, name):
    with pytest.raises(ArgumentError, match=f"{name}: expected an array or a symbolic tensor, got str; convert it"):
        applied(function, "1, 2")
    np.testing.assert_array_equal(applied(function, [1.0, 2.0]), [1, 2])


def test_bounds_are_those_of_functions_that_only_keep_results_between_them():
    assert clamp_of(None) == LINEAR == (-np.inf, np.inf)
    assert clamp_of(RELU) == (0, np.inf)
    assert clamp_of(Elementwise("relu6", codes.CLIP, 6.0, -1.0)) == (-1, 6)
    assert clamp_of(TANH) is clamp_of(SoftmaxFunction("softmax", False)) is clamp_of(Composed("both", (RELU,))) is None
    bounds = clamp_array((-1.0, 6.0), np.dtype("float32"))
    assert (bounds.dtype, bounds.tolist()) == (np.float32, [-1, 6])
    assert clamp_array((-1.0, 6.0), np.dtype("float32")) is bounds, "made once"
    assert clamp_array((-1.0, 6.0), np.dtype("float64")).dtype == np.float64


def test_functions_promise_what_rules_of_fusion_ask_for_and_those_of_ones_own_nothing():
    class Own(Elementwise):
        def predict(self, x, in_place=False):
            return x

    assert (TANH.traits, TANH.replayable) == (Trait.BY_CODE, True)
    assert (SoftmaxFunction("softmax", False).traits, Composed("both", ()).traits) == (Trait.SOFTMAX, Trait.COMPOSED)
    own = Own("own", codes.TANH)
    assert (own.traits, own.replayable) == (NONE, False)


@pytest.mark.parametrize("functions", [(TANH, TANH), (SILU, TANH, TANH), (TANH, SILU, RELU), (RELU,)])
def test_each_of_functions_in_turn_finds_what_its_way_back_needs(functions):
    composed = Composed("in turn", functions)

    def formula(x):
        for function in functions:
            x = function.predict(x)
        return x

    look_over(composed.forward, normal(3, 4), expected=formula)


def test_functions_in_turn_take_one_new_array_for_prediction():
    x, composed = normal(3, 4), Composed("in turn", (SILU, TANH, TANH))
    before = device.cpu.blocks_in_use()
    y = composed.predict(x)
    assert len(device.cpu.blocks_in_use() - before) == 1
    with device.cpu.recording() as calls:
        composed.forward(x)
    places = [args[0].ctypes.data for _, args in calls]
    assert len(set(places)) == 2, "the first way back wants its input, and the second what it returned"
    np.testing.assert_allclose(y, np.tanh(np.tanh(x / (1 + np.exp(-x)))), rtol=1e-12)
