"""Random numbers of layers that are called with training=True: new ones at each call, the sequence decided by seeds."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.layers import Call

KINDS = {
    "Dropout": lambda: layers.Dropout(0.5, seed=3), "masks": lambda: layers.Dropout(0.5, (None, 1, 3), seed=3),
    "SpatialDropout1D": lambda: layers.SpatialDropout1D(0.5, seed=3),
    "AlphaDropout": lambda: layers.AlphaDropout(0.5, seed=3), "GaussianNoise": lambda: layers.GaussianNoise(1, seed=3),
    "GaussianDropout": lambda: layers.GaussianDropout(0.5, seed=3),
}  # fmt: skip
X = np.ones((20, 5, 3), np.float32)


def differ(arrays):
    return all((a != b).any() for k, a in enumerate(arrays) for b in arrays[:k])


@pytest.mark.parametrize("kind", KINDS)
def test_a_layer_draws_anew_at_each_call_and_its_seed_decides_what(kind):
    layer, again = KINDS[kind](), KINDS[kind]()
    drawn = [layer(X, training=True) for _ in range(20)]
    assert differ(drawn)
    for one in drawn:
        np.testing.assert_array_equal(one, again(X, training=True))
    np.testing.assert_array_equal(layer(X), X)
    assert differ([layer.forward(X)[0], *drawn])


def made(*dropouts):
    x = fc.Input(X.shape[1:])
    y = x
    for layer in dropouts:
        y = layer(y)
    return fc.Model(x, y)


def test_a_model_draws_anew_at_each_call_and_one_seed_is_one_sequence():
    def drawn(seed):
        fc.utils.set_random_seed(seed)
        model = made(layers.Dropout(0.5), layers.GaussianNoise(0.1))
        model.compile("sgd", "mse")
        before = [model(X, training=True) for _ in range(3)]
        model.fit(X, X, verbose=0)
        return [*before, *(model(X, training=True) for _ in range(3))]

    one, again, other = drawn(1), drawn(1), drawn(2)
    assert differ(one + other)
    for a, b in zip(one, again, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_seed_given_to_a_layer_decides_in_a_model_too_whatever_the_model_s_own():
    drawn = []
    for seed in (1, 2):
        fc.utils.set_random_seed(seed)
        drawn.append(made(layers.Dropout(0.5, seed=9))(X, training=True))
    np.testing.assert_array_equal(*drawn)


@pytest.mark.parametrize("nested", [False, True])
def test_a_dropout_that_is_used_twice_in_a_pass_draws_twice_in_calls_and_in_training(nested):
    shared = layers.Dropout(0.5, seed=3)
    block = made(shared) if nested else shared
    x = fc.Input(X.shape[1:])
    model = fc.Model(x, [block(x), block(x)])
    pass_of = lambda step: model.forward(X, Call(seed=5, step=step))[0]
    assert differ([*model(X, training=True), *model(X, training=True), *pass_of(0), *pass_of(1)])
    (one, other), backward = model.forward(X)
    dx = backward((np.ones_like(one), np.ones_like(other)))
    np.testing.assert_array_equal(dx, one + other)  # the way back sees the mask of each


def test_a_layer_of_one_s_own_predicts_by_a_forward_that_is_told_not_to_train():
    class Doubled(layers.Layer):
        def forward(self, x, call=Call()):
            return x * (2 if call.training else 1), lambda dy: dy

    np.testing.assert_array_equal(Doubled()(X), X)
    np.testing.assert_array_equal(Doubled()(X, training=True), 2 * X)
