"""The law of long sums: of a million terms, equal or random, none is off by more than a millionth of their magnitudes.

Beside float64. Equal terms are the hard ones: added one after another, each loses the same last bits.
"""

import numpy as np
import pytest

from fastcnn import device, layers, losses, metrics
from fastcnn.graph.nodes.batch_interleaved import BatchInterleaved
from fastcnn.kernels import codes
from fastcnn.layers import Call

N = 1_000_000
LIMIT = 1e-6
TERMS = {"tenths": 0.1, "seven tenths": 0.7, "random": None}

kinds = pytest.mark.parametrize("kind", TERMS)


def draw(kind, *shape, seed=0):
    if TERMS[kind] is None:
        return np.random.default_rng(seed).random(shape, np.float32)
    return np.full(shape, TERMS[kind], np.float32)


def wide(*arrays):
    return [np.asarray(a, np.float64) for a in arrays]


def assert_exact(got, exact, magnitude=None):
    """`magnitude` is what the magnitudes of the terms add up to: the sum itself, where all are positive."""
    exact = np.asarray(exact, np.float64)
    error = np.abs(np.asarray(got, np.float64).reshape(exact.shape) - exact)
    size = np.abs(exact) if magnitude is None else magnitude
    assert (error <= LIMIT * size).all(), f"{(error / size).max():.1e} of the magnitudes"


def trained(layer, x, kind):
    """Return y, dy and dx, with the gradients of the weights in their places."""
    y, backward = layer.forward(x, Call(training=True))
    dy = draw(kind, *y.shape, seed=1)
    for p in layer.weights:
        p.gradient[...] = 0
    return y, dy, backward(dy)


POOLS = {
    "GlobalAveragePooling2D": (layers.GlobalAveragePooling2D, (1, 1000, 1000, 3), np.mean),
    "GlobalAveragePooling1D": (layers.GlobalAveragePooling1D, (1, N, 2), np.mean),
    "GlobalAveragePooling3D": (layers.GlobalAveragePooling3D, (1, 100, 100, 100, 1), np.mean),
    "AveragePooling2D": (lambda: layers.AveragePooling2D(1000), (1, 1000, 1000, 1), np.mean),
    "AveragePooling2D of columns": (lambda: layers.AveragePooling2D((N, 1)), (1, N, 1, 1), np.mean),
    "AdaptiveAveragePooling2D": (lambda: layers.AdaptiveAveragePooling2D(1), (1, 1000, 1000, 1), np.mean),
    "GlobalL2Pooling2D": (layers.GlobalL2Pooling2D, (1, 1000, 1000, 1),
                          lambda x, axis: np.sqrt(np.square(x).sum(axis))),
}


@kinds
@pytest.mark.parametrize("name", POOLS)
def test_a_pooling_of_a_million_pixels(name, kind):
    make, shape, truth = POOLS[name]
    x = draw(kind, *shape)
    assert_exact(make()(x), truth(wide(x)[0], axis=tuple(range(1, x.ndim - 1))).reshape(-1))


@kinds
def test_windows_that_overlap(kind):
    x = draw(kind, 1, 2 * N + 1, 1)
    of = wide(x)[0].reshape(-1)
    assert_exact(layers.AdaptiveAveragePooling1D(2)(x), [of[:N + 1].mean(), of[N:].mean()])
    x = np.zeros((1, 1999, 1, 1), np.float32)
    x[0, 999] = 1  # the largest of a thousand windows
    _, dy, dx = trained(layers.MaxPooling2D((1000, 1), strides=1), x, kind)
    assert_exact(dx[0, 999], dy.sum(dtype=np.float64))


@kinds
@pytest.mark.parametrize("interpolation", ["nearest", "bilinear"])
def test_the_gradient_of_a_pixel_that_became_a_million(interpolation, kind):
    _, dy, dx = trained(layers.UpSampling2D(1000, interpolation=interpolation), draw(kind, 1, 1, 1, 2), kind)
    assert_exact(dx[0, 0, 0], dy.sum((0, 1, 2), dtype=np.float64))


