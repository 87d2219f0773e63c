"""Convolution with stride 1 by Winograd's F(4x4, 3x3) and F(2x2, 5x5): the forward pass, and the gradient of the input.

A tile of 4x4 outputs takes 36 multiplications a channel and filter in place of 144, one of 2x2 outputs of a 5x5
convolution 36 in place of 100 (`transforms.py` has the formulas). For every tile the 36 elements of its transform are
independent sums over channels, so a run of tiles times all filters is 36 matrix products, walked by the register
tile::

    x --B^T d B--> V 36 x (tiles, C)          36 products                M 36 x (tiles, width) --A^T m A--> y
                   L2, the task's own    x    (tiles, C) x (C, width) =  L2, one block of filters at a time
    kernel --G g G^T--> U, blocks of filters, 36 x (C, width) each: from L2 or L3, used by all tiles of the run

A task is a run of tiles, through images and across their borders. Where there are few tiles (deep layers, small
batches) a task is a run and a part of the blocks of filters: parts of one run follow one another, and a thread
transforms it once.

Filters that are not kept, of few tiles, *stream*: storing 36/9 of their size would take longer than the products. V of
all tiles is made first; a task then is a block of filters, of which it transforms a slice of channels and adds its
products to M while the slice is in L2. The sums run in the same order, so the bits are the same::

    kernel --G g G^T--> U, a slice: 36 x (64, width), L2      V 36 x (tiles, 64 of C)  x U  += M 36 x (tiles, width)

The gradient of the input is the same convolution, of dy with flipped filters whose channels and filters are swapped,
and with 2 - p zeros at a side instead of p, 4 - p for 5x5.

Rounding: with the points 0, +-sqrt 2, +-1/sqrt 2 the largest error on layers of VGG-16 and ResNet-50 is 5e-7 to 4e-6
of the largest output, about that of the direct sum, which adds nine times as many terms one after another. What differs
is that an error is as large beside the small outputs of a tile as beside its large ones, and that a NaN or an infinity
in x reaches the whole 4x4 tile of y. `fastcnn.config` switches Winograd off.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.gemm.packing import blocks_of
from fastcnn.kernels.cpu.gemm.walk import Sums, walk
from fastcnn.kernels.cpu.simd.memory import aligned, at3, clear
from fastcnn.kernels.cpu.simd.width import lanes_of
from fastcnn.kernels.cpu.winograd.beyond import fill_beyond
from fastcnn.kernels.cpu.winograd.filters import DEPTHS, transform_filters
from fastcnn.kernels.cpu.winograd.lane_task import lane_task, lane_tasks, scratch_size
from fastcnn.kernels.cpu.winograd.plan import (
    SLICE,
    WHOLE,
    in_lanes,
    local,
    m_step,
    packed_size,
    plan,
    possible,
    stream_local,
    stream_steps,
    suits_as_rated,
    u_step,
    whole_columns,
    zeros_of,
)
from fastcnn.kernels.cpu.winograd.problem import (
    backward_bank,
    backward_fields,
    backward_problem,
    forward_bank,
    forward_fields,
    forward_problem,
)
from fastcnn.kernels.cpu.winograd.tiles import Tiles, input_tiles, output_tiles

STREAM_RUN, TASKS = 4, 8  # tiles that a task transforms where filters stream; tasks of a launch, for a balanced end
EXACT = 1 << 24  # whole numbers that float32 holds


def winograd_forward_suits(geometry, kept, pairs=False):
    """Return whether `winograd_forward` can do this convolution, and faster than the direct kernel.

    Parameters
    ----------
    geometry : CONV2D
    kept : bool
        Whether the transformed filters are kept for many calls.
    pairs : bool
        Whether the direct kernel is that on pairs of bfloat16.
    """
    return suits_as_rated(geometry, forward_fields, kept, pairs)


def winograd_backward_input_suits(geometry, kept):
    """As `winograd_forward_suits`, for `winograd_backward_input`."""
    return suits_as_rated(geometry, backward_fields, kept)


def winograd_possible(geometry):
    """Return whether Winograd's kernels can do a convolution, be it faster or not.

    Parameters
    ----------
    geometry : CONV2D
    """
    return possible(geometry.tobytes(), forward_fields) and possible(geometry.tobytes(), backward_fields)


def winograd_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `winograd_forward` wants."""
    return scratch_size(forward_fields(geometry[0]), dtype)


def winograd_forward_packed(geometry, dtype, kept=True):
    """Return how many elements `packed` of `winograd_forward` has: transformed filters, or 0 where they are not kept.

    Of few tiles and many filters, transforming them anew in every call is cheaper than storing what is not kept.
    """
    return packed_size(forward_fields(geometry[0]), dtype, kept)


