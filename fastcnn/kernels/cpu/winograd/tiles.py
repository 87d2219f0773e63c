"""Runs of Winograd tiles: from an image to 36 matrices and back, and filters to packed blocks.

Tile t of a batch covers outputs 4 i .. 4 i + 3, 4 j .. 4 j + 3 of one image; tiles are counted along the rows of an
image, then down, then over images. A run of tiles in the 36 matrices::

    matrix 0                     matrix 1                  ..  matrix 35
    tile 0  c0 c1 .. cC          tile 0  c0 c1 ..              rows of a product: tiles
    tile 1  c0 c1 .. cC          ...                           depth of a product: channels

Each of these loops is compiled once a type and called through a symbol. Where fewer channels exist than a vector
holds, a tile goes through a patch, which holds whole vectors.
"""

import numpy as np
from numba import types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.simd.width import lanes_of
from fastcnn.kernels.cpu.winograd.transforms import FILTER, FILTER_GRADIENT, GRADIENT, INPUT, OUTPUT, transform


def _types(kinds):
    """Return the function of a type that `Shared` wants, from "p" for each pointer and "i" for each integer."""
    return lambda dtype: tuple(types.CPointer(dtype) if kind == "p" else types.int64 for kind in kinds)


def _winograd_input(x, h, w, c, top, left, down, across, first, count, zeros, v, v_tile, v_step, patch):
    """B^T d B of tiles first .. first + count; 4 i - top is the first row that tile row i reads."""
    one = lanes_of(x)
    for t in range(count):
        tile = first + t
        image, r, s = tile // (down * across), tile // across % down * 4 - top, tile % across * 4 - left
        at, row, column, channels = ((image * h + r) * w + s) * c, w * c, c, c
        r0, r1, s0, s1 = -r, h - r, -s, w - s
        source = x
        if c < one:
            _fill_patch(patch, 6, one, x, at, row, column, c, (r0, r1, s0, s1))
            source, at, row, column, channels = patch, 0, 6 * one, one, one
            r0, r1, s0, s1 = 0, 6, 0, 6
        transform(INPUT, source, at, row, column, r0, r1, s0, s1, zeros, v, t * v_tile, v_step, zeros, 0, channels)


def _winograd_gradient(dy, h, w, c, down, across, first, count, zeros, v, v_tile, v_step, patch):
    """A dY A^T of tiles first .. first + count of dy (N, h, w, c), and a 37th matrix with the sum of each tile."""
    one = lanes_of(dy)
    for t in range(count):
        tile = first + t
        image, r, s = tile // (down * across), tile // across % down * 4, tile % across * 4
        at, row, column, channels, r1, s1 = ((image * h + r) * w + s) * c, w * c, c, c, h - r, w - s
        source = dy
        if c < one:
            _fill_patch(patch, 4, one, dy, at, row, column, c, (0, r1, 0, s1))
            source, at, row, column, channels, r1, s1 = patch, 0, 4 * one, one, one, 4, 4
        transform(GRADIENT, source, at, row, column, 0, r1, 0, s1, zeros, v, t * v_tile, v_step, zeros, 0, channels)


def _winograd_output(y, h, w, k, column, columns, down, across, first, count, unread, m, m_tile, m_step, bias, addend,
                     added, bounds, patch):
    """A^T m A + bias of tiles first .. first + count, to channels column .. column + columns of y (N, h, w, k).

    The addend, which lies as y does, is read if `added`. It and an upper bound are a second pass over the tile, in L1.
    """
    one, low, again = lanes_of(y), bounds[0], added != 0 or bounds[1] < np.inf
    if added != 0:
        low = -np.inf
    for t in range(count):
        tile = first + t
        image, r, s = tile // (down * across), tile // across % down * 4, tile % across * 4
        at, r1, s1 = ((image * h + r) * w + s) * k + column, h - r, w - s
        if columns < one:
            transform(OUTPUT, patch, 0, 4 * one, one, 0, 4, 0, 4, unread, m, t * m_tile, m_step, bias, low, one)
            for i in range(min(4, r1)):
                for j in range(min(4, s1)):
                    for channel in range(columns):
                        y[at + (i * w + j) * k + channel] = patch[(i * 4 + j) * one + channel]
        else:
            transform(OUTPUT, y, at, w * k, k, 0, r1, 0, s1, unread, m, t * m_tile, m_step, bias, low, columns)
        if again:
            for i in range(min(4, r1)):
                for j in range(min(4, s1)):
                    for channel in range(at + (i * w + j) * k, at + (i * w + j) * k + columns):
                        value = y[channel] + addend[channel] if added != 0 else y[channel]
                        value = bounds[0] if value < bounds[0] else value
                        y[channel] = bounds[1] if value > bounds[1] else value


