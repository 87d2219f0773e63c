"""Normalization of groups that lie in rows: layer normalization, and group normalization of (N, C).

    x   | row 0:  D numbers of (n = 0, g = 0) |     row by row, in L1:   sum -> mean,  sum (x - mean)^2 -> rstd,  y
        | row 1:  D numbers of (n = 0, g = 1) |     backward:            sums of gamma dy and gamma dy (x - mean),
        |   ..                                |                          dgamma, dbeta of the chunk of rows += .., dx

Rows longer than L1 go in blocks: a sum is of one block in the arrays' type, over blocks in float64 (`simd.sums`). The
mean is made as the first number plus the mean distance from it, so that equal numbers have exactly that mean.
Each chunk of rows has its own sums for the gradients of gamma and beta, which are added in pairs.
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined
from fastcnn.kernels.cpu.simd.sums import BLOCK, TERMS, add_pairwise, add_wide, wide

_SUMS = 6  # times C elements of a chunk: of dgamma and dbeta, and the totals of both in float64


@inlined
def row_chunks(rows, d):
    """Return into how many chunks the rows are cut."""
    return max(1, min(rows, chunks_for(rows * d, 64)))


def rows_forward_scratch(c):
    """Return how many elements of scratch the forward pass wants: gamma and beta, with defaults."""
    return 2 * c


def rows_backward_scratch(rows, d, c):
    """Return how many elements of scratch the backward pass wants: gamma, an unused beta, sums and totals a chunk."""
    return 2 * c + _SUMS * c * row_chunks(rows, d)


@inlined
def with_defaults(scratch, gamma, beta, c):
    """Write gamma, or ones, and beta, or zeros, into the first 2 C of the scratch."""
    real = scratch.dtype.type
    for k in range(c):
        scratch[k] = gamma[k] if gamma.size > 0 else real(1)
    for k in range(c):
        scratch[c + k] = beta[k] if beta.size > 0 else real(0)


@inlined(exact=True, always=True)
def _apart(x, first):
    """Return x - first: exactly, lest the sum of differences be made a difference of sums."""
    return x - first


@inlined
def _mean(row):
    total, first = 0.0, row[0]
    for begin in range(0, row.size, BLOCK):
        block = row[begin:begin + BLOCK]
        some = row.dtype.type(0)
        for j in range(block.size):
            some += _apart(block[j], first)
        total += some
    return row.dtype.type(first + total / row.size)


@inlined
def _variance(row, mean):
    total = 0.0
    for begin in range(0, row.size, BLOCK):
        block = row[begin:begin + BLOCK]
        some = row.dtype.type(0)
        for j in range(block.size):
            some += (block[j] - mean) * (block[j] - mean)
        total += some
    return total / row.size


@inlined
def rows_normalized(chunk, chunks, y, saved, factors, x, shape, epsilon):
    """Normalize the rows of a chunk; `factors` are what `with_defaults` wrote, `shape` is (groups, D)."""
    (mean, rstd), (groups, d) = saved, shape
    begin, end = chunk_of(chunk, chunks, mean.size)
    c, real = groups * d, x.dtype.type
    for r in range(begin, end):
        row, out, first = x[r * d:(r + 1) * d], y[r * d:(r + 1) * d], r % groups * d
        gamma, beta = factors[first:first + d], factors[c + first:c + first + d]
        center = _mean(row)
        deviation = real(1.0 / math.sqrt(_variance(row, center) + epsilon))
        mean[r], rstd[r] = center, deviation
        for j in range(d):
            out[j] = (row[j] - center) * deviation * gamma[j] + beta[j]


@inlined
def row_gradients(chunk, chunks, dx, scratch, dy, x, saved, shape):
    """Write dx of a chunk's rows, and its sums for dgamma and dbeta into its part of the scratch."""
    (mean, rstd), (groups, d) = saved, shape
    begin, end = chunk_of(chunk, chunks, mean.size)
    c = groups * d
    at = 2 * c + _SUMS * c * chunk
    sums, totals = scratch[at:at + 2 * c], wide(scratch[at + 2 * c:at + 6 * c])
    for k in range(2 * c):
        sums[k] = totals[k] = 0
    for r in range(begin, end):
        if (r - begin) % (TERMS * groups) == 0 and r > begin:
            add_wide(totals, sums)
        first = r % groups * d
        gamma, dgamma, dbeta = scratch[first:first + d], sums[first:first + d], sums[c + first:c + first + d]
        _row_gradient(dx[r * d:(r + 1) * d], dgamma, dbeta, dy[r * d:(r + 1) * d], x[r * d:(r + 1) * d], mean[r],
                      rstd[r], gamma)
    if end - begin > TERMS * groups:
        for k in range(2 * c):
            sums[k] += totals[k]


@inlined
def _row_gradient(dx, dgamma, dbeta, dy, x, mean, rstd, gamma):
    # Loops of few arrays each, which lie in L1: LLVM tests whether each two of a loop overlap, and not too many.
    real = x.dtype.type
    total = along = 0.0
    for begin in range(0, x.size, BLOCK):
        end = min(begin + BLOCK, x.size)
        g, of, factor = dy[begin:end], x[begin:end], gamma[begin:end]
        plain = product = real(0)
        for j in range(g.size):
            plain += factor[j] * g[j]
            product += factor[j] * g[j] * (of[j] - mean)
        total += plain
        along += product
        more = dgamma[begin:end]
        for j in range(g.size):
            more[j] += g[j] * ((of[j] - mean) * rstd)
        more = dbeta[begin:end]
        for j in range(g.size):
            more[j] += g[j]
    deviation = np.float64(rstd)
    constant, steep = real(deviation * total / x.size), real(deviation**3 * along / x.size)
    for j in range(x.size):
        dx[j] = rstd * gamma[j] * dy[j] - constant - (x[j] - mean) * steep


@inlined
def add_rows(dgamma, dbeta, scratch, chunks, c):
    """Add the chunks' sums to the gradients, in pairs."""
    add_pairwise(scratch, 2 * c, _SUMS * c, chunks, 2 * c)
    sums = scratch[2 * c:4 * c]
    if dgamma.size > 0:
        for k in range(c):
            dgamma[k] += sums[k]
    if dbeta.size > 0:
        for k in range(c):
            dbeta[k] += sums[c + k]
