"""A layer of one's own that holds layers: refused where their weights would be lost, before anything is trained."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call
from fastcnn.parameters import Parameter

X = np.ones((2, 4, 4, 3), np.float32)


class Block(layers.Layer):
    def __init__(self, held=None, **kwargs):
        super().__init__(**kwargs)
        self.held = held

    def forward(self, x, call=Call()):
        return x, lambda dy: dy


HELD = {
    "a layer": lambda: layers.Conv2D(3, 1), "a list": lambda: [layers.ReLU(), layers.Dense(3)],
    "nests": lambda: {"head": (1, [{"norm": layers.BatchNormalization()}])},
    "a model": lambda: fc.Sequential([layers.ReLU()]), "one that is built": lambda: built(),
    "a penalty": lambda: layers.ReLU(activity_regularizer="l2"), "a circle": lambda: circle(),
}  # fmt: skip


def built():
    layer = layers.PReLU()
    layer.build(X.shape)
    return layer


def circle():
    held = [layers.Dense(3)]
    held.insert(0, held)
    return held


@pytest.mark.parametrize("use", [
    lambda layer: layer(fc.Input(X.shape[1:])), lambda layer: layer(X), lambda layer: layer(X, training=True),
    lambda layer: layer.build(X.shape), lambda layer: fc.Sequential([fc.Input(X.shape[1:]), layer]),
    lambda layer: fc.Sequential([layer]).predict(X)])  # fmt: skip
@pytest.mark.parametrize("held", HELD)
def test_a_layer_that_holds_layers_with_weights_is_refused_when_it_is_first_used(held, use):
    with pytest.raises(ArgumentError, match=r'Block "block.*": .* no layers with weights .* got held .*fc\.Model'):
        use(Block(HELD[held]()))


def test_layers_that_are_made_late_are_refused_as_well():
    class InWeights(Block):
        def create_weights(self, input_shape):
            self.late = layers.Dense(3)

    class InBuild(Block):
        def build(self, input_shape):
            super().build(input_shape)
            self.late = layers.Dense(3)

    for kind in (InWeights, InBuild):
        with pytest.raises(ArgumentError, match="got late"):
            kind()(fc.Input((3,)))


@pytest.mark.parametrize("held", [
    lambda: layers.ReLU(), lambda: [layers.MaxPooling2D(), layers.Dropout(0.1)], lambda: None, lambda: [1, {"a": "b"}]])
def test_what_has_no_weights_may_be_held(held):
    np.testing.assert_array_equal(fc.Sequential([fc.Input(X.shape[1:]), Block(held())]).predict(X), X)


def test_a_layer_derived_from_one_of_fastcnn_s_keeps_its_own_parameters_and_twins():
    class Scaled(layers.Conv2D):
        def create_weights(self, input_shape):
            super().create_weights(input_shape)
            self.scale = self.add_weight("scale", (1,), "ones")
            self.every = [self.kernel, self.scale]

    layer = Scaled(2, 3, activation="relu")
    shapes = [layer(fc.Input(shape)).shape for shape in ((4, 4, 3), (6, 6, 3))]
    assert shapes == [(None, 2, 2, 2), (None, 4, 4, 2)]


def test_a_parameter_that_a_layer_did_not_make_is_refused():
    with pytest.raises(ArgumentError, match=r"parameters that it made itself, got held .*self\.add_weight"):
        Block(Parameter(np.ones(3, np.float32), "scale", "block/scale"))(X)


def test_a_build_of_one_s_own_hands_on():
    class Silent(Block):
        def build(self, input_shape):
            self.size = input_shape

    class ByHand(Block):
        def build(self, input_shape):
            self.built = True

    with pytest.raises(ArgumentError, match=r"to call super\(\)\.build\(input_shape\)"):
        Silent()(fc.Input((3,)))
    with pytest.raises(AttributeError, match=r"not set by hand; .*super\(\)\.build"):
        ByHand()(fc.Input((3,)))


def test_keras_s_call_says_what_a_layer_has_instead():
    with pytest.raises(ArgumentError, match=r"Own: a call of its own is not offered; write forward"):
        type("Own", (layers.Layer,), {"call": lambda self, x: x})
    with pytest.raises(ArgumentError, match=r"Own: a train_step of its own is not offered; .*functional"):
        type("Own", (fc.Model,), {"train_step": lambda self, data: data})
