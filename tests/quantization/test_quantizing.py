import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.kernels.cpu.int8 import unit
from fastcnn.operations.quantized import Quantization, of_range
from fastcnn.quantization.building import quantized_weights
from fastcnn.quantization.calibration import _squared_error, narrowed
from fastcnn.quantization.equalizing import equalized

DRAW = np.random.default_rng(1)
IMAGES = DRAW.standard_normal((24, 8, 8, 3)).astype(np.float32)


def network():
    """Return a model with normalizations to fold, a shortcut, branches, a layer that stays, and two heads' worth."""
    fc.utils.set_random_seed(2)
    inputs = fc.Input((8, 8, 3))
    x = layers.Conv2D(8, 3, padding="same", use_bias=False, name="stem")(inputs)
    x = a = layers.ReLU()(layers.BatchNormalization(name="norm")(x))
    x = layers.DepthwiseConv2D(3, padding="same", name="depthwise")(x)
    x = layers.Activation("relu6")(layers.BatchNormalization()(x))
    x = layers.Add()([layers.Conv2D(8, 1, name="pointwise")(x), a])
    x = layers.Dropout(0.5)(layers.MaxPooling2D(2)(x))
    x = layers.Concatenate()([x, layers.Conv2D(4, 3, padding="same", activation="silu", name="swish")(x)])
    x = layers.LayerNormalization(name="stays")(x)
    x = layers.GlobalAveragePooling2D()(x)
    model = fc.Model(inputs, layers.Dense(5, activation="softmax", name="head")(x))
    for p in model.weights:
        if p.name in ("moving_mean", "beta"):
            p.assign(0.3 * DRAW.standard_normal(p.shape))
        elif p.name in ("moving_variance", "gamma"):
            p.assign(0.5 + DRAW.random(p.shape))
    return model


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.mark.parametrize("method", fc.quantization.METHODS)
def test_a_quantized_model_predicts_nearly_the_same(model, method):
    before = [w.copy() for w in model.get_weights()]
    quantized = fc.quantize(model, IMAGES, method=method, batch_size=10)
    assert np.abs(quantized.predict(IMAGES) - model.predict(IMAGES)).max() < 0.03
    assert all(np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True))
    kinds = {layer.name: type(layer).__name__ for layer in quantized.layers}
    assert [kinds[name] for name in ("stem", "depthwise", "pointwise", "swish")] == ["QuantizedConv2D"] * 4
    assert kinds["head"] == "QuantizedDense"
    assert kinds["stays"] == "LayerNormalization"
    assert "norm" not in kinds
    assert (quantized.input_names, quantized.name) == (model.input_names, model.name)


def test_products_on_tiles_give_the_bits_of_the_others(model, monkeypatch):
    quantized = fc.quantize(model, IMAGES)
    before = quantized.predict(IMAGES)
    monkeypatch.setattr(unit, "chosen", lambda: unit.Chosen("tiles", ""))
    calls, kernel = [], fc.kernels.cpu.quantized_tiles2d
    monkeypatch.setattr(fc.kernels.cpu, "quantized_tiles2d", lambda *given: calls.append(kernel(*given)))
    wide = fc.Sequential([fc.Input((8, 8, 3)), layers.Conv2D(32, 3, padding="same", activation="relu"),
                          layers.Conv2D(16, 1), layers.Flatten(), layers.Dense(20)])
    again = fc.quantize(wide, IMAGES)
    found = again.predict(IMAGES), again.predict(IMAGES[:1]), again.predict(IMAGES[:1]), again.predict(IMAGES[:1])
    assert len(calls) >= 6
    np.testing.assert_array_equal(quantized.predict(IMAGES), before)
    monkeypatch.undo()
    assert unit.chosen().name != "tiles"
    np.testing.assert_array_equal(again.predict(IMAGES), found[0])
    for one in found[1:]:
        np.testing.assert_array_equal(again.predict(IMAGES[:1]), one)


def test_layers_to_keep_stay_in_floating_point_and_their_weights_are_copies(model):
    quantized = fc.quantize(model, IMAGES, keep=["stem", "head"])
    kinds = {layer.name: type(layer).__name__ for layer in quantized.layers}
    assert (kinds["stem"], kinds["norm"], kinds["head"]) == ("Conv2D", "BatchNormalization", "Dense")
    assert quantized.get_layer("stem") is not model.get_layer("stem")
    assert np.abs(quantized.predict(IMAGES) - model.predict(IMAGES)).max() < 0.03


