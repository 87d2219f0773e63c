"""How the sums of a wide tile are written: of a thread eight rows of eight, a row after the other.

Each call has the number of its row as a constant, so that sums stay in registers: a loop that is not unrolled would
put them into memory.
"""

from typing import Any

from fastcnn.kernels.cuda.compile.shim import i32, inlined, load1, load4, store4
from fastcnn.kernels.cuda.conv.tile import place_of


@inlined
def _bounded(value, low, high):
    """Return a value between bounds; NaN stays NaN."""
    value = low if value < low else value
    return high if value > high else value


@inlined
def _four(y, at, column, totals, n, bias, addend, numbers, columns):
    """Write four results side by side, of sums n .. n + 3."""
    has_bias, has_addend, low, high = numbers
    if column < columns:
        v0, v1, v2, v3 = totals[n], totals[n + 1], totals[n + 2], totals[n + 3]
        if has_bias >= 0:
            b0, b1, b2, b3 = load4(bias, has_bias + column)
            v0, v1, v2, v3 = v0 + b0, v1 + b1, v2 + b2, v3 + b3
        if has_addend != 0:
            b0, b1, b2, b3 = load4(addend, at + column)
            v0, v1, v2, v3 = v0 + b0, v1 + b1, v2 + b2, v3 + b3
        store4(y, at + column, _bounded(v0, low, high), _bounded(v1, low, high), _bounded(v2, low, high),
               _bounded(v3, low, high))


@inlined
def _two(y, at, column, totals, n, bias, addend, numbers, columns):
    """Write two results side by side, of sums n and n + 1."""
    has_bias, has_addend, low, high = numbers
    if column < columns:
        v0, v1 = totals[n], totals[n + 1]
        if has_bias >= 0:
            v0, v1 = v0 + load1(bias, has_bias + column), v1 + load1(bias, has_bias + column + 1)
        if has_addend != 0:
            v0, v1 = v0 + load1(addend, at + column), v1 + load1(addend, at + column + 1)
        y[at + column], y[at + column + 1] = _bounded(v0, low, high), _bounded(v1, low, high)


def finish_on(tile: Any) -> Any:
    """Return what writes the results of a thread.

    Parameters
    ----------
    tile : module
    """
    row_of, column_of, first_of, apart = tile.row_of, tile.column_of, tile.first_of, tile.COLUMNS_APART

    @inlined
    def quads(y, at, totals, u, column, bias, addend, numbers, columns):
        _four(y, at, column, totals, first_of(u), bias, addend, numbers, columns)
        _four(y, at, column + apart, totals, first_of(u) + 4, bias, addend, numbers, columns)

    @inlined
    def pairs(y, at, totals, u, column, bias, addend, numbers, columns):
        _two(y, at, column, totals, first_of(u), bias, addend, numbers, columns)
        _two(y, at, column + apart, totals, first_of(u) + 4, bias, addend, numbers, columns)
        _two(y, at, column + 2 * apart, totals, first_of(u) + 8, bias, addend, numbers, columns)
        _two(y, at, column + 3 * apart, totals, first_of(u) + 12, bias, addend, numbers, columns)

    row_written = quads if tile.IN_QUADS else pairs

    @inlined
    def row(u, y, totals, bias, addend, numbers, m0, n0, images, down, across, output, t):
        place = m0 + row_of(u, t)
        number, i, j = place_of(place, down.positions, across.positions)
        at = i32(output.at + number * output.image + i * output.row + j * output.position)
        if place < images * down.positions * across.positions:
            row_written(y, at, totals, u, n0 + column_of(t), bias, addend, numbers, output.columns)

    @inlined
    def finish(y, totals, bias, addend, numbers, m0, n0, images, down, across, output, t):
        has_bias, has_addend, low, high = numbers
        given = (output.first if has_bias != 0 else i32(-1)), has_addend, low, high
        row(0, y, totals, bias, addend, given, m0, n0, images, down, across, output, t)
        row(1, y, totals, bias, addend, given, m0, n0, images, down, across, output, t)
        row(2, y, totals, bias, addend, given, m0, n0, images, down, across, output, t)
        row(3, y, totals, bias, addend, given, m0, n0, images, down, across, output, t)
        row(4, y, totals, bias, addend, given, m0, n0, images, down, across, output, t)
        row(5, y, totals, bias, addend, given, m0, n0, images, down, across, output, t)
        row(6, y, totals, bias, addend, given, m0, n0, images, down, across, output, t)
        row(7, y, totals, bias, addend, given, m0, n0, images, down, across, output, t)

    return finish
