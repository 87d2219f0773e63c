"""Convolutions on pairs of bfloat16 against their twins: shapes, edges, results in 16 bits, threads."""

import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels.cpu import (
    pairs_conv2d_backward_input,
    pairs_conv2d_backward_input_packed,
    pairs_conv2d_backward_input_scratch,
    pairs_conv2d_backward_weights,
    pairs_conv2d_backward_weights_scratch,
    pairs_conv2d_forward,
    pairs_conv2d_forward_packed,
    pairs_conv2d_suits,
)
from fastcnn.kernels.cpu.amx import unit
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
EXACT = reference.round_bfloat16

#: x, filters, window, and what else a convolution has; the numbers of channels and filters are even, as pairs want it.
CASES = [
    ((0, 5, 5, 16), 16, (3, 3), {}),
    ((1, 1, 1, 16), 16, (1, 1), {}),
    ((3, 1, 1, 40), 70, (1, 1), {}),  # a dense layer
    ((2, 9, 8, 32), 64, (1, 1), {}),
    ((2, 9, 8, 40), 48, (3, 3), {"padding": "same"}),
    ((1, 7, 7, 64), 34, (3, 3), {"padding": "same"}),
    ((3, 11, 9, 20), 30, (3, 2), {"strides": (2, 3)}),
    ((2, 8, 8, 32), 32, (1, 1), {"strides": (2, 2)}),
    ((1, 9, 9, 16), 20, (2, 2), {"strides": (3, 3)}),  # pixels that no window sees: their gradient is 0
    ((1, 10, 11, 18), 16, (3, 3), {"dilation": (3, 2), "strides": (2, 3)}),
    ((1, 6, 5, 16), 16, (3, 3), {"padding": ((2, 1), (0, 3))}),
    ((1, 3, 40, 130), 16, (1, 7), {"padding": "same"}),  # more channels than a panel has
]


def bits(x):
    """Return numbers of bfloat16 as their bits."""
    return reference.narrow_bfloat16(x)


def pairs(x):
    return np.ascontiguousarray(bits(x)).view(np.uint32)


def sizes(g):
    n, h, w, c, oh, ow, k, kh, kw = (int(g[0][name]) for name in ("n", "h", "w", "c", "oh", "ow", "k", "kh", "kw"))
    return (n, h, w, c), (n, oh, ow, k), (kh, kw, c, k)


def halved(g, field):
    g = g.copy()
    g[field] //= 2
    return g


def twice(run, shape, dtype, kernel, memory):
    """Return what a kernel writes with filters that it packs, and to the bit with those that it packed before."""
    outputs = []
    for ready, bank in ((0, kernel), (1, np.full_like(kernel, np.nan))):
        y = unwritten(*shape, dtype=np.float32) if dtype == np.float32 else np.full(shape, 0xFFFF, np.uint16)
        run(y, bank, ready)
        outputs.append(y)
    for one in memory:
        assert_within(one)
    assert outputs[0].tobytes() == outputs[1].tobytes()
    return outputs[0]


def forward(x, kernel, bias, addend, bounds, g, dtype=np.float32):
    half, words = halved(g, "c"), pairs(x)
    packed = unwritten(pairs_conv2d_forward_packed(half, SINGLE), dtype=np.float32)
    more = addend.reshape(-1).astype(np.float32) if dtype == np.float32 else bits(addend.reshape(-1))

    def run(y, bank, ready):
        with inputs_unchanged(words, bank, more):
            pairs_conv2d_forward(y, packed, words, bank, bias, more, np.array(bounds, np.float32), ready, half)

    return twice(run, sizes(g)[1], dtype, kernel, [packed])


def backward_input(dy, kernel, bias, bounds, g, dtype=np.float32):
    half, words = halved(g, "k"), pairs(dy)
    packed = unwritten(pairs_conv2d_backward_input_packed(half, SINGLE), dtype=np.float32)
    scratch = unwritten(pairs_conv2d_backward_input_scratch(half, SINGLE), dtype=np.float32)

    def run(dx, bank, ready):
        with inputs_unchanged(words, bank):
            pairs_conv2d_backward_input(dx, scratch, packed, words, bank, bias, np.array(bounds, np.float32), ready,
                                        half)

    return twice(run, sizes(g)[0], dtype, kernel, [packed, scratch])


def backward_weights(x, dy, g, with_bias=True):
    bank = sizes(g)[2]
    dkernel, dbias = np.full(bank, 0.5, np.float32), np.full(bank[3] if with_bias else 0, -0.5, np.float32)
    scratch = unwritten(pairs_conv2d_backward_weights_scratch(g, SINGLE), dtype=np.float32)
    x, dy = bits(x), bits(dy)
    with inputs_unchanged(x, dy):
        pairs_conv2d_backward_weights(dkernel, dbias, scratch, x, dy, g)
    assert_within(scratch)
    return dkernel, dbias


def drawn(g):
    return [EXACT(random(*one, seed=k)).astype(np.float32) for k, one in enumerate(sizes(g))]


