"""Layers with `call`: what it does with symbolic tensors is a graph, which runs in the layer's place."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from tests import checks
from tests.checks import Case

RNG = np.random.default_rng(0)
X = RNG.standard_normal((6, 6, 5, 3)).astype(np.float32)
Y = RNG.standard_normal((6, 2)).astype(np.float32)


class Residual(layers.Layer):
    """y = relu(norm(conv2(dropout(relu(conv1(x))))) + shortcut(x))."""

    def __init__(self, filters=4, rate=0.0, norm=False, **kwargs):
        super().__init__(**kwargs)
        dtype = self.dtype.name
        self.convs = [layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_regularizer="l2",
                                    dtype=dtype),
                      layers.Conv2D(filters, 3, padding="same", use_bias=not norm, dtype=dtype)]
        self.dropout = layers.Dropout(rate, seed=7, dtype=dtype)
        self.norm = layers.BatchNormalization(dtype=dtype) if norm else None
        self.shortcut = layers.Conv2D(filters, 1, use_bias=False, dtype=dtype)

    def call(self, x, training=None):
        h = self.convs[1](self.dropout(self.convs[0](x), training=training))
        if self.norm is not None:
            h = self.norm(h, training=training)
        return fc.activations.tanh(h + self.shortcut(x))


class Merging(layers.Layer):
    """Two inputs, of which the second is doubled, and the product of both."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = layers.Dense(4, dtype=self.dtype.name)

    def call(self, inputs):
        a, b = inputs
        return self.dense(a) * (2 * b)


ROWS = [
    Case("residual", lambda **more: Residual(**more), (7, 6, 3)),
    Case("dropout", lambda **more: Residual(5, 0.4, **more), (7, 6, 3), random=True),
    Case("batch normalization", lambda **more: Residual(3, norm=True, **more), (7, 6, 3), over_batch=True),
    Case("two inputs", lambda **more: Merging(**more), ((5, 3), (5, 4)), pixel=False),
]


@pytest.mark.parametrize("case", ROWS, ids=lambda case: case.name)
def test_a_layer_with_call_obeys_the_laws_of_layers(case, two_threads):
    for law in checks.LAWS:
        law(case)
    checks.any_number_of_threads(case, two_threads)


def network(*kwargs):
    fc.utils.set_random_seed(5)
    return fc.Sequential([fc.Input((6, 5, 3)), *(Residual(**one) for one in kwargs), layers.GlobalAveragePooling2D(),
                          layers.Dense(2)])


def trained(*kwargs):
    model = network(*kwargs)
    model.compile("sgd", "mse")
    model.fit(X, Y, batch_size=3, epochs=2, verbose=0)
    return model


def functional(filters=4, norm=True):
    """The same as a network of one block, written out."""
    fc.utils.set_random_seed(5)
    x = fc.Input((6, 5, 3))
    convs = [layers.Conv2D(filters, 3, padding="same", activation="relu", kernel_regularizer="l2"),
             layers.Conv2D(filters, 3, padding="same", use_bias=not norm)]
    drop = layers.Dropout(0.3, seed=7)
    bn = layers.BatchNormalization() if norm else layers.Linear()
    shortcut = layers.Conv2D(filters, 1, use_bias=False)
    h = fc.activations.tanh(bn(convs[1](drop(convs[0](x)))) + shortcut(x))
    return fc.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(h)))


