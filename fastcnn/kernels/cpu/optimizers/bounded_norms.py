"""The lengths of vectors in an array brought between two bounds: what a constraint on norms does to a filter bank.

A vector lies along the middle axis; the sums of squares of many vectors grow side by side, in float64::

    array (outer, M, inner)   | m0: w w w w w w |      sums      | s s s s s s |   read once, row by row
                              | m1: w w w w w w |  ->  factors   | f f f f f f |
                              | m2: w w w w w w |      w <- f w                    read and written once
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel


def bound_norms_scratch(vectors, dtype):
    """Return how many float64 elements of scratch `bound_norms` wants for so many vectors.

    Parameters
    ----------
    vectors : int
        outer times inner.
    dtype : dtype
    """
    return vectors


@kernel
def bound_norms(array, scratch, low, high, rate, epsilon):
    """Scale each vector w: w <- w (rate min(max(|w|, low), high) + (1 - rate) |w|) / (|w| + epsilon).

    Parameters
    ----------
    array : (outer, M, inner) array
        Vectors of M numbers along the middle axis, changed.
    scratch : (bound_norms_scratch(outer inner, dtype),) float64 array
    low, high : float
        Between which lengths they are brought.
    rate : float
        How much of the way to a length between the bounds is gone: 1 for all of it.
    epsilon : float
        What keeps a vector of zeros from a division by zero.
    """
    outer, length, inner = array.shape
    vectors = outer * inner
    chunks = min(vectors, chunks_for(array.size, 64))
    parallel(_bound_chunk, chunks, (chunks, array.reshape(outer * length, inner), scratch, length,
                                    (low, high, rate, epsilon)))


@inlined
def _bound_chunk(chunk, chunks, array, sums, length, bounds):
    inner = array.shape[1]
    begin, end = chunk_of(chunk, chunks, sums.size)
    while begin < end:  # a part of one row of vectors after the other
        one, first = begin // inner, begin % inner
        last = min(inner, first + end - begin)
        _bound_columns(array[one * length:(one + 1) * length, first:last], sums[begin:begin + last - first], bounds)
        begin += last - first


@inlined
def _bound_columns(array, factors, bounds):
    low, high, rate, epsilon = bounds
    real = array.dtype.type
    for j in range(factors.size):
        factors[j] = 0.0
    for m in range(array.shape[0]):
        row = array[m]
        for j in range(factors.size):
            factors[j] += np.float64(row[j]) * np.float64(row[j])
    for j in range(factors.size):
        norm = math.sqrt(factors[j])
        inside = high if norm > high else (low if norm < low else norm)
        factors[j] = (rate * inside + (1.0 - rate) * norm) / (norm + epsilon)
    for m in range(array.shape[0]):
        row = array[m]
        for j in range(factors.size):
            row[j] = real(np.float64(row[j]) * factors[j])
