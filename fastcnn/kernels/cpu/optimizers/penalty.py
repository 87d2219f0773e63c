"""The penalty of a regularizer and its gradient, in one pass: a l1 sum|w| + a l2 sum w^2 and its slope.

One file for L1, L2 and both, since what costs is to read the weights; sums are kept in float64, a sum a chunk::

    array    | w0 .. |  chunk 0  | ..  chunk 1 .. |     read once
    gradient | +=    |           |                |     l1 sign(w) + 2 l2 w, added where it is wanted
    scratch  | S0    S1   ...    |                      -> total, in the order of the chunks
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel

_CHUNKS = 64


def penalty_scratch(size, dtype):
    """Return how many float64 elements of scratch `penalty` wants for an array of `size`.

    Parameters
    ----------
    size : int
        Elements of the array.
    dtype : dtype
    """
    return _CHUNKS


@kernel
def penalty(total, gradient, scratch, array, l1, l2):
    """Write l1 sum|w| + l2 sum w^2, and add l1 sign(w) + 2 l2 w to the gradient; sign(0) is 0.

    Parameters
    ----------
    total : (1,) float64 array
        Written.
    gradient : (size,) or (0,) array
        Added to; of size 0 where no gradient is wanted.
    scratch : (penalty_scratch(size, dtype),) float64 array
    array : (size,) array
        w.
    l1, l2 : float
    """
    chunks = chunks_for(array.size, _CHUNKS)
    parallel(_penalty_chunk, chunks, (chunks, scratch, gradient, array, l1, l2))
    value = 0.0
    for chunk in range(chunks):
        value += scratch[chunk]
    total[0] = value


@inlined
def _penalty_chunk(chunk, chunks, sums, gradient, array, l1, l2):
    begin, end = chunk_of(chunk, chunks, array.size)
    w = array[begin:end]
    real = w.dtype.type
    sizes, squares = 0.0, 0.0
    for i in range(w.size):
        x = np.float64(w[i])
        sizes += abs(x)
        squares += x * x
    sums[chunk] = l1 * sizes + l2 * squares
    if gradient.size > 0:
        g, step, factor, zero = gradient[begin:end], real(l1), real(2.0 * l2), real(0)
        for i in range(g.size):
            sign = step if w[i] > zero else (-step if w[i] < zero else zero)
            g[i] += factor * w[i] + sign
