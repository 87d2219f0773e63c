"""2D convolution, forward and both gradients, on the register tile. ONNX: Conv.

    y[n, i, j, k] = bias[k] + sum_r sum_s sum_c  x[n, i sh + r dh - top, j sw + s dw - left, c] * kernel[r, s, c, k]

Two algorithms serve; which one runs is a function of the shape (`forward_is_direct`, `input_is_direct`).

*Direct*: the tile walks the image itself. A task is a band of output rows of one image; its input rows, with
their border of zeros, are copied to a slab within L2 (or read in place when nothing is padded)::

    slab, channels-last        i = output columns, M rows of the tile      B = packed filters of a block
    r=0  |c c c|c c c|c c c|.. <- a step of i moves sw pixels              (r, s, c) x width, from L2
    r=1  |c c c|c c c|c c c|..    s and c are contiguous (dilation 1)      accumulators: M columns x width filters

*Matrix*: all output positions are the rows of one matrix product. For a 1x1 convolution (and a dense layer) the
matrix is the image as it lies; else a panel of rows is gathered in L2 first (im2col: Chellapilla, Puri and Simard,
2006), which suits rows too short for the tile. The gradient of a strided input is its transpose: a product into a
panel, scattered back (col2im).

The gradient of the weights is the tile with other strides: i = (s, c), r and j the output rows and columns.
"""

import numpy as np
from numba import config

from fastcnn.kernels.cpu._jit import inlined, kernel, parallel
from fastcnn.kernels.cpu.pack import aligned, at3, at5, fill_slab, pack_block
from fastcnn.kernels.cpu.tile import M0, M1, lanes
from fastcnn.kernels.cpu.walk import block_width, walk

_SLAB = 49152  # elements of a slab: 192 KB of float32, well within L2 beside a block of filters
_PANEL = 32768  # elements of a panel of gathered rows
_TASKS = 16  # tasks a launch should have at least, for a balanced end
_PARTIAL = 1 << 22  # elements of all partial sums of the weights' gradient together


@inlined
def _is_pointwise(g):
    """Whether every output sees one input pixel, its own: a 1x1 convolution with stride 1, or a dense layer."""
    border = g["top"] + g["bottom"] + g["left"] + g["right"]
    return g["kh"] * g["kw"] * g["sh"] * g["sw"] * g["groups"] == 1 and border == 0


