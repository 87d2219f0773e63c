import numpy as np
import pytest

from fastcnn.errors import ArgumentError
from fastcnn.layers import Conv2D, DepthwiseConv2D


def _pair(multiplier, channels=5, **options):
    """Return a depthwise layer and the grouped convolution that it is."""
    grouped = Conv2D(channels * multiplier, 3, groups=channels, **options)
    depthwise = DepthwiseConv2D(3, depth_multiplier=multiplier, **options)
    for layer in (grouped, depthwise):
        layer.build((None, 9, 8, channels))
    kernel, bias = grouped.get_weights()
    depthwise.set_weights([kernel.reshape(3, 3, channels, multiplier), bias])
    return depthwise, grouped


@pytest.mark.parametrize("multiplier", [1, 3])
def test_a_depthwise_layer_is_a_convolution_with_as_many_groups_as_channels(multiplier):
    depthwise, grouped = _pair(multiplier, strides=2, padding="same", activation="relu")
    x = np.random.default_rng(0).standard_normal((2, 9, 8, 5)).astype(np.float32)
    (y, backward), (other, other_backward) = depthwise.forward(x), grouped.forward(x)
    np.testing.assert_array_equal(y, other)
    np.testing.assert_array_equal(backward(y), other_backward(y))
    for p, q in zip(depthwise.parameters, grouped.parameters, strict=True):
        np.testing.assert_array_equal(p.gradient.ravel(), q.gradient.ravel())


def test_channels_of_a_multiplier_lie_side_by_side_as_in_keras():
    layer = DepthwiseConv2D(1, depth_multiplier=2, use_bias=False)
    layer.build((None, 1, 1, 2))
    layer.set_weights([np.array([[[[1.0, 2.0], [3.0, 4.0]]]], np.float32)])
    np.testing.assert_array_equal(layer.predict(np.array([[[[10, 100]]]], np.float32)).ravel(), [10, 20, 300, 400])


def test_a_depthwise_layer_counts_its_parameters_and_multiply_adds():
    depthwise, grouped = _pair(3, padding="same")
    assert depthwise.count_params() == grouped.count_params() == 15 * 10
    assert depthwise.multiply_adds() == grouped.multiply_adds() == 9 * 8 * 15 * 9


def test_a_multiplier_that_is_no_positive_integer_is_refused():
    with pytest.raises(ArgumentError, match="expected depth_multiplier to be a positive integer, got 0"):
        DepthwiseConv2D(3, depth_multiplier=0)
