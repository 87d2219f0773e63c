"""What the laws do not say of normalization, dropout and preprocessing: errors, `adapt`, frozen layers, sharing."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError, DataError
from fastcnn.layers import Call

REFUSED = [
    (layers.BatchNormalization, {"gamma_constraint": "none_neg"}, "'none_neg' is not known; did you mean 'non_neg'"),
    (layers.BatchNormalization, {"renorm": True}, "renorm=True is not offered; leave it at False"),
    (layers.BatchNormalization, {"synchronized": True}, "synchronized=True is not offered"),
    (layers.BatchNormalization, {"epsilon": 0}, "expected a positive epsilon, got 0"),
    (layers.LayerNormalization, {"rms_scaling": True}, "rms_scaling=True is not offered"),
    (layers.LayerNormalization, {"beta_constraint": 3}, "constraint: 3 is not known"),
    (layers.LayerNormalization, {"epsilon": 0.0}, r"expected a positive epsilon, got 0\.0"),
    (layers.GroupNormalization, {"groups": 0}, "a positive integer, or -1 for one a channel, got 0"),
    (layers.LocalResponseNormalization, {"size": 0}, "expected size to be a positive integer, or how many channels"),
    (layers.LocalResponseNormalization, {"size": (1, -1)}, r"before and after, got \(1, -1\)"),
    (layers.LocalResponseNormalization, {"k": 0}, "expected a positive k, got 0"),
    (layers.Dropout, {"rate": 1}, "expected a rate with 0 <= rate < 1, got 1"),
    (layers.Dropout, {"rate": 0.5, "noise_shape": "rows"}, "expected noise_shape to be a tuple of positive integers"),
    (layers.SpatialDropout2D, {"rate": 0.5, "data_format": "channels_first"}, "'channels_first' is not offered"),
    (layers.GaussianNoise, {"stddev": 2}, "expected 0 <= stddev <= 1, got 2"),
    (layers.GaussianDropout, {"rate": -0.1}, r"expected a rate with 0 <= rate < 1, got -0\.1"),
    (layers.Permute, {"dims": (0, 1)}, r"expected dims to be a permutation of 1, 2, \.\.\., got \(0, 1\)"),
    (layers.RepeatVector, {"n": 0}, "expected n to be a positive integer, got 0"),
    (layers.LayerScale, {"init_values": "small"}, "init_values to be a finite number"),
    (layers.LayerScale, {"projection_dim": 0}, "expected projection_dim to be a positive integer, got 0"),
    (layers.Rescaling, {"scale": "large"}, "expected scale to be a finite number or an array of them, got 'large'"),
    (layers.Normalization, {"mean": 1.0}, r"or none of them, got mean=1\.0 and variance=None"),
    (layers.Normalization, {"mean": [1.0], "variance": 2.0}, r"mean and variance of one shape, got \(1,\) and"),
]  # fmt: skip


@pytest.mark.parametrize(("cls", "arguments", "message"), REFUSED)
def test_what_is_not_offered_is_refused_by_name(cls, arguments, message):
    with pytest.raises(ArgumentError, match=message):
        cls(**arguments).build((None, 4, 4, 4))


UNFIT = [
    (layers.BatchNormalization(axis=1), (None, 4, 4, 3), "axis=1 is not offered; leave it at -1"),
    (layers.LayerNormalization(axis=1), (None, 4, 4, 3), r"the last axes of an input with 4, .* \(1,\)"),
    (layers.LayerNormalization(axis=(1, 2)), (None, 4), "without the batch, such as -1"),
    (layers.GroupNormalization(3, axis=1), (None, 3, 4, 4), "axis=1 is not offered; leave it at -1"),
    (layers.LayerScale(1.0, 3), (None, 4, 4, 4), "expected 3 channels, as projection_dim says, got"),
    (layers.GroupNormalization(3), (None, 4, 4, 4), "expected groups to divide the 4 channels, got 3"),
    (layers.Permute((2, 1)), (None, 4, 4, 4), "expected an input with 2 dimensions besides the batch"),
    (layers.RepeatVector(3), (None, 4, 4), r"expected input \(N, features\), got \(None, 4, 4\)"),
    (layers.SpatialDropout1D(0.5), (None, 4), r"expected input \(N, L, C\), got \(None, 4\)"),
    (layers.SpatialDropout3D(0.5), (None, 4, 4, 4), r"expected input \(N, D, H, W, C\)"),
    (layers.Dropout(0.5, noise_shape=(None, 2, 1)), (None, 4, 4), r"noise_shape to have 1 or None, or the input's"),
    (layers.Rescaling([1.0, 2.0]), (None, 4, 4, 3), r"to broadcast with a sample \(4, 4, 3\), got"),
    (layers.Normalization(axis=2), (None, 4), "expected axis to name dimensions of an input with 2, without the batch"),
    (layers.Normalization(mean=[1.0, 2.0], variance=[1.0, 2.0]), (None, 4, 3), r"broadcast with \(3,\), the sizes of"),
]  # fmt: skip


@pytest.mark.parametrize(("layer", "shape", "message"), UNFIT)
def test_a_shape_that_does_not_suit_is_refused(layer, shape, message):
    with pytest.raises(ArgumentError, match=message):
        layer.build(shape)


def test_a_noise_shape_with_a_batch_takes_no_other_batch():
    layer = layers.Dropout(0.5, noise_shape=(4, 1))
    assert layer.forward(np.ones((4, 6), np.float32))[0].shape == (4, 6)
    with pytest.raises(ArgumentError, match="expected a batch of 4, as noise_shape says, got 3"):
        layer.forward(np.ones((3, 6), np.float32))


def test_a_frozen_batch_normalization_is_a_fixed_map_with_the_moving_statistics():
    layer = layers.BatchNormalization(trainable=False)
    layer.build((None, 2))
    layer.set_weights([np.array(v, np.float32) for v in ([2, 3], [1, -1], [5, 0], [4, 1])])
    x = np.array([[5, 1], [9, -2]], np.float32)
    y, backward = layer.forward(x)
    scale = np.array([2, 3]) / np.sqrt(np.array([4, 1]) + 1e-3)
    np.testing.assert_allclose(y, (x - [5, 0]) * scale + [1, -1], rtol=1e-5)
    np.testing.assert_allclose(backward(np.ones_like(x)), np.tile(scale, (2, 1)), rtol=1e-6)
    np.testing.assert_array_equal(layer.moving_mean.value, [5, 0])
    assert not any(p.grad.any() for p in layer.parameters)


def test_statistics_that_a_forward_pass_moves_are_known_to_be_new():
    layer = layers.BatchNormalization()
    layer.build((None, 4))
    before = layer.moving_mean.version, layer.moving_variance.version
    layer.forward(np.arange(8, dtype=np.float32).reshape(2, 4))
    assert layer.moving_mean.version > before[0]
    assert layer.moving_variance.version > before[1]
    moved = layer.moving_mean.version, layer.moving_variance.version
    layer.predict(np.ones((2, 4), np.float32))
    layer.trainable = False
    layer.forward(np.ones((2, 4), np.float32))
    assert (layer.moving_mean.version, layer.moving_variance.version) == moved, "nothing was written"


def test_a_prediction_with_folded_statistics_follows_a_forward_pass_without_an_optimizers_step():
    model = fc.Sequential([fc.Input((5, 5, 3)), layers.Conv2D(4, 3, dtype="float64"),
                           layers.BatchNormalization(momentum=0.5, dtype="float64")])
    x = np.random.default_rng(0).standard_normal((2, 5, 5, 3))
    before = model.infer(x).copy()
    for _ in range(2):
        model.forward(x)
        alone = model.layers[1].predict(model.layers[0].predict(x))
        assert np.abs(model.infer(x) - alone).max() < 1e-12 * np.abs(alone).max()  # roundings of the folding
    assert np.abs(alone - before).max() > 0.1  # whatever the first weights are: the statistics went most of their way


def test_dropouts_and_noise_pass_everything_where_a_call_is_no_training():
    x = np.ones((2, 4, 4, 3), np.float32)
    for layer in (layers.Dropout(0.5), layers.SpatialDropout2D(0.5), layers.AlphaDropout(0.5),
                  layers.GaussianNoise(0.5), layers.GaussianDropout(0.5)):
        assert layer.forward(x, Call(training=False))[0] is x
        assert layer.predict(x) is x


def test_alpha_dropout_keeps_mean_and_variance():
    x = np.random.default_rng(0).standard_normal((400, 500)).astype(np.float32)
    y = layers.AlphaDropout(0.3, seed=1).forward(x)[0]
    assert abs(y.mean()) < 0.01
    assert abs(y.std() - 1) < 0.01


def test_adapt_takes_integers_and_blocks_and_keeps_large_means():
    data = np.random.default_rng(0).integers(0, 256, (3000, 40, 40, 3), np.uint8)  # more than one block
    layer = layers.Normalization()
    layer.adapt(data)
    np.testing.assert_allclose(layer.mean.value, data.mean(axis=(0, 1, 2)), rtol=1e-6)
    np.testing.assert_allclose(layer.variance.value, data.var(axis=(0, 1, 2)), rtol=1e-6)
    data = 1e6 + np.random.default_rng(1).standard_normal((5000, 2))
    layer = layers.Normalization(dtype="float64")
    layer.adapt(data)
    np.testing.assert_allclose(layer.variance.value, data.var(axis=0), rtol=1e-9)
    y = layer.predict(data)
    np.testing.assert_allclose(y.mean(axis=0), 0, atol=1e-8)  # of 1e6, 8 digits are left
    np.testing.assert_allclose(y.std(axis=0), 1, rtol=1e-9)


def test_what_a_mapping_multiplies_by_is_worked_out_once_for_a_shape_and_anew_for_other_statistics(monkeypatch):
    layer, x, worked_out = layers.Normalization(), np.full((2, 5, 3), 5, np.float32), []
    the_map = layers.Normalization._map
    monkeypatch.setattr(layers.Normalization, "_map", lambda *given: worked_out.append(given) or the_map(*given))
    for _ in range(3):
        np.testing.assert_array_equal(layer(x), x)
    assert len(worked_out) == 1
    layer.set_weights([np.full(3, 1.0), np.full(3, 4.0), np.zeros(())])
    np.testing.assert_allclose(layer(x), 2)
    np.testing.assert_allclose(layer.for_shape((None, 4, 3))(x[:, :4]), 2)
    assert len(worked_out) == 3


def test_adapt_refuses_what_it_cannot_take():
    with pytest.raises(DataError, match="expected arrays of numbers to adapt to"):
        layers.Normalization().adapt(np.array(["a"]))
    with pytest.raises(DataError, match=r"got float64 of shape \(\)"):
        layers.Normalization().adapt(3.0)
    with pytest.raises(DataError, match=r"got float64 of shape \(0, 3\)"):
        layers.Normalization().adapt(np.empty((0, 3)))
    with pytest.raises(ArgumentError, match="expected a layer without a mean of its own to adapt"):
        layers.Normalization(mean=0.0, variance=1.0).adapt(np.ones((3, 2)))
    layer = layers.Normalization()
    layer.build((None, 4))
    with pytest.raises(ArgumentError, match=r"expected data like its input \(None, 4\), got \(3, 5\)"):
        layer.adapt(np.ones((3, 5)))


class Numbered:
    """Batches by number, as Keras's PyDataset gives them."""

    def __init__(self, parts):
        self.parts = parts

    def __len__(self):
        return len(self.parts)

    def __getitem__(self, k):
        return self.parts[k]


