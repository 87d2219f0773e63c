"""The gradient of a convolution's filters in bfloat16 on tiles, with sums in float32.

    dkernel[r, s, c, k] = sum over pixels p of  x[p + (r, s), c] dy[p, k]

A row of tiles is 32 pixels of a channel, so x is stored transposed; dy lies on the grid of the stored x, with zeros
where it has no pixel, its pixels interleaved in pairs. A tap moves dy against x: by an odd number of pixels the pairs
are others, hence dy is stored twice::

    x   channel 0   | 0 1 2 3 .. 31 |        dy   pairs from even pixels   (0, 1) (2, 3) (4, 5) ..
        channel 1   | 0 1 2 3 .. 31 |             from odd ones            (1, 2) (3, 4) (5, 6) ..
"""

from typing import Any, NamedTuple

import numpy as np
from numba import config

from fastcnn.kernels.cpu.amx.plan import DEPTH, SUMS, forward_plan, steps_of
from fastcnn.kernels.cpu.amx.product import BLOCK, give_tiles, gradient_block, take_tiles, tiles_now
from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.elementwise.bfloat16 import rounded_bits
from fastcnn.kernels.cpu.simd.memory import aligned

_PANEL = 32  # blocks of pixels that stay in L2 while all taps pass over them


class _Places(NamedTuple):
    """Where things lie in the scratch of float32, in its numbers, and their sizes.

    Attributes
    ----------
    x, even, odd : int
        Transposed x, and dy in pairs from even and from odd pixels.
    end : int
    blocks : int
        Of 32 pixels, of a phase.
    before : int
        Zeros of dy before its first pixel, an even number.
    wide : int
        Channels of x, in whole blocks.
    pairs : int
        Of pixels of dy.
    columns : int
        Filters, in whole blocks.
    """

    x: Any
    even: Any
    odd: Any
    end: Any
    blocks: Any
    before: Any
    wide: Any
    pairs: Any
    columns: Any


