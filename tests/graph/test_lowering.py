"""Predictions on bytes: what the layers say in floating point, within a step of rounding."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.graph.lowering import lowered

DRAW = np.random.default_rng(0)


def quantized(x, scale, zero=0):
    return layers.QuantizeDequantize(scale, zero)(x)


def with_weights(model):
    for p in model.weights:
        p.assign(DRAW.integers(-127, 128, p.shape) if p.dtype == np.int8 else
                 0.0005 + 0.002 * DRAW.random(p.shape) if p.name == "scale" else 0.1 * DRAW.standard_normal(p.shape))
    return model


def network():
    """Return a model with every layer that runs on bytes."""
    inputs = fc.Input((11, 11, 3))
    x = quantized(inputs, 0.02, 120)
    x = a = quantized(layers.QuantizedConv2D(16, 3, padding="same", activation="relu")(x), 0.03)
    x = quantized(layers.QuantizedConv2D(16, 3, padding="same")(x), 0.04, 110)
    x = quantized(layers.ReLU()(layers.Add()([x, a])), 0.04)
    x = b = quantized(layers.MaxPooling2D(2)(x), 0.04)
    x = layers.ReLU6()(layers.QuantizedConv2D(16, 3, padding="same", groups=16)(x))
    x = quantized(layers.Concatenate()([quantized(x, 0.05), b]), 0.05)
    x = quantized(layers.Activation("sigmoid")(x), 1 / 256)
    x = quantized(layers.AveragePooling2D(2)(layers.ZeroPadding2D(1)(x)), 1 / 256)
    x = quantized(layers.Flatten()(x), 1 / 200)
    outputs = layers.Softmax()(layers.QuantizedDense(10)(x))
    return with_weights(fc.Model(inputs, outputs))


X = DRAW.standard_normal((5, 11, 11, 3)).astype(np.float32)


def nodes(model, x=X):
    return [type(step.node).__name__ for step in model.executables.get([x]).get(len(x), predicts=True).steps]


@pytest.fixture(scope="module")
def model():
    return network()


def test_every_layer_between_quantizations_runs_on_bytes(model):
    assert nodes(model) == [
        "Quantize", "ByteProduct", "ByteProduct", "ByteSum", "ByteMaxPool", "ByteProduct", "ByteTable", "BytesJoined",
        "ByteTable", "ByteBorder", "ByteAverage", "BytesReshaped", "ByteTable", "ByteProduct", "Softmax"]


def test_bytes_tell_what_the_layers_do_in_floating_point(model):
    y = model.predict(X)
    fc.config.set_fusion(False)
    try:
        simulated = model.predict(X)
        assert "ByteProduct" not in nodes(model)
    finally:
        fc.config.set_fusion(True)
    # A sum at the middle between two bytes may be rounded to the other one, and so may what comes of it.
    assert np.abs(y - simulated).max() < 2e-3
    assert y.std() > 1e-3


def test_the_bits_are_those_of_each_image_alone_of_a_capture_and_after_loading(model, tmp_path):
    y = model.predict(X)
    one_by_one = [model.predict(X[k:k + 1]) for k in range(len(X))]
    np.testing.assert_array_equal(np.concatenate(one_by_one), y)
    for _ in range(3):  # the second is captured, the third replays
        np.testing.assert_array_equal(model.predict(X), y)
    path = tmp_path / "model.safetensors"
    model.save(path)
    np.testing.assert_array_equal(fc.saving.load_model(path).predict(X), y)
    assert path.stat().st_size < 4 * model.count_params()


def test_weights_that_change_are_packed_again(model):
    before = model.predict(X)
    kernel = model.layers[2].weights[0]
    assert kernel.dtype == np.int8
    known = kernel.numpy()
    kernel.assign(-known)
    assert np.abs(model.predict(X) - before).max() > 1e-3
    kernel.assign(known)
    np.testing.assert_array_equal(model.predict(X), before)


def test_what_others_read_too_is_there_as_bytes_and_as_numbers():
    inputs = fc.Input((6, 6, 4))
    x = quantized(inputs, 0.02, 128)
    y = layers.QuantizedConv2D(4, 3, padding="same")(x)
    both = layers.Multiply()([y, x])  # no bytes for products of tensors
    model = with_weights(fc.Model(inputs, [quantized(both, 0.01, 100), y]))
    x = X[:, :6, :6, [0, 1, 2, 0]]
    assert nodes(model, x) == ["Quantize", "ByteProduct", "Dequantize", "Multiply", "Quantize", "Dequantize"]
    product, convolved = model.predict(x)
    given = model.layers[1].predict(np.ascontiguousarray(x))
    wanted = np.clip(np.rint(given * convolved / np.float32(0.01)) + 100, 0, 255) - 100
    np.testing.assert_allclose(product, wanted * np.float32(0.01), atol=1e-6)


def test_a_graph_without_quantized_layers_stays_as_it_is():
    inputs = fc.Input((4, 4, 1))
    graph = fc.Model(inputs, layers.Conv2D(2, 3)(inputs)).layer_graph()
    assert lowered(graph) is graph


def test_float64_models_compute_as_their_layers_say():
    inputs = fc.Input((5,), dtype="float64")
    x = layers.QuantizeDequantize(0.1, 128, dtype="float64")(inputs)
    model = with_weights(fc.Model(inputs, layers.QuantizedDense(3, dtype="float64")(x)))
    x = DRAW.standard_normal((4, 5))
    kernel = model.layers[-1].kernel.numpy()
    np.testing.assert_allclose(model.predict(x), np.rint(x / 0.1) * np.float32(0.1) @ kernel + model.layers[-1].bias,
                               rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize(("make", "message"), [
    (lambda: layers.QuantizeDequantize(0.0), "expected a scale above 0"),
    (lambda: layers.QuantizeDequantize(1e-60), "expected a scale that float32 holds"),
    (lambda: layers.QuantizeDequantize(1.0, 256), "expected a zero_point from 0 to 255, got 256"),
])
def test_a_quantization_that_is_none_is_refused(make, message):
    with pytest.raises(fc.errors.ArgumentError, match=message):
        make()


def test_integers_of_eight_bits_take_no_other_numbers():
    layer = layers.QuantizedDense(2, use_bias=False)
    layer.build((None, 1))
    for bad in ([[0.5, 1]], [[128, 0]]):
        with pytest.raises(fc.errors.ArgumentError, match="expected integers from -128 to 127"):
            layer.set_weights([np.array(bad), np.ones(2)])
