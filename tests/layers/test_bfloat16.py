"""Layers under mixed_bfloat16: types, what is rounded and what is not."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from tests.checks import TABLE, gradients, like, listed

ml_dtypes = pytest.importorskip("ml_dtypes")

MIXED = "mixed_bfloat16"
HALF = 2.0**-8  # of a number: half the step from it to the next one of bfloat16, at most

#: A row of each family: products, normalizations, poolings, merges, activations, layout, noise, recurrent ones' kin.
KINDS = ("Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "DepthwiseConv2D", "SeparableConv2D", "Dense", "Dot",
         "BatchNormalization", "LayerNormalization", "GroupNormalization", "MaxPooling2D", "AveragePooling2D",
         "GlobalAveragePooling2D", "Add", "Multiply", "Concatenate", "ReLU", "Softmax", "PReLU", "Flatten", "Permute",
         "ZeroPadding2D", "UpSampling2D", "Dropout", "Rescaling", "TimeDistributed", "Identity")
CASES = [(kind, TABLE[kind][0]) for kind in KINDS]
PRODUCTS = [(kind, case) for kind, cases in TABLE.items() if kind in (
    "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "DepthwiseConv2D", "Dense")
    for case in cases[:4]]


def _named(value):
    return value if isinstance(value, str) else value.name


def _rounded(x):
    return np.asarray(x, np.float32).astype(ml_dtypes.bfloat16).astype(np.float64)


@pytest.mark.parametrize(("kind", "case"), CASES, ids=_named)
def test_variables_are_float32_and_outputs_bfloat16(kind, case):
    layer = case.layer(MIXED)
    assert type(layer).__name__ == kind
    assert (layer.dtype_policy.name, layer.compute_dtype, layer.array_dtype) == (MIXED, "bfloat16", "float32")
    assert {str(p.dtype) for p in layer.weights} <= {"float32"}
    y = layer(like(case.shape, [x.astype("float32") for x in listed(case.input())]))
    assert {one.dtype for one in listed(y)} == {np.dtype(ml_dtypes.bfloat16)}
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    assert again.dtype_policy == layer.dtype_policy


@pytest.mark.parametrize(("kind", "case"), CASES, ids=_named)
def test_a_layer_is_near_what_it_is_in_float64(kind, case):
    single, double = case.layer(MIXED), case.layer("float64")
    x = like(case.shape, [_rounded(one) for one in listed(case.input())])
    y, exact = single(x), double(x)
    for a, b in zip(listed(y), listed(exact), strict=True):
        # Two numbers are multiplied, each rounded by at most HALF, and a result or two are rounded once more.
        np.testing.assert_allclose(a.astype(np.float64), b, rtol=0, atol=4 * HALF * max(1, np.abs(b).max(initial=0)))


@pytest.mark.parametrize(("kind", "case"), PRODUCTS, ids=_named)
def test_a_product_is_of_rounded_weights_with_sums_in_float32(kind, case):
    single, double = case.layer(MIXED), case.layer("float64")
    double.set_weights([_rounded(p.value) if p.ndim > 1 else p.value for p in single.weights])
    x = _rounded(case.input())
    y = single(x).astype(np.float64)
    exact = double(x)
    loose = 1e-5 * np.abs(exact).max()  # sums in float32, and Winograd's
    assert (np.abs(y - exact) <= 1.01 * HALF * np.abs(exact) + loose).all()
    # Its verbs hand over the sums themselves.
    np.testing.assert_allclose(single.predict(x.astype("float32")), exact, rtol=0, atol=loose)
    np.testing.assert_allclose(single.forward(x.astype("float32"))[0], exact, rtol=0, atol=loose)


@pytest.mark.parametrize(("kind", "case"), PRODUCTS, ids=_named)
def test_gradients_of_a_product_are_those_with_rounded_weights_in_float32(kind, case):
    single, double = case.layer(MIXED), case.layer("float64")
    double.set_weights([_rounded(p.value) if p.ndim > 1 else p.value for p in single.weights])
    x = _rounded(case.input())
    dy = _rounded(np.random.default_rng(5).standard_normal(double.forward(x)[0].shape))
    narrow, wide = gradients(single, x.astype("float32"), dy.astype("float32")), gradients(double, x, dy)
    for a, b in zip(narrow, wide, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=3e-5 * max(1, np.abs(b).max()))


def test_the_values_of_weights_are_kept_in_float32_and_rounded_again_when_they_change():
    layer = layers.Dense(3, dtype=MIXED)
    x = np.eye(4, dtype=np.float32)
    layer.build((None, 4))
    for value in (1 + 2.0**-10, 1 + 2.0**-7):
        layer.kernel.assign(np.full((4, 3), value))
        layer.bias.assign(np.full(3, 2.0**-20))  # stays as it is: it is added in float32
        for _ in range(3):
            np.testing.assert_array_equal(layer.predict(x), np.float32(_rounded(value)) + np.float32(2.0**-20))
        assert (layer.kernel.value == np.float32(value)).all()


def test_a_separable_convolution_stores_what_lies_between_its_two_in_bfloat16():
    layer = layers.SeparableConv2D(1, 1, use_bias=False, dtype=MIXED)
    layer.build((None, 1, 1, 1))
    layer.set_weights([np.full((1, 1, 1, 1), 1 + 2.0**-7), np.full((1, 1, 1, 1), 1.0)])
    x = np.full((1, 1, 1, 1), 1 + 2.0**-7, np.float32)  # the product, 1 + 2^-6 + 2^-14, is no number of bfloat16
    assert layer.predict(x) == layer.forward(x)[0] == 1 + 2.0**-6


def test_layers_of_both_kinds_follow_one_another_and_float64_stays_apart():
    inputs = fc.Input((5, 5, 2))
    x = layers.Conv2D(3, 3, dtype=MIXED)(inputs)
    x = layers.ReLU()(x)
    assert layers.Flatten(dtype=MIXED)(x).dtype == "float32"
    with pytest.raises(fc.errors.ArgumentError, match="expected tensors of its own dtype, float64, got float32"):
        layers.Flatten(dtype="float64")(x)


def test_arrays_of_bfloat16_are_taken_wherever_numbers_are():
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(ml_dtypes.bfloat16)
    wide = x.astype(np.float32)
    model = fc.Sequential([fc.Input((6,)), layers.Dense(2)])
    np.testing.assert_array_equal(model.predict(x), model.predict(wide))
    np.testing.assert_array_equal(layers.ReLU()(x), np.maximum(wide, 0))
    np.testing.assert_array_equal(fc.ops.relu(x), np.maximum(wide, 0))
    layer = layers.ReLU(dtype=MIXED)
    assert layer(layer(x)).dtype == "bfloat16"


def test_without_ml_dtypes_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ml_dtypes", None)
    with pytest.raises(ImportError, match=r'pip install "fastcnn\[bf16\]"'):
        fc.DTypePolicy(MIXED)
