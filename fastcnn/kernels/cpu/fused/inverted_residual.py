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
"""

import math

from numba import config

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel, threads_now
from fastcnn.kernels.cpu.depthwise.forward import window_of
from fastcnn.kernels.cpu.depthwise.walk import WindowRange, windows
from fastcnn.kernels.cpu.gemm.packing import blocks_of, pack_filters, pack_start, packed_size, start_of
from fastcnn.kernels.cpu.gemm.shares import cut, share_of
from fastcnn.kernels.cpu.gemm.taps import FilterBank, Images, OutputRange, cover, dimension, panel_of
from fastcnn.kernels.cpu.gemm.walk import Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import aligned, at3, copy

ROOM = 98304  # elements of e in the buffer, and of z: 384 KB of float32 each at most
LOW, TALL = 4, 7  # rows of a band at least: it computes one or two rows of e that its neighbour computes as well
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
    pointwise = int(first["kh"] * first["kw"] * first["sh"] * first["sw"]) == 1
    return pointwise or _is_large(window)


def _is_large(g):
    return int(g["n"]) * int(g["h"]) * int(g["w"]) * int(g["c"]) >= LARGE


_is_large_of = inlined(_is_large)


def inverted_residual_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `inverted_residual_forward` wants."""
    g = geometry[1]
    buffer, between = _rows(g)[1:]
    bands = int(config.NUMBA_NUM_THREADS * (buffer + between))
    return bands if _is_large(g) else max(bands, int(_between(g) + g["n"] * g["oh"] * g["ow"] * g["c"]))


def inverted_residual_forward_packed(geometry, dtype):
    """Return how many elements `packed` of `inverted_residual_forward` has."""
    return sum(int(packed_size(1, int(g["k"]), int(g["kh"] * g["kw"] * g["c"]), dtype))
               for g in (geometry[0], geometry[2]) if g["k"] > 0)


def _between(g):
    """Return where z begins behind all of e."""
    return aligned(g["n"] * g["h"] * g["w"] * g["c"])


