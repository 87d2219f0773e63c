"""3x3 convolution with stride 1 by Winograd's F(4x4, 3x3): the forward pass, and the gradient of the input.

A tile of 4x4 outputs takes 36 multiplications a channel and filter in place of 144 (`winograd_transforms.py` has the
formulas). For every tile the 36 elements of its transform are independent sums over channels, so a run of tiles times
all filters is 36 matrix products, walked by the register tile::

    x --B^T d B--> V 36 x (tiles, C)          36 products                M 36 x (tiles, width) --A^T m A--> y
                   L2, the task's own    x    (tiles, C) x (C, width) =  L2, one block of filters at a time
    kernel --G g G^T--> U, blocks of filters, 36 x (C, width) each: from L2 or L3, used by all tiles of the run

A task is a run of tiles, through images and across their borders. Where there are few tiles (deep layers, small
batches) a task is a run and a part of the blocks of filters: the run is then transformed by each part anew, which is
little beside so many filters.

The gradient of the input is the same convolution, of dy with flipped filters whose channels and filters are swapped,
and with 2 - p zeros at a side instead of p.

Rounding: with the points 0, +-sqrt 2, +-1/sqrt 2 the largest error is about three times that of the direct sum. A NaN
or an infinity in x reaches the whole 4x4 tile of y. `fastcnn.config` switches Winograd off.
"""

import functools

import numpy as np
from numba import config

from fastcnn.geometry import CONV2D
from fastcnn.kernels.cpu._jit import inlined, kernel, parallel
from fastcnn.kernels.cpu.conv_plan import blocks_of, width_of
from fastcnn.kernels.cpu.pack import aligned, clear
from fastcnn.kernels.cpu.tile import lanes
from fastcnn.kernels.cpu.walk import lanes_of, walk
from fastcnn.kernels.cpu.winograd_tiles import DEPTHS, filter_block, input_tiles, output_tiles

TILES = 28  # of a run: two of the tallest register tiles, V and M of 128 channels within L2
WIDE = 56  # of a run of few channels
STREAM_TILES = 64  # up to so many, and from so many filters times channels on, filters that are not kept
STREAM_FILTERS = 16384  # are used a slice of their channels at a time
SLICE = 64  # channels: 36 x (64, width) are 295 KB of float32, beside M within L2
STREAM_RUN = 4  # tiles
TASKS = 8  # tasks a launch should have at least, for a balanced end


def _forward(g):
    """Return the problem: (N, H, W, C) of what is read, (H, W, K) of what is written, zeros above and on the left."""
    return g["n"], g["h"], g["w"], g["c"], g["oh"], g["ow"], g["k"], g["top"], g["left"]


def _backward(g):
    """As `_forward`, for the gradient of the input."""
    return g["n"], g["oh"], g["ow"], g["k"], g["h"], g["w"], g["c"], 2 - g["top"], 2 - g["left"]


_forward_problem, _backward_problem = inlined(_forward), inlined(_backward)


