"""The product of `backward_weights` on a wide tile: channels and filters of a group come in quads."""

from typing import Any

from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1, load4, rem, store4, within
from fastcnn.kernels.cuda.conv.tile import place_of
from fastcnn.kernels.cuda.conv.wide_moves import sizes_of


def weights_on(tile: Any) -> Any:
    """Return the product of `backward_weights` on a tile.

    Parameters
    ----------
    tile : module
        `tile_fp32` or `tile_tf32`.
    """
    sizes = sizes_of(tile)
    bm, bn, bk, chunk, size, a_part, b_part = (tile.BM, tile.BN, tile.BK, tile.STEPS, tile.SUMS, tile.A_PART,
                                               tile.B_PART)
    a_size, b_size, a_two, b_two = tile.A_SIZE, tile.B_SIZE, 2 * tile.A_SIZE, 2 * tile.B_SIZE
    a_quads, b_quads, a_loads, a_numbers, b_numbers = (sizes.down, sizes.across, sizes.a_loads, 4 * sizes.a_loads,
                                                       4 * sizes.b_loads)
    a_apart, multiply = sizes.rows_apart, tile.multiply
    bring_channels, put_channels = _channels_on(tile)
    bring_gradients, put_gradients = _gradients_on(tile)
    finish = _finish_on(tile)

    @inlined
    def product(out, x, dy, positions, each, h, w, c, cg, oh, ow, k, kg, kh, kw, sh, sw, dh, dw, top, left, groups,
                add):
        a_tile, b_tile = cuda.shared.array(a_two, f32), cuda.shared.array(b_two, f32)
        totals, sums = cuda.local.array(size, f32), cuda.local.array(size, f32)
        a, b = cuda.local.array(a_part, f32), cuda.local.array(b_part, f32)
        a_next, b_next = cuda.local.array(a_numbers, f32), cuda.local.array(b_numbers, f32)
        numbers, rows, columns = (cuda.local.array(a_loads, i32), cuda.local.array(a_loads, i32),
                                  cuda.local.array(a_loads, i32))
        t = i32(cuda.threadIdx.x)
        m0, n0 = i32(cuda.blockIdx.x * bm), i32(cuda.blockIdx.y * bn)
        group, part = rem(cuda.blockIdx.z, groups), div(cuda.blockIdx.z, groups)
        first, end = i32(part * each), min(positions, i32((part + 1) * each))

        # A thread brings of some positions four channels of a tap, and four filters.
        m, p, n, q = i32(rem(t, a_quads) * 4), div(t, a_quads), i32(rem(t, b_quads) * 4), div(t, b_quads)
        term, taps = m0 + m, kh * kw * cg
        tap = div(term, cg)
        r = div(tap, kw)
        i0, j0 = i32(r * dh - top), i32((tap - r * kw) * dw - left)
        channel = i32(group * cg + term - tap * cg)
        for u in range(a_loads):
            numbers[u], rows[u], columns[u] = place_of(first + p + u * a_apart, oh, ow)
        dn, di, dj = place_of(i32(bk), oh, ow)
        for u in range(size):
            totals[u], sums[u] = f32(0), f32(0)
        side, steps = i32(0), div(end - first + bk - 1, bk)
        for begin in range(0, steps + 1, chunk):
            for step in range(begin, min(steps + 1, begin + chunk)):
                place = first + step * bk
                seen = end if term < taps else i32(0)
                bring_channels(a_next, x, numbers, rows, columns, place + p, seen, (i0, j0), (sh, sw),
                               (h, w, c, channel), (oh, ow), (dn, di, dj))
                bring_gradients(b_next, dy, place + q, end, k, group * kg + n0 + n, n0 + n < kg)
                if step > 0:  # those of the step before are multiplied
                    multiply(sums, a, b, a_tile, b_tile, (1 - side) * a_size, (1 - side) * b_size, t)
                put_channels(a_tile, side * a_size, a_next, p, m)
                put_gradients(b_tile, side * b_size, b_next, q, n)
                side = i32(1 - side)
                cuda.syncthreads()
            for u in range(size):
                totals[u] += sums[u]
                sums[u] = f32(0)

        finish(out, totals, m0, n0, i32(i32(part * taps) * k + group * kg), taps, k, kg, add, t)

    return product


