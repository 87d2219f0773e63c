"""What layers are given: checked by the constructor, in one sentence, and written down so that JSON can hold it."""

import copy
import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError

TWO, ZERO = np.int64(2), np.zeros
COUNTED = {
    "Dense": lambda n: layers.Dense(n), "filters": lambda n: layers.Conv2D(n, 3),
    "groups": lambda n: layers.Conv1D(4, 3, groups=n), "transposed": lambda n: layers.Conv2DTranspose(n, 3),
    "separable": lambda n: layers.SeparableConv2D(n, 3),
    "multiplier": lambda n: layers.DepthwiseConv2D(3, 1, "same", n),
    "RepeatVector": lambda n: layers.RepeatVector(n), "TopK": lambda n: layers.TopK(n),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTED)
def test_a_count_is_any_positive_integer(name):
    layer = COUNTED[name](TWO)
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert again.get_config() == layer.get_config() == COUNTED[name](2).get_config() | {"name": layer.name}
    for value in (True, 0, -1, 1.5, "2", None, np.float32(2)):
        with pytest.raises(ArgumentError, match="to be a positive integer, got "):
            COUNTED[name](value)


@pytest.mark.parametrize("make", [
    lambda axis: layers.Softmax(axis), lambda axis: layers.LogSoftmax([axis]), lambda axis: layers.Slice(1, axis=axis),
    lambda axis: layers.PReLU(shared_axes=axis), lambda axis: layers.PReLU(shared_axes=[1, axis]),
    lambda axis: layers.Normalization(axis), lambda axis: layers.Permute((1, axis))])  # fmt: skip
def test_an_axis_is_any_integer(make):
    x = np.random.default_rng(0).standard_normal((2, 3, 4)).astype(np.float32)
    layer = make(TWO)
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    for one in (make(2), again):
        one.build(x.shape)
        np.testing.assert_array_equal(layer(x), one(x))
    for value in (1.5, "2", True):
        with pytest.raises(ArgumentError, match="to be an integer"):
            make(value)


def test_axes_of_a_dot_product_are_any_integers():
    x = np.ones((2, 3, 4), np.float32)
    for axes in (np.int64(-1), (np.int64(2), 2)):
        np.testing.assert_array_equal(layers.Dot(axes)([x, x]), np.full((2, 3, 3), 4))
    np.testing.assert_allclose(fc.activations.softmax(x, np.int64(1)), np.full(x.shape, 1 / 3), rtol=1e-6)


WINDOWS = {
    "Conv2D": lambda p: layers.Conv2D(2, 3, padding=p),
    "DepthwiseConv2D": lambda p: layers.DepthwiseConv2D(3, padding=p),
    "Conv2DTranspose": lambda p: layers.Conv2DTranspose(2, 3, padding=p),
    "SeparableConv2D": lambda p: layers.SeparableConv2D(2, 3, padding=p),
    "MaxPooling2D": lambda p: layers.MaxPooling2D(3, padding=p),
}  # fmt: skip


@pytest.mark.parametrize("kind", WINDOWS)
def test_padding_is_one_thing_in_all_its_forms(kind):
    for one, other in (
            (np.int64(1), ((1, 1), (1, 1))), ([1, 0], ((1, 1), (0, 0))), ("SAME", "same"), ("Valid", "valid")):
        a, b = WINDOWS[kind](one), WINDOWS[kind](other)
        assert a.padding == b.padding == other
        assert a.compute_output_shape((None, 8, 9, 2)) == b.compute_output_shape((None, 8, 9, 2))
        json.dumps(a.get_config())


@pytest.mark.parametrize("kind", WINDOWS)
@pytest.mark.parametrize("padding", [None, 1.5, "full", True, (1, 2, 3), -1, "causal", ((1, 2), (3,)), {}, b"same"])
def test_the_constructor_refuses_what_is_no_padding(kind, padding):
    with pytest.raises(ArgumentError, match=r'"valid", "same"|an integer of at least 0'):
        WINDOWS[kind](padding)


@pytest.mark.parametrize(("make", "causal"), [
    (lambda p: layers.Conv1D(2, 3, padding=p), True), (lambda p: layers.SeparableConv1D(2, 3, padding=p), True),
    (lambda p: layers.DepthwiseConv1D(3, padding=p), True), (lambda p: layers.Conv1DTranspose(2, 3, padding=p), False),
    (lambda p: layers.MaxPooling1D(2, padding=p), False), (lambda p: layers.Conv3D(2, 3, padding=p), False)])
def test_causal_padding_is_for_signals(make, causal):
    if causal:
        assert make("Causal").padding == "causal"
        return
    with pytest.raises(ArgumentError, match="got 'causal'"):
        make("causal")


@pytest.mark.parametrize("make", [lambda p: layers.ZeroPadding2D(p), lambda p: layers.Cropping2D(p),
                                  lambda p: layers.Padding1D(p)])
@pytest.mark.parametrize("given", ["same", None, 1.5, (1, 2, 3, 4), -1])
def test_a_border_has_no_name(make, given):
    with pytest.raises(ArgumentError, match="expected an integer") as error:
        make(given)
    assert "valid" not in str(error.value)


