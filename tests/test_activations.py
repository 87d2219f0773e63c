import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import activations, layers
from fastcnn.errors import ArgumentError

X = np.random.default_rng(0).standard_normal((3, 5, 4)).astype(np.float32)
WITH_PARAMETERS = [
    ("relu", {"max_value": 0.5}), ("relu", {"max_value": 6}), ("relu", {"negative_slope": 0.1, "max_value": 0.7}),
    ("relu", {"negative_slope": 0.2, "max_value": 3.0}), ("relu", {"threshold": 0.2}),
    ("leaky_relu", {"negative_slope": 0.4}), ("elu", {"alpha": 2.0}),
    ("celu", {"alpha": 0.5}), ("gelu", {"approximate": True}), ("soft_shrink", {"threshold": 0.1}),
    ("hard_shrink", {"threshold": 0.1}), ("threshold", {"threshold": 0.3, "default_value": -1.0}),
    ("squareplus", {"b": 2}), ("softmax", {"axis": 1}), ("log_softmax", {"axis": [1, 2]}),
]  # fmt: skip


@pytest.mark.parametrize("name", sorted(set(activations.__all__) - {"get", "serialize", "deserialize", "threshold"}))
def test_a_function_is_its_name(name):
    function = getattr(activations, name)
    by_name = layers.Activation(name)
    np.testing.assert_array_equal(function(X), by_name(X))
    layer = layers.Activation(function)
    assert activations.get(layer.get_config()["activation"]) is activations.get(name)
    assert function.__doc__


@pytest.mark.parametrize(("name", "parameters"), WITH_PARAMETERS, ids=str)
def test_a_function_with_parameters_becomes_part_of_a_model_and_of_its_file(name, parameters, tmp_path):
    function = getattr(activations, name)
    inputs = fc.Input(X.shape[1:])
    model = fc.Model(inputs, function(inputs, **parameters))
    np.testing.assert_array_equal(model.predict(X, verbose=0), function(X, **parameters))
    layer = model.layers[-1]
    again = layers.Activation.from_config(json.loads(json.dumps(layer.get_config())))
    np.testing.assert_array_equal(again(X), function(X, **parameters))
    model.save(tmp_path / "m.safetensors")
    np.testing.assert_array_equal(fc.saving.load_model(tmp_path / "m.safetensors").predict(X, verbose=0),
                                  function(X, **parameters))


def test_a_function_takes_any_array():
    frozen = X.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(activations.relu(frozen), np.maximum(X, 0))
    np.testing.assert_array_equal(activations.relu(X[..., ::2]), np.maximum(X[..., ::2], 0))
    np.testing.assert_array_equal(activations.relu(np.arange(-3, 4)), [0, 0, 0, 0, 1, 2, 3])


def test_a_function_takes_lists_vectors_and_any_axis():
    np.testing.assert_array_equal(activations.relu([-1, 2.5]), np.float32([0, 2.5]))
    rows = np.exp([1.0, 2.0, 3.0])
    np.testing.assert_allclose(activations.softmax([1.0, 2.0, 3.0]), rows / rows.sum(), rtol=1e-6)
    np.testing.assert_allclose(activations.softmax(X, axis=0).sum(0), 1, rtol=1e-6)
    np.testing.assert_allclose(np.exp(activations.log_softmax(X[0, 0])).sum(), 1, rtol=1e-6)
    with pytest.raises(ArgumentError, match="expected an array or a symbolic tensor, got str"):
        activations.relu("x")


def test_an_activation_has_a_name_and_a_layer_of_one_is_one():
    assert activations.get("softmax").__name__ == layers.Activation("softmax").activation.__name__ == "softmax"
    layer = layers.Dense(3, activation=layers.LeakyReLU(0.1))
    assert layer.activation == layers.LeakyReLU(0.1).function
    assert layers.Dense.from_config(json.loads(json.dumps(layer.get_config()))).activation == layer.activation
    for name in ("relu", "softmax", "linear"):
        assert activations.serialize(getattr(activations, name)) == name
    assert activations.deserialize(activations.serialize(layer.activation)) == layer.activation


def test_layers_take_a_function_and_save_its_name():
    layer = layers.Dense(3, activation=activations.relu6)
    assert layer.activation is activations.get("relu6")
    assert json.loads(json.dumps(layer.get_config()))["activation"] == "relu6"
    assert layers.Activation(activations.swish).get_config()["activation"] == "silu"
    assert layers.Dense(3, activation=activations.linear).activation is None


@pytest.mark.parametrize(("given", "text"), [
    ("rellu", "did you mean 'relu'"), ("glu", "'glu' is not offered"), ("sparsemax", "not offered"),
    (activations.threshold, "'threshold' is not offered"), (lambda x: x, "layers.ReLU"), (7, "7 is not known"),
    ({"name": "what"}, "'what' is not known"),
])
def test_what_is_no_activation_is_refused(given, text):
    with pytest.raises(ArgumentError, match=text):
        layers.Dense(3, activation=given)