@inlined
def _plan(p):
    """Return tiles down and across an image, in all, in a run, and elements from tile to tile and matrix to matrix."""
    down, across = -(-p[4] // 4), -(-p[5] // 4)
    tiles = p[0] * down * across
    run = max(1, min(tiles, WIDE if p[3] <= 32 else TILES))
    v_tile = aligned(p[3])
    v_tile += 16 if v_tile >= 256 else 0  # rows a power of two apart would meet in the same lines of L1
    return down, across, tiles, run, v_tile, run * v_tile + 16


@inlined
def _local(p, one, width):
    """Return where in a thread's scratch lie M, memory that nobody reads, and a patch; and the size of it all."""
    run, _, v_step = _plan(p)[3:]
    m = aligned(36 * v_step)
    unread = m + 36 * _m_step(run, width)
    patch = unread + aligned(max(p[6], one))
    return m, unread, patch, patch + aligned(9 * DEPTHS * 2 * one)


@inlined
def _m_step(run, width):
    return aligned(run * width) + 16


@inlined
def _u_step(channels, width):
    return channels * width + 16  # 36 stores a power of two apart would meet in the same lines of L1


@inlined
def _streams(p, width):
    """Whether filters that are not kept are used a slice at a time, each while it is in L2: few tiles, many filters."""
    return _plan(p)[2] <= STREAM_TILES and p[6] >= 4 * width and p[3] * p[6] >= STREAM_FILTERS


@inlined
def _stream_plan(p, width):
    """Return from matrix to matrix of V, U and M of all tiles, and where M begins in a thread's scratch."""
    tiles, _, v_tile = _plan(p)[2:5]
    u_step = _u_step(min(p[3], SLICE), width)
    return tiles * v_tile + 16, u_step, aligned(tiles * width) + 16, aligned(36 * u_step)


@inlined
def _stream_local(p, one, width):
    """As `_local`, where filters stream."""
    m_step, m = _stream_plan(p, width)[2:]
    unread = m + 36 * m_step
    patch = unread + aligned(max(p[6], one))
    return m, unread, patch, patch + aligned(9 * DEPTHS * 2 * one)


def _scratch(problem, dtype):
    p = tuple(map(int, problem))
    one, width, threads = lanes(dtype), width_of(p[6], dtype), config.NUMBA_NUM_THREADS
    shared = aligned(max(p[3], width)) + aligned(-(-p[6] // width) * width)
    stored, streamed = threads * _local(p, one, width)[3], 0
    if _streams(p, width):
        streamed = aligned(36 * _stream_plan(p, width)[0]) + threads * _stream_local(p, one, width)[3]
    return shared + max(stored, streamed)


def _packed(problem, dtype, kept):
    p = tuple(map(int, problem))
    width = width_of(p[6], dtype)
    return 0 if not kept and _streams(p, width) else -(-p[6] // width) * 36 * _u_step(p[3], width)


def winograd_forward_suits(geometry, kept):
    """Return whether `winograd_forward` can do this convolution, and faster than the direct kernel.

    Parameters
    ----------
    geometry : CONV2D
    kept : bool
        Whether the transformed filters are kept for many calls.
    """
    return suits(geometry.tobytes(), kept, _forward)


def winograd_backward_input_suits(geometry, kept):
    """As `winograd_forward_suits`, for `winograd_backward_input`."""
    return suits(geometry.tobytes(), kept, _backward)


@functools.lru_cache(maxsize=4096)
def suits(geometry, kept, problem):
    """Compare cycles for each vector of channels and each filter, as measured with AVX-512; shapes alone decide."""
    g = np.frombuffer(geometry, CONV2D)[0]
    window = tuple(int(g[name]) for name in ("kh", "kw", "sh", "sw", "dh", "dw", "groups"))
    p = tuple(map(int, problem(g)))
    n, c, oh, ow, k = p[0], *p[3:7]
    if window != (3, 3, 1, 1, 1, 1, 1) or min(c, k) < 16 or n == 0:
        return False
    tiles = n * -(-oh // 4) * -(-ow // 4)
    transforms = 300 / k + 220 / c
    packing = 0 if kept else 350 if 36 * c * k < 1 << 22 else 800  # the transformed filters of deep layers leave L3
    return tiles * (40 + transforms) + packing < 0.9 * 9 * n * oh * ow


def winograd_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `winograd_forward` wants."""
    return _scratch(_forward(geometry[0]), dtype)


def winograd_forward_packed(geometry, dtype, kept=True):
    """Return how many elements `packed` of `winograd_forward` has: transformed filters, or 0 where they are not kept.

    Of few tiles and many filters, transforming them anew in every call is cheaper than storing what is not kept.
    """
    return _packed(_forward(geometry[0]), dtype, kept)


def winograd_backward_input_scratch(geometry, dtype):
    """Return how many elements of scratch `winograd_backward_input` wants."""
    return _scratch(_backward(geometry[0]), dtype)


def winograd_backward_input_packed(geometry, dtype, kept=True):
    """As `winograd_forward_packed`, for `winograd_backward_input`."""
    return _packed(_backward(geometry[0]), dtype, kept)


@kernel
def winograd_forward(y, scratch, packed, x, kernel, bias, relu, ready, geometry):
    """y = conv(x, kernel) + bias, and max(., 0) of it if `relu`; 3x3, stride 1, no dilation, no groups.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    scratch : (winograd_forward_scratch(geometry, dtype),) array
    packed : (winograd_forward_packed(geometry, dtype, kept),) array
        The transformed filters: written, or read if `ready`.
    x : (N, H, W, C) array
    kernel : (3, 3, C, K) array
    bias : (K,) or (0,) array
    relu : int
        1 for the rectified output.
    ready : int
        1 if `packed` is as an earlier call with this kernel left it.
    geometry : CONV2D
    """
    p = _forward_problem(geometry[0])
    c, k = p[3], p[6]
    filters = (0, 3 * c * k, c * k, k, 1)
    _convolve(y.reshape(-1), scratch, packed, x.reshape(-1), kernel.reshape(-1), filters, bias, relu, ready, p)


@kernel
def winograd_backward_input(dx, scratch, packed, dy, kernel, ready, geometry):
    """dx = the gradient with respect to the input of a 3x3 convolution with stride 1, without dilation or groups.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    scratch : (winograd_backward_input_scratch(geometry, dtype),) array
    packed : (winograd_backward_input_packed(geometry, dtype, kept),) array
        The transformed filters: written, or read if `ready`.
    dy : (N, OH, OW, K) array
    kernel : (3, 3, C, K) array
    ready : int
        1 if `packed` is as an earlier call with this kernel left it.
    geometry : CONV2D
    """
    p = _backward_problem(geometry[0])
    k, c = p[3], p[6]
    filters = (8 * c * k, -3 * c * k, -c * k, 1, k)  # from the last tap to the first; depth is k, columns are c
    _convolve(dx.reshape(-1), scratch, packed, dy.reshape(-1), kernel.reshape(-1), filters, scratch[:0], 0, ready, p)


@inlined
def _convolve(y, scratch, packed, x, kernel, filters, bias, relu, ready, p):
    """Both kernels; `filters` are the offset and the strides of r, s, depth and column in the flat `kernel`."""
    c, k = p[3], p[6]
    width, blocks = blocks_of(y, k)
    start = aligned(max(c, width))
    clear(scratch, 0, start)  # where the products' sums start, and what lies outside images
    for i in range(blocks * width):
        scratch[start + i] = bias[i] if i < bias.size else 0
    local = start + aligned(blocks * width)
    if packed.size == 0:
        v, local = local, local + aligned(36 * _stream_plan(p, width)[0])
        parallel(_stream_tiles_task, -(-_plan(p)[2] // STREAM_RUN), (scratch, v, local, x, p))
        parallel(_stream_task, blocks, (y, scratch, v, local, start, kernel, filters, relu, p))
        return
    if ready == 0:
        parts = -(-c // (4 * DEPTHS))
        parallel(_filters_task, blocks * parts, (packed, scratch, local, kernel, filters, parts, p))
    runs = -(-_plan(p)[2] // _plan(p)[3])
    parts = max(1, min(blocks, TASKS // max(1, runs)))
    parallel(_tiles_task, runs * parts, (y, scratch, local, start, packed, x, relu, parts, p))


@inlined
def _filters_task(task, thread, packed, scratch, local, kernel, filters, parts, p):
    """G g G^T of a part of the depth of one block of filters."""
    c, k = p[3], p[6]
    width = blocks_of(packed, k)[0]
    step = _u_step(c, width)
    b, part = task // parts, task % parts
    _, _, patch, share = _local(p, lanes_of(packed), width)
    at, k_r, k_s, k_depth, k_column = filters
    filter_block(kernel, at + b * width * k_column, k_r, k_s, k_depth, k_column, min(width, k - b * width),
                 part * c // parts, (part + 1) * c // parts, packed, b * 36 * step, width, step,
                 scratch, local + thread * share + patch)


@inlined
def _tiles_task(task, thread, y, scratch, local, start, packed, x, relu, parts, p):
    """One run of tiles, for a part of the blocks of filters."""
    h, w, c, oh, ow, k, top, left = p[1:]
    down, across, tiles, run, v_tile, v_step = _plan(p)
    width, blocks = blocks_of(y, k)
    m_at, unread_at, patch_at, share = _local(p, lanes_of(y), width)
    v = local + thread * share
    m, unread, patch, m_step, u_step = v + m_at, v + unread_at, v + patch_at, _m_step(run, width), _u_step(c, width)
    first, part = task // parts * run, task % parts
    count = min(run, tiles - first)
    input_tiles(x, 0, h, w, c, top, left, down, across, first, count, scratch, 0, scratch, v, v_tile, v_step,
                scratch, patch)
    for b in range(part * blocks // parts, (part + 1) * blocks // parts):
        for i in range(36):
            walk(scratch, (m + i * m_step, width), scratch, (v + i * v_step, v_tile, 0, 0, 1),
                 packed, ((b * 36 + i) * u_step, 0, 0, width), (1, 1, c), scratch, 0, width, 0, count)
        output_tiles(y, 0, oh, ow, k, b * width, min(width, k - b * width), down, across, first, count,
                     scratch, unread, scratch, m, width, m_step, scratch, start + b * width, relu, scratch, patch)


@inlined
def _stream_tiles_task(task, thread, scratch, v, local, x, p):
    """A few tiles of V."""
    (h, w, c), k, (top, left) = p[1:4], p[6], p[7:]
    down, across, tiles, _, v_tile, _ = _plan(p)
    width = blocks_of(x, k)[0]
    _, _, patch, share = _stream_local(p, lanes_of(x), width)
    first = task * STREAM_RUN
    input_tiles(x, 0, h, w, c, top, left, down, across, first, min(STREAM_RUN, tiles - first), scratch, 0,
                scratch, v + first * v_tile, v_tile, _stream_plan(p, width)[0], scratch, local + thread * share + patch)


@inlined
def _stream_task(b, thread, y, scratch, v, local, start, kernel, filters, relu, p):
    """All tiles for one block of filters, which are transformed and used a slice of their channels at a time."""
    oh, ow, k, c = p[4], p[5], p[6], p[3]
    down, across, tiles, _, v_tile, _ = _plan(p)
    width = blocks_of(y, k)[0]
    m_at, unread_at, patch_at, share = _stream_local(p, lanes_of(y), width)
    u = local + thread * share
    m, unread, patch = u + m_at, u + unread_at, u + patch_at
    v_step, u_step, m_step, _ = _stream_plan(p, width)
    columns = min(width, k - b * width)
    at, k_r, k_s, k_depth, k_column = filters
    for begin in range(0, c, SLICE):
        depth = min(SLICE, c - begin)
        filter_block(kernel, at + b * width * k_column + begin * k_depth, k_r, k_s, k_depth, k_column, columns,
                     0, depth, scratch, u, width, u_step, scratch, patch)
        for i in range(36):
            walk(scratch, (m + i * m_step, width), scratch, (v + i * v_step + begin, v_tile, 0, 0, 1),
                 scratch, (u + i * u_step, 0, 0, width), (1, 1, depth), scratch, 0 if begin == 0 else -1, width, 0,
                 tiles)
    output_tiles(y, 0, oh, ow, k, b * width, columns, down, across, 0, tiles, scratch, unread,
                 scratch, m, width, m_step, scratch, start + b * width, relu, scratch, patch)
