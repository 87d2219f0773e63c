"""Which algorithm computes a convolution; borders of zeros where positions are few and windows large."""

import numpy as np
import pytest

from fastcnn import config, device, layers
from fastcnn.bfloat16 import bfloat16
from fastcnn.geometry import conv2d, dense
from fastcnn.kernels import cpu
from fastcnn.kernels.cpu.gemm.tile import M0
from fastcnn.kernels.cpu.gemm.walk_tiles import SHORT, TWO
from fastcnn.kernels.cpu.simd.width import lanes
from fastcnn.operations.algorithms import _padded, algorithm_of
from fastcnn.operations.convolution import predict_convolution
from fastcnn.parameters import Parameter

LOW_TILES_ARE_SLOW = TWO and M0 == 14  # with AVX-512, where a core multiplies two vectors a cycle


def of(n=1, size=7, window=5, padding=2):
    return conv2d((n, size, size, 3), 4, (window, window), padding=((padding, padding), (padding, padding)))


def test_a_large_window_on_a_small_image_sees_its_border_as_part_of_the_image():
    g = of()
    padded = _padded(g)
    assert (padded[0]["h"], padded[0]["w"]) == (11, 11)
    assert [padded[0][side] for side in ("top", "bottom", "left", "right")] == [0] * 4
    same = [name for name in g.dtype.names if name not in ("h", "w", "top", "bottom", "left", "right")]
    assert [padded[0][name] for name in same] == [g[0][name] for name in same]
    assert (g[0]["h"], g[0]["top"]) == (7, 2), "what was given is not written"


@pytest.mark.parametrize("case", [{"window": 3, "padding": 1}, {"padding": 0}, {"n": 256}, {"size": 105}])
def test_else_the_geometry_stays(case):
    assert _padded(of(**case)) is None


def test_a_border_that_is_cut_off_is_no_border_of_zeros():
    g = of().copy()
    g["top"], g["bottom"] = -1, 3
    assert _padded(g) is None


@pytest.mark.parametrize(("size", "window", "is_padded"), [
    ((8, 8, 1024), (5, 5), True), ((5, 13, 1024), (5, 5), False),  # 64 positions, and 65
    ((64, 128, 4), (5, 5), True), ((5, 13, 505), (5, 5), False),  # 32,768 numbers, and 32,825
    ((4, 4, 3), (3, 3), False), ((4, 4, 3), (5, 2), True), ((4, 4, 3), (1, 9), False)])
def test_images_are_small_up_to_64_positions_or_32768_numbers_and_windows_large_from_10_pixels_on(
        size, window, is_padded):
    g = conv2d((1, *size), 4, window, padding="same")
    assert (_padded(g) is not None) == is_padded


def test_a_border_changes_no_bits():
    """Zeros are added to sums where they would be left out: of one image, and of as many that have no border."""
    draw = np.random.default_rng(0)
    x = draw.standard_normal((128, 17, 17, 3), dtype=np.float32)
    layer = layers.Conv2D(8, 5, padding="same")
    assert _padded(conv2d((1, 17, 17, 3), 8, (5, 5), padding="same")) is not None
    assert _padded(conv2d((128, 17, 17, 3), 8, (5, 5), padding="same")) is None
    np.testing.assert_array_equal(layer.predict(x[:1]), layer.predict(x)[:1])


@pytest.mark.parametrize(("shape", "window", "dtype", "expected"), [
    ((1, 7, 7, 512), 3, "float32", True), ((1, 8, 8, 448), 3, "float32", True), ((4, 7, 7, 512), 3, "float32", False),
    ((1, 7, 7, 512), 3, "float64", True), ((8, 7, 7, 512), 3, "float32", False), ((1, 7, 7, 16), 3, "float32", False),
    ((1, 28, 28, 128), 3, "float32", False), ((1, 7, 7, 512), 1, "float32", False)])
def test_small_images_of_many_channels_are_copied_with_their_border(shape, window, dtype, expected):
    """Where runs of few positions would take longer than to multiply the zeros, and much longer than a call."""
    g = conv2d(shape, shape[3], (window, window), padding="same")
    assert cpu.conv2d_border_suits(g, np.dtype(dtype)) == (expected and LOW_TILES_ARE_SLOW)
    call = algorithm_of(g, device.cpu, np.dtype("float64"), True).forward
    assert (call.border is not None) == cpu.conv2d_border_suits(g, np.dtype("float64"))


def test_a_border_that_is_cut_off_is_never_copied():
    g = conv2d((1, 7, 7, 512), 512, (3, 3), padding="same").copy()
    g["top"], g["bottom"] = -1, 3
    assert not cpu.conv2d_border_suits(g, np.dtype("float32"))