@pytest.mark.parametrize(("shape", "filters", "size", "options"), CASES)
def test_convolutions_and_their_input_s_gradient_agree_with_the_twins(shape, filters, size, options):
    g = shapes.conv2d(shape, filters, size, **options)
    x, dy, _ = drawn(g)
    kernel = random(*sizes(g)[2], dtype=np.float32, seed=2)
    for bias, addend in ((NONE, NONE), (random(filters, dtype=np.float32, seed=3), dy)):
        for bounds in three_bounds(reference.pairs_conv2d_forward(x, kernel, bias, addend, LINEAR, g)):
            y = forward(x, kernel, bias, addend, bounds, g)
            assert_close(y, reference.pairs_conv2d_forward(x, kernel, bias, addend, bounds, g))
            np.testing.assert_array_equal(forward(x, kernel, bias, addend, bounds, g, np.uint16), bits(y))
    for bias in (NONE, random(shape[3], dtype=np.float32, seed=4)):
        for bounds in three_bounds(reference.pairs_conv2d_backward_input(dy, kernel, bias, LINEAR, g)):
            dx = backward_input(dy, kernel, bias, bounds, g)
            assert_close(dx, reference.pairs_conv2d_backward_input(dy, kernel, bias, bounds, g))
            np.testing.assert_array_equal(backward_input(dy, kernel, bias, bounds, g, np.uint16), bits(dx))


@pytest.mark.parametrize(("shape", "filters", "size", "options"), [
    *CASES, ((3, 22, 30, 17), 33, (3, 3), {}),  # odd numbers of channels and filters: pairs are of positions here
    ((1, 1, 1000, 16), 16, (1, 3), {}),  # a row that is longer than a band
    ((30, 9, 9, 16), 40, (3, 3), {"padding": "same"})])
def test_gradients_of_filters_and_bias_agree_with_the_twin(shape, filters, size, options):
    g = shapes.conv2d(shape, filters, size, **options)
    x, dy, _ = drawn(g)
    dkernel, dbias = reference.pairs_conv2d_backward_weights(x, dy, g)
    for got, expected in zip(backward_weights(x, dy, g), (dkernel + 0.5, dbias - 0.5), strict=True):
        assert_close(got, expected)
    assert_close(backward_weights(x, dy, g, with_bias=False)[0], dkernel + 0.5)


@pytest.mark.parametrize(("shape", "filters", "size", "options"), [
    ((2, 30, 28, 16), 96, (3, 3), {"padding": "same", "strides": (2, 1)}), ((40, 1, 1, 300), 200, (1, 1), {})])
def test_any_number_of_threads_gives_the_same_bits(shape, filters, size, options, two_threads):
    g, found = shapes.conv2d(shape, filters, size, **options), []
    x, dy, kernel = drawn(g)
    for threads in (1, 2):
        two_threads(threads)
        found.append((forward(x, kernel, NONE, NONE, LINEAR, g).tobytes(),
                      backward_input(dy, kernel, NONE, LINEAR, g).tobytes(),
                      *(one.tobytes() for one in backward_weights(x, dy, g))))
    assert found[0] == found[1]


def test_what_is_not_finite_stays_in_the_windows_that_see_it():
    g = shapes.conv2d((1, 6, 9, 16), 16, (3, 3))
    x, _, kernel = drawn(g)
    whole = forward(x, kernel, NONE, NONE, LINEAR, g, np.uint16)
    x[0, 0, 0, 3], x[0, 5, 8, 0] = np.nan, np.inf
    y = forward(x, kernel, NONE, NONE, LINEAR, g, np.uint16)
    numbers = reference.widen_bfloat16(y)
    assert np.isnan(numbers[0, 0, 0]).all()
    assert not np.isfinite(numbers[0, 3, 6]).any()
    y[0, 0, 0], y[0, 3, 6] = whole[0, 0, 0], whole[0, 3, 6]
    np.testing.assert_array_equal(y, whole)


@pytest.mark.parametrize(("back_end", "shape", "filters", "options", "suits"), [
    ("pairs", (1, 8, 8, 16), 16, {}, True), ("pairs", (1, 8, 8, 3), 64, {}, False),
    ("pairs", (1, 8, 8, 64), 10, {}, False), ("pairs", (1, 8, 8, 64), 64, {"groups": 2}, False),
    ("avx512_bf16", (1, 8, 8, 64), 64, {}, True), ("amx", (1, 8, 8, 64), 64, {}, False),
    ("emulation", (1, 8, 8, 64), 64, {}, False)])
def test_pairs_are_for_a_unit_and_for_as_many_channels_as_fill_it(back_end, shape, filters, options, suits,
                                                                  monkeypatch):
    monkeypatch.setattr(unit, "chosen", lambda: unit.Chosen(back_end, ""))
    assert pairs_conv2d_suits(shapes.conv2d(shape, filters, (3, 3), **options)) is suits
