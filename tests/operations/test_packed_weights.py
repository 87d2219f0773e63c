"""What kernels packed of weights: when, for how long it is kept, and predictions by that alone."""

import numpy as np
import pytest

from fastcnn import config, device
from fastcnn.geometry import conv2d
from fastcnn.operations.activation import RELU
from fastcnn.operations.convolution import convolution, predict_convolution, repeated
from fastcnn.parameter_blocks import Block
from tests.operations.checking import normal, parameter

SHAPE, FILTERS = (2, 3, 4, 3), 32  # few positions and whole vectors: such filters may be read where they lie
Y_SHAPE = (2, 1, 2, FILTERS)


class Layer:
    """The parameters of a convolution, which a training changes unless told otherwise, and what it is given."""

    def __init__(self, shape=SHAPE, trains=True):
        self.weights = parameter(normal(3, 3, shape[-1], FILTERS, seed=1))
        if trains:
            Block([self.weights])
        self.bias = parameter(normal(FILTERS, seed=2))
        self.x = normal(*shape)

    def predict(self, x=None, residual=None, place=None):
        x = self.x if x is None else x
        g = conv2d(x.shape, FILTERS, (3, 3))
        shape = x.shape[0], x.shape[1] - 2, x.shape[2] - 2, FILTERS
        return predict_convolution(x, self.weights, self.bias, RELU, g, shape, residual, place)

    def packing(self, **more):
        """Return whether a prediction finds its weights packed, and how many numbers it has for them."""
        with device.cpu.recording() as calls:
            self.predict(**more)
        (_, args), = calls
        return bool(args[-2]), args[1].size


def test_weights_that_were_seen_before_are_packed_and_then_found_so():
    layer = Layer()
    found = [layer.packing() for _ in range(4)]
    least, whole = found[0][1], found[-1][1]
    assert least < whole
    assert found == [(False, least), (False, whole), (True, whole), (True, whole)]
    layer.weights.assign(-layer.weights.array)
    assert [layer.packing() for _ in range(3)] == found[:3], "they changed"


def test_weights_that_no_training_changes_are_packed_at_once_unless_they_changed_before():
    layer = Layer(trains=False)
    found = [layer.packing() for _ in range(3)]
    whole = found[0][1]
    assert found == [(False, whole), (True, whole), (True, whole)]
    layer.weights.assign(-layer.weights.array)
    least = layer.packing()[1]
    assert least < whole
    assert [layer.packing() for _ in range(2)] == [(False, whole), (True, whole)]


def test_with_a_residual_weights_are_packed_and_found_as_well():
    layer, residual = Layer(), normal(*Y_SHAPE, seed=3)
    plain = layer.predict().copy()
    assert [layer.packing(residual=residual)[0] for _ in range(3)] == [False, True, True]  # the second time: packed
    assert layer.packing() == (True, layer.packing(residual=residual)[1])
    np.testing.assert_array_equal(layer.predict(), plain)
    assert not np.array_equal(layer.predict(residual=residual), plain)


def test_a_repeated_prediction_is_found_by_its_place_until_something_changes():
    layer = Layer()

    def again(x=layer.x, bias=layer.bias, activation=RELU, place="here"):
        return repeated(x, layer.weights, bias, activation, place)

    expected = layer.predict(place="here").copy()
    assert again() is None, "nothing is packed yet"
    layer.predict(place="here")
    np.testing.assert_array_equal(again(), expected)
    for more in ({"place": "there"}, {"activation": None}, {"bias": None}, {"x": layer.x[:1]}, {"x": layer.x.tolist()},
                 {"x": layer.x.astype("float32")}, {"x": np.asfortranarray(layer.x)}):
        assert again(**more) is None, more
    frozen = layer.x.copy()
    frozen.setflags(write=False)
    assert again(x=frozen) is None
    before = config.winograd()
    config.set_winograd(not before)
    try:
        assert again() is None
    finally:
        config.set_winograd(before)
    assert again() is not None
    for p in (layer.bias, layer.weights):
        p.assign(p.array + 1)
        assert again() is None
        changed = [layer.predict(place="here") for _ in range(3)]
        np.testing.assert_array_equal(again(), changed[0])
    convolution(layer.x, layer.weights, layer.bias, None, conv2d(SHAPE, FILTERS, (3, 3)), Y_SHAPE)
    assert again() is None, "training lets packed weights go"
    assert not layer.weights.derived


def test_a_parameter_keeps_predictions_of_a_few_shapes():
    layer, counts = Layer(), []
    for n in range(1, 21):
        x = normal(n, 5, 5, 3, seed=n)
        expected = layer.predict(x).copy()
        for _ in range(2):
            np.testing.assert_array_equal(layer.predict(x), expected)
        counts.append(len(layer.weights.derived))
    assert max(counts) == 9, "the packed weights, and eight predictions"


@pytest.mark.parametrize("kind", ["no bias", "a bias"])
def test_a_prediction_without_a_bias_is_kept_too(kind):
    layer = Layer()
    layer.bias = layer.bias if kind == "a bias" else None
    first = layer.predict().copy()
    for _ in range(3):
        np.testing.assert_array_equal(layer.predict(), first)
    convolved, _ = convolution(layer.x, layer.weights, layer.bias, RELU, conv2d(SHAPE, FILTERS, (3, 3)),
                               Y_SHAPE)
    np.testing.assert_allclose(first, convolved, rtol=1e-12, atol=1e-12)
