"""Filters transformed by Winograd's G g G^T, straight into blocks packed for the register tile.

    filter bank 3 x 3 x C x K      a block of filters: 36 matrices (depth, width)
      the taps of a channel and      matrix 0   depth 0: width columns        columns are filters, depth is channels;
      a vector of filters are        matrix 1   depth 1: ...                  for the gradient of the input the
      9 vectors, of 5x5 25      -->  ...                                      other way round

Where the columns do not lie side by side in the bank (the gradient of the input), or do not fill a block, some depths
of it are first gathered in a patch, square blocks being transposed in registers.
"""

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.memory import aligned, clear, copy
from fastcnn.kernels.cpu.simd.transpose import transpose_block
from fastcnn.kernels.cpu.simd.width import lanes_of
from fastcnn.kernels.cpu.winograd.tiles import filter_tiles

DEPTHS = 16  # of a patch: a whole number of vectors, and of cache lines


@inlined
def patch_size(one, side):
    """Elements of a patch, for vectors of `one` lanes and tiles of `side` outputs a side."""
    return aligned((7 - side) ** 2 * DEPTHS * 2 * one)


@inlined
def transform_filters(bank, block, depths, packed, patch, side):
    """Transform some depths of a block of filters.

    Parameters
    ----------
    bank : (flat array, (offset, strides of r, s, depth, column))
        The filters.
    block : (b, width, columns)
        Which block, and how many of its columns exist.
    depths : (begin, end)
    packed : (array, (offset, step))
        Where depth `begin` goes in matrix 0, and how much further in the next.
    patch : (array, offset)
    side : int
        Outputs of a side of a tile.
    """
    (kernel, (offset, k_r, k_s, k_depth, k_column)), (b, width, columns), (begin, end) = bank, block, depths
    (out, (at, step)), (scratch, patch_at), first, window = packed, patch, offset + b * width * k_column, 7 - side
    if k_column == 1 and columns == width:
        filter_tiles((kernel, (first + begin * k_depth, k_r, k_s, k_depth)), (out, (at, width, step)), end - begin,
                     side)
    else:
        for depth in range(begin, end, DEPTHS):
            count = min(DEPTHS, end - depth)
            for tap in range(window * window):
                of = first + depth * k_depth + tap // window * k_r + tap % window * k_s
                _gather((scratch, patch_at + tap * DEPTHS * width, width), (kernel, of, k_depth, k_column), columns,
                        count)
            filter_tiles((scratch, (patch_at, window * DEPTHS * width, DEPTHS * width, width)),
                         (out, (at + (depth - begin) * width, width, step)), count, side)


@inlined
def _gather(to, source, columns, count):
    """Write one tap of some columns at `count` depths, and zeros beside them.

    `to` is an array, where its (count, width) begin, and the width; `source` one, where the tap begins, and the strides
    of depths and columns.
    """
    (patch, at, width), (kernel, of, k_depth, k_column) = to, source
    one = lanes_of(patch)
    if k_column == 1:
        for d in range(count):
            copy(patch, at + d * width, kernel, of + d * k_depth, columns)
            clear(patch, at + d * width + columns, width - columns)
        return
    for column in range(0, width, one):
        there, d = max(0, min(one, columns - column)), 0
        if there == one:  # columns are k_column apart, depths side by side
            while d + one <= count:
                transpose_block(patch, at + d * width + column, width, kernel, of + column * k_column + d, k_column)
                d += one
        for rest in range(d, count):
            for lane in range(one):
                value = kernel[of + (column + lane) * k_column + rest * k_depth] if lane < there else 0
                patch[at + rest * width + column + lane] = value
