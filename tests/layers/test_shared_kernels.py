"""Layers that share a kernel, as the twins of a prediction do, keep what they remember of it apart."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError

X = np.random.default_rng(0).standard_normal((2, 12, 12, 4)).astype(np.float32)
KINDS = {"Conv2D": lambda: layers.Conv2D(8, 3), "5x5": lambda: layers.Conv2D(8, 5, activation="relu"),
         "strides": lambda: layers.Conv2D(8, 3, strides=2), "DepthwiseConv2D": lambda: layers.DepthwiseConv2D(3),
         "depth_multiplier": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2)}


def shared(layer, *borders):
    """One layer on the same images with several borders of zeros."""
    x = fc.Input(X.shape[1:])
    return fc.Model(x, [layer(x if border is None else layers.ZeroPadding2D(border)(x)) for border in borders])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("borders", [(((2, 0), (2, 0)), ((0, 2), (0, 2))), (1, None), (None, 1), (2, 1, None)], ids=str)
def test_one_layer_behind_several_borders_sees_each(kind, borders):
    model = shared(KINDS[kind](), *borders)
    wanted = [y.copy() for y in model(X, training=True)]
    for _ in range(2):
        for got, want in zip(model.predict(X), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_a_prediction_with_borders_leaves_the_layer_its_check():
    conv = layers.Conv2D(8, 3)
    shared(conv, ((2, 0), (2, 0)), ((0, 2), (0, 2))).predict(X)
    with pytest.raises(ArgumentError, match=r"expected input \(N, 14, 14, 4\), got \(2, 12, 12, 4\)"):
        conv.predict(X)


@pytest.mark.parametrize("make", [lambda: layers.Conv2D(8, 3), lambda: layers.Dense(3)])
def test_a_layer_on_images_of_two_sizes_checks_each(make):
    layer = make()
    layer.build((None, 8, 8, 4))
    twin = layer.for_shape((None, 12, 12, 4))
    twin.predict(X)
    twin.predict(X)
    with pytest.raises(ArgumentError, match=r"expected input \(N, 8, 8, 4\)"):
        layer.predict(X)