def winograd_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `winograd_backward_input` wants."""
    return scratch_size(backward_fields(geometry[0]), dtype)


def winograd_backward_input_packed(geometry, dtype, kept=True):
    """As `winograd_forward_packed`, for `winograd_backward_input`."""
    return packed_size(backward_fields(geometry[0]), dtype, kept)


@kernel
def winograd_forward(y, scratch, packed, x, kernel, bias, addend, bounds, ready, geometry):
    """y = conv(x, kernel) + bias + addend, and what is beyond the bounds set to them.

    3x3 or 5x5, stride 1, no dilation, no groups.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    scratch : (winograd_forward_scratch(geometry, dtype),) array
    packed : (winograd_forward_packed(geometry, dtype, kept),) array
        The transformed filters: written, or read if `ready`.
    x : (N, H, W, C) array
    kernel : (3, 3, C, K) or (5, 5, C, K) array
    bias : (K,) or (0,) array
    addend : (y.size,) or (0,) array
    bounds : (2,) array
        As of `conv2d_forward`.
    ready : int
        1 if `packed` is as an earlier call with this kernel left it.
    geometry : CONV2D
    """
    p = forward_problem(geometry[0])
    c, k = p[3], p[6]
    convolve((y.reshape(-1), scratch[:0]), scratch, (packed, ready), (x.reshape(-1), scratch[:0]), forward_bank(kernel),
             (bias, addend, bounds), (k, c), p)


@kernel
def winograd_backward_input(dx, scratch, packed, dy, kernel, bias, bounds, ready, geometry):
    """dx = the gradient with respect to the input of a 3x3 or 5x5 convolution with stride 1, no dilation or groups.

    As the forward pass of a transposed convolution, of dy: dx + bias, and what is beyond the bounds set to them.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    scratch : (winograd_backward_input_scratch(geometry, dtype),) array
    packed : (winograd_backward_input_packed(geometry, dtype, kept),) array
        The transformed filters: written, or read if `ready`.
    dy : (N, OH, OW, K) array
    kernel : (3, 3, C, K) or (5, 5, C, K) array
    bias : (C,) or (0,) array
    bounds : (2,) array
        The lowest and the highest result.
    ready : int
        1 if `packed` is as an earlier call with this kernel left it.
    geometry : CONV2D
    """
    p = backward_problem(geometry[0])
    k, c = p[3], p[6]
    convolve((dx.reshape(-1), scratch[:0]), scratch, (packed, ready), (dy.reshape(-1), scratch[:0]),
             backward_bank(kernel), (bias, scratch[:0], bounds), (c, k), p)


@inlined
def convolve(ys, scratch, transformed, xs, bank, ends, own, p):
    """Every kernel of this file and of `joined.py`.

    `ys` and `xs` are two arrays each, whose channels stand side by side, and `own` how many of them the first ones
    have: all, where the second is of size 0. `transformed` are the filters' memory and whether it is ready; `bank` the
    flat kernel, its offset and the strides of r, s, depth and column; `ends` bias, addend and bounds.
    """
    (y, _), (packed, ready), (bias, addend, bounds), c, k = ys, transformed, ends, p[3], p[6]
    width, blocks = blocks_of(y, k)
    start = zeros_of(c, width)
    clear(scratch, 0, start)  # where the products' sums start, and what lies outside images
    for i in range(blocks * width):
        scratch[start + i] = bias[i] if i < bias.size else 0
    rest = start + aligned(blocks * width)
    down, across, tiles, run = plan(p)[:4]
    finish = start, addend, bounds
    fill_beyond(ys, (p[9] * down, p[9] * across), scratch, finish, own[0], p)
    if packed.size == 0:
        threads = rest + aligned(36 * stream_steps(p, width)[0])
        parallel(_stream_tiles_task, -(-tiles // STREAM_RUN), (scratch, rest, xs, own[1], p))
        parallel(_stream_task, blocks, ((ys, own[0]), scratch, (rest, threads), bank, finish, p))
    else:
        if ready == 0:
            parts = -(-c // (4 * DEPTHS))
            parts += (blocks * parts) % 2 if blocks * parts > 1 else 0  # two threads have as many tasks each
            parallel(_filters_task, blocks * parts, (packed, scratch, rest, bank, parts, p))
        if in_lanes(p, lanes_of(y)) and addend.size == 0 and not bounds[1] < np.inf:
            parallel(lane_task, lane_tasks(p, lanes_of(y)), ((ys, xs, own), scratch, packed, finish, rest, p))
        else:
            runs = -(-tiles // run)
            parts = max(1, min(blocks, TASKS // max(1, runs)))
            share = local(p, lanes_of(y), width)[3]
            for last in range(rest + share - 1, scratch.size, share):
                scratch[last] = -1  # no run's tiles yet
            parallel(_tiles_task, runs * parts, ((ys, xs, own), scratch, packed, finish, (rest, parts), p))


@inlined
def _filters_task(task, thread, packed, scratch, threads, bank, parts, p):
    """U of a part of the depth of one block of filters."""
    c, k = p[3], p[6]
    width = blocks_of(packed, k)[0]
    _, _, patch, share = local(p, lanes_of(packed), width)
    b, part, step = task // parts, task % parts, u_step(c, width)
    begin, end = part * c // parts, (part + 1) * c // parts
    transform_filters(bank, (b, width, min(width, k - b * width)), (begin, end),
                      (packed, (b * 36 * step + begin * width, step)), (scratch, threads + thread * share + patch),
                      p[9])


@inlined
def _tiles_task(task, thread, images, scratch, packed, finish, cut, p):
    """One run of tiles, for a part of the blocks of filters; `cut` is where the threads have memory, and the parts."""
    (ys, (x, beside), own), (threads, parts) = images, cut
    h, w, c, oh, ow, k, top, left, side = p[1:]
    down, across, tiles, run, v_tile, v_step = plan(p)
    width, blocks = blocks_of(scratch, k)
    m, unread, _, share = local(p, lanes_of(scratch), width)
    v = threads + thread * share
    m, unread = v + m, v + unread
    first, part = task // parts * run, task % parts
    count = min(run, tiles - first)
    if scratch[v + share - 1] != first:  # the thread's last task was not of this run
        input_tiles((x, 0), (beside, 0), Tiles(h, w, c, top, left, down, across, first, count, side), own[1],
                    (scratch, 0), (scratch, (v, v_tile, v_step)))
        scratch[v + share - 1] = first if first < EXACT else -1
    outputs = Tiles(oh, ow, k, 0, 0, down, across, first, count, side)
    m_next, u_next, some = m_step(run, width), u_step(c, width), c if c <= WHOLE else SLICE
    for b in range(part * blocks // parts, (part + 1) * blocks // parts):
        columns = whole_columns(scratch, b, width, k)
        for i in range(36):
            for begin in range(0, c, some):
                walk((scratch, (m + i * m_next, width)), (scratch, (v + i * v_step + begin, v_tile, 0, 0, 1)),
                     (packed, ((b * 36 + i) * u_next + begin * width, 0, 0, width)), at3(1, 1, min(some, c - begin)),
                     Sums(columns, scratch, 0 if begin == 0 else -1, 0, 0), count)
        _finish(ys, scratch, outputs, (b, width, own[0]), (m, m_next), unread, finish)


@inlined
def _finish(ys, scratch, outputs, block, m, unread, finish):
    """Write what one block of filters gives, whose products are M, to some tiles of the outputs."""
    (b, width, own), (m_at, m_next), (start, addend, bounds) = block, m, finish
    output_tiles((ys[0], 0), (ys[1], 0), outputs, (b * width, min(width, outputs.c - b * width), own),
                 (scratch, (m_at, width, m_next)),
                 ((scratch, start + b * width), (addend, 0), (bounds, 0), (scratch, unread)), addend.size)


@inlined
def _stream_tiles_task(task, scratch, v, xs, own, p):
    """A few tiles of V."""
    (h, w, c), k, (top, left, side) = p[1:4], p[6], p[7:]
    down, across, tiles, _, v_tile, _ = plan(p)
    width = blocks_of(xs[0], k)[0]
    first = task * STREAM_RUN
    run = Tiles(h, w, c, top, left, down, across, first, min(STREAM_RUN, tiles - first), side)
    input_tiles((xs[0], 0), (xs[1], 0), run, own, (scratch, 0),
                (scratch, (v + first * v_tile, v_tile, stream_steps(p, width)[0])))


@inlined
def _stream_task(b, thread, outputs, scratch, places, bank, finish, p):
    """All tiles for one block of filters, which are transformed and used a slice of their channels at a time."""
    (ys, own), (v, threads), (c, oh, ow, k) = outputs, places, p[3:7]
    down, across, tiles, _, v_tile, _ = plan(p)
    width = blocks_of(scratch, k)[0]
    m, unread, patch, share = stream_local(p, lanes_of(scratch), width)
    u = threads + thread * share
    m, unread, patch = u + m, u + unread, u + patch
    v_next, u_next, m_next = stream_steps(p, width)
    columns = whole_columns(scratch, b, width, k)
    for begin in range(0, c, SLICE):
        depth = min(SLICE, c - begin)
        transform_filters(bank, (b, width, min(width, k - b * width)), (begin, begin + depth), (scratch, (u, u_next)),
                          (scratch, patch), p[9])
        for i in range(36):
            walk((scratch, (m + i * m_next, width)), (scratch, (v + i * v_next + begin, v_tile, 0, 0, 1)),
                 (scratch, (u + i * u_next, 0, 0, width)), (1, 1, depth),
                 Sums(columns, scratch, 0 if begin == 0 else -2 if c <= WHOLE else -1, 0, 0), tiles)
    _finish(ys, scratch, Tiles(oh, ow, k, 0, 0, down, across, 0, tiles, p[9]), (b, width, own), (m, m_next), unread,
            finish)
