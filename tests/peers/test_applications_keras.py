"""The networks that Keras has too: its weights fit as they are, outputs and gradients agree."""

import contextlib
import os
import re

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")

from fastcnn import applications, config, initializers, layers  # noqa: E402
from fastcnn.applications._network import KERAS  # noqa: E402
from fastcnn.errors import ModelFileError  # noqa: E402
from fastcnn.layers import Call  # noqa: E402

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

# The sizes are odd and small, but not below what Keras takes.
SIZES = {
    "VGG16": (37, 45), "ResNet50": (41, 33), "InceptionV3": (75, 79), "MobileNet": (45, 51), "MobileNetV2": (45, 51),
    "DenseNet121": (41, 33), "EfficientNetB0": (45, 51), "EfficientNetB1": (33, 47), "Xception": (71, 75),
    "ResNet50V2": (41, 33), "MobileNetV3Small": (45, 51), "EfficientNetV2B0": (45, 51), "ConvNeXtTiny": (45, 51),
    "NASNetMobile": (45, 51),
}  # fmt: skip
SLOW = dict.fromkeys(("VGG19", "ResNet101", "ResNet152", "DenseNet169", "DenseNet201", "ResNet101V2", "ResNet152V2",
                      "MobileNetV3Large", "ConvNeXtSmall",
                      *(f"EfficientNetV2{size}" for size in ("B1", "B2", "B3", "S")),
                      *(f"EfficientNetB{i}" for i in range(2, 8))), (33, 47)) | {"InceptionResNetV2": (75, 79)}
#: Small ones that have what others are made of: residual blocks, depthwise convolutions, squeezing and exciting.
QUICK = ("MobileNetV2", "ResNet50V2", "MobileNetV3Small", "EfficientNetB0")
ALL = [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SIZES | SLOW]


@contextlib.contextmanager
def _offered_on_torch():
    """Keras refuses NASNet where its arrays are PyTorch's; what it makes of it there, asked not to look, is right."""
    room = keras.src.applications.nasnet
    known = room.backend

    class Jax:
        def __getattr__(self, name):
            return (lambda: "jax") if name == "backend" else getattr(known, name)

    room.backend = Jax()
    try:
        yield
    finally:
        room.backend = known


def _pair(name, *, size, **arguments):
    """Keras's network and ours, with the same weights; no gamma, variance or statistic is what it begins with."""
    arguments = {"input_shape": (*size, 3), "classes": 10, "classifier_activation": None} | arguments
    keras.backend.clear_session()  # so that automatic names begin anew
    with _offered_on_torch():
        theirs = getattr(keras.applications, name)(weights=None, **arguments)
    with initializers.nothing_drawn():
        ours = getattr(applications, name)(**arguments)
    rng = np.random.default_rng(0)
    values = []
    for weight in theirs.weights:
        kind, shape = weight.path.rpartition("/")[2], tuple(weight.shape)
        if kind == "gamma" and re.search(r"project_bn|project_BN|_3_bn|layer_scale", weight.path):
            # What a residual block adds is small, as in trained networks; as large as its input, a hundred of them
            # make a change of 2e-6 in the image one of 60 % in the outputs, in Keras alone.
            values.append(rng.uniform(0.1, 0.3, shape))
        elif kind in ("gamma", "moving_variance", "variance"):
            values.append(rng.uniform(0.5, 1.5, shape))
        elif kind in ("beta", "moving_mean", "mean", "bias"):
            values.append(rng.uniform(-0.2, 0.2, shape))
        elif kind == "count":
            values.append(np.zeros(shape))
        else:  # as large as the inputs, so that the last layer still sees the first
            fan_in = np.prod(shape[:2] if shape[-1] == 1 or "dw" in weight.path else shape[:-1])
            small = 0.2 if "_3_conv" in weight.path and theirs.name.endswith("v2") else 1  # ends of blocks, as above
            values.append(rng.normal(0, small * np.sqrt(2 / fan_in), shape))
    values = [value.astype(np.float32) for value in values]
    theirs.set_weights(values)
    ours.set_weights(theirs.get_weights())
    return ours, theirs


def _names(ours, theirs):
    """Names of our layers but the input, without those that are an operation, or a part of a layer, in Keras."""
    known = {layer.name for layer in theirs.layers}
    return [layer.name for layer in ours.layers[1:]
            if layer.name in known or not re.fullmatch(r"add(_\d+)?|custom_scale_layer\w*_rescaling", layer.name)]


def _images(model, count=2):
    scale = 255 if model.name.startswith(("efficientnet", "convnext", "MobileNetV3")) else 1
    return scale * np.random.default_rng(3).random((count, *model.input_shape[1:]), np.float32)


def _close(got, expected, what=""):
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-4 * np.abs(expected).max(), err_msg=what)


def _error_but_for_kinks(got, expected, what):
    """Return the error in the mean: where an activation is within rounding of 0, ReLU's slope is 0 here and 1 there.

    That happens in few networks and images, and changes the gradients of a layer's small images by up to 3 %, those
    before it by less; elsewhere the errors are about 1e-6.
    """
    assert got.shape == expected.shape
    error = np.linalg.norm(got - expected) / np.linalg.norm(expected)
    assert error < 5e-2, what
    return error


