"""The gradient of few filters by Winograd's F(3x3, 4x4), tiles in the lanes of vectors (`lanes.py`).

A sum over tiles is one over groups, lane by lane, and at the end of a run one over lanes::

    V 36 x C x tiles, W 36 x K x tiles of a run of groups, L2        m 36 x (C, K) += V W^T

Tiles are cut into chunks, each with a part of the scratch for its gradients, as where tiles lie side by side.
"""

import numpy as np
from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, parallel
from fastcnn.kernels.cpu.gemm.packing import blocks_of
from fastcnn.kernels.cpu.gemm.partial_sums import add_parts
from fastcnn.kernels.cpu.gemm.shares import even
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, clear
from fastcnn.kernels.cpu.simd.sums import add_pairwise, row_sum
from fastcnn.kernels.cpu.simd.width import lanes_of
from fastcnn.kernels.cpu.winograd.lane_products import lane_sums
from fastcnn.kernels.cpu.winograd.lanes import SIDE, lane_gradient, lane_input, work_size
from fastcnn.kernels.cpu.winograd.plan import in_lanes
from fastcnn.kernels.cpu.winograd.tiles import FilterBlock, Tiles, filter_gradient_block

FEW = 2304  # channels times filters at most: of more, few groups make a run, and sums of lanes take as long as it
CHUNKS = 16
OFTEN = 16  # runs whose products are one m
ROOM = 160 << 10  # elements of V and W of a run, which stay in L2


@inlined
def gradients_in_lanes(p, one):
    """Whether `lane_gradients` is faster than tiles side by side."""
    return in_lanes(p, one) and p[3] * p[6] <= FEW


@inlined
def _plan(p, one):
    """Return tiles, chunks, the groups of a run, and the elements from matrix to matrix of V and W and to a group."""
    v_step, w_step = p[3] * one + 16, p[6] * one + 16
    v_group, w_group = aligned(36 * v_step), aligned(37 * w_step)
    tiles = p[0] * -(-p[4] // 4) * -(-p[5] // 4)
    groups = max(1, min(8, ROOM // (v_group + w_group)))
    chunks = even(max(1, min(CHUNKS, -(-tiles // (groups * one)))))
    return tiles, chunks, groups, v_step, w_step, v_group, w_group


@inlined
def _local(p, one):
    """Return where in a thread's scratch lie W, m, sums of dy and memory to transpose in, behind V; the size of it."""
    _, _, groups, _, _, v_group, w_group = _plan(p, one)
    w = groups * v_group
    m = w + groups * w_group
    bias = m + aligned(36 * (p[3] * aligned(p[6]) + 16))
    work = bias + aligned(p[6] * one)
    return w, m, bias, work, work + aligned(max(work_size(p[3], SIDE, one), work_size(p[6], 4, one)))


def lane_gradients_scratch(p, one):
    """Return how many elements of scratch `lane_gradients` wants; 0 if tiles lie side by side."""
    if not gradients_in_lanes(p, one):
        return 0
    return _plan(p, one)[1] * aligned(9 * p[3] * p[6] + p[6]) + config.NUMBA_NUM_THREADS * _local(p, one)[4]


@inlined
def lane_gradients(dkernel, dbias, scratch, xs, dy, own, p):
    """Add the gradients, of images in two arrays whose channels stand side by side, the first having `own` of them."""
    c, k, chunks = p[3], p[6], _plan(p, lanes_of(dy))[1]
    size = aligned(9 * c * k + k)
    parallel(_chunk_task, chunks, (scratch, chunks * size, xs, dy, own, p))
    start = np.int64(0)  # a literal would be another type
    add_parts(dkernel, scratch, (start, size), chunks, 9 * c * k)
    add_pairwise(scratch, 9 * c * k, size, chunks, dbias.size)
    accumulate(dbias, 0, scratch, 9 * c * k, dbias.size)


@inlined
def _chunk_task(chunk, thread, scratch, threads, xs, dy, own, p):
    """The gradients of a chunk of tiles, into the chunk's part of the scratch."""
    (h, w, c, oh, ow, k, top, left), one = p[1:9], lanes_of(dy)
    tiles, chunks, groups, v_step, w_step, v_group, w_group = _plan(p, one)
    w_at, m, bias, work, share = _local(p, one)
    v = threads + thread * share
    w_at, m, bias, work = v + w_at, v + m, v + bias, v + work
    row, (width, blocks), down, across = aligned(k), blocks_of(dy, k), -(-oh // 4), -(-ow // 4)
    m_step = c * row + 16
    gradients = chunk * aligned(9 * c * k + k)
    clear(scratch, gradients, 9 * c * k + k)
    clear(scratch, bias, k * one)
    clear(scratch, m, 36 * m_step)
    begin, end = chunk_of(chunk, chunks, -(-tiles // one))
    runs = -(-(end - begin) // groups)
    for r in range(runs):
        low, high = chunk_of(r, runs, end - begin)
        count = high - low
        for g in range(count):
            first = (begin + low + g) * one
            there, at = min(one, tiles - first), v + g * v_group
            lane_input((xs[0], 0), Tiles(h, w, own, top, left, down, across, first, there, 4), (scratch, work),
                       (scratch, at), v_step)
            if own < c:
                lane_input((xs[1], 0), Tiles(h, w, c - own, top, left, down, across, first, there, 4), (scratch, work),
                           (scratch, at + own * one), v_step)
            lane_gradient((dy, 0), Tiles(oh, ow, k, 0, 0, down, across, first, there, 4), (scratch, work),
                          (scratch, w_at + g * w_group), w_step)
            accumulate(scratch, bias, scratch, w_at + g * w_group + 36 * w_step, k * one)
        for channel in range(k):
            at = bias + channel * one
            scratch[gradients + 9 * c * k + channel] += row_sum(scratch[at:at + one])
        clear(scratch, bias, k * one)
        lane_sums((scratch, m), (scratch, v), (scratch, w_at), (m_step, v_step, w_step, v_group, w_group),
                  (c, k, row, count))
        if r == runs - 1 or r % OFTEN == OFTEN - 1:
            for b in range(blocks):
                filter_gradient_block((scratch, gradients),
                                      FilterBlock(c, k, b * width, min(width, k - b * width), 0, c, 3),
                                      (scratch, (m + b * width, row, m_step)))
            clear(scratch, m, 36 * m_step)