def _finish_on(tile: Any) -> Any:
    """Return what writes the sums of a thread, or adds them: a row after the other, as in `wide_ends`."""
    row_of, column_of, first_of, apart = tile.row_of, tile.column_of, tile.first_of, tile.COLUMNS_APART
    run = 4 if tile.IN_QUADS else 2
    runs = 8 // run

    @inlined
    def row(u, out, totals, m0, column, at, taps, k, kg, add, t):
        place = m0 + row_of(u, t)
        if place < taps:
            for v in range(runs):
                for one in range(run):
                    if column + v * apart + one < kg:
                        to = i32(at + i32(place * k) + column + v * apart + one)
                        value = totals[first_of(u) + v * 4 + one]
                        out[to] = load1(out, to) + value if add != 0 else value

    @inlined
    def finish(out, totals, m0, n0, at, taps, k, kg, add, t):
        column = n0 + column_of(t)
        row(0, out, totals, m0, column, at, taps, k, kg, add, t)
        row(1, out, totals, m0, column, at, taps, k, kg, add, t)
        row(2, out, totals, m0, column, at, taps, k, kg, add, t)
        row(3, out, totals, m0, column, at, taps, k, kg, add, t)
        row(4, out, totals, m0, column, at, taps, k, kg, add, t)
        row(5, out, totals, m0, column, at, taps, k, kg, add, t)
        row(6, out, totals, m0, column, at, taps, k, kg, add, t)
        row(7, out, totals, m0, column, at, taps, k, kg, add, t)

    return finish


def _channels_on(tile: Any) -> Any:
    """Return what brings four channels of some positions, which move on by a step, and what puts them."""
    a_loads, apart, a_place, rounded = sizes_of(tile).a_loads, sizes_of(tile).rows_apart, tile.a_place, tile.rounded

    @inlined
    def bring_channels(a_next, x, numbers, rows, columns, first, end, corner, strides, image, outputs, step):
        (h, w, c, channel), (oh, ow), (dn, di, dj) = image, outputs, step
        for u in range(a_loads):
            i, j = corner[0] + rows[u] * strides[0], corner[1] + columns[u] * strides[1]
            v0, v1, v2, v3 = f32(0), f32(0), f32(0), f32(0)
            if first + u * apart < end and within(i, h) and within(j, w):
                v0, v1, v2, v3 = load4(x, i32(i32(i32(i32(numbers[u] * h) + i) * w + j) * c + channel))
            a_next[4 * u], a_next[4 * u + 1], a_next[4 * u + 2], a_next[4 * u + 3] = v0, v1, v2, v3
            right = columns[u] + dj
            down = rows[u] + di + (1 if right >= ow else 0)
            columns[u] = i32(right - (ow if right >= ow else 0))
            numbers[u] += i32(dn + (1 if down >= oh else 0))
            rows[u] = i32(down - (oh if down >= oh else 0))

    @inlined
    def put_channels(a_tile, at, a_next, p, m):
        for u in range(a_loads):
            for v in range(4):
                a_tile[at + a_place(p + u * apart, m + v)] = rounded(a_next[4 * u + v])

    return bring_channels, put_channels


def _gradients_on(tile: Any) -> Any:
    """Return what brings four filters' gradients of some positions, and what puts them."""
    b_loads, apart, b_place, rounded = sizes_of(tile).b_loads, sizes_of(tile).taps_apart, tile.b_place, tile.rounded

    @inlined
    def bring_gradients(b_next, dy, first, end, k, column, live):
        for u in range(b_loads):
            at, v0, v1, v2, v3 = first + u * apart, f32(0), f32(0), f32(0), f32(0)
            if live and at < end:
                v0, v1, v2, v3 = load4(dy, i32(i32(at * k) + column))
            b_next[4 * u], b_next[4 * u + 1], b_next[4 * u + 2], b_next[4 * u + 3] = v0, v1, v2, v3

    @inlined
    def put_gradients(b_tile, at, b_next, q, n):
        for u in range(b_loads):
            store4(b_tile, at + b_place(q + u * apart, n), rounded(b_next[4 * u]), rounded(b_next[4 * u + 1]),
                   rounded(b_next[4 * u + 2]), rounded(b_next[4 * u + 3]))

    return bring_gradients, put_gradients
