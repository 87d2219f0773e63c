"""A product whose rows are gathered from images: the forward pass, and the gradient of the input, which is one too.

Row m of A is what the window of position m sees; B is the filter bank where it lies. Of an image a position (i, j) sees
with tap (r, s) the pixel ``(first + i stride + r step, ..)``, and zero outside of it.
"""

from typing import Any, NamedTuple

from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, load1, rem, within
from fastcnn.kernels.cuda.conv.tile import BK, CHUNK, FAR, SUMS, TM, TN, clear, corner_of, multiply, place_of, take


class Image(NamedTuple):
    """What is read: height, width and channels, the first channel of the group, and how many a tap has."""

    h: Any
    w: Any
    c: Any
    first: Any
    depth: Any


class Axis(NamedTuple):
    """One dimension: output positions, taps, and where position p sees tap t: at first + p stride + t step."""

    positions: Any
    taps: Any
    first: Any
    stride: Any
    step: Any


class Bank(NamedTuple):
    """Where the filters lie: the first number, and distances of taps, down and across, channels, and columns."""

    at: Any
    down: Any
    across: Any
    depth: Any
    column: Any


class Destination(NamedTuple):
    """Where results lie: columns, the first of them, and distances of images, rows, and positions in a row."""

    columns: Any
    first: Any
    at: Any
    image: Any
    row: Any
    position: Any


@inlined
def bounded(value, low, high):
    """Return a value between bounds; NaN stays NaN."""
    value = low if value < low else value
    return high if value > high else value


def gathered_on(tile: Any) -> Any:
    """Return what writes a block's part of y = A B + bias + addend, between bounds.

    Of its arguments, `numbers` are has_bias, has_addend, low, high. With `transposed`, neighbouring threads read
    neighbouring channels of a filter, else neighbouring filters.

    Parameters
    ----------
    tile : SimpleNamespace
        Of `tile.general`.
    """
    bm, bn, aw, bw, a_each, b_each = tile.BM, tile.BN, tile.AW, tile.BW, tile.A_EACH, tile.B_EACH
    a_size, b_size, a_two, b_two, threads_across = BK * aw, BK * bw, 2 * BK * aw, 2 * BK * bw, tile.ACROSS
    apart_of_tap = tile.THREADS // BK  # positions, or filters, between two that a thread brings of one tap
    taps_apart = tile.THREADS // bn  # taps between two that a thread brings of one filter

    @inlined
    def gathered_product(y, x, bank, bias, addend, numbers, images, image, down, across, lies, output, transposed):
        a_tile, b_tile = cuda.shared.array(a_two, f32), cuda.shared.array(b_two, f32)
        totals, sums = cuda.local.array(SUMS, f32), cuda.local.array(SUMS, f32)
        a, b = cuda.local.array(TM, f32), cuda.local.array(TN, f32)
        a_next, b_next = cuda.local.array(a_each, f32), cuda.local.array(b_each, f32)
        rows, columns, bases = (cuda.local.array(a_each, i32), cuda.local.array(a_each, i32),
                                cuda.local.array(a_each, i32))
        t = i32(cuda.threadIdx.x)
        m0, n0 = i32(cuda.blockIdx.x * bm), i32(cuda.blockIdx.y * bn)

        # Of each step a thread brings one tap of some positions: tap (r, s, c), which moves on by (dr, ds, dc).
        tap, m, n, q = rem(t, BK), div(t, BK), rem(t, bn), div(t, bn)
        terms, taps_across = i32(down.taps * across.taps * image.depth), max(across.taps, i32(1))
        _begin(rows, columns, bases, a_each, apart_of_tap, m0 + m, images, image, down, across)
        (r, s, c), (dr, ds, dc) = _digits(tap, taps_across, image.depth), _digits(i32(BK), taps_across, image.depth)
        clear(totals)
        clear(sums)
        at_a, at_b = corner_of(t, threads_across)
        side, steps = i32(0), div(terms + BK - 1, BK)
        for begin in range(0, steps + 1, CHUNK):
            for step in range(begin, min(steps + 1, begin + CHUNK)):
                live = step * BK + tap < terms  # beyond the last step there are zeros
                _bring_pixels(a_next, a_each, x, rows, columns, bases, image, r * down.step, s * across.step, c, live)
                if transposed:
                    at = lies.at + r * lies.down + s * lies.across + c * lies.depth
                    _bring_channels(b_next, b_each, apart_of_tap, bank, at, n0 + m, lies.column, output.columns, live)
                else:
                    at = lies.at + n0 + n
                    _bring_filters(b_next, b_each, taps_apart, bank, at, step * BK + q, lies.depth, terms,
                                   n0 + n < output.columns)
                c += dc
                s += ds + (1 if c >= image.depth else 0)
                c -= image.depth if c >= image.depth else 0
                r += dr + (1 if s >= taps_across else 0)
                s -= taps_across if s >= taps_across else 0

                if step > 0:  # those of the step before are multiplied
                    multiply(sums, a, b, a_tile, b_tile, at_a + (1 - side) * a_size, at_b + (1 - side) * b_size,
                             aw, bw)
                for u in range(a_each):
                    a_tile[side * a_size + tap * aw + m + u * apart_of_tap] = a_next[u]
                to, apart = (tap * bw + m, apart_of_tap) if transposed else (q * bw + n, taps_apart * bw)
                for u in range(b_each):
                    b_tile[side * b_size + to + u * apart] = b_next[u]
                side = i32(1 - side)
                cuda.syncthreads()
            take(totals, sums)
        _finish(y, totals, bias, addend, numbers, m0 + at_a, n0 + at_b, images, down, across, output)

    return gathered_product


