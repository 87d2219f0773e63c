"""A block of MobileNet v2 on pairs of bfloat16 against its twin: of whole numbers, so that both round the same z."""

import numpy as np
import pytest

from fastcnn import geometry as shapes
from fastcnn.kernels import codes
from fastcnn.kernels.cpu import (
    pairs_inverted_residual_forward,
    pairs_inverted_residual_forward_packed,
    pairs_inverted_residual_forward_scratch,
    pairs_inverted_residual_suits,
)
from fastcnn.kernels.cpu.amx import unit
from tests import reference
from tests.kernels.checking import assert_same_bits, assert_within, inputs_unchanged, unwritten

SINGLE = np.dtype(np.float32)
NONE = (-np.inf, np.inf, codes.LINEAR)
BOUNDS = (0, 60, codes.LINEAR, -150, 200, codes.LINEAR, *NONE)
#: x, channels of e, filters, and what the window has.
CASES = [
    ((0, 5, 5, 4), 8, 4, {}),
    ((1, 1, 1, 2), 6, 3, {}),
    ((2, 15, 14, 6), 40, 9, {}),
    ((1, 17, 9, 16), 96, 24, {"strides": (2, 2)}),
    ((3, 7, 6, 8), 70, 33, {"size": 5}),  # parts of the channels, and one of them is not whole
    ((1, 64, 66, 8), 96, 16, {"strides": (2, 2)}),  # several rows of the buffer, in bands
    ((2, 15, 14, 6), 40, 0, {}),  # no projection
    ((3, 7, 6, 8), 70, 0, {"size": 5}),
    ((1, 64, 66, 8), 96, 0, {"strides": (2, 2)}),
]


def block(shape, e, k, size=3, strides=(1, 1)):
    """The geometries of a block, in channels."""
    n, h, w, _ = shape
    middle = shapes.conv2d((n, h, w, e), e, (size, size), strides, "same", groups=e)
    last = shapes.conv2d((n, int(middle[0]["oh"]), int(middle[0]["ow"]), e), max(1, k), (1, 1)).copy()
    last["k"] = k
    return np.concatenate([shapes.conv2d(shape, e, (1, 1)), middle, last])


def halved(g):
    g = g.copy()
    g["c"][[0, 2]] //= 2
    return g


def whole(*shape, most=2, seed=0):
    return np.random.default_rng(seed).integers(-most, most + 1, shape).astype(np.float32)


def drawn(g):
    """Arrays in the order of the kernel's arguments, the addend last."""
    c, e, k = int(g[0]["c"]), int(g[1]["c"]), int(g[2]["k"])
    (kh, kw), y = (int(g[1][name]) for name in ("kh", "kw")), [int(g[1][name]) for name in ("n", "oh", "ow")]
    return (whole(int(g[0]["n"]), int(g[0]["h"]), int(g[0]["w"]), c), whole(1, 1, c, e, seed=1), whole(e, seed=2),
            whole(kh, kw, 1, e, seed=3), whole(e, seed=4), whole(1, 1, e, k, most=1, seed=5), whole(k, seed=6),
            whole(np.prod(y) * k, most=9, seed=7))


def forward(arrays, g, bounds=BOUNDS):
    """The output, to the bit the same with filters that were packed before."""
    half, (x, *between, addend), outputs = halved(g), arrays, []
    words = reference.narrow_bfloat16(x).view(np.uint32)
    more = reference.narrow_bfloat16(addend)
    scratch = unwritten(pairs_inverted_residual_forward_scratch(half, SINGLE), dtype=np.float32)
    packed = unwritten(pairs_inverted_residual_forward_packed(half, SINGLE), dtype=np.float32)
    for ready in (0, 1):
        y = np.full([int(g[1][name]) for name in ("n", "oh", "ow")] + [int(g[2]["k"] or g[1]["c"])], 0xFFFF, np.uint16)
        with inputs_unchanged(words, *between, more):
            pairs_inverted_residual_forward(y, scratch, packed, words, *between, more, np.array(bounds, np.float32),
                                            ready, half)
        outputs.append(y)
    assert_within(scratch)
    assert_within(packed)
    assert outputs[0].tobytes() == outputs[1].tobytes()
    return outputs[0]


@pytest.mark.parametrize(("shape", "e", "k", "options"), CASES, ids=str)
def test_a_block_on_pairs_is_its_twin(shape, e, k, options):
    g = block(shape, e, k, **options)
    arrays = drawn(g)
    for bounds in (BOUNDS, NONE * 3):
        expected = reference.pairs_inverted_residual_forward(*arrays, bounds, g)
        np.testing.assert_array_equal(forward(arrays, g, bounds), reference.narrow_bfloat16(expected))
    bare = [a[:0] if a.ndim == 1 else a for a in arrays]  # neither biases nor an addend
    expected = reference.pairs_inverted_residual_forward(*bare, BOUNDS, g)
    np.testing.assert_array_equal(forward(bare, g), reference.narrow_bfloat16(expected))


@pytest.mark.parametrize("shape", [(3, 28, 28, 16), (1, 56, 56, 16), (1, 14, 14, 16), (1, 7, 7, 16)])  # bands, parts
def test_a_block_on_pairs_gives_the_same_bits_from_any_number_of_threads(shape):
    g = block(shape, 96, 24)
    arrays = [0.37 * a for a in drawn(g)]
    assert_same_bits(lambda: (forward(arrays, g),))


@pytest.mark.parametrize(("shape", "e", "k", "suits"), [
    ((1, 14, 14, 16), 96, 24, True),
    ((1, 14, 14, 15), 96, 24, False),  # not whole pairs
    ((1, 14, 14, 16), 95, 24, False)])
def test_shapes_tell_whether_it_suits(shape, e, k, suits):
    g = block(shape, e, k)
    assert pairs_inverted_residual_suits(g) is (suits and unit.has_pairs())
    g["k"][0] = 0  # no expansion
    assert not pairs_inverted_residual_suits(g)
