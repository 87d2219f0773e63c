"""Kernels of rows: some threads, the *lanes*, have a row of a table, and what they found is put together.

A row of few numbers has one thread. Of a longer one the lanes take numbers in turn, neighbours reading neighbours; sums
and maxima go over a tree in shared memory, the same whatever the card. All threads of a block come to the barriers,
those beyond the last row too.
"""

import functools
import math

from fastcnn.kernels.cuda.compile.kernel import THREADS
from fastcnn.kernels.cuda.compile.shim import cuda, div, f32, i32, inlined, sized

_FEW, _WARP, _LONG = sized(16, 3), sized(32, 2), sized(4096, 9)  # numbers of a row; lanes; numbers worth a block
MINUS_INFINITY = f32(-math.inf)


@functools.lru_cache(maxsize=4096)
def rows_plan(rows, columns):
    """Return how many blocks have so many rows, and the lanes of a row.

    Parameters
    ----------
    rows, columns : int
    """
    lanes = 1 if columns <= _FEW else (_WARP if columns < _LONG else THREADS)
    return max(1, -(-rows * lanes // THREADS)), lanes


@inlined
def row_of(rows, columns, lanes):
    """Return a thread's row, its lane, and where the row's numbers end: 0 beyond the last row."""
    row = div(i32(cuda.blockIdx.x * THREADS + cuda.threadIdx.x), lanes)
    lane = i32(cuda.threadIdx.x - div(cuda.threadIdx.x, lanes) * lanes)
    return row, lane, columns if row < rows else i32(0)


@inlined
def sum_of_row(held, value, lane, lanes):
    """Return the sum over the lanes of a row, to all of them."""
    t, half = i32(cuda.threadIdx.x), lanes
    cuda.syncthreads()  # nobody reads what was held before
    held[t] = value
    while half > 1:
        half = div(half, 2)
        cuda.syncthreads()
        if lane < half:
            held[t] = held[t] + held[t + half]
    cuda.syncthreads()
    return held[t - lane]


@inlined
def larger(a, b):
    """Return the larger of two numbers; NaN wins."""
    return b if b > a or b != b else a


@inlined
def largest_of_row(held, value, lane, lanes):
    """Return the largest number of the lanes of a row, or NaN, to all of them."""
    t, half = i32(cuda.threadIdx.x), lanes
    cuda.syncthreads()
    held[t] = value
    while half > 1:
        half = div(half, 2)
        cuda.syncthreads()
        if lane < half:
            held[t] = larger(held[t], held[t + half])
    cuda.syncthreads()
    return held[t - lane]