def test_numpy_s_types_are_written_as_python_s(tmp_path):
    made = [layers.Conv2D(2, (3, np.int64(3)), dtype=np.float64, strides=[np.int32(1), 1], padding=((1, TWO), (0, 0))),
            layers.Dropout(np.float32(0.5), seed=np.int64(3)), layers.Rescaling(np.float32(2), np.ones((1, 2))),
            layers.Dense(2, dtype=float, kernel_regularizer=fc.regularizers.L2(np.float32(0.5))),
            layers.Reshape(np.array([4, 1])), layers.Normalization(mean=np.zeros(2), variance=[TWO, 1])]
    for layer in made:
        config = json.loads(json.dumps(layer.get_config()))
        assert type(layer).from_config(config).get_config() == layer.get_config()
    assert made[0].get_config()["dtype"] == made[3].get_config()["dtype"] == "float64"
    model = fc.Sequential([fc.Input((8, 8, 2), dtype=np.float64), made[0]])
    model.save(tmp_path / "m.safetensors")
    x = np.random.default_rng(0).standard_normal((1, 8, 8, 2))
    np.testing.assert_array_equal(fc.saving.load_model(tmp_path / "m.safetensors").predict(x), model.predict(x))


class Scaled(layers.Layer):
    """A layer of a user's, whose further arguments have a name of their own."""

    def __init__(self, factor, **others):
        super().__init__(**others)
        self.factor = factor

    def forward(self, x, call=None):
        return x * np.float32(self.factor), lambda dy: dy * np.float32(self.factor)


def test_a_layer_of_one_s_own_is_made_again_whatever_it_calls_its_further_arguments():
    layer = Scaled(3, name="three", trainable=False)
    assert layer.get_config() == {"factor": 3, "name": "three", "trainable": False}
    for again in (Scaled.from_config(layer.get_config()), copy.deepcopy(layer)):
        assert (again.factor, again.name, again.trainable) == (3, "three", False)


def test_the_shape_of_a_whole_batch_is_told_where_it_belongs():
    with pytest.raises(TypeError, match=r"Dense: batch_input_shape=.* begin the model with fastcnn\.Input\(\(4,\)\)"):
        layers.Dense(3, batch_input_shape=(None, 4))


@pytest.mark.parametrize("layer", [lambda: layers.Concatenate(), lambda: layers.Dot(1)])
def test_only_sums_and_products_use_a_batch_of_one_again(layer):
    arrays = [np.ones((samples, 4), np.float32) for samples in (1, 3)]
    with pytest.raises(ArgumentError, match="expected inputs of as many samples, got 1 and 3"):
        layer()(arrays)
    assert layers.Add()(arrays).shape == (3, 4)


@pytest.mark.parametrize(("layer", "shape"), [
    (lambda: layers.Dense(3), (2, 0)), (lambda: layers.GlobalAveragePooling2D(), (1, 0, 5, 3)),
    (lambda: layers.Conv2D(2, 3, padding="same"), (1, 0, 5, 3)), (lambda: layers.Flatten(), (2, 3, 0)),
    (lambda: layers.BatchNormalization(), (2, 0)), (lambda: layers.MaxPooling2D(), (2, 4, 4, 0))])
def test_a_sample_without_numbers_is_refused(layer, shape):
    with pytest.raises(ArgumentError, match="expected an input with something in every dimension"):
        layer()(np.zeros(shape, np.float32))


def test_given_statistics_have_no_more_dimensions_than_there_are_axes():
    with pytest.raises(ArgumentError, match=r"mean and variance of at most 0 dimensions.* got the shape \(1,\)"):
        layers.Normalization(axis=None, mean=[1.0], variance=[2.0])
    np.testing.assert_allclose(layers.Normalization(axis=None, mean=1.0, variance=4.0)(np.full((1, 2), 5, "f")), 2)


def test_a_number_beside_a_tensor_is_one_of_any_type():
    x, images = fc.Input((2,)), np.array([[1, 2]], np.float32)
    model = fc.Model(x, [x - np.uint8(3), x + np.int8(-3), x * np.uint8(3), x / np.float16(3), np.uint8(3) - x])
    wanted = images - 3, images - 3, 3 * images, images / 3, 3 - images
    for got, want in zip(model.predict(images), wanted, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-6)


