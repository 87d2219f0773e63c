"""What layers compute, beside NumPy's own words for it: a layer that obeys every law may still be another one."""

import numpy as np
import pytest

from fastcnn import layers

DRAW = np.random.default_rng(0)
SIGNAL, IMAGE, VOLUME = (DRAW.standard_normal((2, *shape, 3)) for shape in ((7,), (6, 5), (4, 6, 5)))


def length(x, axis):
    return np.sqrt((x * x).sum(axis=axis))


REDUCTIONS = {"Max": np.max, "Min": np.min, "Average": np.mean, "L2": length}


@pytest.mark.parametrize("kind", REDUCTIONS)
@pytest.mark.parametrize("x", [SIGNAL, IMAGE, VOLUME], ids=["1D", "2D", "3D"])
def test_a_pooling_is_a_reduction_of_each_window_and_a_global_one_of_the_whole_image(kind, x):
    rank, reduced = x.ndim - 2, REDUCTIONS[kind]
    whole = reduced(x, axis=tuple(range(1, rank + 1)))
    for keepdims in (False, True):
        layer = getattr(layers, f"Global{kind}Pooling{rank}D")(keepdims=keepdims, dtype="float64")
        wanted = whole.reshape(len(x), *(1,) * rank, -1) if keepdims else whole
        np.testing.assert_allclose(layer(x), wanted, rtol=1e-12)
    y = getattr(layers, f"{kind}Pooling{rank}D")(dtype="float64")(x)
    for place in np.ndindex(y.shape[1:-1]):
        window = x[(slice(None), *(slice(2 * k, 2 * k + 2) for k in place))]
        wanted = reduced(window, axis=tuple(range(1, rank + 1)))
        np.testing.assert_allclose(y[(slice(None), *place)], wanted, rtol=1e-12)


