"""Layers that return what comes in, draw slopes, and run another layer."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call

X = np.random.default_rng(0).standard_normal((4, 6, 6, 3)).astype("float32")


def test_slopes_are_drawn_for_each_number_in_training_and_are_their_mean_in_prediction():
    layer = layers.RReLU(0.1, 0.3, seed=1)
    y, backward = layer.forward(X, Call(step=1))
    slopes = (y / X)[X < 0]
    assert (y[X > 0] == X[X > 0]).all()
    assert 0.1 <= slopes.min() < 0.12
    assert 0.28 < slopes.max() <= 0.3
    np.testing.assert_allclose(backward(np.ones_like(X)), np.where(X > 0, 1, y / X), rtol=1e-5)
    assert (layer.forward(X, Call(step=2))[0] != y)[X < 0].any()
    np.testing.assert_allclose(layer.predict(X), np.where(X > 0, X, 0.2 * X), rtol=1e-6)
    assert (layer.forward(X, Call(training=False))[0] == layer.predict(X)).all()
    assert (layers.RReLU(0.2, 0.2)(X, training=True) == layers.LeakyReLU(0.2)(X)).all()


@pytest.mark.parametrize(("l1", "l2"), [(0.5, 0.0), (0.0, 0.25)])
def test_an_activity_is_penalized_and_passes(l1, l2):
    model = fc.Sequential([fc.Input((2,)), layers.Dense(2, use_bias=False), layers.ActivityRegularization(l1, l2)])
    model.set_weights([np.eye(2)])
    model.compile(fc.optimizers.SGD(0.0), "mse")
    x = np.array([[1, -2], [3, 4]], "float32")
    penalty = (l1 * np.abs(x).sum() + l2 * np.square(x).sum()) / 2
    assert model.evaluate(x, x, verbose=0) == pytest.approx(penalty)
    assert model.train_on_batch(x, x) == pytest.approx(penalty)
    np.testing.assert_array_equal(model.predict(x, verbose=0), x)


def test_a_kernel_is_divided_by_its_largest_singular_value_in_training_alone():
    layer = layers.SpectralNormalization(layers.Conv2D(5, 3), power_iterations=30)
    before = layer(X), layer.kernel.numpy()
    layer(X, training=True)
    matrix = layer.kernel.value.reshape(-1, 5)
    assert np.linalg.norm(matrix, 2) == pytest.approx(1, rel=1e-2)
    np.testing.assert_allclose(matrix * np.linalg.norm(before[1].reshape(-1, 5), 2), before[1].reshape(-1, 5),
                               rtol=1e-2, atol=1e-6)
    np.testing.assert_allclose(np.linalg.norm(layer.vector_u.value), 1, rtol=1e-6)
    zero = layers.SpectralNormalization(layers.Dense(2, kernel_initializer="zeros"))
    assert (zero(np.ones((1, 3)), training=True) == 0).all()
    with pytest.raises(ArgumentError, match="expected a layer with a kernel"):
        layers.SpectralNormalization(layers.ReLU())(X)
    with pytest.raises(ArgumentError, match="power_iterations to be a positive integer, got 0"):
        layers.SpectralNormalization(layers.Dense(2), 0)


class Twice(layers.Wrapper):
    def call(self, x):
        return 2 * self.layer(x)


def test_a_wrapper_trains_saves_and_copies_what_it_wraps(tmp_path):
    fc.utils.set_random_seed(1)
    model = fc.Sequential([fc.Input((6, 6, 3)), layers.SpectralNormalization(layers.Conv2D(4, 3, name="inner")),
                           layers.Wrapper(layers.BatchNormalization()), Twice(layers.Dense(2)), layers.Flatten(),
                           layers.Dense(1)])
    model.compile("adam", "mse")
    y = np.ones((4, 1), "float32")
    history = model.fit(X, y, epochs=20, verbose=0).history["loss"]
    assert history[-1] < history[0]
    model.save(tmp_path / "m.safetensors")
    again = fc.saving.load_model(tmp_path / "m.safetensors", custom_objects={"Twice": Twice})
    for other in (again, fc.models.clone_model(model)):
        other.set_weights(model.get_weights())
        np.testing.assert_array_equal(other.predict(X, verbose=0), model.predict(X, verbose=0))
    assert [w.name for w in model.layers[0].weights] == ["kernel", "vector_u", "bias"]
    with pytest.raises(ArgumentError, match="Wrapper: expected a layer, got 3"):
        layers.Wrapper(3)


@pytest.mark.parametrize("make", [
    lambda: layers.Dense(3, kernel_constraint="max_norm"), lambda: layers.SpectralNormalization(layers.Conv2D(2, 3)),
    lambda: fc.Sequential([fc.Input((2,)), layers.Dense(2)])])
def test_a_layer_survives_json(make):
    layer = make()
    again = layers.deserialize(json.loads(json.dumps(layers.serialize(layer))))
    assert type(again) is type(layer)
    assert json.dumps(layers.serialize(again)) == json.dumps(layers.serialize(layer))


def test_what_is_no_layer_is_refused():
    with pytest.raises(ArgumentError, match="Nothing"):
        layers.deserialize({"class_name": "Nothing", "config": {}})
    with pytest.raises(ArgumentError, match="expected a dict with class_name and config"):
        layers.deserialize("Dense")
    with pytest.raises(ArgumentError, match="serialize: expected a layer, got 3"):
        layers.serialize(3)
    with pytest.raises(ArgumentError, match=r"expected lower of at most upper, got 0\.5 and 0\.25"):
        layers.RReLU(0.5, 0.25)


def test_each_thing_of_a_sample_goes_through_the_layer_by_itself():
    inner = fc.Sequential([fc.Input((6, 3)), layers.Conv1D(4, 3, activation="relu"), layers.GlobalAveragePooling1D()])
    layer = layers.TimeDistributed(inner)
    y, backward = layer.forward(X)
    assert y.shape == (4, 6, 4)
    for k in range(6):
        np.testing.assert_allclose(y[:, k], inner.predict(X[:, k], verbose=0), rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(layer.predict(X)[:, k], y[:, k])
    dy = np.random.default_rng(1).standard_normal(y.shape).astype("float32")
    dx = backward(dy)
    for k in range(6):
        np.testing.assert_allclose(dx[:, k], inner.forward(X[:, k])[1](dy[:, k].copy()), rtol=1e-4, atol=1e-6)
    model = fc.Sequential([fc.Input((6, 6, 3)), layers.TimeDistributed(layers.Conv1D(2, 3))])
    assert model.multiply_adds() == 6 * 4 * 3 * 3 * 2
    again = fc.Sequential.from_config(model.get_config())
    again.set_weights(model.get_weights())
    np.testing.assert_array_equal(again.predict(X, verbose=0), model.predict(X, verbose=0))
    with pytest.raises(ArgumentError, match=r"expected an input \(N, T, \.\.\.\)"):
        layers.TimeDistributed(layers.Dense(2))(np.ones((2, 3), "float32"))
