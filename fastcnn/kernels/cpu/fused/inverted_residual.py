r"""A block of MobileNet v2 in one call: expansion, depthwise convolution and projection, without a trip to memory.

    e[n, i, j, :] = f(conv(x)[n, i, j, :] + bias)                          many channels; mostly 1x1
    z[n, i, j, c] = g(depthwise_conv(e)[n, i, j, c] + bias)                any window and stride
    y[n, i, j, :] = h(z[n, i, j, :] project + bias + addend)               1x1, few channels

(Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018, section 3.3.) Layer by layer e and z,
six times as large as x and y, would pass through memory three times, and between cores where two layers cut the image
differently. Large images are cut into bands of output rows. A task computes a few rows at a time through a buffer of e
in L2; rows of e that the next windows see again move up in it::

    x rows, L2 or memory     e: a buffer of rows         z           y
      |c c c|                |  kept  | \
      |c c c| --products-->  |  new   |  > window -->  |  |  --> products --> |k k|   written once
      |c c c|                |  new   | /

In images of few rows, bands would consist mostly of rows that their neighbours compute, too. There a task has all rows
and some channels of e and z; the projection, which sums over all channels, is a second launch::

    x: all tasks read it     e: a part of the channels   z           y
      |c c c|                |e e|                     |z z|..
      |c c c| --products-->  |e e| ----> window ---->  |z z|..   ||   --> products --> |k k|
      |c c c|                |e e|                     |z z|..

f, g and h are bounds, or functions as of `simd.activations`. Without an expansion the window sees x itself (a separable
convolution, MobileNet v1). Without a projection z is what is returned: squeeze and excitation stand between the two in
EfficientNet, and want all of z. There are as many tasks as threads. Each number is computed in the same way however the
work is cut, so results do not depend on that.

On pairs of bfloat16 (`bf16.inverted_residual`) x and the filters of both products are words of two numbers, e and z in
float32, and z is rounded, into words of its own that are projected, or into y.
"""

import math

import numpy as np
from numba import config

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel, threads_now
from fastcnn.kernels.cpu.depthwise.forward import window_of
from fastcnn.kernels.cpu.depthwise.walk import WindowRange, windows
from fastcnn.kernels.cpu.elementwise.bfloat16 import narrow_some
from fastcnn.kernels.cpu.gemm.packing import blocks_of, pack_filters, pack_start, packed_size, start_of
from fastcnn.kernels.cpu.gemm.shares import cut, share_of
from fastcnn.kernels.cpu.gemm.taps import FilterBank, Images, OutputRange, cover, dimension, panel_of
from fastcnn.kernels.cpu.gemm.walk import Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import aligned, at3, copy

ROOM = 98304  # elements of e in the buffer, and of z: 384 KB of float32 each at most
LOW, TALL = 4, 7  # rows of a band at least: a row or two of e are computed by its neighbour as well
LARGE = 131072  # elements of all e that no longer lie in L2, so that low bands are better than parts of the channels


def inverted_residual_suits(geometry):
    """Return whether the block is faster in one call than layer by layer.

    Parameters
    ----------
    geometry : CONV2D, shape (3,)
        Expansion, window, projection; one that is absent has no filters, k = 0.
    """
    first, window = geometry[0], geometry[1]
    if int(window["dh"]) != 1:
        return False
    return int(first["kh"] * first["kw"] * first["sh"] * first["sw"]) == 1 or _is_large(window)


def _is_large(g):
    return int(g["n"]) * int(g["h"]) * int(g["w"]) * int(g["c"]) >= LARGE


_is_large_of = inlined(_is_large)


