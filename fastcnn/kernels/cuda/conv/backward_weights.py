"""As the CPU's `backward_weights`, on CUDA: a product over positions, in parts that are folded in order.

    dkernel (R, K) += A' (R, M) dy (M, K)      M = N OH OW positions, R = KH KW C taps, A' gathered from the images

A product of few taps and filters has few tiles, so the positions are cut into parts, by shapes alone; each part has
sums of its own in scratch. With one part they are added to the gradient at once. The bias has column sums of its own.
"""

from fastcnn.kernels.cuda.compile.kernel import kernel, launcher
from fastcnn.kernels.cuda.compile.planned import planned
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, load1, rem
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
from fastcnn.kernels.cuda.sums import fold

_TILES = 512  # blocks that fill a card
_LEAST, _MOST = 4 * BK, 1024 * BK  # positions of a part
_A_ROWS, _B_ROWS = THREADS // BM, THREADS // BN


def conv2d_backward_weights_scratch(geometry, dtype):
    """Return how many elements of scratch `conv2d_backward_weights` wants."""
    _, parts, size, positions, _ = _plan(geometry)
    filters = int(geometry[0]["k"])
    return max(parts * size if parts > 1 else 0, bias_backward_scratch((positions, filters), dtype))


@launcher
def conv2d_backward_weights(dkernel, dbias, scratch, x, dy, geometry):
    """Add the gradients of the filters and of the bias, as the CPU's."""
    blocks, parts, size, positions, numbers = _plan(geometry)
    if not dy.size:
        return
    out = dkernel if parts == 1 else scratch
    backward_weights[blocks, THREADS](out, x, dy, *numbers)
    if parts > 1:
        fold(dkernel, scratch, parts, size, add=True)
    if dbias.size:
        bias_backward(dbias, scratch, dy.reshape(positions, -1))


@planned
def _plan(g):
    """Return the blocks, parts, weights, positions, and the kernel's numbers."""
    cg, kg, positions = g.c // g.groups, g.k // g.groups, g.n * g.oh * g.ow
    tiles = -(-g.kh * g.kw * cg // BM), -(-kg // BN)
    parts = min(-(-_TILES // (tiles[0] * tiles[1] * g.groups)), -(-positions // _LEAST))
    parts = max(1, parts, -(-positions // _MOST))
    each = -(-positions // (parts * BK)) * BK
    parts = max(1, -(-positions // each)) if each else 1
    numbers = (positions, each, g.h, g.w, g.c, cg, g.oh, g.ow, g.k, kg, g.kh, g.kw, g.sh, g.sw, g.dh, g.dw, g.top,
               g.left, g.groups, int(parts == 1))
    return (*tiles, g.groups * parts), parts, g.kh * g.kw * cg * g.k, positions, numbers


@kernel
def backward_weights(out: floats, x: floats, dy: floats, positions: i32, each: i32, h: i32, w: i32, c: i32, cg: i32,
                     oh: i32, ow: i32, k: i32, kg: i32, kh: i32, kw: i32, sh: i32, sw: i32, dh: i32, dw: i32, top: i32,
                     left: i32, groups: i32, add: i32):
    """A block BM taps x BN filters of a group, over a part of the positions."""
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
    i0, j0 = i32(r * dh - top), i32((tap - r * kw) * dw - left)
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
                if term < taps and place + am + u * _A_ROWS < end and i >= 0 and i < h and j >= 0 and j < w:
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

