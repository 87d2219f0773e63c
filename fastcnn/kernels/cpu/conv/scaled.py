"""A 1x1 convolution of an image whose channels are scaled first, in the same pass.

    y[n, i, j, k] = bias[k] + sum_c  f(scale[n, c] x[n, i, j, c] + offset[c]) * kernel[c, k]        f: ReLU, or nothing

Normalization and ReLU before a convolution (*pre-activation*, He et al., 2016, and DenseNet) are such a map, and so is
the gate of squeeze-and-excitation (Hu et al., 2018). As a pass of its own it would read and write all of x, and cost a
launch.

A task is a band of pixels and a part of the blocks of filters. The band is scaled into the thread's memory, from where
the tile reads it. Tasks of one band follow one another, and what a thread has scaled already it scales no more::

    x (pixels, C of a wider table)        the thread's memory, L2           B = packed filters
    |c c c c| . . .                       |c c c c|                         blocks of (C, width), from L2
    |c c c c| . . .     -- f(s x + o) --> |c c c c|   14 rows a tile  x     a part of them   -->  y

Where an image has many more pixels than filters, a gate scales the filters instead, in the thread's memory, and the
tile reads x where it lies: the product of three numbers is the same, up to its rounding.
"""

import math

from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.forward import conv2d_forward_packed
from fastcnn.kernels.cpu.conv.plan import is_pointwise
from fastcnn.kernels.cpu.gemm.packing import blocks_of, pack_filters, pack_start, start_of
from fastcnn.kernels.cpu.gemm.shares import tasks_for
from fastcnn.kernels.cpu.gemm.taps import panel_of
from fastcnn.kernels.cpu.gemm.tile import M0
from fastcnn.kernels.cpu.gemm.walk import TABLE, Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import aligned, at3

BAND = 65536  # elements of a band: 256 KB of float32, within L2 beside a block of filters
HEAD = 16  # elements before a thread's band: the first says which one it is
FEW_TILES = 8  # of all pixels, up to which two threads rather scale all of them than have unequal bands
FEWEST = 8  # filters from which on it pays off
MANY = 4  # pixels for a filter, from which on it is the filters that a gate scales


def scaled_conv2d_suits(geometry):
    """Return whether `scaled_conv2d_forward` can do a convolution, and faster than a pass before it.

    Parameters
    ----------
    geometry : CONV2D
    """
    return bool(is_pointwise(geometry[0])) and int(geometry[0]["k"]) >= FEWEST


def scaled_conv2d_forward_packed(geometry, dtype):
    """Return how many elements `packed` of `scaled_conv2d_forward` has."""
    return conv2d_forward_packed(geometry, dtype)


def scaled_conv2d_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `scaled_conv2d_forward` wants."""
    return int(config.NUMBA_NUM_THREADS * _share(geometry[0]))


@kernel(in_place=("addend",), wide=("x",))
def scaled_conv2d_forward(y, scratch, packed, x, scale, offset, kernel, bias, addend, bounds, relu, ready, geometry):
    """y = conv(scale x + offset, kernel) + bias + addend, and what is beyond the bounds set to them.

    Parameters
    ----------
    y : (N H W, K) array
        Written.
    scratch : (scaled_conv2d_forward_scratch(geometry, dtype),) array
    packed : (scaled_conv2d_forward_packed(geometry, dtype),) array
        The filters and the bias: written, or read if `ready`.
    x : (N H W, C or more) array
        Whose first C columns are read.
    scale : (1, C) or (N, C) array
        For all images, or for each.
    offset : (C,) or (0,) array
        None for a scale alone, without ReLU.
    kernel : (1, 1, C, K) array
    bias : (K,) or (0,) array
    addend : (y.size,) or (0,) array
        Lies as y does.
    bounds : (2,) or (3,) array
        As of `conv2d_forward`.
    relu : int
        1 to take 0 in the place of what is negative after scale and offset, NaN staying NaN.
    ready : int
        1 if `packed` is as an earlier call with this kernel and bias left it.
    geometry : CONV2D
        Of a 1x1 convolution with stride 1, without groups.
    """
    g = geometry[0]
    c, k = g["c"], g["k"]
    start = start_of(packed, 1, k, c)
    if not ready:
        pack_start(packed, start, bias, 1, k)
        pack_filters(packed, kernel.reshape(-1), 1, k, c)
    width, blocks = blocks_of(packed, k)
    by_filters = offset.size == 0 and relu == 0 and _scales_filters(g, blocks * width)
    bands, parts = _plan_of_images(g) if by_filters else _plan(g, blocks)
    for thread in range(scratch.size // _share(g)):
        scratch[thread * _share(g)] = -1  # no band yet
    parallel(_task, bands * parts, ((y.reshape(-1), addend, bounds), scratch, packed,
                                    (x.reshape(-1), x.shape[1], scale, offset, relu), (bands, parts, start, by_filters),
                                    geometry))


@inlined
def _scales_filters(g, columns):
    """Whether a gate scales the filters, packed in so many columns; the same for any number of images."""
    return g["h"] * g["w"] >= MANY * g["k"] and g["c"] * columns <= _tiles(g) * M0 * _row(g["c"])


@inlined
def _row(c):
    """Return the elements from a row of a band to the next: 16 more than a power of two, which would meet in L1."""
    return aligned(c) + 16


@inlined
def _tiles(g):
    """Return how many of the tallest tiles the rows of a band fill."""
    return max(1, min(BAND // _row(g["c"]), TABLE, g["n"] * g["h"] * g["w"] + M0 - 1) // M0)


@inlined
def _share(g):
    """Return the elements of a thread's memory."""
    return HEAD + aligned(_tiles(g) * M0 * _row(g["c"]))  # or less, of scaled filters


