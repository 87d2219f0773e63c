"""The convolutions against Keras, and against PyTorch where Keras has no word for it: outputs and all gradients."""

import inspect
import re

import numpy as np
import pytest

from fastcnn import layers

keras = pytest.importorskip("keras")
torch = pytest.importorskip("torch")
pytestmark = pytest.mark.peers

SIZES = {1: (13,), 2: (9, 8), 3: (6, 5, 7)}


def _draw(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape)


def _tensor(array):
    return torch.from_numpy(np.ascontiguousarray(array)).requires_grad_()


def _close(got, expected):
    expected = expected.detach().numpy() if hasattr(expected, "detach") else expected
    assert got.shape == expected.shape
    np.testing.assert_allclose(got, expected, rtol=0, atol=1e-11 * max(1.0, np.abs(expected).max(initial=0)))


def _weights(layer):
    return [_draw(*p.shape, seed=7 + k) for k, p in enumerate(layer.weights)]


def _ours(layer, x):
    """Return y, dy, dx and the gradients of the weights, after comparing both verbs."""
    layer.set_weights(_weights(layer))
    y, backward = layer.forward(x)
    dy = _draw(*y.shape, seed=3)
    dx = backward(dy)
    np.testing.assert_array_equal(layer.predict(x), y)
    return y, dy, dx, [p.grad for p in layer.weights]


def _agree_with_keras(name, channels, *args, **options):
    rank = int(re.search(r"(\d)D", name)[1])
    x = _draw(2, *SIZES[rank], channels)
    layer = getattr(layers, name)(*args, dtype="float64", **options)
    layer.build(x.shape)
    y, dy, dx, gradients = _ours(layer, x)
    peer = getattr(keras.layers, name)(*args, dtype="float64", **options)
    peer.build(x.shape)
    assert [w.shape for w in peer.weights] == [p.shape for p in layer.weights]
    assert [w.name for w in peer.weights] == [p.name for p in layer.weights]
    assert tuple(peer.compute_output_shape((None, *x.shape[1:]))) == layer.output_shape
    peer.set_weights(_weights(layer))
    input_ = _tensor(x)
    output = peer(input_)
    (output * torch.from_numpy(dy)).sum().backward()
    _close(y, output)
    _close(dx, input_.grad)
    for got, weight in zip(gradients, peer.trainable_weights, strict=True):
        _close(got, weight.value.grad)



@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "options"), [
    ((3, 3, 3), {}), ((1, 1, 1), {}), ((2, 3, 4), {"activation": "tanh"}), ((4, 2, 1), {"use_bias": False}),
    ((3, 2, 3), {"strides": (2, 3, 2), "activation": "relu"}), ((1, 1, 1), {"strides": (2, 2, 2)}),
    ((2, 3, 2), {"dilation_rate": (3, 2, 1)}), ((3, 3, 2), {"groups": 2, "activation": "silu"}),
    ((2, 2, 2), {"groups": 4, "strides": (2, 1, 3)}), ((1, 3, 3), {"activation": "relu"}), ((3, 1, 1), {}),
], ids=str)
def test_convolution(rank, padding, size, options):
    options = {name: value[:rank] if isinstance(value, tuple) else value for name, value in options.items()}
    _agree_with_keras(f"Conv{rank}D", 4, 8, size[:rank], padding=padding, **options)


@pytest.mark.parametrize("options", [{}, {"dilation_rate": 3}, {"strides": 2}, {"groups": 2, "activation": "relu"}],
                         ids=str)
@pytest.mark.parametrize("size", [1, 2, 5])
def test_causal_convolution(size, options):
    _agree_with_keras("Conv1D", 4, 6, size, padding="causal", **options)


