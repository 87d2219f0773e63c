"""One stage of a region in lanes, backward: pooling, activation, and the gradients of the convolution.

    dout (qh, qw, k)  ->  dz (oh, ow, k)  ->  weights' sums += x * dz        tiles of 5 window elements x 4 channels
                                              dx = dz * kernel               tiles of 8 channels x 2 positions

Of the input's gradient, rows and columns of a window that lie outside dz are left out, not multiplied by zeros.
"""

from typing import Any, NamedTuple

from fastcnn.geometry import AVERAGE_POOL, MAX_POOL
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.elementwise.activate import activate_backward
from fastcnn.kernels.cpu.fused.lane_pool import PoolRow, spread_average, spread_max
from fastcnn.kernels.cpu.fused.lane_tile import GIVEN, ZERO, lane_scalars, lane_vectors
from fastcnn.kernels.cpu.simd.memory import accumulate, clear
from fastcnn.kernels.cpu.simd.sums import FAR, TERMS
from fastcnn.kernels.cpu.simd.width import lanes_of

_POSITIONS = 128  # that a sum of the weights' gradient takes in at once, or TERMS where there are very many


class StageOffsets(NamedTuple):
    """Where things begin: in the scratch the sums of the weights' gradients, dx, dy and dz, in `saved` the block."""

    sums: Any
    dx: Any
    dy: Any
    dz: Any
    saved: Any


@inlined
def backward_stage(scratch, places, saved, weights, g, wants_dx):
    """One block through one stage: scratch[dx:] (h, w, c) from scratch[dy:] (qh, qw, k); dz lies between them.

    scratch[sums:] has a vector for each of the weights, added to.
    """
    lane, dz = lanes_of(scratch), places.dz
    step = _step(g)
    bands, row = _bands(g, step, lane), g["ph"] * g["ow"] * step * lane
    for band in range(bands):
        begin, end = band * g["qh"] // bands, (band + 1) * g["qh"] // bands
        at = dz + begin * row if wants_dx else dz  # all bands are kept for the input's gradient
        for q in range(begin, end):
            _before_pool(scratch, places, at + (q - begin) * row, saved, g, q)
        _weights(scratch, places, at, saved, g, begin * g["ph"], (end - begin) * g["ph"])
    if wants_dx:
        _input(scratch, places.dx, dz, step, weights, g)


@inlined
def _short(scratch, places, g):
    """Return where short sums lie in the scratch: behind dz."""
    return places.dz + g["oh"] * g["ow"] * (g["k"] + 2) * lanes_of(scratch)


@inlined
def _step(g):
    """Vectors from one position of dz to the next: a power of two would put a row of them on few lines of L1."""
    return g["k"] + 2 if g["k"] % 32 == 0 else g["k"]


