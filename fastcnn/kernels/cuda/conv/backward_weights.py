"""As the CPU's `backward_weights`, on CUDA: a product over positions, in parts that are folded in order.

    dkernel (R, K) += A' (R, M) dy (M, K)      M = N OH OW positions, R = KH KW C taps, A' gathered from the images

A product of few taps and filters has few tiles, so the positions are cut into parts, by shapes alone; each part has
sums of its own in scratch. With one part they are added to the gradient at once. The bias has column sums of its own.
"""

import math

from fastcnn import config
from fastcnn.kernels.cuda.compile.kernel import launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1, rem, sized, within
from fastcnn.kernels.cuda.conv.bias import bias_backward, bias_backward_scratch
from fastcnn.kernels.cuda.conv.tile import (
    A_EACH,
    A_SIZE,
    A_TWO,
    AW,
    B_EACH,
    B_SIZE,
    B_TWO,
    BK,
    BM,
    BN,
    BW,
    CHUNK,
    FAR,
    SUMS,
    THREADS,
    TM,
    TN,
    clear,
    corner_of,
    multiply,
    place_of,
    take,
)
from fastcnn.kernels.cuda.conv.tiles import GENERAL, TILES, aligned, fastest, grid_of, kernels_on_tiles
from fastcnn.kernels.cuda.conv.wide_weights import weights_on
from fastcnn.kernels.cuda.sums import fold

_BLOCKS = sized(512, 12)  # that fill a card
_LEAST, _MOST = 64, 16384  # positions of a part
_A_ROWS, _B_ROWS = THREADS // BM, THREADS // BN


def conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_weights` wants, on whatever tile."""
    most = 0
    for tf32 in (False, True):
        _, plans, size, positions = _plan(geometry, tf32)
        most = max(most, *(size * parts for _, parts, _ in plans.values() if parts > 1), 0)
    return max(most, bias_backward_scratch((positions, int(geometry[0]["k"])), dtype))


@launcher
def conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and of the bias, as the CPU's."""
    name, plans, size, positions = _plan(geometry, config.switches.tf32)
    if not dy.size:
        return
    name = name if aligned(x, dy) else GENERAL
    grid, parts, numbers = plans[name]
    out = dkernel if parts == 1 else scratch
    KERNELS[name][grid, TILES[name].THREADS](out, x, dy, *numbers)
    if parts > 1:
        fold(dkernel, scratch, parts, size, add=True)
    if dbias.size:
        bias_backward(dbias, scratch, dy.reshape(positions, -1))


@planned
def _plan(g, tf32):
    """Return the fastest tile; of that and the general one grid, parts, the kernel's numbers; weights; positions."""
    cg, kg, positions = g.c // g.groups, g.k // g.groups, g.n * g.oh * g.ow
    taps = g.kh * g.kw * cg
    plans = {}
    for name in ("_tf32", "_wide", GENERAL) if tf32 else ("_wide", GENERAL):
        blocks = math.prod(grid_of(name, taps, kg, g.groups))
        parts = max(1, min(-(-_BLOCKS // blocks), -(-positions // _LEAST)), -(-positions // _MOST))
        each = max(1, -(-positions // (parts * TILES[name].BK)) * TILES[name].BK)
        parts = max(1, -(-positions // each))
        plans[name] = grid_of(name, taps, kg, g.groups * parts), parts, (
            positions, each, g.h, g.w, g.c, cg, g.oh, g.ow, g.k, kg, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.top, g.left,
            g.groups, int(parts == 1))
    in_quads = cg % 4 == 0 and kg % 4 == 0
    name = fastest(taps, kg, g.groups * plans["_wide"][1], 0, tf32) if in_quads else GENERAL
    return name, {one: plans[one] for one in (name, GENERAL)}, taps * g.k, positions


@inlined
def _product(out, x, dy, positions, each, h, w, c, cg, oh, ow, k, kg, kh, kw, sh, sw, dh, dw, top, left, groups, add):
    a_tile, b_tile = cuda.shared.array(A_TWO, f32), cuda.shared.array(B_TWO, f32)
    totals, sums = cuda.local.array(SUMS, f32), cuda.local.array(SUMS, f32)
    a, b = cuda.local.array(TM, f32), cuda.local.array(TN, f32)
    a_next, b_next = cuda.local.array(A_EACH, f32), cuda.local.array(B_EACH, f32)
    numbers, rows, columns = (cuda.local.array(A_EACH, i32), cuda.local.array(A_EACH, i32),
                              cuda.local.array(A_EACH, i32))
    t = i32(cuda.threadIdx.x)
    m0, n0 = i32(cuda.blockIdx.x * BM), i32(cuda.blockIdx.y * BN)
    group = rem(cuda.blockIdx.z, groups)
    part = div(cuda.blockIdx.z, groups)
    first, end = i32(part * each), min(positions, i32((part + 1) * each))

    # A thread brings of each step some positions of one tap and of one filter.
    m, am, n, bn = rem(t, BM), div(t, BM), rem(t, BN), div(t, BN)
    term, taps = m0 + m, kh * kw * cg
    tap = div(term, cg)
    r = div(tap, kw)
    i0, j0 = i32(r * dh - top) if term < taps else i32(FAR), i32((tap - r * kw) * dw - left)
    channel = i32(group * cg + term - tap * cg)
    for u in range(A_EACH):
        numbers[u], rows[u], columns[u] = place_of(first + am + u * _A_ROWS, oh, ow)
    dn, di, dj = place_of(i32(BK), oh, ow)

    clear(totals)
    clear(sums)
    at_a, at_b = corner_of(t)
    side, steps = i32(0), div(end - first + BK - 1, BK)
    for begin in range(0, steps + 1, CHUNK):
        for step in range(begin, min(steps + 1, begin + CHUNK)):
            place = first + step * BK
            for u in range(A_EACH):
                i, j, value = i0 + rows[u] * sh, j0 + columns[u] * sw, f32(0)
                if place + am + u * _A_ROWS < end and within(i, h) and within(j, w):
                    value = load1(x, i32(i32(i32(numbers[u] * h) + i) * w + j) * c + channel)
                a_next[u] = value
                across = columns[u] + dj
                down = rows[u] + di + (1 if across >= ow else 0)
                columns[u] = i32(across - (ow if across >= ow else 0))
                numbers[u] += i32(dn + (1 if down >= oh else 0))
                rows[u] = i32(down - (oh if down >= oh else 0))
            for u in range(B_EACH):
                value = f32(0)
                if n0 + n < kg and place + bn + u * _B_ROWS < end:
                    value = load1(dy, i32((place + bn + u * _B_ROWS) * k) + group * kg + n0 + n)
                b_next[u] = value

            if step > 0:
                multiply(sums, a, b, a_tile, b_tile, at_a + (1 - side) * A_SIZE, at_b + (1 - side) * B_SIZE)
            for u in range(A_EACH):
                a_tile[side * A_SIZE + (am + u * _A_ROWS) * AW + m] = a_next[u]
            for u in range(B_EACH):
                b_tile[side * B_SIZE + (bn + u * _B_ROWS) * BW + n] = b_next[u]
            side = i32(1 - side)
            cuda.syncthreads()
        take(totals, sums)

    for u in range(TM):
        for v in range(TN):
            row, column = m0 + at_a + u, n0 + at_b + v
            if row < taps and column < kg:
                at = i32(i32(part * taps + row) * k + group * kg + column)
                out[at] = load1(out, at) + totals[u * TN + v] if add != 0 else totals[u * TN + v]


def _on(product):
    """Return the kernel of a product, on one of the tiles."""
    def backward_weights(out: floats, x: floats, dy: floats, positions: i32, each: i32, h: i32, w: i32, c: i32, cg: i32,
                         oh: i32, ow: i32, k: i32, kg: i32, kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32,
                         top: i32, left: i32, groups: i32, add: i32):
        """A block BM taps x BN filters of a group, over a part of the positions."""
        product(out, x, dy, positions, each, h, w, c, cg, oh, ow, k, kg, kh, kw, sh, sw, dh, dw,
                top, left, groups, add)

    return backward_weights


KERNELS = kernels_on_tiles(_on, _product, weights_on)
