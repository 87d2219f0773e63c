"""The step of Adafactor before its length is known: gradients over the root of a second moment of rows and columns.

The moment of a matrix (R, C) is kept as R and C numbers, in the first places of an array of its shape::

    state (R, C)   | r0 .. rR-1  c0 .. cC-1  (unused) .. |
    r <- b r + (1 - b) mean of g^2 + e over each row;   c <- the same over each column;   u = g / sqrt(r c / mean r)

A matrix of one row or column keeps all of its numbers, which is the same then. Shazeer and Stern, 2018, algorithm 4.
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel


def factored_step_scratch(columns, dtype):
    """Return how many float64 elements of scratch `factored_step` wants for matrices of so many columns in all.

    Parameters
    ----------
    columns : int
        outer times C.
    dtype : dtype
    """
    return columns


@kernel
def factored_step(u, state, scratch, gradients, beta, epsilon):
    """Update the second moments, and write u = g / sqrt(moment).

    Parameters
    ----------
    u : (outer, R, C) array
        Written.
    state : (outer, R, C) array
        Changed.
    scratch : (factored_step_scratch(outer C, dtype),) float64 array
    gradients : (outer, R, C) array
    beta, epsilon : float
    """
    outer, rows, columns = u.shape
    whole = rows == 1 or columns == 1
    of_rows = min(outer * rows, chunks_for(u.size, 64))
    of_columns = 0 if whole else min(outer * columns, chunks_for(u.size, 64))
    parallel(_moments_chunk, of_rows + of_columns, (of_rows, of_columns, state, scratch, gradients, whole,
                                                    (beta, epsilon)))
    parallel(_step_chunk, of_rows, (of_rows, u, state, gradients, whole))


@inlined
def _moments_chunk(chunk, of_rows, of_columns, state, sums, gradients, whole, numbers):
    (outer, rows, columns), (beta, epsilon) = state.shape, numbers
    real = state.dtype.type
    flat = state.reshape(outer, rows * columns)
    if chunk < of_rows:
        begin, end = chunk_of(chunk, of_rows, outer * rows)
        for row in range(begin, end):
            g, o, i = gradients[row // rows, row % rows], row // rows, row % rows
            if whole:
                v = state[o, i]
                for j in range(columns):
                    v[j] = real(beta) * v[j] + real(1.0 - beta) * (g[j] * g[j] + real(epsilon))
            else:
                total = 0.0
                for j in range(columns):
                    total += np.float64(g[j]) * np.float64(g[j])
                flat[o, i] = real(beta * flat[o, i] + (1.0 - beta) * (total / columns + epsilon))
    else:
        begin, end = chunk_of(chunk - of_rows, of_columns, outer * columns)
        while begin < end:  # a part of the columns of one matrix after the other
            o, first = begin // columns, begin % columns
            last = min(columns, first + end - begin)
            c, total = flat[o, rows + first:rows + last], sums[begin:begin + last - first]
            for j in range(total.size):
                total[j] = 0.0
            for i in range(rows):
                g = gradients[o, i, first:last]
                for j in range(total.size):
                    total[j] += np.float64(g[j]) * np.float64(g[j])
            for j in range(total.size):
                c[j] = real(beta * c[j] + (1.0 - beta) * (total[j] / rows + epsilon))
            begin += last - first


@inlined
def _step_chunk(chunk, chunks, u, state, gradients, whole):
    outer, rows, columns = u.shape
    real = u.dtype.type
    flat = state.reshape(outer, rows * columns)
    begin, end = chunk_of(chunk, chunks, outer * rows)
    of, mean = -1, 1.0
    for row in range(begin, end):
        o, i = row // rows, row % rows
        out, g = u[o, i], gradients[o, i]
        if whole:
            v = state[o, i]
            for j in range(columns):
                out[j] = g[j] / real(math.sqrt(v[j]))
        else:
            if of != o:
                of, mean = o, 0.0
                for k in range(rows):
                    mean += flat[o, k]
                mean /= rows
            c, share = flat[o, rows:rows + columns], real(flat[o, i] / mean)
            for j in range(columns):
                out[j] = g[j] / real(math.sqrt(share * c[j]))
