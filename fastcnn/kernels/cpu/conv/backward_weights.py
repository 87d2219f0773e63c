"""The gradients of a 2D convolution with respect to its filters and its bias.

    dkernel[r, s, c, k] += sum over n, i, j of x[n, i sh + r dh - top, j sw + s dw - left, c] * dy[n, i, j, k]
    dbias[k]            += sum over n, i, j of dy[n, i, j, k]

The register tile with other strides: its rows are channels, its loops run over positions, and it reads dy as vectors
over k. It works in bands of some hundred positions; a task packs some blocks of filters of its band of dy, unless they
are a whole row of it, then takes tap by tap and 112 channels at a time::

    band of dy, packed                  panel of x, of one tap                        dkernel, one tap
    (blocks, positions, width)          (positions, 112 channels)                     14 channels x 32 filters,
    | k0 .. k31 | | k32 .. |  L2        | c0 .. c111 |  L2                            in registers, added to L2

The panel is a copy, made once for all the blocks, with zeros in rows that hang over the border: read where they lie,
positions a power of two apart would meet in a few lines of L1 and begin a page each, and every tile would wait for what
is not in L2. Where positions are few and near, or each tap would copy for one block, the tile reads x itself.

With few channels the rows are (r, s, c) instead, to fill tiles, and x is read from a copy of its rows with the border
of zeros, which is made once for all taps; so are the gradients of up to 64 channels, if the copy fits into L2. Windows
side by side are read where they lie. The bias is one more row, with x = 1. If the weights are large, tasks are blocks
of filters and channels, which add directly to the gradient. Otherwise bands are cut into chunks with partial sums of
their own, which are added in pairs. Sums over a few bands are short; from time to time they are added to totals in
float64 (`simd.sums`).
"""

import numpy as np
from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.backward_weights_band import (
    Band,
    GradientBlock,
    Packed,
    add_bias,
    pack_band,
    slab_band,
    tap_bands,
)
from fastcnn.kernels.cpu.conv.backward_weights_plan import (
    CHANNELS,
    Cut,
    band_size,
    has_slab,
    local_sizes,
    needs_totals,
    often_of,
    partial_sizes,
    plan,
    positions_of,
    segments_of,
    slab_is_image,
    slab_size,
    together,
)
from fastcnn.kernels.cpu.gemm.packing import blocks_of, width_of
from fastcnn.kernels.cpu.gemm.partial_sums import add_parts
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, clear, fill_slab
from fastcnn.kernels.cpu.simd.sums import add_pairwise, add_wide, take_wide, wide


def conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_weights` wants."""
    g = geometry[0]
    kg = g["k"] // g["groups"]
    width = width_of(kg, dtype)
    blocks = -(-kg // width)
    images, rows, bands, chunks, parts, _ = plan(g, blocks, band_size(g))
    partial = partial_sizes(g, needs_totals(g, images, rows, bands, chunks), chunks)[1]
    local = local_sizes(g, width, images, rows, -(-blocks // parts))[2]
    return int(chunks * partial + config.NUMBA_NUM_THREADS * local)


@kernel
def conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and of the bias: x and dy multiplied over all positions, and dy summed.

    Parameters
    ----------
    dkernel : (KH, KW, C // groups, K) array
        Added to.
    dbias : (K,) or (0,) array
        Added to; size 0 if there is no bias.
    scratch : (conv2d_backward_weights_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    dy : (N, OH, OW, K) array
    geometry : CONV2D
    """
    g = geometry[0]
    blocks = blocks_of(scratch, g["k"] // g["groups"])[1]
    images, rows, bands, chunks, parts, sides = plan(g, blocks, band_size(g))
    partial = partial_sizes(g, needs_totals(g, images, rows, bands, chunks), chunks)[1]
    weights, wf = dkernel.size, dkernel.reshape(-1)
    xf, yf = x.reshape(-1), dy.reshape(-1)
    tasks, cut = chunks * g["groups"] * sides * parts, Cut(chunks, parts, sides, images, rows, bands, partial)
    if partial == 0:
        parallel(_task, tasks, (wf, (dbias, np.int64(0)), scratch, cut, (xf, yf), geometry))
        return
    start = np.int64(0)  # a literal would be another type, and `accumulate` compiled for it
    if tasks > chunks:  # else each task clears its own
        clear(scratch, start, chunks * partial)
    bias_sums = scratch[:scratch.size if dbias.size > 0 else start]  # of few filters they take an eighth of the time
    parallel(_task, tasks, (scratch, (bias_sums, weights), scratch, cut, (xf, yf), geometry))
    add_parts(wf, scratch, (start, partial), chunks, np.int64(weights))
    add_pairwise(scratch, weights, partial, chunks, dbias.size)
    accumulate(dbias, start, scratch, weights, dbias.size)


@inlined
def _task(task, thread, sums, bias, scratch, cut, inputs, geometry):
    """Some blocks of filters, some channels and one chunk of bands, added to the chunk's part of `sums`.

    Their bias is added to its part of those of the bias.
    """
    g, (chunks, parts, sides, images, rows, bands, partial), (x, dy) = geometry[0], cut, inputs
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    width, blocks = blocks_of(dy, kg)
    chunk, place = task // (groups * sides * parts), task % (groups * sides * parts)
    group, side, part = place // (sides * parts), place // parts % sides, place % parts
    n, oh, ow = positions_of(g)
    of_x, of_dy, share = local_sizes(g, width, images, rows, -(-blocks // parts))
    copied = chunks * partial + thread * share
    packed, one = copied + of_x, copied + share - aligned(np.int64(1))
    scratch[one] = 1
    begin, end = chunk_of(chunk, chunks, bands)
    if partial > 0 and groups * sides * parts == 1:
        clear(scratch, chunk * partial, partial)
    first, last = part * blocks // parts, (part + 1) * blocks // parts
    pieces = -(-cg // CHANNELS)
    channels = side * pieces // sides * CHANNELS, min(cg, (side + 1) * pieces // sides * CHANNELS)
    often, some = often_of(g, images, rows), together(g, images, rows)
    has_totals, an_image = needs_totals(g, images, rows, bands, chunks), -(-oh // rows)
    for band in range(begin, end):
        image, top = band // an_image * images, band % an_image * rows
        count, tall = min(images, n - image), min(rows, oh - top)
        if has_slab(g) and not slab_is_image(g):
            height, across = slab_size(g, tall)
            fill_slab(scratch, copied, x, image * g["h"] * g["w"] * g["c"], (g["h"], g["w"], g["c"]),
                      (top * g["sh"] - g["top"], height), (g["left"], across))
        for b in range(first, last, some):
            here = (image * oh + top) * ow * g["k"] + group * kg + b * width
            now = Packed(scratch, packed, of_dy, b, min(some, last - b))
            if width == g["k"]:
                now = Packed(dy, here, of_dy, b, now.count)
            else:
                pack_band(scratch, now, dy, (here, g["k"]),
                          (count * tall * ow, min(kg, (b + now.count) * width) - b * width, width))
            _add_band((sums, chunk * partial + group * kg), bias, scratch, (copied, one), now,
                      (x, Band(image, count, top, tall, 0, ow)), (group, channels), geometry)
        is_last = band == end - 1
        if has_totals and (is_last or (band - begin) % often == often - 1):
            low, high = first * width, min(kg, last * width)
            _add_to_totals(scratch, chunk * partial, (group * kg + low, high - low), channels, is_last, geometry)


@inlined
def _add_band(to, bias, scratch, places, packed, source, channels, geometry):
    """Add what some blocks of a packed band and some channels of x give to sums, and to those of the bias.

    `to` is an array and where the group's sums begin, `places` where in the scratch the copy of x and a one lie,
    `source` x and the band, `channels` the group, and from which of its channels to which.
    """
    (sums, at), (bias_sums, bias_at), (copied, one), g = to, bias, places, geometry[0]
    (x, band), (group, (c0, c1)) = source, channels
    kg, most, segments, ow = g["k"] // g["groups"], band_size(g), segments_of(g), positions_of(g)[2]
    width = blocks_of(scratch, kg)[0]
    for segment in range(segments):  # one, but for rows of some thousand positions
        low, high = chunk_of(segment, segments, ow)
        if bias_sums.size > 0 and c0 == 0:
            for block in range(packed.count):
                column = (packed.first + block) * width
                add_bias((bias_sums, bias_at + at + column), scratch,
                         (one, packed.array, packed.at + block * packed.apart + low * width),
                         band.count * band.tall * (high - low), GradientBlock(min(width, kg - column), width), geometry)
        for left in range(low, high, max(most, 1)):  # a row that is longer than a band, in parts
            some = Band(band.image, band.count, band.top, band.tall, left, min(high, left + most))
            if has_slab(g):
                slab_band((sums, at), (scratch, copied), packed, (x, some), group, geometry)
            else:
                tap_bands((sums, at), scratch, copied, packed, (x, some), channels, geometry)
        if segment < segments - 1:
            column, end = packed.first * width, min(kg, (packed.first + packed.count) * width)
            _add_to_totals(scratch, at - group * kg, (group * kg + column, end - column), (c0, c1), np.bool_(False),
                           geometry)


@inlined
def _add_to_totals(scratch, at, filters, channels, is_last, geometry):
    """Add some columns of a chunk's sums to its totals; the last time the sums become what these are.

    `filters` are the first column and how many; of the rows, which are (r, s, c) and the bias, those of some channels.
    """
    g, (first, columns), (c0, c1) = geometry[0], filters, channels
    size, k, cg = partial_sizes(g, True, np.int64(1))[0], g["k"], g["c"] // g["groups"]
    totals = wide(scratch[at + size:at + 3 * size])
    rows = g["kh"] * g["kw"] * cg
    for row in range(rows + 1):
        if (row == rows and c0 == 0) or (row < rows and c0 <= row % cg < c1):
            place = row * k + first
            sums, wider = scratch[at + place:at + place + columns], totals[place:place + columns]
            add_wide(wider, sums)
            if is_last:
                take_wide(sums, wider)