@pytest.mark.parametrize("given", [
    list, tuple, iter, Numbered, lambda parts: (one for one in parts), lambda parts: [(x, len(x)) for x in parts],
    lambda parts: iter([(x, np.zeros(len(x)), np.ones(len(x))) for x in parts]),
    lambda parts: [(x, np.zeros(len(x))) for x in parts]])
def test_adapt_takes_batches(given):
    x = np.random.default_rng(0).random((9, 2)) * [1.0, 50.0]
    whole, layer = layers.Normalization(), layers.Normalization()
    whole.adapt(x)
    layer.adapt(given([x[:4], x[4:5], x[5:]]))
    assert layer.input_shape == (None, 2)
    np.testing.assert_allclose(layer.mean.numpy(), whole.mean.numpy(), rtol=1e-6)
    np.testing.assert_allclose(layer.variance.numpy(), whole.variance.numpy(), rtol=1e-6)


def test_adapt_takes_rows_of_numbers_as_one_array_and_refuses_batches_of_other_shapes():
    layer = layers.Normalization()
    layer.adapt([[1.0, 2.0], [3.0, 4.0]])
    np.testing.assert_array_equal(layer.mean.numpy(), [2, 3])
    with pytest.raises(DataError, match="to adapt to, got none"):
        layers.Normalization().adapt(iter(()))
    with pytest.raises(ArgumentError, match=r"expected data like its input \(None, 2\), got \(4, 3\)"):
        layers.Normalization().adapt([np.ones((4, 2)), np.ones((4, 3))])


