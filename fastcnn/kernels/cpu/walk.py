"""The walk over the rows of a product in tiles, and the packing of its operands.

    B, the operand read as vectors, packed in blocks of columns      C, rows x columns of results
    +-----------+-----------+----+                                   M0 rows  +----------+
    | block 0   | block 1   | .. |  zeros fill the last block        M0 rows  |          |  the tallest tile that fits,
    | step 0    |           |    |                                   M1 rows  |          |  then shorter ones
    | step 1    |           |    |                                   M4 row   +----------+
    | ...       |           |    |                                            one block
    +-----------+-----------+----+

A block of a 3x3 convolution of 64 channels is 9 * 64 * 32 numbers, 74 KB: it streams from L2 for each tile of rows, while
the rows of the image that the tile reads stay in L1.
"""

import numpy as np
from numba.extending import overload

from fastcnn.kernels.cpu._jit import inlined
from fastcnn.kernels.cpu.tile import M0, M1, M2, M3, M4, lanes, tile


def lanes_of(array):
    """Return the lanes of the type of `array`: a constant in compiled code."""
    return lanes(array.dtype)


@overload(lanes_of)
def _lanes_of(array):
    count = lanes(array.dtype)
    return lambda array: count


@inlined
def block_width(array, columns):
    """Return how many columns a packed block of B holds: one vector if they are few, else the two of a full tile."""
    one = lanes_of(array)
    return one if columns <= one else 2 * one


@inlined
def at2(offset, i):
    """Return a place and its stride as one tuple of plain integers.

    A bare tuple with a literal in it is another type to Numba for each literal: the callee would be compiled again.
    """
    return np.int64(offset), np.int64(i)


@inlined
def at3(r, s, j):
    """As `at2`, for three."""
    return np.int64(r), np.int64(s), np.int64(j)


@inlined
def at4(offset, r, s, j):
    """As `at2`, for four."""
    return np.int64(offset), np.int64(r), np.int64(s), np.int64(j)


@inlined
def at5(offset, i, r, s, j):
    """As `at2`, for five."""
    return np.int64(offset), np.int64(i), np.int64(r), np.int64(s), np.int64(j)


@inlined
def walk(c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu, rows):
    """Compute `rows` x `columns` results with the tallest tiles that fit; the arguments are those of `tile`.

    `columns` is at most `block_width`; the tile of one vector serves what one vector holds.
    """
    c_offset, c_i = c_at
    a_offset, a_i, a_r, a_s, a_j = a_at
    row = 0
    if columns <= lanes_of(c):
        while row < rows:
            left = rows - row
            c_here, a_here = (c_offset + row * c_i, c_i), (a_offset + row * a_i, a_i, a_r, a_s, a_j)
            if left >= M0:
                tile(M0, 1, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M0
            elif left >= M1:
                tile(M1, 1, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M1
            elif left >= M2:
                tile(M2, 1, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M2
            elif left >= M3:
                tile(M3, 1, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M3
            else:
                tile(M4, 1, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M4
    else:
        while row < rows:
            left = rows - row
            c_here, a_here = (c_offset + row * c_i, c_i), (a_offset + row * a_i, a_i, a_r, a_s, a_j)
            if left >= M0:
                tile(M0, 2, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M0
            elif left >= M1:
                tile(M1, 2, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M1
            elif left >= M2:
                tile(M2, 2, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M2
            elif left >= M3:
                tile(M3, 2, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M3
            else:
                tile(M4, 2, c, c_here, a, a_here, b, b_at, loops, start, start_at, columns, relu)
                row += M4


@inlined
def pack_block(packed, at, width, source, source_at, loops, columns):
    """Copy one block of B: packed[at:] as (R, S, J, width), from `source` at (offset, strides of r, s, j, k).

    Columns beyond `columns` are written as zeros, so that a tile may read whole vectors.
    """
    offset, s_r, s_s, s_j, s_k = source_at
    for r in range(loops[0]):
        for s in range(loops[1]):
            for j in range(loops[2]):
                row = offset + r * s_r + s * s_s + j * s_j
                for k in range(columns):
                    packed[at + k] = source[row + k * s_k]
                for k in range(columns, width):
                    packed[at + k] = 0
                at += width


@inlined
def fill_slab(slab, at, x, image, size, first, rows, left, columns):
    """Copy rows of an image with its border of zeros: slab[at:] as (rows, columns, C).

    Slab row i is row first + i of the image at ``x[image:]`` with `size` (H, W, C), slab column j its column j - left;
    what lies outside is zero. The slab of a task stays in L2, so padding costs one copy and no memory of its own.
    """
    h, w, c = size
    begin = min(max(0, left), columns)
    end = max(begin, min(columns, w + left))
    for i in range(rows):
        row = at + i * columns * c
        ih = first + i
        if 0 <= ih < h:
            for j in range(row, row + begin * c):
                slab[j] = 0
            source = image + (ih * w + begin - left) * c
            for j in range((end - begin) * c):
                slab[row + begin * c + j] = x[source + j]
            for j in range(row + end * c, row + columns * c):
                slab[j] = 0
        else:
            for j in range(row, row + columns * c):
                slab[j] = 0


@inlined
def aligned(elements):
    """Round a part of the scratch up to a whole number of cache lines."""
    return (elements + 15) // 16 * 16