def test_the_table_tells_what_each_layer_costs_the_worst_first(model):
    table = fc.quantization.layer_losses(model, IMAGES, labels=np.arange(24) % 5)
    assert {one.name for one in table} == {"stem", "depthwise", "pointwise", "swish", "head"}
    assert [one.error for one in table] == sorted((one.error for one in table), reverse=True)
    assert table[-1].error > 0
    lines = str(table).splitlines()
    assert lines[0].split() == ["layer", "class", "error", "lost"]
    assert len(lines) == 6


def bad_network():
    """Return a classifier whose first layer bytes ruin: one filter is a thousand times as large, in a sum."""
    inputs = fc.Input((4, 4, 2))
    x = layers.Conv2D(2, 1, use_bias=False, name="ruined")(inputs)
    x = layers.Conv2D(3, 1, use_bias=False, name="harmless")(x)
    model = fc.Model(inputs, layers.Flatten()(layers.GlobalAveragePooling2D()(x)))
    model.set_weights([np.array([[[[1000, 0.1], [1000, 1]]]]), np.array([[[[0, 0, 0], [1, -1, 0.1]]]])])
    return model


def test_layers_that_cost_too_much_stay_in_floating_point_where_a_tolerance_asks():
    model, images = bad_network(), DRAW.standard_normal((64, 4, 4, 2)).astype(np.float32)
    first = lambda one: one.predict(images).argmax(-1)
    assert np.mean(first(fc.quantize(model, images)) != first(model)) > 0.05
    quantized = fc.quantize(model, images, tolerance=0.05)
    assert np.mean(first(quantized) != first(model)) <= 0.05
    assert type(quantized.get_layer("harmless")).__name__ == "Conv2D"
    assert type(quantized.get_layer("ruined")).__name__ == "QuantizedConv2D"


def test_entropy_leaves_out_a_tail_and_keeps_what_is_dense():
    edges = np.linspace(0, 100, 2049)
    tail = np.histogram(np.append(np.abs(DRAW.normal(0, 1, 100_000)), 100), edges)[0]
    assert narrowed(tail, 0.0, 100.0)[1] < 60
    dense = np.histogram(DRAW.random(100_000) * 100, edges)[0]
    assert narrowed(dense, 0.0, 100.0)[1] > 95
    assert narrowed(np.zeros(2048, int), 0.0, 0.0) == (0.0, 0.0)


def uneven():
    """Return a network whose channels differ a hundred times, through ReLU, pooling and concatenation."""
    inputs = fc.Input((8, 8, 3))
    x = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", use_bias=False)(inputs))
    x = layers.MaxPooling2D(2)(layers.ReLU()(x))
    x = layers.Concatenate()([layers.Conv2D(6, 1, activation="relu")(x), layers.Conv2D(6, 3, padding="same")(x)])
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, activation="relu")(layers.ReLU()(x))
    x = layers.Dense(6, activation="relu")(layers.GlobalAveragePooling2D()(x))
    model = fc.Model(inputs, layers.Dense(4)(x))
    draw = np.random.default_rng(7)
    for p in model.weights:
        many = 10.0 ** draw.uniform(-1, 1, p.shape[-1])
        if p.name in ("moving_mean", "beta", "bias"):
            p.assign(0.1 * draw.standard_normal(p.shape))
        elif p.name in ("gamma", "kernel"):
            p.assign(many if p.ndim == 1 else draw.standard_normal(p.shape) * many / np.sqrt(p.size / many.size))
    return model