@pytest.mark.parametrize("rank", [1, 2])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("options", [
    {}, {"strides": 2, "activation": "relu"}, {"dilation_rate": 2, "use_bias": False},
    {"depth_multiplier": 3, "activation": "tanh"},
], ids=str)
def test_depthwise_and_separable_convolution(rank, padding, options):
    _agree_with_keras(f"DepthwiseConv{rank}D", 5, 3, padding=padding, **options)
    _agree_with_keras(f"SeparableConv{rank}D", 5, 7, 3, padding=padding, **options)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(("size", "options"), [
    ((3, 3, 3), {}), ((2, 2, 2), {"strides": (2, 2, 2), "activation": "relu"}), ((4, 4, 4), {"strides": (2, 2, 2)}),
    ((5, 3, 3), {"strides": (2, 2, 1), "use_bias": False}), ((1, 1, 1), {"strides": (3, 2, 2)}),
    ((3, 2, 3), {"strides": (3, 2, 2), "output_padding": (2, 0, 1), "activation": "relu"}),
    ((5, 4, 3), {"strides": (2, 3, 2), "output_padding": (1, 2, 0)}),
    ((3, 2, 2), {"dilation_rate": (2, 3, 1), "activation": "tanh"}), ((3, 1, 1), {}), ((1, 3, 3), {}),
    ((1, 2, 2), {"strides": (1, 2, 2)}),
], ids=str)
def test_transposed_convolution(rank, padding, size, options):
    options = {name: value[:rank] if isinstance(value, tuple) else value for name, value in options.items()}
    _agree_with_keras(f"Conv{rank}DTranspose", 4, 3, size[:rank], padding=padding, **options)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("options", [
    {"size": (3, 4, 2), "before": (0, 2, 1), "after": (2, 1, 1)},
    {"size": (2, 3, 3), "before": (1, 0, 2), "after": (0, 2, 1), "strides": (2, 1, 3), "groups": 2},
    {"size": (3, 2, 2), "before": (4, 1, 0), "after": (1, 0, 3), "dilation_rate": (2, 1, 2)},
], ids=str)
def test_convolution_with_any_border(rank, options):
    options = {name: value[:rank] if isinstance(value, tuple) else value for name, value in options.items()}
    size, before, after = (options.pop(name) for name in ("size", "before", "after"))
    padding = tuple(zip(before, after, strict=True))
    x = _draw(2, *SIZES[rank], 4)
    layer = getattr(layers, f"Conv{rank}D")(6, size, padding=padding, dtype="float64", **options)
    layer.build(x.shape)
    y, dy, dx, (dkernel, dbias) = _ours(layer, x)
    kernel, bias = map(_tensor, layer.get_weights())
    input_ = _tensor(x)
    bordered = torch.nn.functional.pad(input_.movedim(-1, 1), [p for pair in reversed(padding) for p in pair])
    output = getattr(torch.nn.functional, f"conv{rank}d")(
        bordered, kernel.movedim((-1, -2), (0, 1)), bias, options.get("strides", 1), 0,
        options.get("dilation_rate", 1), options.get("groups", 1)).movedim(1, -1)
    (output * torch.from_numpy(dy)).sum().backward()
    for got, expected in ((y, output), (dx, input_.grad), (dkernel, kernel.grad), (dbias, bias.grad)):
        _close(got, expected)


@pytest.mark.parametrize("rank", [1, 2, 3])
@pytest.mark.parametrize("options", [
    {"size": (3, 4, 2), "padding": (1, 2, 0)},
    {"size": (4, 3, 3), "padding": (1, 0, 1), "strides": (2, 3, 2), "output_padding": (1, 2, 0), "groups": 2},
    {"size": (3, 2, 3), "padding": (2, 1, 0), "strides": (2, 1, 3), "dilation_rate": (2, 3, 1), "groups": 4},
], ids=str)
def test_transposed_convolution_with_groups_and_what_is_cut_off(rank, options):
    options = {name: value[:rank] if isinstance(value, tuple) else value for name, value in options.items()}
    size, padding = options.pop("size"), options.pop("padding")
    x = _draw(2, *SIZES[rank], 4)
    layer = getattr(layers, f"Conv{rank}DTranspose")(
        8, size, padding=tuple((p, p) for p in padding), dtype="float64", **options)
    layer.build(x.shape)
    y, dy, dx, (dkernel, dbias) = _ours(layer, x)
    kernel, bias = map(_tensor, layer.get_weights())
    input_ = _tensor(x)
    output = getattr(torch.nn.functional, f"conv_transpose{rank}d")(
        input_.movedim(-1, 1), kernel.movedim((-1, -2), (0, 1)), bias, options.get("strides", 1), padding,
        options.get("output_padding", 0), options.get("groups", 1), options.get("dilation_rate", 1)).movedim(1, -1)
    (output * torch.from_numpy(dy)).sum().backward()
    for got, expected in ((y, output), (dx, input_.grad), (dkernel, kernel.grad), (dbias, bias.grad)):
        _close(got, expected)


@pytest.mark.parametrize("name", [
    "Conv1D", "Conv2D", "Conv3D", "DepthwiseConv1D", "DepthwiseConv2D", "SeparableConv1D", "SeparableConv2D",
    "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose"])
def test_arguments_have_keras_s_names_and_order(name):
    ours, theirs = (list(inspect.signature(getattr(of, name).__init__).parameters) for of in (layers, keras.layers))
    assert [p for p in ours if p != "groups" or "groups" in theirs] == theirs
