"""Layers and models that hold layers, beside Keras's: the order, names and number of weights, what is frozen."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")

import fastcnn as fc  # noqa: E402

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")]

X = np.random.default_rng(0).standard_normal((4, 6, 6, 3)).astype(np.float32)


def classes(k):
    """Return a layer and a model of one text, for fastcnn or for Keras."""
    layers = k.layers

    class Block(layers.Layer):
        def __init__(self, filters=4, **kwargs):
            super().__init__(**kwargs)
            self.ways = {"shortcut": layers.Conv2D(filters, 1, use_bias=False)}
            self.convs = [layers.Conv2D(filters, 3, padding="same"), (layers.BatchNormalization(), layers.ReLU())]
            self.again = self.ways["shortcut"]
            self._last = layers.Conv2D(filters, 3, padding="same", activation="tanh")
            self.drop = layers.Dropout(0.4)

        def call(self, x, training=None):
            h = self.convs[0](x)
            for layer in self.convs[1]:
                h = layer(h)
            return self._last(self.drop(h, training=training)) + self.ways["shortcut"](x)

    class Net(k.Model):
        def __init__(self, classes=3, **kwargs):
            super().__init__(**kwargs)
            self.blocks = [Block(), Block(2)]
            self.head = layers.Dense(classes)
            self.pool = layers.GlobalAveragePooling2D()
            self.outer = k.Sequential([layers.Dense(5), layers.BatchNormalization()])

        def call(self, x):
            for block in self.blocks:
                x = block(x)
            return self.outer(self.head(self.pool(x)))

    return Block, Net


def nets():
    ours, theirs = classes(fc)[1](), classes(keras)[1]()
    ours.build((None, 6, 6, 3))
    theirs(X)
    return ours, theirs


def kinds(weights):
    return [(w.name, tuple(w.shape)) for w in weights]


def test_weights_come_in_keras_s_order_and_make_the_same_model():
    ours, theirs = nets()
    for which in ("weights", "trainable_weights", "non_trainable_weights"):
        assert kinds(getattr(ours, which)) == kinds(getattr(theirs, which))
    assert ours.count_params() == theirs.count_params()
    assert [type(one).__name__ for one in ours.layers] == [type(one).__name__ for one in theirs.layers]
    draw = np.random.default_rng(1)
    values = [np.abs(draw.standard_normal(w.shape)).astype(np.float32) * 0.3 + 0.1 for w in theirs.weights]
    ours.set_weights(values)
    theirs.set_weights(values)
    np.testing.assert_allclose(ours.predict(X), keras.ops.convert_to_numpy(theirs(X)), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("freeze", [
    lambda net: setattr(net.blocks[0], "trainable", False), lambda net: setattr(net, "trainable", False),
    lambda net: setattr(net.blocks[1].convs[1][0], "trainable", False),
    lambda net: setattr(net.outer, "trainable", False)])  # fmt: skip
def test_what_is_frozen_is_what_keras_freezes(freeze):
    found = nets()
    for net in found:
        freeze(net)
    for which in ("weights", "trainable_weights", "non_trainable_weights"):
        ours, theirs = (kinds(getattr(net, which)) for net in found)
        assert ours == theirs


def test_a_layer_s_weights_come_in_keras_s_order_its_own_first():
    def block(k):
        class Own(k.layers.Layer):
            def __init__(self, **kwargs):
                super().__init__(**kwargs)
                self.dense = k.layers.Dense(2)
                self.list = []

            def add(self):
                self.list.append(k.layers.Dense(3, use_bias=False))

            def make(self, shape):
                self.late = self.add_weight(name="late", shape=(2,), initializer="zeros", trainable=False)
                self.scale = self.add_weight(name="scale", shape=(1,), initializer="ones")
                for one in (*self.list, self.dense):
                    one.build(shape)

            build = make
            create_weights = make

        if k is fc:
            del Own.build
        made = Own()
        made.add()
        made.build((None, 4))
        return made

    assert kinds(block(fc).weights) == kinds(block(keras).weights)
