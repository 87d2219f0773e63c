"""The gradient of the filters of a narrow 2D convolution, one of few channels or few filters: vectors along the rows.

    dkernel[r, s, c, k] += sum over n, i, j of x[n, i sh + r dh - top, j sw + s dw - left, c] * dy[n, i, j, k]
    dbias[k]            += sum over n, i, j of dy[n, i, j, k]

The register tile of `backward_weights.py` has a lane for each filter and a row for each (r, s, c), and fills neither
where there are few. Here lanes are positions of an output row. A task takes bands of some rows and writes them channel
by channel, x with its border of zeros; with strides the columns of one phase lie side by side, so that every tap reads
its row in whole vectors::

    dy, a band      filter k   | row i: j = 0 1 2 ..  | row i + 1 ..       simd.row_products: all taps with all filters
    x, its rows     channel c  | row, phase 0 | phase 1 | next row ..      tap (r, s, c) begins r rows and s columns on

The sums of a band, of some dozen numbers in each lane, are added to totals in float64; those of all tasks in pairs.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.plan import PARTIAL, is_pointwise
from fastcnn.kernels.cpu.gemm.shares import GRAIN, TASKS
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, at3, clear, copy_apart
from fastcnn.kernels.cpu.simd.row_products import FILTERS, TAPS, row_products
from fastcnn.kernels.cpu.simd.sums import add_pairwise, wide
from fastcnn.kernels.cpu.simd.transpose import transpose_block
from fastcnn.kernels.cpu.simd.width import lanes, lanes_of

_BAND = 768  # positions of a band at most, but for a longer row
_LONGEST = 1024  # positions of a row: a lane adds 64 of them, or some rows of fewer
_MANY = 4096  # positions of a batch, from which the sums of a band cost little
_NEAR = 1 << 19  # elements of a thread's scratch that L2 holds
_TAPS = np.array([0, *TAPS.values()])


class _Sizes(NamedTuple):
    """Elements of a thread's scratch: of a channel of x and of a filter of dy, and where the parts begin."""

    row: Any
    channel: Any
    filter: Any
    gradient: Any
    table: Any
    sums: Any
    all: Any


def narrow_backward_weights_suits(geometry, dtype):
    """Return whether `narrow_backward_weights` is faster than the register tile.

    Parameters
    ----------
    geometry : CONV2D
    dtype : dtype
    """
    g, one = geometry[0], lanes(dtype)
    if g["groups"] != 1 or g["k"] >= one or g["n"] * g["oh"] * g["ow"] < _MANY:
        return False
    across, tall, _ = _bands(g)
    return bool((is_pointwise(g) or 2 * one <= across <= _LONGEST) and _sizes(g, across, tall, one).all <= _NEAR)


