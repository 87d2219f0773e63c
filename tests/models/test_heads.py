"""New heads: which layer is replaced, what stays, what follows it, and networks that have no head."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.models import replace_head

X = np.random.default_rng(0).standard_normal((3, 6, 6, 2)).astype("float32")


def convolutional(*after):
    return fc.Sequential([fc.Input((6, 6, 2)), layers.Conv2D(4, 3, name="features"), layers.Dropout(0.5),
                          layers.Conv2D(5, 1, activation="relu", name="scores"), *after])


def of_dense():
    return fc.Sequential([fc.Input((6, 6, 2)), layers.Flatten(), layers.Dense(4, activation="relu", name="features"),
                          layers.Dense(5, activation="softmax", name="scores")])


def nested(inner, training=None):
    inputs = fc.Input((6, 6, 2))
    return fc.Model(inputs, inner(inputs, training=training))


MODELS = {
    "dense": of_dense,
    "squeezenet": lambda: convolutional(layers.ReLU(), layers.GlobalAveragePooling2D(), layers.Softmax()),
    "reshaped": lambda: convolutional(layers.GlobalAveragePooling2D(keepdims=True), layers.Reshape((5,)),
                                      layers.Activation("softmax")),
    "whole image": lambda: convolutional(layers.AveragePooling2D(4), layers.Flatten()),
    "nested": lambda: nested(of_dense()),
    "nested twice": lambda: nested(nested(of_dense()), training=False),
}


@pytest.mark.fast
@pytest.mark.parametrize("name", MODELS)
def test_a_new_head_gives_probabilities_of_other_classes_behind_the_same_features(name):
    model = MODELS[name]()
    before, outputs = model.get_weights(), model.predict(X)
    other = replace_head(model, 3)
    probabilities = other.predict(X)
    assert probabilities.shape == (3, 3)
    np.testing.assert_allclose(probabilities, 1 / 3, rtol=1e-6)  # nothing is known yet
    kept = {id(p) for p in model.weights} & {id(p) for p in other.weights}
    assert {p.path.rpartition("/")[0].rpartition("/")[2] for p in model.weights if id(p) in kept} == {"features"}
    other.compile("sgd", "sparse_categorical_crossentropy")
    other.fit(X, np.array([0, 1, 2]), epochs=2, verbose=0)
    np.testing.assert_allclose(other.predict(X).sum(axis=1), 1, rtol=1e-6)
    assert not np.array_equal(model.get_weights()[0], before[0])  # the features are shared
    model.set_weights(before)
    np.testing.assert_array_equal(model.predict(X), outputs)


def test_a_relu_on_scores_goes_so_that_every_class_has_a_gradient():
    model = replace_head(MODELS["squeezenet"](), 4)
    assert [type(layer).__name__ for layer in model.layers[-3:]] == ["Conv2D", "GlobalAveragePooling2D", "Activation"]
    assert model.get_layer("head").get_config()["activation"] in (None, "linear")


def test_scores_and_names_are_as_asked_and_a_taken_name_is_passed_over():
    model = replace_head(of_dense(), 3, activation=None, name="scores")
    assert model.layers[-1].name == "new_scores"
    np.testing.assert_array_equal(model.predict(X), np.zeros((3, 3)))


def test_a_model_with_a_new_head_is_saved_and_read(tmp_path):
    model = replace_head(MODELS["nested twice"](), 3)
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(fc.saving.load_model(tmp_path / "m.safetensors").predict(X), model.predict(X))


def two_branches():
    inputs = fc.Input((6, 6, 2))
    x = layers.Flatten()(inputs)
    return fc.Model(inputs, layers.Average()([layers.Dense(3)(x), layers.Dense(3)(x)]))


@pytest.mark.parametrize(("make", "message"), [
    (two_branches, "to end in one layer with weights, a Dense or a convolution, got Average"),
    (lambda: fc.Sequential([fc.Input((6, 6, 2)), layers.Flatten(), layers.Dense(3), layers.BatchNormalization()]),
     "to be a Dense or a convolution, got BatchNormalization"),
    (lambda: fc.Sequential([fc.Input((6, 6, 2)), layers.Flatten()]), "to end in one layer with weights"),
    (lambda: fc.Sequential([fc.Input((6, 6, 2)), layers.Conv2D(3, 1)]), r"a model with outputs \(N, classes\)"),
    (lambda: convolutional(layers.Flatten()), r"expected Flatten .* to give \(N, 3\) after a new head"),
    (lambda: layers.Dense(3), "expected a model with one input and one output")])
def test_what_has_no_head_is_told(make, message):
    with pytest.raises(ArgumentError, match=message):
        replace_head(make(), 3)


@pytest.mark.parametrize("classes", [0, 2.5, "two"])
def test_classes_are_a_positive_integer(classes):
    with pytest.raises(ArgumentError, match="expected classes to be a positive integer"):
        replace_head(of_dense(), classes)
