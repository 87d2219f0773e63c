"""Layers and losses of users' own keep their work where fastcnn's would be fused with what stands around them."""

from dataclasses import dataclass

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import config, layers
from fastcnn.kernels import codes
from fastcnn.layers import Call
from fastcnn.operations.activation import Elementwise, SoftmaxFunction

KW = {"dtype": "float64"}


@pytest.fixture(autouse=True)
def switch():
    before = config.fusion()
    yield
    config.set_fusion(before)


class Shifted(layers.Layer):
    """y = 3 x - 1."""

    def forward(self, x, call=Call()):
        x = self.checked(x)
        return 3 * x - 1, lambda dy: 3 * dy


class Scaled(Shifted):
    """With attributes that layers of fastcnn have too."""

    function = None
    lowest = 0.0


class Named(Shifted):
    function = fc.activations.get("relu")


class Holding(Shifted):
    """Has layers of its own, as a model has."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.layers, self.traced = [layers.ReLU(**kwargs)], None


class Halved(layers.Activation):
    def forward(self, x, call=Call()):
        y, backward = super().forward(x, call)
        return y / 2, lambda dy: backward(dy / 2)

    def predict(self, x):
        return super().predict(x) / 2


class HalvedInPrediction(layers.ReLU):
    def predict(self, x):
        return super().predict(x) / 2


class Identity(layers.Linear):
    def forward(self, x, call=Call()):
        return x + 1, lambda dy: dy


class Normalized(layers.BatchNormalization):
    def forward(self, x, call=Call()):
        y, backward = super().forward(x, call)
        return 2 * y, lambda dy: backward(2 * dy)

    def predict(self, x):
        return 2 * super().predict(x)


class Pooled(layers.MaxPooling2D):
    def forward(self, x, call=Call()):
        y, backward = super().forward(-x, call)
        return y, lambda dy: -backward(dy)


class Peaked(layers.Dense):
    """Probabilities that are mixed with equal ones."""

    def forward(self, x, call=Call()):
        y, backward = super().forward(x, call)
        return (y + 1) / (1 + self.units), lambda dy: backward(dy / (1 + self.units))

    def predict(self, x):
        return (super().predict(x) + 1) / (1 + self.units)


@dataclass(frozen=True)
class Doubled(Elementwise):
    """A function derived from one of fastcnn's."""

    def predict(self, x, in_place=False):
        return 2 * super().predict(x)

    def backward(self, saved):
        back = super().backward(saved)
        return lambda dy: back(2 * dy)


@dataclass(frozen=True)
class Cooled(SoftmaxFunction):
    def forward(self, x, in_place=False):
        y, back = super().forward(x / 4)
        return y, lambda dy: back(dy) / 4


class Plain:
    """A function of one's own, without what fastcnn's take besides."""

    def forward(self, x):
        return 2 * x, lambda dy: 2 * dy

    def predict(self, x):
        return 2 * x


class Free(layers.Activation):
    def __init__(self, **kwargs):
        super().__init__("relu", **kwargs)
        self.function = Plain()


DOUBLED = Doubled("relu", codes.RELU)
CONV = lambda **kw: layers.Conv2D(5, 3, **kw, **KW)
OWN = {
    "no function": lambda: [CONV(), Scaled(**KW)],
    "a function": lambda: [CONV(), Named(**KW)],
    "layers": lambda: [CONV(), Holding(**KW)],
    "activation": lambda: [CONV(), Halved("tanh", **KW)],
    "activation in prediction": lambda: [CONV(), HalvedInPrediction(**KW)],
    "activation after normalization": lambda: [CONV(), layers.BatchNormalization(**KW), Halved("relu", **KW)],
    "linear": lambda: [CONV(), Identity(**KW), layers.ReLU(**KW)],
    "normalization": lambda: [CONV(), Normalized(**KW), layers.ReLU(**KW)],
    "pooling": lambda: [CONV(activation="relu"), Pooled(2, **KW)],
    "lowest": lambda: [Scaled(**KW), layers.ZeroPadding2D(1, **KW), layers.MaxPooling2D(3, **KW)],
    "function of a layer": lambda: [CONV(activation=DOUBLED), layers.MaxPooling2D(2, **KW)],
    "function after normalization": lambda: [CONV(), layers.BatchNormalization(**KW), layers.Activation(DOUBLED, **KW)],
    "function of any kind": lambda: [CONV(), Free(**KW)],
}
HEAD = lambda: [layers.Flatten(**KW), layers.Dense(4, activation="softmax", **KW)]
LAST = {
    "dense": lambda: [layers.Flatten(**KW), Peaked(4, activation="softmax", **KW)],
    "softmax": lambda: [layers.Flatten(**KW), layers.Dense(4, activation=Cooled("softmax", False), **KW)],
    "softmax layer": lambda: [layers.Flatten(**KW), layers.Dense(4, **KW), Halved("softmax", **KW)],
}
NETWORKS = {name: lambda make=make: [*make(), *HEAD()] for name, make in OWN.items()} | {
    f"last: {name}": make for name, make in LAST.items()}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize("batch", [4, 32])  # few images, and as many as fill the lanes of vectors
def test_a_layer_of_ones_own_does_the_same_with_fusion_switched_off(network, batch):
    draw = np.random.default_rng(1)
    x, y = 0.3 * draw.standard_normal((32, 8, 8, 2)), draw.integers(0, 4, 32)
    found = []
    for on in (True, False):
        config.set_fusion(on)
        fc.utils.set_random_seed(5)
        model = fc.Sequential([fc.Input((8, 8, 2)), *NETWORKS[network]()])
        model.compile(fc.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
        loss = model.fit(x, y, batch_size=batch, epochs=2, verbose=0).history["loss"]
        some = [model.predict(images) for images in (x[:batch], x[-batch:], x[:batch], x[-batch:])]
        found.append([np.array(loss), model.evaluate(x, y, batch_size=batch), *model.get_weights(), *some])
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


class Twofold(fc.losses.SparseCategoricalCrossentropy):
    def forward(self, *args, **kwargs):
        losses, gradient = super().forward(*args, **kwargs)
        return 2 * losses, None if gradient is None else 2 * gradient


class Squared(fc.losses.CategoricalCrossentropy):
    """sum_k (t[k] - p[k])^2 / 2."""

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        losses[...] = np.square(x - targets).sum(axis=-1) / 2
        if wants_gradient:
            gradient[...] = (x - targets) * scale


class Unclipped(fc.losses.CategoricalCrossentropy):
    def from_probabilities(self, d, losses, dx, x, targets, weights, scale):
        losses[...] = -3 * (targets * np.log(x)).sum(axis=-1)
        if dx.size:
            dx[...] = -3 * targets / x * scale


@pytest.mark.parametrize("kind", [Twofold, Squared, Unclipped])
def test_a_loss_of_ones_own_is_the_one_that_is_trained_on(kind):
    draw = np.random.default_rng(1)
    x, y = draw.standard_normal((6, 3)), draw.integers(0, 4, 6)
    y = y if kind is Twofold else np.eye(4)[y]
    found = []
    for on in (True, False):
        config.set_fusion(on)
        fc.utils.set_random_seed(5)
        model = fc.Sequential([fc.Input((3,)), layers.Dense(4, activation="softmax", **KW)])
        model.compile(fc.optimizers.SGD(0.1), kind())
        before = model.evaluate(x, y)
        assert model.train_on_batch(x, y) == pytest.approx(before, rel=1e-12)
        found.append(model.get_weights())
    for a, b in zip(*found, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9)
