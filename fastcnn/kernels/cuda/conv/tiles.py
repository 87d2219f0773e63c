"""Which tile has a product: a general one, the wide one of float32, or that of tensor cores where TF32 is allowed.

A tile is known by the end of its kernels' names: ``forward``, ``forward_narrow``, ``forward_wide``, ``forward_tf32``.
"""

from typing import Any

from fastcnn.kernels.cuda.compile.kernel import kernel
from fastcnn.kernels.cuda.compile.shim import sized
from fastcnn.kernels.cuda.conv import tile, tile_fp32, tile_tf32

GENERAL: dict[str, Any] = {"": tile.SQUARE, "_narrow": tile.NARROW}
TILES: dict[str, Any] = {**GENERAL, "_tf32": tile_tf32, "_wide": tile_fp32}

#: Columns, and blocks, from which on a wide tile is worth while: fewer leave most of it, or of the card, idle.
_COLUMNS, _BLOCKS = sized(48, 12), sized(96, 1)
_FEW = sized(tile.NARROW.BN, 3)  # columns, up to which the narrow tile is better than the square one


def grid_of(name, rows, columns, depth):
    """Return the grid of a product of so many rows and columns, `depth` times.

    Parameters
    ----------
    name : str
        Of a tile.
    rows, columns, depth : int
    """
    return -(-rows // TILES[name].BM), -(-columns // TILES[name].BN), depth


def names_of(rows, columns, depth, terms, tf32):
    """Return the names of two tiles: the fastest where arrays can be read in quads, and a general one.

    Parameters
    ----------
    rows, columns, depth : int
        As of `grid_of`.
    terms : int
        Of a tap: a step of a wide tile lies within one. 0 if that does not matter, None where nothing lies in quads.
    tf32 : bool
        Whether tensor cores may multiply.
    """
    plain = "_narrow" if columns <= _FEW else ""
    for name in ("_tf32", "_wide") if tf32 else ("_wide",):
        across, down, _ = grid_of(name, rows, columns, depth)
        suits = terms is not None and terms % TILES[name].BK == 0
        if suits and columns >= _COLUMNS and across * down * depth >= _BLOCKS:
            return name, plain
    return plain, plain


def aligned(*arrays):
    """Return whether arrays begin where sixteen bytes can be read at once; those of size 0 are not read."""
    return not any(array.size and array.pointer % 16 for array in arrays)


def kernels_on_tiles(make, general_on, wide_on):
    """Return the kernels of a product, by the names of the tiles.

    Parameters
    ----------
    make : callable
        (product) -> the function of the kernel.
    general_on, wide_on : callable
        (tile) -> the product on it, inlined.
    """
    made = {}
    for name, one in TILES.items():
        function = make((general_on if name in GENERAL else wide_on)(one))
        function.__name__ += name
        made[name] = kernel(function)
    return made
