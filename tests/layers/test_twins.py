"""One layer in several places: on images of several sizes, behind several borders, in several threads."""

import threading

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import device, layers
from fastcnn.errors import ArgumentError
from fastcnn.operations.kernel_call import ProductCall

X = np.random.default_rng(0).standard_normal((2, 12, 12, 4)).astype(np.float32)
KINDS = {"Conv2D": lambda: layers.Conv2D(8, 3), "5x5": lambda: layers.Conv2D(8, 5, activation="relu"),
         "strides": lambda: layers.Conv2D(8, 3, strides=2), "DepthwiseConv2D": lambda: layers.DepthwiseConv2D(3),
         "depth_multiplier": lambda: layers.DepthwiseConv2D(3, depth_multiplier=2)}


def shared(layer, *borders):
    """One layer on the same images with several borders of zeros."""
    x = fc.Input(X.shape[1:])
    return fc.Model(x, [layer(x if border is None else layers.ZeroPadding2D(border)(x)) for border in borders])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("borders", [(((2, 0), (2, 0)), ((0, 2), (0, 2))), (1, None), (None, 1), (2, 1, None)], ids=str)
def test_one_layer_behind_several_borders_sees_each(kind, borders):
    model = shared(KINDS[kind](), *borders)
    wanted = [y.copy() for y in model(X, training=True)]
    for _ in range(2):
        for got, want in zip(model.predict(X), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-4, atol=1e-5)


def test_a_prediction_with_borders_leaves_the_layer_its_check():
    conv = layers.Conv2D(8, 3)
    shared(conv, ((2, 0), (2, 0)), ((0, 2), (0, 2))).predict(X)
    with pytest.raises(ArgumentError, match=r"expected input \(N, 14, 14, 4\), got \(2, 12, 12, 4\)"):
        conv.predict(X)


@pytest.mark.parametrize("make", [lambda: layers.Conv2D(8, 3), lambda: layers.Dense(3)])
def test_a_layer_on_images_of_two_sizes_checks_each(make):
    layer = make()
    layer.build((None, 8, 8, 4))
    twin = layer.for_shape((None, 12, 12, 4))
    twin.predict(X)
    twin.predict(X)
    with pytest.raises(ArgumentError, match=r"expected input \(N, 8, 8, 4\)"):
        layer.predict(X)


def test_a_layer_on_images_of_two_sizes_is_frozen_on_both():
    norm, inputs = layers.BatchNormalization(), [fc.Input((8, 8, 2)), fc.Input((6, 6, 2))]
    sums = [layers.GlobalAveragePooling2D()(norm(x)) for x in inputs]
    model = fc.Model(inputs, layers.Dense(2)(layers.Add()(sums)))
    images, y = [X[:, :8, :8, :2].copy(), X[:, :6, :6, 2:].copy()], np.zeros((2, 2), np.float32)

    def moves():
        model.compile("sgd", "mse")
        before = [p.numpy() for p in norm.weights]
        model.train_on_batch(images, y)
        return [not np.array_equal(a, p.value) for a, p in zip(before, norm.weights, strict=True)]

    assert moves() == [True] * 4
    norm.trainable = False
    assert moves() == [False] * 4
    norm.trainable = True
    assert moves() == [True] * 4


def mobile():
    """One inverted residual, which prediction runs as one node."""
    x = fc.Input((12, 12, 4))
    y = layers.Conv2D(24, 1, activation="relu6")(x)
    y = layers.DepthwiseConv2D(3, padding="same", activation="relu6")(y)
    return fc.Model(x, layers.Add()([x, layers.Conv2D(4, 1)(y)]))


def volume():
    x = fc.Input((12, 12, 4, 1))
    return fc.Model(x, layers.Conv3D(5, 3)(x))


@pytest.mark.parametrize(("make", "place", "name"), [
    (mobile, device.cpu.kernels, "inverted_residual_forward"), (volume, ProductCall, "run")], ids=["mobile", "volume"])
def test_a_prediction_that_begins_while_another_packs_the_weights_packs_its_own(make, place, name, monkeypatch):
    model, run, others = make(), getattr(place, name), []
    x = X.reshape(-1, *model.input_shape[1:])

    def interrupted(*arrays):
        if not others:
            others.append(None)
            thread = threading.Thread(target=lambda: others.append(model.predict(x)))
            thread.start()
            thread.join()
        run(*arrays)

    monkeypatch.setattr(place, name, interrupted)
    results = [model.predict(x), *others[1:], model.predict(x)]
    wanted = model(x, training=True)  # after: what it packs could lie where a prediction would find it
    assert len(results) == 3
    for result in results:
        np.testing.assert_allclose(result, wanted, rtol=1e-4, atol=1e-5)


def test_a_layer_whose_making_is_stopped_is_made_anew_by_the_next_call(monkeypatch):
    def stopped(*arguments, **keywords):
        if keywords.get("name", *arguments[:1]) == "bias":
            raise KeyboardInterrupt
        return add_weight(*arguments, **keywords)

    layer = layers.Dense(3)
    add_weight = layer.add_weight
    monkeypatch.setattr(layer, "add_weight", stopped)
    with pytest.raises(KeyboardInterrupt):
        layer.build((None, 2))
    monkeypatch.undo()
    layer.build((None, 2))
    assert [p.name for p in layer.parameters] == ["kernel", "bias"]


@pytest.mark.parametrize(("make", "shape", "other"), [
    (lambda: layers.Conv2D(3, 3), (2, 8, 8, 2), (2, 9, 8, 2)), (lambda: layers.Dense(3), (2, 4, 5), (2, 6, 5)),
], ids=["Conv2D", "Dense"])
def test_what_a_twin_found_out_is_no_answer_to_a_wrong_input(make, shape, other):
    layer = make()
    layer.build((None, *shape[1:]))
    twin, x = layer.for_shape((None, *other[1:])), np.ones(other, np.float32)
    for _ in range(3):
        twin.predict(x)
        with pytest.raises(ArgumentError, match="expected input"):
            layer.predict(x)


def test_predictions_follow_the_activation_the_bias_and_the_memory_of_the_input():
    layer = layers.Conv2D(3, 3, bias_initializer="ones")
    x = np.linspace(-1, 1, 128, dtype=np.float32).reshape(1, 8, 8, 2)
    y = [layer.predict(x) for _ in range(3)][-1]
    layer.activation = fc.activations.get("relu")
    np.testing.assert_array_equal(layer.predict(x), np.maximum(y, 0))
    layer.activation = None
    np.testing.assert_array_equal(layer.predict(np.asfortranarray(x)), y)
    x.flags.writeable = False
    np.testing.assert_array_equal(layer.predict(x), y)
    layer.bias.assign(layer.bias.value + 1)
    np.testing.assert_allclose(layer.predict(x), y + 1, rtol=1e-5, atol=1e-6)
    with pytest.raises(ArgumentError, match="float32"):
        layer.predict(x.astype(np.float64))
