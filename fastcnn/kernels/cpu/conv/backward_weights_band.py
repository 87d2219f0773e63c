"""What a band of positions gives to the gradient of the filters: the walks of `backward_weights`, and their copies."""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.conv.backward_weights_plan import (
    CHANNELS,
    band_size,
    has_panel,
    positions_of,
    slab_is_image,
    slab_size,
)
from fastcnn.kernels.cpu.conv.plan import is_pointwise
from fastcnn.kernels.cpu.gemm.packing import blocks_of
from fastcnn.kernels.cpu.gemm.walk import TABLE, Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import at3, clear
from fastcnn.kernels.cpu.simd.transpose import move_part, move_rows, move_vector
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
    """A block of filters: how many it has, and from one position of packed dy to the next."""

    columns: Any
    width: Any


class Packed(NamedTuple):
    """Blocks of a band of dy, packed: the array, where, from one to the next, the first one and how many.

    They are in the scratch, or where dy lies, if its filters are one whole block.
    """

    array: Any
    at: Any
    apart: Any
    first: Any
    count: Any


@inlined
def add_bias(to, scratch, places, positions, block, geometry):
    """Add the sums of `positions` packed rows of dy: a product with the number one, no longer than others.

    `places` are where in the scratch the one lies, the array of the rows, and where they begin in it.
    """
    (sums, at), (one, rows, packed), width, most = to, places, block.width, band_size(geometry[0])
    for begin in range(0, positions, most):
        walk_grid((sums, (at, 0, 0, 0)), (scratch, (one, 0, 0, 0, 0, 0, 0)),
                  (rows, (packed + begin * width, 0, 0, width, 0)), at3(1, 1, 1),
                  at3(1, 1, min(most, positions - begin)), Sums(block.columns, scratch, -1, 0, 0), TABLE)


@inlined
def pack_band(scratch, packed, dy, source, sizes):
    """Write some columns of rows of dy as blocks, with zeros beside the last column.

    Row by row, as it lies in memory. `source` is where the first row begins and the step to the next, `sizes` the rows,
    the columns and those of a block.
    """
    (at, step), (rows, columns, width) = source, sizes
    one = lanes_of(scratch)
    for p in range(rows):
        for block in range(packed.count):
            to, of = packed.at + block * packed.apart + p * width, at + p * step + block * width
            left = columns - block * width
            for vector in range(0, width, one):
                if left - vector >= one:
                    move_vector(scratch, to + vector, dy, of + vector)
                else:
                    move_part(scratch, to + vector, dy, of + min(left, vector), max(0, left - vector))