def test_a_block_is_what_it_does_written_out_fusions_seeds_and_all():
    block, written = network({"rate": 0.3, "norm": True}), functional()
    written.set_weights(block.get_weights())  # they have one order here
    for model in (block, written):
        model.seed = 3
        model.compile("sgd", "mse")
        for _ in range(2):
            model.train_on_batch(X, Y)
    for a, b in zip(block.get_weights(), written.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    np.testing.assert_array_equal(block.predict(X), written.predict(X))
    assert [type(step.node).__name__ for step in block.prediction_graph().steps] == [
        type(step.node).__name__ for step in written.prediction_graph().steps]
    assert block.multiply_adds() == written.multiply_adds()


@pytest.mark.parametrize("how", ["deepcopy", "save", "config"])
def test_networks_of_blocks_are_copied_and_saved(how, tmp_path):
    model = trained({"rate": 0.2, "norm": True}, {"filters": 3})
    model.layers[1].shortcut.trainable = False
    own = {"Residual": Residual}
    if how == "deepcopy":
        again = copy.deepcopy(model)
    elif how == "save":
        model.save(tmp_path / "m.safetensors")
        again = fc.saving.load_model(tmp_path / "m.safetensors", custom_objects=own)
    else:
        again = fc.Sequential.from_config(model.get_config(), custom_objects=own)
        again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert [p.name for p in again.trainable_weights] == [p.name for p in model.trainable_weights]
    assert not again.layers[1].shortcut.trainable
    assert next(iter(model.named_weights())).endswith("/convs/0/kernel")


def test_a_frozen_block_stays():
    model = network({}, {"filters": 3, "norm": True})
    model.layers[1].trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.fit(X, Y, verbose=0)
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert moved == [True] * 5 + [False] * 8 + [True] * 2


def test_a_block_serves_tensors_of_several_shapes_and_its_call_is_asked_for_each():
    seen = []

    class Shaped(Residual):
        def call(self, x, training=None):
            seen.append(x.shape)
            return layers.Reshape((x.shape[1] * x.shape[2], 4))(super().call(x, training))

    block = Shaped()
    a, b = fc.Input((6, 5, 3)), fc.Input((4, 4, 3))
    model = fc.Model([a, b], [block(a), block(b)])
    assert model.output_shape == ((None, 30, 4), (None, 16, 4))
    small = np.ascontiguousarray(X[:, :4, :4])
    alone = block.for_shape((None, 4, 4, 3))
    np.testing.assert_array_equal(model.predict([X, small])[1], alone.predict(small))
    assert set(seen) == {(None, 6, 5, 3), (None, 4, 4, 3)}
    twin = network({}).for_shape((None, 4, 4, 3))
    assert twin.predict(small).shape == (6, 2)


def test_blocks_hold_blocks_and_what_lies_within_is_shared():
    class Stack(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.block = Residual(3)

        def call(self, x):
            return self.block(self.block(x))

    stack = Stack()
    y, backward = stack.forward(X)
    assert backward(np.ones_like(y)).shape == X.shape
    assert [path for path, _ in stack.weights_by_path()] == [
        "block/convs/0/kernel", "block/convs/0/bias", "block/convs/1/kernel", "block/convs/1/bias",
        "block/shortcut/kernel"]
    assert stack.predict(X).shape == stack(X, training=True).shape == y.shape


def test_the_shape_of_an_output_is_told_without_building_anything():
    block = Residual(3)
    assert block.compute_output_shape((None, 8, 8, 2)) == (None, 8, 8, 3)
    assert not block.built
    assert not block.weights
    assert block.compute_output_shape((None, 6, 5, 3)) == (None, 6, 5, 3)
    chain = fc.Sequential([block, layers.Conv2D(2, 9)])
    with pytest.raises(ArgumentError):
        chain.build((None, 6, 5, 3))
    assert not block.weights
    assert network({}).layers[0].convs[0].name != block.convs[0].name


def own(call, **attributes):
    """Return a layer with a call, and with attributes."""
    layer = type("Own", (layers.Layer,), {"call": call})()
    for name, value in attributes.items():
        setattr(layer, name, value)
    return layer


@pytest.mark.parametrize(("make", "message"), [
    (lambda: own(lambda self, x: layers.Dense(2)(x)), "layers that it holds, got Dense .*make it in __init__"),
    (lambda: own(lambda self, x: 3), "to return tensors .* got int"),
    (lambda: own(lambda self, x: []), "to return tensors .* got nothing"),
    (lambda: own(lambda self, x, training=None: x if training else -x), "same in training and in prediction"),
    (lambda: own(lambda self, x: layers.ReLU()(x), spare=layers.Dense(2)), "apply every layer .* got spare"),
    (lambda: own(lambda self, x: np.abs(np.asarray(x))), "expected an array here"),
    (lambda: type("Own", (layers.Layer,), {"call": lambda self, x: layers.ReLU()(x)})(activity_regularizer="l2"),
     "activity_regularizer is not offered beside call"),
    (lambda: own(lambda self, x: fc.Input((3,))), "depend on its inputs alone"),
])
def test_a_call_that_is_no_graph_is_refused_before_anything_is_built(make, message):
    layer = make()
    for use in (lambda: layer(X[:, 0]), lambda: layer(fc.Input((5, 3))), lambda: layer.build((None, 5, 3))):
        with pytest.raises(ArgumentError, match=message):
            use()
    assert not layer.built


def test_a_call_beside_forward_or_of_other_arguments_is_refused_where_the_class_is_made():
    for kind, methods, message in (
            (layers.Conv2D, {"call": lambda self, x: x}, "either call, .* got both"),
            (layers.Layer, {"call": lambda self, x: x, "forward": lambda self, x, call: x},
             "either call, .* got both")):
        with pytest.raises(ArgumentError, match=message):
            type("Own", (kind,), methods)


def test_penalties_within_a_block_are_part_of_the_loss():
    class Penalized(layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.dense = layers.Dense(2, activity_regularizer="l2", kernel_regularizer="l1")

        def call(self, x):
            return self.dense(x)

    losses = []
    for first in (Penalized(), layers.Dense(2, activity_regularizer="l2", kernel_regularizer="l1")):
        model = fc.Sequential([fc.Input((3,)), first])
        model.set_weights([np.full((3, 2), 0.3, np.float32), np.ones(2, np.float32)])
        model.compile("sgd", "mse")
        losses.append([model.evaluate(X[:, 0, 0], Y), model.train_on_batch(X[:, 0, 0], Y)])
    assert losses[0] == losses[1]
