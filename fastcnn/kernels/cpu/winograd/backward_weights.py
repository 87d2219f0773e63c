"""The gradient of the filters of a convolution with stride 1, by Winograd's F(3x3, 4x4) and F(5x5, 2x2).

The transpose of the forward pass (`transforms.py`; of few channels see `lane_gradients.py`): tiles of x and dy are
transformed and multiplied, the products are added over all tiles, and the sums are transformed to the taps once::

    x  --B^T d B--> V 36 x (tiles, C)             36 products                  m 36 x (C, width) --G^T m G--> += dkernel
                    L2 or L3               (C, tiles) x (tiles, width), m in L2     one block of filters
    dy --A dY A^T-> W 36 x (tiles, K), L2 or L3

W has a 37th matrix, the sums of the tiles of dy: added over tiles they are the gradient of the bias.

*Fused*, where m of all filters fits into L2: the tiles are cut into chunks, and a task takes its chunk run by run
through all of that. Each chunk has a part of the scratch for its gradients, which are added in pairs; m is added to
them after some runs, so that neither sum is long (`simd.sums`).

*In steps*, where it does not: V and W of as many tiles as L3 holds are made by one launch, tasks being runs of tiles,
and multiplied by a second one, tasks being a block of filters and a part of the channels; it adds to dkernel.
"""

import numpy as np
from numba import config

from fastcnn.algorithm_tables import rates_of
from fastcnn.config import switches
from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.gemm.packing import blocks_of, width_of
from fastcnn.kernels.cpu.gemm.partial_sums import add_parts
from fastcnn.kernels.cpu.gemm.shares import even
from fastcnn.kernels.cpu.gemm.walk import Sums, walk
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, at3, clear
from fastcnn.kernels.cpu.simd.sums import FAR, TERMS, add_pairwise
from fastcnn.kernels.cpu.simd.width import lanes, lanes_of
from fastcnn.kernels.cpu.winograd.gradient_plan import (
    OFTEN,
    chunks_of,
    is_fused,
    local_places,
    parts_of,
    plan,
    shared_places,
    sums_size,
    taps,
    tiles_size,
)
from fastcnn.kernels.cpu.winograd.lane_gradients import gradients_in_lanes, lane_gradients, lane_gradients_scratch
from fastcnn.kernels.cpu.winograd.plan import TILES, suits, whole_columns
from fastcnn.kernels.cpu.winograd.problem import forward_fields, forward_problem
from fastcnn.kernels.cpu.winograd.tiles import FilterBlock, Tiles, filter_gradient_block, gradient_tiles, input_tiles

BACK, BACK_OF_5 = 350, 2200  # cycles to transform a vector of sums to taps, and to store and fetch it


def winograd_backward_weights_suits(geometry):
    """Return whether `winograd_backward_weights` can do this convolution, and faster than the direct kernel."""
    once, rates = BACK if geometry[0]["kh"] == 3 else BACK_OF_5, rates_of(switches.algorithm_choice)
    return suits(geometry.tobytes(), forward_fields, once, rates.winograd_call, few=gradients_in_lanes)


def winograd_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `winograd_backward_weights` wants."""
    p = tuple(map(int, forward_fields(geometry[0])))
    shared, local = shared_places(p, width_of(p[6], dtype))[2], local_places(p, width_of(p[6], dtype))[2]
    return lane_gradients_scratch(p, lanes(dtype)) or shared + config.NUMBA_NUM_THREADS * local


@kernel
def winograd_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and the bias of a 3x3 or 5x5 convolution with stride 1, no dilation, no groups.

    Parameters
    ----------
    dkernel : (3, 3, C, K) or (5, 5, C, K) array
        Added to.
    dbias : (K,) or (0,) array
        Added to; size 0 if there is no bias.
    scratch : (winograd_backward_weights_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    dy : (N, OH, OW, K) array
    geometry : CONV2D
    """
    p = forward_problem(geometry[0])
    add_gradients(dkernel, dbias, scratch, (x.reshape(-1), scratch[:0]), dy, p[3], p)


