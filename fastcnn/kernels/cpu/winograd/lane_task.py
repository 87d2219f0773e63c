"""The task that takes some groups of tiles, in the lanes of vectors, through a convolution (`lanes.py`)."""

from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined
from fastcnn.kernels.cpu.gemm.packing import blocks_of, width_of
from fastcnn.kernels.cpu.gemm.shares import even
from fastcnn.kernels.cpu.simd.memory import aligned, fill
from fastcnn.kernels.cpu.simd.width import lanes, lanes_of
from fastcnn.kernels.cpu.winograd.lane_products import lane_products
from fastcnn.kernels.cpu.winograd.lanes import SIDE, lane_input, lane_output, work_size
from fastcnn.kernels.cpu.winograd.plan import in_lanes, plan, side_by_side_scratch, u_step, zeros_of
from fastcnn.kernels.cpu.winograd.tiles import Tiles

GROUPS = 4  # of a task at most


@inlined
def lane_tasks(p, one):
    """Return how many tasks there are."""
    return even(-(-plan(p)[2] // (GROUPS * one)))


@inlined
def lane_steps(p, one):
    """Return the elements from matrix to matrix of M and of V."""
    return p[6] * one + 16, p[3] * one + 16


@inlined
def lane_local(p, one):
    """Return where in a thread's scratch lie M, the bias and memory to transpose in, behind V; and the size of it."""
    m_step, v_step = lane_steps(p, one)
    m = aligned(36 * v_step)
    bias = m + aligned(36 * m_step)
    work = bias + aligned(p[6] * one)
    return m, bias, work, work + aligned(max(work_size(p[3], SIDE, one), work_size(p[6], 4, one)))


def scratch_size(problem, dtype):
    """Return how many elements of scratch a problem wants, in lanes or side by side: residuals are added there."""
    p, one, size = tuple(map(int, problem)), lanes(dtype), side_by_side_scratch(problem, dtype)
    width = width_of(p[6], dtype)
    shared = zeros_of(p[3], width) + aligned(-(-p[6] // width) * width)
    return max(size, shared + config.NUMBA_NUM_THREADS * lane_local(p, one)[3]) if in_lanes(p, one) else size


@inlined
def lane_task(task, thread, images, scratch, packed, finish, threads, p):
    """Some groups of tiles, for all filters; `threads` is where the threads have memory."""
    (ys, xs, own), (start, _, bounds), (h, w, c, oh, ow, k, top, left) = images, finish, p[1:9]
    down, across, tiles = plan(p)[:3]
    one, (width, blocks), u_next = lanes_of(scratch), blocks_of(scratch, k), u_step(c, blocks_of(scratch, k)[0])
    m_step, v_step = lane_steps(p, one)
    m, bias, work, share = lane_local(p, one)
    v = threads + thread * share
    m, bias, work = v + m, v + bias, v + work
    for channel in range(k):
        fill(scratch, bias + channel * one, one, scratch[start + channel])
    begin, end = chunk_of(task, lane_tasks(p, one), -(-tiles // one))
    for first in range(begin * one, end * one, one):
        count = min(one, tiles - first)
        lane_input((xs[0], 0), Tiles(h, w, own[1], top, left, down, across, first, count, 4), (scratch, work),
                   (scratch, v), v_step)
        if own[1] < c:
            lane_input((xs[1], 0), Tiles(h, w, c - own[1], top, left, down, across, first, count, 4), (scratch, work),
                       (scratch, v + own[1] * one), v_step)
        for b in range(blocks):
            lane_products((scratch, m + b * width * one), (scratch, v), (packed, b * 36 * u_next),
                          (m_step, v_step, u_next), (min(width, k - b * width), c, width))
        lane_output((ys[0], 0), Tiles(oh, ow, own[0], 0, 0, down, across, first, count, 4), (scratch, m), m_step,
                    (scratch, bias), (bounds, 0), (scratch, work))
        if own[0] < k:
            lane_output((ys[1], 0), Tiles(oh, ow, k - own[0], 0, 0, down, across, first, count, 4),
                        (scratch, m + own[0] * one), m_step, (scratch, bias + own[0] * one), (bounds, 0),
                        (scratch, work))
