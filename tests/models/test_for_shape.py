"""A model for images of another size: a twin with the same parameters, which does all that a model does."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.layers import Call

X = np.random.default_rng(0).standard_normal((3, 12, 10, 3)).astype(np.float32)


def chain(size):
    return fc.Sequential([
        fc.Input(size), layers.Conv2D(4, 3, activation="relu", name="a"), layers.BatchNormalization(name="b"),
        layers.MaxPooling2D(name="c"), layers.Dropout(0.5, seed=1, name="d"), layers.GlobalAveragePooling2D(name="e"),
        layers.Dense(2, name="f")])


def graph(size):
    """Skips, a model inside that is used twice, and a layer that it shares with the model around it."""
    shared, i, x = layers.Conv2D(3, 3, padding="same", name="shared"), fc.Input(size, name="i"), fc.Input(size)
    inner = fc.Model(x, layers.Add(name="sum")([shared(x), x]), name="inner")
    y = layers.MaxPooling2D(name="half")(inner(i))
    return fc.Model(i, {"whole": shared(inner(i)), "half": inner(y), "given": i})


def arrays(outputs):
    return list(outputs.values()) if isinstance(outputs, dict) else [outputs]


@pytest.mark.parametrize("make", [chain, graph])
def test_a_twin_is_the_model_that_was_made_for_the_shape(make):
    model, other = make((8, 8, 3)), make((12, 10, 3))
    twin = model.for_shape((None, 12, 10, 3))
    other.set_weights(model.get_weights())
    assert (twin.input_shape, twin.output_shape) == (other.input_shape, other.output_shape)
    assert model.for_shape(model.input_shape) is model
    for verb in (lambda m: m(X), lambda m: m.predict(X), lambda m: m.predict(X[:1]), lambda m: m.predict(X[:1]),
                 lambda m: m.predict(X[:1]), lambda m: m(X, training=True), lambda m: m.predict_on_batch(X)):
        for got, want in zip(arrays(verb(twin)), arrays(verb(other)), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)
    seen = [model(X[:, :8, :8], training=True) for _ in range(2)]
    assert len(seen[0])
    assert model.output_shape == make((8, 8, 3)).output_shape


def test_the_way_back_of_a_twin_adds_to_the_gradients_of_the_model():
    model = chain((8, 8, 3))
    y, backward = model.for_shape((None, 12, 10, 3)).forward(X, Call())
    assert backward(np.ones_like(y)).shape == X.shape
    assert all(p.grad.any() for p in model.trainable_weights)


def test_a_model_that_is_compiled_trains_on_several_sizes_with_one_optimizer():
    model, y = chain((8, 8, 3)), np.zeros((3, 2))
    model.compile("adam", "mse", metrics=["mae"])
    twin, before = model.for_shape((None, 12, 10, 3)), model.get_weights()
    for one, x in ((twin, X), (model, X[:, :8, :8]), (twin, X)):
        assert set(one.train_on_batch(x, y, return_dict=True)) == {"loss", "mae"}
        assert len(one.evaluate(x, y)) == 2
    assert model.optimizer.iterations == 3
    assert not any(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    np.testing.assert_array_equal(twin.predict(X), model.for_shape((None, 12, 10, 3)).predict(X))
    twin.get_layer("a").trainable = False
    assert not model.get_layer("a").trainable


@pytest.mark.parametrize("make", [chain, graph])
def test_a_twin_is_saved_looked_into_and_put_into_others(make, tmp_path):
    twin = make((8, 8, 3)).for_shape((None, 12, 10, 3))
    twin.save(tmp_path / "twin.safetensors")
    loaded = fc.saving.load_model(tmp_path / "twin.safetensors")
    assert loaded.input_shape == twin.input_shape
    assert loaded.count_params() == twin.count_params()
    for got, want in zip(arrays(loaded.predict(X)), arrays(twin.predict(X)), strict=True):
        np.testing.assert_array_equal(got, want)
    name = {chain: "c", graph: "half"}[make]
    part = fc.Model(twin.input, twin.get_layer(name).output)
    assert part.predict(X).shape[1:] == twin.get_layer(name).output_shape[1:]
    lines = []
    twin.summary(print_fn=lines.append)
    assert "input (N, 12, 10, 3)" in lines[0]
    assert "(N, 8, 8, 3)" not in lines[0]


def test_layers_of_a_twin_may_be_taken_off_and_added():
    model = chain((8, 8, 3))
    twin = model.for_shape((None, 12, 10, 3))
    twin.pop()
    twin.add(layers.Dense(5))
    assert twin.predict(X).shape == (3, 5)
    assert model.predict(X[:, :8, :8]).shape == (3, 2)


def test_weights_that_depend_on_the_shape_say_so():
    model = fc.Sequential([fc.Input((8, 8, 3)), layers.Flatten(), layers.Dense(2, name="head")])
    for shape in ((None, 12, 10, 3), (12, 12, 10, 3)):
        with pytest.raises(ArgumentError, match=r'Dense "head": expected input \(N, 192\), for which its parameters'):
            model.for_shape(shape)
    with pytest.raises(ArgumentError, match="a window of 3x3"):
        chain((8, 8, 3)).for_shape((None, 2, 2, 3))
    with pytest.raises(ArgumentError, match=r"model\.for_shape\(\(None, 12, 10, 3\)\) is the model for it"):
        chain((8, 8, 3)).predict(X)