@pytest.mark.parametrize("name", ALL)
def test_outputs_and_gradients_are_keras_s_with_its_weights(name):
    """Gradients of sum(y dy), for a random dy, by the image and by every weight that is trained; statistics rest."""
    ours, theirs = _pair(name, size=(SIZES | SLOW)[name])
    assert _names(ours, theirs) == [layer.name for layer in theirs.layers][1:]
    assert ours.name == theirs.name
    for model, kind in ((ours, layers), (theirs, keras.layers)):
        for layer in model.layers:
            if isinstance(layer, kind.BatchNormalization):
                layer.trainable = False
            elif isinstance(layer, layers.Dropout):
                layer.rate = 0.0
    x, rng = _images(ours), np.random.default_rng(2)
    dy = rng.standard_normal((len(x), 10)).astype(np.float32)

    image = torch.tensor(x, requires_grad=True)
    expected = theirs(image, training=False)
    (expected * torch.tensor(dy)).sum().backward()
    expected = expected.detach().numpy()
    assert np.ptp(expected) > 1e-2 * np.abs(expected).max()

    _close(ours.predict(x), expected, "predict")
    _close(ours.forward(x, Call())[0], expected, "forward")
    config.set_winograd(False)  # its rounding puts more numbers on the other side of a ReLU
    try:
        dx = ours.forward(x, Call())[1](dy)
    finally:
        config.set_winograd(True)
    _error_but_for_kinks(dx, image.grad.numpy(), "gradient of the image")
    assert len(ours.trainable_weights) == len(theirs.trainable_weights) > 0
    errors = [_error_but_for_kinks(weight.grad, other.value.grad.numpy(), weight.path)
              for weight, other in zip(ours.trainable_weights, theirs.trainable_weights, strict=True)]
    assert np.median(errors) < 5e-3


@pytest.mark.parametrize(("name", "pooling", "shape"), [
    ("VGG16", "max", 2), ("MobileNetV2", None, 4), ("MobileNetV2", "avg", 2)])
def test_features_without_the_top_are_keras_s(name, pooling, shape):
    ours, theirs = _pair(name, size=(33, 47), include_top=False, pooling=pooling)
    assert _names(ours, theirs) == [layer.name for layer in theirs.layers][1:]
    x = _images(ours)
    assert len(ours.output_shape) == shape
    _close(ours.predict(x), theirs.predict(x, verbose=0))


@pytest.mark.parametrize("alpha", [0.35, 1.4])
def test_narrow_and_wide_mobilenets_are_keras_s(alpha):
    ours, theirs = _pair("MobileNetV2", size=(32, 32), alpha=alpha)
    x = _images(ours)
    _close(ours.predict(x), theirs.predict(x, verbose=0))


def test_mobilenet_with_a_depth_multiplier_is_keras_s():
    ours, theirs = _pair("MobileNet", size=(32, 32), alpha=0.25, depth_multiplier=2)
    x = _images(ours)
    _close(ours.predict(x), theirs.predict(x, verbose=0))


@pytest.mark.parametrize("name", ["MobileNetV2", pytest.param("ResNet50", marks=pytest.mark.slow)])
def test_probabilities_of_the_published_size_are_keras_s(name):
    ours, theirs = _pair(name, size=(224, 224), classes=1000, classifier_activation="softmax")
    x = _images(ours, 1)
    _close(ours.predict(x), theirs.predict(x, verbose=0))


@pytest.mark.parametrize("suffix", [".weights.h5", ".keras", ".h5"])
def test_a_file_that_keras_wrote_is_an_argument(suffix, tmp_path):
    _, theirs = _pair("MobileNet", size=(32, 32), alpha=0.25)
    path = tmp_path / f"m{suffix}"
    (theirs.save_weights if suffix == ".weights.h5" else theirs.save)(path)
    ours = applications.MobileNet((32, 32, 3), 0.25, weights=path, classes=10, classifier_activation=None)
    x = _images(ours)
    _close(ours.predict(x), theirs.predict(x, verbose=0))


def test_weights_of_an_efficientnet_from_imagenet_want_its_second_rescaling(monkeypatch, tmp_path):
    """Keras makes another network for weights="imagenet": here it is made without loading anything."""
    with monkeypatch.context() as patch:
        patch.setattr(keras.src.applications.efficientnet.file_utils, "get_file", lambda *args, **kwargs: "nothing")
        patch.setattr(keras.Model, "load_weights", lambda *args, **kwargs: None)
        theirs = keras.applications.EfficientNetB0(weights="imagenet", include_top=False, input_shape=(33, 47, 3))
    theirs.save_weights(tmp_path / "m.weights.h5")
    ours = applications.EfficientNetB0(include_top=False, input_shape=(33, 47, 3), imagenet_rescaling=True,
                                       weights=tmp_path / "m.weights.h5")
    assert [layer.name for layer in ours.layers][3] == "rescaling_1"
    x = _images(ours)
    _close(ours.predict(x), theirs.predict(x, verbose=0))
    with pytest.raises(ModelFileError, match=r"rescaling_1, which the model lacks .*imagenet_rescaling=True"):
        applications.EfficientNetB0(include_top=False, input_shape=(33, 47, 3), weights=tmp_path / "m.weights.h5")


def test_preprocess_input_is_keras_s():
    x = 255 * np.random.default_rng(0).random((2, 5, 6, 3), np.float32)
    for mode, family in (("caffe", "resnet"), ("tf", "mobilenet"), ("torch", "densenet")):
        expected = getattr(keras.applications, family).preprocess_input(x.copy())
        np.testing.assert_allclose(applications.preprocess_input(x, mode), expected, rtol=1e-5, atol=1e-5)


def test_the_networks_that_keras_is_said_to_have_are_those_that_it_has():
    assert {name for name in applications.__all__ if name[0].isupper() and hasattr(keras.applications, name)} == KERAS