@pytest.mark.parametrize(("dtype", "rounds", "near"), [("float64", False, 1e-13), ("float32", True, 2e-5)])
def test_zeros_of_a_border_are_multiplied_to_the_same_sums(dtype, rounds, near):
    """Of an image of 7x7 pixels and 512 channels, whose sums are made in other parts with and without its border.

    Rounded to bfloat16 it is copied in pairs of channels, where this machine multiplies those.
    """
    draw = np.random.default_rng(0)
    x, kernel = draw.standard_normal((1, 7, 7, 512)), draw.standard_normal((3, 3, 512, 256)) / 68
    x, kernel = (each.astype(bfloat16() if rounds else dtype).astype(dtype) for each in (x, kernel))
    g = conv2d(x.shape, 256, (3, 3), padding="same")
    call = algorithm_of(g, device.cpu, x.dtype, True, rounds).forward
    if LOW_TILES_ARE_SLOW and call.kernel in (cpu.conv2d_forward, cpu.pairs_conv2d_forward):  # others need none
        assert call.border is not None
    y = predict_convolution(x, Parameter(kernel, "kernel", "kernel", rounds=rounds), None, None, g, (1, 7, 7, 256))
    expected = sum(np.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))[:, r:r + 7, s:s + 7].astype("float64") @ kernel[r, s]
                   for r in range(3) for s in range(3))
    np.testing.assert_allclose(y, expected, rtol=0, atol=near)


def test_a_border_on_one_side_is_one():
    for sides in (((1, 0), (0, 0)), ((0, 1), (0, 0)), ((0, 0), (1, 0)), ((0, 0), (0, 1))):
        padded = _padded(conv2d((1, 6, 6, 3), 4, (5, 5), padding=sides))
        assert (padded[0]["h"], padded[0]["w"]) == tuple(6 + sum(pair) for pair in sides)


def kernels(g, dtype="float32", kept=False):
    """Return the kernels forward, and back to the input and to the weights."""
    return [call.kernel for call in algorithm_of(g, device.cpu, np.dtype(dtype), kept)]


DIRECT = [cpu.conv2d_forward, cpu.conv2d_backward_input, cpu.conv2d_backward_weights]
DEPTHWISE = [cpu.depthwise2d_forward, cpu.depthwise2d_backward_input, cpu.depthwise2d_backward_weights]


@pytest.mark.parametrize(("channels", "filters", "groups", "expected"), [
    (4, 4, 4, DEPTHWISE), (4, 8, 4, DIRECT), (4, 4, 2, DIRECT), (9, 9, 1, DIRECT)])
def test_one_filter_a_channel_is_depthwise_and_all_else_direct(channels, filters, groups, expected):
    for dtype in ("float32", "float64"):
        assert kernels(conv2d((2, 9, 9, channels), filters, (5, 5), groups=groups), dtype) == expected


def test_a_convolution_of_one_channel_is_an_ordinary_one():
    assert not set(kernels(conv2d((2, 9, 9, 1), 1, (5, 5)))) & set(DEPTHWISE)


@pytest.mark.parametrize(("channels", "filters", "window", "options", "is_few"), [
    (32, 3, 9, {}, True), (32, 6, 3, {}, True), (12, 1, 1, {}, True), (32, 7, 3, {}, False), (1, 3, 3, {}, False),
    (32, 2, 3, {"dilation": (2, 1)}, True), (32, 2, 3, {"dilation": (1, 2)}, False), (32, 2, 3, {"groups": 2}, False),
    (3, 1, 1, {}, False)])
def test_few_filters_are_multiplied_along_the_window_in_single_precision(channels, filters, window, options, is_few):
    g = conv2d((2, 12, 12, channels), filters, (window, window), padding="same", **options)
    assert (kernels(g)[0] is cpu.few_filters_forward) == is_few
    assert kernels(g, "float64")[0] is cpu.conv2d_forward
    assert kernels(conv2d((9, 12, 12, channels), filters, (12, 12)))[0] is cpu.conv2d_forward, "of all pixels"


@pytest.mark.parametrize("rows", [1, 2, 9])
def test_a_dense_layer_is_multiplied_in_one_way_however_many_rows_it_is_given(rows):
    for g in (dense(rows, 256, 2), conv2d((rows, 1, 1, 256), 2, (1, 1))):
        assert kernels(g)[0] is cpu.few_filters_forward
    assert kernels(dense(rows, 2, 256))[1] is cpu.few_filters_backward_input


def test_sums_that_are_made_in_parts_are_the_tiles():
    for steps, forward in ((SHORT, cpu.few_filters_forward), (SHORT + 1, cpu.conv2d_forward)):
        c = steps * lanes("float32")
        assert kernels(dense(3, c, 1))[0] is forward
        assert (kernels(dense(3, 1, c))[1] is cpu.few_filters_backward_input) == (steps == SHORT)
    assert kernels(conv2d((1, SHORT + 9, 20, 1), 8, (SHORT + 1, 1)))[1] is cpu.conv2d_backward_input, "of short rows"


