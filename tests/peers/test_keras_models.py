"""Keras writes whole models, fastcnn reads them: structure, weights, what compile was given."""

import inspect
import os
import warnings

import numpy as np
import pytest

os.environ.setdefault("KERAS_BACKEND", "torch")
keras = pytest.importorskip("keras")
pytest.importorskip("h5py")

import fastcnn as fc  # noqa: E402
from fastcnn import layers  # noqa: E402

pytestmark = [pytest.mark.peers, pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")]
L = keras.layers
SHAPE = (12, 12, 3)


def inside():
    """Models inside, one of them frozen in its call; layers used several times; operations; several outputs."""
    conv = keras.Sequential([keras.Input((10, 10, 4)), L.Conv2D(4, 3, padding="same"), L.BatchNormalization()])
    cut_inputs = keras.Input((10, 10, 4))
    cut = keras.Model(cut_inputs, L.ReLU(6.0)(cut_inputs))
    first, second = keras.Input(SHAPE), keras.Input(SHAPE)
    shared = L.Conv2D(4, 3, activation=L.LeakyReLU(0.1), kernel_regularizer="l2")
    x = conv(cut(shared(first)), training=False)
    x = keras.ops.relu(x + cut(conv(shared(second))) * 2.0)
    x = keras.ops.clip(1.0 - x / 3.0, -0.5, 3)
    return keras.Model([first, second], [cut(x), L.Concatenate()([x, x])])


def deferred():
    """No Input, a function as activation, a layer that is not trained."""
    model = keras.Sequential([L.Conv2D(2, 3, activation=keras.activations.relu6), L.BatchNormalization(trainable=False),
                              L.Flatten(), L.Dropout(0.5), L.Dense(2, activation="softmax")])
    model.build((None, *SHAPE))
    return model


def various():
    """Layers with arguments of every kind."""
    inputs = keras.Input(SHAPE)
    adapted = L.Normalization()
    adapted.adapt(np.random.default_rng(2).standard_normal((5, *SHAPE)))
    x = L.Rescaling(1 / 255, offset=[0.1, 0.2, 0.3])(inputs)
    x = L.Normalization(mean=[1.0, 2.0, 3.0], variance=[1.0, 2.0, 3.0])(adapted(x))
    x = L.PReLU(shared_axes=(1, 2))(L.Conv2DTranspose(4, 3, strides=2, output_padding=1)(x))
    x = L.GroupNormalization(2)(L.LayerNormalization(axis=(1, 2, 3))(x))
    x = L.ELU(0.5)(L.ZeroPadding2D(((1, 0), (0, 2)))(L.Cropping2D(1)(x)))
    x = L.AveragePooling2D(3, strides=2, padding="same")(L.UpSampling2D(2, interpolation="bilinear")(x))
    x = L.SeparableConv2D(4, 3)(L.DepthwiseConv2D(3, depth_multiplier=2)(x))
    x = L.Permute((2, 1))(L.Reshape((-1, 4))(L.Identity()(L.Activation("swish")(x))))
    x = L.Conv1D(3, 3, padding="causal", dilation_rate=2, activation="hard_sigmoid")(x)
    return keras.Model(inputs, L.GlobalMaxPooling1D()(L.SpatialDropout1D(0.2)(L.GaussianNoise(0.1)(L.Softmax()(x)))))


def dicts():
    """Inputs and outputs by name."""
    inputs = {name: keras.Input(SHAPE, name=name) for name in ("p", "q")}
    return keras.Model(inputs, {"o": L.Conv2D(3, 3)(inputs["q"]), "s": L.Conv2D(2, 3)(inputs["p"])})


@pytest.mark.parametrize("make", [inside, deferred, various, dicts])
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_model_that_keras_saved_gives_what_it_gave(tmp_path, make, suffix):
    theirs, rng = make(), np.random.default_rng(1)
    theirs.set_weights([rng.uniform(0.1, 0.5, w.shape) for w in theirs.get_weights()])
    x = rng.standard_normal((3, *SHAPE)).astype(np.float32)
    data = {"p": x, "q": x[::-1].copy()} if make is dicts else [x, x[::-1].copy()] if make is inside else x
    theirs.save(tmp_path / f"m{suffix}")
    ours = fc.saving.load_model((tmp_path / f"m{suffix}").rename(tmp_path / "model"))
    names = [layer.name for layer in theirs.layers]  # without operations, which are layers here
    assert [layer.name for layer in ours.layers if layer.name in names] == names
    assert [p.shape for p in ours.weights] == [w.shape for w in theirs.weights]
    assert len(ours.trainable_weights) == len(theirs.trainable_weights)
    expected, got = theirs.predict(data, verbose=0), ours.predict(data)
    assert type(got) is type(expected)
    pairs = [(got[k], expected[k]) for k in got] if isinstance(got, dict) else zip(got, expected, strict=True) if (
        isinstance(got, list)) else [(got, expected)]
    for a, b in pairs:
        np.testing.assert_allclose(a, b, atol=1e-5 * abs(b).max())


def test_a_model_that_keras_trained_trains_on_as_it_does(tmp_path):
    rng = np.random.default_rng(3)
    theirs = keras.Sequential([keras.Input((4,)), L.Dense(3, activation="relu"), L.Dense(2, activation="softmax")])
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 100, 0.5)
    theirs.compile(keras.optimizers.SGD(schedule), keras.losses.CategoricalCrossentropy(label_smoothing=0.1),
                   metrics=["accuracy", keras.metrics.MeanSquaredError()])  # fmt: skip
    x, y = rng.random((8, 4), np.float32), np.eye(2, dtype=np.float32)[rng.integers(0, 2, 8)]
    theirs.save(tmp_path / "m.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = fc.saving.load_model(tmp_path / "m.keras")
    for _ in range(3):
        expected, got = theirs.train_on_batch(x, y, return_dict=True), ours.train_on_batch(x, y, return_dict=True)
        assert set(got) == set(expected)
        assert got["loss"] == pytest.approx(float(expected["loss"]), rel=1e-5)


#: What a layer is made with, where it needs something; the shape of its input, where that is no image.
ARGUMENTS = {"Activation": ("relu",), "Dense": (3,), "Reshape": ((-1,),), "Permute": ((2, 1, 3),), "Rescaling": (2.0,),
             "RepeatVector": (2,), "Dropout": (0.1,), "GaussianDropout": (0.1,), "GaussianNoise": (0.1,),
             "AlphaDropout": (0.1,), "GroupNormalization": (2,), "DepthwiseConv1D": (2,), "DepthwiseConv2D": (2,),
             "Dot": (1,), "Resizing": (4, 9), "CenterCrop": (4, 5), "RandomRotation": (0.1,),
             "RandomTranslation": (0.1, 0.2), "RandomZoom": (0.1,),
             "RandomBrightness": (0.1,), "RandomContrast": (0.1,),
             "SpectralNormalization": (L.Conv2D(3, 2),), "TimeDistributed": (L.Conv1D(3, 2),)}

#: No layers, or the base of some; code, which is refused; Keras's RandomCrop leaves images as they are in inference;
#: layers of images of three channels.
SKIPPED = {"Layer", "Wrapper", "InputLayer", "Lambda", "RandAugment", "RandomCrop", "RandomGrayscale", "RandomHue",
           "RandomSaturation"}


def _arguments(name):
    if name.startswith(("Conv", "SeparableConv")):
        return 3, 2
    if name.startswith(("AveragePooling", "AdaptiveAverage", "AdaptiveMax")):
        return (2,)
    return (0.1,) if name.startswith("SpatialDropout") else ARGUMENTS.get(name, ())


def _common():
    for name in layers.__all__:
        kind = getattr(L, name, None)
        if inspect.isclass(kind) and name not in SKIPPED and kind.__name__ == name:
            yield name


@pytest.mark.parametrize("name", list(_common()))
def test_every_layer_that_both_have_is_read(tmp_path, name):
    kind = getattr(L, name)
    rank = 1 if name == "RepeatVector" else int(name[-2]) + 1 if name[-1:] == "D" else int(
        name[name.index("D") - 1]) + 1 if "DTranspose" in name else 3
    inputs = keras.Input((6, 6, 6, 2)[-rank:])
    many = issubclass(getattr(layers, name), layers.Layer) and getattr(layers, name).many_inputs
    outputs = kind(*_arguments(name))([inputs, inputs] if many else inputs)
    theirs, rng = keras.Model(inputs, outputs), np.random.default_rng(0)
    theirs.set_weights([rng.uniform(0.1, 0.5, w.shape) for w in theirs.get_weights()])
    theirs.save(tmp_path / "m.keras")
    x = rng.standard_normal((2, *inputs.shape[1:])).astype(np.float32)
    expected = theirs.predict(x, verbose=0)
    got = fc.saving.load_model(tmp_path / "m.keras").predict(x)
    np.testing.assert_allclose(got, expected, atol=1e-5 * abs(expected).max() + 1e-7)


def test_the_layers_that_fastcnn_alone_has_are_listed():
    from fastcnn.models.files.keras_table import NOT_KERAS

    ours = {name for name in layers.__all__ if inspect.isclass(getattr(layers, name)) and not hasattr(L, name)}
    # Keras 2 has the third, and the last is a layer within Keras's ConvNeXt.
    assert ours - {"Call", "Tensor", "ThresholdedReLU", "LayerScale"} == NOT_KERAS
