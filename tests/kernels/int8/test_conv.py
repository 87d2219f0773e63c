import numpy as np
import pytest

from fastcnn import geometry
from fastcnn.kernels.cpu.int8.conv import byte_slack, quantized_columns, quantized_conv2d, quantized_conv2d_packed
from fastcnn.kernels.cpu.int8.depthwise import (
    quantized_channels,
    quantized_depthwise2d,
    quantized_depthwise2d_packed,
)
from tests import reference
from tests.kernels.checking import assert_same_bits, inputs_unchanged

ZERO, BOUNDS = 11, np.array([-3, 201.5], np.float32)

# Input, filters, window, strides, dilation, groups: few channels, many, as many as fill vectors, a row of one window
CASES = [
    ((1, 5, 6, 3), 5, (3, 3), (1, 1), (1, 1), 1), ((2, 5, 6, 7), 40, (3, 2), (2, 1), (1, 1), 1),
    ((1, 9, 9, 8), 36, (3, 3), (1, 1), (2, 2), 1), ((1, 9, 8, 12), 48, (3, 3), (1, 1), (1, 1), 4),
    ((3, 1, 1, 130), 10, (1, 1), (1, 1), (1, 1), 1), ((2, 13, 13, 4), 32, (1, 1), (2, 3), (1, 1), 1),
    ((1, 3, 9, 2), 2, (3, 3), (1, 2), (1, 2), 2), ((2, 40, 40, 16), 33, (3, 3), (1, 1), (1, 1), 1),
]


def drawn(shape, filters, window, strides, dilation, groups, slack=None):
    """Return the geometry, an image with what may lie behind it, weights, start values and scales."""
    draw = np.random.default_rng(0)
    g = geometry.conv2d(shape, filters, window, strides, "valid", dilation, groups)
    beyond = byte_slack(g) if slack is None else slack
    x = draw.integers(0, 256, int(np.prod(shape)) + beyond, dtype=np.uint8)
    weights = draw.integers(-127, 128, (*window, shape[-1] // groups, filters)).astype(np.int8)
    start = draw.integers(-9000, 9000, filters).astype(np.int32)
    scale = ((0.2 + draw.random(filters)) * 100 / np.abs(weights.astype(int)).sum((0, 1, 2)).max() / 64).astype("f4")
    return g, x, weights, start, scale


def run(kernel, g, x, packed, columns, zero):
    count = int(g[0]["n"] * g[0]["oh"] * g[0]["ow"] * g[0]["k"])
    y = np.full(count * (4 if zero < 0 else 1) + 64, 99, np.uint8)
    with inputs_unchanged(x):
        kernel(y[:-64], x, packed, *columns, BOUNDS, zero, g)
    assert (y[-64:] == 99).all()
    return y[:-64] if zero >= 0 else y[:-64].view(np.float32)


@pytest.mark.parametrize("zero", [ZERO, -1])
@pytest.mark.parametrize("case", CASES)
def test_convolution_of_bytes_has_the_integers_of_its_twin(case, zero):
    g, x, weights, start, scale = drawn(*case)
    columns = quantized_columns(g, start), quantized_columns(g, scale)
    got = run(quantized_conv2d, g, x, quantized_conv2d_packed(g, weights), columns, zero)
    want = reference.quantized_conv2d(x, weights, start, scale, BOUNDS, zero, g).reshape(-1)
    np.testing.assert_array_equal(got, want)
    assert want.min() < want.max()


@pytest.mark.parametrize(("shape", "window", "strides", "dilation"), [
    ((2, 6, 7, 5), (3, 3), (1, 1), (1, 1)), ((2, 11, 9, 70), (5, 3), (2, 2), (1, 1)),
    ((1, 9, 9, 64), (1, 7), (1, 1), (1, 1)), ((1, 12, 11, 130), (2, 2), (1, 3), (3, 2)),
])
def test_depthwise_convolution_of_bytes_has_the_integers_of_its_twin(shape, window, strides, dilation):
    g, x, weights, start, scale = drawn(shape, shape[-1], window, strides, dilation, shape[-1], slack=64)
    columns = quantized_channels(start), quantized_channels(scale)
    got = run(quantized_depthwise2d, g, x, quantized_depthwise2d_packed(g, weights), columns, ZERO)
    want = reference.quantized_depthwise2d(x, weights, start, scale, BOUNDS, ZERO, g)
    np.testing.assert_array_equal(got, want.reshape(-1))


def test_products_of_bytes_have_the_same_bits_on_any_number_of_threads():
    g, x, weights, start, scale = drawn((4, 30, 30, 32), 96, (3, 3), (1, 1), (1, 1), 1)
    columns, packed = (quantized_columns(g, start), quantized_columns(g, scale)), quantized_conv2d_packed(g, weights)
    assert_same_bits(lambda: run(quantized_conv2d, g, x, packed, columns, ZERO))


def test_the_largest_sums_do_not_overflow_or_saturate():
    g = geometry.conv2d((1, 1, 1, 4096), 16, (1, 1))
    x, weights = np.full(4096, 255, np.uint8), np.full((1, 1, 4096, 16), -127, np.int8)
    columns = quantized_columns(g, np.zeros(16, np.int32)), quantized_columns(g, np.ones(16, np.float32))
    y = np.zeros(64, np.uint8)
    free = np.array([-np.inf, np.inf], np.float32)
    quantized_conv2d(y, x, quantized_conv2d_packed(g, weights), *columns, free, -1, g)
    np.testing.assert_array_equal(y.view(np.float32), np.float32(-127 * 255 * 4096))
