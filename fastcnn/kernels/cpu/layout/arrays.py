"""Moving and adding arrays: the batch that training gathers, sums of gradients, tables side by side, zero padding."""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import clear, copy
from fastcnn.kernels.cpu.simd.transpose import move_rows


@kernel
def gather(out, source, index):
    """Copy rows of a data set into a batch: out[i] = source[index[i]], converted to the type of `out`.

    Parameters
    ----------
    out : (B, F) float array
        Written.
    source : (N, F) array of any integer or floating type
    index : (B,) int64 array
        Rows in 0..N-1.
    """
    chunks = min(out.shape[0], chunks_for(out.size, 64))
    parallel(_gather_rows, chunks, (chunks, out, source, index))


@inlined
def _gather_rows(chunk, chunks, out, source, index):
    begin, end = chunk_of(chunk, chunks, out.shape[0])
    for i in range(begin, end):
        # Slices: in a loop over out[i, j] a test for negative indices would keep LLVM from making vectors.
        to, of = out[i], source[index[i]]
        for j in range(to.size):
            to[j] = of[j]


@kernel(in_place=("a", "b"))
def add(out, a, b):
    """out = a + b, for flat arrays of one size.

    Parameters
    ----------
    out : flat array
        Written.
    a, b : flat arrays of its size
    """
    chunks = chunks_for(out.size, 64)
    parallel(_add_range, chunks, (chunks, out, a, b))


@inlined
def _add_range(chunk, chunks, out, a, b):
    begin, end = chunk_of(chunk, chunks, out.size)
    out, a, b = out[begin:end], a[begin:end], b[begin:end]
    for i in range(out.size):
        out[i] = a[i] + b[i]


@kernel(wide=("out", "source"))
def copy_columns(out, to, source, of, columns):
    """out[:, to:to + columns] = source[:, of:of + columns], for two tables of as many rows; the rest of `out` stays.

    Tables stand side by side this way, and apart again; threads share the numbers, since one row may be all there is.

    Parameters
    ----------
    out : (rows, columns) array
    to : int
        The first column written.
    source : (rows, columns) array
    of : int
        The first column read.
    columns : int
        How many.
    """
    work = out.shape[0] * columns
    chunks = chunks_for(work, 64)
    parallel(_copy_part, chunks, (chunks, work, (out.reshape(-1), out.shape[1], to),
                                  (source.reshape(-1), source.shape[1], of), columns))


@inlined
def _copy_part(chunk, chunks, work, target, origin, columns):
    (out, out_width, to), (source, source_width, of) = target, origin
    begin, end = chunk_of(chunk, chunks, work)
    while begin < end:
        row = begin // columns
        k = begin - row * columns
        # Rows from their first number on go together, a part of one alone.
        rows = max(1, (end - begin) // columns) if k == 0 else 1
        count = min(columns - k, end - begin)
        move_rows(out, source, (row * out_width + to + k, row * source_width + of + k), (out_width, source_width),
                  (rows, count))
        begin += rows * count


@kernel
def pad2d(y, x, top, left):
    """Write `x` (N, H, W, C) into the middle of `y` (N, H', W', C) at (top, left), and zeros around it.

    Parameters
    ----------
    y : (N, H', W', C) array
        Written.
    x : (N, H, W, C) array
    top, left : int
        Rows and columns of zeros before it.
    """
    rows = y.shape[0] * y.shape[1]
    chunks = min(rows, chunks_for(y.size, 64))
    parallel(_pad_rows, chunks, (chunks, y, x, top, left))


@inlined
def _pad_rows(chunk, chunks, y, x, top, left):
    """Some rows of all images: what is zero between one row of an image and the next is cleared in one go."""
    n, height, width, c = y.shape
    h, w = x.shape[1], x.shape[2]
    to, of, across = y.reshape(-1), x.reshape(-1), width * c
    begin, end = chunk_of(chunk, chunks, n * height)
    image, i = begin // height, begin % height
    cleared = begin * across
    for row in range(begin, end):
        if top <= i < top + h:
            first = row * across + left * c
            clear(to, cleared, first - cleared)
            copy(to, first, of, (image * h + i - top) * w * c, w * c)
            cleared = first + w * c
        i += 1
        if i == height:
            image, i = image + 1, 0
    clear(to, cleared, end * across - cleared)
