"""Models with `call`: a class that holds layers, and says with tensors what they compute."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.training import Orders

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 6, 6, 3)).astype(np.float32)
Y = np.arange(12) % 4


class Net(fc.Model):
    """As in Keras's documentation: without a name, layers in lists, `training` handed on."""

    def __init__(self, classes=3):
        super().__init__()
        self.first = layers.Conv2D(4, 3, padding="same", activation="relu")
        self.blocks = [layers.Conv2D(4, 3, padding="same") for _ in range(2)]
        self.drop = layers.Dropout(0.3, seed=1)
        self.pool = layers.GlobalAveragePooling2D()
        self.head = layers.Dense(classes, activation="softmax")

    def call(self, x, training=None):
        x = self.first(x)
        for block in self.blocks:
            x = x + fc.activations.relu(block(x))
        return self.head(self.pool(self.drop(x, training=training)))


class Two(fc.Model):
    """Two inputs, outputs in a dict, and a layer that both share."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.a, self.b = layers.Dense(2), layers.Dense(2)

    def call(self, inputs):
        p, q = inputs
        return {"sum": self.a(p) + self.b(q), "p": self.a(p)}


def written_out():
    """The layers of `Net(4)` in the functional form."""
    x = fc.Input((6, 6, 3))
    y = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    for _ in range(2):
        y = y + fc.activations.relu(layers.Conv2D(4, 3, padding="same")(y))
    y = layers.GlobalAveragePooling2D()(layers.Dropout(0.3, seed=1)(y))
    return fc.Model(x, layers.Dense(4, activation="softmax")(y))


def fitted(make):
    """Return a model that was trained from weights and in an order that only the seed here decides, and the history."""
    model = make()
    model.build((None, 6, 6, 3))
    draw = np.random.default_rng(3)
    model.set_weights([0.3 * draw.standard_normal(p.shape).astype(np.float32) for p in model.weights])
    model.seed, model.orders = 3, Orders(3)
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, model.fit(X, Y, batch_size=5, epochs=2, verbose=0).history


def test_a_model_is_what_its_call_does_in_the_functional_form_bit_for_bit():
    (model, history), (other, expected) = fitted(lambda: Net(4)), fitted(written_out)
    assert history == expected
    np.testing.assert_array_equal(model.predict(X), other.predict(X))
    assert model.evaluate(X, Y) == other.evaluate(X, Y)
    one = X[:1]
    for _ in range(3):  # the third is replayed
        np.testing.assert_array_equal(model.predict(one), other.predict(one))
    assert [fusion.node for fusion in model.fusions()] == [fusion.node for fusion in other.fusions()]
    assert model.multiply_adds() == other.multiply_adds()


def test_layers_and_weights_are_those_that_the_attributes_hold_in_their_order():
    model = Net()
    assert model.layers == [model.first, *model.blocks, model.drop, model.pool, model.head]
    assert not model.built
    assert model.weights == []
    model.build((None, 6, 6, 3))
    assert list(model.named_weights()) == ["first/kernel", "first/bias", "blocks/0/kernel", "blocks/0/bias",
                                           "blocks/1/kernel", "blocks/1/bias", "head/kernel", "head/bias"]
    assert model.count_params() == sum(w.size for w in model.get_weights())
    assert (model.input_shape, model.output_shape) == ((None, 6, 6, 3), (None, 3))
    assert model.get_layer(model.head.name) is model.head


@pytest.mark.parametrize("how", ["deepcopy", "save", "weights"])
def test_a_model_with_call_is_copied_and_saved_compiled_and_frozen_as_it_is(how, tmp_path):
    model, _ = fitted(lambda: Net(4))
    model.blocks[1].trainable = False
    path = tmp_path / "m.safetensors"
    if how == "deepcopy":
        again = copy.deepcopy(model)
    else:
        model.save(path)
        again = Net(4) if how == "weights" else fc.saving.load_model(path, custom_objects={"Net": Net})
    if how == "weights":
        again.build((None, 6, 6, 3))
        again.load_weights(path)
    else:
        assert not again.blocks[1].trainable
        assert again.optimizer is not None
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_a_twin_shares_its_layers_and_training_moves_both():
    model, _ = fitted(lambda: Net(4))
    twin, before = model.for_shape((None, 4, 4, 3)), model.get_weights()
    twin.train_on_batch(np.ascontiguousarray(X[:, :4, :4]), Y)
    assert all(not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))


def test_it_lies_in_other_models_and_is_frozen_whole():
    inner = Net(2)
    model = fc.Sequential([inner, layers.Dense(3)])
    model.build((None, 6, 6, 3))
    assert model.predict(X).shape == (12, 3)
    inner.trainable = False
    assert not inner.head.trainable
    assert len(model.trainable_weights) == 2
    lines = []
    model.summary(print_fn=lines.append, expand_nested=True)
    assert inner.blocks[1].name in lines[0]
    again = fc.Sequential.from_config(model.get_config(), custom_objects={"Net": Net})
    assert again.count_params() == model.count_params()


def test_several_inputs_are_a_list_and_outputs_may_be_a_dict():
    model, xs = Two(name="two"), [X[:, 0, 0], np.ascontiguousarray(X[:, 1, 1, :2])]
    found = model.predict(xs)
    assert list(found) == model.output_names == ["sum", "p"]
    assert model.input_shape == ((None, 3), (None, 2))
    model.compile("sgd", {"sum": "mse", "p": "mse"})
    zeros = np.zeros((12, 2), np.float32)
    assert model.train_on_batch(xs, {"sum": zeros, "p": zeros})[0] > 0
    again = copy.deepcopy(model)
    np.testing.assert_array_equal(again.predict(xs)["sum"], model.predict(xs)["sum"])
    a, b = fc.Input((3,)), fc.Input((2,))
    assert fc.Model([a, b], Two()([a, b])["sum"]).predict(xs).shape == (12, 2)


def test_a_type_comes_from_the_layers():
    class Wide(fc.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2, dtype="float64")

        def call(self, x):
            return self.dense(x)

    assert Wide().predict(X[:, 0, 0]).dtype == np.float64


def test_the_exported_model_is_made_of_the_layers_within(tmp_path):
    onnx = pytest.importorskip("onnx")
    model, _ = fitted(lambda: Net(4))
    path = fc.onnx.export(model, tmp_path / "m.onnx")
    assert {"Conv", "Gemm"} & {node.op_type for node in onnx.load(path).graph.node}
    np.testing.assert_allclose(fc.onnx.load(path).predict(X), model.predict(X), rtol=1e-5, atol=1e-6)


def test_inputs_beside_call_are_refused_and_a_class_without_call_wants_them():
    x = fc.Input((3,))

    class Handing(Two):
        def __init__(self):
            fc.Model.__init__(self, x, layers.Dense(2)(x))

    with pytest.raises(ArgumentError, match="from call alone, got some"):
        Handing()
    with pytest.raises(ArgumentError, match=r"got none; .*with call\(self, x\)"):
        type("Empty", (fc.Model,), {})()


def test_what_fails_in_call_leaves_the_model_as_it_was():
    model = Net()
    with pytest.raises(ArgumentError):
        model.predict(X[:, 0, 0])
    assert not model.built
    assert model.weights == []
    assert model.predict(X).shape == (12, 3)
