import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import cuda
from tests import reference
from tests.kernels.checking import LINEAR, RELU, assert_close, inputs_unchanged, random, unwritten
from tests.kernels.cuda.checking import on_cuda

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
