"""The gradient of a 2D convolution with respect to its input.

    dx[n, h, w, c] = sum over (i, j, r, s) with i sh + r dh - top = h, j sw + s dw - left = w, and over k,
                     of dy[n, i, j, k] * kernel[r, s, c, k]

With stride 1 that is itself a convolution, of dy with the flipped filters, and runs as the direct forward pass does.
Else, and where the image has few channels, it is a matrix product, (positions, K) x (K, (r, s, c)), into a panel in L2,
whose rows are added where the windows lay (col2im). An image is one task then, since its windows overlap.
"""

import numpy as np
from numba import config

from fastcnn.kernels.cpu._jit import inlined, kernel, parallel
from fastcnn.kernels.cpu.conv_plan import (
    TASKS,
    band_rows,
    blocks_of,
    direct_band,
    input_is_direct,
    is_pointwise,
    packed_size,
    panel_rows_for,
)
from fastcnn.kernels.cpu.pack import accumulate, aligned, at3, at5, clear, pack_block
from fastcnn.kernels.cpu.walk import walk


def conv2d_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_input` wants."""
    g = geometry[0]
    cg, kg = g["c"] // g["groups"], g["k"] // g["groups"]
    if input_is_direct(g):
        packed = packed_size(g["groups"], cg, g["kh"] * g["kw"] * kg, dtype)
    else:
        packed = packed_size(g["groups"], g["kh"] * g["kw"] * cg, kg, dtype)
    return int(packed + config.NUMBA_NUM_THREADS * _input_local(g))


@inlined
def _input_local(g):
    """Elements of scratch a thread needs: a slab of dy, or a panel to scatter."""
    if input_is_direct(g):
        span = (g["kh"] - 1) * g["dh"] + 1
        row = (g["w"] - 1 + (g["kw"] - 1) * g["dw"] + 1) * g["k"]
        return aligned((band_rows(g["n"], g["h"], span, 1, row) - 1 + span) * row)
    depth = g["kh"] * g["kw"] * (g["c"] // g["groups"])
    return 0 if is_pointwise(g) else aligned(panel_rows_for(depth) * depth)


@kernel
def conv2d_backward_input(dx, scratch, dy, kernel, geometry):
    """dx = the gradient with respect to the input: dy convolved with the transposed filters.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    scratch : (conv2d_backward_input_scratch(geometry, dtype),) array
    dy : (N, OH, OW, K) array
    kernel : (KH, KW, C // groups, K) array
    geometry : CONV2D
    """
    g = geometry[0]
    xf, yf, kf = dx.reshape(-1), dy.reshape(-1), kernel.reshape(-1)
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    taps, direct = g["kh"] * g["kw"], input_is_direct(g)
    # Direct: columns are a group's channels, depth is (r, s, k) on flipped filters. Matrix: columns are (r, s, c).
    columns, depth = (cg, taps * kg) if direct else (taps * cg, kg)
    width, blocks = blocks_of(dx, columns)
    for block in range(groups * blocks):
        group, b = block // blocks, block % blocks
        if direct:
            last = (taps - 1) * cg * g["k"]
            pack_block(scratch, block * depth * width, width, kf,
                       at5(last + b * width * g["k"] + group * kg, -g["kw"] * cg * g["k"], -cg * g["k"], 1, g["k"]),
                       at3(g["kh"], g["kw"], kg), min(width, columns - b * width))
        else:
            pack_block(scratch, block * depth * width, width, kf,
                       at5(b * width * g["k"] + group * kg, 0, 0, 1, g["k"]),
                       at3(1, 1, kg), min(width, columns - b * width))
    start = aligned(groups * blocks * depth * width)
    clear(scratch, start, groups * blocks * width)
    local = start + aligned(groups * blocks * width)

    tasks, parts, rows = _input_plan(g, columns, depth, blocks)
    parallel(_input_task, tasks, (xf, scratch, local, start, yf, parts, rows, geometry))


@inlined
def _input_plan(g, columns, depth, blocks):
    """Return the tasks, the parts of an image (direct) or of the channels (matrix), and the rows of a task."""
    if input_is_direct(g):
        span = (g["kh"] - 1) * g["dh"] + 1
        rows = band_rows(g["n"], g["h"], span, 1, (g["w"] + (g["kw"] - 1) * g["dw"]) * g["k"])
        bands = -(-g["h"] // rows)
        return g["n"] * bands, bands, rows
    if is_pointwise(g):
        rows = panel_rows_for(depth)
        panels = -(-(g["n"] * g["h"] * g["w"]) // rows)
        parts = min(blocks, max(1, TASKS // max(1, panels)))
        return panels * parts, parts, rows
    return g["n"], 1, panel_rows_for(columns)


@inlined
def _input_task(task, thread, dx, scratch, local, start, dy, parts, rows, geometry):
    """One band of an image, one panel of rows with a part of the channels, or one image to scatter into."""
    g = geometry[0]
    item, part, mine = task // parts, task % parts, local + thread * _input_local(g)
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    if input_is_direct(g):
        top = part * rows
        filters = (groups, kg, cg, g["kh"], g["kw"], np.int64(1), np.int64(1), g["dh"], g["dw"])
        direct_band(dx, (item * g["h"] + top) * g["w"] * g["c"], scratch, mine, dy, item * g["oh"] * g["ow"] * g["k"],
                (g["oh"], g["ow"], g["k"]), scratch, start, filters, top - ((g["kh"] - 1) * g["dh"] - g["top"]),
                (g["kw"] - 1) * g["dw"] - g["left"], min(rows, g["h"] - top), g["w"], 0)
    elif is_pointwise(g):
        first, (width, blocks) = item * rows, blocks_of(dx, cg)
        for b in range(part * blocks // parts, (part + 1) * blocks // parts):
            walk(dx, (first * cg + b * width, cg), dy, (first * kg, kg, 0, 0, 1),
                 scratch, (b * kg * width, 0, 0, width), (1, 1, kg), scratch, start + b * width,
                 min(width, cg - b * width), 0, min(rows, g["n"] * g["h"] * g["w"] - first))
    else:
        _scatter_image(dx, scratch, mine, dy, start, item, rows, geometry)


@inlined
def _scatter_image(dx, scratch, panel, dy, start, image, panel_rows, geometry):
    """One image of a strided convolution: panels of dy times the filters, added where the windows lay (col2im)."""
    g = geometry[0]
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    columns = g["kh"] * g["kw"] * cg
    width, blocks = blocks_of(dx, columns)
    pixels, positions = g["h"] * g["w"] * g["c"], g["oh"] * g["ow"]
    clear(dx, image * pixels, pixels)
    for group in range(groups):
        for first in range(0, positions, panel_rows):
            rows = min(panel_rows, positions - first)
            for b in range(blocks):
                block = group * blocks + b
                walk(scratch, (panel + b * width, columns),
                     dy, ((image * positions + first) * g["k"] + group * kg, g["k"], 0, 0, 1),
                     scratch, (block * kg * width, 0, 0, width), (1, 1, kg), scratch, start + block * width,
                     min(width, columns - b * width), 0, rows)
            _scatter_panel(dx, image * pixels + group * cg, scratch, panel, first, rows, geometry)


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