@pytest.mark.parametrize(("make", "text"), [
    (lambda: layers.ReLU(max_value=-1), "max_value of at least 0"),
    (lambda: layers.ReLU(negative_slope=None), "negative_slope of at least 0"),
    (lambda: layers.CELU(0), "other than 0"),
    (lambda: layers.Softmax(2).build((None, 3)), r"axis in 1\.\.1"),
    (lambda: layers.LogSoftmax((1, 4)).build((None, 3, 4)), r"axis in 1\.\.2"),
    (lambda: layers.PReLU(shared_axes=3).build((None, 3, 4)), r"within 1\.\.2"),
    (lambda: layers.PReLU(alpha_constraint="no_neg"), "constraint"),
    (lambda: layers.Dense(3, lora_rank=2), "lora_rank=2 is not offered"),
    (lambda: layers.Dense(3, kernel_constraint="unit"), "constraint"),
    (lambda: layers.Dot("x"), "axes to be an integer or several"), (lambda: layers.Dot((1, 2, 1)), "an integer or two"),
    (lambda: layers.Dot(3).build(((None, 3), (None, 3))), r"axes in 1\.\.1"),
    (lambda: layers.Dot(1).build(((None, 3), (None, 4))), "as many numbers"),
    (lambda: layers.Subtract().build(((None, 3),) * 3), "expected 2 inputs, got 3"),
    (lambda: layers.Add()(X), "list of inputs"),
    (lambda: layers.Add().build(((None, 3), (None, 4))), "one shape"),
    (lambda: layers.Concatenate(3).build(((None, 3), (None, 3))), r"axis in 1\.\.1"),
    (lambda: layers.Concatenate().build(((None, 3, 4), (None, 2, 4))), "along axis -1 alone"),
])
def test_what_cannot_be_is_told_in_one_sentence(make, text):
    with pytest.raises(ArgumentError, match=text):
        make()


def test_the_functional_forms_are_the_layers():
    a, b = X, np.roll(X, 1)
    for name in ("add", "subtract", "multiply", "average", "maximum", "minimum", "concatenate"):
        np.testing.assert_array_equal(getattr(layers, name)([a, b]), getattr(layers, name.title())()([a, b]))
    np.testing.assert_array_equal(layers.concatenate([a, b], axis=1), np.concatenate([a, b], axis=1))
    np.testing.assert_array_equal(layers.dot([a, b], axes=2), layers.Dot(2)([a, b]))


def test_a_model_of_merges_predicts_what_its_layers_do_again_and_again():
    a, b = fc.Input((5, 4)), fc.Input((5, 4))
    cosine = layers.dot([a, b], axes=1, normalize=True)
    gate = layers.Activation("hard_sigmoid")(a)
    parts = [cosine, layers.multiply([layers.maximum([a, b]), gate]), layers.Softmax(1)(b)]
    model = fc.Model([a, b], layers.Concatenate(axis=1)(parts))
    for seed in range(4):
        x, y = np.random.default_rng(seed).standard_normal((2, 6, 5, 4)).astype(np.float32)
        unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in (x, y)]
        exponentials = np.exp(y)
        expected = [np.einsum("nci,nck->nik", *unit), np.maximum(x, y) * np.clip(x / 6 + 0.5, 0, 1),
                    exponentials / exponentials.sum(axis=1, keepdims=True)]
        np.testing.assert_allclose(model.predict([x, y], verbose=0), np.concatenate(expected, axis=1), atol=1e-6)


def test_add_takes_a_relu():
    layer, a, b = layers.Add(), X, np.roll(X, 1)
    y, backward = layer.forward([a, b], relu=True)
    np.testing.assert_array_equal(y, np.maximum(a + b, 0))
    np.testing.assert_array_equal(layer.predict([a, b], relu=True), y)
    da, db = backward(np.ones_like(y))
    assert np.shares_memory(da, db), "one gradient for both"
    np.testing.assert_array_equal(da, a + b > 0)


def test_add_gives_its_gradient_on_as_it_is():
    y, backward = layers.Add().forward([X, X])
    dy = np.ones_like(y)
    assert all(np.shares_memory(dx, dy) for dx in backward(dy))


def test_a_function_that_get_returns_is_called_as_those_of_the_module_are():
    x = np.array([[-1.0, 2.0]], np.float32)
    for name in ("relu", "softmax", "gelu", {"name": "clip", "alpha": 1.0}):
        function = fc.activations.get(name)
        np.testing.assert_array_equal(function(x), layers.Activation(function)(x))
        assert function(x.astype(int)).dtype == np.float32
        assert function(fc.Input((2,))).shape == (None, 2)
    np.testing.assert_array_equal(fc.activations.get("relu")(x), [[0, 2]])