def test_channels_made_more_alike_leave_the_outputs_and_lose_less_in_bytes():
    model = uneven()
    before, weights = model.predict(IMAGES), [w.copy() for w in model.get_weights()]
    batches = lambda: [[IMAGES[:10]], [IMAGES[10:]]]
    twin = equalized(model, batches)
    np.testing.assert_allclose(twin.predict(IMAGES), before, rtol=0, atol=1e-5 * np.abs(before).max())
    for a, b in zip(weights, model.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    changed = {layer.name for layer in model.layers for a, b in zip(
        layer.get_weights(), twin.get_layer(layer.name).get_weights(), strict=True) if not np.array_equal(a, b)}
    products = [layer for layer in model.layers if type(layer).__name__ in ("Conv2D", "DepthwiseConv2D", "Dense")]
    assert {layer.name for layer in products[1:]} <= changed
    error = lambda **told: np.linalg.norm(fc.quantize(model, IMAGES, method="minmax", **told).predict(IMAGES) - before)
    assert error(equalize=True) < 0.8 * error()


def test_only_products_between_which_factors_pass_are_equalized():
    inputs = fc.Input((6, 6, 2))
    a = layers.Conv2D(4, 1, activation="relu", name="in a sum")(inputs)
    b = layers.Conv2D(4, 1, activation="relu6", name="clipped")(a)
    c = layers.Conv2D(4, 1, name="before groups")(layers.Add()([a, b]))
    d = layers.Conv2D(4, 1, groups=2, name="groups")(c)
    e = layers.Conv2D(4, 1, activation="tanh", name="curved")(d)
    outputs = [layers.Conv2D(3, 1, name="last")(e), d]
    model, x = fc.Model(inputs, outputs), IMAGES[:, :6, :6, :2].copy()
    twin = equalized(model, lambda: [[x]])
    for one, other in zip(model.get_weights(), twin.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_least_squared_error_leaves_out_a_tail_that_is_rare_and_keeps_one_that_is_not():
    edges, normal = np.linspace(0, 100, 2049), np.abs(DRAW.normal(0, 1, 100_000))
    least = lambda tail: narrowed(np.histogram(np.append(normal, tail), edges)[0], 0.0, 100.0, _squared_error)[1]
    # Up to h, rounding costs 100,000 (h / 255)^2 / 12 = 0.128 h^2, and clipping (100 - h)^2 for each number at 100.
    assert abs(least([100.0]) - 100 / 1.128) < 2
    assert abs(least([100.0] * 5) - 500 / 5.128) < 2
    assert least([30.0]) < 30
    dense = np.histogram(DRAW.random(100_000) * 100, edges)[0]
    assert narrowed(dense, 0.0, 100.0, _squared_error)[1] > 95


def test_a_range_always_holds_zero_exactly():
    assert of_range(2.0, 5.1) == Quantization(float(np.float32(5.1 / 255)), 0)
    assert of_range(-3.0, -1.0).zero_point == 255
    assert of_range(0.0, 0.0) == Quantization(1.0, 0)
    q = of_range(-1.0, 2.0)
    np.testing.assert_allclose(q.range, (-1, 2), atol=q.scale)
    assert 0 < q.zero_point < 255


def test_a_bias_beside_filters_of_next_to_nothing_fits_the_sums():
    kernel, bias = np.full((1, 1, 4, 2), [1e-12, 0.0]), np.array([5.0, -7.0])
    integers, scale, rounded = quantized_weights(kernel, bias, Quantization(0.01, 3), np.zeros(4))
    np.testing.assert_allclose(rounded, bias, rtol=1e-6)
    assert integers.dtype == np.int8
    assert (scale > 0).all()


def test_the_bias_takes_up_what_rounding_filters_does_to_an_average_input():
    kernel, mean = DRAW.standard_normal((3, 3, 2, 6)), DRAW.random(4) + 1  # two groups
    integers, scale, bias = quantized_weights(kernel, np.zeros(6), Quantization(1e-4, 0), mean)
    lost = (kernel - integers * scale.astype(np.float64)).sum((0, 1))
    wanted = [mean[:2] @ lost[:, k] if k < 3 else mean[2:] @ lost[:, k] for k in range(6)]
    np.testing.assert_allclose(bias, wanted, atol=1e-4 * scale.max())


@pytest.mark.parametrize(("images", "given", "message"), [
    (IMAGES, {"method": "maximum"}, 'method .*"maximum".*minmax|maximum'),
    (IMAGES, {"keep": ["stem", "nothing"]}, "nothing"), (IMAGES, {"keep": "stem"}, "expected keep to be a list"),
    (IMAGES, {"tolerance": 2}, "expected a tolerance from 0 to 1"),
    (IMAGES, {"labels": [1, 2]}, "expected a label for each of 24 images"),
    (IMAGES[:, :4], {}, "expected x of shape"), (IMAGES * np.nan, {}, "NaN"),
    (IMAGES, {"keep": ["stem", "depthwise", "pointwise", "swish", "head"]}, "to quantize"),
])
def test_what_does_not_suit_is_told_before_anything_is_computed(model, images, given, message):
    with pytest.raises(ValueError, match=message):
        fc.quantize(model, images, **given)


def test_a_model_without_layers_to_quantize_is_refused():
    inputs = fc.Input((4, 4, 1))
    model = fc.Model(inputs, layers.Flatten()(inputs))
    with pytest.raises(fc.errors.ArgumentError, match="to quantize"):
        fc.quantize(model, np.zeros((2, 4, 4, 1), "float32"))