def inverted_residual_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `inverted_residual_forward` wants."""
    g = geometry[1]
    _, buffer, between = _rows(g)
    pixels = g["n"] * g["oh"] * g["ow"]
    words = (between, pixels * geometry[2]["c"]) if _has_pairs(geometry) else (0, 0)
    bands = config.NUMBA_NUM_THREADS * (buffer + between + words[0])
    return int(bands if _is_large(g) else max(bands, _between(g) + aligned(pixels * g["c"]) + words[1]))


def inverted_residual_forward_packed(geometry, dtype):
    """Return how many elements `packed` of `inverted_residual_forward` has."""
    return sum(int(packed_size(1, int(g["k"]), int(g["kh"] * g["kw"] * g["c"]), dtype))
               for g in (geometry[0], geometry[2]) if g["k"] > 0)


def _has_pairs(geometry):
    """Return whether z is rounded to pairs of bfloat16: to the last geometry it has half as many channels."""
    return geometry[2]["c"] != geometry[1]["c"]


def _between(g):
    """Return where z begins behind all of e."""
    return aligned(g["n"] * g["h"] * g["w"] * g["c"])


def _rows(g):
    """Return output rows that pass together, and elements of the buffer of e and of z."""
    row, out = g["w"] * g["c"], g["ow"] * g["c"]
    tall = max(g["kh"] + g["sh"], ROOM // max(1, row))  # rows of e
    rows = max(1, min((tall - g["kh"]) // g["sh"] + 1, ROOM // max(1, out)))
    return rows, aligned(((rows - 1) * g["sh"] + g["kh"]) * row), aligned(rows * out)


_between_of, _rows_of, _has_pairs_in = inlined(_between), inlined(_rows), inlined(_has_pairs)


@kernel(in_place=("addend",))
def inverted_residual_forward(y, scratch, packed, x, expand, expand_bias, window, window_bias, project, project_bias,
                              addend, bounds, ready, geometry):
    """y = project(window(expand(x))), each with its bias and ends, the addend before the last.

    Parameters
    ----------
    y : (N, OH, OW, K) array, or (N, OH, OW, E) without a projection
        Written.
    scratch : (inverted_residual_forward_scratch(geometry, dtype),) array
    packed : (inverted_residual_forward_packed(geometry, dtype),) array
        Both banks as the tile reads them: written, or read if `ready`.
    x : (N, H, W, C) array
    expand : (EH, EW, C, E) array, or of size 0
    expand_bias : (E,) or (0,) array
    window : (KH, KW, 1, E) array
    window_bias : (E,) or (0,) array
    project : (1, 1, E, K) array, or of size 0
    project_bias : (K,) or (0,) array
    addend : (y.size,) or (0,) array
    bounds : (9,) array
        The lowest and the highest e and the code of an activation, as of `conv2d_forward`; then of z, and of y.
    ready : int
        1 if `packed` is what an earlier call with the same weights left.
    geometry : CONV2D, shape (3,)
        As of `inverted_residual_suits`, which is true of it.
    """
    e, k, first = geometry[1]["c"], geometry[2]["k"], projection_at(packed, geometry)
    depth = geometry[0]["kh"] * geometry[0]["kw"] * geometry[0]["c"]
    if not ready:
        if first > 0:
            pack_start(packed, start_of(packed, 1, e, depth), expand_bias, 1, e)
            pack_filters(packed, expand.reshape(-1), 1, e, depth)
        rest = packed[first:]
        pack_start(rest, start_of(packed, 1, k, e), project_bias, 1, k)
        pack_filters(rest, project.reshape(-1), 1, k, e)
    flat, xf = y.reshape(-1), x.reshape(-1)
    run_block((flat, flat if k == 0 else scratch, scratch if first > 0 else xf, scratch, scratch),
              (packed, packed, first), (window.reshape(-1), window_bias), xf, (addend, bounds), geometry)


@inlined
def projection_at(packed, geometry):
    """Return where the bank of the projection begins, behind that of the expansion and its bias: 0 if there is none."""
    f, (width, blocks) = geometry[0], blocks_of(packed, geometry[1]["c"])
    end = start_of(packed, 1, geometry[1]["c"], f["kh"] * f["kw"] * f["c"]) + blocks * width
    return aligned(end) if f["k"] > 0 else np.int64(0)


@inlined
def run_block(memory, banks, window, x, ends, geometry):
    """Compute a block whose filters are packed.

    `memory` are y, where z is written, where the window reads e, the scratch, and the same array or its words, as the
    projection reads it. `banks` are the packed filters, numbers or words, the same as numbers, and `projection_at`,
    `window` the depthwise filters and their bias, `ends` addend and bounds. All are flat.
    """
    n, threads, large = geometry[1]["n"], threads_now(), _is_large_of(geometry[1])
    wanted = threads // math.gcd(n, threads) if n < 8 * threads else 1  # the fewest that give all threads as many
    bands = min(wanted, geometry[1]["oh"] // (LOW if large else TALL))
    if large or bands == wanted:
        parallel(_band, n * max(1, bands), (memory, (banks, window), x, (ends, max(1, bands)), geometry))
        return
    packed, e, k = banks[1], geometry[1]["c"], geometry[2]["k"]
    parts = min(threads, max(1, blocks_of(packed, e)[1]))
    parallel(_part, n * parts, (memory, (banks, window), x, (ends[1], parts), geometry))
    if k > 0:
        shares = _shares(geometry[2], blocks_of(packed, k)[1])
        parallel(_project, shares[0] * shares[2], (memory, banks, ends, shares, geometry))


@inlined
def _band(task, thread, memory, filters, x, cut, geometry):
    """A band of output rows of one image."""
    f, g, (deep, k) = geometry[0], geometry[1], (geometry[2]["c"], geometry[2]["k"])
    (y, zs, es, scratch, words), ((bank, packed, first), (window, window_bias)) = memory, filters
    (addend, bounds), bands = cut
    h, w, e, oh, ow, sh, kh = g["h"], g["w"], g["c"], g["oh"], g["ow"], g["sh"], g["kh"]
    depth, paired = f["kh"] * f["kw"] * f["c"], _has_pairs_in(geometry)
    rows, buffer, between = _rows_of(g)
    at = thread * (buffer + between + (between if paired else 0))
    z = at + buffer
    image, band = task // bands, task % bands
    row, bottom = band * oh // bands, (band + 1) * oh // bands
    base, have = 0, 0  # the buffer holds rows base .. have of e
    while row < bottom:
        end = min(row + rows, bottom)
        low, high = max(0, row * sh - g["top"]), min(h, (end - 1) * sh - g["top"] + kh)
        place = image * h * w * e
        if f["k"] > 0:
            if have > low:
                copy(scratch, at, scratch, at + (low - base) * w * e, (have - low) * w * e)
            have = min(max(have, low), high)
            base = low
            width, blocks = blocks_of(packed, e)
            cover(Images(scratch, at - base * w * e, 0, w), Images(x, image * f["h"] * f["w"] * f["c"], 0, f["w"]),
                  FilterBank(bank, width, depth * width, packed, start_of(packed, 1, e, depth)),
                  OutputRange(1, have, high, 0, blocks), dimension(f["sh"], f["dh"], -f["top"], 1, f["kh"], f["h"]),
                  dimension(f["sw"], f["dw"], -f["left"], 1, f["kw"], f["w"]), (1, f["c"], e),
                  (packed[0:0], bounds[0:3]))
            have = high
            place = at - base * w * e
        of_z = image * oh * ow * e if k == 0 and not paired else z - row * ow * e
        windows((zs, (of_z, ow * e, e)), (es, (place, h, w, e)), (window, (0, g["kw"] * e, e)),
                (window_bias, 0 if window_bias.size > 0 else -1), bounds[3:6], window_of(g),
                WindowRange(row, end - row, ow, 0, e, 0))
        if k == 0 and paired:
            _narrow(y, (image * oh + row) * ow * e, scratch, z, ((end - row) * ow, e, e))
        elif k > 0:
            width, from_z = blocks_of(packed, k)[0], z
            if paired:
                from_z = z + between
                _narrow(scratch.view(np.uint16), 2 * from_z, scratch, z, ((end - row) * ow, e, e))
            walk_grid((y, ((image * oh + row) * ow * k, 0, 0, k)), (words, (from_z, 0, 0, deep, 0, 0, 1)),
                      (bank, (first, 0, 0, width, deep * width)), at3(1, 1, (end - row) * ow), at3(1, 1, deep),
                      Sums(k, packed, first + start_of(packed, 1, k, deep), addend, bounds[6:9]),
                      panel_of(k * deep, deep))
        row = end


@inlined
def _narrow(y, to, scratch, at, shape):
    """Round z to bfloat16, into y of 16 bits: `shape` are rows, how many numbers of each, and from one to the next."""
    (rows, count, step), wide = shape, scratch.view(np.uint32)
    for row in range(rows):
        narrow_some(y[to + row * step:to + row * step + count], wide[at + row * step:at + row * step + count])


@inlined
def _part(task, memory, filters, x, cut, geometry):
    """e and z of one image, for some blocks of channels."""
    g, c, ((bank, packed, _), (window, window_bias)) = geometry[1], geometry[0]["c"], filters
    (y, zs, es, scratch, _), (bounds, parts) = memory, cut
    h, w, e, pixels, image, part = g["h"], g["w"], g["c"], g["h"] * g["w"], task // parts, task % parts
    width, blocks = blocks_of(packed, e)
    block = part * blocks // parts
    begin, end = block * width, min(e, (part + 1) * blocks // parts * width)
    place, count, shift = image * pixels * e, e, 0
    if geometry[0]["k"] > 0:
        place, count, shift = (image * e + begin) * pixels, end - begin, begin
        walk_grid((scratch, (place, 0, 0, count)), (x, (image * pixels * c, 0, 0, c, 0, 0, 1)),
                  (bank, (begin * c, 0, 0, width, c * width)), at3(1, 1, pixels), at3(1, 1, c),
                  Sums(count, packed, start_of(packed, 1, e, c) + begin, packed[0:0], bounds[0:3]),
                  panel_of(count * c, c))
    paired, alone = _has_pairs_in(geometry), geometry[2]["k"] == 0
    own = (0 if alone and not paired else _between_of(g)) + image * g["oh"] * g["ow"] * e
    windows((zs, (own + shift, g["ow"] * e, e)), (es, (place, h, w, count)), (window, (shift, g["kw"] * e, e)),
            (window_bias, shift if window_bias.size > 0 else -1), bounds[3:6], window_of(g),
            WindowRange(0, g["oh"], g["ow"], begin - shift, end - shift, 0))
    to, some = image * g["oh"] * g["ow"] * e + begin, (g["oh"] * g["ow"], end - begin, e)
    if paired and alone:
        _narrow(y, to, scratch, own + begin, some)
    elif paired:
        _narrow(scratch.view(np.uint16), 2 * _words_at(geometry) + to, scratch, own + begin, some)


@inlined
def _words_at(geometry):
    """Return where z in pairs begins, if all of it is made before the projection."""
    g = geometry[1]
    return _between_of(g) + aligned(g["n"] * g["oh"] * g["ow"] * g["c"])


@inlined
def _shares(g, blocks):
    """Return how the projection is cut: bands of pixels, pixels of a band, parts of the blocks."""
    pixels, weights = g["n"] * g["oh"] * g["ow"], g["c"] * g["k"]
    _, rows, parts = cut(1, pixels, 1, pixels * g["c"], weights, blocks, weights)
    return -(-pixels // rows), rows, parts


@inlined
def _project(task, memory, banks, ends, shares, geometry):
    """y of some pixels, for some blocks of filters."""
    g, deep, k = geometry[2], geometry[2]["c"], geometry[2]["k"]
    (y, _, _, _, words), (bank, packed, first), (addend, bounds) = memory, banks, ends
    bands, rows, parts = shares
    band, part = share_of(task, bands, parts, k, g["n"] * g["oh"] * g["ow"])
    width, blocks = blocks_of(packed, k)
    begin, end = part * blocks // parts * width, min(k, (part + 1) * blocks // parts * width)
    low = band * rows
    high = min(low + rows, g["n"] * g["oh"] * g["ow"])
    z = _words_at(geometry) if _has_pairs_in(geometry) else _between_of(geometry[1])
    walk_grid((y, (low * k + begin, 0, 0, k)), (words, (z + low * deep, 0, 0, deep, 0, 0, 1)),
              (bank, (first + begin * deep, 0, 0, width, deep * width)), at3(1, 1, high - low), at3(1, 1, deep),
              Sums(end - begin, packed, first + start_of(packed, 1, k, deep) + begin, addend, bounds[6:9]),
              panel_of((end - begin) * deep, deep))