NUMBERS = {
    "Dropout": (lambda n: layers.Dropout(n), [0, np.float32(0.5)], [1, -0.1, True]),
    "GaussianDropout": (lambda n: layers.GaussianDropout(n), [0.5], [1]),
    "GaussianNoise": (lambda n: layers.GaussianNoise(n), [1], [2, -1]),
    "momentum": (lambda n: layers.BatchNormalization(momentum=n), [0, 1], [1.1, -0.1]),
    "epsilon": (lambda n: layers.BatchNormalization(epsilon=n), [1e-5, 1], [0, -1]),
    "LayerNormalization": (lambda n: layers.LayerNormalization(epsilon=n), [1e-5], [0, True]),
    "lrn": (lambda n: layers.LocalResponseNormalization(k=n), [1], [0]),
    "LeakyReLU": (lambda n: layers.LeakyReLU(n), [0, 0.1], [-1]), "ReLU": (lambda n: layers.ReLU(n), [6], [-1, True]),
    "ELU": (lambda n: layers.ELU(n), [-1, 2.5], []), "CELU": (lambda n: layers.CELU(n), [-1], [0]),
    "ThresholdedReLU": (lambda n: layers.ThresholdedReLU(n), [-1], []), "SELU": (lambda n: layers.SELU(n), [1], []),
    "HardSigmoid": (lambda n: layers.HardSigmoid(n), [0.2], []), "Rescaling": (lambda n: layers.Rescaling(n), [0], []),
    "Clip": (lambda n: layers.Clip(0, n), [1, None, np.inf], []),
    "Power": (lambda n: layers.Power(n), [2, -0.5, np.float32(2)], [0]),
    "UnitNormalization": (lambda n: layers.UnitNormalization(epsilon=n), [1e-5], [0, None]),
    "RMSNormalization": (lambda n: layers.RMSNormalization(epsilon=n), [1e-5], [-1, None]),
    "cubic": (lambda n: layers.Resize(2, interpolation="cubic", cubic_coeff_a=n), [-0.5, 0], [None]),
}  # fmt: skip


@pytest.mark.parametrize("kind", NUMBERS)
def test_a_number_is_a_finite_number_in_its_range(kind):
    make, right, wrong = NUMBERS[kind]
    for value in right:
        make(value)
    strange = ["0.5", np.nan, (), {}, object(), [1, [2]], *([] if kind == "Rescaling" else [[0.5], np.ones(2), True])]
    for value in [*wrong, *strange, *([] if np.inf in right else [np.inf])]:
        with pytest.raises(ArgumentError, match=r"expected .*got "):
            make(value)


@pytest.mark.parametrize("shape", [(-2, 5), (-1, -1), (None, -1), (2.0, 2), ("2",), 6, None, {}, "22", True])
def test_a_target_shape_that_no_input_has_is_refused_where_it_is_given(shape):
    with pytest.raises(ArgumentError, match="expected a target_shape of positive integers, with -1 or None for one"):
        layers.Reshape(shape)


def test_a_target_shape_may_be_all_of_these():
    x = np.arange(12, dtype=np.float32).reshape(1, 12)
    for shape in ((3, 4), [3, -1], (None, 4), np.array([3, 4]), (TWO, 6), (1, 12, 1)):
        assert layers.Reshape(shape)(x).size == 12


@pytest.mark.parametrize("make", [
    lambda a: layers.Softmax(a), lambda a: layers.LogSoftmax(a), lambda a: layers.BatchNormalization(a),
    lambda a: layers.LayerNormalization(a), lambda a: layers.GroupNormalization(2, a), lambda a: layers.Concatenate(a),
    lambda a: layers.Normalization(a), lambda a: layers.PReLU(shared_axes=a), lambda a: layers.Dot(a),
    lambda a: layers.UnitNormalization(a), lambda a: layers.RMSNormalization(a), lambda a: layers.TopK(1, a),
    lambda a: layers.Slice(axis=a), lambda a: layers.Take([0], a)])  # fmt: skip
def test_the_batch_is_no_axis_and_none_is_there_twice(make):
    for axis in (0, (0, 1), (1, 1, 1), 1.5, "1"):
        with pytest.raises(ArgumentError, match=r"expected ax|expected shared_axes|0, the batch"):
            make(axis)


@pytest.mark.parametrize("make", [
    lambda on: layers.Dense(2, use_bias=on), lambda on: layers.Conv2D(2, 3, use_bias=on),
    lambda on: layers.BatchNormalization(center=on), lambda on: layers.GlobalMaxPooling2D(keepdims=on),
    lambda on: layers.MaxPooling2D(ceil_mode=on), lambda on: layers.Dot(1, normalize=on),
    lambda on: layers.Normalization(invert=on), lambda on: layers.GELU(approximate=on)])  # fmt: skip
def test_a_switch_is_true_or_false(make):
    for on in (True, False, np.bool_(True), 0, 1):
        make(on)
    for value in ("no", 2, None, 0.0, (), np.ones(2)):
        with pytest.raises(ArgumentError, match="to be True or False, got"):
            make(value)


def test_a_seed_is_an_integer():
    assert layers.Dropout(0.5, seed=np.int64(3)).seed == 3
    for seed in ("3", 2.5, True, [1]):
        with pytest.raises(ArgumentError, match="expected seed to be an integer"):
            layers.Dropout(0.5, seed=seed)


def test_no_dtype_is_float32_and_an_array_is_no_word():
    assert layers.Dense(2, dtype=None).dtype == np.float32  # NumPy takes None for float64
    for make in (lambda: layers.UpSampling2D(interpolation=np.ones(2)), lambda: layers.Dense(2, np.ones(2)),
                 lambda: layers.Padding2D(1, mode=np.ones(2)), lambda: layers.Dense(2, lora_rank=np.ones(2))):
        with pytest.raises(ArgumentError, match=r"expected .* got an array|not known|not offered"):
            make()
