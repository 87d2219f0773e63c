"""Convolutions in bfloat16 on tiles, with sums in float32: y of x, and dx of dy.

Arrays are float32; what is multiplied is rounded where it is stored for the tiles (`images`), once for each call.
"""

import numpy as np

from fastcnn.kernels.cpu.amx import unit
from fastcnn.kernels.cpu.amx.images import pack_block, store_row
from fastcnn.kernels.cpu.amx.plan import (
    DEPTH,
    SUMS,
    backward_plan,
    backward_taps,
    forward_plan,
    forward_taps,
    packed_of,
    places,
    scratch_of,
    steps_of,
    tables_of,
)
from fastcnn.kernels.cpu.amx.product import BLOCK, block, give_tiles, take_tiles, tiles_now
from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel

_RUN = 8  # blocks of rows of a task: 256 pixels stay in L2 while the filters pass
_FEW = 16  # channels and filters below which most of a tile would be empty


def bfloat16_conv2d_suits(geometry):
    """Whether tiles multiply, and a convolution fills them: in one group, of enough channels and filters."""
    g = geometry[0]
    return bool(unit.has_tiles() and g["groups"] == 1 and g["c"] >= _FEW and g["k"] >= _FEW
                and min(g["top"], g["left"], g["bottom"], g["right"]) >= 0)


def bfloat16_conv2d_forward_scratch(geometry, dtype):
    """Return how many elements `scratch` of `bfloat16_conv2d_forward` has."""
    return scratch_of(geometry[0], forward_plan(geometry[0]))


def bfloat16_conv2d_forward_packed(geometry, dtype):
    """Return how many elements `packed` of `bfloat16_conv2d_forward` has."""
    return packed_of(geometry[0], forward_plan(geometry[0]))


def bfloat16_conv2d_backward_input_scratch(geometry, dtype):
    """Return how many elements `scratch` of `bfloat16_conv2d_backward_input` has."""
    return scratch_of(geometry[0], backward_plan(geometry[0]))


def bfloat16_conv2d_backward_input_packed(geometry, dtype):
    """Return how many elements `packed` of `bfloat16_conv2d_backward_input` has."""
    return packed_of(geometry[0], backward_plan(geometry[0]))


@kernel
def bfloat16_conv2d_forward(y, scratch, packed, x, kernel, bias, addend, bounds, ready, geometry):
    """y = conv(x, kernel) + bias + addend, and what is beyond the bounds set to them; x and kernel as bfloat16.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    scratch : (bfloat16_conv2d_forward_scratch(geometry, dtype),) array
    packed : (bfloat16_conv2d_forward_packed(geometry, dtype),) array
        The filters as tiles read them: written, or read if `ready`.
    x : (N, H, W, C) array
    kernel : (KH, KW, C, K) array
    bias : (K,) or (0,) array
    addend : (y.size,) or (0,) array
        Lies as y does.
    bounds : (2,) array
        The lowest and the highest result.
    ready : int
        1 if `packed` is what an earlier call with the same kernel left.
    geometry : CONV2D
    """
    g = geometry[0]
    p, taps = forward_plan(g), g["kh"] * g["kw"]
    tables = scratch[:2 * tables_of(taps, p)].view(np.int64)
    forward_taps(tables, tables[taps:], tables[2 * taps:], g, p)
    filters = kernel.reshape(-1), (g["c"] * g["k"], g["k"], np.int64(1))
    _run(y.reshape(-1), (scratch, packed, np.int64(ready)), x.reshape(-1), filters, (bias, addend, bounds), taps, p)


@kernel
def bfloat16_conv2d_backward_input(dx, scratch, packed, dy, kernel, bias, bounds, ready, geometry):
    """dx = the gradient of a convolution's input for dy, or a transposed convolution of dy; both as bfloat16.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    scratch : (bfloat16_conv2d_backward_input_scratch(geometry, dtype),) array
    packed : (bfloat16_conv2d_backward_input_packed(geometry, dtype),) array
        The filters as tiles read them: written, or read if `ready`.
    dy : (N, OH, OW, K) array
    kernel : (KH, KW, C, K) array
    bias : (C,) or (0,) array
    bounds : (2,) array
        The lowest and the highest result.
    ready : int
        1 if `packed` is what an earlier call with the same kernel left.
    geometry : CONV2D
        Of the convolution from dx to dy.
    """
    g = geometry[0]
    p, taps = backward_plan(g), g["kh"] * g["kw"]
    tables = scratch[:2 * tables_of(taps, p)].view(np.int64)
    backward_taps(tables, tables[taps:], tables[2 * taps:], g, p)
    filters = kernel.reshape(-1), (g["c"] * g["k"], np.int64(1), g["k"])
    _run(dx.reshape(-1), (scratch, packed, np.int64(ready)), dy.reshape(-1), filters, (bias, scratch[:0], bounds), taps,
         p)


