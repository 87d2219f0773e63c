"""2D convolution, the forward pass, on the register tile. ONNX: Conv.

    y[n, i, j, k] = bias[k] + sum_r sum_s sum_c  x[n, i sh + r dh - top, j sw + s dw - left, c] * kernel[r, s, c, k]

Two algorithms serve; which one runs is a function of the shape (`conv_plan.py`).

*Direct*: the tile walks the image itself. A task is a band of output rows of one image; its input rows, with
their border of zeros, are copied to a slab within L2 (or read in place when nothing is padded)::

    slab, channels-last        i = output columns, M rows of the tile      B = packed filters of a block
    r=0  |c c c|c c c|c c c|.. <- a step of i moves sw pixels              (r, s, c) x width, from L2
    r=1  |c c c|c c c|c c c|..    s and c are contiguous (dilation 1)      accumulators: M columns x width filters

*Matrix*: all output positions are the rows of one matrix product. For a 1x1 convolution (and a dense layer) the
matrix is the image as it lies; else a panel of rows is gathered in L2 first (im2col: Chellapilla, Puri and Simard,
2006), which suits rows too short for the tile. The gradient of a strided input is its transpose: a product into a
panel, scattered back (col2im).

The gradients lie in `conv_backward_input.py` and `conv_backward_weights.py`.
"""

from numba import config

from fastcnn.kernels.cpu._jit import inlined, kernel, parallel
from fastcnn.kernels.cpu.conv_plan import (
    TASKS,
    band_rows,
    blocks_of,
    direct_band,
    forward_is_direct,
    is_pointwise,
    packed_size,
    panel_rows_for,
)
from fastcnn.kernels.cpu.pack import aligned, at3, at5, clear, copy, pack_block
from fastcnn.kernels.cpu.walk import walk


def conv2d_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_forward` wants."""
    g = geometry[0]
    cg, kg = g["c"] // g["groups"], g["k"] // g["groups"]
    packed = packed_size(g["groups"], kg, g["kh"] * g["kw"] * cg, dtype)
    return int(packed + config.NUMBA_NUM_THREADS * _forward_local(g))


@inlined
def _forward_local(g):
    """Elements of scratch a thread needs: a slab or a panel."""
    if forward_is_direct(g):
        span = (g["kh"] - 1) * g["dh"] + 1
        row = ((g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1) * g["c"]
        rows = band_rows(g["n"], g["oh"], span, g["sh"], row)
        return aligned(((rows - 1) * g["sh"] + span) * row)
    if is_pointwise(g):
        return 0
    depth = g["kh"] * g["kw"] * (g["c"] // g["groups"])
    return aligned(panel_rows_for(depth) * depth)


@kernel
def conv2d_forward(y, scratch, x, kernel, bias, relu, geometry):
    """y = conv(x, kernel) + bias, and max(., 0) of it if `relu`.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    scratch : (conv2d_forward_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    kernel : (KH, KW, C // groups, K) array
    bias : (K,) or (0,) array
    relu : int
        1 for the rectified output.
    geometry : CONV2D
    """
    g = geometry[0]
    xf, yf, kf = x.reshape(-1), y.reshape(-1), kernel.reshape(-1)
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    width, blocks = blocks_of(y, kg)
    depth = g["kh"] * g["kw"] * cg
    start = aligned(groups * blocks * depth * width)
    for block in range(groups * blocks):
        group, b = block // blocks, block % blocks
        first = group * kg + b * width
        columns = min(width, kg - b * width)
        steps = (g["kw"] * cg * g["k"], cg * g["k"], g["k"])
        pack_block(scratch, block * depth * width, width, kf, at5(first, steps[0], steps[1], steps[2], 1),
                   at3(g["kh"], g["kw"], cg), columns)
        for k in range(width):
            scratch[start + block * width + k] = bias[first + k] if k < columns and bias.size > 0 else 0
    local = start + aligned(groups * blocks * width)

    tasks, parts, rows = _forward_plan(g, depth, blocks)
    parallel(_forward_task, tasks, (yf, scratch, local, start, xf, relu, parts, rows, geometry))


@inlined
def _forward_plan(g, depth, blocks):
    """Return the tasks, the parts of an image (direct) or of the filters (matrix), and the rows of a task."""
    if forward_is_direct(g):
        span = (g["kh"] - 1) * g["dh"] + 1
        columns = (g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1
        rows = band_rows(g["n"], g["oh"], span, g["sh"], columns * g["c"])
        bands = -(-g["oh"] // rows)
        return g["n"] * bands, bands, rows
    rows = panel_rows_for(depth)
    panels = -(-(g["n"] * g["oh"] * g["ow"]) // rows)
    parts = min(blocks, max(1, TASKS // max(1, panels))) if is_pointwise(g) else 1
    return panels * parts, parts, rows


@inlined
def _forward_task(task, thread, y, scratch, local, start, x, relu, parts, rows, geometry):
    """One band of an image, or one panel of rows with a part of the filters."""
    g = geometry[0]
    item, part, mine = task // parts, task % parts, local + thread * _forward_local(g)
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    if forward_is_direct(g):
        top = part * rows
        filters = (groups, cg, kg, g["kh"], g["kw"], g["sh"], g["sw"], g["dh"], g["dw"])
        direct_band(y, (item * g["oh"] + top) * g["ow"] * g["k"], scratch, mine, x, item * g["h"] * g["w"] * g["c"],
                (g["h"], g["w"], g["c"]), scratch, start, filters, top * g["sh"] - g["top"], g["left"],
                min(rows, g["oh"] - top), g["ow"], relu)
    else:
        blocks = blocks_of(y, kg)[1]
        _matrix(y, scratch, mine, x, scratch, start, item * rows, rows, part * blocks // parts,
                (part + 1) * blocks // parts, relu, geometry)


@inlined
def _matrix(y, scratch, panel, x, packed, start, first, rows, from_block, to_block, relu, geometry):
    """Rows first .. first + rows of the product: output positions times filters, in blocks of filters."""
    g = geometry[0]
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    depth = g["kh"] * g["kw"] * cg
    width, blocks = blocks_of(y, kg)
    rows = min(rows, g["n"] * g["oh"] * g["ow"] - first)
    pointwise = is_pointwise(g)
    for group in range(groups):
        if not pointwise:
            _gather_panel(scratch, panel, x, first, rows, group * cg, geometry)
        a, a_at = (x, first * depth) if pointwise else (scratch, panel)
        for b in range(from_block, to_block):
            block = group * blocks + b
            walk(y, (first * g["k"] + group * kg + b * width, g["k"]), a, (a_at, depth, 0, 0, 1),
                 packed, (block * depth * width, 0, 0, width), (1, 1, depth),
                 packed, start + block * width, min(width, kg - b * width), relu, rows)


@inlined
def _gather_panel(panel, at, x, first, rows, channel, geometry):
    """im2col: panel[at:] as (rows, KH, KW, CG), what output positions first .. first + rows see of a group."""
    g = geometry[0]
    cg = g["c"] // g["groups"]
    for row in range(first, first + rows):
        image, i, j = row // (g["oh"] * g["ow"]), row // g["ow"] % g["oh"], row % g["ow"]
        for r in range(g["kh"]):
            ih = i * g["sh"] + r * g["dh"] - g["top"]
            for s in range(g["kw"]):
                iw = j * g["sw"] + s * g["dw"] - g["left"]
                if 0 <= ih < g["h"] and 0 <= iw < g["w"]:
                    copy(panel, at, x, ((image * g["h"] + ih) * g["w"] + iw) * g["c"] + channel, cg)
                else:
                    clear(panel, at, cg)
                at += cg
