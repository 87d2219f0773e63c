import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.operations.joined_convolution import joins

RNG = np.random.default_rng(7)
SIZE = 24  # pixels of a side: enough tiles for Winograd


def _network(**kwargs):
    inputs = layers.Input((SIZE, SIZE, 16))
    x = layers.Conv2D(16, 3, padding="same", activation="relu")(inputs)
    y = layers.Concatenate(name="both")([inputs, x])
    y = layers.Conv2D(24, 3, padding="same", activation="relu", name="joined", **kwargs)(y)
    return fc.Model(inputs, layers.Conv2D(1, 1)(layers.GlobalAveragePooling2D(keepdims=True)(y)))


@pytest.fixture
def images():
    return RNG.standard_normal((2, SIZE, SIZE, 16), dtype=np.float32)


def test_two_images_are_convolved_without_joining_them_as_the_layers_would(images):
    model = _network()
    start = model.get_weights()
    trained = []
    for fused in (True, False):
        fc.config.set_fusion(fused)
        try:
            model = _network()
            model.set_weights(start)
            model.compile(fc.optimizers.SGD(0.1), "mse")
            losses = [model.train_on_batch(images, np.ones((2, 1, 1, 1), "float32")) for _ in range(3)]
        finally:
            fc.config.set_fusion(True)
        trained.append((losses, model.get_weights()))
    layer = model.get_layer("joined")
    assert joins(layer.kernel, layer.activation, layer.geometry((2, SIZE, SIZE, 32)))
    np.testing.assert_allclose(trained[0][0], trained[1][0], rtol=1e-5)
    for one, other in zip(trained[0][1], trained[1][1], strict=True):
        np.testing.assert_allclose(one, other, atol=1e-5)  # three steps of float32, other sums in the poolings alone


def test_a_frozen_convolution_gets_no_gradients_and_passes_them_on(images):
    model = _network(trainable=False)
    model.compile(fc.optimizers.SGD(0.1), "mse")
    before = [weight.copy() for weight in model.get_weights()]
    model.train_on_batch(images, np.ones((2, 1, 1, 1), "float32"))
    changed = [bool((a != b).any()) for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [True, True, False, False, True, True]


def test_no_joined_image_is_made_for_a_training_step(images):
    model = _network()
    model.compile("sgd", "mse")
    names = [fusion.node for fusion in model.fusions() if "both" in fusion.layers]
    assert "JoinedConv" in names


@pytest.mark.parametrize(("activation", "rounds", "expected"), [("relu", False, True), ("tanh", False, False),
                                                                (None, True, False)])
def test_a_convolution_joins_if_its_activation_is_a_clamp_and_nothing_is_rounded(activation, rounds, expected):
    layer = layers.Conv2D(16, 3, padding="same", activation=activation,
                          dtype="mixed_bfloat16" if rounds else "float32")
    layer.build((None, SIZE, SIZE, 32))
    assert joins(layer.kernel, layer.activation, layer.geometry((2, SIZE, SIZE, 32))) is expected
