"""2D convolutions of bfloat16, forward and the input's gradient, on the register tile of pairs.

Two channels that lie side by side are one word of 32 bits, so that an image of C channels is an image of C / 2 words,
and all of the walk is that of float32: which taps a position sees, panels, blocks, tasks. The tile alone differs, which
adds two products in the time of one::

    x, channels-last, 16 bits each         a block of packed filters, a row for each pair of channels
    |c0 c1|c2 c3|..|   word by word        | k0: c0 c1 | k1: c0 c1 | ..  | k31: c0 c1 |
                                           | k0: c2 c3 | k1: c2 c3 | ..
"""

import numpy as np

from fastcnn.kernels.cpu.amx import unit
from fastcnn.kernels.cpu.compile.policy import WORK_THRESHOLD, chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.backward_input import multiply_back
from fastcnn.kernels.cpu.conv.forward import multiply
from fastcnn.kernels.cpu.elementwise.bfloat16 import narrow_all, rounded_bits
from fastcnn.kernels.cpu.gemm.packing import blocks_of, pack_start, pack_transposed, packed_size, start_of
from fastcnn.kernels.cpu.gemm.shares import TASKS
from fastcnn.kernels.cpu.gemm.taps import FilterBank

_FEW, _LEAST = 16, 3  # channels and filters below which kernels of float32 are as fast; channels, forward


def multiplies_pairs():
    """Whether this machine multiplies pairs of bfloat16, and so reads and writes 16 bits."""
    return unit.has_pairs()


def pairs_conv2d_suits(geometry):
    """Whether a unit multiplies pairs, and gradients fill it: in one group, of enough channels and filters."""
    g = geometry[0]
    return bool(unit.has_pairs() and g["groups"] == 1 and g["c"] >= _FEW and g["k"] >= _FEW)


def pairs_conv2d_forward_suits(geometry):
    """As `pairs_conv2d_suits`, of a convolution, which has but 4/3 of the words of 3 channels, and 2 of 1."""
    g = geometry[0]
    return bool(unit.has_pairs() and g["groups"] == 1 and g["c"] >= _LEAST and g["k"] >= _FEW)


def pairs_conv2d_forward_packed(geometry, dtype, kept=True):
    """Return how many elements of float32 `packed` of `pairs_conv2d_forward` has."""
    g = geometry[0]
    return int(packed_size(1, g["k"], g["kh"] * g["kw"] * g["c"], dtype))


@kernel(in_place=("addend",))
def pairs_conv2d_forward(y, packed, x, kernel, bias, addend, bounds, ready, geometry):
    """y = conv(x, kernel) + bias + addend, and what is beyond the bounds set to them; x and kernel as bfloat16.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written: float32, or uint16, the bits of bfloat16, to which sums are rounded.
    packed : (pairs_conv2d_forward_packed(geometry, dtype),) float32 array
        The filters and the bias as the tile reads them: written, or read if `ready`.
    x : (N, H, W, C) uint32 array
        Pairs of channels.
    kernel : (KH, KW, 2 C or 2 C - 1, K) float32 array
        Rounded to bfloat16.
    bias : (K,) or (0,) float32 array
    addend : (y.size,) or (0,) array of y's type
        Lies as y does.
    bounds : (2,) or (3,) float32 array
        As of `conv2d_forward`; an activation is of results in float32 alone.
    ready : int
        1 if `packed` is what an earlier call with the same kernel and bias left, for any batch.
    geometry : CONV2D
        In one group, its channels are pairs.
    """
    g = geometry[0]
    depth = g["kh"] * g["kw"] * g["c"]
    start, words = start_of(packed, np.int64(1), g["k"], depth), packed.view(np.uint32)
    if not ready:
        pack_start(packed, start, bias, np.int64(1), g["k"])
        pack_pairs(words, kernel.reshape(-1).view(np.uint32), (g["kh"] * g["kw"], kernel.shape[2], g["k"]))
    width = blocks_of(packed, g["k"])[0]
    multiply(y.reshape(-1), FilterBank(words, width, depth * width, packed, start), x.reshape(-1), addend, bounds,
             geometry)


def pairs_conv2d_backward_input_packed(geometry, dtype):
    """Return how many elements of float32 `packed` of `pairs_conv2d_backward_input` has."""
    g = geometry[0]
    return int(packed_size(1, g["c"], g["kh"] * g["kw"] * g["k"], dtype))


def pairs_conv2d_backward_input_scratch(geometry, dtype):
    """Return how many elements of float32 `scratch` of `pairs_conv2d_backward_input` has."""
    g = geometry[0]
    return int(g["kh"] * g["kw"] * g["c"] * g["k"])


@kernel
def pairs_conv2d_backward_input(dx, scratch, packed, dy, kernel, bias, bounds, ready, geometry):
    """dx = the gradient of a convolution's input for dy, or a transposed convolution of dy; both as bfloat16.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written: float32, or uint16, the bits of bfloat16.
    scratch : (pairs_conv2d_backward_input_scratch(geometry, dtype),) float32 array
    packed : (pairs_conv2d_backward_input_packed(geometry, dtype),) float32 array
        The filters and the bias as the tile reads them: written, or read if `ready`.
    dy : (N, OH, OW, K) uint32 array
        Pairs of filters.
    kernel : (KH, KW, C, 2 K) float32 array
        Rounded to bfloat16.
    bias : (C,) or (0,) float32 array
    bounds : (2,) float32 array
        The lowest and the highest result.
    ready : int
        1 if `packed` is what an earlier call with the same kernel and bias left, for any batch.
    geometry : CONV2D
        Of the convolution from dx to dy, in one group; its filters are pairs.
    """
    g = geometry[0]
    taps, one = g["kh"] * g["kw"], np.int64(1)
    start = start_of(packed, one, g["c"], taps * g["k"])
    if not ready:
        narrow_all(scratch.view(np.uint16), kernel.reshape(-1).view(np.uint32))
        pack_transposed(packed, scratch, one, g["c"], g["k"], taps)  # as words of 32 bits, which are only moved
        pack_start(packed, start, bias, one, g["c"])
    multiply_back(dx.reshape(-1), packed.view(np.uint32), (packed, start, bounds), dy.reshape(-1), geometry)


@inlined
def pack_pairs(packed, kernel, shape):
    """Pack a bank, flat (taps, channels, columns): two channels become a row of words, in blocks of (depth, width)."""
    chunks = max(1, min(TASKS, kernel.size // WORK_THRESHOLD))
    parallel(_pack_rows, chunks, (packed, kernel, shape, chunks))


@inlined
def _pack_rows(task, packed, kernel, shape, chunks):
    taps, channels, columns = shape
    pairs = (channels + 1) // 2
    depth = taps * pairs
    begin, end = chunk_of(task, chunks, depth)
    width, blocks = blocks_of(packed, columns)
    for row in range(begin, end):
        channel = row % pairs * 2
        for b in range(blocks):
            there, of = min(width, columns - b * width), (row // pairs * channels + channel) * columns + b * width
            at = (b * depth + row) * width
            to, first = packed[at:at + width], kernel[of:of + there]
            for k in range(np.uintp(first.size)):
                to[k] = rounded_bits(first[k]) >> np.uint32(16)
            if channel + 1 < channels:
                second = kernel[of + columns:of + columns + there]
                for k in range(np.uintp(second.size)):
                    to[k] |= rounded_bits(second[k])
            for k in range(np.uintp(there), np.uintp(width)):
                to[k] = 0
