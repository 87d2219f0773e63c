"""The gradients of a convolution's filters and bias, of x and dy in bfloat16, on the register tile of pairs.

    dkernel[r, s, c, k] += sum over pixels p of  x[p + (r, s), c] dy[p, k]

What is summed are positions, so two of them are a pair. A band of positions follows one another as dy has them; a task
packs some blocks of filters of it, then takes tap by tap and 112 channels at a time, whose pixels it copies side by
side, zeros where a tap sees the border::

    band of dy, packed                  panel of x, of one tap               dkernel, one tap
    | k0: p0 p1 | k1: p0 p1 | ..  L2    | c0: p0 p1 | c1: p0 p1 | ..  L2     14 channels x 32 filters, in registers,
    | k0: p2 p3 | k1: p2 p3 | ..        | c0: p2 p3 | c1: p2 p3 | ..         added to L2

The work is cut as that of float32 is (`conv/backward_weights.py`), in bands of twice as many positions.
"""

import numpy as np
from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.backward_weights_plan import BAND, CHANNELS, Cut, partial_sizes, plan, positions_of
from fastcnn.kernels.cpu.conv.plan import is_pointwise
from fastcnn.kernels.cpu.gemm.packing import blocks_of, width_of
from fastcnn.kernels.cpu.gemm.walk import TABLE, Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, at3, clear
from fastcnn.kernels.cpu.simd.pairs import pair_rows
from fastcnn.kernels.cpu.simd.sums import add_pairwise

_BAND = 2 * BAND  # positions: as many steps
_TOGETHER = 8192  # positions times blocks of dy that are packed together, 512 KB
_ONES = 0x3F803F80  # a pair of ones
_FIELDS = 3  # of a position: where its window begins in x, and in which row and column


def pairs_conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of float32 `scratch` of `pairs_conv2d_backward_weights` has."""
    g = geometry[0]
    width = width_of(g["k"], dtype)
    blocks = -(-g["k"] // width)
    images, rows, _, chunks, parts, _ = plan(g, blocks, _BAND)
    share = _places(g, width, images * rows * positions_of(g)[2], -(-blocks // parts))[4]
    return int(chunks * partial_sizes(g, False, chunks)[1] + config.NUMBA_NUM_THREADS * share)


@kernel
def pairs_conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and of the bias: x and dy multiplied over all positions, and dy summed.

    Parameters
    ----------
    dkernel : (KH, KW, C, K) float32 array
        Added to.
    dbias : (K,) or (0,) float32 array
        Added to; size 0 if there is no bias.
    scratch : (pairs_conv2d_backward_weights_scratch(geometry, dtype),) float32 array
    x : (N, H, W, C) uint16 array
        The bits of bfloat16.
    dy : (N, OH, OW, K) uint16 array
    geometry : CONV2D
        In one group.
    """
    g = geometry[0]
    blocks = blocks_of(scratch, g["k"])[1]
    images, rows, bands, chunks, parts, sides = plan(g, blocks, _BAND)
    size, partial = partial_sizes(g, np.bool_(False), chunks)
    weights, wf, xf, yf = dkernel.size, dkernel.reshape(-1), x.reshape(-1), dy.reshape(-1)
    tasks, cut = chunks * sides * parts, Cut(chunks, parts, sides, images, rows, bands, partial)
    start = np.int64(0)  # a literal would be another type, and `accumulate` compiled for it
    if partial == 0:
        parallel(_task, tasks, (wf, (dbias, start), scratch, cut, (xf, yf), geometry))
        return
    clear(scratch, start, chunks * partial)
    bias = scratch if dbias.size > 0 else scratch[:0]
    parallel(_task, tasks, (scratch, (bias, weights), scratch, cut, (xf, yf), geometry))
    add_pairwise(scratch, 0, partial, chunks, size)
    accumulate(wf, start, scratch, start, weights)
    accumulate(dbias, start, scratch, weights, dbias.size)


@inlined
def _places(g, width, positions, blocks):
    """Return, in a thread's scratch: packed dy, from block to block, places of positions, zeros, and the end."""
    steps = (positions + 1) // 2
    packed, apart = aligned(steps * CHANNELS), aligned(steps * width)
    places = packed + min(blocks, _together(positions)) * apart
    zeros = places + aligned(2 * _FIELDS * 2 * steps)
    return packed, apart, places, zeros, zeros + aligned(np.int64(CHANNELS))