@inlined
def _run(y, memory, x, bank, ends, taps, p):
    """Store the images, pack the filters, and multiply."""
    (scratch, packed, ready), (weights, strides) = memory, bank
    sums, begin = places(taps, p)
    tables = scratch[:2 * tables_of(taps, p)].view(np.int64)
    stored, filters = scratch[begin:].view(np.uint16), packed.view(np.uint16)
    parallel(store_row, p.down[0] * p.across[0] * p.n * p.rows, (stored, x.view(np.uint32), p))
    blocks = (p.k + BLOCK - 1) // BLOCK
    if not ready:
        words = packed.view(np.uint32), weights.view(np.uint32)
        parallel(pack_block, blocks, (*words, tables[taps:2 * taps], strides, p))
    runs = _runs(p)
    items = p.down[1] * p.across[1] * p.n * runs
    parts = max(1, min(blocks, 16 // max(1, items)))
    parallel(_task, items * parts, (y, scratch[sums:], (stored, filters, tables), ends, (taps, runs, parts), p))


@inlined
def _runs(p):
    """Return the runs of blocks of an image of the first phase, which is the largest."""
    rows = (p.oh + p.down[1] - 1) // p.down[1]
    return (rows * p.columns + _RUN * BLOCK - 1) // (_RUN * BLOCK)


@inlined
def _task(task, thread, y, sums, operands, ends, cut, p):
    """A run of blocks of one image and phase, and a part of the filters."""
    (stored, filters, tables), (taps, runs, parts) = operands, cut
    part, item = task % parts, task // parts
    run, image, phase = item % runs, item // runs % p.n, item // (runs * p.n)
    a, b = phase // p.across[1], phase % p.across[1]
    rows = (p.oh - a + p.down[1] - 1) // p.down[1]
    steps, blocks, wide = steps_of(p), (p.k + BLOCK - 1) // BLOCK, steps_of(p) * DEPTH
    first = tables[2 * taps + phase]
    count = tables[2 * taps + phase + 1] - first
    end = min((run + 1) * _RUN * BLOCK, rows * p.columns)
    c, which = sums[thread * SUMS:(thread + 1) * SUMS], tiles_now()
    take_tiles(which)
    for column in range(part * blocks // parts, (part + 1) * blocks // parts):
        b_at = (column * taps + first) * steps * DEPTH * BLOCK
        for pixel in range(run * _RUN * BLOCK, end, BLOCK):
            a_at = (image * p.rows * p.columns + pixel) * wide
            block(which, (c, np.int64(0)), (stored, a_at, wide), (filters, b_at), tables, (first, count, steps))
            _write(y, c, ends, (image, pixel, min(BLOCK, end - pixel), column * BLOCK), (a, b), p)
    give_tiles(which)


@inlined
def _write(y, c, ends, place, phase, p):
    """Write what of a block belongs to the result: sums, bias and addend, within the bounds."""
    (bias, addend, bounds), (image, pixel, count, k), (a, b) = ends, place, phase
    low, high, columns = bounds[0], bounds[1], min(BLOCK, p.k - k)
    for m in range(count):
        i, j = (pixel + m) // p.columns * p.down[1] + a, (pixel + m) % p.columns * p.across[1] + b
        if j >= p.ow or i >= p.oh:
            continue
        at = ((image * p.oh + i) * p.ow + j) * p.k + k
        found, to = c[m * BLOCK:m * BLOCK + columns], y[at:at + columns]
        if bias.size:
            start = bias[k:k + columns]
            for column in range(found.size):
                found[column] += start[column]
        if addend.size:
            more = addend[at:at + columns]
            for column in range(found.size):
                found[column] += more[column]
        for column in range(found.size):
            value = low if found[column] < low else found[column]
            to[column] = high if value > high else value
