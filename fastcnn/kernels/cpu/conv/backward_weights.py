"""The gradients of a 2D convolution with respect to its filters and its bias.

    dkernel[r, s, c, k] += sum over n, i, j of x[n, i sh + r dh - top, j sw + s dw - left, c] * dy[n, i, j, k]
    dbias[k]            += sum over n, i, j of dy[n, i, j, k]

The register tile with other strides: its rows are channels, its three loops run over images, output rows and columns,
and it reads dy as vectors over k. It works in bands of some hundred positions; a task first packs its block of filters
of the band of dy::

    band of dy, (positions, width)      x where it lies, one tap: the positions       dkernel, one tap
    | k0 .. k31 |  in L1                that are inside the image, 14 channels        14 channels x 32 filters,
    | k0 .. k31 |                       of each, from L2                              in registers, added to L2
    | ...       |

With few channels the rows are (r, s, c) instead, to fill tiles, and x is read from a copy of its rows with the border
of zeros. The bias is one more row, with x = 1. If the weights are large, tasks are blocks of filters, which add
directly to the gradient. Otherwise bands are cut into chunks with partial sums of their own, which are added in pairs.
Sums over a few bands are short; from time to time they are added to totals in float64 (`simd.sums`).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.backward_weights_plan import (
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
    slab_size,
)
from fastcnn.kernels.cpu.conv.plan import is_pointwise
from fastcnn.kernels.cpu.gemm.packing import blocks_of, width_of
from fastcnn.kernels.cpu.gemm.walk import TABLE, Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, at3, clear, fill_slab
from fastcnn.kernels.cpu.simd.sums import add_pairwise, add_wide, take_wide, wide
from fastcnn.kernels.cpu.simd.transpose import move_part, move_vector
from fastcnn.kernels.cpu.simd.width import lanes_of


class Band(NamedTuple):
    """A band, or columns low .. high of it: the first image and row of outputs, and how many of each."""

    image: Any
    count: Any
    top: Any
    tall: Any
    low: Any
    high: Any


class GradientBlock(NamedTuple):
    """A block of filters: its group, how many filters it has, and from one position of packed dy to the next."""

    group: Any
    columns: Any
    width: Any


def conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_weights` wants."""
    g = geometry[0]
    kg = g["k"] // g["groups"]
    width = width_of(kg, dtype)
    images, rows, bands, chunks, _ = plan(g, -(-kg // width))
    partial = partial_sizes(g, needs_totals(g, images, rows, bands, chunks), chunks)[1]
    return int(chunks * partial + config.NUMBA_NUM_THREADS * local_sizes(g, width, images, rows)[1])


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
    images, rows, bands, chunks, parts = plan(g, blocks)
    size, partial = partial_sizes(g, needs_totals(g, images, rows, bands, chunks), chunks)
    weights, wf = dkernel.size, dkernel.reshape(-1)
    xf, yf = x.reshape(-1), dy.reshape(-1)
    tasks, cut = chunks * g["groups"] * parts, Cut(chunks, parts, images, rows, bands, partial)
    if partial == 0:
        parallel(_task, tasks, (wf, (dbias, np.int64(0)), scratch, cut, (xf, yf), geometry))
        return
    start = np.int64(0)  # a literal would be another type, and `accumulate` compiled for it
    clear(scratch, start, chunks * partial)
    parallel(_task, tasks, (scratch, (scratch, weights), scratch, cut, (xf, yf), geometry))
    add_pairwise(scratch, 0, partial, chunks, size)
    accumulate(wf, start, scratch, start, weights)
    accumulate(dbias, start, scratch, weights, dbias.size)


@inlined
def _task(task, thread, sums, bias, scratch, cut, inputs, geometry):
    """Some blocks of filters and one chunk of bands, added to the chunk's part of `sums` and of those of the bias."""
    g, (chunks, parts, images, rows, bands, partial), (x, dy), (bias_sums, bias_at) = geometry[0], cut, inputs, bias
    groups, kg = g["groups"], g["k"] // g["groups"]
    width, blocks = blocks_of(dy, kg)
    chunk, part = task // (groups * parts), task % (groups * parts)
    group, part = part // parts, part % parts
    n, oh, ow = positions_of(g)
    of_slab, share = local_sizes(g, width, images, rows)
    slab = chunks * partial + thread * share
    packed = slab + of_slab
    one = packed + aligned(images * rows * ow * width)
    scratch[one] = 1
    begin, end = chunk_of(chunk, chunks, bands)
    often, segments = often_of(g, images, rows), segments_of(g)
    has_totals = needs_totals(g, images, rows, bands, chunks)
    an_image = -(-oh // rows)
    for band in range(begin, end):
        image, top = band // an_image * images, band % an_image * rows
        count, tall = min(images, n - image), min(rows, oh - top)
        if has_slab(g):
            height, across = slab_size(g, tall)
            fill_slab(scratch, slab, x, image * g["h"] * g["w"] * g["c"], (g["h"], g["w"], g["c"]),
                      (top * g["sh"] - g["top"], height), (g["left"], across))
        for b in range(part * blocks // parts, (part + 1) * blocks // parts):
            first, block = group * kg + b * width, GradientBlock(group, min(width, kg - b * width), width)
            to = sums, chunk * partial + first
            _pack_band((scratch, packed), (dy, (image * oh + top) * ow * g["k"] + first), count * tall * ow, g["k"],
                       block)
            for segment in range(segments):  # one, but for rows of some thousand positions
                low, high = chunk_of(segment, segments, ow)
                if bias_sums.size > 0:
                    _add_bias((bias_sums, bias_at + chunk * partial + first), scratch, (one, packed + low * width),
                              count * tall * (high - low), block, geometry)
                columns = Band(image, count, top, tall, low, high)
                if has_slab(g):
                    _slab_band(to, scratch, (slab, packed), columns, block, geometry)
                else:
                    _tap_bands(to, (scratch, packed), x, columns, block, geometry)
                if segment < segments - 1:
                    _add_to_totals(scratch, chunk * partial, first, block.columns, np.bool_(False), geometry)
        is_last = band == end - 1
        if has_totals and (is_last or (band - begin) % often == often - 1):
            low, high = part * blocks // parts * width, min(kg, (part + 1) * blocks // parts * width)
            _add_to_totals(scratch, chunk * partial, group * kg + low, high - low, is_last, geometry)


@inlined
def _add_to_totals(scratch, at, first, columns, is_last, geometry):
    """Add some columns of a chunk's sums to its totals; the last time the sums become what these are."""
    g = geometry[0]
    size, k = partial_sizes(g, True, np.int64(1))[0], g["k"]
    totals = wide(scratch[at + size:at + 3 * size])
    for row in range(g["kh"] * g["kw"] * (g["c"] // g["groups"]) + 1):
        place = row * k + first
        sums, wider = scratch[at + place:at + place + columns], totals[place:place + columns]
        add_wide(wider, sums)
        if is_last:
            take_wide(sums, wider)


@inlined
def _add_bias(to, scratch, places, positions, block, geometry):
    """Add the sums of `positions` packed rows of dy: a product with the number one, no longer than others.

    `places` are where in the scratch the one and the rows lie.
    """
    (sums, at), (one, packed), width, most = to, places, block.width, band_size(geometry[0])
    for begin in range(0, positions, most):
        walk_grid((sums, (at, 0, 0, 0)), (scratch, (one, 0, 0, 0, 0, 0, 0)),
                  (scratch, (packed + begin * width, 0, 0, width, 0)), at3(1, 1, 1),
                  at3(1, 1, min(most, positions - begin)), Sums(block.columns, scratch, -1, 0, 0), TABLE)


@inlined
def _pack_band(to, source, positions, step, block):
    """Write the columns of a block at some positions, which lie a `step` apart, side by side, zeros beside them."""
    (packed, at), (dy, of), columns, width = to, source, block.columns, block.width
    one = lanes_of(packed)
    for p in range(positions):
        at_p, of_p = at + p * width, of + p * step
        for vector in range(0, width, one):
            if columns - vector >= one:
                move_vector(packed, at_p + vector, dy, of_p + vector)
            else:
                move_part(packed, at_p + vector, dy, of_p + min(columns, vector), max(0, columns - vector))


@inlined
def _inside(tap, stride, dilation, border, length, low, high):
    """Return the output positions of low .. high for which a tap lies inside the image, as begin and end."""
    place = tap * dilation - border  # of position 0
    begin = max(low, -(place // stride))
    return begin, max(begin, min(high, (length - 1 - place) // stride + 1))


@inlined
def _tap_bands(to, dy, x, band, block, geometry):
    """Add columns of a band, tap by tap: positions whose tap is in the border of zeros are left out.

    `to` is an array and where the sums begin, `dy` the band's block, packed.
    """
    (sums, at), (scratch, packed), (group, columns, width), g = to, dy, block, geometry[0]
    image, count, top, tall, low, high = band
    _, oh, ow = positions_of(g)
    h, w = (oh, ow) if is_pointwise(g) else (g["h"], g["w"])
    cg, c, k = g["c"] // g["groups"], g["c"], g["k"]
    for r in range(g["kh"]):
        i0, i1 = _inside(r, g["sh"], g["dh"], g["top"], h, top, top + tall)
        for s in range(g["kw"]):
            j0, j1 = _inside(s, g["sw"], g["dw"], g["left"], w, low, high)
            corner = (i0 * g["sh"] + r * g["dh"] - g["top"]) * w + j0 * g["sw"] + s * g["dw"] - g["left"]
            a_at, a_i, a_j = (image * h * w + corner) * c + group * cg, g["sh"] * w * c, g["sw"] * c
            b_at, b_i, b_j = packed + ((i0 - top) * ow + j0) * width, ow * width, width
            down, across = i1 - i0, j1 - j0
            if across == 1:  # a single column is walked as a row: the innermost loop should be long
                down, across, a_i, a_j, b_i, b_j = across, down, a_j, a_i, b_j, b_i
            most = band_size(g)
            for begin in range(0, across if down > 0 else 0, most):  # a row that is longer than a band, in parts
                walk_grid((sums, (at + (r * g["kw"] + s) * cg * k, 0, 0, k)),
                          (x, (a_at + begin * a_j, 0, 0, 1, h * w * c, a_i, a_j)),
                          (scratch, (b_at + begin * b_j, tall * ow * width, b_i, b_j, 0)), at3(1, 1, cg),
                          at3(count, down, min(most, across - begin)), Sums(columns, scratch, -1, 0, 0), TABLE)


@inlined
def _slab_band(to, scratch, places, band, block, geometry):
    """Add columns of a band of one image, all taps at once, over its rows copied with their border.

    `places` are where in the scratch these lie, and the band's block of dy, packed.
    """
    (sums, at), (slab, packed), (group, columns, width), g = to, places, block, geometry[0]
    tall, low, high = band.tall, band.low, band.high
    cg, c, k, ow = g["c"] // g["groups"], g["c"], g["k"], g["ow"]
    row, most = slab_size(g, tall)[1] * c, band_size(g)
    for begin in range(low, high, most):
        walk_grid((sums, (at, g["kw"] * cg * k, cg * k, k)),
                  (scratch, (slab + group * cg + begin * g["sw"] * c, g["dh"] * row, g["dw"] * c, 1, 0, g["sh"] * row,
                             g["sw"] * c)),
                  (scratch, (packed + begin * width, 0, ow * width, width, 0)), at3(g["kh"], g["kw"], cg),
                  at3(1, tall, min(most, high - begin)), Sums(columns, scratch, -1, 0, 0), TABLE)
