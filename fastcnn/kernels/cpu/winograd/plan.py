"""Whether Winograd suits a convolution, and how its work and memory are cut: functions of shapes alone.

A problem is what `problem.py` names, whether it is a forward pass or a gradient of the input.
"""

import functools

import numpy as np
from numba import config

from fastcnn.algorithm_tables import rates_of
from fastcnn.config import switches
from fastcnn.geometry import CONV2D
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.gemm.packing import width_of
from fastcnn.kernels.cpu.gemm.shares import even
from fastcnn.kernels.cpu.simd.memory import aligned
from fastcnn.kernels.cpu.simd.width import lanes, lanes_of
from fastcnn.kernels.cpu.winograd.filters import patch_size
from fastcnn.kernels.cpu.winograd.tile_pixels import MASKED
from fastcnn.kernels.cpu.winograd.transforms import TILE

TILES = 28  # tiles of a run: two of the tallest register tiles; V and M of 128 channels fit into L2
WIDE = 56  # tiles of a run if channels are few
MANY_RUNS = 64  # from which on it hardly matters whether they are equal
#: Filters that are not kept *stream*, a slice of channels at a time, if tiles are at most so many and filters times
#: channels at least so many.
STREAM_TILES, STREAM_FILTERS = 64, 16384
SLICE = 64  # channels: 36 x (64, width) are 295 KB of float32, beside M within L2
FEWEST = 8  # channels and filters at least
LANES_FEW = 96  # channels and filters up to which tiles lie in lanes: of more, U is fetched from L3 for each group
LANES_FULL = 16  # groups from which on they do: of small images, most tiles have a side at a border and are copied
#: Cycles to bring a channel of a tile into lanes and transform it, and for a filter the same way back.
LANES_IN, LANES_OUT = 25, 15
BRIEF = 500  # cycles that 36 products of a tile and a block of filters take beside their multiplications
DIRECT = 1.05  # cycles of a step of the direct kernel, beside those of a product here
#: The same of its kernel on pairs of bfloat16: half, and conversions of what Winograd's kernels read and write.
PAIRS = 0.37
WHOLE = 512  # channels up to which a product is one sum; of more, slices are summed by themselves, and added