@inlined
def _bands(g, step, lane):
    """Return into how many bands the rows are cut, so that a band of dz stays in L2 until it is multiplied."""
    return max(1, min(g["qh"], g["oh"] * g["ow"] * step * lane // 32768))


@inlined
def _before_pool(scratch, places, to, saved, g, q):
    """Row q of the pooling's output, backward: ph rows of the gradient before the activation, at scratch[to:]."""
    lane, k, step, base = lanes_of(scratch), g["k"], _step(g), places.saved
    width, row = k * lane, g["qw"] * k * lane
    given, pool = places.dy + q * row, PoolRow(g["ph"], g["pw"], g["qw"], width)
    if g["pool"] == AVERAGE_POOL:
        spread_average(scratch, to, step * lane, scratch, given, pool)
        at = base + (g["map_at"] + q * g["ph"] * g["ow"] * k) * lane
        _activation(scratch, to, step * lane, (saved, at), g["ph"] * g["ow"], width, g)
        return
    # The derivative at the largest element is that of the output, which it became.
    activate_backward((scratch, given), (scratch, given), (saved, base + (g["out_at"] + q * g["out_row"]) * lane), row,
                      g["code"], g["alpha"])
    index = base + (g["map_at"] + q * g["qw"] * k) * lane
    if g["pool"] == MAX_POOL:
        if g["bias_at"] >= 0:  # each gradient goes to one element of its window: the bias may see them here
            _bias(scratch, places.sums + g["bias_at"] * lane, _short(scratch, places, g), given, g["qw"], width, width)
        spread_max(scratch, to, step * lane, scratch, given, (saved, index), pool)
    else:
        spread_average(scratch, to, step * lane, scratch, given, pool)


@inlined
def _activation(scratch, to, step, saved_at, positions, width, g):
    """Multiply `positions` rows of `width`, a `step` apart, by the activation's derivative."""
    saved, at = saved_at
    whole = step == width  # then all of them are one row
    for p in range(1 if whole else positions):
        row = scratch, to + p * step
        activate_backward(row, row, (saved, at + p * width), positions * width if whole else width, g["code"],
                          g["alpha"])


@inlined
def _bias(scratch, sums, short, dz, positions, step, width):
    """Add `positions` rows of `width`, a `step` apart, to the sums; scratch[short:] is for short ones."""
    for first in range(0, positions, TERMS):
        clear(scratch, short, width)
        for p in range(first, min(first + TERMS, positions)):
            accumulate(scratch, short, scratch, dz + p * step, width)
        accumulate(scratch, sums, scratch, short, width)


@inlined
def _weights(scratch, places, dz, saved, g, first, rows):
    """Add what rows first .. first + rows of dz, at scratch[dz:], give to the sums of kernel and bias."""
    lane, k, c, step = lanes_of(scratch), g["k"], g["c"], _step(g)
    sums, base = places.sums, places.saved
    if g["bias_at"] >= 0 and g["pool"] != MAX_POOL:
        _bias(scratch, sums + g["bias_at"] * lane, _short(scratch, places, g), dz, rows * g["ow"], step * lane,
              k * lane)
    positions = _POSITIONS if g["n"] * g["oh"] * g["ow"] < FAR else TERMS
    run, some = g["kw"] * c, max(1, positions // g["ow"])
    for r in range(g["kh"]):
        for i in range(0, rows, some):
            x = base + (g["in_at"] + (first + r + i) * g["in_row"]) * lane
            lane_vectors((scratch, (sums + (g["kernel_at"] + r * run * k) * lane, k * lane, lane)),
                         (saved, (x, lane, g["in_row"] * lane, 0, c * lane)),
                         (scratch, (dz + i * g["ow"] * step * lane, lane, g["ow"] * step * lane, 0, step * lane)),
                         (scratch, (0, 0)), (min(some, rows - i), 1, g["ow"]), GIVEN, (run, k))


@inlined
def _input(scratch, dx, dz, step, weights, g):
    """dx[h, w, c] = sum of dz[h + top - r, w + left - s, k] * kernel[r, s, c, k] over the (r, s) whose dz exists."""
    lane, k, c = lanes_of(scratch), g["k"], g["c"]
    # Between `inside` and `outside` every column of the window sees dz.
    inside = min(g["w"], max(0, g["kw"] - 1 - g["left"]))
    outside = max(inside, min(g["w"], g["ow"] - g["left"]))
    for h in range(g["h"]):
        r, r_end = max(0, h + g["top"] - g["oh"] + 1), min(g["kh"], h + g["top"] + 1)
        column = 0
        while column < g["w"]:
            s, s_end = max(0, column + g["left"] - g["ow"] + 1), min(g["kw"], column + g["left"] + 1)
            count = outside - column if inside <= column < outside else 1
            lane_scalars((scratch, (dx + (h * g["w"] + column) * c * lane, lane, c * lane)),
                         (weights, (g["kernel_at"] + (r * g["kw"] + s) * c * k, k, g["kw"] * c * k, c * k, 1)),
                         (scratch, (dz + ((h + g["top"] - r) * g["ow"] + column + g["left"] - s) * step * lane,
                                    step * lane, -g["ow"] * step * lane, -step * lane, lane)),
                         (weights, (0, 0)), (max(0, r_end - r), max(0, s_end - s), k), ZERO, (c, count))
            column += count
