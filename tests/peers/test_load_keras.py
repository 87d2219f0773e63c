"""A model that Keras exports is channels-last, with transposes around every convolution: it loses them."""

import numpy as np
import pytest

pytest.importorskip("keras")
pytest.importorskip("onnxscript")

import keras
from keras import layers

import fastcnn as fc

pytestmark = pytest.mark.peers


def network():
    inputs = keras.Input((16, 16, 3))
    x = layers.Rescaling(1 / 255)(inputs)
    x = layers.Conv2D(8, 3, strides=2, padding="same")(x)
    x = layers.ReLU(6.0)(layers.BatchNormalization()(x))
    x = layers.Add()([x, layers.DepthwiseConv2D(3, padding="same")(x)])
    x = layers.MaxPooling2D()(x)
    x = layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)])
    return keras.Model(inputs, layers.Dense(5, activation="softmax")(layers.Flatten()(x)))


@pytest.mark.filterwarnings("ignore")  # of Keras and the exporter, about themselves
def test_a_network_exported_by_keras(tmp_path):
    model = network()
    draw = np.random.default_rng(3)
    model.set_weights([np.abs(draw.normal(0.5, 0.3, w.shape)) if w.ndim == 1 else w for w in model.get_weights()])
    x = draw.random((3, 16, 16, 3), np.float32) * 255
    want = model.predict(x, verbose=0)
    model.export(str(tmp_path / "m.onnx"), format="onnx", verbose=False)
    loaded = fc.onnx.load(tmp_path / "m.onnx")
    np.testing.assert_allclose(loaded.predict(x), want, atol=1e-5)
    kinds = [type(layer).__name__ for layer in loaded.layers]
    assert "Permute" not in kinds
    assert {"Rescaling", "Conv2D", "DepthwiseConv2D", "ReLU", "Add", "MaxPooling2D", "Dense", "Softmax"} <= set(kinds)
