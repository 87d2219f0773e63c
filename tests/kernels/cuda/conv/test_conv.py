import numpy as np
import pytest

from fastcnn import config
from fastcnn import geometry as shapes
from fastcnn.kernels import cuda
from fastcnn.kernels.cuda.compile.kernel import Kernel
from tests import reference
from tests.kernels.checking import LINEAR, RELU, assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import get, on_cuda, put

conv2d_forward, conv2d_backward_input = on_cuda(cuda.conv2d_forward), on_cuda(cuda.conv2d_backward_input)
conv2d_backward_weights, bias_backward = on_cuda(cuda.conv2d_backward_weights), on_cuda(cuda.bias_backward)
F = np.float32
NONE = np.empty(0, F)


def _sizes(geometry):
    g = {name: int(geometry[0][name]) for name in geometry.dtype.names}
    return ((g["n"], g["h"], g["w"], g["c"]), (g["n"], g["oh"], g["ow"], g["k"]),
            (g["kh"], g["kw"], g["c"] // g["groups"], g["k"]))


def _arrays(geometry):
    x_shape, y_shape, kernel_shape = _sizes(geometry)
    return (random(*x_shape, dtype=F), random(*y_shape, dtype=F, seed=1), random(*kernel_shape, dtype=F, seed=2),
            random(kernel_shape[3], dtype=F, seed=3), random(x_shape[3], dtype=F, seed=4))


def _forward(x, kernel, bias, addend, bounds, geometry):
    y = unwritten(*_sizes(geometry)[1], dtype=F)
    packed = unwritten(cuda.conv2d_forward_packed(geometry, F), dtype=F)
    with inputs_unchanged(x, kernel, bias, addend):
        conv2d_forward(y, packed, x, kernel, bias, addend.reshape(-1), np.array(bounds, F), 0, geometry)
    return y


def _backward_input(dy, kernel, bias, bounds, geometry):
    dx, packed = unwritten(*_sizes(geometry)[0], dtype=F), unwritten(0, dtype=F)
    scratch = unwritten(cuda.conv2d_backward_input_scratch(geometry, F), dtype=F)
    with inputs_unchanged(dy, kernel, bias):
        conv2d_backward_input(dx, scratch, packed, dy, kernel, bias, np.array(bounds, F), 0, geometry)
    return dx


def _backward_weights(x, dy, geometry, with_bias=True):
    shape = _sizes(geometry)[2]
    dkernel, dbias = np.full(shape, 0.5, F), np.full(shape[3] if with_bias else 0, -0.5, F)
    scratch = unwritten(cuda.conv2d_backward_weights_scratch(geometry, F), dtype=F)
    with inputs_unchanged(x, dy):
        conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry)
    return dkernel, dbias


CASES = [
    ((0, 5, 5, 3), 4, (3, 3), {}),
    ((1, 1, 1, 1), 1, (1, 1), {}),
    ((3, 1, 1, 19), 11, (1, 1), {}),
    ((1, 1, 1, 2), 3, (3, 3), {"padding": "same"}),
    ((2, 5, 4, 3), 9, (3, 3), {"padding": "same"}),
    ((1, 4, 3, 5), 10, (1, 1), {"strides": (2, 2)}),
    ((1, 7, 6, 3), 4, (5, 5), {"strides": (2, 2), "padding": "same"}),
    ((1, 7, 8, 2), 3, (2, 3), {"strides": (3, 4)}),  # strides beyond the window: pixels that nobody sees
    ((1, 5, 6, 2), 3, (3, 2), {"strides": (2, 1), "padding": ((0, 3), (2, 1))}),
    ((1, 8, 7, 2), 3, (3, 3), {"dilation": (2, 2), "strides": (2, 1), "padding": ((1, 4), (3, 0))}),
    ((1, 7, 7, 2), 3, (3, 2), {"dilation": (4, 3), "strides": (6, 2), "padding": ((3, 4), (3, 0))}),
    ((2, 4, 4, 6), 9, (3, 3), {"groups": 3, "padding": "same"}),
    ((1, 3, 3, 3), 4, (2, 2), {"padding": ((4, 0), (0, 5))}),  # windows in the padding altogether
    ((1, 2, 2, 1), 2, (2, 2), {"strides": (3, 3)}),  # fewer pixels than phases
    ((1, 4, 3, 19), 18, (2, 2), {}),  # more columns than a tile has
    ((1, 6, 7, 2), 2, (3, 3), {}),  # and so few that the narrow one is taken
]


@pytest.mark.parametrize(("shape", "filters", "size", "options"), CASES, ids=str)
def test_convolution_agrees_with_its_twin(shape, filters, size, options):
    geometry = shapes.conv2d(shape, filters, size, **options)
    x, dy, kernel, bias, other = _arrays(geometry)
    assert_close(_forward(x, kernel, bias, dy, RELU, geometry),
                 reference.conv2d_forward(x, kernel, bias, dy, RELU, geometry))
    assert_close(_forward(x, kernel, NONE, NONE, LINEAR, geometry),
                 reference.conv2d_forward(x, kernel, NONE, NONE, LINEAR, geometry))
    assert_close(_backward_input(dy, kernel, other, RELU, geometry),
                 reference.conv2d_backward_input(dy, kernel, other, RELU, geometry))
    dkernel, dbias = reference.conv2d_backward_weights(x, dy, geometry)
    for got, expected in zip(_backward_weights(x, dy, geometry), (dkernel + 0.5, dbias - 0.5), strict=True):
        assert_close(got, expected)


#: Channels and filters in whole steps and quads: the wide tiles have them.
WIDE = [
    ((1, 5, 4, 8), 12, (3, 3), {"padding": "same"}),
    ((1, 7, 6, 16), 16, (2, 3), {"strides": (2, 1), "padding": ((1, 0), (2, 2))}),
    ((2, 3, 3, 32), 24, (1, 1), {"groups": 2, "strides": (2, 2)}),
    ((19, 1, 1, 48), 36, (1, 1), {}),
]
NAMES = {False: "_wide", True: "_tf32"}


@pytest.fixture(params=[False, True], ids=["float32", "TF32"])
def tf32(request, monkeypatch):
    monkeypatch.setattr(config.switches, "tf32", request.param)
    return request.param


def _rounded(x):
    """Return numbers with 10 bits of mantissa, of ties those away from zero."""
    return ((np.asarray(x, F).view(np.uint32) + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(F)


@pytest.fixture
def launched(monkeypatch):
    """Return the names of the kernels that were launched."""
    names = []
    launch = Kernel.__getitem__
    monkeypatch.setattr(Kernel, "__getitem__", lambda kernel, shape: names.append(kernel.name) or launch(kernel, shape))
    return names


@pytest.mark.parametrize(("shape", "filters", "size", "options"), WIDE, ids=str)
def test_wide_tiles_agree_with_their_twins(shape, filters, size, options, tf32, launched):
    geometry = shapes.conv2d(shape, filters, size, **options)
    x, dy, kernel, bias, other = _arrays(geometry)
    mine = (lambda array: _rounded(array)) if tf32 else (lambda array: array)
    channels, taps = shape[3] // options.get("groups", 1), filters // options.get("groups", 1)
    if channels % (16 if tf32 else 8) == 0:
        assert_close(_forward(x, kernel, bias, dy, RELU, geometry),
                     reference.conv2d_forward(mine(x), mine(kernel), bias, dy, RELU, geometry))
        assert launched[-1] == f"conv.forward.forward{NAMES[tf32]}"
    if taps % (16 if tf32 else 8) == 0:
        assert_close(_backward_input(dy, kernel, other, RELU, geometry),
                     reference.conv2d_backward_input(mine(dy), mine(kernel), other, RELU, geometry))
        assert launched[-1] == f"conv.backward_input.backward_input{NAMES[tf32]}"
    dkernel, dbias = _backward_weights(x, dy, geometry)
    assert f"conv.backward_weights.backward_weights{NAMES[tf32]}" in launched
    assert_close(dkernel, reference.conv2d_backward_weights(mine(x), mine(dy), geometry)[0] + 0.5)
    assert_close(dbias, reference.conv2d_backward_weights(x, dy, geometry)[1] - 0.5)


def test_tensor_cores_multiply_only_where_that_is_allowed_and_arrays_that_begin_anywhere_are_taken(launched):
    geometry = shapes.conv2d((1, 2, 2, 16), 20, (1, 1))
    x, dy, kernel, *_ = _arrays(geometry)
    got = _forward(x, kernel, NONE, NONE, LINEAR, geometry)
    assert launched == ["conv.forward.forward_wide"]
    y, whole = put(dy), put(np.concatenate([[0], kernel.reshape(-1)]).astype(F))
    none, bounds = put(NONE), np.array(LINEAR, F)
    cuda.conv2d_forward(y, none, put(x), whole[1:].reshape(kernel.shape), none, none, bounds, 0, geometry)
    assert launched[1:] == ["conv.forward.forward"]
    assert_close(get(y), got)


def test_long_sums_are_cut_and_the_same_bits_each_time():
    geometry = shapes.conv2d((2, 13, 9, 3), 2, (3, 3), padding="same")
    x, dy, kernel, *_ = _arrays(geometry)
    assert cuda.conv2d_backward_weights_scratch(geometry, F) > 2 * kernel.size
    first, second = (_backward_weights(x, dy, geometry, with_bias=False) for _ in range(2))
    assert_close(first[0], reference.conv2d_backward_weights(x, dy, geometry)[0] + 0.5)
    assert first[0].tobytes() == second[0].tobytes()


@pytest.mark.parametrize("shape", [(0, 3), (1, 1), (2, 11), (50, 2), (130, 1), (40, 7)], ids=str)
def test_the_gradient_of_a_bias_is_the_sums_of_columns(shape):
    dy, dbias = random(*shape, dtype=F), np.full(shape[1], 2, F)
    scratch = unwritten(cuda.bias_backward_scratch(shape, F), dtype=F)
    with inputs_unchanged(dy):
        bias_backward(dbias, scratch, dy)
    assert_close(dbias, reference.bias_backward(dy) + 2)
