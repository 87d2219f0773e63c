import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastcnn import geometry as shapes
from fastcnn.kernels import codes
from fastcnn.kernels.cpu import (
    depthwise2d_backward_input,
    depthwise2d_backward_input_scratch,
    depthwise2d_backward_weights,
    depthwise2d_backward_weights_scratch,
    depthwise2d_forward,
    depthwise2d_forward_scratch,
)
from fastcnn.kernels.cpu.depthwise.forward import is_far
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


def _forward(x, kernel, bias, bounds, geometry):
    y = unwritten(*(int(geometry[0][name]) for name in ("n", "oh", "ow", "k")), dtype=x.dtype)
    scratch = unwritten(depthwise2d_forward_scratch(geometry, x.dtype), dtype=x.dtype)
    with inputs_unchanged(x, kernel, bias):
        depthwise2d_forward(y, scratch, x, kernel, bias, np.array(bounds, x.dtype), geometry)
    assert_within(scratch)
    return y


def _backward_input(dy, kernel, geometry, bias=NONE, bounds=LINEAR):
    dx = unwritten(*(int(geometry[0][name]) for name in ("n", "h", "w", "c")), dtype=dy.dtype)
    scratch = unwritten(depthwise2d_backward_input_scratch(geometry, dy.dtype), dtype=dy.dtype)
    with inputs_unchanged(dy, kernel, bias):
        depthwise2d_backward_input(dx, scratch, dy, kernel, bias.astype(dy.dtype), np.array(bounds, dy.dtype),
                                   geometry)
    assert_within(scratch)
    return dx


def _backward_weights(x, dy, geometry, with_bias=True):
    g = geometry[0]
    dkernel = unwritten(int(g["kh"]), int(g["kw"]), 1, int(g["c"]), dtype=x.dtype)
    dbias = unwritten(int(g["c"]) if with_bias else 0, dtype=x.dtype)
    dkernel[:], dbias[:] = 0.5, -0.5
    scratch = unwritten(depthwise2d_backward_weights_scratch(geometry, x.dtype), dtype=x.dtype)
    with inputs_unchanged(x, dy):
        depthwise2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry)
    for array in (scratch, dkernel, dbias):
        assert_within(array)
    return dkernel, dbias


def _arrays(geometry, dtype):
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    return (random(g["n"], g["h"], g["w"], g["c"], dtype=dtype), random(g["n"], g["oh"], g["ow"], g["c"], dtype=dtype,
            seed=1), random(g["kh"], g["kw"], 1, g["c"], dtype=dtype, seed=2), random(g["c"], dtype=dtype, seed=3))


def _check(geometry, dtype):
    x, dy, kernel, bias = _arrays(geometry, dtype)
    none = bias[:0]
    for bounds in three_bounds(reference.depthwise2d_forward(x, kernel, bias, LINEAR, geometry)):
        expected = reference.depthwise2d_forward(x, kernel, bias, bounds, geometry)
        assert_close(_forward(x, kernel, bias, bounds, geometry), expected)
    assert_close(_forward(x, kernel, none, LINEAR, geometry),
                 reference.depthwise2d_forward(x, kernel, none, LINEAR, geometry))
    for bounds, other in ((LINEAR, none), (LINEAR, bias), (RELU, bias)):
        assert_close(_backward_input(dy, kernel, geometry, other, bounds),
                     reference.depthwise2d_backward_input(dy, kernel, other, bounds, geometry))
    dkernel, dbias = reference.depthwise2d_backward_weights(x, dy, geometry)
    for got, expected in zip(_backward_weights(x, dy, geometry), (dkernel + 0.5, dbias - 0.5), strict=True):
        assert_close(got, expected)
    got, nothing = _backward_weights(x, dy, geometry, with_bias=False)
    assert_close(got, dkernel + 0.5)
    assert nothing.size == 0


def _geometry(shape, *options, **more):
    return shapes.conv2d(shape, shape[3], *options, **more, groups=shape[3])


