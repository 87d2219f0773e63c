"""Networks cut behind what is frozen, and features that are computed once."""

import os

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.models import cached_features, feature_cache, split_frozen

X = np.random.default_rng(0).standard_normal((20, 6, 6, 2)).astype("float32")
Y = np.arange(20) % 3


def network(frozen=(), last=None):
    """A network with a skip, normalization and dropout."""
    fc.utils.set_random_seed(1)
    inputs = fc.Input((6, 6, 2))
    x = layers.Conv2D(4, 3, padding="same", name="conv_1")(inputs)
    x = layers.BatchNormalization(name="bn_1")(x)
    y = layers.Conv2D(4, 3, padding="same", name="conv_2")(x)
    x = layers.Add(name="add")([x, y])
    x = layers.Dropout(0.3, name="drop")(layers.GlobalAveragePooling2D(name="pool")(x))
    model = fc.Model(inputs, layers.Dense(3, activation="softmax", name="head")(x))
    for name in frozen:
        model.get_layer(name).trainable = False
    model.compile(fc.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    return model


ALL = ("conv_1", "bn_1", "conv_2")


@pytest.mark.fast
def test_the_rest_on_features_is_the_model_and_training_it_trains_the_model():
    model = network(ALL)
    frozen, rest = split_frozen(model)
    assert [layer.name for layer in rest.layers[1:]] == ["drop", "head"]  # dropout draws anew in each step
    features = frozen.predict(X)
    np.testing.assert_allclose(rest.predict(features), model.predict(X), rtol=1e-6)
    before = model.get_weights()
    rest.compile(fc.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    rest.fit(features, Y, epochs=3, batch_size=5, verbose=0)
    moved = [p.path for p, old in zip(model.weights, before, strict=True) if not np.array_equal(p.numpy(), old)]
    assert moved == ["head/kernel", "head/bias"]


def test_it_is_the_same_training_but_for_rounding():
    whole, half = network(ALL), network(ALL)
    frozen, rest = split_frozen(half)
    rest.compile(fc.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    rest.fit(frozen.predict(X), Y, epochs=3, batch_size=5, verbose=0)
    whole.fit(X, Y, epochs=3, batch_size=5, verbose=0)
    for a, b in zip(whole.get_weights(), half.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_a_normalization_that_is_not_frozen_ends_the_frozen_part():
    model = network(("conv_1",))
    model.get_layer("bn_1").trainable = True
    frozen, _ = split_frozen(model)
    assert frozen.layers[-1].name == "conv_1"


@pytest.mark.parametrize(("frozen", "message"), [
    ((), "to begin with frozen layers, got Conv2D \"conv_1\", which is trained or draws"),
    (("conv_2", "head"), "to begin with frozen layers, got Conv2D \"conv_1\"")])
def test_what_has_no_frozen_part_is_told(frozen, message):
    with pytest.raises(ArgumentError, match=message):
        split_frozen(network(frozen))


def test_a_model_that_is_all_frozen_is_told():
    model = network(ALL)
    with pytest.raises(ArgumentError, match=r"expected something in .* that is left to be trained, got all of it"):
        split_frozen(fc.Model(model.inputs, model.get_layer("pool").output))


def test_a_cut_through_branches_is_told():
    inputs = fc.Input((4,))
    x = layers.Dense(4, name="a")(inputs)
    model = fc.Model(inputs, layers.Add()([layers.Dense(4, name="b")(x), layers.Dense(4, name="c")(x)]))
    model.get_layer("a").trainable = model.get_layer("b").trainable = False
    with pytest.raises(ArgumentError, match=r"expected one layer at the end of what is frozen in .*, got "):
        split_frozen(model)


def counted(model, monkeypatch):
    """Return the list of the batches that a model predicts from now on."""
    seen, predict = [], type(model).predict
    monkeypatch.setattr(type(model), "predict", lambda self, x, **how: seen.append(len(x)) or predict(self, x, **how))
    return seen


def test_features_are_computed_once_for_the_same_weights_data_and_scaling(tmp_path, monkeypatch):
    frozen, _ = split_frozen(network(ALL))
    expected = frozen.predict(X)
    seen = counted(frozen, monkeypatch)
    monkeypatch.setattr(feature_cache, "_BLOCK", 8)
    folder = tmp_path / "new" / "features"
    for _ in range(2):
        np.testing.assert_array_equal(cached_features(frozen, X, folder), expected)
    again, _ = split_frozen(network(ALL))  # another process makes the same
    np.testing.assert_array_equal(cached_features(again, X, folder), expected)
    assert seen == [8, 8, 4]
    assert len(list(folder.glob("*.npy"))) == 1

    for other in (X * np.float32(2), X[:19], X[::-1]):
        np.testing.assert_array_equal(cached_features(frozen, other, folder), frozen.predict(other))
    kernel = frozen.get_layer("conv_1").kernel
    kernel.assign(kernel.numpy() * np.float32(1.5))
    np.testing.assert_array_equal(cached_features(frozen, X, folder), frozen.predict(X))
    assert len(list(folder.glob("*.npy"))) == 5


def test_the_files_that_were_not_read_for_longest_make_room(tmp_path, monkeypatch):
    frozen, _ = split_frozen(network(ALL))
    size = (cached_features(frozen, X, tmp_path).nbytes + 128) * 2 + 64
    monkeypatch.setattr(feature_cache, "LIMIT", size)
    (first,) = tmp_path.glob("*.npy")
    cached_features(frozen, X + 1, tmp_path)
    (second,) = set(tmp_path.glob("*.npy")) - {first}
    os.utime(second, (0, 0))
    cached_features(frozen, X, tmp_path)  # the first is read
    cached_features(frozen, X + 2, tmp_path)
    assert first.exists()
    assert not second.exists()
    assert len(list(tmp_path.glob("*.npy"))) == 2


def test_what_cannot_be_written_is_an_error_with_the_folder(tmp_path):
    (tmp_path / "file").write_text("")
    frozen, _ = split_frozen(network(ALL))
    with pytest.raises(OSError, match="file"):
        cached_features(frozen, X, tmp_path / "file")
    with pytest.raises(ArgumentError, match="cached_features: expected a model with one input and one output"):
        cached_features(layers.Dense(3), X, tmp_path)
