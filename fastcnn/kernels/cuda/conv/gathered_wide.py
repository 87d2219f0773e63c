"""`gathered_product` on a wide tile, which reads four numbers at once: channels come in whole steps, filters in quads.

A step of BK terms lies within one tap, so where it is needs no arithmetic of a thread's own.
"""

from typing import Any

from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, rem
from fastcnn.kernels.cuda.conv.wide_ends import finish_on
from fastcnn.kernels.cuda.conv.wide_moves import filters_on, pixels_on, sizes_of


def gathered_on(tile: Any) -> Any:
    """Return `gathered_product` on a tile.

    Parameters
    ----------
    tile : module
        `tile_fp32` or `tile_tf32`.
    """
    bm, bn, bk, chunk, size, a_part, b_part = (tile.BM, tile.BN, tile.BK, tile.STEPS, tile.SUMS, tile.A_PART,
                                               tile.B_PART)
    a_size, b_size, a_two, b_two = tile.A_SIZE, tile.B_SIZE, 2 * tile.A_SIZE, 2 * tile.B_SIZE
    quads, b_quads = sizes_of(tile).quads, sizes_of(tile).across
    a_loads, a_numbers, b_numbers = sizes_of(tile).a_loads, 4 * sizes_of(tile).a_loads, 4 * sizes_of(tile).b_loads
    multiply, finish = tile.multiply, finish_on(tile)
    begin_rows, bring_pixels, put_pixels = pixels_on(tile)
    bring_filters, put_filters, bring_channels, put_channels = filters_on(tile)

    @inlined
    def product(y, x, bank, bias, addend, numbers, images, image, down, across, lies, output, transposed):
        a_tile, b_tile = cuda.shared.array(a_two, f32), cuda.shared.array(b_two, f32)
        totals, sums = cuda.local.array(size, f32), cuda.local.array(size, f32)
        a, b = cuda.local.array(a_part, f32), cuda.local.array(b_part, f32)
        a_next, b_next = cuda.local.array(a_numbers, f32), cuda.local.array(b_numbers, f32)
        rows, columns, bases = (cuda.local.array(a_loads, i32), cuda.local.array(a_loads, i32),
                                cuda.local.array(a_loads, i32))
        t = i32(cuda.threadIdx.x)
        m0, n0 = i32(cuda.blockIdx.x * bm), i32(cuda.blockIdx.y * bn)

        # A thread brings four taps of some positions, and of B four filters of some taps, or four taps of some filters.
        tap, m, n, q = i32(rem(t, quads) * 4), div(t, quads), i32(rem(t, b_quads) * 4), div(t, b_quads)
        begin_rows(rows, columns, bases, m0 + m, images, image, down, across)
        for u in range(size):
            totals[u], sums[u] = f32(0), f32(0)
        r, s, c, side = i32(0), i32(0), i32(0), i32(0)
        steps = i32(down.taps * across.taps * div(image.depth, bk))
        for begin in range(0, steps + 1, chunk):
            for step in range(begin, min(steps + 1, begin + chunk)):
                live, at = step < steps, i32(lies.at + r * lies.down + s * lies.across)
                bring_pixels(a_next, x, rows, columns, bases, image, r * down.step, s * across.step, c + tap, live)
                if transposed:
                    bring_channels(b_next, bank, at + c + tap, n0 + m, lies.column, output.columns, live)
                else:
                    bring_filters(b_next, bank, at + (c + q) * lies.depth + n0 + n, lies.depth,
                                  live and n0 + n < output.columns)
                c = i32(c + bk)
                s += i32(1 if c >= image.depth else 0)
                c = i32(0 if c >= image.depth else c)
                r += i32(1 if s >= across.taps else 0)
                s = i32(0 if s >= across.taps else s)
                if step > 0:  # those of the step before are multiplied
                    multiply(sums, a, b, a_tile, b_tile, (1 - side) * a_size, (1 - side) * b_size, t)
                put_pixels(a_tile, side * a_size, a_next, tap, m)
                if transposed:
                    put_channels(b_tile, side * b_size, b_next, tap, m)
                else:
                    put_filters(b_tile, side * b_size, b_next, q, n)
                side = i32(1 - side)
                cuda.syncthreads()
            for u in range(size):
                totals[u] += sums[u]
                sums[u] = f32(0)
        finish(y, totals, bias, addend, numbers, m0, n0, images, down, across, output, t)

    return product