@pytest.mark.parametrize("layer", [
    layers.Normalization(mean=np.array([1.0, 2.0]), variance=np.array([1.0, 4.0])),
    layers.Rescaling(np.array([1.0, 2.0])),
    layers.Normalization(axis=(1,)), layers.LayerNormalization(axis=[1]), layers.Dropout(0.5, noise_shape=[None, 1]),
], ids=str)
def test_a_configuration_with_arrays_is_json(layer):
    again = type(layer).from_config(json.loads(json.dumps(layer.get_config())))
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.testing.assert_array_equal(again.predict(x), layer.predict(x))


def test_one_layer_normalizes_images_of_several_sizes():
    layer, a, b = layers.GroupNormalization(2), fc.Input((8, 8, 4)), fc.Input((5, 6, 4))
    model = fc.Model([a, b], [layer(a), layer(b)])
    assert len(model.weights) == 2
    x = [np.random.default_rng(0).standard_normal((2, *shape)).astype(np.float32) for shape in ((8, 8, 4), (5, 6, 4))]
    for image, y in zip(x, model.predict(x), strict=True):
        grouped = y.reshape(2, -1, 2, 2)
        np.testing.assert_allclose(grouped.mean(axis=(1, 3)), 0, atol=1e-5)
        np.testing.assert_allclose(grouped.std(axis=(1, 3)), 1, rtol=2e-3)
        assert y.shape == image.shape