@types
@pytest.mark.parametrize(("shape", "size", "options"), [
    ((0, 5, 5, 3), (3, 3), {}),
    ((1, 1, 1, 1), (1, 1), {}),
    ((1, 1, 1, 2), (3, 3), {"padding": "same"}),
    ((2, 7, 7, 16), (3, 3), {"padding": "same"}),
    ((2, 7, 7, 40), (5, 5), {"padding": "same"}),
    ((1, 14, 15, 33), (3, 3), {"padding": "same"}),
    ((1, 20, 23, 17), (5, 5), {"padding": "same"}),
    ((1, 21, 29, 32), (3, 3), {"padding": 1, "strides": (2, 2)}),
    ((1, 28, 28, 24), (3, 3), {"padding": "same", "strides": (2, 2)}),
    ((2, 29, 28, 16), (5, 5), {"padding": 2, "strides": (2, 2)}),
    ((1, 28, 29, 16), (5, 5), {"padding": "same", "strides": (2, 2)}),
    ((1, 14, 14, 35), (5, 5), {"padding": 2, "strides": (2, 2)}),
    ((1, 30, 33, 20), (3, 3), {}),  # no border at all
    ((1, 12, 31, 19), (7, 4), {"padding": "same"}),
    ((1, 12, 31, 19), (3, 3), {"padding": "same", "strides": (3, 1)}),
    ((2, 12, 12, 19), (9, 9), {"padding": "same"}),  # more taps than one short sum has
    ((1, 40, 3, 2), (80, 1), {"padding": "same", "strides": (2, 1)}),
    ((1, 9, 40, 17), (3, 70), {"padding": "same", "dilation": (2, 1)}),
    ((1, 45, 9, 16), (40, 3), {"dilation": (1, 2)}),
    ((1, 19, 20, 21), (3, 3), {"padding": "same", "dilation": (2, 2)}),
    ((1, 19, 20, 21), (3, 5), {"padding": ((4, 0), (7, 9)), "dilation": (1, 2), "strides": (2, 3)}),
    ((2, 9, 10, 4), (2, 3), {"strides": (3, 4)}),  # strides beyond the window: pixels that nobody sees
    ((1, 5, 72, 16), (2, 2), {"strides": (1, 11)}),
    ((1, 4, 4, 3), (2, 2), {"padding": ((5, 0), (0, 6))}),  # windows in the padding altogether
], ids=str)
def test_depthwise_convolution_agrees_with_its_twin(shape, size, options, dtype):
    _check(_geometry(shape, size, **options), dtype)


@given(st.data())
@settings(max_examples=80, deadline=None, derandomize=True)
def test_depthwise_convolution_agrees_with_its_twin_on_any_geometry(data):
    window, strides = data.draw(st.one_of(
        st.tuples(st.tuples(*[st.integers(1, 7)] * 2), st.tuples(*[st.integers(1, 3)] * 2)),
        st.tuples(st.sampled_from([(3, 3), (5, 5)]), st.sampled_from([(1, 1), (2, 2)]))))
    dilation = data.draw(st.sampled_from([(1, 1), (1, 1), (2, 2), (1, 2), (2, 1)]))
    border = st.tuples(st.integers(0, 3), st.integers(0, 3))
    padding = data.draw(st.one_of(st.sampled_from(["same", "valid"]), st.tuples(border, border)))
    room = [(k - 1) * d for k, d in zip(window, dilation, strict=True)]  # so that the window fits without padding
    shape = (data.draw(st.integers(1, 2)), data.draw(st.integers(1, 9)) + room[0],
             data.draw(st.integers(1, 30)) + room[1], data.draw(st.integers(1, 70)))
    _check(_geometry(shape, window, strides, padding, dilation), data.draw(st.sampled_from(TYPES)))


@pytest.mark.parametrize("options", [
    {"padding": "same"}, {"strides": (2, 1), "padding": ((0, 1), (2, 0))}, {"dilation": (2, 1)},
], ids=str)
def test_depthwise_gradients_are_the_slopes(options):
    geometry = _geometry((2, 5, 8, 3), (2, 3), **options)
    x, dy, kernel, bias = _arrays(geometry, np.float64)
    dkernel, dbias = _backward_weights(x, dy, geometry)
    assert_slope(_backward_input(dy, kernel, geometry),
                 slope(lambda x: _forward(x, kernel, bias, LINEAR, geometry), x, dy))
    assert_slope(dkernel - 0.5, slope(lambda kernel: _forward(x, kernel, bias, LINEAR, geometry), kernel, dy))
    assert_slope(dbias + 0.5, slope(lambda bias: _forward(x, kernel, bias, LINEAR, geometry), bias, dy))


