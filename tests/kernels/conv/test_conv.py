import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcnn import geometry as shapes
from fastcnn.kernels import codes
from fastcnn.kernels.cpu import (
    conv2d_backward_input,
    conv2d_backward_input_packed,
    conv2d_backward_input_scratch,
    conv2d_backward_weights,
    conv2d_backward_weights_scratch,
    conv2d_forward,
    conv2d_forward_packed,
)
from tests import reference
from tests.kernels.checking import (
    CLIPPED,
    LINEAR,
    RELU,
    TYPES,
    assert_close,
    assert_one_specialization_a_type,
    assert_same_bits,
    assert_slope,
    assert_within,
    inputs_unchanged,
    random,
    slope,
    three_bounds,
    types,
    unwritten,
)

NONE = np.empty(0)


def _sizes(geometry):
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    return ((g["n"], g["h"], g["w"], g["c"]), (g["n"], g["oh"], g["ow"], g["k"]),
            (g["kh"], g["kw"], g["c"] // g["groups"], g["k"]))


def _forward(x, kernel, bias, bounds, geometry, addend=None):
    """The output, which filters packed before, and those that are not kept, give to the bit."""
    outputs = []
    packed, once = (unwritten(conv2d_forward_packed(geometry, x.dtype, kept), dtype=x.dtype) for kept in (True, False))
    unread = np.full_like(kernel, np.nan), np.full_like(bias, np.nan)
    bounds, addend = np.array(bounds, x.dtype), bias[:0] if addend is None else addend.reshape(-1)
    for filters, ready, k, b in ((packed, 0, kernel, bias), (packed, 1, *unread), (once, 0, kernel, bias)):
        y = unwritten(*_sizes(geometry)[1], dtype=x.dtype)
        with inputs_unchanged(x, k, b, addend, bounds):
            conv2d_forward(y, filters, x, k, b, addend, bounds, ready, geometry)
        outputs.append(y)
    assert_within(packed)
    assert_within(once)
    assert outputs[0].tobytes() == outputs[1].tobytes() == outputs[2].tobytes()
    return outputs[0]


def _backward_input(dy, kernel, geometry, bias=NONE, bounds=LINEAR):
    """The gradient, or the output of a transposed convolution, which filters packed before give to the bit."""
    outputs, bias = [], bias.astype(dy.dtype)
    scratch = unwritten(conv2d_backward_input_scratch(geometry, dy.dtype), dtype=dy.dtype)
    packed = unwritten(conv2d_backward_input_packed(geometry, dy.dtype), dtype=dy.dtype)
    for ready, k in ((0, kernel), (1, np.full_like(kernel, np.nan))):
        dx = unwritten(*_sizes(geometry)[0], dtype=dy.dtype)
        with inputs_unchanged(dy, k, bias):
            conv2d_backward_input(dx, scratch, packed, dy, k, bias, np.array(bounds, dy.dtype), ready, geometry)
        outputs.append(dx)
    for array in (scratch, packed):
        assert_within(array)
    assert outputs[0].tobytes() == outputs[1].tobytes()
    return outputs[0]


def _backward_weights(x, dy, geometry, with_bias=True):
    shape = _sizes(geometry)[2]
    dkernel, dbias = unwritten(*shape, dtype=x.dtype), unwritten(shape[3] if with_bias else 0, dtype=x.dtype)
    dkernel[:], dbias[:] = 0.5, -0.5
    scratch = unwritten(conv2d_backward_weights_scratch(geometry, x.dtype), dtype=x.dtype)
    with inputs_unchanged(x, dy):
        conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry)
    assert_within(scratch)
    return dkernel, dbias


def _arrays(geometry, dtype):
    x_shape, y_shape, kernel_shape = _sizes(geometry)
    return (random(*x_shape, dtype=dtype), random(*y_shape, dtype=dtype, seed=1),
            random(*kernel_shape, dtype=dtype, seed=2), random(kernel_shape[3], dtype=dtype, seed=3))


def _check(geometry, dtype):
    x, dy, kernel, bias = _arrays(geometry, dtype)
    none = bias[:0]
    for bounds in three_bounds(reference.conv2d_forward(x, kernel, bias, none, LINEAR, geometry)):
        for addend in (none, dy):
            expected = reference.conv2d_forward(x, kernel, bias, addend, bounds, geometry)
            assert_close(_forward(x, kernel, bias, bounds, geometry, addend), expected)
    assert_close(_forward(x, kernel, none, LINEAR, geometry),
                 reference.conv2d_forward(x, kernel, none, none, LINEAR, geometry))
    assert_close(_backward_input(dy, kernel, geometry),
                 reference.conv2d_backward_input(dy, kernel, NONE, LINEAR, geometry))
    other = random(x.shape[3], dtype=dtype, seed=4)
    for bounds in three_bounds(reference.conv2d_backward_input(dy, kernel, other, LINEAR, geometry)):
        assert_close(_backward_input(dy, kernel, geometry, other, bounds),
                     reference.conv2d_backward_input(dy, kernel, other, bounds, geometry))
    dkernel, dbias = reference.conv2d_backward_weights(x, dy, geometry)
    for got, expected in zip(_backward_weights(x, dy, geometry), (dkernel + 0.5, dbias - 0.5), strict=True):
        assert_close(got, expected)
    got, nothing = _backward_weights(x, dy, geometry, with_bias=False)
    assert_close(got, dkernel + 0.5)
    assert nothing.size == 0


@types
@pytest.mark.parametrize(("shape", "filters", "size", "options"), [
    ((0, 5, 5, 3), 4, (3, 3), {}),
    ((1, 1, 1, 1), 1, (1, 1), {}),
    ((3, 1, 1, 19), 33, (1, 1), {}),
    ((1, 1, 1, 1), 16, (1, 1), {}),  # few rows, and a bank as small as the start values: once taken for a packed one
    ((1, 1, 1, 2), 3, (3, 3), {"padding": "same"}),
    ((1, 3, 9, 5), 7, (3, 3), {}),  # a single row of outputs
    ((2, 8, 8, 3), 17, (3, 3), {"padding": "same"}),
    ((2, 28, 28, 1), 6, (5, 5), {"padding": "same"}),
    ((2, 14, 14, 6), 16, (5, 5), {}),
    ((1, 9, 30, 16), 32, (3, 3), {"padding": "same"}),
    ((1, 20, 20, 37), 65, (3, 3), {"padding": "same"}),
    # Of some more channels their gradients copy once what all taps see.
    ((2, 27, 31, 24), 20, (3, 3), {"strides": (2, 2), "padding": "same"}),
    ((1, 15, 26, 64), 33, (3, 5), {"strides": (1, 2), "padding": ((2, 0), (1, 3))}),
    ((1, 20, 19, 40), 18, (3, 3), {"dilation": (2, 3), "padding": "same"}),
    ((3, 13, 14, 30), 70, (2, 2), {}),
    # Windows side by side are read where they lie, in every group and up to the image's edge.
    ((2, 26, 31, 12), 24, (2, 2), {"strides": (2, 2)}),
    ((1, 31, 27, 20), 33, (2, 3), {"strides": (3, 3)}),
    ((2, 12, 13, 12), 18, (2, 2), {"groups": 3, "strides": (2, 3)}),
    ((1, 40, 36, 36), 40, (2, 2), {"strides": (2, 2)}),
    ((1, 12, 12, 3), 20, (4, 4), {"strides": (4, 4)}),
    ((1, 13, 11, 5), 20, (2, 2), {"strides": (4, 4), "dilation": (3, 2)}),
    ((2, 9, 8, 20), 70, (1, 1), {}),
    ((2, 9, 8, 20), 70, (1, 1), {"strides": (2, 2)}),
    ((1, 17, 17, 3), 40, (7, 7), {"strides": (2, 2), "padding": "same"}),
    ((2, 9, 10, 4), 5, (2, 3), {"strides": (3, 4)}),  # strides beyond the window: pixels that nobody sees
    ((2, 9, 10, 4), 5, (3, 2), {"strides": (2, 1), "padding": ((0, 3), (2, 1))}),
    ((1, 12, 11, 3), 9, (3, 3), {"dilation": (2, 3), "padding": "same"}),
    ((1, 12, 11, 3), 9, (3, 3), {"dilation": (2, 2), "strides": (2, 1), "padding": ((1, 4), (3, 0))}),
    ((2, 7, 7, 12), 18, (3, 3), {"groups": 3, "padding": "same"}),
    ((2, 7, 7, 8), 8, (3, 3), {"groups": 8, "padding": "same"}),
    ((2, 7, 7, 5), 10, (3, 3), {"groups": 5, "strides": (2, 2), "dilation": (1, 1), "padding": "same"}),
    ((1, 4, 4, 3), 4, (2, 2), {"padding": ((5, 0), (0, 6))}),  # windows in the padding altogether
    ((2, 15, 18, 2), 9, (13, 12), {"padding": "same"}),  # pixels in so many windows that their sums are long
    ((1, 1, 400, 1), 8, (1, 150), {}),
    ((2, 40, 30, 2), 16, (14, 14), {"groups": 2, "dilation": (2, 1), "padding": ((3, 5), (2, 0))}),
    ((1, 33, 20, 1), 8, (18, 17), {"strides": (2, 1), "padding": "same"}),
], ids=str)
def test_convolution_agrees_with_its_twin(shape, filters, size, options, dtype):
    _check(shapes.conv2d(shape, filters, size, **options), dtype)


@types
@pytest.mark.parametrize(("shape", "filters", "size"), [((2, 9, 8, 20), 70, (1, 1)), ((1, 7, 5, 6), 33, (3, 3)),
                                                        ((1, 1, 1, 40), 16, (1, 1))], ids=str)
def test_a_sum_may_be_written_over_its_addend(shape, filters, size, dtype):
    geometry = shapes.conv2d(shape, filters, size)
    x, addend, kernel, bias = _arrays(geometry, dtype)
    expected = _forward(x, kernel, bias, RELU, geometry, addend)
    packed = np.empty(conv2d_forward_packed(geometry, x.dtype), dtype)
    conv2d_forward(addend, packed, x, kernel, bias, addend.reshape(-1), np.array(RELU, dtype), 0, geometry)
    np.testing.assert_array_equal(addend, expected)


@types
@pytest.mark.parametrize("k", [8, 24, 32])
def test_a_pixel_has_the_same_bits_in_each_row_of_a_tile(k, dtype):
    """The sum of products, bias and addend is grouped in one way, whatever LLVM makes of the rows of a tile."""
    pixels, some = 60, 40
    x, addend = random(1, 1, pixels, 19, dtype=dtype), random(pixels, k, dtype=dtype, seed=3)
    kernel, bias = random(1, 1, 19, k, dtype=dtype, seed=1), random(k, dtype=dtype, seed=2)
    for beside in (addend, None):
        y = [_forward(x[:, :, first:first + count].copy(), kernel, bias, RELU,
                      shapes.conv2d((1, 1, count, 19), k, (1, 1)),
                      None if beside is None else beside[first:first + count].copy())[0, 0]
             for first, count in ((0, pixels), *((first, some) for first in range(13)))]
        for first, part in enumerate(y[1:]):
            assert part.tobytes() == y[0][first:first + some].tobytes()


@given(st.data())
@settings(max_examples=60, deadline=None, derandomize=True)
def test_convolution_agrees_with_its_twin_on_any_geometry(data):
    small, border = st.integers(1, 3), st.tuples(st.integers(0, 3), st.integers(0, 3))
    groups = data.draw(st.sampled_from([1, 1, 1, 2, 3]))
    channels, filters = groups * data.draw(st.integers(1, 7)), groups * data.draw(st.integers(1, 20))
    size, strides, dilation = [(data.draw(small), data.draw(small)) for _ in range(3)]
    padding = data.draw(st.one_of(st.sampled_from(["same", "valid"]), st.tuples(border, border)))
    room = [(k - 1) * d for k, d in zip(size, dilation, strict=True)]  # so that the window fits without padding
    rows, columns = data.draw(st.integers(1, 9)) + room[0], data.draw(st.integers(1, 9)) + room[1]
    shape = (data.draw(st.integers(1, 3)), rows, columns, channels)
    _check(shapes.conv2d(shape, filters, size, strides, padding, dilation, groups), data.draw(st.sampled_from(TYPES)))


@types
@pytest.mark.parametrize(("rows", "inputs", "units"), [(0, 3, 2), (1, 1, 1), (7, 13, 1), (128, 400, 120), (33, 84, 10)])
def test_a_dense_layer_is_a_convolution_of_one_row(rows, inputs, units, dtype):
    geometry = shapes.dense(rows, inputs, units)
    x, dy, kernel, bias = _arrays(geometry, dtype)
    matrices = [array.reshape(array.shape[-2:]).astype(np.float64) for array in (x, dy, kernel)]
    assert_close(_forward(x, kernel, bias, LINEAR, geometry)[0, 0], matrices[0] @ matrices[2] + bias)
    assert_close(_backward_input(dy, kernel, geometry)[0, 0], matrices[1] @ matrices[2].T)
    dkernel, dbias = _backward_weights(x, dy, geometry)
    assert_close(dkernel[0, 0], matrices[0].T @ matrices[1] + 0.5)
    assert_close(dbias, matrices[1].sum(axis=0) - 0.5)


@pytest.mark.parametrize("options", [
    {"padding": "same"}, {"strides": (2, 1), "padding": ((0, 1), (2, 0))}, {"dilation": (2, 1)}, {"groups": 2},
], ids=str)
def test_convolution_gradients_are_the_slopes(options):
    geometry = shapes.conv2d((2, 5, 4, 2), 4, (2, 3), **options)
    x, dy, kernel, bias = _arrays(geometry, np.float64)
    dkernel, dbias = _backward_weights(x, dy, geometry)
    assert_slope(_backward_input(dy, kernel, geometry),
                 slope(lambda x: _forward(x, kernel, bias, LINEAR, geometry), x, dy))
    assert_slope(dkernel - 0.5, slope(lambda kernel: _forward(x, kernel, bias, LINEAR, geometry), kernel, dy))
    assert_slope(dbias + 0.5, slope(lambda bias: _forward(x, kernel, bias, LINEAR, geometry), bias, dy))


@types
@pytest.mark.parametrize(("shape", "filters", "size", "padding", "windows"), [
    ((2, 9, 8, 5), 7, (3, 3), "valid", (2, 5)),
    ((3, 7, 7, 40), 33, (1, 1), "valid", (2, 2)),
    ((2, 5, 9, 3), 20, (5, 2), "same", (3, 2)),
    ((1, 6, 6, 2), 9, (3, 3), 2, (3, 3)),
])
def test_convolution_without_rows_that_no_pooling_sees_agrees_with_its_twin(shape, filters, size, padding, windows,
                                                                            dtype):
    geometry = shapes.cropped(shape, filters, size, padding, windows)
    full = shapes.conv2d(shape, filters, size, padding=padding)
    assert geometry[0]["oh"] < full[0]["oh"] or geometry[0]["ow"] < full[0]["ow"]
    _check(geometry, dtype)


@types
@pytest.mark.parametrize("bounds", [LINEAR, RELU, CLIPPED])
@pytest.mark.parametrize(("size", "shape"), [((1, 1), (1, 9, 9, 5)), ((3, 3), (1, 9, 9, 5))])
def test_a_nan_reaches_the_windows_that_see_it_and_no_other(size, shape, bounds, dtype):
    geometry = shapes.conv2d(shape, 7, size)
    x, dy, kernel, bias = _arrays(geometry, dtype)
    x[0, 4, 4, 2] = np.nan
    expected = reference.conv2d_forward(x, kernel, bias, bias[:0], bounds, geometry)
    np.testing.assert_array_equal(np.isnan(_forward(x, kernel, bias, bounds, geometry)), np.isnan(expected))
    dy[0, 3, 3, 1] = np.nan
    expected = reference.conv2d_backward_input(dy, kernel, NONE, LINEAR, geometry)
    np.testing.assert_array_equal(np.isnan(_backward_input(dy, kernel, geometry)), np.isnan(expected))


@pytest.mark.parametrize(("shape", "filters", "size", "options"), [
    ((16, 28, 28, 1), 32, (3, 3), {}),
    ((4, 28, 28, 32), 64, (3, 3), {"padding": "same"}),
    ((4, 14, 14, 64), 128, (1, 1), {}),
    ((2, 32, 32, 16), 32, (3, 3), {"strides": (2, 2), "padding": "same"}),
    ((8, 7, 7, 64), 96, (3, 3), {"padding": "same"}),
    ((2, 16, 16, 32), 32, (3, 3), {"groups": 4, "padding": "same"}),
], ids=str)
def test_convolution_gives_the_same_bits_from_any_number_of_threads(shape, filters, size, options):
    geometry = shapes.conv2d(shape, filters, size, **options)
    x, dy, kernel, bias = _arrays(geometry, np.float32)
    assert_same_bits(lambda: (_forward(x, kernel, bias, RELU, geometry), _backward_input(dy, kernel, geometry),
                              *_backward_weights(x, dy, geometry)))


@pytest.mark.parametrize("code", [codes.SIGMOID, codes.SILU, codes.TANH, codes.HARD_SILU])
@pytest.mark.parametrize(("shape", "filters", "size", "options"), [
    ((1, 12, 13, 9), 70, (1, 1), {}),
    ((2, 7, 5, 6), 33, (3, 3), {"padding": "same"}),
    ((1, 4, 4, 6), 10, (2, 2), {"groups": 2}),
    ((3, 1, 1, 40), 16, (1, 1), {}),
    ((1, 1, 1, 800), 7, (1, 1), {}),  # a sum in two parts
    ((1, 1, 1, 300_000), 3, (1, 1), {}),  # and in slices
], ids=str)
def test_a_convolution_that_ends_in_an_activation_agrees_with_its_twin(shape, filters, size, options, code):
    geometry = shapes.conv2d(shape, filters, size, **options)
    x, dy, kernel, bias = _arrays(geometry, np.float32)
    kernel /= np.float32(kernel[..., 0].size ** 0.5)
    for bounds in (LINEAR, (-0.5, 1.5)):
        expected = reference.conv2d_forward(x, kernel, bias, dy, (*bounds, code), geometry)
        assert_close(_forward(x, kernel, bias, (*bounds, code), geometry, dy), expected)


def test_convolution_compiles_once_a_type():
    for dtype in TYPES:
        _check(shapes.conv2d((1, 2, 2, 1), 1, (1, 1)), dtype)
    assert_one_specialization_a_type(conv2d_forward, conv2d_backward_input, conv2d_backward_weights)