@inlined
def forward_is_direct(g):
    """Whether the forward pass is direct: rows that fill tiles, or so few filters that gathering would not pay."""
    return not _is_pointwise(g) and (g["ow"] >= M1 or g["k"] // g["groups"] < 64)


@inlined
def input_is_direct(g):
    """Whether the input's gradient is a direct convolution of dy on flipped filters, which wants stride 1.

    With few channels most lanes of its vectors would be empty, while the matrix fills them with (r, s, c).
    """
    few = g["c"] // g["groups"] <= 8 <= g["k"] // g["groups"]
    return g["sh"] == 1 and g["sw"] == 1 and not _is_pointwise(g) and not few


# --- how the work is cut: by shapes alone -----------------------------------------------------------------------------


@inlined
def _band_rows(images, rows, span, stride, row_elements):
    """Return output rows a task: a slab within L2, and enough tasks. `span` is the height of a dilated window."""
    fitting = (_SLAB // max(1, row_elements) - span) // stride + 1
    tasks_an_image = -(-_TASKS // max(1, images))
    return max(1, min(rows, fitting, -(-rows // tasks_an_image)))


@inlined
def _blocks(array, columns):
    width = block_width(array, columns)
    return width, -(-columns // width)


@inlined
def _panel_rows(depth):
    """Return rows of a panel `depth` wide: whole tiles, within L2."""
    return max(1, min(16, _PANEL // max(1, depth) // M0)) * M0


def _width(columns, dtype):
    one = lanes(dtype)
    return one if columns <= one else 2 * one


def _packed(groups, columns, depth, dtype):
    """Elements of packed filters and of the start values: `groups` times blocks of `columns`, `depth` steps each."""
    width = _width(columns, dtype)
    columns = -(-columns // width) * width * groups
    return aligned(columns * depth) + aligned(columns)


# --- forward ----------------------------------------------------------------------------------------------------------


def conv2d_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_forward` wants."""
    g = geometry[0]
    cg, kg = g["c"] // g["groups"], g["k"] // g["groups"]
    packed = _packed(g["groups"], kg, g["kh"] * g["kw"] * cg, dtype)
    return int(packed + config.NUMBA_NUM_THREADS * _forward_local(g))


@inlined
def _forward_local(g):
    """Elements of scratch a thread needs: a slab or a panel."""
    if forward_is_direct(g):
        span = (g["kh"] - 1) * g["dh"] + 1
        row = ((g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1) * g["c"]
        rows = _band_rows(g["n"], g["oh"], span, g["sh"], row)
        return aligned(((rows - 1) * g["sh"] + span) * row)
    if _is_pointwise(g):
        return 0
    depth = g["kh"] * g["kw"] * (g["c"] // g["groups"])
    return aligned(_panel_rows(depth) * depth)


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
    width, blocks = _blocks(y, kg)
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
        rows = _band_rows(g["n"], g["oh"], span, g["sh"], columns * g["c"])
        bands = -(-g["oh"] // rows)
        return g["n"] * bands, bands, rows
    rows = _panel_rows(depth)
    panels = -(-(g["n"] * g["oh"] * g["ow"]) // rows)
    parts = min(blocks, max(1, _TASKS // max(1, panels))) if _is_pointwise(g) else 1
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
        _direct(y, (item * g["oh"] + top) * g["ow"] * g["k"], scratch, mine, x, item * g["h"] * g["w"] * g["c"],
                (g["h"], g["w"], g["c"]), scratch, start, filters, top * g["sh"] - g["top"], g["left"],
                min(rows, g["oh"] - top), g["ow"], relu)
    else:
        blocks = _blocks(y, kg)[1]
        _matrix(y, scratch, mine, x, scratch, start, item * rows, rows, part * blocks // parts,
                (part + 1) * blocks // parts, relu, geometry)


@inlined
def _direct(y, y_at, scratch, slab, x, image, size, packed, start, filters, first, left, rows, ow, relu):
    """One band of rows: y[y_at:] as (rows, OW, K), from the image rows that begin at `first` (above the image: < 0)."""
    h, w, c = size
    groups, cg, kg, kh, kw, sh, sw, dh, dw = filters
    height, columns = (rows - 1) * sh + (kh - 1) * dh + 1, (ow - 1) * sw + (kw - 1) * dw + 1
    inside = first >= 0 and first + height <= h and left == 0 and columns <= w
    if inside:
        a, a_at, a_row = x, image + first * w * c, w * c
    else:
        fill_slab(scratch, slab, x, image, size, first, height, left, columns)
        a, a_at, a_row = scratch, slab, columns * c
    k, depth = groups * kg, kh * kw * cg
    width, blocks = _blocks(y, kg)
    # Without dilation or groups the kernel's columns and channels are one contiguous run.
    loops = at3(kh, 1, kw * cg) if dw == 1 and groups == 1 else at3(kh, kw, cg)
    for block in range(groups * blocks):
        group, b = block // blocks, block % blocks
        for i in range(rows):
            walk(y, (y_at + i * ow * k + group * kg + b * width, k),
                 a, (a_at + i * sh * a_row + group * cg, sw * c, dh * a_row, dw * c, 1),
                 packed, (block * depth * width, kw * cg * width, cg * width, width), loops,
                 packed, start + block * width, min(width, kg - b * width), relu, ow)


@inlined
def _matrix(y, scratch, panel, x, packed, start, first, rows, from_block, to_block, relu, geometry):
    """Rows first .. first + rows of the product: output positions times filters, in blocks of filters."""
    g = geometry[0]
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    depth = g["kh"] * g["kw"] * cg
    width, blocks = _blocks(y, kg)
    rows = min(rows, g["n"] * g["oh"] * g["ow"] - first)
    pointwise = _is_pointwise(g)
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
                    source = ((image * g["h"] + ih) * g["w"] + iw) * g["c"] + channel
                    for c in range(cg):
                        panel[at + c] = x[source + c]
                else:
                    for c in range(cg):
                        panel[at + c] = 0
                at += cg


# --- gradient of the input --------------------------------------------------------------------------------------------


def conv2d_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_input` wants."""
    g = geometry[0]
    cg, kg = g["c"] // g["groups"], g["k"] // g["groups"]
    if input_is_direct(g):
        packed = _packed(g["groups"], cg, g["kh"] * g["kw"] * kg, dtype)
    else:
        packed = _packed(g["groups"], g["kh"] * g["kw"] * cg, kg, dtype)
    return int(packed + config.NUMBA_NUM_THREADS * _input_local(g))


@inlined
def _input_local(g):
    """Elements of scratch a thread needs: a slab of dy, or a panel to scatter."""
    if input_is_direct(g):
        span = (g["kh"] - 1) * g["dh"] + 1
        row = (g["w"] - 1 + (g["kw"] - 1) * g["dw"] + 1) * g["k"]
        return aligned((_band_rows(g["n"], g["h"], span, 1, row) - 1 + span) * row)
    depth = g["kh"] * g["kw"] * (g["c"] // g["groups"])
    return 0 if _is_pointwise(g) else aligned(_panel_rows(depth) * depth)


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
    width, blocks = _blocks(dx, columns)
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
    for i in range(groups * blocks * width):
        scratch[start + i] = 0
    local = start + aligned(groups * blocks * width)

    tasks, parts, rows = _input_plan(g, columns, depth, blocks)
    parallel(_input_task, tasks, (xf, scratch, local, start, yf, parts, rows, geometry))


@inlined
def _input_plan(g, columns, depth, blocks):
    """Return the tasks, the parts of an image (direct) or of the channels (matrix), and the rows of a task."""
    if input_is_direct(g):
        span = (g["kh"] - 1) * g["dh"] + 1
        rows = _band_rows(g["n"], g["h"], span, 1, (g["w"] + (g["kw"] - 1) * g["dw"]) * g["k"])
        bands = -(-g["h"] // rows)
        return g["n"] * bands, bands, rows
    if _is_pointwise(g):
        rows = _panel_rows(depth)
        panels = -(-(g["n"] * g["h"] * g["w"]) // rows)
        parts = min(blocks, max(1, _TASKS // max(1, panels)))
        return panels * parts, parts, rows
    return g["n"], 1, _panel_rows(columns)


@inlined
def _input_task(task, thread, dx, scratch, local, start, dy, parts, rows, geometry):
    """One band of an image, one panel of rows with a part of the channels, or one image to scatter into."""
    g = geometry[0]
    item, part, mine = task // parts, task % parts, local + thread * _input_local(g)
    groups, kg, cg = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"]
    if input_is_direct(g):
        top = part * rows
        one = np.int64(1)
        filters = (groups, kg, cg, g["kh"], g["kw"], one, one, g["dh"], g["dw"])
        _direct(dx, (item * g["h"] + top) * g["w"] * g["c"], scratch, mine, dy, item * g["oh"] * g["ow"] * g["k"],
                (g["oh"], g["ow"], g["k"]), scratch, start, filters, top - ((g["kh"] - 1) * g["dh"] - g["top"]),
                (g["kw"] - 1) * g["dw"] - g["left"], min(rows, g["h"] - top), g["w"], 0)
    elif _is_pointwise(g):
        first, (width, blocks) = item * rows, _blocks(dx, cg)
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
    width, blocks = _blocks(dx, columns)
    pixels, positions = g["h"] * g["w"] * g["c"], g["oh"] * g["ow"]
    for i in range(image * pixels, (image + 1) * pixels):
        dx[i] = 0
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
                    pixel = image + (ih * g["w"] + iw) * c
                    for k in range(begin * c, end * c):
                        dx[pixel + k] += panel[at + k]
                else:
                    for s in range(g["kw"]):
                        if 0 <= iw + s * g["dw"] < g["w"]:
                            pixel = image + (ih * g["w"] + iw + s * g["dw"]) * c
                            for k in range(cg):
                                dx[pixel + k] += panel[at + s * cg + k]
            at += g["kw"] * cg


# --- gradient of the weights ------------------------------------------------------------------------------------------


@inlined
def _weights_plan(g, width, blocks):
    """Return images a chunk, rows a band, chunks, and whether a chunk has partial sums of its own.

    With many blocks of filters the blocks are the tasks and one chunk adds straight into the gradient; with few, the
    images are cut into chunks, each with partial sums, which are added in order. A dense layer's rows are cut as
    images are.
    """
    weights = (g["kh"] * g["kw"] * (g["c"] // g["groups"]) + 1) * g["k"]
    tasks = g["groups"] * blocks
    wanted = min(-(-2 * _TASKS // tasks), max(1, _PARTIAL // weights))
    items = g["ow"] // (4 * M0) if _is_dense(g) else g["n"]
    chunks = max(1, min(wanted, items)) if tasks < _TASKS else 1
    span = (g["kh"] - 1) * g["dh"] + 1
    row = ((g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1) * g["c"]
    return chunks, max(1, min(g["oh"], (_SLAB // max(1, row) - span) // g["sh"] + 1))


@inlined
def _is_dense(g):
    return g["n"] == 1 and g["oh"] == 1 and _is_pointwise(g)


@inlined
def _weights_local(g, width, rows):
    """Elements of scratch a thread needs: a slab of x (also returned alone), dy packed to whole vectors, and a one."""
    height = (rows - 1) * g["sh"] + (g["kh"] - 1) * g["dh"] + 1
    columns = (g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1
    slab = 0 if _is_pointwise(g) else aligned(height * columns * g["c"])
    return slab, slab + aligned(rows * g["ow"] * width) + aligned(1)


def conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_weights` wants."""
    g = geometry[0]
    kg = g["k"] // g["groups"]
    width = _width(kg, dtype)
    chunks, rows = _weights_plan(g, width, -(-kg // width))
    partial = aligned((g["kh"] * g["kw"] * (g["c"] // g["groups"]) + 1) * g["k"])
    return int(chunks * partial + config.NUMBA_NUM_THREADS * _weights_local(g, width, rows)[1])


@kernel
def conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and of the bias: x and dy multiplied over all positions, and dy summed.

    Parameters
    ----------
    dkernel : (KH, KW, C // groups, K) array
        Added to.
    dbias : (K,) or (0,) array
        Added to; size 0 if there is no bias.
    scratch : (conv2d_backward_weights_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    dy : (N, OH, OW, K) array
    geometry : CONV2D
    """
    g = geometry[0]
    xf, yf, wf = x.reshape(-1), dy.reshape(-1), dkernel.reshape(-1)
    groups, kg = g["groups"], g["k"] // g["groups"]
    width, blocks = _blocks(dy, kg)
    chunks, rows = _weights_plan(g, width, blocks)
    weights = dkernel.size
    partial = aligned(weights + g["k"])
    parallel(_weights_task, chunks * groups * blocks, (scratch, chunks, partial, weights, rows, xf, yf, geometry))
    for chunk in range(chunks):
        for i in range(weights):
            wf[i] += scratch[chunk * partial + i]
        for i in range(dbias.size):
            dbias[i] += scratch[chunk * partial + weights + i]


@inlined
def _weights_task(task, thread, scratch, chunks, partial, weights, band, x, dy, geometry):
    """One block of filters and one chunk of images, summed into the chunk's part of the scratch."""
    g = geometry[0]
    groups, kg, cg, k = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"], g["k"]
    width, blocks = _blocks(dy, kg)
    chunk, block = task // (groups * blocks), task % (groups * blocks)
    group, b = block // blocks, block % blocks
    first, columns = group * kg + b * width, min(width, kg - b * width)
    slab_size, share = _weights_local(g, width, band)
    slab = chunks * partial + thread * share
    packed = slab + slab_size
    sums, bias_sums = chunk * partial, chunk * partial + weights
    ones = packed + aligned(band * g["ow"] * width)
    for i in range(g["kh"] * g["kw"] * cg + 1):
        for j in range(columns):
            scratch[sums + i * k + first + j] = 0
    dense = _is_dense(g)
    items = g["ow"] if dense else g["n"]
    begin, end = chunk * items // chunks, (chunk + 1) * items // chunks
    if dense:
        one = np.int64(1)  # one row, as wide as the chunk
        _weights_band(scratch, sums, bias_sums, x, begin * g["c"], g["c"], packed, ones, dy, begin * k, one,
                      end - begin, group, first, columns, width, geometry)
        return
    height, span = g["h"] * g["w"] * g["c"], (g["kh"] - 1) * g["dh"] + 1
    slab_columns = (g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1
    for image in range(begin, end):
        for top in range(0, g["oh"], band):
            rows = min(band, g["oh"] - top)
            ih, tall = top * g["sh"] - g["top"], (rows - 1) * g["sh"] + span
            inside = ih >= 0 and ih + tall <= g["h"] and g["left"] == 0 and slab_columns <= g["w"]
            if inside:
                a, a_at, a_row = x, image * height + ih * g["w"] * g["c"], g["w"] * g["c"]
            else:
                fill_slab(scratch, slab, x, image * height, (g["h"], g["w"], g["c"]), ih, tall, g["left"],
                          slab_columns)
                a, a_at, a_row = scratch, slab, slab_columns * g["c"]
            _weights_band(scratch, sums, bias_sums, a, a_at, a_row, packed, ones, dy,
                          (image * g["oh"] + top) * g["ow"] * k, rows, g["ow"], group, first, columns, width, geometry)


@inlined
def _weights_band(scratch, sums, bias_sums, a, a_at, a_row, packed, ones, dy, dy_at, rows, ow, group, first, columns,
                  width, geometry):
    """Add what positions i < rows, j < ow give: dkernel[r, s, c, k] += a[i sh + r dh, j sw + s dw, c] * dy[i, j, k]."""
    g = geometry[0]
    cg, c, k = g["c"] // g["groups"], g["c"], g["k"]
    if dy_at + first + (rows * ow - 1) * k + width <= dy.size:
        b, b_at, b_j = dy, dy_at + first, k  # lanes beyond the block read its neighbours, and are never stored
    else:  # the last vectors would read beyond the array: this block of dy is copied, with zeros beside it
        pack_block(scratch, packed, width, dy, at5(dy_at + first, ow * k, 0, k, 1), at3(rows, 1, ow), columns)
        b, b_at, b_j = scratch, packed, width
    # The bias sees the number one at every position.
    scratch[ones] = 1
    walk(scratch, (bias_sums + first, k), scratch, (ones, 0, 0, 0, 0), b, (b_at, ow * b_j, 0, b_j),
         (rows, 1, ow), scratch, -1, columns, 0, 1)
    merged = g["dw"] == 1 and g["groups"] == 1
    run = g["kw"] * cg if merged else cg
    for r in range(g["kh"]):
        for s in range(1 if merged else g["kw"]):
            walk(scratch, (sums + (r * g["kw"] + s) * cg * k + first, k),
                 a, (a_at + r * g["dh"] * a_row + s * g["dw"] * c + group * cg, 1, g["sh"] * a_row, 0, g["sw"] * c),
                 b, (b_at, ow * b_j, 0, b_j), (rows, 1, ow), scratch, -1, columns, 0, run)