def _winograd_filter(filters, row, column, depth, count, packed, width, step):
    """G g G^T of `width` filters at `count` depths, `depth` apart, as 36 matrices (count, width)."""
    for d in range(count):
        transform(FILTER, filters, d * depth, row, column, 0, 3, 0, 3, filters, packed, d * width, step, filters, 0,
                  width)


def _winograd_filter_gradient(dkernel, c, k, column, columns, begin, end, m, m_row, m_step, patch):
    """Add G^T m G to channels begin .. end, filters column .. column + columns of dkernel (3, 3, c, k)."""
    one = lanes_of(dkernel)
    whole = columns // one * one
    for channel in range(begin, end):
        at, row = channel * k + column, (channel - begin) * m_row
        if whole > 0:
            transform(FILTER_GRADIENT, dkernel, at, 3 * c * k, c * k, 0, 3, 0, 3, m, m, row, m_step, m, 0, whole)
        if whole < columns:
            for element in range(9 * one):
                patch[element] = 0
            transform(FILTER_GRADIENT, patch, 0, 3 * one, one, 0, 3, 0, 3, m, m, row + whole, m_step, m, 0, one)
            for tap in range(9):
                for lane in range(columns - whole):
                    dkernel[at + tap * c * k + whole + lane] += patch[tap * one + lane]


@inlined
def _fill_patch(patch, size, width, x, at, row, column, channels, bounds):
    """patch (size, size, width) = the pixels of a tile, and zeros where there is none."""
    r0, r1, s0, s1 = bounds
    for i in range(size):
        for j in range(size):
            exists = r0 <= i < r1 and s0 <= j < s1
            for channel in range(width):
                value = x[at + i * row + j * column + channel] if exists and channel < channels else 0
                patch[(i * size + j) * width + channel] = value


_input = Shared(_winograd_input, _types("p" + 9 * "i" + "pp" + "iip"))
_gradient = Shared(_winograd_gradient, _types("p" + 7 * "i" + "pp" + "iip"))
_output = Shared(_winograd_output, _types("p" + 9 * "i" + "pp" + "iippipp"))
_filter_gradient = Shared(_winograd_filter_gradient, _types("p" + 6 * "i" + "piip"))
_filter = Shared(_winograd_filter, _types("p" + 4 * "i" + "pii"))


@intrinsic
def input_tiles(typingctx, x, x_at, h, w, c, top, left, down, across, first, count, zeros, zeros_at, v, v_at, v_tile,
                v_step, patch, patch_at):
    """As `_winograd_input`; every pointer is an array and an offset."""
    return _input.intrinsic(x, x_at, h, w, c, top, left, down, across, first, count, zeros, zeros_at, v, v_at, v_tile,
                            v_step, patch, patch_at)


@intrinsic
def gradient_tiles(typingctx, dy, dy_at, h, w, c, down, across, first, count, zeros, zeros_at, v, v_at, v_tile, v_step,
                   patch, patch_at):
    """As `_winograd_gradient`; every pointer is an array and an offset."""
    return _gradient.intrinsic(dy, dy_at, h, w, c, down, across, first, count, zeros, zeros_at, v, v_at, v_tile, v_step,
                               patch, patch_at)


@intrinsic
def output_tiles(typingctx, y, y_at, h, w, k, column, columns, down, across, first, count, unread, unread_at, m, m_at,
                 m_tile, m_step, bias, bias_at, addend, addend_at, added, bounds, bounds_at, patch, patch_at):
    """As `_winograd_output`; every pointer is an array and an offset."""
    return _output.intrinsic(y, y_at, h, w, k, column, columns, down, across, first, count, unread, unread_at, m, m_at,
                             m_tile, m_step, bias, bias_at, addend, addend_at, added, bounds, bounds_at, patch,
                             patch_at)


@intrinsic
def filter_tiles(typingctx, filters, filters_at, row, column, depth, count, packed, packed_at, width, step):
    """As `_winograd_filter`; every pointer is an array and an offset."""
    return _filter.intrinsic(filters, filters_at, row, column, depth, count, packed, packed_at, width, step)


@intrinsic
def filter_gradient_block(typingctx, dkernel, dkernel_at, c, k, column, columns, begin, end, m, m_at, m_row, m_step,
                          patch, patch_at):
    """As `_winograd_filter_gradient`; every pointer is an array and an offset."""
    return _filter_gradient.intrinsic(dkernel, dkernel_at, c, k, column, columns, begin, end, m, m_at, m_row, m_step,
                                      patch, patch_at)
