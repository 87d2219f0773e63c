"""Fusion: a model gives the same result with it switched off, and its layers stay what they are."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, device, geometry, layers
from fastcnn.graph.nodes.batch_interleaved import BatchInterleaved
from fastcnn.layers import Call


@pytest.fixture(autouse=True)
def switch():
    before = config.fusion()
    yield
    config.set_fusion(before)


def narrow(**kwargs):
    return [layers.Conv2D(5, 3, padding="same", activation="tanh", **kwargs), layers.AveragePooling2D(2, **kwargs),
            layers.Conv2D(7, 3, **kwargs), layers.ReLU(**kwargs), layers.MaxPooling2D(2, **kwargs)]


def head(**kwargs):
    return [layers.Flatten(**kwargs), layers.Dense(20, **kwargs), layers.Tanh(**kwargs), layers.Dropout(0.2, **kwargs),
            layers.Dense(10, activation="softmax", **kwargs)]


NETWORKS = {
    "narrow from the input": lambda **kw: [*narrow(**kw), *head(**kw)],
    "narrow within": lambda **kw: [layers.Conv2D(3, 1, **kw), layers.Activation("gelu", **kw), *narrow(**kw),
                                   *head(**kw)],
    "normalized": lambda **kw: [layers.Conv2D(8, 3, **kw), layers.BatchNormalization(**kw), layers.ReLU(**kw),
                                layers.Conv2D(6, 3, activation="relu", **kw), *head(**kw)],
    "normalized, wide": lambda **kw: [layers.Conv2D(50, 3, use_bias=False, **kw), layers.BatchNormalization(**kw),
                                      layers.DepthwiseConv2D(3, depth_multiplier=2, **kw),
                                      layers.BatchNormalization(scale=False, **kw), layers.Activation("relu", **kw),
                                      layers.Conv2D(50, 3, **kw), layers.BatchNormalization(center=False, **kw),
                                      layers.Tanh(**kw), layers.Flatten(**kw), layers.Dense(20, **kw),
                                      layers.BatchNormalization(**kw), layers.ReLU(**kw),
                                      layers.Dense(10, activation="softmax", **kw)],
    "normalized, leaky": lambda **kw: [layers.Conv2D(8, 3, **kw), layers.BatchNormalization(**kw),
                                       layers.LeakyReLU(0.1, **kw), layers.Conv2D(50, 3, **kw),
                                       layers.BatchNormalization(trainable=False, **kw),
                                       layers.Activation("leaky_relu", **kw), *head(**kw)],
    "pooled": lambda **kw: [layers.Conv2D(50, 3, activation="relu", **kw), layers.Conv2D(48, 2, padding="same", **kw),
                            layers.MaxPooling2D((3, 2), **kw), layers.Conv2D(64, 3, padding="same", **kw),
                            layers.ReLU(**kw), layers.MaxPooling2D(2, **kw), *head(**kw)],
    "normalized, of every kind": lambda **kw: [
        layers.Conv2DTranspose(6, 3, strides=2, groups=2, **kw), layers.BatchNormalization(**kw), layers.ReLU(**kw),
        layers.SeparableConv2D(4, 3, strides=2, **kw), layers.BatchNormalization(**kw),
        layers.Reshape((6, 2, 12, 4), **kw),
        layers.Conv3D(6, (3, 2, 3), padding="same", **kw), layers.ReLU(**kw), layers.BatchNormalization(**kw),
        layers.Conv3DTranspose(3, 2, strides=2, **kw), layers.BatchNormalization(**kw), layers.Reshape((432, 8), **kw),
        layers.Conv1D(5, 3, padding="causal", **kw), layers.BatchNormalization(**kw), layers.ReLU(**kw),
        layers.DepthwiseConv1D(3, depth_multiplier=2, strides=3, **kw), layers.BatchNormalization(**kw),
        layers.SeparableConv1D(4, 2, **kw), layers.Activation("gelu", **kw),
        layers.Conv1DTranspose(3, 2, **kw), layers.BatchNormalization(**kw), *head(**kw)],
    "softmax layer": lambda **kw: [*narrow(**kw), layers.Flatten(**kw), layers.Dense(10, **kw), layers.Softmax(**kw)],
    "logits": lambda **kw: [*narrow(**kw), layers.Flatten(**kw), layers.Dense(10, **kw)],
}


def model_of(network, dtype="float64"):
    # With some seeds a number lies so near the corner of a ReLU that float32 falls on its one side or on the other.
    fc.utils.set_random_seed(5)
    model = fc.Sequential([fc.Input((12, 12, 2)), *NETWORKS[network](dtype=dtype)])
    loss = fc.losses.SparseCategoricalCrossentropy(from_logits=network == "logits")
    model.compile(optimizer=fc.optimizers.SGD(0.05, momentum=0.9), loss=loss, metrics=["accuracy"])
    return model


def data(n, dtype="float64"):
    draw = np.random.default_rng(1)
    return draw.standard_normal((n, 12, 12, 2)).astype(dtype), draw.integers(0, 10, n)


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(("dtype", "tolerance"), [("float64", 1e-10), ("float32", 2e-4)])
def test_a_model_trains_to_the_same_weights_with_fusion_switched_off(network, dtype, tolerance):
    x, y = data(70, dtype)
    found = []
    for on in (True, False):
        config.set_fusion(on)
        model = model_of(network, dtype)
        history = model.fit(x, y, batch_size=30, epochs=3, verbose=0)  # 30, 30 and 10: the last fills no lanes
        found.append([*model.get_weights(), model.predict(x, batch_size=70), np.array(history.history["loss"])])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * max(0.1, np.abs(b).max()))


@pytest.mark.parametrize("network", NETWORKS)
def test_every_gradient_is_the_same_with_fusion_switched_off(network):
    x, _ = data(20)
    model = model_of(network)
    results = []
    for on in (True, False):
        config.set_fusion(on)
        for p in model.weights:
            p.zero_grad()
        y, backward = model.forward(x, Call(seed=3, step=1))
        dx = backward(np.cos(np.arange(y.size, dtype=y.dtype)).reshape(y.shape))
        results.append([y, dx, *(p.grad.copy() for p in model.trainable_weights)])
    for a, b in zip(*results, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9 * max(0.1, np.abs(b).max()))


def nodes_of(model):
    return [step.node for step in model._executable.get(64).steps]


def kinds(model):
    return [type(node).__name__ for node in nodes_of(model)]


def test_a_pooling_joins_the_wide_convolution_before_it():
    model = model_of("pooled")
    assert kinds(model)[:4] == ["BatchInterleaved", "ConvMaxPool", "ConvMaxPool", "Flatten"]


def test_a_normalization_joins_the_layer_before_it():
    assert kinds(model_of("normalized, wide")) == ["ConvBatchNorm", "ConvBatchNorm", "ConvBatchNorm", "Tanh", "Flatten",
                                                   "ConvBatchNorm", "Dense"]


def test_a_layer_and_its_twin_with_an_activation_do_not_mix_what_they_keep():
    model = fc.Sequential([fc.Input((6, 6, 40)), layers.Conv2D(64, 1), layers.ReLU()])
    x = np.random.default_rng(0).standard_normal((1, 6, 6, 40)).astype("float32")
    for _ in range(3):
        assert model.predict(x).min() == 0
        assert model.layers[0].predict(x).min() < 0


def test_narrow_layers_become_one_node_and_keep_their_parameters():
    model = model_of("narrow from the input")
    nodes = nodes_of(model)
    assert isinstance(nodes[0], BatchInterleaved)
    assert nodes[0].layers == model.layers[:5]
    assert [p for node in nodes for p in node.trainable_weights] == model.weights
    assert len(nodes) == 5  # the region, Flatten, Dense with tanh, Dropout, Dense


@pytest.mark.parametrize("layer", [
    layers.Conv2D(4, 3, strides=2), layers.Conv2D(4, 3, dilation_rate=2), layers.Conv2D(4, 3, groups=2),
    layers.Conv2D(4, 3, activation="gelu"), layers.Conv2D(4, 3, activation="softmax"), layers.Conv2D(2048, 1),
    layers.Conv2D(4, 3, trainable=False)], ids=lambda layer: str(layer.get_config()))
def test_a_convolution_that_is_no_narrow_stage_stays_a_layer(layer):
    model = fc.Sequential([fc.Input((12, 12, 2)), layer])
    assert nodes_of(model) == [layer]


def test_a_pooling_that_overlaps_ends_a_run():
    model = fc.Sequential([fc.Input((12, 12, 2)), layers.Conv2D(4, 3), layers.MaxPooling2D(3, strides=2)])
    assert kinds(model) == ["BatchInterleaved", "MaxPooling2D"]


def test_freezing_a_layer_after_compile_is_seen():
    model = model_of("narrow from the input")
    x, y = data(20)
    model.train_on_batch(x, y)
    before = model.layers[0].get_weights()
    model.layers[0].trainable = False
    model.train_on_batch(x, y)
    model.train_on_batch(x, y)
    for a, b in zip(before, model.layers[0].get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_region_outside_a_compiled_model_adds_to_the_gradients():
    x, _ = data(20)
    chain = narrow(dtype="float64")
    model = fc.Sequential([fc.Input((12, 12, 2)), *chain])
    node = BatchInterleaved(model.layers)
    y, backward = node.forward(x)
    backward(np.ones_like(y))
    once = [p.grad.copy() for p in node.parameters]
    y, backward = node.forward(x)
    backward(np.ones_like(y))
    for p, g in zip(node.parameters, once, strict=True):
        np.testing.assert_allclose(p.grad, 2 * g)


def test_an_infinite_or_nan_pixel_spoils_its_own_image_alone():
    model = model_of("narrow from the input", "float32")
    x, _ = data(20, "float32")
    clean = model.predict(x)
    x[5, 3, 3, 0] = np.nan
    spoilt = model.predict(x)
    assert np.isnan(spoilt[5]).all()
    others = np.arange(20) != 5
    np.testing.assert_array_equal(spoilt[others], clean[others])


@pytest.mark.parametrize("last", [
    lambda **kw: [layers.Conv2D(4, 1, activation="softmax", **kw)],
    lambda **kw: [layers.Conv2DTranspose(4, 1, activation="softmax", **kw)],
    lambda **kw: [layers.SeparableConv2D(4, 1, activation="softmax", **kw)],
    lambda **kw: [layers.Conv2D(4, 1, **kw), layers.Softmax(**kw)],
    lambda **kw: [layers.Conv2D(4, 1, **kw), layers.Softmax(axis=1, **kw)]],
    ids=["inside", "inside a transposed one", "inside a separable one", "layer", "another axis"])
def test_a_softmax_of_every_pixel_trains_to_the_same_weights(last):
    x, _ = data(6)
    y = np.random.default_rng(2).integers(0, 4, (6, 12, 12))
    found = []
    for on in (True, False):
        config.set_fusion(on)
        fc.utils.set_random_seed(5)
        model = fc.Sequential([fc.Input((12, 12, 2)), *last(dtype="float64")])
        model.compile(fc.optimizers.SGD(0.5), "sparse_categorical_crossentropy")
        history = model.fit(x, y, batch_size=3, epochs=2, verbose=0)
        found.append([*model.get_weights(), np.array(history.history["loss"])])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize(("shape", "layer", "dtype", "is_narrow"), [
    ((4, 4, 4), (512, 1), "float32", True), ((4, 4, 3), (683, 1), "float32", False),  # 2048 and 2049 channels in x out
    ((8, 12, 1), (255, 1), "float32", True), ((8, 12, 1), (256, 1), "float32", False),  # 24576 numbers an image, more
    ((16, 16, 32), (32, 3), "float32", True), ((16, 16, 32), (33, 3), "float32", False),  # beside Winograd's algorithm
    ((16, 16, 32), (33, 3), "float64", True)], ids=str)
def test_a_narrow_convolution_is_no_wider_and_its_images_no_larger_than_pays(shape, layer, dtype, is_narrow):
    model = fc.Sequential([fc.Input(shape), layers.Conv2D(*layer, padding="same", dtype=dtype)])
    some = geometry.conv2d((64, *shape), *layer[:1], (layer[1],) * 2, (1, 1), "same")
    if layer == (33, 3) and not device.cpu.kernels.winograd_forward_suits(some, False):
        is_narrow = True  # on another kind of machine
    assert [kind == "BatchInterleaved" for kind in kinds(model)] == [is_narrow]
    if layer[1] == 3:
        before = config.winograd()
        config.set_winograd(False)
        try:
            assert kinds(model) == ["BatchInterleaved"]
        finally:
            config.set_winograd(before)