def narrow_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `narrow_backward_weights` wants."""
    g = geometry[0]
    wide_, tall, bands = _bands(g)
    chunks = _chunks(g, bands)
    return int(chunks * 2 * _size(g) + config.NUMBA_NUM_THREADS * _sizes(g, wide_, tall, lanes(dtype)).all)


@kernel
def narrow_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and of the bias of a convolution of few channels or filters.

    Parameters
    ----------
    dkernel : (KH, KW, C, K) array
        Added to.
    dbias : (K,) or (0,) array
        Added to; size 0 if there is no bias.
    scratch : (narrow_backward_weights_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    dy : (N, OH, OW, K) array
    geometry : CONV2D
        Of one group.
    """
    g = geometry[0]
    bands = _bands(g)[2]
    chunks, size, start = _chunks(g, bands), _size(g), np.int64(0)  # a literal would be another type
    clear(scratch, start, 2 * chunks * size)
    parallel(_task, chunks, (chunks, bands, scratch, x.reshape(-1), dy.reshape(-1), geometry))
    totals = wide(scratch[:2 * chunks * size])
    add_pairwise(totals, 0, size, chunks, size)
    flat, windows, c, k = dkernel.reshape(-1), g["kh"] * g["kw"], g["c"], g["k"]
    for tap in range(windows * c):  # (c, r, s) there
        accumulate(flat, (tap % windows * c + tap // windows) * k, totals, tap * k, k)
    accumulate(dbias, start, totals, dkernel.size, dbias.size)


@inlined
def _size(g):
    """Return the numbers of all gradients, in whole cache lines."""
    return aligned((g["kh"] * g["kw"] * g["c"] + 1) * g["k"])


@inlined
def _bands(g):
    """Return the positions of a row, the rows of a band, and the bands of the batch; of 1x1 windows all is one row."""
    if is_pointwise(g):
        positions = g["n"] * g["oh"] * g["ow"]
        return at3(min(_BAND, max(1, positions)), 1, -(-positions // _BAND))
    tall = min(max(1, g["oh"]), max(1, _BAND // max(1, g["ow"])))
    return at3(g["ow"], tall, g["n"] * -(-g["oh"] // tall))


@inlined
def _chunks(g, bands):
    """Return into how many tasks the bands are cut, each with sums of its own."""
    size = _size(g)
    most = min(bands, PARTIAL // max(1, size), g["n"] * g["oh"] * g["ow"] * size // GRAIN)
    return max(1, min(TASKS, most))


@inlined
def _sizes(g, across, tall, one):
    """Return the sizes of a thread's scratch, for bands of `tall` rows of `across` positions."""
    taps = g["kh"] * g["kw"] * g["c"]
    row = (((across - 1) * g["sw"] + (g["kw"] - 1) * g["dw"]) // g["sw"] + 1 + one) // one * one
    channel = ((tall - 1) * g["sh"] + (g["kh"] - 1) * g["dh"] + 1) * g["sw"] * row
    filter_ = tall * (-(-across // one) * one)
    gradient = aligned(-(-g["c"] // one) * one * channel)
    table = gradient + aligned(-(-g["k"] // one) * one * filter_)
    sums = table + aligned(2 * taps)
    return _Sizes(row, channel, filter_, gradient, table, sums, sums + _size(g))


@inlined
def _task(chunk, thread, chunks, bands, scratch, x, dy, geometry):
    """A chunk of bands, added to the chunk's totals."""
    g = geometry[0]
    across, tall, _ = _bands(g)
    sizes, size = _sizes(g, across, tall, lanes_of(x)), _size(g)
    own = scratch[chunks * 2 * size + thread * sizes.all:chunks * 2 * size + (thread + 1) * sizes.all]
    totals = wide(scratch[chunk * 2 * size:(chunk + 1) * 2 * size])
    starts = own[sizes.table:sizes.sums].view(np.int64)
    clear(own, np.int64(0), sizes.all)  # the border, which no band writes
    _find_taps(starts, sizes, g)
    begin, end = chunk_of(chunk, chunks, bands)
    for band in range(begin, end):
        if is_pointwise(g):
            place = band * across
            wide_, rows = min(across, g["n"] * g["oh"] * g["ow"] - place), np.int64(1)
            _by_channel(own, 0, sizes.channel, x, place * g["c"], g["c"], wide_, g["c"])
        else:
            an_image = -(-g["oh"] // tall)
            image, top = band // an_image, band % an_image * tall
            wide_, rows, place = across, min(tall, g["oh"] - top), (image * g["oh"] + top) * g["ow"]
            _take_rows(own, x, image, top * g["sh"] - g["top"], rows, sizes, g)
        apart = sizes.filter // tall
        for i in range(rows):
            row = (place + i * g["ow"]) * g["k"]
            _by_channel(own, sizes.gradient + i * apart, sizes.filter, dy, row, g["k"], wide_, g["k"])
        _multiply(own, starts, rows, wide_, apart, sizes, g)
        _add_bias(own, rows, wide_, apart, sizes, g)
        for at in range(size):
            totals[at] += own[sizes.sums + at]


@inlined
def _find_taps(starts, sizes, g):
    """Write where tap (c, r, s) begins in the rows of x; in this order neighbours read the same rows."""
    q = 0
    for c in range(g["c"]):
        for r in range(g["kh"]):
            for s in range(g["kw"]):
                row, column = (c * sizes.channel + r * g["dh"] * g["sw"] * sizes.row), s * g["dw"]
                starts[q] = row + column % g["sw"] * sizes.row + column // g["sw"]
                q += 1


@inlined
def _take_rows(own, x, image, first, rows, sizes, g):
    """Write the rows that some output rows see, from row `first` of an image on, but for the border at the sides."""
    h, w, c, sw, left = g["h"], g["w"], g["c"], g["sw"], g["left"]
    for i in range((rows - 1) * g["sh"] + (g["kh"] - 1) * g["dh"] + 1):
        inside = 0 <= first + i < h
        for phase in range(sw):
            at = (i * sw + phase) * sizes.row
            begin = min(sizes.row, max(0, -((phase - left) // sw)))
            end = max(begin, min(sizes.row, -((phase - left - w) // sw)))
            if inside:
                pixel = (image * h + first + i) * w + phase + begin * sw - left
                _by_channel(own, at + begin, sizes.channel, x, pixel * c, sw * c, end - begin, c)
            else:
                for channel in range(c):
                    clear(own, channel * sizes.channel + at + begin, end - begin)


@inlined
def _by_channel(out, at, apart, source, source_at, step, pixels, channels):
    """Write pixels, a `step` apart, channel by channel, `apart`."""
    one = lanes_of(out)
    whole = pixels // one * one
    # A block reads whole vectors of channels, and writes as many rows: of few ones most would be in vain.
    if channels < one // 2 or whole == 0 or source_at + (whole - 1) * step + -(-channels // one) * one > source.size:
        whole = max(0, whole - one) if channels >= one // 2 else 0
    for pixel in range(0, whole, one):
        for channel in range(0, channels, one):
            transpose_block(out, at + channel * apart + pixel, apart, source, source_at + pixel * step + channel, step)
    for channel in range(channels):
        copy_apart(out, at + channel * apart + whole, 1, source, source_at + whole * step + channel, step,
                   pixels - whole)


@inlined
def _multiply(own, starts, rows, across, apart, sizes, g):
    """Write the sums of a band: for some taps, whose rows stay in L1, the filters one tile after the other."""
    taps, k, x_row = g["kh"] * g["kw"] * g["c"], g["k"], g["sh"] * g["sw"] * sizes.row
    few = min(k, FILTERS)
    some = _TAPS[few]
    for q in range(0, taps, some):
        first = max(0, min(q, taps - some))
        for at in range(0, k, few):
            begin = min(at, k - few)
            row_products((own, own, own, starts), (sizes.sums + begin, 0, sizes.gradient + begin * sizes.filter, 0),
                         (first, taps), few, (rows, across), (x_row, apart, sizes.filter, k))


@inlined
def _add_bias(own, rows, across, apart, sizes, g):
    """Write the sums of the rows of dy behind those of the filters."""
    for k in range(g["k"]):
        total = own.dtype.type(0)
        for i in range(rows):
            at = np.uintp(sizes.gradient + k * sizes.filter + i * apart)
            for j in range(np.uintp(across)):
                total += own[at + j]
        own[sizes.sums + g["kh"] * g["kw"] * g["c"] * g["k"] + k] = total