def _rows(g):
    """Return output rows that pass together, and elements of the buffer of e and of z."""
    row, out = g["w"] * g["c"], g["ow"] * g["c"]
    tall = max(g["kh"] + g["sh"], ROOM // max(1, row))  # rows of e
    rows = max(1, min((tall - g["kh"]) // g["sh"] + 1, ROOM // max(1, out)))
    return rows, aligned(((rows - 1) * g["sh"] + g["kh"]) * row), aligned(rows * out)


_between_of, _rows_of = inlined(_between), inlined(_rows)


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
    e, k, depth = geometry[1]["c"], geometry[2]["k"], geometry[0]["kh"] * geometry[0]["kw"] * geometry[0]["c"]
    wide = geometry[0]["k"] > 0
    first = aligned(start_of(packed, 1, e, depth) + blocks_of(packed, e)[0] * blocks_of(packed, e)[1]) if wide else 0
    if not ready:
        if wide:
            pack_start(packed, start_of(packed, 1, e, depth), expand_bias, 1, e)
            pack_filters(packed, expand.reshape(-1), 1, e, depth)
        rest = packed[first:]
        pack_start(rest, start_of(packed, 1, k, e), project_bias, 1, k)
        pack_filters(rest, project.reshape(-1), 1, k, e)
    n, threads, large = geometry[1]["n"], threads_now(), _is_large_of(geometry[1])
    flat, xf, wf = y.reshape(-1), x.reshape(-1), window.reshape(-1)
    wanted = threads // math.gcd(n, threads) if n < 8 * threads else 1  # the fewest that give all threads as many
    bands = min(wanted, geometry[1]["oh"] // (LOW if large else TALL))
    if large or bands == wanted:
        bands = max(1, bands)
        parallel(_band, n * bands, (flat, scratch, (packed, first, wf, window_bias), xf, (addend, bounds, bands),
                                   geometry))
        return
    parts = max(1, min(threads, blocks_of(packed, e)[1]))
    parallel(_part, n * parts, (flat, scratch, packed, xf, (wf, window_bias), bounds, parts, geometry))
    if k == 0:
        return
    shares = _shares(geometry[2], blocks_of(packed, k)[1])
    parallel(_project, shares[0] * shares[2],
             (flat, scratch, (packed, first), (addend, bounds), shares, geometry))


@inlined
def _band(task, thread, y, scratch, filters, x, ends, geometry):
    """A band of output rows of one image."""
    f, g, k = geometry[0], geometry[1], geometry[2]["k"]
    (packed, first, window, window_bias), (addend, bounds, bands) = filters, ends
    h, w, e, oh, ow, sh, kh = g["h"], g["w"], g["c"], g["oh"], g["ow"], g["sh"], g["kh"]
    depth = f["kh"] * f["kw"] * f["c"]
    rows, buffer, between = _rows_of(g)
    at = thread * (buffer + between)
    z = at + buffer
    image, band = task // bands, task % bands
    row, bottom = band * oh // bands, (band + 1) * oh // bands
    base, have = 0, 0  # the buffer holds rows base .. have of e
    while row < bottom:
        end = min(row + rows, bottom)
        low, high = max(0, row * sh - g["top"]), min(h, (end - 1) * sh - g["top"] + kh)
        source, place = x, image * h * w * e
        if f["k"] > 0:
            if have > low:
                copy(scratch, at, scratch, at + (low - base) * w * e, (have - low) * w * e)
            have = min(max(have, low), high)
            base = low
            width, blocks = blocks_of(y, e)
            cover(Images(scratch, at - base * w * e, 0, w), Images(x, image * f["h"] * f["w"] * f["c"], 0, f["w"]),
                  FilterBank(packed, width, depth * width, packed, start_of(packed, 1, e, depth)),
                  OutputRange(1, have, high, 0, blocks), dimension(f["sh"], f["dh"], -f["top"], 1, f["kh"], f["h"]),
                  dimension(f["sw"], f["dw"], -f["left"], 1, f["kw"], f["w"]), (1, f["c"], e),
                  (packed[0:0], bounds[0:3]))
            have = high
            source, place = scratch, at - base * w * e
        to, of_z = (y, image * oh * ow * e) if k == 0 else (scratch, z - row * ow * e)
        windows((to, (of_z, ow * e, e)), (source, (place, h, w, e)), (window, (0, g["kw"] * e, e)),
                (window_bias, 0 if window_bias.size > 0 else -1), bounds[3:6], window_of(g),
                WindowRange(row, end - row, ow, 0, e, 0))
        width = blocks_of(y, k)[0]
        if k > 0:
            walk_grid((y, ((image * oh + row) * ow * k, 0, 0, k)), (scratch, (z, 0, 0, e, 0, 0, 1)),
                      (packed, (first, 0, 0, width, e * width)), at3(1, 1, (end - row) * ow), at3(1, 1, e),
                      Sums(k, packed, first + start_of(packed, 1, k, e), addend, bounds[6:9]), panel_of(k * e, e))
        row = end


@inlined
def _part(task, y, scratch, packed, x, filters, bounds, parts, geometry):
    """e and z of one image, for some blocks of channels."""
    g, c, (window, window_bias) = geometry[1], geometry[0]["c"], filters
    h, w, e, pixels = g["h"], g["w"], g["c"], g["h"] * g["w"]
    image, part = task // parts, task % parts
    width, blocks = blocks_of(packed, e)
    block = part * blocks // parts
    begin, end = block * width, min(e, (part + 1) * blocks // parts * width)
    source, place, count, shift = x, image * pixels * e, e, 0
    if geometry[0]["k"] > 0:
        source, place, count, shift = scratch, (image * e + begin) * pixels, end - begin, begin
        walk_grid((scratch, (place, 0, 0, count)), (x, (image * pixels * c, 0, 0, c, 0, 0, 1)),
                  (packed, (begin * c, 0, 0, width, c * width)), at3(1, 1, pixels), at3(1, 1, c),
                  Sums(count, packed, start_of(packed, 1, e, c) + begin, packed[0:0], bounds[0:3]),
                  panel_of(count * c, c))
    to, of_z = (y, 0) if geometry[2]["k"] == 0 else (scratch, _between_of(g))
    windows((to, (of_z + image * g["oh"] * g["ow"] * e + shift, g["ow"] * e, e)), (source, (place, h, w, count)),
            (window, (shift, g["kw"] * e, e)), (window_bias, shift if window_bias.size > 0 else -1), bounds[3:6],
            window_of(g), WindowRange(0, g["oh"], g["ow"], begin - shift, end - shift, 0))


@inlined
def _shares(g, blocks):
    """Return how the projection is cut: bands of pixels, pixels of a band, parts of the blocks."""
    pixels, weights = g["n"] * g["oh"] * g["ow"], g["c"] * g["k"]
    _, rows, parts = cut(1, pixels, 1, pixels * g["c"], weights, blocks, weights)
    return -(-pixels // rows), rows, parts


@inlined
def _project(task, y, scratch, banks, ends, shares, geometry):
    """y of some pixels, for some blocks of filters."""
    g, e, k = geometry[2], geometry[1]["c"], geometry[2]["k"]
    (packed, first), (addend, bounds) = banks, ends
    bands, rows, parts = shares
    band, part = share_of(task, bands, parts, k, g["n"] * g["oh"] * g["ow"])
    width, blocks = blocks_of(packed, k)
    begin, end = part * blocks // parts * width, min(k, (part + 1) * blocks // parts * width)
    low = band * rows
    high = min(low + rows, g["n"] * g["oh"] * g["ow"])
    walk_grid((y, (low * k + begin, 0, 0, k)), (scratch, (_between_of(geometry[1]) + low * e, 0, 0, e, 0, 0, 1)),
              (packed, (first + begin * e, 0, 0, width, e * width)), at3(1, 1, high - low), at3(1, 1, e),
              Sums(end - begin, packed, first + start_of(packed, 1, k, e) + begin, addend, bounds[6:9]),
              panel_of((end - begin) * e, e))
