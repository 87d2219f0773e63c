"""The walk of the kernels whose losses are sums over elements, L = share sum_k f(x_k, t_k), and their gradients.

All elements of as many rows as L1 holds go through f as one run of vectors, however short the rows are::

    x, t   | rows 0 .. r, 16 KB |         f, one vector at a time            f', the same once more
    dx     | f(x, t)            |  ---> losses: sums of rows   ---> dx: scale share f'(x, t), over what lay there

`apply` is a function of (out, x, t, at, count, code, wants_slopes, a, b, c, factor): out[at:at + count] = f or f' of
flat arrays. It calls code behind a symbol (`compile.shared`), whose numbers travel as the bits of integers.
"""

import numpy as np
from numba import carray, config, types

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined
from fastcnn.kernels.cpu.simd.sums import row_sum

_BLOCK = 4096  # elements that stay in L1 between the passes over them


def element_arguments(dtype):
    """Return the types of what a function behind a symbol takes: out, x, t, count, code, a, b, c, factor."""
    return (*[types.CPointer(dtype)] * 3, *[types.int64] * 6)


def _itself(array, shape):
    return array


#: The array at a pointer; where nothing is compiled, arrays come as they are.
array_at = _itself if config.DISABLE_JIT else carray


@inlined
def bits(number):
    """Return the bits of a float64 as an integer."""
    return np.float64(number).view(np.int64)


@inlined
def number(bits):
    """Return the float64 of some `bits`."""
    return np.int64(bits).view(np.float64)


@inlined
def element_rows(chunk, chunks, apply, losses, dx, x, targets, weights, code, a, b, c, share, scale, wants_gradient):
    """Do one of `chunks` parts of the rows; the arguments that follow are those of `elementwise_loss`."""
    first, last = chunk_of(chunk, chunks, x.shape[0])
    real, columns, whole = x.dtype.type, x.shape[1], dx.reshape(-1)
    rows = max(1, _BLOCK // max(1, columns))
    each_element = weights.size > 0 and weights.size == x.size
    each_row = weights.size > 0 and not each_element
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        at, count, out = begin * columns, (end - begin) * columns, dx[begin:end].reshape(-1)
        apply(whole, x.reshape(-1), targets.reshape(-1), at, count, code, False, a, b, c, 1.0)
        if each_element:
            _multiply(out, weights[begin * columns:end * columns])
        _row_sums(losses[begin:end], out, columns, real(share))
        if each_row:
            _multiply(losses[begin:end], weights[begin:end])
        if wants_gradient:
            apply(whole, x.reshape(-1), targets.reshape(-1), at, count, code, True, a, b, c, scale * share)
            if each_element:
                _multiply(out, weights[begin * columns:end * columns])
            elif each_row:
                for i in range(begin, end):
                    row, factor = dx[i], weights[i]
                    for k in range(row.size):
                        row[k] *= factor


@inlined
def _multiply(out, factors):
    for k in range(out.size):
        out[k] *= factors[k]


@inlined
def _row_sums(losses, values, columns, share):
    if columns == 1:  # a loop over rows of one element would not become vectors
        for i in range(losses.size):
            losses[i] = share * values[i]
    else:
        for i in range(losses.size):
            losses[i] = share * row_sum(values[i * columns:(i + 1) * columns])
