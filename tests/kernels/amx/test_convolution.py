"""Convolutions on tiles against their twins: shapes, edges, phases, threads, by each kind of instructions."""

import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels.cpu import (
    bfloat16_conv2d_backward_input,
    bfloat16_conv2d_backward_input_packed,
    bfloat16_conv2d_backward_input_scratch,
    bfloat16_conv2d_backward_weights,
    bfloat16_conv2d_backward_weights_scratch,
    bfloat16_conv2d_forward,
    bfloat16_conv2d_forward_packed,
    bfloat16_conv2d_forward_scratch,
    bfloat16_conv2d_suits,
)
from fastcnn.kernels.cpu.amx import instructions, product, unit
from tests import reference
from tests.kernels.checking import (
    LINEAR,
    assert_close,
    assert_within,
    inputs_unchanged,
    random,
    three_bounds,
    unwritten,
)

SINGLE = np.dtype(np.float32)
NONE = np.empty(0, np.float32)

#: The numbers of the instructions that run here.
HERE = [number for number in (instructions.VECTOR, instructions.UNIT)
        if instructions.known(number) and (number != instructions.UNIT or unit.permitted())]

CASES = [
    ((0, 5, 5, 16), 16, (3, 3), {}),
    ((1, 1, 1, 16), 16, (1, 1), {}),
    ((3, 1, 1, 40), 70, (1, 1), {}),  # a dense layer
    ((2, 9, 8, 32), 64, (1, 1), {}),
    ((2, 9, 8, 40), 48, (3, 3), {"padding": "same"}),
    ((1, 17, 19, 17), 33, (3, 3), {}),
    ((1, 7, 7, 64), 33, (3, 3), {"padding": "same"}),
    ((3, 11, 9, 20), 31, (3, 2), {"strides": (2, 3)}),
    ((2, 12, 13, 17), 16, (5, 4), {"strides": (2, 2), "padding": "same"}),
    ((2, 8, 8, 32), 32, (1, 1), {"strides": (2, 2)}),
    ((1, 4, 5, 16), 16, (3, 3), {"strides": (4, 4)}),
    ((1, 9, 9, 16), 20, (2, 2), {"strides": (3, 3)}),  # pixels that no window sees: their gradient is 0
    ((2, 9, 9, 16), 16, (3, 3), {"dilation": (2, 2), "padding": "same"}),
    ((1, 10, 11, 16), 16, (3, 3), {"dilation": (3, 2), "strides": (2, 3)}),
    ((1, 6, 5, 16), 16, (3, 3), {"padding": ((2, 1), (0, 3))}),
    ((1, 3, 40, 16), 16, (1, 7), {"padding": "same"}),
]


@pytest.fixture(params=HERE)
def which(request, monkeypatch):
    """Multiply by each kind of instructions that this machine has."""
    monkeypatch.setattr(product.instructions_now, "value", request.param)


def _sizes(g):
    n, h, w, c, oh, ow, k, kh, kw = (int(g[0][name]) for name in ("n", "h", "w", "c", "oh", "ow", "k", "kh", "kw"))
    return (n, h, w, c), (n, oh, ow, k), (kh, kw, c, k)


def _twice(kernel, y_shape, sizes, inputs, filters, rest):
    """Return what a kernel writes, with filters that it packs, and to the bit with those that it packed before."""
    scratch, packed = (unwritten(size, dtype=np.float32) for size in sizes)
    outputs = []
    for ready, bank in ((0, filters), (1, np.full_like(filters, np.nan))):
        y = unwritten(*y_shape, dtype=np.float32)
        with inputs_unchanged(inputs, bank):
            kernel(y, scratch, packed, inputs, bank, *rest[:-1], ready, rest[-1])
        outputs.append(y)
    for array in (scratch, packed):
        assert_within(array)
    assert outputs[0].tobytes() == outputs[1].tobytes()
    return outputs[0]


def _forward(x, kernel, bias, addend, bounds, g):
    sizes = bfloat16_conv2d_forward_scratch(g, SINGLE), bfloat16_conv2d_forward_packed(g, SINGLE)
    rest = bias, addend.reshape(-1), np.array(bounds, np.float32), g
    return _twice(bfloat16_conv2d_forward, _sizes(g)[1], sizes, x, kernel, rest)


def _backward(dy, kernel, bias, bounds, g):
    sizes = bfloat16_conv2d_backward_input_scratch(g, SINGLE), bfloat16_conv2d_backward_input_packed(g, SINGLE)
    rest = bias, np.array(bounds, np.float32), g
    return _twice(bfloat16_conv2d_backward_input, _sizes(g)[0], sizes, dy, kernel, rest)


def _weights(x, dy, g, with_bias=True):
    bank = _sizes(g)[2]
    dkernel, dbias = np.full(bank, 0.5, np.float32), np.full(bank[3] if with_bias else 0, -0.5, np.float32)
    scratch = unwritten(bfloat16_conv2d_backward_weights_scratch(g, SINGLE), dtype=np.float32)
    with inputs_unchanged(x, dy):
        bfloat16_conv2d_backward_weights(dkernel, dbias, scratch, x, dy, g)
    assert_within(scratch)
    return dkernel, dbias


