"""The gradient of a 2D convolution with respect to its input.

    dx[n, h, w, c] = sum over (i, j, r, s) with i sh + r dh - top = h, j sw + s dw - left = w, and over k,
                     of dy[n, i, j, k] * kernel[r, s, c, k]

This is itself a convolution, of dy with the filters rotated by 180 degrees, and runs like the forward pass. With a
stride it splits into phases, each a convolution with the taps that its pixels see (`gemm/taps.py`)::

    dy, where it lies (L1, rows of it again)      filters, channels and filters swapped      dx: registers, then memory
    | k k k | k k k | k k k | ..                  blocks of (r, s, k) x width, packed,       14 positions that see the
      a tile: positions, a step of one pixel      from L2                                    same taps x 2 vectors of c

For an image of few channels it is a matrix product, (positions, K) x (K, (r, s, c)), into a panel in L2, whose rows are
then added where the windows lie (col2im). An image is one task then, since its windows overlap. If a pixel lies in many
windows, its sum is moved to a total in float64 from time to time (`simd.sums`).

This is also the forward pass of a transposed convolution, which has a bias and may end in a clamp.
"""

import numpy as np
from numba import config

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.plan import input_is_direct, is_pointwise, panel_rows_for
from fastcnn.kernels.cpu.gemm.packing import blocks_of, pack_start, pack_transposed, packed_size, start_of
from fastcnn.kernels.cpu.gemm.shares import cut
from fastcnn.kernels.cpu.gemm.taps import FilterBank, Images, OutputRange, cover, dimension
from fastcnn.kernels.cpu.gemm.tile import M0
from fastcnn.kernels.cpu.gemm.walk import TABLE, Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, at3, clear, clip, copy
from fastcnn.kernels.cpu.simd.sums import TERMS, add_wide, wide


