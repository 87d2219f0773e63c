import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.errors import ArgumentError
from fastcnn.operations import convolution_3d

ALL = ["Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv1D",
       "SeparableConv2D", "DepthwiseConv1D", "DepthwiseConv2D"]


def _draw(*shape, dtype="float64", seed=0):
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


def _pass(layer, x):
    for p in layer.weights:
        p.zero_grad()
    y, backward = layer.forward(x)
    dx = backward(_draw(*y.shape, dtype=x.dtype, seed=1))
    return [y, layer.predict(x), layer.predict(x), dx, *(p.grad.copy() for p in layer.weights)]


@pytest.mark.parametrize("layer", [
    layers.Conv3D(16, 3, padding="same", activation="relu"),
    layers.Conv3D(4, (3, 2, 3), strides=2, padding=((2, 1), (0, 0), (1, 0)), groups=2),
    layers.Conv3DTranspose(16, 3, padding="same", activation="relu"),
    layers.Conv3DTranspose(4, (5, 2, 2), strides=(2, 1, 2), dilation_rate=(1, 2, 1), padding=(2, 0, 1)),
    layers.Conv3DTranspose(4, (1, 2, 2), strides=(3, 2, 2), activation="relu"),
], ids=lambda layer: layer.name)
def test_a_volume_in_chunks_gives_what_it_gives_as_a_whole(layer, monkeypatch):
    x = _draw(2, 7, 8, 8, 16, dtype="float32")
    layer.build(x.shape)
    layer.set_weights([_draw(*p.shape, dtype="float32", seed=k) for k, p in enumerate(layer.weights)])
    whole = _pass(layer, x)
    layer.kernel.derived.clear()
    monkeypatch.setattr(convolution_3d, "CHUNK", 1)
    # twice the filters is the least that passes together: with few filters that is a slice or two
    for a, b in zip(_pass(layer, x), whole, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=2e-5 * np.abs(b).max())


def test_the_filters_of_a_volume_are_rearranged_again_when_they_change():
    layer, x = layers.Conv3D(3, 2), _draw(1, 3, 3, 3, 2, dtype="float32")
    first = layer.predict(x)
    bank = layer.kernel.derived[convolution_3d.VolumeFilters]
    np.testing.assert_array_equal(layer.predict(x), first)
    assert layer.kernel.derived[convolution_3d.VolumeFilters] is bank
    layer.kernel.assign(2 * layer.kernel.value)
    np.testing.assert_allclose(layer.predict(x), 2 * first, rtol=1e-6, atol=1e-6)
    layer.bias.assign(layer.bias.value + 1)
    np.testing.assert_allclose(layer.predict(x), 2 * first + 1, rtol=1e-5, atol=1e-5)
    layer.forward(x)
    assert not layer.kernel.derived, "training lets them go"