@inlined
def _plan(g, blocks):
    """Return bands of the pixels, and parts of the blocks of filters."""
    rows = g["n"] * g["h"] * g["w"]
    tiles, tasks = -(-rows // M0), tasks_for(rows * g["c"] * g["k"])
    bands = -(-tiles // _tiles(g))
    if bands < tiles and bands % 2 != 0 and (bands > 1 or tiles >= FEW_TILES):  # two threads have as many each
        bands += 1
    return bands, max(1, min(blocks, -(-tasks // max(1, bands))))


@inlined
def _plan_of_images(g):
    """As `_plan`, where a band lies in one image."""
    n, tiles = max(1, g["n"]), -(-g["h"] * g["w"] // M0)
    bands = min(tiles, -(-tasks_for(g["n"] * g["h"] * g["w"] * g["c"] * g["k"]) // n))
    if n * bands % 2 != 0 and 1 < bands < tiles:
        bands += 1
    return g["n"] * bands, 1


@inlined
def _task(task, thread, ys, scratch, packed, xs, cuts, geometry):
    """One band of pixels, for a part of the blocks."""
    g, (y, addend, bounds), (bands, parts, start, by_filters) = geometry[0], ys, cuts
    c, k, rows = g["c"], g["k"], g["n"] * g["h"] * g["w"]
    if by_filters:
        _task_of_image(task, thread, ys, scratch, packed, xs, (bands // g["n"], start), geometry)
        return
    band, part = task // parts, task % parts
    low, high = chunk_of(band, bands, -(-rows // M0))
    low, high = low * M0, min(high * M0, rows)
    head, step = thread * _share(g), _row(c)
    if scratch[head] != band:
        _scale(scratch, head + HEAD, step, xs, (low, high), (c, g["h"] * g["w"]))
        scratch[head] = band
    width, blocks = blocks_of(y, k)
    first, last = chunk_of(part, parts, blocks)
    count = min(k, last * width) - first * width
    walk_grid((y, (low * k + first * width, 0, 0, k)), (scratch, (head + HEAD, 0, 0, step, 0, 0, 1)),
              (packed, (first * c * width, 0, 0, width, c * width)), at3(1, 1, high - low), at3(1, 1, c),
              Sums(count, packed, start + first * width, addend, bounds), panel_of(count * c, c))


@inlined
def _task_of_image(task, thread, ys, scratch, packed, xs, cuts, geometry):
    """One band of an image, with filters that its gate has scaled."""
    g, (y, addend, bounds), (x, wide, scale, _, _), (bands, start) = geometry[0], ys, xs, cuts
    c, k, pixels = g["c"], g["k"], g["h"] * g["w"]
    image, band = task // bands, task % bands
    low, high = chunk_of(band, bands, -(-pixels // M0))
    low, high = image * pixels + low * M0, image * pixels + min(high * M0, pixels)
    width, blocks = blocks_of(y, k)
    head = thread * _share(g)
    if scratch[head] != image:
        factor = scale[image if scale.shape[0] > 1 else 0]
        for row in range(blocks * c):
            at, by = row * width, factor[row % c]
            to, of = scratch[head + HEAD + at:head + HEAD + at + width], packed[at:at + width]
            for i in range(to.size):
                to[i] = of[i] * by
        scratch[head] = image
    walk_grid((y, (low * k, 0, 0, k)), (x, (low * wide, 0, 0, wide, 0, 0, 1)),
              (scratch, (head + HEAD, 0, 0, width, c * width)), at3(1, 1, high - low), at3(1, 1, c),
              Sums(k, packed, start, addend, bounds), panel_of(k * c, c))


@inlined
def _scale(scratch, at, step, xs, rows, sizes):
    """Write some pixels, scaled, to the scratch."""
    (x, wide, scale, offset, relu), (low, high), (c, pixels) = xs, rows, sizes
    low_end = scratch.dtype.type(0 if relu != 0 else -math.inf)
    for row in range(low, high):
        begin = at + (row - low) * step
        to, of = scratch[begin:begin + c], x[row * wide:row * wide + c]
        factor = scale[row // pixels if scale.shape[0] > 1 else 0]
        if offset.size == 0:
            for i in range(to.size):
                to[i] = of[i] * factor[i]
        else:
            for i in range(to.size):
                value = of[i] * factor[i] + offset[i]
                to[i] = low_end if value < low_end else value
