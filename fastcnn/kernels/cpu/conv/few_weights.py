"""The gradient of few filters of a 2D convolution of many channels: vectors along the channels.

    dkernel[r, s, c, k] += sum over n, i, j of x[n, i, j, c] * dy[n, i + top - r dh, j + left - s dw, k]     stride 1
    dbias[k]            += sum over n, i, j of dy[n, i, j, k]

The register tile of `backward_weights.py` has a lane for each filter, of which one fills a sixteenth. Here the operands
change places: lanes are channels, x is read where it lies, and the tile's rows are (r, s, k), 9 for one filter of 3x3::

    dy, some rows with zeros around them     x, the pixels that they saw       sums, one tap and filter a row
    |0 0 0 0 0 0 0|                          | c0 .. c31 |                     (0, 0) | c0 .. c31 |
    |0 d d d d d 0|  broadcast, each tap     | c0 .. c31 |                     (0, 1) | c0 .. c31 |
    |0 d d d d d 0|  from its own place      | ..        |                     ..

The sums of a band, of some hundred pixels, are added to totals in float64; those of all tasks in pairs.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.backward_weights_plan import band_size
from fastcnn.kernels.cpu.conv.plan import PARTIAL
from fastcnn.kernels.cpu.gemm.shares import GRAIN, TASKS
from fastcnn.kernels.cpu.gemm.walk import TABLE, Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, at3, clear, fill_slab
from fastcnn.kernels.cpu.simd.sums import TERMS, add_pairwise, add_wide, wide
from fastcnn.kernels.cpu.simd.width import lanes, lanes_of

_MANY = 4096  # positions of a batch, from which the sums of a band cost little
_NEAR = 1 << 17  # elements of a thread's scratch that stay in L2 beside the pixels


class _FewSizes(NamedTuple):
    """Elements of a thread's scratch: of dy's rows with their border, of the sums, of a row of dy, of all."""

    slab: Any
    sums: Any
    row: Any
    all: Any


def few_filters_backward_weights_suits(geometry, dtype):
    """Return whether `few_filters_backward_weights` is faster than kernels whose lanes are filters or positions.

    Parameters
    ----------
    geometry : CONV2D
    dtype : dtype
    """
    g, one = geometry[0], lanes(dtype)
    plain = g["groups"] == g["sh"] == g["sw"] == 1 and g["kh"] * g["kw"] > 1
    return bool(plain and g["k"] < one and g["c"] % one == 0 and g["n"] * g["oh"] * g["ow"] >= _MANY
                and _sizes(g).all <= _NEAR)


def few_filters_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `few_filters_backward_weights` wants."""
    g = geometry[0]
    return int(_chunks(g, _bands(g)[2]) * 2 * _size(g) + config.NUMBA_NUM_THREADS * _sizes(g).all)