def test_regularizers_of_scale_and_offset_are_kept():
    for cls in (layers.BatchNormalization, layers.LayerNormalization, layers.GroupNormalization):
        options = {"groups": 2} if cls is layers.GroupNormalization else {}
        layer = cls(**options, beta_regularizer="l1", gamma_regularizer=fc.regularizers.L2(0.1))
        layer.build((None, 3, 4))
        assert isinstance(layer.beta.regularizer, fc.regularizers.L1)
        assert layer.gamma.regularizer == fc.regularizers.L2(0.1)


@pytest.mark.parametrize("make", [
    lambda: layers.Dropout(0.5), lambda: layers.Dropout(0.5, noise_shape=(None, 1, 3)),
    lambda: layers.SpatialDropout1D(0.5), lambda: layers.AlphaDropout(0.5, noise_shape=(1, 5, 3))])
def test_nothing_is_left_of_what_is_dropped_be_it_infinite(make):
    layer, x = make(), np.ones((4, 5, 3), np.float32)
    y = layer.forward(x)[0]
    dropped = y == y.min()
    assert 0 < dropped.sum() < y.size
    for value in (np.inf, -np.inf, np.nan):
        y, backward = layer.forward(np.full_like(x, value))
        dx = backward(np.full_like(x, value))
        assert np.isfinite(y[dropped]).all()
        assert not np.isfinite(y[~dropped]).any()
        np.testing.assert_array_equal(dx[dropped], 0)
        assert not np.isfinite(dx[~dropped]).any()


CONSTANT = np.float32(12345.678)
SHAPES = [(8, 4, 4, 3), (2, 1, 1, 7), (3, 50, 40, 5), (1, 300, 300, 2), (64, 300), (1, 7)]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_constant_channel_is_normalized_to_beta_exactly(shape):
    x = np.broadcast_to(CONSTANT * np.arange(1, shape[-1] + 1, dtype=np.float32), shape).copy()
    layer = layers.BatchNormalization(momentum=0.0)
    layer.build((None, *shape[1:]))
    beta = np.linspace(-1, 1, shape[-1], dtype=np.float32)
    layer.set_weights([np.full(shape[-1], 3.0), beta, np.zeros(shape[-1]), np.ones(shape[-1])])
    np.testing.assert_array_equal(layer(x, training=True), np.broadcast_to(beta, shape))
    np.testing.assert_array_equal(layer.moving_mean.array, x.reshape(-1, shape[-1])[0])
    np.testing.assert_array_equal(layer.moving_variance.array, np.zeros(shape[-1]))
    np.testing.assert_array_equal(layer.predict(x), np.broadcast_to(beta, shape))


@pytest.mark.parametrize("make", [
    layers.LayerNormalization, lambda: layers.GroupNormalization(1), lambda: layers.GroupNormalization(-1)],
    ids=["layer", "group", "instance"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_constant_sample_is_normalized_to_zero_exactly(shape, make):
    layer, x = make(), np.full(shape, CONSTANT)
    x[0] *= np.float32(0.1)
    np.testing.assert_array_equal(layer(x, training=True), np.zeros(shape))
    np.testing.assert_array_equal(layer.predict(x), np.zeros(shape))


def test_one_number_far_from_the_others_does_not_spoil_the_statistics():
    """The first number, from which the distances of the others are taken, may be any."""
    x = np.random.default_rng(0).standard_normal((1, 400, 300, 1)).astype(np.float32)
    x[0, 0, 0] = 1e4
    exact = (x.astype(np.float64) - x.mean(dtype=np.float64)) / np.sqrt(x.astype(np.float64).var() + 1e-3)
    for layer in (layers.BatchNormalization(), layers.GroupNormalization(1), layers.LayerNormalization([1, 2, 3])):
        got = layer(x, training=True)
        # Beside the largest of the numbers, whose last bit is what limits the mean.
        assert np.abs(got - exact).max() <= 2e-6 * np.abs(exact).max()