@types
@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("bounds", [LINEAR, RELU, CLIPPED])
@pytest.mark.parametrize(("size", "shape", "options"), [
    ((3, 3), (1, 9, 16, 21), {"padding": "same"}), ((5, 5), (1, 9, 15, 21), {"strides": (2, 2), "padding": "same"}),
    ((3, 3), (1, 9, 9, 5), {}),
])
def test_what_is_not_finite_reaches_what_sees_it_and_no_other(size, shape, options, bounds, value, dtype):
    geometry = _geometry(shape, size, **options)
    x, dy, kernel, bias = _arrays(geometry, dtype)
    x[0, 4, 4, 2] = dy[0, 2, 3, 1] = value
    assert_close(_forward(x, kernel, bias, bounds, geometry),
                 reference.depthwise2d_forward(x, kernel, bias, bounds, geometry))
    assert_close(_backward_input(dy, kernel, geometry),
                 reference.depthwise2d_backward_input(dy, kernel, NONE, LINEAR, geometry))
    dkernel, dbias = reference.depthwise2d_backward_weights(x, dy, geometry)
    for got, expected in zip(_backward_weights(x, dy, geometry), (dkernel + 0.5, dbias - 0.5), strict=True):
        assert_close(got, expected)


@pytest.mark.parametrize(("shape", "size", "options"), [
    ((1, 56, 56, 36), (3, 3), {"padding": "same"}),
    ((4, 28, 28, 48), (5, 5), {"padding": 2, "strides": (2, 2)}),
    ((1, 7, 7, 960), (3, 3), {"padding": "same"}),
    ((8, 14, 14, 120), (5, 5), {"padding": "same"}),
    ((3, 31, 31, 50), (4, 3), {"dilation": (2, 2)}),
], ids=str)
def test_depthwise_convolution_gives_the_same_bits_from_any_number_of_threads(shape, size, options):
    geometry = _geometry(shape, size, **options)
    x, dy, kernel, bias = _arrays(geometry, np.float32)
    assert_same_bits(lambda: (_forward(x, kernel, bias, RELU, geometry), _backward_input(dy, kernel, geometry),
                              *_backward_weights(x, dy, geometry)))


@pytest.mark.parametrize(("shape", "size", "options"), [
    ((3, 112, 112, 96), (3, 3), {"padding": "same"}),
    ((5, 111, 112, 104), (3, 3), {"padding": 1, "strides": (2, 2)}),
    ((6, 59, 61, 200), (5, 5), {"padding": 2, "strides": (2, 2)}),
    ((4, 225, 400, 10), (3, 3), {}),
], ids=str)
def test_images_that_are_larger_than_the_caches_give_the_bits_of_each_alone(shape, size, options):
    """They are walked in another order."""
    geometry, alone = (_geometry((n, *shape[1:]), size, **options) for n in (shape[0], 1))
    assert is_far(geometry[0])
    assert not is_far(alone[0])
    x, dy, kernel, bias = _arrays(geometry, np.float32)
    for got, run, images in ((_forward(x, kernel, bias, RELU, geometry),
                             lambda one: _forward(one, kernel, bias, RELU, alone), x),
                            (_backward_input(dy, kernel, geometry),
                             lambda one: _backward_input(one, kernel, alone), dy)):
        for image in range(shape[0]):
            assert np.array_equal(got[image], run(images[image:image + 1])[0])


@pytest.mark.parametrize("code", [codes.SIGMOID, codes.SILU, codes.TANH, codes.HARD_SILU])
@pytest.mark.parametrize(("shape", "size", "options"), [
    ((1, 30, 17, 20), (3, 3), {"padding": "same"}),
    ((2, 9, 5, 7), (5, 5), {"padding": "same"}),
    ((1, 14, 14, 48), (3, 3), {"padding": "same", "strides": (2, 2)}),
], ids=str)
def test_a_depthwise_convolution_that_ends_in_an_activation_agrees_with_its_twin(shape, size, options, code):
    c = shape[3]
    geometry = shapes.conv2d(shape, c, size, groups=c, **options)
    x, kernel, bias = (random(*one, dtype=np.float32, seed=k) for k, one in enumerate((shape, (*size, 1, c), (c,))))
    expected = reference.depthwise2d_forward(x, kernel, bias, (*LINEAR, code), geometry)
    assert_close(_forward(x, kernel, bias, (*LINEAR, code), geometry), expected)


def test_depthwise_convolution_compiles_once_a_type():
    for dtype in TYPES:
        _check(_geometry((1, 2, 2, 1), (1, 1)), dtype)
    assert_one_specialization_a_type(depthwise2d_forward, depthwise2d_backward_input, depthwise2d_backward_weights)