@kernel
def few_filters_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and of the bias of a convolution of few filters.

    Parameters
    ----------
    dkernel : (KH, KW, C, K) array
        Added to.
    dbias : (K,) or (0,) array
        Added to; size 0 if there is no bias.
    scratch : (few_filters_backward_weights_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
        C is a multiple of a vector's numbers.
    dy : (N, OH, OW, K) array
    geometry : CONV2D
        Of one group and stride 1.
    """
    g = geometry[0]
    bands = _bands(g)[2]
    chunks, size, start = _chunks(g, bands), _size(g), np.int64(0)  # a literal would be another type
    clear(scratch, start, 2 * chunks * size)
    parallel(_task, chunks, (chunks, bands, scratch, x.reshape(-1), dy.reshape(-1), geometry))
    totals = wide(scratch[:2 * chunks * size])
    add_pairwise(totals, 0, size, chunks, size)
    flat, windows, c, k = dkernel.reshape(-1), g["kh"] * g["kw"], g["c"], g["k"]
    for tap in range(windows):
        for channel in range(c):
            for filter_ in range(k):  # (r, s, k, c) there
                flat[(tap * c + channel) * k + filter_] += totals[(tap * k + filter_) * c + channel]
    accumulate(dbias, start, totals, dkernel.size, dbias.size)


@inlined
def _size(g):
    """Return the numbers of all gradients, in whole cache lines."""
    return aligned((g["kh"] * g["kw"] * g["c"] + 1) * g["k"])


@inlined
def _bands(g):
    """Return the pixels of a row, or of a part of it, that are in a band, its rows, and the bands of the batch."""
    across = min(max(1, g["w"]), band_size(g))
    tall = min(max(1, g["h"]), max(1, band_size(g) // across))
    return at3(across, tall, g["n"] * -(-g["h"] // tall) * -(-g["w"] // across))


@inlined
def _chunks(g, bands):
    """Return into how many tasks the bands are cut, each with sums of its own."""
    size = _size(g)
    most = min(bands, PARTIAL // max(1, size), g["n"] * g["h"] * g["w"] * size // GRAIN)
    return max(1, min(TASKS, most))


@inlined
def _sizes(g):
    """Return the sizes of a thread's scratch."""
    across, tall, _ = _bands(g)
    slab = aligned((tall + (g["kh"] - 1) * g["dh"]) * (across + (g["kw"] - 1) * g["dw"]) * g["k"])
    sums, row = aligned(g["kh"] * g["kw"] * g["c"] * g["k"]), aligned(g["ow"] * g["k"])
    return _FewSizes(slab, sums, row, slab + sums + row)


@inlined
def _task(chunk, thread, chunks, bands, scratch, x, dy, geometry):
    """A chunk of bands, and as large a part of the rows of dy for the bias, added to the chunk's totals."""
    g, size = geometry[0], _size(geometry[0])
    sizes = _sizes(g)
    at = chunks * 2 * size + thread * sizes.all
    own, weights = scratch[at:at + sizes.all], g["kh"] * g["kw"] * g["c"] * g["k"]
    totals = wide(scratch[chunk * 2 * size:(chunk + 1) * 2 * size])
    clear(own, np.int64(0), sizes.all)
    begin, end = chunk_of(chunk, chunks, bands)
    for band in range(begin, end):
        _multiply(own, x, dy, band, sizes, g)
        add_wide(totals[:weights], own[sizes.slab:sizes.slab + weights])
    _add_bias(totals[weights:weights + g["k"]], own[sizes.slab + sizes.sums:], dy,
              chunk_of(chunk, chunks, g["n"] * g["oh"]), g)


@inlined
def _multiply(own, x, dy, band, sizes, g):
    """Write the sums of a band: its pixels times what saw them, for all taps and filters."""
    across, tall, _ = _bands(g)
    strips, k, c = -(-g["w"] // across), g["k"], g["c"]
    left, top = band % strips * across, band // strips % -(-g["h"] // tall) * tall
    image = band // strips // -(-g["h"] // tall)
    rows, columns = min(tall, g["h"] - top), min(across, g["w"] - left)
    high, broad = (g["kh"] - 1) * g["dh"], (g["kw"] - 1) * g["dw"]
    wide_ = columns + broad
    fill_slab(own, np.int64(0), dy, image * g["oh"] * g["ow"] * k, (g["oh"], g["ow"], k),
              (top + g["top"] - high, rows + high), (broad - left - g["left"], wide_))
    walk_grid((own, (sizes.slab, g["kw"] * k * c, k * c, c)),
              (own, ((high * wide_ + broad) * k, -g["dh"] * wide_ * k, -g["dw"] * k, 1, wide_ * k, 0, k)),
              (x, (((image * g["h"] + top) * g["w"] + left) * c, g["w"] * c, 0, c, 2 * lanes_of(x))),
              at3(g["kh"], g["kw"], k), at3(rows, 1, columns), Sums(c, own, -1, 0, 0), TABLE)


@inlined
def _add_bias(totals, sums, dy, rows, g):
    """Add some rows of dy to the totals of the bias: a few of them one on the other, then their numbers."""
    (begin, end), across, k = rows, g["ow"] * g["k"], g["k"]
    for first in range(begin, end, TERMS):
        for row in range(first, min(first + TERMS, end)):
            accumulate(sums, np.int64(0), dy, row * across, across)
        for at in range(across):
            totals[at % k] += sums[at]
            sums[at] = 0
