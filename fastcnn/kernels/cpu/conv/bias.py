"""The gradient of a bias alone, for convolutions whose weights' kernel does not compute it: column sums of dy.

    dbias[k] += sum over rows of dy[row, k]

A *long row* is a row, or so many rows of few columns that vectors are full; its sums are folded at the end::

    dy   | k0 k1 k2 | k0 k1 k2 | k0 ..  a long row of 255   -->  += 255 sums a chunk, in L1   -->   3 sums
         | next long row                                         chunks are added in pairs

A few long rows make a short sum for each column; short sums are added in float64 (`simd.sums`).
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned, clear
from fastcnn.kernels.cpu.simd.sums import TERMS, add_pairwise, add_wide, take_wide, wide

_WIDE = 256  # elements of a long row, about
_CHUNKS = 64


@inlined
def _plan(rows, k):
    """Return chunks, rows of a long row, and elements of a chunk's sums, behind which its totals lie, twice as many."""
    each = max(1, _WIDE // max(1, k))
    return chunks_for(rows * k, _CHUNKS), each, aligned(each * k)


def bias_backward_scratch(shape, dtype):
    """Return how many elements of scratch `bias_backward` wants for dy of `shape`."""
    chunks, _, step = _plan(*shape)
    return int(3 * chunks * step)


@kernel
def bias_backward(dbias, scratch, dy):
    """Add the sums of the columns of dy.

    Parameters
    ----------
    dbias : (K,) array
        Added to.
    scratch : (bias_backward_scratch(dy.shape, dtype),) array
    dy : (rows, K) array
    """
    rows, k = dy.shape
    chunks, _, step = _plan(rows, k)
    parallel(_task, chunks, (chunks, scratch, dy.reshape(-1), rows, k))
    add_pairwise(scratch, 0, 3 * step, chunks, k)
    accumulate(dbias, 0, scratch, 0, k)


@inlined
def _task(chunk, chunks, scratch, dy, rows, k):
    """The sums of a chunk of rows."""
    _, each, step = _plan(rows, k)
    begin, end = chunk_of(chunk, chunks, rows)
    at = 3 * chunk * step
    sums, totals = scratch[at:at + each * k], wide(scratch[at + step:at + 3 * step])
    clear(scratch, at, 3 * step)
    for first in range(begin, end, TERMS * each):
        for row in range(first, min(first + TERMS * each, end), each):
            accumulate(scratch, at, dy, row * k, min(each, end - row) * k)
        add_wide(totals, sums)
    take_wide(sums, totals)
    add_pairwise(scratch, at, k, each, k)
