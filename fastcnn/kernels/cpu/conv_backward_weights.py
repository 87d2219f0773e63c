"""The gradients of a 2D convolution with respect to its filters and its bias.

    dkernel[r, s, c, k] += sum over n, i, j of x[n, i sh + r dh - top, j sw + s dw - left, c] * dy[n, i, j, k]
    dbias[k]            += sum over n, i, j of dy[n, i, j, k]

The tile with other strides: its rows are (s, c), its two outer loops the output rows i and columns j, and dy is read as
vectors over k where it lies. The bias is one more row, whose x is the number one. Images are cut into chunks with
partial sums of their own, added in order; with many blocks of filters the blocks are the tasks instead.
"""

import numpy as np
from numba import config

from fastcnn.kernels.cpu._jit import inlined, kernel, parallel
from fastcnn.kernels.cpu.conv_plan import PARTIAL, SLAB, TASKS, is_pointwise
from fastcnn.kernels.cpu.filters import blocks_of, width_of
from fastcnn.kernels.cpu.pack import accumulate, aligned, at3, at5, clear, fill_slab, pack_block
from fastcnn.kernels.cpu.tile import M0
from fastcnn.kernels.cpu.walk import walk


@inlined
def _weights_plan(g, width, blocks):
    """Return images a chunk, rows a band, chunks, and whether a chunk has partial sums of its own.

    With many blocks of filters the blocks are the tasks and one chunk adds straight into the gradient; with few, the
    images are cut into chunks, each with partial sums, which are added in order. A dense layer's rows are cut as
    images are.
    """
    weights = (g["kh"] * g["kw"] * (g["c"] // g["groups"]) + 1) * g["k"]
    tasks = g["groups"] * blocks
    wanted = min(-(-2 * TASKS // tasks), max(1, PARTIAL // weights))
    items = g["ow"] // (4 * M0) if _is_dense(g) else g["n"]
    chunks = max(1, min(wanted, items)) if tasks < TASKS else 1
    span = (g["kh"] - 1) * g["dh"] + 1
    row = ((g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1) * g["c"]
    return chunks, max(1, min(g["oh"], (SLAB // max(1, row) - span) // g["sh"] + 1))


@inlined
def _is_dense(g):
    return g["n"] == 1 and g["oh"] == 1 and is_pointwise(g)


@inlined
def _weights_local(g, width, rows):
    """Elements of scratch a thread needs: a slab of x (also returned alone), dy packed to whole vectors, and a one."""
    height = (rows - 1) * g["sh"] + (g["kh"] - 1) * g["dh"] + 1
    columns = (g["ow"] - 1) * g["sw"] + (g["kw"] - 1) * g["dw"] + 1
    slab = 0 if is_pointwise(g) else aligned(height * columns * g["c"])
    return slab, slab + aligned(rows * g["ow"] * width) + aligned(1)


def conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_weights` wants."""
    g = geometry[0]
    kg = g["k"] // g["groups"]
    width = width_of(kg, dtype)
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
    width, blocks = blocks_of(dy, kg)
    chunks, rows = _weights_plan(g, width, blocks)
    weights = dkernel.size
    partial = aligned(weights + g["k"])
    parallel(_weights_task, chunks * groups * blocks, (scratch, chunks, partial, weights, rows, xf, yf, geometry))
    for chunk in range(chunks):
        accumulate(wf, 0, scratch, chunk * partial, weights)
        accumulate(dbias, 0, scratch, chunk * partial + weights, dbias.size)


@inlined
def _weights_task(task, thread, scratch, chunks, partial, weights, band, x, dy, geometry):
    """One block of filters and one chunk of images, summed into the chunk's part of the scratch."""
    g = geometry[0]
    groups, kg, cg, k = g["groups"], g["k"] // g["groups"], g["c"] // g["groups"], g["k"]
    width, blocks = blocks_of(dy, kg)
    chunk, block = task // (groups * blocks), task % (groups * blocks)
    group, b = block // blocks, block % blocks
    first, columns = group * kg + b * width, min(width, kg - b * width)
    slab_size, share = _weights_local(g, width, band)
    slab = chunks * partial + thread * share
    packed = slab + slab_size
    sums, bias_sums = chunk * partial, chunk * partial + weights
    ones = packed + aligned(band * g["ow"] * width)
    for i in range(g["kh"] * g["kw"] * cg + 1):
        clear(scratch, sums + i * k + first, columns)
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
