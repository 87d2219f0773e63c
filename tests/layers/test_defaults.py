"""What a layer does where nothing is said: Keras's numbers, or the field's where Keras has no such layer.

A script that leaves an argument out relies on its value, and a file that was written before has it nowhere.
"""

import numpy as np
import pytest

from fastcnn import layers

WINDOW = {"strides": (1, 1), "padding": "valid", "dilation_rate": (1, 1), "use_bias": True}
POOL = {"pool_size": (2, 2), "strides": (2, 2), "padding": "valid", "dilation_rate": (1, 1), "ceil_mode": False}
MOMENTS = {"epsilon": 1e-3, "center": True, "scale": True}
DEFAULTS = {
    "Dense": (lambda: layers.Dense(2), {"use_bias": True}),
    "Conv2D": (lambda: layers.Conv2D(2, 3), WINDOW | {"groups": 1}),
    "DepthwiseConv2D": (lambda: layers.DepthwiseConv2D(3), WINDOW | {"depth_multiplier": 1}),
    "SeparableConv2D": (lambda: layers.SeparableConv2D(2, 3), WINDOW | {"depth_multiplier": 1}),
    "Conv2DTranspose": (lambda: layers.Conv2DTranspose(2, 3), WINDOW | {"groups": 1}),
    "MaxPooling2D": (layers.MaxPooling2D, POOL), "MinPooling2D": (layers.MinPooling2D, POOL),
    "L2Pooling2D": (layers.L2Pooling2D, POOL),
    "AveragePooling2D": (layers.AveragePooling2D, POOL | {"count_include_pad": False}),
    "BatchNormalization": (layers.BatchNormalization, MOMENTS | {"momentum": 0.99}),
    "LayerNormalization": (layers.LayerNormalization, MOMENTS),
    "GroupNormalization": (layers.GroupNormalization, MOMENTS | {"groups": 32}),
    "UnitNormalization": (layers.UnitNormalization, {"axis": (-1,), "epsilon": 1e-6}),
    "RMSNormalization": (layers.RMSNormalization, {"axis": (-1,), "epsilon": 1e-6}),
    "LocalResponseNormalization": (layers.LocalResponseNormalization, {"alpha": 1e-4, "beta": 0.75, "k": 2}),
    "Normalization": (layers.Normalization, {"axis": (-1,), "invert": False}),
    "Slice": (layers.Slice, {"step": 1, "axis": -1}), "Take": (lambda: layers.Take([0]), {"axis": -1}),
    "TopK": (layers.TopK, {"k": 1, "axis": -1}), "Concatenate": (layers.Concatenate, {"axis": -1}),
    "Dot": (lambda: layers.Dot(1), {"normalize": False}),
}  # fmt: skip


@pytest.mark.parametrize("kind", DEFAULTS)
def test_an_argument_that_is_left_out_has_its_published_value(kind):
    make, expected = DEFAULTS[kind]
    layer = make()
    assert {name: getattr(layer, name) for name in expected} == expected


SHAPES = [
    (layers.ZeroPadding1D, (5, 2), (7, 2)), (layers.ZeroPadding2D, (5, 4, 2), (7, 6, 2)),
    (layers.ZeroPadding3D, (5, 4, 6, 2), (7, 6, 8, 2)), (layers.Padding1D, (5, 2), (7, 2)),
    (layers.Padding2D, (5, 4, 2), (7, 6, 2)), (layers.Padding3D, (5, 4, 6, 2), (7, 6, 8, 2)),
    (layers.Cropping1D, (5, 2), (3, 2)), (layers.Cropping2D, (5, 4, 2), (5, 4, 2)),
    (layers.Cropping3D, (5, 4, 6, 2), (3, 2, 4, 2)), (layers.UpSampling1D, (5, 2), (10, 2)),
    (layers.UpSampling2D, (5, 4, 2), (10, 8, 2)), (layers.UpSampling3D, (5, 4, 6, 2), (10, 8, 12, 2)),
    (layers.MaxPooling1D, (6, 2), (3, 2)), (layers.AveragePooling3D, (4, 6, 8, 2), (2, 3, 4, 2)),
    (layers.GlobalAveragePooling2D, (5, 4, 2), (2,)), (layers.GlobalMaxPooling1D, (5, 2), (2,)),
    (layers.Slice, (5, 4), (5, 4)), (layers.TopK, (5, 4), (5, 1)),
]  # fmt: skip


@pytest.mark.parametrize(("make", "shape", "expected"), SHAPES)
def test_a_border_and_a_window_have_their_published_width(make, shape, expected):
    inside = tuple((large - small) // 2 for large, small in zip(expected[:-1], shape[:-1], strict=False))
    x = np.random.default_rng(0).standard_normal((1, *shape)).astype(np.float32)
    y = make()(x)
    assert y.shape == (1, *expected)
    if "Padding" in make.__name__:
        np.testing.assert_array_equal(y[(0, *(slice(n, -n) for n in inside))], x[0])
        assert np.abs(y).sum(dtype="f8") == np.abs(x).sum(dtype="f8"), "the border is zero on every side"


#: What an activation makes of -2, -0.5, 0.5, 2 and 8 where it is told nothing.
ACTIVATIONS = {
    "ReLU": [0, 0, 0.5, 2, 8], "ReLU6": [0, 0, 0.5, 2, 6], "LeakyReLU": [-0.6, -0.15, 0.5, 2, 8],
    "ELU": [np.expm1(-2), np.expm1(-0.5), 0.5, 2, 8], "CELU": [np.expm1(-2), np.expm1(-0.5), 0.5, 2, 8],
    "SELU": [1.0507009873554805 * 1.6732632423543772 * np.expm1(-2),
             1.0507009873554805 * 1.6732632423543772 * np.expm1(-0.5), *np.array([0.5, 2, 8]) * 1.0507009873554805],
    "ThresholdedReLU": [0, 0, 0, 2, 8], "HardSigmoid": [1 / 6, 5 / 12, 7 / 12, 5 / 6, 1],
    "HardSiLU": [-1 / 3, -5 / 24, 7 / 24, 5 / 3, 8], "Softsign": [-2 / 3, -1 / 3, 1 / 3, 2 / 3, 8 / 9],
    "PReLU": [0, 0, 0.5, 2, 8], "Softmax": None, "LogSoftmax": None,
}  # fmt: skip


@pytest.mark.parametrize("kind", ACTIVATIONS)
def test_an_activation_without_arguments_is_the_published_one(kind):
    x = np.array([[[-2, -0.5, 0.5, 2, 8]] * 2])
    expected = ACTIVATIONS[kind]
    if expected is None:  # over the channels
        expected = x - np.log(np.exp(x).sum(axis=-1, keepdims=True))
        expected = (expected if kind == "LogSoftmax" else np.exp(expected))[0, 0]
    layer = getattr(layers, kind)(dtype="float64")
    np.testing.assert_allclose(layer(x)[0, 0], expected, rtol=1e-12)


def test_statistics_of_a_normalization_begin_as_those_of_numbers_that_are_normal_already():
    layer = layers.BatchNormalization()
    layer.build((None, 2))
    np.testing.assert_array_equal(layer.get_weights(), [[1, 1], [0, 0], [0, 0], [1, 1]])
    x = np.random.default_rng(0).standard_normal((8, 2)).astype(np.float32)
    layer.forward(x)
    np.testing.assert_allclose(layer.moving_mean.value, 0.01 * x.mean(0), rtol=1e-4)
