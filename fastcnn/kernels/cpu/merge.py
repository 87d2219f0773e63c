"""Two arrays made into one, number by number: sum, product, larger, smaller, a slope for what is negative.

ONNX: Add, Sub, Mul, Mean, Max, Min, PRelu.

An input may lack parts of the output's shape (A, B, C), where its dimension is 1 and its numbers are used again; that
covers what networks do (a gate for each channel of an image, a mask for each pixel)::

    y (A, B, C)         a (A, B, C)         b (A, 1, C)                     rows of C numbers, walked in order:
    | row | row | ..    | row | row | ..    | row |    used by all B        one loop over a row, vectors of C,
    | row | row | ..    | row | row | ..    | row |                         or vectors and one scalar

Arrays of one shape are one row, which threads cut anywhere. The backward pass takes the same walk: a row's gradient is
stored, or added to the row or the number that stands for it. Where threads share such sums, each chunk has its own in
the scratch, and they are added in the order of the chunks.
"""

import math

from fastcnn.kernels.codes import MAXIMUM, PRELU, PRODUCT, SUM
from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.pack import accumulate, clear, copy

_MANY = 8  # rows: from so many on, threads share the middle dimension rather than partial sums over the first


@kernel
def merge_forward(y, a, b, code, alpha, beta, relu):
    """Write y = alpha a + beta b, a b, max(a, b), min(a, b), or a where a > 0 else a b.

    A NaN on either side gives NaN, but PRELU does not look at b where a > 0.

    Parameters
    ----------
    y : (A, B, C) array
        Written; fresh memory.
    a, b : arrays of the shape of `y`, with 1 for any of its dimensions
        Together they have all of them; for PRELU `a` has.
    code : int
        SUM, PRODUCT, MAXIMUM, MINIMUM or PRELU of `fastcnn.kernels.codes`.
    alpha, beta : float
        Of SUM; else they have no meaning.
    relu : int
        Of SUM: 1 to write max(y, 0), NaN staying NaN.
    """
    chunks = chunks_for(y.size, 64)
    parallel(_forward_range, chunks, (chunks, y, a, b, code, alpha, beta, relu))


@inlined
def _forward_range(chunk, chunks, y, a, b, code, alpha, beta, relu):
    begin, end = chunk_of(chunk, chunks, y.size)
    real, (_, rows, columns) = y.dtype.type, y.shape
    flat, left, right = y.reshape(-1), a.reshape(-1), b.reshape(-1)
    (ai, aj, ak), (bi, bj, bk) = _steps(a.shape), _steps(b.shape)
    scale_a, scale_b = real(alpha), real(beta)
    floor = real(0 if relu else -math.inf)
    while begin < end:
        row = begin // columns
        k = begin - row * columns
        i, j = row // rows, row % rows
        count = min(columns - k, end - begin)
        a_at, b_at = i * ai + j * aj + k * ak, i * bi + j * bj + k * bk
        out = flat[begin:begin + count]
        if ak == 0 and columns > 1:
            _row(out, right[b_at:b_at + count], left[a_at:], False, code, scale_b, scale_a, floor)
        else:
            _row(out, left[a_at:a_at + count], right[b_at:], bk == 1, code, scale_a, scale_b, floor)
        begin += count


@inlined
def _steps(shape):
    """Return the distances of an input's elements along the output's three dimensions; 0 along those it lacks.

    A last dimension of 1 has no second element, so it is walked as a whole one.
    """
    a, b, c = shape
    return (b * c if a > 1 else 0), (c if b > 1 else 0), (1 if c > 1 else 0)


@inlined
def _row(y, a, b, whole, code, alpha, beta, floor):
    """y = f(a, b) for one row; without `whole` there is one b for all."""
    zero = y.dtype.type(0)
    if code == SUM:
        if whole:
            for k in range(y.size):
                v = alpha * a[k] + beta * b[k]
                y[k] = floor if v < floor else v
        else:
            shift = beta * b[0]
            for k in range(y.size):
                v = alpha * a[k] + shift
                y[k] = floor if v < floor else v
    elif code == PRODUCT:
        if whole:
            for k in range(y.size):
                y[k] = a[k] * b[k]
        else:
            factor = b[0]
            for k in range(y.size):
                y[k] = a[k] * factor
    elif code == PRELU:
        if whole:
            for k in range(y.size):
                y[k] = a[k] if a[k] > zero else a[k] * b[k]
        else:
            slope = b[0]
            for k in range(y.size):
                y[k] = a[k] if a[k] > zero else a[k] * slope
    elif whole:
        sign = zero + (1 if code == MAXIMUM else -1)
        for k in range(y.size):
            y[k] = a[k] if (sign * a[k] > sign * b[k]) | (a[k] != a[k]) else b[k]
    else:
        sign, other = zero + (1 if code == MAXIMUM else -1), b[0]
        for k in range(y.size):
            y[k] = a[k] if (sign * a[k] > sign * other) | (a[k] != a[k]) else other


# --- backward ---------------------------------------------------------------------------------------------------------


def merge_backward_scratch(shape, a_shape, b_shape, dtype):
    """Return how many elements of scratch `merge_backward` wants for dy, a and b of these shapes."""
    across, parts = _cuts(*shape, _lacks_first(shape, a_shape) or _lacks_first(shape, b_shape))
    sizes = 0
    for x_shape in (a_shape, b_shape):
        partials = _partials(shape, x_shape, across, parts)
        sizes += partials * math.prod(x_shape) if partials > 1 else 0
    return sizes


@inlined
def _lacks_first(shape, x_shape):
    return 0 < x_shape[0] < shape[0]


