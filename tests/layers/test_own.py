"""Layers of a user's own, as Keras's guides write them: build, add_weight, call, add_loss; beside fastcnn's layers."""

import copy

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers, ops
from fastcnn.errors import ArgumentError, StatefulCallError

RNG = np.random.default_rng(0)
X = RNG.standard_normal((12, 5)).astype(np.float32)
Y = (X[:, :3] @ RNG.standard_normal((3, 2))).astype(np.float32)


class Linear(layers.Layer):
    def __init__(self, units=32, **kwargs):
        super().__init__(**kwargs)
        self.units = units

    def build(self, input_shape):
        self.w = self.add_weight(shape=(input_shape[-1], self.units), initializer="random_normal", trainable=True,
                                 regularizer="l2")
        self.b = self.add_weight(shape=(self.units,), initializer="zeros", name="b")

    def call(self, inputs):
        return ops.matmul(inputs, self.w) + self.b


class Normalized(layers.Layer):
    """A layer normalization written out; its build hands on and says that it is built, as older scripts do."""

    def build(self, input_shape):
        self.scale = self.add_weight((input_shape[-1],), "ones", name="scale")
        super().build(input_shape)
        self.built = True

    def call(self, x, training=None):
        mean = ops.mean(x, axis=-1, keepdims=True)
        return self.scale * (x - mean) / ops.sqrt(ops.var(x, axis=-1, keepdims=True) + 1e-3)


def trained(hidden, normalized, out, **compiled):
    """Return a model of three layers after some steps from weights that are decided here, and its losses."""
    model = fc.Sequential([fc.Input((5,)), hidden, normalized, layers.ReLU(), out])
    draw = np.random.default_rng(3)
    model.set_weights([(0.3 * draw.standard_normal(p.shape)).astype(np.float32) for p in model.weights])
    model.compile("adam", "mse", **compiled)
    return model, [model.train_on_batch(X, Y) for _ in range(4)]


