"""Two arrays merged element by element: sum, product, maximum, minimum, PReLU.

ONNX: Add, Sub, Mul, Mean, Max, Min, PRelu. An input may lack parts of the output's shape (A, B, C), where its dimension
is 1 and its numbers are used again; that covers what networks do (a gate for each channel of an image, a mask for each
pixel)::

    y (A, B, C)         a (A, B, C)         b (A, 1, C)                     rows of C numbers, walked in order:
    | row | row | ..    | row | row | ..    | row |    used by all B        vectors of a row of each,
    | row | row | ..    | row | row | ..    | row |                         or vectors and one number

Arrays of one shape are one row, which threads cut anywhere. The backward pass takes the same walk: a row's gradient is
stored, or added to the row or the number that stands for it. Where threads share such sums, or one would be long, dy is
cut into parts that have their own in the scratch, and these are added in pairs (`simd.sums`).
"""

import math

import numpy as np

from fastcnn.kernels.codes import PRELU, SUM
from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.elementwise.merge_rows import ADD, OF_SLOPE, STORE, TOTAL, merge_rows, merge_rows_gradient
from fastcnn.kernels.cpu.simd.memory import clear, copy
from fastcnn.kernels.cpu.simd.sums import BLOCK, TERMS, add_pairwise

_MANY = 8  # rows: from so many on, threads share the middle dimension rather than partial sums over the first
_BLOCK = 4096  # elements of dy that stay in L1 between the gradients of both inputs
_SECTION = 8192  # columns that are worth a thread of their own


@kernel(in_place=("a", "b"))
def merge_forward(y, a, b, code, alpha, beta, relu):
    """Write y = alpha a + beta b, a b, max(a, b), min(a, b), a where a > 0 else a b, or a b where b is not 0, else 0.

    A NaN on either side gives NaN, but PRELU does not look at b where a > 0, and MASK not at a where b = 0.

    Parameters
    ----------
    y : (A, B, C) array
        Written.
    a, b : arrays of the shape of `y`, with 1 for any of its dimensions
        Together they have all of them; for PRELU and MASK `a` has, for MAXIMUM and MINIMUM both have.
    code : int
        SUM, PRODUCT, MAXIMUM, MINIMUM, PRELU or MASK of `fastcnn.kernels.codes`.
    alpha, beta : float
        Of SUM; else they have no meaning.
    relu : int
        Of SUM: 1 to write max(y, 0), NaN staying NaN.
    """
    chunks = chunks_for(y.size, 64)
    parallel(_forward_range, chunks, (chunks, y, a, b, (code, alpha, beta, relu)))


