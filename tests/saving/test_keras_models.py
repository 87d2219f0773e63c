"""Whole models in Keras's layouts, written here; what Keras itself writes is read in tests/peers."""

import re

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ModelFileError
from tests.saving.keras_files import (
    call,
    entry,
    functional,
    image,
    sequential,
    tensor,
    values,
    write_archive,
    write_h5_model,
)

pytest.importorskip("h5py")


def loaded(tmp_path, config, groups=(), **more):
    return fc.saving.load_model(write_h5_model(tmp_path / "m.h5", config, dict(groups), **more))


X = np.random.default_rng(1).uniform(-3, 3, (2, 4, 4, 2)).astype(np.float32)


def test_a_functional_model_of_keras_2_comes_with_its_weights(tmp_path):
    kernel, bias = values((3, 3, 2, 2), (2,))
    parts = [image(inbound=[]),
             entry("Conv2D", "c", [[["x", 0, 0, {}]]], filters=2, kernel_size=[3, 3], padding="same", groups=1,
                   data_format="channels_last", activation="relu", kernel_constraint=None,
                   kernel_initializer={"class_name": "Orthogonal", "config": {"gain": 1.0}},
                   kernel_regularizer={"class_name": "L2", "config": {"l2": 0.5}}),
             entry("Add", "a", [[["x", 0, 0, {}], ["c", 0, 0, {}]]])]  # fmt: skip
    weights = {"c": {"c/kernel:0": kernel, "c/bias:0": bias}}
    model = loaded(tmp_path, functional(parts, [["x", 0, 0]], [["a", 0, 0]]), weights)
    conv = model.get_layer("c")
    np.testing.assert_array_equal(conv.get_weights()[0], kernel)
    assert conv.kernel.regularizer == fc.regularizers.L2(0.5)
    assert [layer.name for layer in model.layers] == ["x", "c", "a"]
    np.testing.assert_allclose(model.predict(X), X + conv.predict(X), rtol=1e-6)
    assert model.optimizer is None


def test_a_model_of_keras_3_is_read_from_its_archive_whatever_its_name(tmp_path):
    kernel, bias = values((2, 3), (3,))
    policy = {"module": "keras", "class_name": "DTypePolicy", "config": {"name": "float32"}, "registered_name": None}
    dense = entry("Dense", "d", units=3, activation="tanh", quantization_config=None, dtype=policy,
                  kernel_initializer={"module": "keras.initializers", "class_name": "GlorotUniform",
                                      "config": {"seed": None, "input_axes": None}, "registered_name": None})
    config = sequential(image("batch_shape"), dense, trainable=True, dtype=policy, build_input_shape=[None, 4, 4, 2])
    path = write_archive(tmp_path / "net", config, {"layers/dense/vars/0": kernel, "layers/dense/vars/1": bias})
    model = fc.saving.load_model(path)
    assert type(model) is fc.Sequential
    assert model.name == "net"
    np.testing.assert_allclose(model.predict(X), np.tanh(X @ kernel + bias), rtol=1e-5)
    assert fc.saving.load_metadata(path) == {}


ONE_LAYER = {
    "a slope's old name": (entry("LeakyReLU", "l", alpha=0.25), np.where(X > 0, X, 0.25 * X)),
    "a slope's new name": (entry("LeakyReLU", "l", negative_slope=0.25), np.where(X > 0, X, 0.25 * X)),
    "hard_sigmoid of Keras 2": (entry("Activation", "l", activation="hard_sigmoid"), np.clip(0.2 * X + 0.5, 0, 1)),
    "an activation with its name in a dict": (entry("Activation", "l", activation={
        "module": "builtins", "class_name": "function", "config": "relu6", "registered_name": "function"}),
        np.clip(X, 0, 6)),
    "an activation that is a layer": (entry("Activation", "l", activation={
        "class_name": "ReLU", "config": {"name": "r", "max_value": 2.0}}), np.clip(X, 0, 2)),
    "numbers in NumPy's wrapping": (entry("ReLU", "l", max_value={"type": "ndarray", "value": 1.5}, threshold={
        "class_name": "__numpy__", "config": {"value": 0.0, "dtype": "float32"}}, negative_slope=None),
        np.clip(X, 0, 1.5)),
    "tuples in Keras 3's wrapping": (entry("Cropping2D", "l", cropping={"class_name": "__tuple__", "items": [
        {"class_name": "__tuple__", "items": [1, 0]}, {"class_name": "__tuple__", "items": [0, 2]}]}),
        X[:, 1:, :-2]),
    "a layer that does nothing": (entry("Identity", "l"), X),
    "what says nothing new": (entry("MaxPooling2D", "l", pool_size=1, sparse=False, ragged=False, optional=False,
                                    groups=1, autocast=True, colour=None, depth_initializer="zeros"), X),
    "an old name of a class": (entry("BatchNormalizationV1", "l", axis=[3], scale=False, center=False, epsilon=1e-3),
                               X / np.sqrt(np.float32(1.001))),
}  # fmt: skip