def test_a_model_of_all_dimensions_predicts_by_a_plan_what_it_predicts_without():
    model = fc.Sequential([
        fc.Input((6, 8, 8, 2)), layers.Conv3D(4, 3, activation="relu"), layers.Conv3DTranspose(3, 2, strides=2),
        layers.Reshape((96, 12, 3)), layers.SeparableConv2D(4, 3), layers.Conv2DTranspose(2, 2, activation="relu"),
        layers.Reshape((95 * 11, 2)), layers.Conv1D(3, 3, padding="causal"), layers.Conv1DTranspose(2, 2, strides=2)])
    x = _draw(1, 6, 8, 8, 2, dtype="float32")
    expected = x
    for layer in model.layers:
        expected = layer.predict(expected)
    for _ in range(4):
        np.testing.assert_allclose(model.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_a_transposed_convolution_undoes_the_strides_of_a_convolution():
    x = _draw(1, 7, 9, 3, dtype="float32")
    for size in (2, 3, 4, 5):
        assert layers.Conv2DTranspose(2, size, strides=2, padding="same").predict(x).shape == (1, 14, 18, 2)
    assert layers.Conv2DTranspose(2, 1, strides=3).predict(x).shape == (1, 21, 27, 2)
    assert layers.Conv2DTranspose(2, 4, strides=2, padding=1).predict(x).shape == (1, 14, 18, 2)


def test_a_causal_convolution_looks_at_no_later_element():
    layer, x = layers.Conv1D(2, 3, padding="causal", dilation_rate=2, dtype="float64"), _draw(1, 12, 2)
    before = layer.predict(x).copy()
    x[:, 7:] = np.nan
    np.testing.assert_array_equal(layer.predict(x)[:, :7], before[:, :7])


@pytest.mark.parametrize("name", ALL)
def test_regularizers_and_constraints_are_kept_with_their_weights(name):
    kernel = "kernel" if "Sep" not in name and "Dep" not in name else "depthwise"
    args = (3,) if name.startswith("Depthwise") else (4, 3)
    cls, rank = getattr(layers, name), int(name.replace("Transpose", "")[-2])
    layer = cls(*args, **{f"{kernel}_regularizer": "l2"}, bias_regularizer=fc.regularizers.L1(0.1),
                activity_regularizer="l1", **{f"{kernel}_constraint": "max_norm"},
                bias_constraint=fc.constraints.NonNeg())
    layer.build((None, *(5,) * rank, 2))
    assert isinstance(layer.weights[0].regularizer, fc.regularizers.L2)
    assert layer.bias.regularizer == fc.regularizers.L1(0.1)
    assert isinstance(layer.activity_regularizer, fc.regularizers.L1)
    again = cls.from_config(layer.get_config())
    again.build((None, *(5,) * rank, 2))
    assert again.bias.regularizer == fc.regularizers.L1(0.1)
    for one in (layer, again):
        assert one.weights[0].constraint == fc.constraints.MaxNorm()
        assert one.bias.constraint == fc.constraints.NonNeg()
    with pytest.raises(ArgumentError, match="constraint"):
        cls(*args, **{f"{kernel}_constraint": "mx_norm"})


@pytest.mark.parametrize(("make", "shape", "text"), [
    (lambda: layers.Conv2D(2, 3, padding="causal"), (5, 5, 1), r'padding: expected "valid", "same", .*got \'causal\''),
    (lambda: layers.Conv1D(2, 3, padding=(1, 2, 3)), (5, 1), r"\(before, after\) of 1 dimension, got"),
    (lambda: layers.Conv3D(2, 3, padding=(1, 2)), (5, 5, 5, 1), r"of 3 dimensions, got \(1, 2\)"),
    (lambda: layers.Conv3D(2, 3, padding=-1), (5, 5, 5, 1), "an integer of at least 0 or 2 of them, got -1"),
    (lambda: layers.Conv3D(2, (3, 3)), (5, 5, 5, 1), r"an integer of at least 1 or 3 of them, got \(3, 3\)"),
    (lambda: layers.Conv3D(2, 3), (5, 2, 5, 1), "a window of 3x3x3 .* fits, got 5x2x5"),
    (lambda: layers.Conv3D(3, 3, groups=2), (5, 5, 5, 2), "groups to divide the 3 filters, got groups=2"),
    (lambda: layers.Conv3D(3, 3), (5, 5, 2), r"expected input \(N, D, H, W, C\), got 4 dimensions"),
    (lambda: layers.Conv1D(3, 0), (5, 2), "kernel_size: expected an integer of at least 1, got 0"),
    (lambda: layers.Conv2DTranspose(3, 3, strides=2, output_padding=2), (5, 5, 2), "output_padding smaller than"),
    (lambda: layers.Conv2DTranspose(3, 3, groups=2), (5, 5, 2), "groups to divide the 3 filters, got groups=2"),
    (lambda: layers.Conv1DTranspose(3, 3, padding=4), (5, 2), "at least one element a dimension, got -1 from 5"),
    (lambda: layers.Conv1DTranspose(3, 3, padding="causal"), (5, 2), "got 'causal'"),
    (lambda: layers.SeparableConv2D(3, 3, depth_multiplier=0), (5, 5, 2), "depth_multiplier to be a positive integer"),
])
def test_what_does_not_fit_is_refused_in_one_sentence(make, shape, text):
    with pytest.raises(ArgumentError, match=text):
        make().build((None, *shape))
