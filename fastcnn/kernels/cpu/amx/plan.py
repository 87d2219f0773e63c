"""How a convolution becomes a product on tiles: images with their border, taps, and where results go.

A row of tiles is BLOCK pixels that lie side by side, so an image is stored with its border of zeros, and the rows of
the image run on: pixel p and its window's pixel (r, s) are r (W + border) + s apart, wherever p is. The few pixels of
the border that are computed, too, are not written.

A stride of the output would set the rows of a tile apart. So the image is stored in *phases*: those of its pixels that
tap (r, s) meets lie side by side in phase (r mod sh, s mod sw). Backward, dx has the phases: those of its pixels that
the same taps reach::

    forward, sw = 2      x  0 1 2 3 4 5 6    phase 0: 0 2 4 6     taps 0 and 2 of a window of 3, one pixel apart
                                             phase 1: 1 3 5       tap 1
    backward             dx 0 1 2 3 4 5 6    phase 0: 0 2 4 6     taps 0 and 2 of dy
                                             phase 1: 1 3 5       tap 1
"""

from typing import Any, NamedTuple

import numpy as np
from numba import config

from fastcnn.kernels.cpu.amx.product import BLOCK
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.memory import aligned

DEPTH = 32  #: numbers of bfloat16 in a row of a tile
SUMS = BLOCK * BLOCK  #: of a block, a thread's own


class TilePlan(NamedTuple):
    """What the kernels of one direction know.

    Attributes
    ----------
    n, h, w, c : int
        Of what is multiplied: x forward, dy backward.
    oh, ow, k : int
        Of the result.
    down, across : (int, int)
        Of each dimension: phases of the stored images, and of the result.
    rows, columns : int
        Of a phase of a stored image, with its border.
    top, left : int
        Of these, before the image.
    """

    n: Any
    h: Any
    w: Any
    c: Any
    oh: Any
    ow: Any
    k: Any
    down: Any
    across: Any
    rows: Any
    columns: Any
    top: Any
    left: Any


@inlined
def is_long(g):
    """Whether every pixel is computed of one pixel, its own: then the batch is one long image of one column."""
    same = g["top"] == 0 and g["left"] == 0 and g["h"] == g["oh"] and g["w"] == g["ow"]
    return same and g["kh"] * g["kw"] * g["sh"] * g["sw"] == 1


@inlined
def forward_plan(g):
    """Return the plan of y."""
    if is_long(g):
        pixels, one = g["n"] * g["oh"] * g["ow"], np.int64(1)
        return TilePlan(one, pixels, one, g["c"], pixels, one, g["k"], (one, one), (one, one), pixels, one, one - 1,
                    one - 1)
    one = np.int64(1)
    return TilePlan(g["n"], g["h"], g["w"], g["c"], g["oh"], g["ow"], g["k"], (g["sh"], one), (g["sw"], one),
                g["oh"] + (g["kh"] - 1) * g["dh"] // g["sh"], g["ow"] + (g["kw"] - 1) * g["dw"] // g["sw"],
                g["top"], g["left"])


@inlined
def backward_plan(g):
    """Return the plan of dx."""
    one = np.int64(1)
    if is_long(g):
        pixels = g["n"] * g["oh"] * g["ow"]
        return TilePlan(one, pixels, one, g["k"], pixels, one, g["c"], (one, one), (one, one), pixels, one, one - 1,
                    one - 1)
    top, rows = _reach(g["h"], g["kh"], g["sh"], g["dh"], g["top"])
    left, columns = _reach(g["w"], g["kw"], g["sw"], g["dw"], g["left"])
    return TilePlan(g["n"], g["oh"], g["ow"], g["k"], g["h"], g["w"], g["c"], (one, g["sh"]), (one, g["sw"]),
                max(rows, one), max(columns, one), top, left)


@inlined
def _reach(size, window, stride, dilation, before):
    """Return how many zeros dx needs before dy, and rows in all, in one dimension."""
    first, last = np.int64(0), np.int64(0)
    for r in range(window):
        phase = (r * dilation - before) % stride
        at = (phase + before - r * dilation) // stride
        first = min(first, at)
        last = max(last, at + (size - phase + stride - 1) // stride)
    return -first, last - first


@inlined
def steps_of(p):
    """Return how many rows of tiles the depth has."""
    return (p.c + DEPTH - 1) // DEPTH


@inlined
def stored_of(p):
    """Return the numbers of bfloat16 of the stored images, with room for a block and a window behind the last."""
    pixels = p.down[0] * p.across[0] * p.n * p.rows * p.columns
    return (pixels + BLOCK + 2 * p.columns) * steps_of(p) * DEPTH


@inlined
def tables_of(taps, p):
    """Return the integers of the tables: offsets, weights, and the first tap of each phase of the result."""
    return 2 * taps + p.down[1] * p.across[1] + 1


@inlined
def places(taps, p):
    """Return where in the scratch of float32 sums and stored images begin; tables lie before."""
    sums = aligned(2 * tables_of(taps, p))
    return sums, sums + aligned(config.NUMBA_NUM_THREADS * SUMS)


def scratch_of(g, p):
    """Return the float32 numbers of all scratch."""
    return int(places(int(g["kh"] * g["kw"]), p)[1] + aligned((stored_of(p) + 1) // 2))


def packed_of(g, p):
    """Return the float32 numbers of packed filters."""
    return int(-(-p.k // BLOCK) * g["kh"] * g["kw"] * steps_of(p) * DEPTH * BLOCK // 2)


@inlined
def forward_taps(offsets, which, first, g, p):
    """Write the tables of y: how far each tap lies in the stored images, in numbers."""
    across, step = p.across[0], steps_of(p) * DEPTH
    phase = p.n * p.rows * p.columns
    for r in range(g["kh"]):
        for s in range(g["kw"]):
            t, down, right = r * g["kw"] + s, r * g["dh"], s * g["dw"]
            stored = down % p.down[0] * across + right % across
            offsets[t] = (stored * phase + down // p.down[0] * p.columns + right // across) * step
            which[t] = t
    first[0], first[1] = 0, g["kh"] * g["kw"]


@inlined
def backward_taps(offsets, which, first, g, p):
    """Write the tables of dx: the taps of each phase, and how far they lie in dy."""
    t, phase, step = 0, 0, steps_of(p) * DEPTH
    for a in range(p.down[1]):
        for b in range(p.across[1]):
            first[phase] = t
            phase += 1
            for r in range(g["kh"]):
                down = a + g["top"] - r * g["dh"]
                for s in range(g["kw"]):
                    right = b + g["left"] - s * g["dw"]
                    if down % p.down[1] == 0 and right % p.across[1] == 0:
                        row, column = down // p.down[1] + p.top, right // p.across[1] + p.left
                        offsets[t], which[t] = (row * p.columns + column) * step, r * g["kw"] + s
                        t += 1
    first[phase] = t