def test_a_network_of_own_layers_trains_as_the_same_of_layers():
    own, losses = trained(Linear(8), Normalized(), Linear(2))
    plain, expected = trained(layers.Dense(8, kernel_regularizer="l2"), layers.LayerNormalization(center=False),
                              layers.Dense(2, kernel_regularizer="l2"))
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    np.testing.assert_allclose(own.predict(X), plain.predict(X), rtol=1e-4, atol=1e-5)
    for a, b in zip(own.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_weights_have_names_and_an_array_is_enough_to_build():
    layer = Linear(3)
    assert layer(X).shape == (12, 3)
    assert [(p.name, p.shape) for p in layer.weights] == [("variable", (5, 3)), ("b", (3,))]
    layer.set_weights([np.ones((5, 3)), np.ones(3)])
    np.testing.assert_allclose(layer(X), X.sum(1, keepdims=True).repeat(3, 1) + 1, rtol=1e-5)


@pytest.mark.parametrize("how", ["copy", "file"])
def test_it_is_copied_and_saved_with_its_weights(how, tmp_path):
    model, _ = trained(Linear(8, name="first"), Normalized(), Linear(2))
    if how == "copy":
        again = copy.deepcopy(model)
    else:
        model.save(tmp_path / "m.safetensors")
        again = fc.saving.load_model(tmp_path / "m.safetensors",
                                     custom_objects={"Linear": Linear, "Normalized": Normalized})
    np.testing.assert_array_equal(again.predict(X), model.predict(X))
    assert again.train_on_batch(X, Y) == model.train_on_batch(X, Y)


def test_frozen_it_is_not_trained_and_thawed_it_is():
    model, _ = trained(Linear(8), Normalized(), Linear(2))
    model.layers[0].trainable = False
    model.compile("sgd", "mse")
    before = model.get_weights()
    model.train_on_batch(X, Y)
    moved = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert moved == [False, False, True, True, True]
    model.layers[0].trainable = True
    model.compile("sgd", "mse")
    model.train_on_batch(X, Y)
    assert not np.array_equal(before[0], model.get_weights()[0])


class Sparse(layers.Layer):
    """Adds a loss, and one in a layer that it holds."""

    def __init__(self, rate=0.1, inner=None):
        super().__init__()
        self.rate, self.inner = rate, inner

    def call(self, x):
        self.add_loss(self.rate * ops.sum(ops.abs(x)))
        return x if self.inner is None else self.inner(x * 2.0)


def test_added_losses_are_part_of_the_loss_and_of_the_gradient():
    layer = Sparse(0.1, Sparse(0.01))
    assert layer.losses == []
    layer(X)
    total = np.abs(X).sum()
    np.testing.assert_allclose(sorted(layer.losses), [0.02 * total, 0.1 * total], rtol=1e-5)
    model = fc.Sequential([fc.Input((5,)), layers.Dense(5, use_bias=False, kernel_initializer="ones"),
                           Sparse(0.1, Sparse(0.01))])
    model.compile(fc.optimizers.SGD(1.0), "mse")
    target = 2 * X.sum(1, keepdims=True).repeat(5, 1)  # what it gives: the added loss alone remains
    expected = 0.12 * np.abs(X.sum(1)).sum() * 5
    assert model.evaluate(X, target) == pytest.approx(expected, rel=1e-4)
    before = model.get_weights()[0]
    assert model.train_on_batch(X, target) == pytest.approx(expected, rel=1e-4)
    slope = 0.12 * (X.T @ np.sign(X.sum(1, keepdims=True))).repeat(5, 1)
    np.testing.assert_allclose(before - model.get_weights()[0], slope, rtol=1e-4, atol=1e-5)


class Distance(layers.Layer):
    def call(self, anchor, positive, negative):
        return ops.sum(ops.square(anchor - positive), -1), ops.sum(ops.square(anchor - negative), -1)


def test_several_tensors_one_by_one():
    a, b = Distance()(X, 2 * X, 0 * X)
    np.testing.assert_allclose(a, (X**2).sum(1), rtol=1e-5)
    np.testing.assert_allclose(b, (X**2).sum(1), rtol=1e-5)
    inputs = [fc.Input((5,)) for _ in range(3)]
    model = fc.Model(inputs, list(Distance()(*inputs)))
    np.testing.assert_allclose(model.predict([X, 2 * X, 0 * X])[0], a, rtol=1e-6)


def test_a_model_has_weights_of_its_own_and_trains_them():
    class Gain(fc.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def build(self, input_shape):
            self.gain = self.add_weight(shape=(), initializer="ones", name="gain")

        def call(self, x):
            return self.dense(x) * self.gain

    model = Gain()
    model.compile(fc.optimizers.SGD(0.1), "mse")
    model.fit(X, Y, epochs=2, verbose=0)
    assert list(model.named_weights()) == ["gain", "dense/kernel", "dense/bias"]
    assert float(model.gain.value) != 1.0


@pytest.mark.parametrize(("make", "message"), [
    (lambda: type("Empty", (layers.Layer,), {})()(X), "expected call\\(self, x\\), which says"),
    (lambda: type("Late", (layers.Layer,), {"call": lambda self, x: self.add_loss(3.0)})()(X), "add_loss expected"),
    (lambda: Sparse().add_loss(3.0), "add_loss expected a tensor that call made"),
    (lambda: type("Array", (layers.Layer,), {"call": lambda self, x: np.ones(3)})()(X), "call to return tensors"),
    (lambda: Linear(2).add_weight(shape=(2,), dtype="int32"), "expected the layer's own dtype, float32, got 'int32'"),
])  # fmt: skip
def test_mistakes_are_told_in_a_sentence(make, message):
    with pytest.raises((ArgumentError, NotImplementedError), match=message):
        make()


def test_a_parameter_of_another_layer_is_told():
    other = layers.Dense(5)
    other.build((None, 5))
    stray = type("Stray", (layers.Layer,), {"call": lambda self, x: x * other.bias})
    with pytest.raises(ArgumentError, match='parameters of the layer whose call is asked, got "dense'):
        stray()(X)


class Counting(layers.Layer):
    """Adds up what it has seen: a state, as Keras's guide has it."""

    def __init__(self, size, **kwargs):
        super().__init__(**kwargs)
        self.total = self.add_weight(shape=(size,), initializer="zeros", trainable=False)

    def call(self, x):
        self.total.assign_add(ops.sum(x, axis=0))
        return self.total


def test_a_call_that_assigns_runs_on_arrays_and_is_told_in_a_model():
    layer = Counting(5)
    for k in (1, 2):
        np.testing.assert_allclose(layer(X), k * X.sum(0), rtol=1e-5)
    assert (len(layer.weights), layer.trainable_weights) == (1, [])
    with pytest.raises(StatefulCallError, match="a layer that assigns in call is called with arrays alone"):
        layer(fc.Input((5,)))


def test_a_call_that_assigns_what_build_made_is_told():
    class Late(Counting):
        def __init__(self):
            layers.Layer.__init__(self)

        def build(self, input_shape):
            self.total = self.add_weight(shape=input_shape[1:], initializer="zeros", trainable=False)

    with pytest.raises(StatefulCallError, match="makes its parameters in __init__"):
        Late()(X)


@pytest.mark.parametrize(("use", "expected"), [
    (lambda a, t: a + t, 5), (lambda a, t: a - t, 1), (lambda a, t: a * t, 6), (lambda a, t: a / t, 1.5),
    (lambda a, t: a // t, 1), (lambda a, t: a % t, 1), (lambda a, t: a ** t, 9), (lambda a, t: t - a, -1),
    (lambda a, t: ops.cast(a > t, "float32"), 1), (lambda a, t: ops.cast(a <= t, "float32"), 0),
    (lambda a, t: np.maximum(1.0, 2.0) * a * t, 12),
])
def test_an_array_before_an_operator_leaves_it_to_the_tensor(use, expected):
    value, _ = fc.gradients(lambda t: use(np.full(2, 3, "float32"), t), np.full(2, 2, "float32"))
    np.testing.assert_allclose(value, expected)


def test_an_array_that_a_tensor_is_added_to_becomes_a_tensor_and_stays_as_it_was():
    start = ops.zeros(())

    def summed(t):
        total = start
        for k in range(3):
            total += k * ops.sum(t)
        return total

    value, gradient = fc.gradients(summed, np.ones(2, "float32"))
    assert (float(value), gradient.tolist(), float(start)) == (6, [3, 3], 0)
    with pytest.raises(ArgumentError, match=r"use fc\.ops in place of NumPy"):
        np.exp(fc.Input((2,)))