@inlined
def plan(p):
    """Return tiles down and across an image, in all, in a run, and elements from tile to tile and matrix to matrix.

    Rows and columns that see nothing but zeros below and on the right are left out, such as those of the input's
    gradient where the forward pass left out rows (`geometry.cropped`).
    """
    down, across = -(-min(p[4], p[1] + p[7]) // p[9]), -(-min(p[5], p[2] + p[8]) // p[9])
    tiles = p[0] * down * across
    run = run_of(tiles, p)
    v_tile = aligned(p[3])
    v_tile += 16 if v_tile >= 256 else 0  # rows a power of two apart would meet in the same lines of L1
    return down, across, tiles, run, v_tile, run * v_tile + 16


@inlined
def run_of(tiles, p):
    """Return tiles of a run. Few runs are nearly equal and an even number, so that two threads end together."""
    most = WIDE if p[3] <= 32 else TILES
    runs = -(-tiles // most)
    if runs >= MANY_RUNS:
        return most
    return max(1, -(-tiles // max(1, even(runs))))


@inlined
def zeros_of(channels, width):
    """Elements of the zeros where products' sums start, and which are read in the place of rows outside images."""
    return aligned(max(TILE * channels, width))


@inlined
def _unread(p, one):
    """Elements of memory for the pixels of a tile that do not exist."""
    return aligned(4 * max(p[6], one))


@inlined
def local(p, one, width):
    """Return where in a thread's scratch lie M, memory that nobody reads, and a patch; and the size of it all.

    V is at the beginning, and the last number is free for which run of tiles it is of.
    """
    run, _, v_step = plan(p)[3:]
    m = aligned(36 * v_step)
    unread = m + 36 * m_step(run, width)
    patch = unread + _unread(p, one)
    return m, unread, patch, patch + patch_size(one, p[9]) + aligned(1)


@inlined
def m_step(run, width):
    """Elements from matrix to matrix of M."""
    return aligned(run * width) + 16


@inlined
def whole_columns(array, b, width, k):
    """Return how many columns of block b the products have: one vector where its filters fill no more."""
    one = lanes_of(array)
    return one if k - b * width <= one else width


@inlined
def u_step(channels, width):
    """Elements from matrix to matrix of U: 36 stores a power of two apart would meet in the same lines of L1."""
    return channels * width + 16


@inlined
def streams(p, width):
    """Whether filters that are not kept are used a slice at a time, each while it is in L2: few tiles, many filters."""
    return plan(p)[2] <= STREAM_TILES and p[6] >= 4 * width and p[3] * p[6] >= STREAM_FILTERS


@inlined
def stream_steps(p, width):
    """Return from matrix to matrix of V, U and M where filters stream: all tiles, and one slice of filters."""
    tiles, _, v_tile = plan(p)[2:5]
    return tiles * v_tile + 16, u_step(min(p[3], SLICE), width), m_step(tiles, width)


@inlined
def stream_local(p, one, width):
    """As `local`, where filters stream: M, memory that nobody reads, a patch, and the size; U comes first."""
    _, u, m = stream_steps(p, width)
    m_at = aligned(36 * u)
    unread = m_at + 36 * m
    patch = unread + _unread(p, one)
    return m_at, unread, patch, patch + patch_size(one, p[9])


@inlined
def in_lanes(p, one):
    """Whether the tiles of a problem lie in the lanes of vectors (`lanes.py`): few channels, 3x3."""
    return MASKED and p[9] == 4 and p[3] <= LANES_FEW and p[6] <= LANES_FEW and plan(p)[2] >= LANES_FULL * one


def side_by_side_scratch(problem, dtype):
    """Return how many elements of scratch a problem wants where tiles lie side by side, whichever way filters go."""
    p = tuple(map(int, problem))
    one, width, threads = lanes(dtype), width_of(p[6], dtype), config.NUMBA_NUM_THREADS
    shared = zeros_of(p[3], width) + aligned(-(-p[6] // width) * width)
    stored, streamed = threads * local(p, one, width)[3], 0
    if streams(p, width):
        streamed = aligned(36 * stream_steps(p, width)[0]) + threads * stream_local(p, one, width)[3]
    return shared + max(stored, streamed)


def packed_size(problem, dtype, kept):
    """Return how many elements transformed filters take, 0 if they are not kept and would not be stored."""
    p = tuple(map(int, problem))
    width = width_of(p[6], dtype)
    return 0 if not kept and streams(p, width) else -(-p[6] // width) * 36 * u_step(p[3], width)


@functools.lru_cache(maxsize=4096)
def possible(geometry, problem):
    """Return whether Winograd can do a convolution, of enough channels to be worth its while.

    Parameters
    ----------
    geometry : bytes of CONV2D
    problem : callable
        The fields of a geometry -> the problem.
    """
    g = np.frombuffer(geometry, CONV2D)[0]
    window = tuple(int(g[name]) for name in ("kh", "kw", "sh", "sw", "dh", "dw", "groups"))
    n, _, _, c, _, _, k, _, _, _ = map(int, problem(g))
    return window in ((3, 3, 1, 1, 1, 1, 1), (5, 5, 1, 1, 1, 1, 1)) and min(c, k) >= FEWEST and n > 0


@functools.lru_cache(maxsize=4096)
def suits(geometry, problem, once, call, step=DIRECT, few=in_lanes):
    """Return whether Winograd can do a convolution, and faster than the direct kernel.

    Compared are cycles of one core with AVX-512, as measured, for each vector of channels and each filter: 36 steps of
    the register tile a tile of outputs and its transforms, against a step a tap and output that is not padding; and
    what does not depend on the number of tiles, filters that are transformed or fetched.

    Parameters
    ----------
    geometry, problem
        As of `possible`.
    once : int
        Cycles that do not depend on the number of tiles, for a vector of channels of one filter.
    call : int
        Cycles by which a call is slower than one of the direct kernel, whatever the size.
    step : float
        Cycles of a step of the direct kernel.
    few : callable
        Whether tiles of a problem lie in lanes: the problem, lanes -> bool.
    """
    if not possible(geometry, problem):
        return False
    n, h, w, c, oh, ow, k, top, left, side = map(int, problem(np.frombuffer(geometry, CONV2D)[0]))
    transforms = (300 * -(-c // 16) + 220 * -(-k // 16) + BRIEF * -(-k // 32)) * 16 / c / k
    if few((n, h, w, c, oh, ow, k, top, left, side), lanes(np.dtype(np.float32))):
        transforms = (LANES_IN * c + LANES_OUT * k) * 16 / c / k
    tiles, window = n * -(-min(oh, h + top) // side) * -(-min(ow, w + left) // side), TILE + 1 - side
    tiles = max(2, tiles)  # the register tile has two rows at least
    rows = window * oh - _outside(top, window) - _outside(oh + window - 1 - h - top, window)
    columns = window * ow - _outside(left, window) - _outside(ow + window - 1 - w - left, window)
    return tiles * (40 + transforms) + once + call * 16 / (c * k) < step * n * rows * columns


def suits_as_rated(geometry, problem, kept, pairs=False):
    """As `suits`, of a CONV2D, by the rates of the table in use; `kept` tells whether filters stay transformed."""
    rates = rates_of(switches.algorithm_choice)
    once = rates.winograd_fetching if kept else rates.winograd_packing
    return suits(geometry.tobytes(), problem, once, rates.winograd_call, PAIRS if pairs else DIRECT)


def _outside(zeros, window):
    """Taps of a window, along one side of it, that see only the `zeros` at one side of an image."""
    return sum(min(window, zeros - i) for i in range(zeros))