@inlined
def _places(g, p):
    blocks = (p.n * p.rows * p.columns + DEPTH - 1) // DEPTH
    most = (g["kh"] - 1) * g["dh"] // p.down[0] * p.columns + (g["kw"] - 1) * g["dw"] // p.across[0]
    before, wide = (most + 1) // 2 * 2, steps_of(p) * DEPTH
    columns = (p.k + BLOCK - 1) // BLOCK * BLOCK
    pairs = (before + blocks * DEPTH) // 2 + 1
    x = aligned(config.NUMBA_NUM_THREADS * SUMS)
    even = x + aligned(p.down[0] * p.across[0] * blocks * DEPTH * wide // 2)
    odd = even + aligned(pairs * columns)
    return _Places(x, even, odd, odd + aligned(pairs * columns), blocks, before, wide, pairs, columns)


def bfloat16_conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements `scratch` of `bfloat16_conv2d_backward_weights` has."""
    return int(_places(geometry[0], forward_plan(geometry[0])).end)


@kernel
def bfloat16_conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters, of x and dy as bfloat16, and of the bias, of dy as it is.

    Parameters
    ----------
    dkernel : (KH, KW, C, K) array
        Added to.
    dbias : (K,) or (0,) array
        Added to.
    scratch : (bfloat16_conv2d_backward_weights_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    dy : (N, OH, OW, K) array
    geometry : CONV2D
    """
    g = geometry[0]
    p = forward_plan(g)
    at = _places(g, p)
    flat, images = dy.reshape(-1), x.reshape(-1).view(np.uint32)
    parallel(_transpose, p.down[0] * p.across[0] * at.blocks, (scratch[at.x:at.even].view(np.uint16), images, at, p))
    pairs = scratch[at.even:at.end].view(np.uint32)
    parallel(_interleave, at.pairs, (pairs, flat.view(np.uint32), at.odd - at.even, at, p))
    parallel(_sums, at.columns // BLOCK * (at.wide // BLOCK), (dkernel.reshape(-1), scratch, at, p, geometry))
    if dbias.size:
        parallel(_columns, at.columns // BLOCK, (dbias, scratch, flat, p))


@inlined
def _transpose(task, stored, x, at, p):
    """Store a block of pixels of a phase: for each channel a row of 32."""
    phase, block = task // at.blocks, task % at.blocks
    out = stored[task * at.wide * DEPTH:(task + 1) * at.wide * DEPTH]
    for m in range(DEPTH):
        pixel, done = block * DEPTH + m, np.int64(0)
        image, i, j = pixel // (p.rows * p.columns), pixel // p.columns % p.rows, pixel % p.columns
        row = i * p.down[0] + phase // p.across[0] - p.top
        column = j * p.across[0] + phase % p.across[0] - p.left
        if image < p.n and 0 <= row < p.h and 0 <= column < p.w:
            of = ((image * p.h + row) * p.w + column) * p.c
            done = p.c
            for c in range(np.uintp(p.c)):
                out[c * np.uintp(DEPTH) + np.uintp(m)] = rounded_bits(x[np.uintp(of) + c]) >> np.uint32(16)
        for c in range(np.uintp(done), np.uintp(at.wide)):
            out[c * np.uintp(DEPTH) + np.uintp(m)] = 0


@inlined
def _pixel_of(number, at, p):
    """Return where in dy a pixel of the grid begins; -1 where dy has none."""
    pixel = number - at.before
    image, i, j = pixel // (p.rows * p.columns), pixel // p.columns % p.rows, pixel % p.columns
    inside = pixel >= 0 and image < p.n and i < p.oh and j < p.ow
    return ((image * p.oh + i) * p.ow + j) * p.k if inside else np.int64(-1)


@inlined
def _interleave(task, pairs, dy, odd, at, p):
    """Store the pairs (2 task, 2 task + 1) and (2 task + 1, 2 task + 2) of pixels."""
    one, other, third = (_pixel_of(2 * task, at, p), _pixel_of(2 * task + 1, at, p), _pixel_of(2 * task + 2, at, p))
    _pair(pairs[task * at.columns:(task + 1) * at.columns], dy, one, other, p.k)
    _pair(pairs[odd + task * at.columns:odd + (task + 1) * at.columns], dy, other, third, p.k)


@inlined
def _pair(out, dy, low, high, count):
    for k in range(out.size):
        word = np.uint32(0)
        if k < count:
            if low >= 0:
                word = rounded_bits(dy[low + k]) >> np.uint32(16)
            if high >= 0:
                word |= rounded_bits(dy[high + k])
        out[k] = word


@inlined
def _sums(task, thread, dkernel, scratch, at, p, geometry):
    """Add a block of channels and filters, of all taps; a panel of pixels after another."""
    g, which = geometry[0], tiles_now()
    channel, filters = task // (at.columns // BLOCK) * BLOCK, task % (at.columns // BLOCK) * BLOCK
    c = scratch[thread * SUMS:(thread + 1) * SUMS]
    stored, even, odd = (scratch[at.x:at.even].view(np.uint16), scratch[at.even:at.odd].view(np.uint16),
                         scratch[at.odd:at.end].view(np.uint16))
    rows, columns, step = min(BLOCK, p.c - channel), min(BLOCK, p.k - filters), at.wide * DEPTH
    take_tiles(which)
    for block in range(0, at.blocks, _PANEL):
        steps = min(_PANEL, at.blocks - block)
        for r in range(g["kh"]):
            for s in range(g["kw"]):
                down, right = r * g["dh"], s * g["dw"]
                phase = down % p.down[0] * p.across[0] + right % p.across[0]
                pixel = at.before + block * DEPTH - (down // p.down[0] * p.columns + right // p.across[0])
                b_at = (pixel // 2 * at.columns + filters) * 2
                a_at = (phase * at.blocks + block) * step + channel * DEPTH
                a, row = (stored, a_at, step), 2 * at.columns
                if pixel % 2:
                    gradient_block(which, (c, np.int64(0)), a, (odd, b_at, row), steps)
                else:
                    gradient_block(which, (c, np.int64(0)), a, (even, b_at, row), steps)
                to = ((r * g["kw"] + s) * p.c + channel) * p.k + filters
                for m in range(rows):
                    total, found = dkernel[to + m * p.k:to + m * p.k + columns], c[m * BLOCK:m * BLOCK + columns]
                    for k in range(found.size):
                        total[k] += found[k]
    give_tiles(which)


@inlined
def _columns(task, thread, dbias, scratch, dy, p):
    """Add the sums of a block of columns of dy, in double precision."""
    first, count = task * BLOCK, min(BLOCK, p.k - task * BLOCK)
    sums = scratch[thread * SUMS:thread * SUMS + 2 * BLOCK].view(np.float64)[:count]
    for k in range(sums.size):
        sums[k] = 0.0
    for at in range(first, dy.size, p.k):
        pixel = dy[at:at + count]
        for k in range(sums.size):
            sums[k] += pixel[k]
    for k in range(sums.size):
        dbias[first + k] += sums[k]