def conv2d_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_input` wants."""
    g = geometry[0]
    return 0 if input_is_direct(g) else int(config.NUMBA_NUM_THREADS * _local(g)[1])


def conv2d_backward_input_packed(geometry, dtype):
    """Return how many elements `packed` of `conv2d_backward_input` has."""
    g = geometry[0]
    cg, kg, taps = g["c"] // g["groups"], g["k"] // g["groups"], g["kh"] * g["kw"]
    columns, depth = (cg, taps * kg) if input_is_direct(g) else (taps * cg, kg)
    return int(packed_size(g["groups"], columns, depth, dtype))


@kernel
def conv2d_backward_input(dx, scratch, packed, dy, kernel, bias, bounds, ready, geometry):
    """dx = the gradient with respect to the input: dy convolved with the transposed filters.

    As the forward pass of a transposed convolution, of dy: dx + bias, and what is beyond the bounds set to them.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    scratch : (conv2d_backward_input_scratch(geometry, dtype),) array
    packed : (conv2d_backward_input_packed(geometry, dtype),) array
        The filters and the bias as the tile reads them: written, or read if `ready`.
    dy : (N, OH, OW, K) array
    kernel : (KH, KW, C // groups, K) array
    bias : (C,) or (0,) array
    bounds : (2,) array
        The lowest and the highest result, as of `conv2d_forward`.
    ready : int
        1 if `packed` is what an earlier call with the same kernel and bias left, for any batch.
    geometry : CONV2D
    """
    g = geometry[0]
    groups, kg, cg, taps = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"], g["kh"] * g["kw"]
    direct = input_is_direct(g)
    # Direct: columns are a group's channels. Matrix: columns are (r, s, c), as if there were one tap.
    columns, taps = (cg, taps) if direct else (taps * cg, 1)
    start = start_of(packed, groups, columns, taps * kg)
    if not ready:
        pack_transposed(packed, kernel.reshape(-1), groups, columns, kg, taps)
        pack_start(packed, start, bias if direct else bias[:0], groups, columns)
    tasks, images, rows, parts = _plan(g, blocks_of(packed, columns)[1])
    parallel(_task, tasks, (dx.reshape(-1), scratch, (packed, start, bias, bounds), dy.reshape(-1),
                            (images, rows, parts), geometry))


@inlined
def _is_long(g):
    """Whether a pixel lies in so many windows that its sum needs a total in float64."""
    return -(-g["kh"] // g["sh"]) * -(-g["kw"] // g["sw"]) > 2 * TERMS


@inlined
def _panel_rows(g):
    """Return the positions of a panel: no more than TERMS where the sums of pixels are long."""
    rows = panel_rows_for(g["kh"] * g["kw"] * (g["c"] // g["groups"]))
    return min(rows, TERMS // M0 * M0) if _is_long(g) else rows


@inlined
def _local(g):
    """Return elements of a thread's panel, and of all its scratch: that and an image's totals, two for each."""
    panel = aligned(_panel_rows(g) * g["kh"] * g["kw"] * (g["c"] // g["groups"]))
    return panel, panel + (2 * aligned(g["h"] * g["w"] * g["c"]) if _is_long(g) else 0)


@inlined
def _images(g):
    """Return images, input rows and columns: to a pointwise convolution every pixel is a row."""
    if is_pointwise(g):
        return at3(1, g["n"] * g["h"] * g["w"], 1)
    return at3(g["n"], g["h"], g["w"])


@inlined
def _plan(g, blocks):
    """Return tasks, images and rows of a task, and parts of the blocks."""
    n, h, w = _images(g)
    if not input_is_direct(g):
        return g["n"], n, h, n
    weights = g["kh"] * g["kw"] * g["c"] // g["groups"] * g["k"]
    sums = weights // (g["sh"] * g["sw"])
    images, rows, parts = cut(n, h, w, g["n"] * g["oh"] * g["ow"] * g["k"], sums, blocks, weights)
    parts = parts if g["groups"] == 1 else 1
    return -(-n // images) * -(-h // rows) * parts, images, rows, parts


@inlined
def _task(task, thread, dx, scratch, filters, dy, shares, geometry):
    """Some images or a band of one, and a part of the blocks; or one image to scatter into."""
    g, (packed, start, _, bounds) = geometry[0], filters
    if not input_is_direct(g):
        _scatter_image(task, dx, scratch, thread * _local(g)[1], filters, dy, geometry)
        return
    _direct_task(task, dx, packed, (packed, start, bounds), dy, shares, geometry)


@inlined
def multiply_back(dx, filters, ends, dy, geometry):
    """dx = dy times packed filters, over the threads, where `input_is_direct`; all arrays flat.

    `ends` are the array where sums start, from which element on, and the bounds.
    """
    g = geometry[0]
    tasks, images, rows, parts = _plan(g, blocks_of(dx, g["c"] // g["groups"])[1])
    parallel(_direct_task, tasks, (dx, filters, ends, dy, (images, rows, parts), geometry))


@inlined
def _direct_task(task, dx, filters, ends, dy, shares, geometry):
    """Some images or a band of one, and a part of the blocks."""
    g, (begin, start, bounds), (images, rows, parts) = geometry[0], ends, shares
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    n, h, w = _images(g)
    width, blocks = blocks_of(dx, cg)
    bands = -(-h // rows)
    item, part = task // parts, task % parts
    image, low = item // bands * images, item % bands * rows
    oh, ow = (h, w) if is_pointwise(g) else (g["oh"], g["ow"])
    cover(Images(dx, image * h * w * g["c"], h * w * g["c"], w),
          Images(dy, image * oh * ow * g["k"], oh * ow * g["k"], ow),
          FilterBank(filters, width, g["kh"] * g["kw"] * kg * width, begin, start),
          OutputRange(min(images, n - image), low, min(low + rows, h), part * blocks // parts,
                      (part + 1) * blocks // parts),
          dimension(1, g["dh"], g["top"] - (g["kh"] - 1) * g["dh"], g["sh"], g["kh"], oh),
          dimension(1, g["dw"], g["left"] - (g["kw"] - 1) * g["dw"], g["sw"], g["kw"], ow), (groups, kg, cg),
          (dx[:0], bounds))


@inlined
def _scatter_image(image, dx, scratch, panel, filters, dy, geometry):
    """One image of a strided convolution: panels of dy times the filters, added where the windows lay (col2im)."""
    g, (packed, start, bias, bounds) = geometry[0], filters
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    columns = g["kh"] * g["kw"] * cg
    width, blocks = blocks_of(dx, columns)
    pixels, positions, panel_rows = g["h"] * g["w"] * g["c"], g["oh"] * g["ow"], _panel_rows(g)
    panel_size, share = _local(g)
    totals = wide(scratch[panel + panel_size:panel + share])
    totals[:] = 0
    zero = np.int64(0)  # a literal would be another type, and what it is given to compiled for it
    since = zero  # the first position whose windows the totals lack
    clear(dx, image * pixels, pixels)
    if bias.size > 0:
        for pixel in range(image * pixels, (image + 1) * pixels, g["c"]):
            copy(dx, pixel, bias, zero, g["c"])
    for group in range(groups):
        for first in range(0, positions, panel_rows):
            rows = min(panel_rows, positions - first)
            if totals.size > 0 and _terms(g, since, first + rows) > TERMS:
                _add_to_totals(totals, dx, image * pixels, since, first, g)
                since = np.int64(first)
            walk_grid((scratch, (panel, 0, 0, columns)),
                      (dy, ((image * positions + first) * g["k"] + group * kg, 0, 0, g["k"], 0, 0, 1)),
                      (packed, (group * blocks * kg * width, 0, 0, width, kg * width)), at3(1, 1, rows), at3(1, 1, kg),
                      Sums(columns, packed, start + group * blocks * width, 0, 0), TABLE)
            _scatter_panel(dx, image * pixels + group * cg, scratch, panel, first, rows, geometry)
        if totals.size > 0:
            _add_to_totals(totals, dx, image * pixels, since, positions, g)
            since = zero
    if totals.size > 0:
        for pixel in range(pixels):
            dx[image * pixels + pixel] += totals[pixel]
    clip(dx, image * pixels, pixels, bounds)


@inlined
def _terms(g, begin, end):
    """Return how many of the windows of output positions begin .. end a pixel is in at most."""
    return ((end - 1) // g["ow"] - begin // g["ow"] + 1) * min(g["kw"], end - begin)


@inlined
def _add_to_totals(totals, dx, image, begin, end, g):
    """Add an image, where windows of output positions begin .. end may have changed it, to the totals, and clear it."""
    first, last, row = begin // g["ow"], (end - 1) // g["ow"], g["w"] * g["c"]
    low, high = max(0, first * g["sh"] - g["top"]), min(g["h"], last * g["sh"] - g["top"] + (g["kh"] - 1) * g["dh"] + 1)
    left, right = 0, g["w"]
    if first == last:
        left = min(g["w"], max(0, begin % g["ow"] * g["sw"] - g["left"]))
        right = max(left, min(g["w"], (end - 1) % g["ow"] * g["sw"] - g["left"] + (g["kw"] - 1) * g["dw"] + 1))
    for i in range(low, high):
        at, size = i * row + left * g["c"], (right - left) * g["c"]
        add_wide(totals[at:at + size], dx[image + at:image + at + size])


@inlined
def _scatter_panel(dx, image, panel, at, first, rows, geometry):
    """Add panel[at:] (rows, KH, KW, CG) where output positions first .. first + rows of an image saw it."""
    g = geometry[0]
    cg, c = g["c"] // g["groups"], g["c"]
    for row in range(first, first + rows):
        i, j = row // g["ow"], row % g["ow"]
        for r in range(g["kh"]):
            ih, iw = i * g["sh"] + r * g["dh"] - g["top"], j * g["sw"] - g["left"]
            if 0 <= ih < g["h"]:
                if g["dw"] == 1 and cg == c:  # the part of the window inside the image is one contiguous run
                    begin, end = max(0, -iw), min(g["kw"], g["w"] - iw)
                    pixel = image + (ih * g["w"] + iw + begin) * c
                    accumulate(dx, pixel, panel, at + begin * c, (end - begin) * c)
                else:
                    for s in range(g["kw"]):
                        if 0 <= iw + s * g["dw"] < g["w"]:
                            accumulate(dx, image + (ih * g["w"] + iw + s * g["dw"]) * c, panel, at + s * cg, cg)
            at += g["kw"] * cg