@inlined
def _together(positions):
    """Return how many blocks of a band of dy are packed together."""
    return max(1, _TOGETHER // max(1, positions))


@inlined
def _task(task, thread, sums, bias, scratch, cut, inputs, geometry):
    """Some blocks of filters, some channels and one chunk of bands, added to the chunk's part of `sums`."""
    g, (chunks, parts, sides, images, rows, bands, partial), (x, dy) = geometry[0], cut, inputs
    width, blocks = blocks_of(scratch, g["k"])
    chunk, side, part = task // (sides * parts), task // parts % sides, task % parts
    n, oh, ow = positions_of(g)
    first, last = part * blocks // parts, (part + 1) * blocks // parts
    packed, apart, places, zeros, share = _places(g, width, images * rows * ow, -(-blocks // parts))
    own = scratch[chunks * partial + thread * share:chunks * partial + (thread + 1) * share]
    words, table, none = own.view(np.uint32), own[places:zeros].view(np.int64), own[zeros:].view(np.uint16)
    words[zeros:] = 0
    pieces = -(-g["c"] // CHANNELS)
    channels = side * pieces // sides * CHANNELS, min(g["c"], (side + 1) * pieces // sides * CHANNELS)
    begin, end = chunk_of(chunk, chunks, bands)
    some, an_image = _together(images * rows * ow), -(-oh // rows)
    for band in range(begin, end):
        image, top = band // an_image * images, band % an_image * rows
        count, tall = min(images, n - image), min(rows, oh - top)
        positions = count * tall * ow
        _note(table, (image, top, tall, ow), positions, g)
        for block in range(first, last, some):
            now = min(some, last - block)
            for b in range(now):
                _pack(words, packed + b * apart, dy, none, ((image * oh + top) * ow * g["k"], (block + b) * width),
                      (positions, width), g)
                if bias[0].size > 0 and channels[0] == 0:
                    _add_bias(bias[0], bias[1] + chunk * partial + (block + b) * width, own, words, zeros,
                              (packed + b * apart, (positions + 1) // 2, width),
                              min(width, g["k"] - (block + b) * width))
            _add_taps((sums, chunk * partial), own, x, (packed, apart, block, now), (table, zeros), channels, positions,
                      geometry)


@inlined
def _note(table, band, positions, g):
    """Write where the windows of a band's positions begin in x, and their rows and columns."""
    (image, top, tall, ow), (_, oh, _) = band, positions_of(g)
    h, w = (oh, ow) if is_pointwise(g) else (g["h"], g["w"])
    at = 0
    for i in range(positions // ow):
        row = (top + i % tall) * g["sh"] - g["top"]
        first = ((image + i // tall) * h + row) * w - g["left"]
        for j in range(ow):
            table[at], table[at + 1], table[at + 2] = (first + j * g["sw"]) * g["c"], row, j * g["sw"] - g["left"]
            at += _FIELDS


@inlined
def _pack(words, at, dy, zeros, source, sizes, g):
    """Write a block of columns of rows of dy, a word for two rows, zeros beside the last column and row."""
    (begin, column), (positions, width) = source, sizes
    there, k = min(width, g["k"] - column), g["k"]
    for p in range(0, positions, 2):
        to, of = at + p // 2 * width, begin + p * k + column
        last = p + 1 == positions
        pair_rows((words, to), (dy, of), (zeros if last else dy, 0 if last else of + k), there)
        for c in range(np.uintp(to + there), np.uintp(to + width)):
            words[c] = 0


@inlined
def _add_bias(sums, at, own, words, one, packed, columns):
    """Add the sums of a block of packed dy: a product with pairs of ones."""
    begin, steps, width = packed
    words[one] = _ONES
    walk_grid((sums, (at, 0, 0, 0)), (words, (one, 0, 0, 0, 0, 0, 0)), (words, (begin, 0, 0, width, 0)), at3(1, 1, 1),
              at3(1, 1, steps), Sums(columns, own, -1, 0, 0), TABLE)
    words[one] = 0


@inlined
def _add_taps(to, own, x, packed, tables, channels, positions, geometry):
    """Add what some packed blocks of a band and some channels of x give to sums, tap by tap.

    `to` is an array and where its sums begin, `packed` where the blocks are, from one to the next, the first one and
    how many, `tables` the places of positions and where zeros begin.
    """
    (sums, at), (begin, apart, block, count), (table, zeros), (c0, c1) = to, packed, tables, channels
    g, words, steps = geometry[0], own.view(np.uint32), (positions + 1) // 2
    none, width = own[zeros:].view(np.uint16), blocks_of(own, g["k"])[0]
    h, w = (positions_of(g)[1], positions_of(g)[2]) if is_pointwise(g) else (g["h"], g["w"])
    for r in range(g["kh"]):
        for s in range(g["kw"]):
            down, right = r * g["dh"], s * g["dw"]
            tap = (down * w + right) * g["c"]
            for c in range(c0, c1, CHANNELS):
                some = min(CHANNELS, c1 - c)
                for p in range(0, 2 * steps, 2):
                    one, at_one = _pixel(x, none, table, p, positions, (tap + c, down, right), (h, w))
                    other, at_other = _pixel(x, none, table, p + 1, positions, (tap + c, down, right), (h, w))
                    pair_rows((words, p // 2 * CHANNELS), (one, at_one), (other, at_other), some)
                for b in range(count):
                    column = (block + b) * width
                    walk_grid((sums, (at + ((r * g["kw"] + s) * g["c"] + c) * g["k"] + column, 0, 0, g["k"])),
                              (words, (0, 0, 0, 1, 0, 0, CHANNELS)), (words, (begin + b * apart, 0, 0, width, 0)),
                              at3(1, 1, some), at3(1, 1, steps),
                              Sums(min(width, g["k"] - column), own, -1, 0, 0), TABLE)


@inlined
def _pixel(x, none, table, p, positions, tap, sizes):
    """Return where the channels begin that a tap sees at a position: in x, or zeros beyond it and behind the last."""
    (offset, down, right), (h, w) = tap, sizes
    if p < positions:
        row, column = table[_FIELDS * p + 1] + down, table[_FIELDS * p + 2] + right
        if 0 <= row < h and 0 <= column < w:
            return x, table[_FIELDS * p] + offset
    return none, np.int64(0)
