"""Runs of Winograd tiles: from an image to 36 matrices and back, and filters to packed blocks.

Tile t of a batch covers outputs 4 i .. 4 i + 3, 4 j .. 4 j + 3 of one image, with filters of 5x5 2 i, 2 i + 1, 2 j,
2 j + 1; tiles are counted along the rows of an image, then down, then over images. A run of tiles in the 36 matrices::

    matrix 0                     matrix 1                  ..  matrix 35
    tile 0  c0 c1 .. cC          tile 0  c0 c1 ..              rows of a product: tiles
    tile 1  c0 c1 .. cC          ...                           depth of a product: channels

Each of these loops is compiled once a type and called through a symbol. The matrices have whole vectors of channels,
of which those that do not exist are zeros or nothing that is read.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.gemm.walk_tiles import moved
from fastcnn.kernels.cpu.winograd.transforms import (
    FILTER,
    FILTER_GRADIENT,
    FILTER_GRADIENT_OF_5,
    FILTER_OF_5,
    GRADIENT,
    GRADIENT_OF_5,
    INPUT,
    OUTPUT,
    OUTPUT_OF_5,
    transform,
)


class Tiles(NamedTuple):
    """Tiles first .. first + count of images (N, h, w, c), of which each has `down` times `across`.

    `top` and `left` are the rows and columns that tile (0, 0) begins above and on the left of an image, `side` the
    outputs of a side of a tile.
    """

    h: Any
    w: Any
    c: Any
    top: Any
    left: Any
    down: Any
    across: Any
    first: Any
    count: Any
    side: Any


class FilterBlock(NamedTuple):
    """Channels `begin` .. `end` of a bank (window, window, c, k), and `columns` of its filters from `column` on."""

    c: Any
    k: Any
    column: Any
    columns: Any
    begin: Any
    end: Any
    window: Any


TILES_RECORD = types.NamedUniTuple(types.int64, 10, Tiles)
_BLOCK = types.NamedUniTuple(types.int64, 7, FilterBlock)


def _winograd_input(x, beside, tiles, own, zeros, v, steps):
    """B^T d B of some tiles; v (36, tiles, channels) has `steps` from tile to tile and from matrix to matrix.

    The first `own` channels are those of x, the others lie in `beside`, another array of images.
    """
    h, w = tiles.h, tiles.w
    for part in range(1 if own == tiles.c else 2):
        source, c, first = x, own, own - own
        if part == 1:
            source, c, first = beside, tiles.c - own, own
        for t in range(tiles.count):
            image, r, s = place_of(tiles, t)
            transform(INPUT, (source, (((image * h + r) * w + s) * c, w * c, c)), (-r, h - r, -s, w - s), zeros,
                      (v, (t * steps[0] + first, steps[1])), (zeros, 0), c)


def _winograd_gradient(dy, tiles, zeros, v, steps):
    """A dY A^T of some tiles of dy, and a 37th matrix with the sum of each tile."""
    h, w, c = tiles.h, tiles.w, tiles.c
    for t in range(tiles.count):
        image, r, s = place_of(tiles, t)
        pixels, bounds, to = (dy, (((image * h + r) * w + s) * c, w * c, c)), (0, h - r, 0, w - s), t * steps[0]
        if tiles.side == 4:
            transform(GRADIENT, pixels, bounds, zeros, (v, (to, steps[1])), (zeros, 0), c)
        else:
            transform(GRADIENT_OF_5, pixels, bounds, zeros, (v, (to, steps[1])), (zeros, 0), c)


def _winograd_output(y, beside, tiles, part, m, steps, ends, added):
    """A^T m A + bias of some tiles, to some channels: `part` are the first, how many, and those that y has itself.

    The others are channels of `beside`. `ends` are the bias, an addend that lies as y does and is read if `added`, the
    bounds, and memory that nobody reads. The addend and an upper bound are a second pass over the tile, in L1.
    """
    (column, columns, own), (bias, addend, bounds, unread) = part, ends
    low, again, h, w = bounds[0], added != 0 or bounds[1] < np.inf, tiles.h, tiles.w
    if added != 0:
        low = -np.inf
    middle = min(max(own, column), column + columns)
    for side in range(2):
        to, k, begin, end, before = y, own, column, middle, own - own
        if side == 1:
            to, k, begin, end, before = beside, tiles.c - own, middle, column + columns, own
        for t in range(tiles.count if begin < end else 0):
            image, r, s = place_of(tiles, t)
            at, r1, s1 = ((image * h + r) * w + s) * k + begin - before, h - r, w - s
            of, ends = (m, (t * steps[0] + begin - column, steps[1])), (moved(bias, begin - column), low)
            if tiles.side == 4:
                transform(OUTPUT, (to, (at, w * k, k)), (0, r1, 0, s1), unread, of, ends, end - begin)
            else:
                transform(OUTPUT_OF_5, (to, (at, w * k, k)), (0, r1, 0, s1), unread, of, ends, end - begin)
            if again:
                sizes = min(tiles.side, r1), min(tiles.side, s1), end - begin
                _finish_pixels(to, addend, added, bounds, (at, w * k, k), sizes)


@inlined(always=True)
def _finish_pixels(y, addend, added, bounds, place, sizes):
    """Add the addend, if there is one, and set what is beyond the bounds to them."""
    (at, row, step), (rows, columns, channels) = place, sizes
    for i in range(rows):
        for j in range(columns):
            for channel in range(at + i * row + j * step, at + i * row + j * step + channels):
                value = y[channel] + addend[channel] if added != 0 else y[channel]
                value = bounds[0] if value < bounds[0] else value
                y[channel] = bounds[1] if value > bounds[1] else value


def _winograd_filter(filters, strides, packed, steps, count, side):
    """G g G^T of filters at `count` depths, as 36 matrices (count, width).

    `strides` are those of the taps' rows and columns and of the depths, `steps` the width and from matrix to matrix,
    `side` the outputs of a side of a tile.
    """
    (row, column, depth), (width, step) = strides, steps
    for d in range(count):
        taps, to = (filters, (d * depth, row, column)), (packed, (d * width, step))
        if side == 4:
            transform(FILTER, taps, (0, 3, 0, 3), filters, to, (filters, 0), width)
        else:
            transform(FILTER_OF_5, taps, (0, 5, 0, 5), filters, to, (filters, 0), width)


def _winograd_filter_gradient(dkernel, block, m, steps):
    """Add G^T m G to a block of filters.

    m (36, channels, filters) has `steps` from row to row and from matrix to matrix.
    """
    c, k = block.c, block.k
    for channel in range(block.begin, block.end):
        taps = dkernel, (channel * k + block.column, block.window * c * k, c * k)
        of = m, ((channel - block.begin) * steps[0], steps[1])
        if block.window == 3:
            transform(FILTER_GRADIENT, taps, (0, 3, 0, 3), m, of, (m, 0), block.columns)
        else:
            transform(FILTER_GRADIENT_OF_5, taps, (0, 5, 0, 5), m, of, (m, 0), block.columns)


@inlined(always=True)
def place_of(tiles, t):
    """Return the image of a tile, and the row and column in it where the tile begins."""
    tile = tiles.first + t
    down = tile // tiles.across % tiles.down
    r, s = down * tiles.side, tile % tiles.across * tiles.side
    return tile // (tiles.down * tiles.across), r - tiles.top, s - tiles.left


def _tile_arguments(dtype):
    pointer = types.CPointer(dtype)
    return pointer, TILES_RECORD, pointer, pointer, types.UniTuple(types.int64, 2)


def _input_arguments(dtype):
    pointer = types.CPointer(dtype)
    return pointer, pointer, TILES_RECORD, types.int64, pointer, pointer, types.UniTuple(types.int64, 2)


def _output_arguments(dtype):
    pointer, two = types.CPointer(dtype), types.UniTuple(types.int64, 2)
    return (pointer, pointer, TILES_RECORD, types.UniTuple(types.int64, 3), pointer, two, types.UniTuple(pointer, 4),
            types.int64)


def _filter_arguments(dtype):
    pointer, i = types.CPointer(dtype), types.int64
    return pointer, types.UniTuple(i, 3), pointer, types.UniTuple(i, 2), i, i


def _filter_gradient_arguments(dtype):
    pointer = types.CPointer(dtype)
    return pointer, _BLOCK, pointer, types.UniTuple(types.int64, 2)


_input = Shared(_winograd_input, _input_arguments)
_gradient = Shared(_winograd_gradient, _tile_arguments)
_output = Shared(_winograd_output, _output_arguments)
_filter = Shared(_winograd_filter, _filter_arguments)
_filter_gradient = Shared(_winograd_filter_gradient, _filter_gradient_arguments)


@intrinsic
def input_tiles(typingctx, x, beside, tiles, own, zeros, v):
    """As `_winograd_input`: `v` is (array, (offset, steps)), every other pointer (array, offset)."""
    return _input.intrinsic(x, beside, tiles, own, zeros, v)


@intrinsic
def gradient_tiles(typingctx, dy, tiles, zeros, v):
    """As `_winograd_gradient`: `v` is (array, (offset, steps)), every other pointer (array, offset)."""
    return _gradient.intrinsic(dy, tiles, zeros, v)


@intrinsic
def output_tiles(typingctx, y, beside, tiles, part, m, ends, added):
    """As `_winograd_output`: `m` is (array, (offset, steps)), every other pointer (array, offset)."""
    return _output.intrinsic(y, beside, tiles, part, m, ends, added)


@intrinsic
def filter_tiles(typingctx, filters, packed, count, side):
    """As `_winograd_filter`: `filters` and `packed` are (array, (offset, strides))."""
    return _filter.intrinsic(filters, packed, count, side)


@intrinsic
def filter_gradient_block(typingctx, dkernel, block, m):
    """As `_winograd_filter_gradient`: `m` is (array, (offset, steps)), `dkernel` (array, offset)."""
    return _filter_gradient.intrinsic(dkernel, block, m)
