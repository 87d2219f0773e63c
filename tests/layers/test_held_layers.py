"""What a layer of one's own may not hold: refused where weights would be lost, before anything is trained."""

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


UNBUILT, HIDDEN, LOOP = "to be built with it, got held", "in attributes, lists, tuples and dicts, got", "holds itself"
HELD = {
    "a layer": (lambda: layers.Conv2D(3, 1), rf"{UNBUILT} \(Conv2D"),
    "a list": (lambda: [layers.ReLU(), layers.Dense(3)], rf"{UNBUILT}/1 \(Dense"),
    "nests": (lambda: {"head": (1, [{"norm": layers.BatchNormalization()}])}, rf"{UNBUILT}/head/1/0/norm \(Batch"),
    "a model": (lambda: fc.Sequential([layers.Dense(2)]), rf"{UNBUILT} \(Sequential"),
    "a block": (lambda: Block(layers.Dense(3)), rf"{UNBUILT} \(Block"),
    "a penalty": (lambda: layers.ReLU(activity_regularizer="l2"), "no activity_regularizer in a layer that it runs"),
    "a circle of lists": (lambda: circle(), rf"{UNBUILT}/1 \(Dense"),
    "a set": (lambda: {layers.Dense(3)}, rf"{HIDDEN} Dense .* in held, a set"),
    "an object": (lambda: [Box(layers.Dense(3))], rf"{HIDDEN} Dense .* in held/0, a Box"),
    "a circle of layers": (lambda: loop(), LOOP),
}  # fmt: skip


class Box:
    def __init__(self, layer):
        self.layer = layer


def circle():
    held = [layers.Dense(3)]
    held.insert(0, held)
    return held


def loop():
    child = Block()
    child.held = Block({"up": child})
    return child


@pytest.mark.parametrize("use", [
    lambda layer: layer(fc.Input(X.shape[1:])), lambda layer: layer(X), lambda layer: layer(X, training=True),
    lambda layer: layer.build(X.shape), lambda layer: fc.Sequential([fc.Input(X.shape[1:]), layer]),
    lambda layer: fc.Sequential([layer]).predict(X)])  # fmt: skip
@pytest.mark.parametrize("held", HELD)
def test_layers_whose_weights_nobody_would_train_or_save_are_refused_when_their_holder_is_first_used(held, use):
    make, message = HELD[held]
    with pytest.raises(ArgumentError, match=rf'Block "block.*": .*{message}'):
        use(Block(make()))


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


def test_a_build_of_one_s_own_need_not_hand_on():
    class Silent(Block):
        def build(self, input_shape):
            self.size = input_shape

    class ByHand(Block):
        def build(self, input_shape):
            self.built = True

    for kind in (Silent, ByHand):
        layer = kind()
        layer(fc.Input((3,)))
        assert layer.built
    with pytest.raises(AttributeError, match="expected built to be set to True"):
        layer.built = False


def test_keras_s_predict_step_says_what_a_model_has_instead():
    with pytest.raises(ArgumentError, match=r"Own: a predict_step of its own is not offered; .*functional"):
        type("Own", (fc.Model,), {"predict_step": lambda self, data: data})
