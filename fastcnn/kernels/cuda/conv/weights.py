"""The product of `backward_weights` on a general tile: rows are taps of an image, terms the positions of a part."""

from typing import Any

from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1, rem, within
from fastcnn.kernels.cuda.conv.tile import BK, CHUNK, FAR, SUMS, TM, TN, clear, corner_of, multiply, place_of, take


def weights_on(tile: Any) -> Any:
    """Return what writes a block's part of dkernel, or of a part of the positions.

    Parameters
    ----------
    tile : SimpleNamespace
        Of `tile.general`.
    """
    bm, bn, aw, bw, a_each, b_each = tile.BM, tile.BN, tile.AW, tile.BW, tile.A_EACH, tile.B_EACH
    a_size, b_size, a_two, b_two, threads_across = BK * aw, BK * bw, 2 * BK * aw, 2 * BK * bw, tile.ACROSS
    a_rows, b_rows = tile.THREADS // bm, tile.THREADS // bn

    @inlined
    def weights_product(out, x, dy, positions, each, h, w, c, cg, oh, ow, k, kg, kh, kw, sh, sw, dh, dw, top, left,
                        groups, add):
        a_tile, b_tile = cuda.shared.array(a_two, f32), cuda.shared.array(b_two, f32)
        totals, sums = cuda.local.array(SUMS, f32), cuda.local.array(SUMS, f32)
        a, b = cuda.local.array(TM, f32), cuda.local.array(TN, f32)
        a_next, b_next = cuda.local.array(a_each, f32), cuda.local.array(b_each, f32)
        numbers, rows, columns = (cuda.local.array(a_each, i32), cuda.local.array(a_each, i32),
                                  cuda.local.array(a_each, i32))
        t = i32(cuda.threadIdx.x)
        m0, n0 = i32(cuda.blockIdx.x * bm), i32(cuda.blockIdx.y * bn)
        group = rem(cuda.blockIdx.z, groups)
        part = div(cuda.blockIdx.z, groups)
        first, end = i32(part * each), min(positions, i32((part + 1) * each))

        # A thread brings of each step some positions of one tap and of one filter.
        m, p, n, q = rem(t, bm), div(t, bm), rem(t, bn), div(t, bn)
        term, taps = m0 + m, kh * kw * cg
        tap = div(term, cg)
        r = div(tap, kw)
        i0, j0 = i32(r * dh - top) if term < taps else i32(FAR), i32((tap - r * kw) * dw - left)
        channel = i32(group * cg + term - tap * cg)
        for u in range(a_each):
            numbers[u], rows[u], columns[u] = place_of(first + p + u * a_rows, oh, ow)
        dn, di, dj = place_of(i32(BK), oh, ow)

        clear(totals)
        clear(sums)
        at_a, at_b = corner_of(t, threads_across)
        side, steps = i32(0), div(end - first + BK - 1, BK)
        for begin in range(0, steps + 1, CHUNK):
            for step in range(begin, min(steps + 1, begin + CHUNK)):
                place = first + step * BK
                _bring_pixels(a_next, a_each, a_rows, x, numbers, rows, columns, place + p, end, (i0, j0), (sh, sw),
                              (h, w, c, channel), (oh, ow), (dn, di, dj))
                _bring_gradients(b_next, b_each, b_rows, dy, place + q, end, k, group * kg + n0 + n, n0 + n < kg)
                if step > 0:
                    multiply(sums, a, b, a_tile, b_tile, at_a + (1 - side) * a_size, at_b + (1 - side) * b_size,
                             aw, bw)
                for u in range(a_each):
                    a_tile[side * a_size + (p + u * a_rows) * aw + m] = a_next[u]
                for u in range(b_each):
                    b_tile[side * b_size + (q + u * b_rows) * bw + n] = b_next[u]
                side = i32(1 - side)
                cuda.syncthreads()
            take(totals, sums)

        for u in range(TM):
            for v in range(TN):
                row, column = m0 + at_a + u, n0 + at_b + v
                if row < taps and column < kg:
                    at = i32(i32(part * taps + row) * k + group * kg + column)
                    out[at] = load1(out, at) + totals[u * TN + v] if add != 0 else totals[u * TN + v]

    return weights_product


@inlined
def _bring_pixels(a_next, each, apart, x, numbers, rows, columns, first, end, corner, strides, image, outputs, step):
    """Read what some positions see with a tap, and move them on by a step, whose digits are those of `step`."""
    (h, w, c, channel), (oh, ow), (dn, di, dj) = image, outputs, step
    for u in range(each):
        i, j, value = corner[0] + rows[u] * strides[0], corner[1] + columns[u] * strides[1], f32(0)
        if first + u * apart < end and within(i, h) and within(j, w):
            value = load1(x, i32(i32(i32(i32(numbers[u] * h) + i) * w + j) * c + channel))
        a_next[u] = value
        right = columns[u] + dj
        down = rows[u] + di + (1 if right >= ow else 0)
        columns[u] = i32(right - (ow if right >= ow else 0))
        numbers[u] += i32(dn + (1 if down >= oh else 0))
        rows[u] = i32(down - (oh if down >= oh else 0))


@inlined
def _bring_gradients(b_next, each, apart, dy, first, end, k, column, live):
    """Read the gradients of a filter at some positions."""
    for u in range(each):
        at, value = first + u * apart, f32(0)
        if live and at < end:
            value = load1(dy, i32(i32(at * k) + column))
        b_next[u] = value
