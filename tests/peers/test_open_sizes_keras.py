"""Sizes left open beside Keras: networks without a top on images of two sizes, layers, fully convolutional models."""

import os

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

import fastcnn as fc  # noqa: E402
from fastcnn import config, layers  # noqa: E402
from fastcnn.layers import Call  # noqa: E402
from tests.peers.test_applications_keras import _close, _error_but_for_kinks, _pair  # noqa: E402

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

FAST = "MobileNet", "MobileNetV2"
SLOW = ("VGG16", "ResNet50", "InceptionV3", "DenseNet121", "EfficientNetB0", "Xception", "ResNet50V2",
        "MobileNetV3Small", "EfficientNetV2B0", "ConvNeXtTiny")
X = np.random.default_rng(0).standard_normal((2, 9, 11, 3)).astype(np.float32)


@pytest.mark.parametrize("name", [*FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)])
def test_networks_without_a_top_are_keras_s_for_images_of_two_sizes(name):
    """Outputs and gradients; NASNet is not here, since Keras leaves out of it what it cannot compare."""
    ours, theirs = _pair(name, size=(), input_shape=None, include_top=False)
    assert ours.input_shape == theirs.input_shape == (None, None, None, 3)
    assert ours.output_shape == theirs.output_shape
    assert ours.count_params() == theirs.count_params()
    for one in (*ours.layers, *theirs.layers):
        if isinstance(one, (layers.BatchNormalization, keras.layers.BatchNormalization)):
            one.trainable = False
    least = 75 if name in ("InceptionV3", "Xception") else 64
    scale = 255 if name.startswith(("EfficientNet", "ConvNeXt", "MobileNetV3")) else 1
    for size in ((least, least + 13), (least + 9, least)):
        x = scale * np.random.default_rng(3).random((2, *size, 3), np.float32)
        image = torch.tensor(x, requires_grad=True)
        expected = theirs(image, training=False)
        dy = np.random.default_rng(2).standard_normal(tuple(expected.shape)).astype(np.float32)
        (expected * torch.tensor(dy)).sum().backward()
        _close(ours.predict(x), expected.detach().numpy(), "predict")
        config.set_winograd(False)  # its rounding puts more numbers on the other side of a ReLU
        try:
            y, backward = ours.forward(x, Call(training=False))
            dx = backward(dy)
        finally:
            config.set_winograd(True)
        _close(y, expected.detach().numpy(), "forward")
        _error_but_for_kinks(dx, image.grad.numpy(), "gradient of the image")
    errors = [_error_but_for_kinks(weight.grad, other.value.grad.numpy(), weight.path)  # of both images
              for weight, other in zip(ours.trainable_weights, theirs.trainable_weights, strict=True)]
    assert np.median(errors) < 5e-3


ROWS = [
    ("Conv2D", (4, 3), {"strides": 2, "padding": "same"}), ("Conv2DTranspose", (4, 3), {"strides": 2}),
    ("SeparableConv2D", (4, 3), {}), ("MaxPooling2D", (3, 2), {"padding": "same"}), ("AveragePooling2D", (2,), {}),
    ("GlobalAveragePooling2D", (), {}), ("Flatten", (), {}), ("Reshape", ((-1, 3),), {}), ("Permute", ((3, 1, 2),), {}),
    ("UpSampling2D", (2,), {}), ("ZeroPadding2D", (1,), {}), ("Cropping2D", (1,), {}), ("Dense", (5,), {}),
    ("BatchNormalization", (), {}), ("LayerNormalization", (), {}), ("GroupNormalization", (3,), {}),
    ("Resizing", (6, 7), {}), ("CenterCrop", (4, 5), {}), ("PReLU", (), {"shared_axes": (1, 2)}),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_a_layer_on_open_sizes_has_keras_s_shape_and_values_for_two_sizes(row):
    name, given, more = row
    ours, theirs = getattr(layers, name)(*given, **more), getattr(keras.layers, name)(*given, **more)
    i, j = fc.Input((None, None, 3)), keras.Input((None, None, 3))
    model, other = fc.Model(i, ours(i)), keras.Model(j, theirs(j))
    assert model.output_shape == other.output_shape
    other.set_weights(model.get_weights())
    for x in (X, X[:, :7, 2:], X):
        np.testing.assert_allclose(model.predict(x), other.predict(x, verbose=0), rtol=1e-5, atol=1e-5)
        np.testing.assert_allclose(ours(x), keras.ops.convert_to_numpy(theirs(x)), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("make", [
    lambda k: k.layers.Dense(2)(k.layers.Flatten()(k.Input((None, None, 3)))),
    lambda k: k.layers.Conv2D(2, 3)(k.Input((8, 8, None))),
    lambda k: k.layers.PReLU()(k.Input((None, None, 3))),
])
def test_a_layer_that_needs_a_size_is_refused_as_keras_refuses_it(make):
    with pytest.raises((ValueError, TypeError)):
        make(keras)
    with pytest.raises(fc.errors.ArgumentError, match="expected known sizes"):
        make(fc)


def test_one_step_on_each_of_two_sizes_is_keras_s():
    def model(k):
        i = k.Input((None, None, 3))
        x = k.layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(i)
        x = k.layers.GlobalAveragePooling2D()(k.layers.Conv2D(3, 1)(x))
        made = k.Model(i, k.layers.Dense(2)(x))
        made.compile("sgd", "mse")
        return made

    ours, theirs = model(fc), model(keras)
    theirs.set_weights(ours.get_weights())
    y = np.random.default_rng(1).random((2, 2), np.float32)
    for x in (X, X[:, :7, 2:]):
        np.testing.assert_allclose(ours.train_on_batch(x, y), theirs.train_on_batch(x, y), rtol=1e-5)
    for a, b in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6)
