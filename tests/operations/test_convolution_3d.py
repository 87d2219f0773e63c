"""Convolutions of volumes beside the products that they are, as a whole and slice by slice."""

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from fastcnn.geometry.dimensions import conv3d
from fastcnn.kernels import codes
from fastcnn.operations import convolution_3d
from fastcnn.operations.activation import RELU, Elementwise
from fastcnn.operations.convolution import convolution, predict_convolution
from fastcnn.operations.convolution_transpose import convolution_transpose, predict_convolution_transpose
from tests.operations.checking import look_over, normal, parameter

SHAPE, SMALLER, WINDOW, C, K = (2, 4, 3, 5, 2), (2, 3, 2, 3, 3), (2, 2, 3), 2, 3
G = conv3d(SHAPE, K, WINDOW)
WEIGHTS, BIAS = normal(*WINDOW, C, K, seed=1), normal(K, seed=2)
ACTIVATIONS = {"none": (None, lambda y: y), "relu": (RELU, lambda y: np.maximum(y, 0)),
               "tanh": (Elementwise("tanh", codes.TANH), np.tanh),
               "two bounds": (Elementwise("clip", codes.CLIP, 0.5, -0.5), lambda y: np.clip(y, -0.5, 0.5))}


@pytest.fixture(params=[convolution_3d.CHUNK, 1], ids=["whole", "slice by slice"])
def chunk(request, monkeypatch):
    monkeypatch.setattr(convolution_3d, "CHUNK", request.param)


def _convolved(x, weights):
    windows = sliding_window_view(x, WINDOW, (1, 2, 3))  # (N, OD, OH, OW, C, KD, KH, KW)
    return np.einsum("nxyzcdhw,dhwck->nxyzk", windows, weights)


def _transposed(x, weights):
    """Return (N, D, H, W, C): each pixel of x puts its window into the sum."""
    y = np.zeros(SHAPE)
    for d, h, w in np.ndindex(*WINDOW):
        part = x @ weights[d, h, w].T
        y[:, d:d + x.shape[1], h:h + x.shape[2], w:w + x.shape[3]] += part
    return y


CASES = {
    "convolution": (convolution, predict_convolution, _convolved, SHAPE, SMALLER, K),
    "transposed": (convolution_transpose, predict_convolution_transpose, _transposed, SMALLER, SHAPE, C),
}


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_a_volume_is_convolved_and_its_gradients_are_slopes(name, activation):
    operation, predict, formula, shape, y_shape, channels = CASES[name]
    function, activated = ACTIVATIONS[activation]
    bias = normal(channels, seed=2)

    def run(x, weights, bias):
        own = parameter(weights), parameter(bias)
        y, back = operation(x, *own, function, G, y_shape)
        return y, lambda dy: (back(dy), *(p.gradient for p in own))

    expected = lambda x, weights, bias: activated(formula(x, weights) + bias)
    look_over(run, normal(*shape), WEIGHTS, bias, expected=expected)
    kernel, offset = parameter(WEIGHTS), parameter(bias)
    for _ in range(3):
        np.testing.assert_allclose(predict(normal(*shape), kernel, offset, function, G, y_shape),
                                   expected(normal(*shape), WEIGHTS, bias), rtol=1e-12, atol=1e-12)


@pytest.mark.usefixtures("chunk")
@pytest.mark.parametrize("name", CASES)
def test_what_nobody_wants_of_a_volume_is_not_made_and_a_bias_may_be_absent(name):
    operation, predict, formula, shape, y_shape, channels = CASES[name]
    x, dy = normal(*shape), normal(*y_shape, seed=4)
    weights, bias = parameter(WEIGHTS), parameter(np.zeros(channels))
    y, back = operation(x, weights, None, None, G, y_shape)
    np.testing.assert_allclose(y, formula(x, WEIGHTS), rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(predict(x, weights, None, None, G, y_shape), y, rtol=1e-12, atol=1e-12)
    dx, once = back(dy).copy(), weights.grad.copy()
    back(dy)
    np.testing.assert_allclose(weights.grad, 2 * once, rtol=1e-12, err_msg="gradients are added to")
    dx_alone = operation(x, weights, bias, None, G, y_shape, learns=False)[1](dy)
    np.testing.assert_array_equal(dx_alone, dx)
    np.testing.assert_allclose(weights.grad, 2 * once, rtol=1e-12)
    assert not bias.grad.any()
    assert operation(x, weights, bias, None, G, y_shape, wants_dx=False)[1](dy) is None
    np.testing.assert_allclose(weights.grad, 3 * once, rtol=1e-12)
    np.testing.assert_allclose(bias.grad, dy.sum((0, 1, 2, 3)), rtol=1e-12)


def test_filters_are_packed_once_for_predictions_and_again_when_they_change():
    x, weights, bias = normal(*SHAPE), parameter(WEIGHTS), parameter(BIAS)
    run = lambda: predict_convolution(x, weights, bias, None, G, SMALLER)
    run()
    filters = weights.derived[convolution_3d.VolumeFilters]
    run()
    assert weights.derived[convolution_3d.VolumeFilters] is filters
    packed = list(map(id, filters._packed.values()))
    run()
    assert list(map(id, filters._packed.values())) == packed
    assert packed
    weights.assign(2 * WEIGHTS)
    np.testing.assert_allclose(run(), _convolved(x, 2 * WEIGHTS) + BIAS, rtol=1e-12, atol=1e-12)


def test_chunks_share_their_memory_and_are_of_nearly_one_size(monkeypatch):
    x = normal(7, *SHAPE[1:])
    g = conv3d(x.shape, K, WINDOW)  # 21 slices of 15 pixels of 4 numbers; 72 weights
    sizes = {}
    for most in (1, 60 * 8, 1 << 20):
        monkeypatch.setattr(convolution_3d, "CHUNK", most)
        chunks = list(convolution_3d._chunks(g, x))
        sizes[most] = [len(chunk.unfolded) for chunk in chunks]
        assert [chunk.first for chunk in chunks] == [sum(sizes[most][:k]) for k in range(len(chunks))]
        assert len({chunk.unfolded.ctypes.data for chunk in chunks}) == 1
    assert sizes == {1: [2] * 10 + [1], 60 * 8: [7, 7, 7], 1 << 20: [21]}