@inlined
def _forward_range(chunk, chunks, y, a, b, formula):
    code, alpha, beta, relu = formula
    begin, end = chunk_of(chunk, chunks, y.size)
    real, (_, rows, columns) = y.dtype.type, y.shape
    (ai, aj, ak), (bi, bj, bk) = _steps(a.shape), _steps(b.shape)
    flat, left, right = y.reshape(-1), a.reshape(-1), b.reshape(-1)
    scale_a, scale_b = real(alpha), real(beta)
    swap = ak == 0 and bk == 1  # the walk wants whole rows of the first; all but PRELU and MASK may change places
    if swap:
        left, right, ai, bi, aj, bj, bk = right, left, bi, ai, bj, aj, 0
        scale_a, scale_b = scale_b, scale_a
    whole = 1 if bk == 1 or columns == 1 else 0
    floor = real(0 if relu else -math.inf)
    while begin < end:
        row = begin // columns
        k = begin - row * columns
        i, j = row // rows, row % rows
        count = min(columns - k, end - begin)
        many = min(rows - j, (end - begin) // columns) if count == columns else 1
        merge_rows((flat, begin), (left, (i * ai + j * aj + k, aj)), (right, (i * bi + j * bj + k * bk, bj)),
                   (many, count), (code, whole), (scale_a, scale_b, floor))
        begin += many * count


@inlined
def _steps(shape):
    """Return the distances of an input's elements along the output's three dimensions; 0 along those it lacks."""
    a, b, c = shape
    return (b * c if a > 1 else 0), (c if b > 1 else 0), (1 if c > 1 else 0)


# --- backward ---------------------------------------------------------------------------------------------------------


def merge_backward_scratch(shape, a_shape, b_shape, dtype):
    """Return how many elements of scratch `merge_backward` wants for dy, da and db of these shapes.

    Parameters
    ----------
    shape, a_shape, b_shape : tuple of int
    dtype : dtype
    """
    cuts = _cuts(shape, a_shape, b_shape)
    sizes = 0
    for x_shape in (a_shape, b_shape):
        partials = _partials(shape, x_shape, cuts)
        sizes += partials * math.prod(x_shape) if partials > 1 else 0
    return sizes


@inlined
def _cuts(shape, a_shape, b_shape):
    """Return into how many parts each of the three dimensions is cut for the backward pass.

    Into no less than there are threads to serve; and so that to one number no more than some TERMS are added, those of
    a row counting as one for each BLOCK.
    """
    a, b, c = shape
    chunks = chunks_for(a * b * c, 64)
    lacks_first = 0 < a_shape[0] < a or 0 < b_shape[0] < a
    lacks_second = 0 < a_shape[1] < b or 0 < b_shape[1] < b
    lacks_last = 0 < a_shape[2] < c or 0 < b_shape[2] < c
    across = 1 if lacks_first and b >= _MANY else max(1, min(a, chunks))
    parts = max(1, min(b, chunks // across))
    sections = max(1, min(c // _SECTION, chunks // (across * parts)))
    room = TERMS  # for the terms of a number in one part
    if lacks_last:
        sections = -(-c // (TERMS * BLOCK))
        room = max(1, room // -(-c // (sections * BLOCK)))
    if lacks_second:
        parts = max(parts, -(-b // room))
        room = max(1, room // -(-b // parts))
    if lacks_first:
        across = max(across, -(-a // room))
    return across, parts, sections


@inlined
def _partials(shape, x_shape, cuts):
    """Return how many partial sums an input's gradient has."""
    across, parts, sections = cuts
    along = (across if x_shape[0] < shape[0] else 1) * (parts if x_shape[1] < shape[1] else 1)
    return along * (sections if x_shape[2] < shape[2] else 1)


@kernel
def merge_backward(da, db, scratch, dy, a, b, code, alpha, beta):
    """Write the gradients of both inputs, each summed over what its input lacks of the shape of `dy`.

    Where MAXIMUM or MINIMUM has two equal inputs, each gets half.

    Parameters
    ----------
    da, db : arrays of the shapes of `a` and `b`, or (0, 0, 0)
        Written; of size 0 where it is not wanted.
    scratch : (merge_backward_scratch(shape, a_shape, b_shape, dtype),) array
        Of the shapes of dy, da and db.
    dy : (A, B, C) array
    a, b : arrays
        The inputs; SUM does not read their numbers.
    code, alpha, beta
        As in the forward pass; not MASK, whose gradient is dy under the mask.
    """
    flat_a, flat_b, shape = da.reshape(-1), db.reshape(-1), dy.shape
    if dy.size == 0:
        clear(flat_a, 0, flat_a.size)
        clear(flat_b, 0, flat_b.size)
        return
    cuts = _cuts(shape, da.shape, db.shape)
    of_a, of_b = _partials(shape, da.shape, cuts), _partials(shape, db.shape, cuts)
    used = flat_a.size * of_a if of_a > 1 else 0
    sums_a = scratch[:used] if of_a > 1 else flat_a
    sums_b = scratch[used:used + flat_b.size * of_b] if of_b > 1 else flat_b
    chunks = min(cuts[0] * cuts[1] * cuts[2], chunks_for(dy.size, 64))
    parallel(_backward_parts, chunks, (chunks, cuts, (sums_a, sums_b), dy, (a, b), (code, alpha, beta)))
    if of_a > 1:
        _add_up(flat_a, sums_a, of_a)
    if of_b > 1:
        _add_up(flat_b, sums_b, of_b)


@inlined
def _add_up(out, sums, partials):
    add_pairwise(sums, 0, out.size, partials, out.size)
    copy(out, 0, sums, 0, out.size)


@inlined
def _backward_parts(chunk, chunks, cuts, sums, dy, inputs, formula):
    begin, end = chunk_of(chunk, chunks, cuts[0] * cuts[1] * cuts[2])
    for part in range(begin, end):
        _backward_part(part, cuts, sums, dy, inputs, formula)


@inlined
def _backward_part(index, cuts, sums, dy, inputs, formula):
    """Walk the rows of one part of `dy` for both gradients, block by block."""
    (across, parts, sections), (da, db), (a, b), (code, alpha, beta) = cuts, sums, inputs, formula
    shape, real = dy.shape, dy.dtype.type
    i_part, j_part, section = index // sections // parts, index // sections % parts, index % sections
    first, last = chunk_of(i_part, across, shape[0])
    top, bottom = chunk_of(j_part, parts, shape[1])
    left, right = chunk_of(section, sections, shape[2])
    part = first, last, top, bottom, left, right
    place = i_part, j_part, section
    a_from, b_from = _place(shape, a.shape, place, cuts), _place(shape, b.shape, place, cuts)
    _clear_sums(da, a_from, shape, a.shape, part)
    _clear_sums(db, b_from, shape, b.shape, part)
    gradient, flat_a, flat_b = (dy.reshape(-1), shape), (a.reshape(-1), a.shape), (b.reshape(-1), b.shape)
    of_b, block = OF_SLOPE if code == PRELU else code, max(1, _BLOCK // shape[2])
    width = BLOCK if a.shape[2] < shape[2] or b.shape[2] < shape[2] else _BLOCK
    for i in range(first, last):
        for j in range(top, bottom, block):
            for k in range(left, right, width):
                at, rows = (i, j, k, min(width, right - k)), min(block, bottom - j)
                for side in range(2):  # one call for both, so that its loops are compiled once
                    mine = side == 0
                    dx, start, of, scale = (da, a_from, code, alpha) if mine else (db, b_from, of_b, beta)
                    x, other = (flat_a, flat_b) if mine else (flat_b, flat_a)
                    if dx.size > 0:
                        _rows_gradient((dx, start), gradient, x, other, at, rows, (of, real(scale)))


@inlined
def _place(shape, x_shape, place, cuts):
    """Return where the partial sum of a part begins."""
    i_part, j_part, section = place
    index = i_part if x_shape[0] < shape[0] else np.int64(0)
    if x_shape[1] < shape[1]:
        index = index * cuts[1] + j_part
    if x_shape[2] < shape[2]:
        index = index * cuts[2] + section
    return index * x_shape[0] * x_shape[1] * x_shape[2]


@inlined
def _clear_sums(dx, start, shape, x_shape, part):
    """Clear what a chunk will add to; what it stores needs no clearing."""
    if dx.size == 0 or x_shape == shape:
        return
    first, last, top, bottom, left, right = part
    i_step, j_step, k_step = _steps(x_shape)
    if i_step == 0:
        first, last = 0, 1
    if j_step == 0:
        top, bottom = 0, 1
    if k_step == 0:
        left, right = 0, 1
    for i in range(first, last):
        for j in range(top, bottom):
            clear(dx, start + i * i_step + j * j_step + left, right - left)


@inlined
def _rows_gradient(to, dy, x, other, at, rows, formula):
    """Write the gradient of `rows` rows of one input, of flat arrays with their shapes.

    `to` are its sums and where they begin, `at` is (i, j, first column, columns), `formula` the code and the scale.
    """
    (dx, start), (dy, shape), (x, x_shape), (other, other_shape) = to, dy, x, other
    (i, j, k, count), (code, scale) = at, formula
    (xi, xj, xk), (oi, oj, ok) = _steps(x_shape), _steps(other_shape)
    x_at, other_at = i * xi + j * xj + k * xk, i * oi + j * oj + k * ok
    whole = 1 if ok == 1 or shape[2] == 1 or code == SUM else 0
    way = TOTAL if x_shape[2] < shape[2] else STORE if x_shape == shape else ADD
    merge_rows_gradient((dx, (start + x_at, xj)), (dy, ((i * shape[1] + j) * shape[2] + k, shape[2])), (x, (x_at, xj)),
                        (other, (other_at, oj)), (rows, count), (code, whole, way), scale)
