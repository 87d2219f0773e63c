"""One layer called on arrays of several sizes: a twin for each of the last few, with the same parameters."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call

DRAW = np.random.default_rng(0)


def image(*size):
    return DRAW.standard_normal((2, *size)).astype(np.float32)


class Scaled(layers.Layer):
    """With a build and a call of its own, and a layer inside."""

    def __init__(self, **more):
        super().__init__(**more)
        self.conv = layers.Conv2D(3, 3, padding="same")

    def build(self, input_shape):
        self.gain = self.add_weight(shape=(input_shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.gain + self.conv(x)


class Held(layers.Layer):
    """With the two verbs, and a layer inside."""

    def __init__(self, **more):
        super().__init__(**more)
        self.conv = layers.Conv2D(2, 3)

    def create_weights(self, input_shape):
        self.conv.build(input_shape)

    def compute_output_shape(self, input_shape):
        return self.conv.compute_output_shape(input_shape)

    def forward(self, x, call=Call()):
        return self.conv.forward(self.checked(x), call)

    def predict(self, x):
        return self.conv.predict(self.checked(x))


@pytest.mark.parametrize("make", [
    lambda: layers.Conv2D(4, 3, strides=2, padding="same"), lambda: layers.SeparableConv2D(4, 3), Scaled, Held,
    lambda: layers.BatchNormalization(), lambda: layers.GroupNormalization(3), lambda: layers.MaxPooling2D(3, 2),
    lambda: layers.Conv2DTranspose(2, 3, 2), lambda: layers.Dense(5), lambda: layers.Flatten(),
    lambda: fc.Sequential([fc.Input((None, None, 3)), layers.Conv2D(2, 3)])])
def test_a_layer_takes_arrays_of_other_sizes_than_the_first(make):
    layer = make()
    for size in ((8, 6, 3), (5, 7, 3), (8, 6, 3)):
        x = image(*size)
        other = make()
        other.build(x.shape)
        if layer.built:
            other.set_weights(layer.get_weights())
        got = layer(x)
        other.set_weights(layer.get_weights())
        np.testing.assert_array_equal(got, other(x))
        np.testing.assert_array_equal(layer(x, training=True), other(x, training=True))
        layer.set_weights(other.get_weights())  # a statistic may have moved twice
    assert len({id(p) for p in layer.weights}) == len(other.weights)


def test_a_layer_built_for_open_sizes_runs_any():
    for make in (lambda: layers.Conv2D(4, 3), Scaled, Held):
        layer = make()
        tensor = layer(fc.Input((None, None, 3)))
        assert tensor.shape[1:3] == (None, None)
        x = image(6, 7, 3)
        assert layer(x).shape == layer.compute_output_shape(x.shape)[:0] + layer.for_shape(x.shape).predict(x).shape
        model = fc.Model(tensor.node.inputs[0], tensor)
        np.testing.assert_array_equal(model.predict(x), layer(x))


def test_several_inputs_of_other_sizes():
    layer = layers.Add()
    assert layer([image(4, 4, 3), image(4, 4, 3)]).shape == (2, 4, 4, 3)
    assert layer([image(5, 4, 3), image(5, 1, 3)]).shape == (2, 5, 4, 3)
    with pytest.raises(ArgumentError, match="expected 2 inputs, got 3"):
        layer([image(5, 4, 3)] * 3)


def test_a_model_with_call_takes_any_size_as_keras_does():
    class Net(fc.Model):
        def __init__(self):
            super().__init__()
            self.conv, self.pool = layers.Conv2D(2, 3), layers.GlobalAveragePooling2D()

        def call(self, x):
            return self.pool(self.conv(x))

    net = Net()
    net.compile("sgd", "mse")
    for size in ((8, 8, 3), (5, 9, 3), (8, 8, 3)):
        assert net(image(*size)).shape == net.predict(image(*size)).shape == (2, 2)
        net.train_on_batch(image(*size), np.zeros((2, 2)))
    assert len(net.conv.nodes) == 1, "graphs for other sizes leave no trace"
    with pytest.raises(ArgumentError, match=r"Conv2D .*expected input \(N, 8, 8, 3\), for which its parameters are"):
        net(image(8, 8, 4))


def test_a_layer_that_needs_a_size_says_so_and_can_be_built_again():
    layer = layers.Dense(2, name="d")
    with pytest.raises(ArgumentError, match='Dense "d": expected known sizes, which its parameters depend on'):
        layer.build((None, None))
    layer.build((None, 3))
    assert layer.kernel.shape == (3, 2)
    with pytest.raises(ArgumentError, match='Dense "d": expected input'):
        layer(fc.Input((None,)))