@pytest.mark.usefixtures("which")
@pytest.mark.parametrize(("shape", "filters", "size", "options"), [*CASES, ((3, 22, 30, 16), 40, (3, 3), {})])
def test_gradients_of_filters_and_bias_agree_with_the_twin(shape, filters, size, options):
    g = shapes.conv2d(shape, filters, size, **options)
    x, dy = (random(*one, dtype=np.float32, seed=k) for k, one in enumerate(_sizes(g)[:2]))
    dkernel, dbias = reference.bfloat16_conv2d_backward_weights(x, dy, g)
    for got, expected in zip(_weights(x, dy, g), (dkernel + 0.5, dbias - 0.5), strict=True):
        assert_close(got, expected)
    assert_close(_weights(x, dy, g, with_bias=False)[0], dkernel + 0.5)


@pytest.mark.usefixtures("which")
@pytest.mark.parametrize(("shape", "filters", "size", "options"), CASES)
def test_convolutions_and_their_input_s_gradient_agree_with_the_twins(shape, filters, size, options):
    g = shapes.conv2d(shape, filters, size, **options)
    x_shape, y_shape, bank_shape = _sizes(g)
    x, dy, kernel = (random(*one, dtype=np.float32, seed=k) for k, one in enumerate((x_shape, y_shape, bank_shape)))
    for bias, addend in ((NONE, NONE), (random(filters, dtype=np.float32, seed=3), dy)):
        for bounds in three_bounds(reference.bfloat16_conv2d_forward(x, kernel, bias, addend, LINEAR, g)):
            assert_close(_forward(x, kernel, bias, addend, bounds, g),
                         reference.bfloat16_conv2d_forward(x, kernel, bias, addend, bounds, g))
    for bias in (NONE, random(shape[3], dtype=np.float32, seed=4)):
        for bounds in three_bounds(reference.bfloat16_conv2d_backward_input(dy, kernel, bias, LINEAR, g)):
            assert_close(_backward(dy, kernel, bias, bounds, g),
                         reference.bfloat16_conv2d_backward_input(dy, kernel, bias, bounds, g))


@pytest.mark.parametrize(("shape", "filters", "size", "options"), [
    ((2, 30, 28, 16), 96, (3, 3), {"padding": "same", "strides": (2, 1)}), ((40, 1, 1, 300), 200, (1, 1), {})])
def test_any_number_of_threads_gives_the_same_bits(shape, filters, size, options, two_threads):
    g, found = shapes.conv2d(shape, filters, size, **options), []
    x_shape, y_shape, bank_shape = _sizes(g)
    x, dy, kernel = (random(*one, dtype=np.float32, seed=k) for k, one in enumerate((x_shape, y_shape, bank_shape)))
    for threads in (1, 2):
        two_threads(threads)
        found.append((_forward(x, kernel, NONE, NONE, LINEAR, g).tobytes(),
                      _backward(dy, kernel, NONE, LINEAR, g).tobytes(),
                      *(one.tobytes() for one in _weights(x, dy, g))))
    assert found[0] == found[1]


def test_what_is_not_finite_stays_in_the_windows_that_see_it():
    g = shapes.conv2d((1, 6, 9, 16), 16, (3, 3))
    x, kernel = random(1, 6, 9, 16, dtype=np.float32), random(3, 3, 16, 16, dtype=np.float32, seed=1)
    whole = _forward(x, kernel, NONE, NONE, LINEAR, g)
    x[0, 0, 0, 3], x[0, 5, 8, 0] = np.nan, np.inf
    y = _forward(x, kernel, NONE, NONE, LINEAR, g)
    assert np.isnan(y[0, 0, 0]).all()
    assert not np.isfinite(y[0, 3, 6]).any()
    y[0, 0, 0], y[0, 3, 6] = whole[0, 0, 0], whole[0, 3, 6]
    np.testing.assert_array_equal(y, whole)


@pytest.mark.parametrize(("back_end", "shape", "filters", "options", "suits"), [
    ("vectors", (1, 8, 8, 16), 16, {}, True), ("vectors", (1, 8, 8, 3), 64, {}, False),
    ("vectors", (1, 8, 8, 64), 10, {}, False), ("vectors", (1, 8, 8, 64), 64, {"groups": 2}, False),
    ("avx512_bf16", (1, 8, 8, 64), 64, {}, False), ("emulation", (1, 8, 8, 64), 64, {}, False)])
def test_tiles_are_for_a_unit_and_for_as_many_channels_as_fill_them(back_end, shape, filters, options, suits,
                                                                     monkeypatch):
    monkeypatch.setattr(unit, "chosen", lambda: unit.Chosen(back_end, ""))
    assert bfloat16_conv2d_suits(shapes.conv2d(shape, filters, (3, 3), **options)) is suits
