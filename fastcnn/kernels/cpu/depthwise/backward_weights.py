"""The gradients of a depthwise convolution with respect to its weights and its bias.

    dkernel[r, s, 0, c] += sum over n, i, j of x[n, i sh + r dh - top, j sw + s dw - left, c] * dy[n, i, j, c]
    dbias[c]            += sum over n, i, j of dy[n, i, j, c]

One vector of channels at a time, and seven columns of outputs or all those that lie inside the image::

    dy   one vector of 7 pixels       |d0|d1|..|d6|   from L1 or L2     registers
    x    of each row of the window    |q0|q1|..|q8|   from L1           d0..d6, one q, and the sums: of all 9 taps of a
         |q0|q1|..|q8|                                                  3x3 window, or of 3 or 2 rows of a 5x5;
         |q0|q1|..|q8|                                                  they stay there down the whole band

Output rows are cut into chunks with sums of their own, which are added in pairs. If rows are few, channels are cut
instead. Sums over a few rows are short; from time to time they are added to totals in float64 (`simd.sums`).
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.depthwise.emitter import J
from fastcnn.kernels.cpu.depthwise.forward import BAND, channels_of, is_far, window_of
from fastcnn.kernels.cpu.depthwise.sums import GradientRange, gradients
from fastcnn.kernels.cpu.gemm.shares import GRAIN, TASKS
from fastcnn.kernels.cpu.simd.memory import accumulate, clear
from fastcnn.kernels.cpu.simd.sums import FAR, TERMS, add_pairwise, add_wide, take_wide, wide
from fastcnn.kernels.cpu.simd.width import lanes, lanes_of

POSITIONS = 512  # output pixels of a chunk at least: adding its sums costs a few per cent of making them
OFTEN = 1024  # output pixels of a chunk after which its sums are added to its totals, where there are more
WIDE = OFTEN // J * J  # columns of a longer row that are added at a time
SHORT = 32  # output pixels that fewer of a band count for: what they add is one more term


def depthwise2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `depthwise2d_backward_weights` wants."""
    g, one = geometry[0], lanes(dtype)
    blocks = -(-g["c"] // one)
    chunks = _plan(g, blocks)[0]
    return int((3 if _is_long(g, chunks) else 1) * chunks * blocks * (g["kh"] * g["kw"] + 1) * one)


@inlined
def _is_long(g, chunks):
    """Whether a chunk has totals: two elements for each of its sums, behind all of these."""
    return g["n"] * g["oh"] * g["ow"] > OFTEN * chunks


@inlined
def _plan(g, blocks):
    """Return chunks of the output rows and parts of the channels, of which there are `blocks` vectors."""
    pixels = g["n"] * g["oh"] * g["ow"]
    wanted = max(1, min(TASKS, pixels * g["c"] * g["kh"] * g["kw"] // GRAIN))
    chunks = max(1, min(wanted, g["n"] * g["oh"], pixels // POSITIONS))
    return chunks, max(1, min(blocks, -(-wanted // chunks)))


@kernel
def depthwise2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the weights and of the bias.

    Parameters
    ----------
    dkernel : (KH, KW, 1, C) array
        Added to.
    dbias : (C,) or (0,) array
        Added to; size 0 if there is no bias.
    scratch : (depthwise2d_backward_weights_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    dy : (N, OH, OW, C) array
    geometry : CONV2D
        With as many groups and filters as channels.
    """
    g = geometry[0]
    one, c, taps = lanes_of(x), g["c"], g["kh"] * g["kw"]
    blocks = -(-c // one)
    chunks, parts = _plan(g, blocks)
    share = (taps + 1) * one
    parallel(_task, chunks * parts, (scratch, x.reshape(-1), dy.reshape(-1), chunks, parts, geometry))
    out = dkernel.reshape(-1)
    add_pairwise(scratch, 0, blocks * share, chunks, blocks * share)
    for block in range(blocks):
        first = block * one
        # The last vector overlaps the one before it: the lanes they share are that one's.
        shared = first - max(0, min(first, c - one))
        sums, count = block * share + shared, min(c, first + one) - first
        for tap in range(taps):
            accumulate(out, tap * c + first, scratch, sums + tap * one, count)
        if dbias.size > 0:
            accumulate(dbias, first, scratch, sums + taps * one, count)


@inlined
def _task(task, scratch, x, dy, chunks, parts, geometry):
    """One chunk of the output rows, for a part of the channels."""
    g = geometry[0]
    one, c = lanes_of(x), g["c"]
    blocks, share = -(-c // one), (g["kh"] * g["kw"] + 1) * one
    chunk, part = task // parts, task % parts
    begin, end = channels_of(x, c, part, parts)
    sums, whole = chunk * blocks * share, chunks * blocks * share
    at, size = sums + begin // one * share, (-(-end // one) - begin // one) * share
    clear(scratch, at, size)
    is_long, since = _is_long(g, chunks), 0
    some = scratch[at:at + size]
    totals = wide(scratch[whole + 2 * at:whole + 2 * (at + size) if is_long else whole + 2 * at])[:size]
    for k in range(totals.size):
        totals[k] = 0
    lines = g["n"] * g["oh"]
    line, last = chunk * lines // chunks, (chunk + 1) * lines // chunks
    band = max(1, BAND // (g["w"] * c * g["sh"]))
    if g["n"] * g["oh"] * g["ow"] >= FAR:
        band = max(1, min(band, TERMS // 2 // J, OFTEN // g["ow"]))
    wide_row = g["ow"] if g["ow"] <= OFTEN else np.int64(WIDE)
    while line < last:
        image, row = line // g["oh"], line % g["oh"]
        rows = min(band, last - line, g["oh"] - row)
        line += rows
        for low in range(0, g["ow"], wide_row):
            high = min(g["ow"], low + wide_row)
            gradients((scratch, sums), (x, (image * g["h"] * g["w"] * c, g["h"], g["w"], c)),
                      (dy, (image * g["oh"] * g["ow"] * c, g["ow"])), window_of(g),
                      GradientRange(row, rows, low, high, begin, end, is_far(g)))
            since += max(SHORT, rows * (high - low))
            if is_long and (since >= OFTEN or (line == last and high == g["ow"])):
                add_wide(totals, some)
                since = 0
    if is_long:
        take_wide(some, totals)
