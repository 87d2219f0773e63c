"""How numbers come to a wide tile, four at once: from memory into registers, a step later on into shared memory."""

from types import SimpleNamespace
from typing import Any

from fastcnn.kernels.cuda.compile.shim import f32, i32, inlined, load4, store4, within
from fastcnn.kernels.cuda.conv.tile import FAR, place_of


def sizes_of(tile: Any) -> SimpleNamespace:
    """Return a tile's sizes: quads of a step's terms, of its columns and rows, and how often a thread reads one.

    Parameters
    ----------
    tile : module
        `tile_fp32` or `tile_tf32`.
    """
    quads, across, down = tile.BK // 4, tile.BN // 4, tile.BM // 4
    return SimpleNamespace(
        quads=quads, across=across, down=down,
        a_loads=tile.BM * tile.BK // tile.THREADS // 4, b_loads=tile.BN * tile.BK // tile.THREADS // 4,
        apart=tile.THREADS // quads, taps_apart=tile.THREADS // across, rows_apart=tile.THREADS // down)


def pixels_on(tile: Any) -> Any:
    """Return what begins the rows of a thread, what brings four taps of each, and what puts them.

    Parameters
    ----------
    tile : module
    """
    a_loads, apart, a_place, rounded = sizes_of(tile).a_loads, sizes_of(tile).apart, tile.a_place, tile.rounded

    @inlined
    def begin(rows, columns, bases, first, images, image, down, across):
        for u in range(a_loads):
            place = first + u * apart
            number, i, j = place_of(place, down.positions, across.positions)
            inside = place < images * down.positions * across.positions
            rows[u] = i32(down.first + i * down.stride) if inside else i32(FAR)
            columns[u] = i32(across.first + j * across.stride)
            bases[u] = i32(number * image.h * image.w)

    @inlined
    def bring_pixels(a_next, x, rows, columns, bases, image, down, across, c, live):
        for u in range(a_loads):
            i, j, v0, v1, v2, v3 = rows[u] + down, columns[u] + across, f32(0), f32(0), f32(0), f32(0)
            if live and within(i, image.h) and within(j, image.w):
                v0, v1, v2, v3 = load4(x, i32(i32(bases[u] + i32(i * image.w) + j) * image.c + image.first + c))
            a_next[4 * u], a_next[4 * u + 1], a_next[4 * u + 2], a_next[4 * u + 3] = v0, v1, v2, v3

    @inlined
    def put_pixels(a_tile, at, a_next, tap, m):
        for u in range(a_loads):
            for v in range(4):
                a_tile[at + a_place(tap + v, m + u * apart)] = rounded(a_next[4 * u + v])

    return begin, bring_pixels, put_pixels


def filters_on(tile: Any) -> Any:
    """Return what brings four filters of some taps and what puts them, and the same of four taps of some filters.

    Parameters
    ----------
    tile : module
    """
    sizes, b_place, rounded = sizes_of(tile), tile.b_place, tile.rounded
    b_loads, apart, taps_apart = sizes.b_loads, sizes.apart, sizes.taps_apart

    @inlined
    def bring_channels(b_next, bank, at, first, lies_apart, columns, live):
        for u in range(b_loads):
            column, v0, v1, v2, v3 = first + u * apart, f32(0), f32(0), f32(0), f32(0)
            if live and column < columns:
                v0, v1, v2, v3 = load4(bank, i32(at + column * lies_apart))
            b_next[4 * u], b_next[4 * u + 1], b_next[4 * u + 2], b_next[4 * u + 3] = v0, v1, v2, v3

    @inlined
    def bring_filters(b_next, bank, at, lies_apart, live):
        for u in range(b_loads):
            v0, v1, v2, v3 = f32(0), f32(0), f32(0), f32(0)
            if live:
                v0, v1, v2, v3 = load4(bank, i32(at + u * taps_apart * lies_apart))
            b_next[4 * u], b_next[4 * u + 1], b_next[4 * u + 2], b_next[4 * u + 3] = v0, v1, v2, v3

    @inlined
    def put_channels(b_tile, at, b_next, tap, n):
        for u in range(b_loads):
            for v in range(4):
                b_tile[at + b_place(tap + v, n + u * apart)] = rounded(b_next[4 * u + v])

    @inlined
    def put_filters(b_tile, at, b_next, q, n):
        for u in range(b_loads):
            store4(b_tile, at + b_place(q + u * taps_apart, n), rounded(b_next[4 * u]), rounded(b_next[4 * u + 1]),
                   rounded(b_next[4 * u + 2]), rounded(b_next[4 * u + 3]))

    return bring_filters, put_filters, bring_channels, put_channels
