"""The gradient of a bias that no product computes beside its filters': sums down the columns of dy.

    dbias[k] += sum over rows of dy[row, k]

A *long row* is a row, or so many rows of few columns that vectors are full; its sums are folded at the end::

    dy   | k0 k1 k2 | k0 k1 k2 | k0 ..  a long row of 255   -->  += 255 sums a chunk, in L1   -->   3 sums
         | next long row                                         chunks are added in order
"""

from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.pack import accumulate, aligned, clear

_WIDE = 256  # elements of a long row, about
_CHUNKS = 64


@inlined
def _plan(rows, k):
    """Return chunks, rows of a long row, and elements from one chunk's sums to the next."""
    each = max(1, _WIDE // max(1, k))
    return chunks_for(rows * k, _CHUNKS), each, aligned(each * k)


def bias_backward_scratch(shape, dtype):
    """Return how many elements of scratch `bias_backward` wants for dy of `shape`."""
    chunks, _, step = _plan(*shape)
    return int(chunks * step)


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
    chunks, each, step = _plan(rows, k)
    parallel(_task, chunks, (chunks, scratch, dy.reshape(-1), rows, k))
    for chunk in range(chunks):
        for row in range(each):
            accumulate(dbias, 0, scratch, chunk * step + row * k, k)


@inlined
def _task(chunk, chunks, scratch, dy, rows, k):
    """The sums of a chunk of rows."""
    _, each, step = _plan(rows, k)
    begin, end = chunk_of(chunk, chunks, rows)
    clear(scratch, chunk * step, each * k)
    for row in range(begin, end, each):
        accumulate(scratch, chunk * step, dy, row * k, min(each, end - row) * k)