def test_the_gradient_of_few_channels_is_a_convolution_with_few_filters_where_the_stride_is_1():
    g = conv2d((2, 12, 12, 3), 16, (3, 3), padding="same")
    assert kernels(g)[1] is cpu.few_filters_backward_input
    assert kernels(g, "float64")[1] is cpu.conv2d_backward_input
    for other in (conv2d((2, 12, 12, 3), 16, (3, 3), strides=(2, 2)), conv2d((2, 12, 12, 7), 16, (5, 5))):
        assert kernels(other)[1] is cpu.conv2d_backward_input


def test_the_gradient_of_few_filters_is_multiplied_along_rows_in_single_precision():
    g = conv2d((2, 64, 64, 12), 3, (3, 3), padding="same")
    assert kernels(g)[2] is cpu.narrow_backward_weights
    assert kernels(g, "float64")[2] is cpu.conv2d_backward_weights
    assert kernels(conv2d((2, 64, 64, 12), 32, (7, 7)))[2] is cpu.conv2d_backward_weights


def test_the_gradient_of_few_filters_of_whole_vectors_of_channels_is_multiplied_along_these():
    one = lanes(np.dtype(np.float32))
    g = conv2d((2, 64, 64, 2 * one), 1, (5, 5), padding="same")
    assert kernels(g)[2] is cpu.few_filters_backward_weights
    assert kernels(g, "float64")[2] is cpu.conv2d_backward_weights
    assert kernels(conv2d((2, 64, 64, 2 * one), 1, (5, 5), strides=(2, 2)))[2] is not cpu.few_filters_backward_weights


def test_winograds_kernels_compute_what_they_suit_in_single_precision_unless_they_are_switched_off():
    g = conv2d((8, 32, 32, 64), 64, (3, 3), padding="same")
    suits = [cpu.winograd_forward_suits(g, False), cpu.winograd_backward_input_suits(g, False),
             cpu.winograd_backward_weights_suits(g)]
    assert all(suits), "else the shape is none of Winograd's"
    winograd = [cpu.winograd_forward, cpu.winograd_backward_input, cpu.winograd_backward_weights]
    assert kernels(g) == winograd
    assert kernels(g, "float64") == DIRECT
    config.set_winograd(False)
    try:
        assert kernels(g) == DIRECT
    finally:
        config.set_winograd(True)
    assert kernels(g) == winograd
    alone = conv2d((1, 8, 8, 64), 64, (3, 3), padding="same")  # whether it pays depends on who keeps what is packed
    for kept in (True, False):
        assert (kernels(alone, kept=kept)[0] is cpu.winograd_forward) == cpu.winograd_forward_suits(alone, kept)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("shape", "filters", "window"), [
    ((2, 6, 8, 5), 7, (2, 2)), ((1, 4, 9, 3), 20, (1, 3)), ((2, 6, 6, 20), 3, (3, 2)), ((1, 3, 4, 1), 1, (3, 4))],
    ids=str)
def test_pixels_of_windows_side_by_side_are_one_to_the_gradient_of_the_input(shape, filters, window, dtype):
    g, draw = conv2d(shape, filters, window, strides=window), np.random.default_rng(1)
    call = algorithm_of(g, device.cpu, np.dtype(dtype), False).backward_input
    assert call.pixels == window[1]
    assert call.shapes[0] == (*shape[:2], shape[2] // window[1], shape[3] * window[1])
    dy = draw.standard_normal((shape[0], shape[1] // window[0], shape[2] // window[1], filters)).astype(dtype)
    weights = draw.standard_normal((*window, shape[3], filters)).astype(dtype)
    bias, bounds = draw.standard_normal(shape[3]).astype(dtype), np.array([0, np.inf], dtype)
    y, plain = (np.empty(shape, dtype) for _ in range(2))
    call.run(device.cpu, y, dy, call.arguments(device.cpu, weights, bias, bounds))
    scratch, packed = (np.empty(size(g, dy.dtype), dtype) for size in (
        cpu.conv2d_backward_input_scratch, cpu.conv2d_backward_input_packed))
    cpu.conv2d_backward_input(plain, scratch, packed, dy, weights, bias, bounds, 0, g)
    np.testing.assert_allclose(y, plain, rtol=1e-5 if dtype == np.float32 else 1e-12, atol=1e-5)
    assert (y > 0).any()


@pytest.mark.parametrize("case", [
    {"strides": (2, 1)}, {"strides": (2, 2), "padding": ((0, 0), (1, 1))}, {"strides": (2, 2), "groups": 2}, {}])
def test_else_pixels_stay_apart(case):
    g = conv2d((2, 6, 8, 4), 4, (2, 2), **case)
    assert algorithm_of(g, device.cpu, np.dtype(np.float32), False).backward_input.pixels == 1


@pytest.mark.parametrize("case", [((2, 6, 9, 4), 4, (2, 2)), ((2, 6, 10, 4), 4, (5, 5))])
def test_a_column_without_a_window_and_large_windows_keep_pixels_apart(case):
    g = conv2d(*case, strides=case[2])
    assert algorithm_of(g, device.cpu, np.dtype(np.float32), False).backward_input.pixels == 1
