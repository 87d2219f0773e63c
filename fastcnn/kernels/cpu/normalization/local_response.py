"""Local response normalization across channels (Krizhevsky, Sutskever and Hinton, "ImageNet classification with deep
convolutional neural networks", 2012, section 3.3). ONNX: LRN.

    s_i  = k + alpha sum_j x_j^2,                         j from i - before to i + after, within 0 .. C - 1
    y_i  = x_i s_i^-beta
    dx_i = dy_i s_i^-beta - 2 alpha beta x_i sum_j t_j,   j from i - after to i + before,
                                                          t_j = dy_j x_j s_j^(-beta - 1)

A block of rows lies in L1, each with a border of zeros, so that a window is a sum of shifted rows and no channel is a
special case; powers are taken of the whole block at once::

    squares   | 0 0 | x0^2 x1^2 x2^2 ..  | 0 0 |     before = after = 2
    s           +---------------+  five shifts added, times alpha, plus k  ->  exp(-beta log s)  ->  y

Of a window of very many channels each sum is made by itself, for its error not to grow with them.

The backward pass computes the powers again, which costs less than keeping them, and puts t in the place of the squares.
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.elementary import exp, log
from fastcnn.kernels.cpu.simd.sums import TERMS, row_sum

_BLOCK = 2048  # elements of a block of rows
_COST = 4  # what an element costs, in plain elements of work


@inlined
def _chunks(rows, c):
    return max(1, min(rows, chunks_for(_COST * rows * c, 64)))


@inlined
def _block_rows(c):
    return max(1, _BLOCK // max(1, c))


def local_response_norm_scratch(shape, before, after, dtype):
    """Return how many elements of scratch both kernels want for x of `shape` (P, C).

    Parameters
    ----------
    shape : (P, C)
    before, after : int
        Channels of the window on each side.
    dtype : dtype
    """
    return _chunks(*shape) * _block_rows(shape[1]) * (3 * shape[1] + 2 * max(before, after))


@kernel
def local_response_norm_forward(y, scratch, x, before, after, alpha, beta, k):
    """Divide each channel by a power of its neighbours' squares.

    Parameters
    ----------
    y : (P, C) array
        Written.
    scratch : (local_response_norm_scratch(shape, before, after, dtype),) array
    x : (P, C) array
    before, after : int
        How many channels on either side belong to a window.
    alpha, beta, k : float
        Of the formula. ONNX and PyTorch divide alpha by the size of the window, the paper does not.
    """
    chunks = _chunks(*x.shape)
    parallel(_forward_rows, chunks, (chunks, y, scratch, x, (before, after, alpha, beta, k)))


@kernel
def local_response_norm_backward(dx, scratch, dy, x, before, after, alpha, beta, k):
    """Write dx.

    Parameters
    ----------
    dx : (P, C) array
        Written.
    scratch : (local_response_norm_scratch(shape, before, after, dtype),) array
    dy, x : (P, C) arrays
    before, after : int
    alpha, beta, k : float
        As in the forward pass.
    """
    chunks = _chunks(*x.shape)
    parallel(_backward_rows, chunks, (chunks, dx, scratch, dy, x, (before, after, alpha, beta, k)))


@inlined
def _blocks(scratch, chunk, chunks, c, border):
    """Return a chunk's three blocks: rows with a border, which is cleared, of zeros on both sides; and two without."""
    rows = _block_rows(c)
    begin, wide = chunk * rows * (3 * c + 2 * border), rows * (c + 2 * border)
    padded = scratch[begin:begin + wide]
    for j in range(wide):
        padded[j] = 0
    sums = scratch[begin + wide:begin + wide + rows * c]
    return padded.reshape(rows, c + 2 * border), sums, scratch[begin + wide + rows * c:begin + wide + 2 * rows * c]


@inlined
def _powers(sums, powers, padded, x, formula):
    """Write s and s^-beta of some rows."""
    (before, after, alpha, beta, k), real = formula, x.dtype.type
    border = max(before, after)
    for i in range(x.shape[0]):
        squares, row = padded[i, border:], x[i]
        for j in range(row.size):
            squares[j] = row[j] * row[j]
    _window_sums(sums, padded, x.shape[0], x.shape[1], border - before, border + after)
    some = sums[:x.size]
    for j in range(some.size):
        some[j] = real(k) + real(alpha) * some[j]
        powers[j] = exp(real(-beta) * log(some[j]))


@inlined
def _window_sums(sums, padded, rows, c, first, last):
    """sums[i, j] = padded[i, first + j] + .. + padded[i, last + j]."""
    for i in range(rows):
        total, source = sums[i * c:(i + 1) * c], padded[i, first:]
        if last - first >= TERMS:
            for j in range(c):
                total[j] = row_sum(padded[i, first + j:last + j + 1])
            continue
        for j in range(c):
            total[j] = source[j]
        for shift in range(first + 1, last + 1):
            source = padded[i, shift:]
            for j in range(c):
                total[j] += source[j]


@inlined
def _forward_rows(chunk, chunks, y, scratch, x, formula):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    border = max(formula[0], formula[1])
    padded, sums, powers = _blocks(scratch, chunk, chunks, x.shape[1], border)
    for first in range(begin, end, padded.shape[0]):
        some = x[first:min(first + padded.shape[0], end)]
        _powers(sums, powers, padded, some, formula)
        out, of = y[first:first + some.shape[0]].reshape(-1), some.reshape(-1)
        for j in range(of.size):
            out[j] = of[j] * powers[j]


@inlined
def _backward_rows(chunk, chunks, dx, scratch, dy, x, formula):
    (before, after, alpha, beta, _), (begin, end) = formula, chunk_of(chunk, chunks, x.shape[0])
    c, border, twice = x.shape[1], max(before, after), x.dtype.type(2.0 * alpha * beta)
    padded, sums, powers = _blocks(scratch, chunk, chunks, c, border)
    for first in range(begin, end, padded.shape[0]):
        some = x[first:min(first + padded.shape[0], end)]
        rows = some.shape[0]
        _powers(sums, powers, padded, some, formula)
        for i in range(rows):
            t, row, gradient = padded[i, border:], some[i], dy[first + i]
            power, s = powers[i * c:(i + 1) * c], sums[i * c:(i + 1) * c]
            for j in range(c):
                t[j] = gradient[j] * row[j] * (power[j] / s[j])
        _window_sums(sums, padded, rows, c, border - after, border + before)
        out, of, gradient = dx[first:first + rows].reshape(-1), some.reshape(-1), dy[first:first + rows].reshape(-1)
        for j in range(of.size):
            out[j] = gradient[j] * powers[j] - twice * of[j] * sums[j]