@inlined
def _digits(term, across, depth):
    """Return the row, the column and the channel of a term."""
    s = div(term, depth)
    r = div(s, across)
    return r, i32(s - r * across), i32(term - s * depth)


@inlined
def _begin(rows, columns, bases, each, apart, first, images, image, down, across):
    """Find where the positions of a thread lie: what they see with tap (0, 0), and the first pixel of the image."""
    for u in range(each):
        place = first + u * apart
        number, i, j = place_of(place, down.positions, across.positions)
        inside = place < images * down.positions * across.positions
        rows[u] = i32(down.first + i * down.stride) if inside else i32(FAR)
        columns[u] = i32(across.first + j * across.stride)
        bases[u] = i32(number * image.h * image.w)


@inlined
def _bring_pixels(a_next, each, x, rows, columns, bases, image, down, across, c, live):
    """Read what the positions of a thread see with a tap."""
    for u in range(each):
        i, j, value = rows[u] + down, columns[u] + across, f32(0)
        if live and within(i, image.h) and within(j, image.w):
            value = load1(x, i32(i32(bases[u] + i32(i * image.w) + j) * image.c) + image.first + c)
        a_next[u] = value


@inlined
def _bring_channels(b_next, each, apart, bank, at, first, lies_apart, columns, live):
    """Read one tap of some columns of B."""
    for u in range(each):
        column, value = first + u * apart, f32(0)
        if live and column < columns:
            value = load1(bank, i32(at + column * lies_apart))
        b_next[u] = value


@inlined
def _bring_filters(b_next, each, apart, bank, at, first, lies_apart, terms, live):
    """Read some taps of one column of B."""
    for u in range(each):
        term, value = first + u * apart, f32(0)
        if live and term < terms:
            value = load1(bank, i32(at + term * lies_apart))
        b_next[u] = value


@inlined
def _finish(y, totals, bias, addend, numbers, row, column, images, down, across, output):
    """Write the results of a thread; the number of a row is a constant, so that sums stay in registers."""
    _finish_row(0, y, totals, bias, addend, numbers, row, column, images, down, across, output)
    _finish_row(1, y, totals, bias, addend, numbers, row + 1, column, images, down, across, output)
    _finish_row(2, y, totals, bias, addend, numbers, row + 2, column, images, down, across, output)
    _finish_row(3, y, totals, bias, addend, numbers, row + 3, column, images, down, across, output)


@inlined
def _finish_row(u, y, totals, bias, addend, numbers, place, column, images, down, across, output):
    has_bias, has_addend, low, high = numbers
    number, i, j = place_of(place, down.positions, across.positions)
    at = i32(output.at + number * output.image + i * output.row + j * output.position + column)
    if place < images * down.positions * across.positions:
        for v in range(TN):
            if column + v < output.columns:
                value = totals[u * TN + v]
                if has_bias != 0:
                    value += load1(bias, output.first + column + v)
                if has_addend != 0:
                    value += load1(addend, at + v)
                value = low if value < low else value
                y[at + v] = high if value > high else value  # NaN stays NaN