@pytest.mark.parametrize("case", ONE_LAYER)
def test_names_and_values_of_other_versions_mean_what_they_meant(tmp_path, case):
    layer, expected = ONE_LAYER[case]
    weights = {"l/moving_mean:0": np.zeros(2), "l/moving_variance:0": np.ones(2)} if "old name of a" in case else None
    model = loaded(tmp_path, sequential(image(), layer), {"l": weights} if weights else {})
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-5, atol=1e-6)


def test_hard_sigmoid_is_that_of_the_version_which_wrote_the_file(tmp_path):
    config = sequential(image("batch_shape"), entry("Activation", "l", activation="hard_sigmoid"))
    model = fc.saving.load_model(write_archive(tmp_path / "m.keras", config, {"layers/activation/x": np.zeros(1)}))
    np.testing.assert_allclose(model.predict(X), np.clip(X / 6 + 0.5, 0, 1), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("form", ["an input layer", "a shape of the first layer", "a list", "build_input_shape"])
def test_a_sequential_model_begins_as_any_version_writes_it(tmp_path, form):
    relu, config = entry("ReLU", "r"), {}
    if form == "an input layer":
        config = sequential(image(), relu)
    elif form == "a shape of the first layer":
        config = sequential(entry("ReLU", "r", batch_input_shape=[None, 4, 4, 2]))
    elif form == "a list":
        config = {"class_name": "Sequential", "config": [image(), relu]}
    else:
        config = sequential(relu, build_input_shape=[8, 4, 4, 2])
    model = loaded(tmp_path, config)
    assert model.input_shape == (None, 4, 4, 2)
    np.testing.assert_array_equal(model.predict(X), np.maximum(X, 0))


def test_models_inside_shared_layers_and_operations_of_keras_2(tmp_path):
    """The inner model's own call is the first: calls of it count from 1."""
    inner = sequential(image(name="i"), entry("ReLU", "r"), name="inner")
    parts = [image(inbound=[]), inner | {"name": "inner", "inbound_nodes": [[["x", 0, 0, {}]], [["m", 0, 0, {}]]]},
             entry("TFOpLambda", "m", [["x", 0, 0, {"y": -2.0, "name": None}]], function="math.multiply"),
             entry("TFOpLambda", "s", [["_CONSTANT_VALUE", -1, 1.0, {"y": ["inner", 2, 0]}]], function="math.subtract"),
             entry("TFOpLambda", "a", [["inner", 1, 0, {"y": ["s", 0, 0]}]], function="__operators__.add"),
             entry("Concatenate", "c", [[["a", 0, 0, {}], ["inner", 1, 0, {}]]], axis=-1)]  # fmt: skip
    model = loaded(tmp_path, functional(parts, [["x", 0, 0]], [["c", 0, 0]]))
    positive = np.maximum(X, 0)
    expected = np.concatenate([positive + 1 - np.maximum(-2 * X, 0), positive], -1)
    np.testing.assert_allclose(model.predict(X), expected, rtol=1e-6)


def test_models_inside_dicts_and_operations_of_keras_3(tmp_path):
    """Calls of the inner model count from 0, but where outputs of the whole are named."""
    inner = functional([image("batch_shape", name="i", inbound=[]), entry("ReLU", "r", [call(tensor("i"))])],
                       ["i", 0, 0], ["r", 0, 0], "inner")
    operation = lambda kind, name, *args, **config: {
        "class_name": kind, "config": {"name": name} | config, "name": name, "inbound_nodes": [call(*args)]}
    parts = [image("batch_shape", inbound=[]), image("batch_shape", name="y", inbound=[]),
             inner | {"name": "inner", "inbound_nodes": [call(tensor("x")), call(tensor("d"), training=False)]},
             operation("Multiply", "m", tensor("y"), 3.0), operation("Add", "a", tensor("m"), tensor("inner", 0)),
             operation("Divide", "d", tensor("a"), 2.0), operation("Clip", "k", tensor("a"), x_min=-1.0, x_max=1.0)]
    config = functional(parts, {"x": ["x", 0, 0], "y": ["y", 0, 0]}, {"in": ["inner", 2, 0], "clip": ["k", 0, 0]})
    path = write_archive(tmp_path / "m.keras", config, {"layers/functional/x": np.zeros(1)})
    got = fc.saving.load_model(path).predict({"y": X[::-1], "x": X})
    total = 3 * X[::-1] + np.maximum(X, 0)
    np.testing.assert_allclose(got["in"], np.maximum(total / 2, 0), rtol=1e-6)
    np.testing.assert_allclose(got["clip"], np.clip(total, -1, 1), rtol=1e-6)


def test_what_says_nothing_beside_a_tensor_is_passed_over(tmp_path):
    parts = [image(inbound=[]), entry("ReLU", "r", [[["x", 0, 0, {"mask": None, "training": None, "other": None}]]]),
             entry("Add", "a", [[["r", 0, 0, {}], ["x", 0, 0, {}]]])]
    model = loaded(tmp_path, functional(parts, [["x", 0, 0]], [["a", 0, 0]]))
    np.testing.assert_array_equal(model.predict(X), X + np.maximum(X, 0))


def test_a_model_inside_takes_its_inputs_by_name(tmp_path):
    inner = functional([image("batch_shape", name="i", inbound=[]), image("batch_shape", name="j", inbound=[]),
                        entry("Subtract", "d", [call([tensor("i"), tensor("j")])])],
                       {"i": ["i", 0, 0], "j": ["j", 0, 0]}, ["d", 0, 0], "inner")  # fmt: skip
    parts = [image("batch_shape", inbound=[]), entry("ReLU", "r", [call(tensor("x"))]),
             inner | {"name": "inner", "inbound_nodes": [call({"j": tensor("r"), "i": tensor("x")})]}]
    config = functional(parts, ["x", 0, 0], ["inner", 1, 0])
    path = write_archive(tmp_path / "m.keras", config, {"layers/x": np.zeros(1)})
    np.testing.assert_array_equal(fc.saving.load_model(path).predict(X), X - np.maximum(X, 0))


class Shifted(layers.Layer):
    """A layer of a user's own."""

    def __init__(self, by, **kwargs):
        super().__init__(**kwargs)
        self.by = by

    def forward(self, x, call=None):
        x = self.checked(x)
        return x + np.float32(self.by), lambda dy: dy


def test_own_layers_are_found_in_custom_objects_with_and_without_the_name_of_their_package(tmp_path):
    for name in ("Shifted", "mine>Shifted"):
        policy = {"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}
        path = write_h5_model(tmp_path / "m.h5", sequential(image(), entry(name, "s", by=1.5, dtype=policy)), {})
        model = fc.saving.load_model(path, custom_objects={"Shifted": Shifted})
        np.testing.assert_array_equal(model.predict(X), X + np.float32(1.5))
        with pytest.raises(ModelFileError, match=f'expected layers that fastcnn has, got {name} "s"; use other layers'):
            fc.saving.load_model(path)


@pytest.mark.parametrize("own", [
    entry("mine>Conv2D", "c", filters=2, kernel_size=1), entry("Conv2D", "c") | {"registered_name": "mine>Conv2D"},
    entry("Conv2D", "c") | {"module": "mine"}, entry("Clip", "c", min_value=0.0)])  # fmt: skip
def test_a_class_of_somebodys_own_is_not_taken_for_one_of_the_same_name(tmp_path, own):
    with pytest.raises(ModelFileError, match=r'got (mine>Conv2D|Clip) "c"; use other layers, pass your own as'):
        loaded(tmp_path, sequential(image(), own))


REFUSED = {
    "a layer that fastcnn lacks": ([entry("LSTM", "l", units=3)], 'got LSTM "l"; use'),
    "code": ([entry("Lambda", "l", function=["4wEAAAAA", None, None])],
             "it holds code, which load_model runs with safe_mode=False alone"),
    "all at once": ([entry("LSTM", "l"), entry("GRU", "g")], 'got LSTM "l", GRU "g"; use'),
    "an argument that fastcnn lacks": ([entry("Dense", "d", units=2, colour=4)], 'Dense "d" with colour=4'),
    "groups where a layer has none": ([entry("MaxPooling2D", "p", groups=2)], 'MaxPooling2D "p" with groups=2'),
    "arithmetic in the type of its variables": ([entry("ReLU", "r", autocast=False)], 'ReLU "r" with autocast=False'),
    "a sparse input": ([entry("ReLU", "r", sparse=True)], 'ReLU "r" with sparse=True'),
    "an optional one": ([entry("ReLU", "r", optional=True)], 'ReLU "r" with optional=True'),
    "a long value": ([entry("ReLU", "r", colour="x" * 70)], f"with colour='{'x' * 56}...; use"),
    "a regularizer that fastcnn lacks": ([entry("Dense", "d", units=2, kernel_regularizer={
        "class_name": "Mine", "config": {}})], "with kernel_regularizer='Mine'"),
    "a constraint nobody knows": ([entry("Dense", "d", units=2, kernel_constraint={
        "class_name": "Mine", "config": {}})], "constraint: 'Mine' is not known"),
    "channels first": ([entry("Conv2D", "c", filters=2, kernel_size=3, data_format="channels_first")],
                       "data_format='channels_first' is not offered"),
    "a function nobody knows": ([entry("Activation", "a", activation="my_function")], "'my_function' is not known"),
    "a layer as activation that is none": ([entry("Activation", "a", activation={
        "class_name": "Dense", "config": {"units": 2}})], 'Activation "a" with activation=Dense'),
    "TensorFlow's cubic": ([entry("UpSampling2D", "u", size=[2, 2], interpolation="bicubic")], "cubic is another"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_offered_is_refused_by_name(tmp_path, case):
    parts, text = REFUSED[case]
    path = write_h5_model(tmp_path / "m.h5", sequential(image(), *parts), {})
    with pytest.raises(ModelFileError, match=re.escape(text)) as caught:
        fc.saving.load_model(path)
    assert str(caught.value).startswith(f"{path}: expected ")
    assert "\n" not in str(caught.value)


STRANGE = {
    "a class of its own": ({"class_name": "Net", "config": {}}, 'got Net ""'),
    "a layer in the place of a model": (entry("ReLU", "r"), "got ReLU in the place of a model"),
    "an operation": (functional([image(inbound=[]), entry("TFOpLambda", "t", [["x", 0, 0, {"q": 2}]],
                     function="linalg.qr")], [["x", 0, 0]], [["t", 0, 0]]), 'the operation linalg.qr "t"'),
    "two tensors divided": (functional([image(inbound=[]), entry(
        "TFOpLambda", "t", [["x", 0, 0, {"y": ["x", 0, 0]}]], function="math.truediv")], [["x", 0, 0]],
        [["t", 0, 0]]), 'the operation math.truediv "t"'),
    "a circle": (functional([image(inbound=[]), entry("ReLU", "a", [[["b", 0, 0, {}]]]),
                             entry("ReLU", "b", [[["a", 0, 0, {}]]])], [["x", 0, 0]], [["a", 0, 0]]),
                 "calls that depend on one another, such as that of 'a'"),
    "a call with an argument of its own": (functional([image(inbound=[]), entry(
        "ReLU", "r", [[["x", 0, 0, {"slope": 0.5}]]])], [["x", 0, 0]], [["r", 0, 0]]), 'ReLU "r" called with slope'),
    "no shape anywhere": (sequential(entry("ReLU", "r")), "without the shape of its input"),
}  # fmt: skip


@pytest.mark.parametrize("case", STRANGE)
def test_a_model_that_cannot_be_made_is_refused(tmp_path, case):
    config, text = STRANGE[case]
    with pytest.raises(ModelFileError, match=re.escape(text)):
        loaded(tmp_path, config)


def test_weights_alone_are_no_model(tmp_path):
    path = write_h5_model(tmp_path / "m.h5", None, {"a": {"a/kernel:0": np.zeros(2)}})
    with pytest.raises(ModelFileError, match="got weights without the structure of a model; make the model and use"):
        fc.saving.load_model(path)