@pytest.mark.parametrize("kind", ["Max", "Average"])
@pytest.mark.parametrize("x", [SIGNAL, IMAGE, VOLUME], ids=["1D", "2D", "3D"])
def test_an_adaptive_pooling_cuts_an_image_into_as_many_parts_as_asked_for(kind, x):
    rank = x.ndim - 2
    sizes = (3, 2, 4)[:rank]
    y = getattr(layers, f"Adaptive{kind}Pooling{rank}D")(sizes if rank > 1 else 3, dtype="float64")(x)
    assert y.shape == (2, *sizes, 3)
    for place in np.ndindex(sizes):
        ends = [(k * n // m, -(-(k + 1) * n // m)) for k, n, m in zip(place, x.shape[1:-1], sizes, strict=True)]
        window = x[(slice(None), *(slice(*one) for one in ends))]
        wanted = REDUCTIONS[kind](window, axis=tuple(range(1, rank + 1)))
        np.testing.assert_allclose(y[(slice(None), *place)], wanted, rtol=1e-12)


A, B, C = (DRAW.standard_normal((2, 3, 4)) for _ in range(3))
OF_SEVERAL = {
    "Add": A + B + C, "Multiply": A * B * C, "Average": (A + B + C) / 3, "Maximum": np.maximum(A, np.maximum(B, C)),
    "Minimum": np.minimum(A, np.minimum(B, C)), "Concatenate": np.concatenate([A, B, C], axis=-1),
    "Where": np.where(A, B, C),
}  # fmt: skip


@pytest.mark.parametrize("kind", OF_SEVERAL)
def test_a_merging_layer_is_what_its_name_says_of_all_its_inputs(kind):
    np.testing.assert_allclose(getattr(layers, kind)(dtype="float64")([A, B, C]), OF_SEVERAL[kind], rtol=1e-12)


def test_a_difference_and_a_cosine_are_of_two():
    np.testing.assert_array_equal(layers.Subtract(dtype="float64")([A, B]), A - B)
    cosine = layers.Dot(2, normalize=True, dtype="float64")([A, B])
    wanted = np.einsum("nic,nkc,ni,nk->nik", A, B, 1 / length(A, -1), 1 / length(B, -1))
    np.testing.assert_allclose(cosine, wanted, rtol=1e-10)
    np.testing.assert_allclose(layers.Dot((1, 1), dtype="float64")([A, C]), np.einsum("nci,nck->nik", A, C), rtol=1e-10)
    crossed = layers.Dot((1, 2), dtype="float64")([A, B.transpose(0, 2, 1)])
    np.testing.assert_allclose(crossed, np.einsum("nci,nkc->nik", A, B.transpose(0, 2, 1)), rtol=1e-10)
    flat = [A.reshape(2, 12), B.reshape(2, 12)]
    np.testing.assert_allclose(layers.Dot(1, dtype="float64")(flat), (A * B).sum((1, 2))[:, None], rtol=1e-10)


X = DRAW.standard_normal((2, 3, 4, 6))
OF_ONE = {
    "Flatten": (lambda: layers.Flatten(dtype="float64"), X.reshape(2, -1)),
    "Reshape": (lambda: layers.Reshape((0, 2, 2, -1), dtype="float64"), X.reshape(2, 3, 2, 2, 6)),
    "Permute": (lambda: layers.Permute((3, 1, 2), dtype="float64"), np.transpose(X, (0, 3, 1, 2))),
    "Slice": (lambda: layers.Slice(1, None, 2, dtype="float64"), X[..., 1::2]),
    "Take": (lambda: layers.Take([2, 0], axis=1, dtype="float64"), X[:, [2, 0]]),
    "TopK": (lambda: layers.TopK(2, dtype="float64"), -np.sort(-X, axis=-1)[..., :2]),
    "TopK, where": (lambda: layers.TopK(2, axis=1, indices=True, dtype="float64"), np.argsort(-X, axis=1)[:, :2]),
    "Rescaling": (lambda: layers.Rescaling(2, np.arange(6), dtype="float64"), 2 * X + np.arange(6)),
    "Rescaling of pixels": (lambda: layers.Rescaling(np.ones((4, 1)) / 3, 1, dtype="float64"), X / 3 + 1),
    "Cropping2D": (lambda: layers.Cropping2D(((1, 0), (1, 2)), dtype="float64"), X[:, 1:, 1:2]),
    "ZeroPadding2D": (lambda: layers.ZeroPadding2D(((1, 0), (1, 2)), dtype="float64"),
                      np.pad(X, ((0, 0), (1, 0), (1, 2), (0, 0)))),
    "Padding2D": (lambda: layers.Padding2D(((1, 0), (1, 2)), "constant", value=7, dtype="float64"),
                  np.pad(X, ((0, 0), (1, 0), (1, 2), (0, 0)), constant_values=7)),
    "Padding2D, edge": (lambda: layers.Padding2D((1, 2), "edge", dtype="float64"),
                        np.pad(X, ((0, 0), (1, 1), (2, 2), (0, 0)), mode="edge")),
    "Padding2D, reflect": (lambda: layers.Padding2D((2, 1), "reflect", dtype="float64"),
                           np.pad(X, ((0, 0), (2, 2), (1, 1), (0, 0)), mode="reflect")),
    "Padding2D, wrap": (lambda: layers.Padding2D((1, 2), "wrap", dtype="float64"),
                        np.pad(X, ((0, 0), (1, 1), (2, 2), (0, 0)), mode="wrap")),
    "UpSampling2D": (lambda: layers.UpSampling2D((3, 2), dtype="float64"), X.repeat(3, 1).repeat(2, 2)),
    "UnitNormalization": (lambda: layers.UnitNormalization((1, 2), dtype="float64"),
                          X / length(X, (1, 2))[:, None, None]),
    "RMSNormalization": (lambda: layers.RMSNormalization(dtype="float64"),
                         X / np.sqrt((X * X).mean(-1, keepdims=True) + 1e-6)),
    "LayerNormalization": (lambda: layers.LayerNormalization((2, 3), dtype="float64"),
                           (X - X.mean((2, 3), keepdims=True)) / np.sqrt(X.var((2, 3), keepdims=True) + 1e-3)),
    "BatchNormalization": (lambda: layers.BatchNormalization(dtype="float64"), X / np.sqrt(1 + 1e-3)),
    "Normalization": (lambda: layers.Normalization(2, [1.0, 2, 3, 4], [4.0, 1, 9, 1], dtype="float64"),
                      (X - np.array([[1.0], [2], [3], [4]])) / np.array([[2.0], [1], [3], [1]])),
    "Normalization, invert": (lambda: layers.Normalization((1, 3), 2.0, 9.0, invert=True, dtype="float64"), 3 * X + 2),
    "Normalization of all": (lambda: layers.Normalization(None, 2.0, 9.0, dtype="float64"), (X - 2) / 3),
    "Clip": (lambda: layers.Clip(-0.5, 0.25, dtype="float64"), np.clip(X, -0.5, 0.25)),
    "Clip below": (lambda: layers.Clip(min_value=0.1, dtype="float64"), np.maximum(X, 0.1)),
    "ReLU": (lambda: layers.ReLU(1.5, 0.1, 0.5, dtype="float64"),
             np.where(X >= 1.5, 1.5, np.where(X > 0.5, X, 0.1 * (X - 0.5)))),
    "SELU": (lambda: layers.SELU(2, 3, dtype="float64"), 3 * np.where(X > 0, X, 2 * np.expm1(X))),
    "SELU, one of them": (lambda: layers.SELU(scale=2, dtype="float64"),
                          2 * np.where(X > 0, X, 1.6732632423543772 * np.expm1(X))),
    "CELU": (lambda: layers.CELU(2, dtype="float64"), np.where(X > 0, X, 2 * np.expm1(X / 2))),
    "HardSigmoid": (lambda: layers.HardSigmoid(0.2, 0.4, dtype="float64"), np.clip(0.2 * X + 0.4, 0, 1)),
    "Softmax": (lambda: layers.Softmax((1, 2), dtype="float64"), np.exp(X) / np.exp(X).sum((1, 2), keepdims=True)),
    "Dense": (lambda: layers.Dense(2, kernel_initializer="ones", bias_initializer="ones", dtype="float64"),
              np.repeat(X.sum(-1, keepdims=True) + 1, 2, axis=-1)),
}  # fmt: skip


@pytest.mark.parametrize("kind", OF_ONE)
def test_a_layer_is_what_its_documentation_says(kind):
    make, wanted = OF_ONE[kind]
    got = make()(X)
    np.testing.assert_allclose(got, wanted, rtol=1e-10, atol=1e-14)


def test_one_slope_is_learned_along_the_axes_that_share_it():
    for shared, shape in ((None, (3, 4, 6)), ((1, 2), (1, 1, 6)), (2, (3, 1, 6)), ([3], (3, 4, 1))):
        layer = layers.PReLU(shared_axes=shared, dtype="float64")
        layer.build(X.shape)
        assert layer.alpha.shape == shape
        layer.alpha.assign(np.random.default_rng(1).random(shape))
        np.testing.assert_allclose(layer(X), np.where(X > 0, X, layer.alpha.value * X), rtol=1e-12)


def test_a_group_of_channels_is_normalized_with_the_pixels_of_a_sample():
    grouped = X.reshape(2, 12, 3, 2)
    wanted = (grouped - grouped.mean((1, 3), keepdims=True)) / np.sqrt(grouped.var((1, 3), keepdims=True) + 1e-3)
    np.testing.assert_allclose(layers.GroupNormalization(3, dtype="float64")(X), wanted.reshape(X.shape), rtol=1e-8)
    alone = (X - X.mean((1, 2), keepdims=True)) / np.sqrt(X.var((1, 2), keepdims=True) + 1e-3)
    np.testing.assert_allclose(layers.GroupNormalization(-1, dtype="float64")(X), alone, rtol=1e-8)


def test_the_neighbours_of_a_channel_damp_it():
    squares = np.pad(X * X, ((0, 0), (0, 0), (0, 0), (2, 2)))
    for size, first, last in ((5, -2, 2), (3, -1, 1), ((2, 0), -2, 0), ((0, 1), 0, 1)):
        sums = sum(squares[..., 2 + k:8 + k] for k in range(first, last + 1))
        layer = layers.LocalResponseNormalization(size, alpha=0.1, dtype="float64")
        np.testing.assert_allclose(layer(X), X / (2 + 0.1 * sums) ** 0.75, rtol=1e-10)


def test_adapt_finds_the_mean_and_the_variance_along_what_is_left():
    for axis, kept in ((-1, (3,)), ((1, 3), (1, 3)), (None, ()), (2, (2,))):
        layer, others = layers.Normalization(axis, dtype="float64"), tuple(k for k in range(4) if k not in kept)
        layer.adapt(X)
        np.testing.assert_allclose(layer.mean.value, X.mean(others), rtol=1e-10)
        np.testing.assert_allclose(layer.variance.value, X.var(others), rtol=1e-10)
        wanted = (X - X.mean(others, keepdims=True)) / X.std(others, keepdims=True)
        np.testing.assert_allclose(layer(X), wanted, rtol=1e-9, atol=1e-12)
    scalars = layers.Normalization(None, dtype="float64")
    scalars.adapt(np.array([1.0, 2, 3, 6]))
    np.testing.assert_allclose(scalars(np.array([3.0])), 0)