@inlined
def _cuts(a, b, c, lacks_first):
    """Return into how many parts the first and the middle dimension are cut for the chunks of the backward pass."""
    chunks = chunks_for(a * b * c, 64)
    across = 1 if lacks_first and b >= _MANY else max(1, min(a, chunks))
    return across, max(1, min(b, chunks // across))


@inlined
def _partials(shape, x_shape, across, parts):
    """Return how many partial sums an input's gradient has."""
    return (across if x_shape[0] < shape[0] else 1) * (parts if x_shape[1] < shape[1] else 1)


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
        The inputs; for SUM any arrays, since it does not read them.
    code, alpha, beta
        As in the forward pass.
    """
    flat_a, flat_b, shape = da.reshape(-1), db.reshape(-1), dy.shape
    if dy.size == 0:
        clear(flat_a, 0, flat_a.size)
        clear(flat_b, 0, flat_b.size)
        return
    lacks_first = _lacks_first(shape, da.shape) or _lacks_first(shape, db.shape)
    across, parts = _cuts(shape[0], shape[1], shape[2], lacks_first)
    of_a, of_b = _partials(shape, da.shape, across, parts), _partials(shape, db.shape, across, parts)
    used = flat_a.size * of_a if of_a > 1 else 0
    sums_a = scratch[:used] if of_a > 1 else flat_a
    sums_b = scratch[used:used + flat_b.size * of_b] if of_b > 1 else flat_b
    parallel(_backward_part, across * parts, (across, parts, sums_a, sums_b, dy, a, b, code, alpha, beta))
    if of_a > 1:
        _add_up(flat_a, sums_a, of_a)
    if of_b > 1:
        _add_up(flat_b, sums_b, of_b)


@inlined
def _add_up(out, sums, partials):
    copy(out, 0, sums, 0, out.size)
    for k in range(1, partials):
        accumulate(out, 0, sums, k * out.size, out.size)


@inlined
def _backward_part(chunk, across, parts, da, db, dy, a, b, code, alpha, beta):
    """Walk the rows of one part of `dy` for both gradients, so that a row of it is read from L1 the second time."""
    shape, real = dy.shape, dy.dtype.type
    i_part, j_part = chunk // parts, chunk % parts
    first, last = chunk_of(i_part, across, shape[0])
    top, bottom = chunk_of(j_part, parts, shape[1])
    gradient, left, right = dy.reshape(-1), a.reshape(-1), b.reshape(-1)
    (ai, aj, ak), (bi, bj, bk) = _steps(a.shape), _steps(b.shape)
    a_from, b_from = _place(shape, a.shape, i_part, j_part, parts), _place(shape, b.shape, i_part, j_part, parts)
    scale_a, scale_b, columns = real(alpha), real(beta), shape[2]
    for i in range(first, last):
        for j in range(top, bottom):
            at = (i * shape[1] + j) * columns
            row = gradient[at:at + columns]
            a_at, b_at = i * ai + j * aj, i * bi + j * bj
            if da.size > 0:
                fresh = (i == first or ai > 0) and (j == top or aj > 0)
                _row_gradient(da[a_from + a_at:], fresh, row, left[a_at:], ak, right[b_at:], bk, code, True, scale_a)
            if db.size > 0:
                fresh = (i == first or bi > 0) and (j == top or bj > 0)
                _row_gradient(db[b_from + b_at:], fresh, row, right[b_at:], bk, left[a_at:], ak, code, False, scale_b)


@inlined
def _place(shape, x_shape, i_part, j_part, parts):
    """Return where the partial sum of a chunk begins."""
    index = i_part if x_shape[0] < shape[0] else 0
    if x_shape[1] < shape[1]:
        index = index * parts + j_part
    return index * x_shape[0] * x_shape[1] * x_shape[2]


@inlined
def _row_gradient(dx, fresh, dy, x, x_step, other, other_step, code, is_a, scale):
    """Store, or add unless `fresh`, the gradient of one row of an input, or of its one number where `x_step` is 0."""
    if code == PRODUCT and other_step == 0:
        scale = other[0]
    zero, whole, size = dx.dtype.type(0), x_step == 1, dy.size
    total = zero
    if code == SUM or (code == PRODUCT and other_step == 0):
        if not whole:
            for k in range(size):
                total += dy[k]
            total *= scale
        elif fresh:
            for k in range(size):
                dx[k] = scale * dy[k]
        else:
            for k in range(size):
                dx[k] += scale * dy[k]
    elif code == PRODUCT:
        if not whole:
            for k in range(size):
                total += dy[k] * other[k]
        elif fresh:
            for k in range(size):
                dx[k] = dy[k] * other[k]
        else:
            for k in range(size):
                dx[k] += dy[k] * other[k]
    elif code == PRELU and is_a:
        slope = other[0]
        for k in range(size):
            if whole and other_step == 1:
                slope = other[k]
            dx[k] = dy[k] if x[k] > zero else slope * dy[k]
    elif code == PRELU:
        for k in range(size):
            v = zero if other[k] > zero else dy[k] * other[k]
            if whole:
                dx[k] = v if fresh else dx[k] + v
            else:
                total += v
    else:
        sign, half = zero + (1 if code == MAXIMUM else -1), zero + 0.5
        for k in range(size):
            mine, its = sign * x[k * x_step], sign * other[k * other_step]
            v = dy[k] * (zero if mine < its else (half if mine == its else half + half))
            if whole:
                dx[k] = v if fresh else dx[k] + v
            else:
                total += v
    if not whole and not (code == PRELU and is_a):
        dx[0] = total if fresh else dx[0] + total
