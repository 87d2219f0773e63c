"""Which tile has a product: the general one, the wide one of float32, or that of tensor cores where TF32 is allowed.

A tile is known by the end of its kernels' names: ``forward``, ``forward_wide``, ``forward_tf32``.
"""

from typing import Any

from fastcnn.kernels.cuda.compile.kernel import kernel
from fastcnn.kernels.cuda.compile.shim import sized
from fastcnn.kernels.cuda.conv import tile, tile_fp32, tile_tf32

GENERAL = ""
TILES: dict[str, Any] = {GENERAL: tile, "_tf32": tile_tf32, "_wide": tile_fp32}

#: Columns, and blocks, from which on a wide tile is worth while: fewer leave most of it, or of the card, idle.
_COLUMNS, _BLOCKS = sized(48, 4), sized(96, 1)


def grid_of(name, rows, columns, depth):
    """Return the grid of a product of so many rows and columns, `depth` times.

    Parameters
    ----------
    name : str
        Of a tile.
    rows, columns, depth : int
    """
    return -(-rows // TILES[name].BM), -(-columns // TILES[name].BN), depth


def fastest(rows, columns, depth, terms, tf32):
    """Return the fastest tile for a product whose numbers can be read in quads.

    Parameters
    ----------
    rows, columns, depth : int
        As of `grid_of`.
    terms : int
        Of a tap: a step of a wide tile lies within one. 0 if that does not matter.
    tf32 : bool
        Whether tensor cores may multiply.
    """
    for name in ("_tf32", "_wide") if tf32 else ("_wide",):
        across, down, _ = grid_of(name, rows, columns, depth)
        if terms % TILES[name].BK == 0 and columns >= _COLUMNS and across * down * depth >= _BLOCKS:
            return name
    return GENERAL


def aligned(*arrays):
    """Return whether arrays begin where sixteen bytes can be read at once; those of size 0 are not read."""
    return not any(array.pointer % 16 and array.size for array in arrays)


def kernels_on_tiles(make, product, product_on):
    """Return the kernels of a product, by the names of the tiles.

    Parameters
    ----------
    make : callable
        (product) -> the function of the kernel.
    product : callable
        On the general tile, inlined.
    product_on : callable
        (tile) -> the product on another one.
    """
    made = {}
    for name, one in TILES.items():
        function = make(product if name == GENERAL else product_on(one))
        function.__name__ += name
        made[name] = kernel(function)
    return made