@inlined
def add_gradients(dkernel, dbias, scratch, xs, dy, own, p):
    """The kernel, of images in two arrays whose channels stand side by side, the first having `own` of them."""
    k, size, yf, wf = p[6], taps(p), dy.reshape(-1), dkernel.reshape(-1)
    if gradients_in_lanes(p, lanes_of(dy)):
        lane_gradients(wf, dbias, scratch, xs, yf, own, p)
        return
    width, blocks = blocks_of(dy, k)
    one, shared, local = shared_places(p, width)
    clear(scratch, 0, one)  # what lies outside images, and where sums start
    scratch[one] = 1
    tiles, run, runs = plan(p, width)[:3]
    if is_fused(p, width):
        chunks = chunks_of(p, width)
        parallel(_chunk_task, chunks, (scratch, (shared, local, one), xs, yf, own, p))
        add_parts(wf, scratch, (shared, aligned(size + k)), chunks, size)
        add_pairwise(scratch, shared + size, aligned(size + k), chunks, dbias.size)
        accumulate(dbias, 0, scratch, shared + size, dbias.size)
    else:
        at = shared + tiles_size(p, width)[1]
        to, bias = wf, dbias
        if runs > OFTEN:
            to, bias = scratch[at:at + size], scratch[at + size:at + size + dbias.size]
            clear(scratch, at, size + k)
        for step in range(runs):
            count = min(run, tiles - step * run)
            tasks = even(-(-count // TILES))
            parallel(_tiles_task, tasks, (scratch, shared, (step * run, count, tasks), xs, yf, own, p))
            parallel(_products_task, blocks * parts_of(p, width), (to, bias, scratch, (shared, local, one), count, p))
            if runs > OFTEN and (step == runs - 1 or step % OFTEN == OFTEN - 1):
                accumulate(wf, 0, to, 0, size)
                accumulate(dbias, 0, bias, 0, dbias.size)
                clear(scratch, at, size + k)


@inlined
def _transform(scratch, to, xs, dy, tiles, own, p):
    """V and W of some tiles.

    `to` is where those of the run lie and which of them is the first one, `tiles` its number and how many there are.
    """
    (v, place), (first, count) = to, tiles
    h, w, c, oh, ow, k, top, left, side = p[1:]
    width = blocks_of(dy, k)[0]
    v_tile, v_step, w_tile, w_step = plan(p, width)[3:]
    down, across = -(-oh // side), -(-ow // side)
    input_tiles((xs[0], 0), (xs[1], 0), Tiles(h, w, c, top, left, down, across, first, count, side), own, (scratch, 0),
                (scratch, (v + place * v_tile, v_tile, v_step)))
    gradient_tiles((dy, 0), Tiles(oh, ow, k, 0, 0, down, across, first, count, side), (scratch, 0),
                   (scratch, (v + tiles_size(p, width)[0] + place * w_tile, w_tile, w_step)))


@inlined
def _at_once(count, width, p):
    """Return how many of `count` tiles a sum takes in at once."""
    return count if p[9] ** 2 * plan(p, width)[0] < FAR else np.int64(TERMS // 2)  # transforms make errors larger


@inlined
def _multiply(scratch, v, part, block, m, fresh, count, p):
    """36 products of one block of filters: scratch[m:] = V^T W for some channels, or added to it unless `fresh`.

    `part` are the first channel and how many, `block` the block and its width.
    """
    (begin, channels), (b, width) = part, block
    v_tile, v_step, w_tile, w_step = plan(p, width)[3:]
    w, step = v + tiles_size(p, width)[0], sums_size(p, width)[0]
    some, columns = _at_once(count, width, p), whole_columns(scratch, b, width, p[6])
    for i in range(36):
        for first in range(0, count, some):
            walk((scratch, (m + i * step, width)),
                 (scratch, (v + i * v_step + begin + first * v_tile, 1, 0, 0, v_tile)),
                 (scratch, (w + i * w_step + b * width + first * w_tile, 0, 0, w_tile)),
                 at3(1, 1, min(some, count - first)), Sums(columns, scratch, 0 if fresh and first == 0 else -1, 0, 0),
                 channels)


@inlined
def _add_bias(to, scratch, one, v, block, count, p):
    """Add the sums of dy over tiles, one block of filters: `to` is an array, an offset and how many columns."""
    (out, at, columns), (b, width) = to, block
    w_tile, w_step = plan(p, width)[5:]
    w, some = v + tiles_size(p, width)[0], _at_once(count, width, p)
    for first in range(0, count, some):
        walk((out, (at, columns)), (scratch, (one, 0, 0, 0, 0)),
             (scratch, (w + 36 * w_step + b * width + first * w_tile, 0, 0, w_tile)),
             at3(1, 1, min(some, count - first)), Sums(columns, scratch, -1, 0, 0), 1)


@inlined
def _chunk_task(chunk, thread, scratch, places, xs, dy, own, p):
    """The gradients of a chunk of tiles, into the chunk's part of the scratch."""
    shared, local, one = places
    c, k = p[3], p[6]
    width, blocks = blocks_of(dy, k)
    m_at, bias_at, share = local_places(p, width)
    v = local + thread * share
    m, bias = v + m_at, v + bias_at
    step, size = sums_size(p, width)[0], taps(p)
    gradients = shared + chunk * aligned(size + k)
    clear(scratch, gradients, size + k)
    clear(scratch, bias, blocks * width)
    tiles, run, runs = plan(p, width)[:3]
    chunks = chunks_of(p, width)
    begin, end = chunk * runs // chunks, (chunk + 1) * runs // chunks
    for r in range(begin, end):
        count = min(run, tiles - r * run)
        _transform(scratch, (v, np.int64(0)), xs, dy, (r * run, count), own, p)
        for b in range(blocks):
            _multiply(scratch, v, (np.int64(0), c), (b, width), m + b * 36 * step, (r - begin) % OFTEN == 0, count, p)
            _add_bias((scratch, bias + b * width, width), scratch, one, v, (b, width), count, p)
        if r == end - 1 or (r - begin) % OFTEN == OFTEN - 1:
            for b in range(blocks):
                filter_gradient_block((scratch, gradients),
                                      FilterBlock(c, k, b * width, min(width, k - b * width), 0, c, 7 - p[9]),
                                      (scratch, (m + b * 36 * step, width, step)))
            accumulate(scratch, gradients + size, scratch, bias, k)
            clear(scratch, bias, blocks * width)


@inlined
def _tiles_task(task, scratch, shared, tiles, xs, dy, own, p):
    """V and W of a run of the tiles of a step, of which the first, how many, and the number of runs are given."""
    first, count, tasks = tiles
    begin, end = chunk_of(task, tasks, count)
    _transform(scratch, (shared, begin), xs, dy, (first + begin, end - begin), own, p)


@inlined
def _products_task(task, thread, dkernel, dbias, scratch, places, count, p):
    """What a step of `count` tiles adds to the gradient: one block of filters and one part of the channels."""
    shared, local, one = places
    c, k = p[3], p[6]
    width = blocks_of(dkernel, k)[0]
    m, _, share = local_places(p, width)
    m += local + thread * share
    parts = parts_of(p, width)
    b, part = task // parts, task % parts
    begin, end = part * c // parts, (part + 1) * c // parts
    columns = min(width, k - b * width)
    _multiply(scratch, shared, (begin, end - begin), (b, width), m, True, count, p)
    filter_gradient_block((dkernel, 0), FilterBlock(c, k, b * width, columns, begin, end, 7 - p[9]),
                          (scratch, (m, width, sums_size(p, width)[0])))
    if part == 0 and dbias.size > 0:
        _add_bias((dbias, b * width, columns), scratch, one, shared, (b, width), count, p)
