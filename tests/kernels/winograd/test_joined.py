import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import cpu
from tests import reference
from tests.kernels.checking import (
    LINEAR,
    RELU,
    assert_close,
    assert_one_specialization_a_type,
    assert_within,
    inputs_unchanged,
    random,
    types,
    unwritten,
)

#: Of the tolerance of a direct sum, as for Winograd of one image.
FACTOR = 3


@types
@pytest.mark.parametrize(("size", "own", "others", "filters", "padding", "window"), [
    ((2, 9, 7), 12, 12, 12, 1, 3),  # vectors of the second begin in the middle of a matrix's
    ((1, 8, 8), 24, 24, 40, 1, 3),  # a block of filters, or of channels, spans both
    ((2, 6, 5), 1, 33, 9, "valid", 3),
    ((1, 9, 7), 70, 30, 257, 1, 3),  # filters stream
    ((3, 24, 24), 32, 8, 16, 1, 3),  # several runs and chunks
    ((1, 3, 4), 20, 4, 18, ((4, 0), (0, 5)), 3),  # windows in the padding altogether
    ((1, 66, 61), 12, 12, 13, 1, 3),  # tiles in lanes
    ((2, 46, 50), 7, 5, 9, "valid", 3),  # of channels that fill no piece of a vector
    ((0, 5, 5), 8, 8, 8, 1, 3),
    ((2, 9, 7), 12, 13, 40, 2, 5),
    ((1, 9, 7), 70, 30, 257, "valid", 5),  # filters stream
], ids=str)
def test_two_images_side_by_side_give_what_their_twin_gives(size, own, others, filters, padding, window, dtype):
    geometry = shapes.conv2d((*size, own + others), filters, (window, window), padding=padding)
    out = tuple(int(geometry[0][name]) for name in ("n", "oh", "ow", "k"))
    x, beside, dy = (random(*size, own, dtype=dtype), random(*size, others, dtype=dtype, seed=1),
                     random(*out, dtype=dtype, seed=2))
    kernel = random(window, window, own + others, filters, dtype=dtype, seed=3)
    bias = random(filters, dtype=dtype, seed=4)
    relu, linear = np.array(RELU, dtype), np.array(LINEAR, dtype)
    y = unwritten(*out, dtype=dtype)
    scratch = unwritten(cpu.joined_winograd_forward_scratch(geometry, x.dtype), dtype=dtype)
    with inputs_unchanged(x, beside, kernel, bias):
        cpu.joined_winograd_forward(y, scratch, x, beside, kernel, bias, relu, geometry)
    assert_close(y, reference.joined_winograd_forward(x, beside, kernel, bias, RELU, geometry), FACTOR)
    assert_within(scratch)

    dx, dbeside = unwritten(*x.shape, dtype=dtype), unwritten(*beside.shape, dtype=dtype)
    scratch = unwritten(cpu.joined_winograd_backward_input_scratch(geometry, x.dtype), dtype=dtype)
    with inputs_unchanged(dy, kernel):
        cpu.joined_winograd_backward_input(dx, dbeside, scratch, dy, kernel, linear, geometry)
    for got, wanted in zip((dx, dbeside), reference.joined_winograd_backward_input(dy, kernel, LINEAR, geometry, own),
                           strict=True):
        assert_close(got, wanted, FACTOR)
    assert_within(scratch)

    dkernel, dbias = np.zeros_like(kernel), np.zeros_like(bias)
    scratch = unwritten(cpu.winograd_backward_weights_scratch(geometry, x.dtype), dtype=dtype)
    with inputs_unchanged(x, beside, dy):
        cpu.joined_winograd_backward_weights(dkernel, dbias, scratch, x, beside, dy, geometry)
    assert_within(scratch)
    for got, wanted in zip((dkernel, dbias), reference.joined_winograd_backward_weights(x, beside, dy, geometry),
                           strict=True):
        assert_close(got, wanted, FACTOR)


def test_two_images_give_the_bits_of_one_that_has_both():
    geometry = shapes.conv2d((2, 13, 10, 40), 24, (3, 3), padding=1)
    x, dy = random(2, 13, 10, 40, dtype=np.float32), random(2, 13, 10, 24, dtype=np.float32, seed=1)
    parts = np.ascontiguousarray(x[..., :12]), np.ascontiguousarray(x[..., 12:])
    gradients = []
    for kernel, images in ((cpu.winograd_backward_weights, (x,)), (cpu.joined_winograd_backward_weights, parts)):
        dkernel, dbias = np.zeros((3, 3, 40, 24), np.float32), np.zeros(24, np.float32)
        scratch = np.empty(cpu.winograd_backward_weights_scratch(geometry, np.dtype(np.float32)), np.float32)
        kernel(dkernel, dbias, scratch, *images, dy, geometry)
        gradients.append((dkernel, dbias))
    for got, expected in zip(*gradients, strict=True):
        np.testing.assert_array_equal(got, expected)


def test_one_compilation_a_type():
    assert_one_specialization_a_type(cpu.joined_winograd_forward, cpu.joined_winograd_backward_input,
                                     cpu.joined_winograd_backward_weights)