BORDERS = {"edge of rows": ("edge", (1, 1), ((N, 0), (0, 0))),
           "edge of a corner": ("edge", (2, 2), ((999, 0), (0, 999))),
           "wrap of rows": ("wrap", (2, 1), ((N, 1), (0, 0))), "wrap of columns": ("wrap", (1, 3), ((0, 0), (1, N)))}


@kinds
@pytest.mark.parametrize("name", BORDERS)
def test_the_gradient_of_a_pixel_that_a_border_repeats(name, kind):
    mode, size, border = BORDERS[name]
    _, dy, dx = trained(layers.Padding2D(border, mode=mode), draw(kind, 1, *size, 2), kind)
    at = np.pad(np.arange(size[0] * size[1]).reshape(size), border, mode=mode).reshape(-1)
    exact = np.stack([np.bincount(at, dy[..., c].reshape(-1)) for c in range(2)], -1)
    assert_exact(dx, exact.reshape(dx.shape))


NORMS = {
    "BatchNormalization": (layers.BatchNormalization, (N, 3)),
    "GroupNormalization": (lambda: layers.GroupNormalization(1), (2, 500, 500, 2)),
    "LayerNormalization": (layers.LayerNormalization, (N // 4, 4)),
    "LayerNormalization of a long row": (layers.LayerNormalization, (1, N)),
}


@kinds
@pytest.mark.parametrize("name", NORMS)
def test_the_gradients_of_a_normalization(name, kind):
    make, shape = NORMS[name]
    layer, x = make(), draw(kind, *shape)
    y, dy, _ = trained(layer, x, kind)
    y, dy = wide(y, dy)
    over = tuple(range(x.ndim - 1))
    assert_exact(layer.beta.gradient, dy.sum(over))
    if shape[0] > 1:  # with gamma 1 and beta 0, y is what gamma multiplies
        assert_exact(layer.gamma.gradient, (y * dy).sum(over), np.abs(y * dy).sum(over) + 1)


@kinds
def test_local_response_normalization_over_thousands_of_channels(kind):
    c = 5000
    layer, x = layers.LocalResponseNormalization(2 * c - 1, alpha=1.0, beta=0.75, k=1.0), draw(kind, 1, 1, 2, c)
    y, dy, dx = trained(layer, x, kind)
    x, dy = wide(x, dy)
    scale = 1 + np.square(x).sum(-1, keepdims=True)
    assert_exact(y, x * scale**-0.75)
    plain, through = dy * scale**-0.75, 1.5 * x * (dy * x * scale**-1.75).sum(-1, keepdims=True)
    assert_exact(dx, plain - through, plain + through)


@kinds
def test_the_statistics_of_a_batch(kind):
    layer, x = layers.BatchNormalization(momentum=0.0), draw(kind, N, 3)
    layer(x, training=True)
    mean, variance = wide(x)[0].mean(0), wide(x)[0].var(0)
    assert_exact(layer.moving_mean.array, mean)
    assert_exact(layer.moving_variance.array, variance, np.square(mean) if variance.min() < 1e-9 else variance)


LOSSES = {
    "MeanSquaredError": (losses.MeanSquaredError, lambda p: np.zeros_like(p), lambda t, p: np.square(p).mean(1)),
    "MeanAbsoluteError": (losses.MeanAbsoluteError, lambda p: np.zeros_like(p), lambda t, p: p.mean(1)),
    "BinaryCrossentropy": (losses.BinaryCrossentropy, lambda p: np.zeros_like(p),
                           lambda t, p: -np.log(np.maximum(1 - p, 1e-7)).mean(1)),
    "CategoricalCrossentropy": (losses.CategoricalCrossentropy, lambda p: np.full_like(p, 1e-6),
                                lambda t, p: -(t * np.log(np.maximum(p / p.sum(1), 1e-7))).sum(1)),
    "SparseCategoricalCrossentropy of logits": (
        lambda: losses.SparseCategoricalCrossentropy(from_logits=True), lambda p: np.zeros(1),
        lambda t, p: np.log(np.exp(p).sum(1)) - p[:, 0]),
    "Dice": (losses.Dice, lambda p: p[:, ::-1].copy(), lambda t, p: 1 - 2 * (t * p).sum(1) / (t.sum(1) + p.sum(1))),
}


@kinds
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_over_a_million_outputs(name, kind):
    make, target, truth = LOSSES[name]
    p = draw(kind, 1, N)
    t = target(p)
    assert_exact(make().forward(t, p)[0], truth(*wide(t, p)))


@kinds
def test_metrics(kind):
    p = draw(kind, 4, N // 4)
    for metric, truth in ((metrics.MeanSquaredError(), np.square), (metrics.MeanAbsoluteError(), np.abs)):
        metric.update_state(np.zeros_like(p), p)
        assert_exact(metric.result(), truth(wide(p)[0]).mean())
    cosine = metrics.CosineSimilarity(axis=0)
    cosine.update_state(p.reshape(-1, 1), p.reshape(-1, 1))
    assert_exact(cosine.result(), 1)


@kinds
def test_a_softmax_of_a_million_classes(kind):
    x = draw(kind, 1, N)
    y, dy, dx = trained(layers.Softmax(), x, kind)
    exponentials = np.exp(wide(x)[0])
    assert_exact(y, exponentials / exponentials.sum())
    y, dy = wide(y, dy)
    assert_exact(dx, y * (dy - (y * dy).sum()), y * (dy + (y * dy).sum()))


def taps_of(x, dy, window):
    """Return the sums over positions of each pair of channels, for each tap: the gradient of a filter bank."""
    rows, columns = dy.shape[1:3]
    return np.array([[np.einsum("nijc,nijk->ck", x[:, r:r + rows, s:s + columns], dy, optimize=True)
                      for s in range(window)] for r in range(window)])


FILTERS = {
    "Conv2D of one channel": (lambda: layers.Conv2D(2, 3), (1, 1002, 1002, 1), 3),
    "Conv2D of many channels": (lambda: layers.Conv2D(1, 2), (1, 801, 801, 24), 2),
    "Conv2D of pixels": (lambda: layers.Conv2D(3, 1), (1, 1000, 1000, 2), 1),
    "Conv2D of rows of 500": (lambda: layers.Conv2D(1, 3), (4, 502, 502, 1), 3),
    "Conv2D by Winograd": (lambda: layers.Conv2D(16, 3), (1, 752, 752, 16), 3),
}


@kinds
@pytest.mark.parametrize("name", FILTERS)
def test_the_gradients_of_filters_and_bias(name, kind):
    make, shape, window = FILTERS[name]
    layer, x = make(), draw(kind, *shape)
    _, dy, _ = trained(layer, x, kind)
    x, dy = wide(x, dy)
    assert_exact(layer.kernel.gradient, taps_of(x, dy, window))
    assert_exact(layer.bias.gradient, dy.sum((0, 1, 2)))


@kinds
@pytest.mark.parametrize("channels", [2, 16])
def test_the_gradients_of_a_depthwise_convolution(channels, kind):
    layer, x = layers.DepthwiseConv2D(3), draw(kind, 1, 1002, 1002, channels)
    _, dy, _ = trained(layer, x, kind)
    x, dy = wide(x, dy)
    exact = [[(x[:, r:r + 1000, s:s + 1000] * dy).sum((0, 1, 2)) for s in range(3)] for r in range(3)]
    assert_exact(layer.weights[0].gradient, exact)
    assert_exact(layer.bias.gradient, dy.sum((0, 1, 2)))


@kinds
@pytest.mark.parametrize("make", [lambda: layers.Conv1D(2, 3), lambda: layers.DepthwiseConv1D(3)],
                         ids=["Conv1D", "DepthwiseConv1D"])
def test_the_gradients_of_windows_along_a_signal(make, kind):
    layer, x = make(), draw(kind, 1, N + 2, 1)
    _, dy, _ = trained(layer, x, kind)
    x, dy = wide(x, dy)
    assert_exact(layer.weights[0].gradient, [x[0, s:s + N, 0] @ dy[0] for s in range(3)])
    assert_exact(layer.bias.gradient, dy.sum((0, 1)))


@kinds
def test_the_gradients_of_a_depthwise_convolution_of_small_images(kind):
    layer, x = layers.DepthwiseConv2D(2), draw(kind, N // 4, 3, 3, 2)
    _, dy, _ = trained(layer, x, kind)
    x, dy = wide(x, dy)
    exact = [[(x[:, r:r + 2, s:s + 2] * dy).sum((0, 1, 2)) for s in range(2)] for r in range(2)]
    assert_exact(layer.weights[0].gradient, exact)
    assert_exact(layer.bias.gradient, dy.sum((0, 1, 2)))


@kinds
@pytest.mark.parametrize("shape", [(1000, 1000, 2), (N // 4, 1, 16)], ids=["square", "column"])
def test_a_depthwise_convolution_of_a_million_taps(shape, kind):
    layer, x = layers.DepthwiseConv2D(shape[:2]), draw(kind, 1, *shape)
    layer.build((None, *shape))
    w, bias = draw(kind, *shape, 1, seed=2), draw(kind, shape[2], seed=3)
    layer.set_weights([w, bias])
    assert_exact(layer(x), (wide(x)[0][0] * wide(w)[0][..., 0]).sum((0, 1)) + bias)


@kinds
@pytest.mark.parametrize("strides", [1, 2])
def test_the_gradient_of_the_input_of_a_depthwise_convolution_of_many_taps(strides, kind):
    layer, x = layers.DepthwiseConv2D((2000, 1), strides=strides, use_bias=False), draw(kind, 1, 5998, 1, 2)
    layer.build((None, *x.shape[1:]))
    w = draw(kind, 2000, 1, 2, 1, seed=2)
    layer.set_weights([w])
    _, dy, dx = trained(layer, x, kind)
    exact, (w, dy) = np.zeros(x.shape), wide(w, dy)
    for i in range(dy.shape[1]):
        exact[0, i * strides:i * strides + 2000] += w[..., 0] * dy[0, i]
    assert_exact(dx, exact, np.maximum(exact, 1e-9))


@kinds
def test_vectors_of_a_million_numbers_are_scaled_to_length_1(kind):
    layer, x = layers.UnitNormalization(), draw(kind, 1, N)
    y, dy, dx = trained(layer, x, kind)
    (of,), length = wide(x), np.linalg.norm(wide(x)[0])
    assert_exact(y, of / length)
    along = (of / length) @ wide(dy)[0].T
    assert_exact(dx, (dy - of / length * along) / length, (np.abs(dy) + of / length * along) / length)


@kinds
@pytest.mark.parametrize("shape", [(1024, 34, 34, 1), (N // 16, 6, 6, 1)], ids=["large", "small"])
def test_the_gradients_of_a_convolution_in_lanes(shape, kind):
    layer, x = layers.Conv2D(4, 3), draw(kind, *shape)
    layer.build((None, *shape[1:]))
    y, backward = BatchInterleaved([layer]).forward(x)
    dy = draw(kind, *y.shape, seed=1)
    backward(dy)
    x, dy = wide(x, dy)
    assert_exact(layer.kernel.gradient, taps_of(x, dy, 3))
    assert_exact(layer.bias.gradient, dy.sum((0, 1, 2)))


@kinds
@pytest.mark.parametrize(("rows", "units"), [(1, 1), (20, 3), (3, 20)])
def test_a_dense_layer_of_a_million_inputs(rows, units, kind):
    layer = layers.Dense(units)
    layer.build((None, N))
    x, w = draw(kind, rows, N), draw(kind, N, units, seed=2)
    layer.set_weights([w, np.ones(units)])
    exact = 1 + wide(x)[0] @ wide(w)[0]
    assert_exact(layer.forward(x)[0], exact)
    assert_exact(layer.predict(x), exact)


@kinds
def test_the_gradient_of_the_input_of_a_million_units(kind):
    layer = layers.Dense(N, use_bias=False)
    layer.build((None, 2))
    layer.set_weights([draw(kind, 2, N, seed=2)])
    _, dy, dx = trained(layer, draw(kind, 3, 2), kind)
    assert_exact(dx, wide(dy)[0] @ wide(layer.kernel.array)[0].T)


@kinds
@pytest.mark.parametrize("taps", [(1, 3000), (60, 50)], ids=["signal", "image"])
def test_the_gradient_of_the_input_of_many_taps_and_few_channels(taps, kind):
    layer, x = layers.Conv2D(8, taps, use_bias=False), draw(kind, 1, taps[0] + 20, 2 * taps[1], 1)
    layer.build((None, *x.shape[1:]))
    layer.set_weights([draw(kind, *taps, 1, 8, seed=2)])
    _, dy, dx = trained(layer, x, kind)
    exact, (w, dy) = np.zeros(x.shape[1:3]), wide(layer.kernel.array, dy)
    for i, j in np.ndindex(*dy.shape[1:3]):
        exact[i:i + taps[0], j:j + taps[1]] += w[:, :, 0] @ dy[0, i, j]
    assert_exact(dx[0, ..., 0], exact)


@kinds
def test_a_convolution_of_a_million_taps(kind):
    layer, x = layers.Conv2D(1, 1000, use_bias=False), draw(kind, 1, 1000, 1000, 1)
    layer.build((None, *x.shape[1:]))
    layer.set_weights([draw(kind, 1000, 1000, 1, 1, seed=2)])
    assert_exact(layer(x), (wide(x)[0][0] * wide(layer.kernel.array)[0][..., 0]).sum())


def test_many_channels_are_one_sum_wherever_winograd_cuts_them():
    c = 20_000
    layer, x = layers.Conv2D(16, 3, use_bias=False), np.full((1, 10, 10, c), 0.7, np.float32)
    layer.build((None, *x.shape[1:]))
    layer.set_weights([np.full((3, 3, c, 16), 0.1, np.float32)])
    # The transforms of Winograd's tiles make the errors of the sums some times larger.
    exact = np.full((1, 8, 8, 16), 9 * c * float(np.float32(0.7)) * float(np.float32(0.1)))
    assert_exact(layer.forward(x)[0], exact, 5 * exact)
    assert_exact(layer.predict(x), exact, 5 * exact)


LACKS = {"rows": ((1, N, 3), (1, 1, 3)), "pixels": ((1, 1, N), (1, 1, 1)), "both": ((1000, 1, 1000), (1, 1, 1)),
         "images and columns": ((500, 2, 1000), (1, 2, 1)), "images": ((N // 10, 10, 1), (1, 10, 1))}


@kinds
@pytest.mark.parametrize("code", [codes.SUM, codes.PRODUCT, codes.PRELU], ids=["sum", "product", "slope"])
@pytest.mark.parametrize("lacks", LACKS)
def test_the_gradient_of_what_is_broadcast(lacks, code, kind):
    shape, of = LACKS[lacks]
    k, dy, a, b = device.cpu.kernels, draw(kind, *shape, seed=1), -draw(kind, *shape), draw(kind, *of)
    da, db = np.empty_like(a), np.empty_like(b)
    scratch = np.empty(k.merge_backward_scratch(shape, shape, of, a.dtype), a.dtype)
    k.merge_backward(da, db, scratch, dy, a, b, code, 1.0, 1.0)
    terms = wide(dy)[0] * (1 if code == codes.SUM else wide(a)[0])
    assert_exact(db, terms.sum(tuple(i for i in range(3) if of[i] < shape[i]), keepdims=True))


@kinds
@pytest.mark.parametrize("units", [1, 3, 300])
def test_the_gradient_of_a_bias_alone(units, kind):
    k, dy = device.cpu.kernels, draw(kind, N if units < 300 else N // 10, units)
    dbias = np.zeros(units, np.float32)
    k.bias_backward(dbias, np.empty(k.bias_backward_scratch(dy.shape, dy.dtype), dy.dtype), dy)
    assert_exact(dbias, dy.sum(0, dtype=np.float64))


@kinds
def test_penalties_and_norms(kind):
    w = draw(kind, N)
    k, total, norms = device.cpu.kernels, np.zeros(1), np.zeros(1)
    k.penalty(total, w[:0], np.empty(k.penalty_scratch(w.size, w.dtype)), w, 1.0, 2.0)
    assert_exact(total[0], wide(w)[0].sum() + 2 * np.square(wide(w)[0]).sum())
    k.squared_norms(norms, np.empty(k.squared_norms_scratch(1, w.dtype)), w, np.array([0, w.size]))
    assert_exact(norms[0], np.square(wide(w)[0]).sum())
