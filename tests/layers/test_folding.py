"""What prediction folds into a layer's weights, borders or last step gives what the layers give one by one."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.layers.activation import is_activation

IMAGE, SIGNAL = (6, 5, 4), (7, 4)
PRODUCTS = {
    "Dense": (lambda **more: layers.Dense(3, **more), IMAGE),
    "Conv1D": (lambda **more: layers.Conv1D(6, 3, groups=2, **more), SIGNAL),
    "Conv2D": (lambda **more: layers.Conv2D(6, 3, groups=2, padding="same", **more), IMAGE),
    "DepthwiseConv2D": (lambda **more: layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", **more), IMAGE),
    "DepthwiseConv1D": (lambda **more: layers.DepthwiseConv1D(3, **more), SIGNAL),
    "SeparableConv2D": (lambda **more: layers.SeparableConv2D(3, 3, depth_multiplier=2, **more), IMAGE),
    "Conv2DTranspose": (lambda **more: layers.Conv2DTranspose(6, 3, strides=2, groups=2, **more), IMAGE),
    "Conv1DTranspose": (lambda **more: layers.Conv1DTranspose(3, 3, strides=2, **more), SIGNAL),
}  # fmt: skip


def assert_one_by_one(model, shape):
    """A model predicts what its layers do in turn."""
    draw = np.random.default_rng(0)
    for p in model.weights:
        p.assign(draw.uniform(0.5, 1.5, p.shape) * (1 if "variance" in p.name else draw.choice([-1, 1], p.shape)))
    x = draw.standard_normal((3, *shape))
    wanted = x
    for layer in model.layers:
        wanted = layer.predict(wanted).copy()
    got = model.predict(x)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, atol=1e-12 * np.abs(wanted).max())  # products in another order


@pytest.mark.parametrize("use_bias", [True, False])
@pytest.mark.parametrize("kind", PRODUCTS)
def test_a_normalization_after_a_product_is_folded_into_its_filters(kind, use_bias):
    make, shape = PRODUCTS[kind]
    model = fc.Sequential([fc.Input(shape, dtype="float64"), make(use_bias=use_bias, dtype="float64"),
                           layers.BatchNormalization(dtype="float64"), layers.ReLU(dtype="float64")])
    assert_one_by_one(model, shape)
    assert len(model.prediction_graph().steps) == 1, "all of it is one step"


@pytest.mark.parametrize("kind", ["Dense", "Conv2D", "DepthwiseConv2D"])
def test_scales_after_a_product_are_folded_into_its_filters(kind):
    make, shape = PRODUCTS[kind]
    channels = make().compute_output_shape((None, *shape))[-1]
    model = fc.Sequential([fc.Input(shape, dtype="float64"), make(use_bias=False, dtype="float64"),
                           layers.LayerScale(0.5, dtype="float64"), layers.Rescaling(0.17, 2, dtype="float64"),
                           layers.Rescaling(np.arange(1.0, channels + 1), dtype="float64"),
                           layers.ReLU(dtype="float64")])
    assert_one_by_one(model, shape)
    assert len(model.prediction_graph().steps) == 1, "all of it is one step"


def test_a_scale_that_differs_from_row_to_row_is_not_folded():
    model = fc.Sequential([fc.Input(SIGNAL, dtype="float64"), layers.Dense(3, dtype="float64"),
                           layers.Rescaling(np.arange(7.0).reshape(7, 1), dtype="float64")])
    assert_one_by_one(model, SIGNAL)
    assert len(model.prediction_graph().steps) == 2


@pytest.mark.parametrize("kind", ["Conv2D", "DepthwiseConv2D"])
@pytest.mark.parametrize("padding", [1, ((1, 0), (0, 2)), 0])
def test_a_border_of_zeros_before_a_convolution_is_its_own(kind, padding):
    make = {"Conv2D": layers.Conv2D, "DepthwiseConv2D": lambda _, *args, **more: layers.DepthwiseConv2D(*args, **more)}
    model = fc.Sequential([fc.Input(IMAGE, dtype="float64"), layers.ZeroPadding2D(padding, dtype="float64"),
                           make[kind](4, 3, strides=(2, 1), padding=((0, 1), (1, 0)), dtype="float64")])
    assert_one_by_one(model, IMAGE)
    assert_one_by_one(fc.Sequential([fc.Input(IMAGE, dtype="float64"), layers.ZeroPadding2D(padding, dtype="float64"),
                                     make[kind](4, 3, dtype="float64")]), IMAGE)


def test_what_a_layer_does_beside_applying_a_function_makes_it_no_activation():
    class Doubled(layers.ReLU):
        def predict(self, x):
            return 2 * super().predict(x)

    for layer in (layers.ReLU(), layers.Linear(), layers.Activation("gelu"), layers.Softmax(), layers.SELU(1, 2)):
        assert is_activation(layer), layer
    for layer in (Doubled(), layers.PReLU(), layers.Dense(2, "relu"), layers.Dropout(0.5), layers.Layer()):
        assert not is_activation(layer), layer