@inlined
def _inside(tap, stride, dilation, border, length, low, high):
    """Return the output positions of low .. high for which a tap lies inside the image, as begin and end."""
    place = tap * dilation - border  # of position 0
    begin = max(low, -(place // stride))
    return begin, max(begin, min(high, (length - 1 - place) // stride + 1))


@inlined
def tap_bands(to, scratch, panel, packed, source, channels, geometry):
    """Add columns of a band, tap by tap, over copies of the pixels that a tap sees: arguments as of `_add_band`."""
    (sums, at), (x, band), (group, (c0, c1)), g = to, source, channels, geometry[0]
    image, count, top, tall, low, high = band
    _, oh, ow = positions_of(g)
    h, w = (oh, ow) if is_pointwise(g) else (g["h"], g["w"])
    cg, c, k, across, copies = g["c"] // g["groups"], g["c"], g["k"], high - low, has_panel(g)
    width = blocks_of(scratch, k // g["groups"])[0]
    for r in range(g["kh"]):
        i0, i1 = _inside(r, g["sh"], g["dh"], g["top"], h, top, top + tall)
        for s in range(g["kw"]):
            j0, j1 = _inside(s, g["sw"], g["dw"], g["left"], w, low, high)
            down, broad, first = i1 - i0, j1 - j0, j0 - low
            pixel = ((i0 * g["sh"] + r * g["dh"] - g["top"]) * w + j0 * g["sw"] + s * g["dw"] - g["left"]) * c
            of, a = x, at3(h * w * c, g["sh"] * w * c, g["sw"] * c)
            if copies:
                of, a = scratch, at3(tall * across * CHANNELS, across * CHANNELS, CHANNELS)
                if across == ow:  # rows follow one another: with zeros for the border they are one
                    broad, first, down = down * across, np.int64(0), np.int64(1)
            loops, b = at3(count, down, broad), at3(tall * ow * width, ow * width, width)
            if broad == 1:  # a single column is walked as a row: the innermost loop should be long
                loops, a, b = at3(count, broad, down), at3(a[0], a[2], a[1]), at3(b[0], b[2], b[1])
            for begin in range(c0 if i1 > i0 and j1 > j0 else c1, c1, CHANNELS):
                some = min(CHANNELS, c1 - begin)
                here = image * h * w * c + pixel + group * cg + begin
                if copies:
                    _copy_pixels(scratch, panel, x, here, (count, tall, i1 - i0, across, h * w * c),
                                 (j0 - low, j1 - j0, high - j1), (some, g["sh"] * w * c, g["sw"] * c))
                    here = panel + first * CHANNELS
                for block in range(packed.count):
                    column = (packed.first + block) * width
                    band_at = packed.at + block * packed.apart
                    walk_grid((sums, (at + ((r * g["kw"] + s) * cg + begin) * k + column, 0, 0, k)),
                              (of, (here, 0, 0, 1, a[0], a[1], a[2])),
                              (packed.array, (band_at + ((i0 - top) * ow + low + first) * width, b[0], b[1], b[2],
                                              0)), at3(1, 1, some), loops,
                              Sums(min(width, k // g["groups"] - column), scratch, -1, 0, 0), TABLE)


@inlined
def _copy_pixels(scratch, panel, x, at, rows, columns, steps):
    """Write some channels of the pixels that a tap sees to the panel.

    Parameters
    ----------
    at : int
        Where in x the first of them begins.
    rows : (images, rows of the panel in an image, those that are copied, columns of the panel, from image to image)
    columns : (zeros, pixels, zeros)
    steps : (channels, from row to row of x, from pixel to pixel)
    """
    (count, tall, down, across, image), (before, pixels, after), (some, row_step, step) = rows, columns, steps
    for n in range(count):
        for i in range(down):
            row = panel + (n * tall + i) * across * CHANNELS
            clear(scratch, row, before * CHANNELS)
            move_rows(scratch, x, (row + before * CHANNELS, at + n * image + i * row_step), (CHANNELS, step),
                      (pixels, some))
            clear(scratch, row + (before + pixels) * CHANNELS, after * CHANNELS)


@inlined
def slab_band(to, copied, packed, source, group, geometry):
    """Add columns of a band of one image, all taps at once, over its rows copied with their border, or where they lie.

    `to` is an array and where the group's sums begin, `copied` the scratch and where in it the slab begins, `source` x
    and the band.
    """
    (sums, at), (scratch, slab), (x, band), g = to, copied, source, geometry[0]
    tall, low, high = band.tall, band.low, band.high
    cg, c, k, ow = g["c"] // g["groups"], g["c"], g["k"], g["ow"]
    width = blocks_of(scratch, k // g["groups"])[0]
    of, here, row = scratch, slab, slab_size(g, tall)[1] * c
    if slab_is_image(g):
        row = g["w"] * c
        of, here = x, (band.image * g["h"] + band.top * g["sh"]) * row
    for b in range(packed.count):
        column = (packed.first + b) * width
        walk_grid((sums, (at + column, g["kw"] * cg * k, cg * k, k)),
                  (of, (here + group * cg + low * g["sw"] * c, g["dh"] * row, g["dw"] * c, 1, 0, g["sh"] * row,
                        g["sw"] * c)),
                  (packed.array, (packed.at + b * packed.apart + low * width, 0, ow * width, width, 0)),
                  at3(g["kh"], g["kw"], cg), at3(1, tall, high - low),
                  Sums(min(width, k // g["groups"] - column), scratch, -1, 0, 0), TABLE)
