"""Packing operands for the tile: blocks of whole vectors, and slabs of padded rows."""

import numpy as np

from fastcnn.kernels.cpu._jit import inlined


@inlined
def at3(r, s, j):
    """Return three numbers as one tuple of plain integers.

    A bare tuple with a literal in it is another type to Numba for each literal: the callee would be compiled again.
    """
    return np.int64(r), np.int64(s), np.int64(j)


@inlined
def at5(offset, r, s, j, k):
    """As `at3`, for five."""
    return np.int64(offset), np.int64(r), np.int64(s), np.int64(j), np.int64(k)


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
