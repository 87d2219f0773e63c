"""Mean and variance down the columns of (rows, C), in one pass over memory and without cancellation.

The rows are cut into chunks of 128 KB or more, a chunk into blocks of 64 long rows. A *long row* is one row, or with
few channels so many that vectors are filled (`long_row`), whose sums are folded at the end of the chunk. In a block

    shift = mean of its first 8 long rows,   S = sum of x - shift,   Q = sum of (x - shift)^2
    mean = shift + S / n,                    squared distances = Q - S^2 / n

Every mean is made as one of the numbers plus the mean of the distances from it, so that of equal numbers the mean is
that number and the variance zero, exactly.

The shift is the mean of an eighth of the block, so its distance from the block's mean is at most sqrt(7) standard
deviations, and of Q no more than three bits cancel, whatever the numbers. Blocks and chunks are merged in order
(Chan, Golub and LeVeque, 1983, equation 2.1b), so the bits depend on no thread.

      x      | 8 long rows | 56 long rows ...  | next block    L1/L2: a block, 64 KB with 256 columns; only its first
      shift  |   --------> |                   |                      8 long rows are read twice
      S, Q   |                        -------> |               L1: five long rows a chunk
      mean, squared distances of the chunk     <- merge        scratch: these two stay until all chunks are done
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined
from fastcnn.kernels.cpu.simd.columns import Rows, column_moments
from fastcnn.kernels.cpu.simd.short import number

_BLOCK, _SHIFT = 64, 8  # long rows
PARTS = 5  # long rows of scratch a chunk


@inlined
def long_row(c):
    """Return the length of a long row: C, or so many times C that vectors are filled."""
    return c * max(1, 256 // max(1, c))


@inlined
def chunks_of(rows, c):
    """Return the number of chunks: 128 KB of float32 each, or more if that is no block or there are more than 32 MB.

    It is even, so that two threads have as many each.
    """
    chunks = max(1, min(chunks_for(rows * c, 256), rows * c // (_BLOCK * long_row(c))))
    return chunks - (chunks % 2 if chunks > 1 else 0)


@inlined
def part(scratch, chunk, index, length):
    """Return long row `index` of a chunk's scratch."""
    begin = (PARTS * chunk + index) * length
    return scratch[begin:begin + length]


@inlined
def statistics(chunk, chunks, scratch, x, rows, c):
    """Write a chunk's means, and its sums of squared distances from them, into the first C of its parts 0 and 1."""
    begin, end = chunk_of(chunk, chunks, rows)
    lanes = long_row(c)
    each = lanes // max(1, c)
    long = (end - begin) // each
    mean, distances = part(scratch, chunk, 0, lanes), part(scratch, chunk, 1, lanes)
    block = part(scratch, chunk, 2, lanes), part(scratch, chunk, 3, lanes), part(scratch, chunk, 4, lanes)
    for k in range(lanes):
        mean[k] = distances[k] = 0
    for first in range(0, long, _BLOCK):
        count = min(_BLOCK, long - first)
        _moments(block, x, begin * c + first * lanes, count, lanes)
        _merge(mean, distances, first, block, count, lanes)
    _fold(mean, distances, block[2], long, lanes, c)
    tail = end - begin - long * each
    if tail > 0:
        _moments(block, x, (begin + long * each) * c, tail, c)
        _merge(mean, distances, long * each, block, tail, c)


@inlined(exact=True)
def _moments(block, x, at, count, lanes):
    """Write means and squared distances of a block into the first two of its three arrays."""
    sums, squares, shift = block
    for k in range(lanes):
        shift[k] = number(x, at + k)
        sums[k] = squares[k] = 0
    some = min(_SHIFT, count)
    column_moments(block, x, Rows(at, some, lanes))
    # A quotient of float32 vectors may be an estimate of the CPU's; these, of one row say, must be exact.
    real = sums.dtype.type
    share, all_of_it = real(1.0 / some), real(1.0 / count)
    for k in range(lanes):
        shift[k] += sums[k] * share
        sums[k] = squares[k] = 0
    column_moments(block, x, Rows(at, count, lanes))
    for k in range(lanes):
        mean = sums[k] * all_of_it
        squares[k] -= sums[k] * mean
        sums[k] = shift[k] + mean


@inlined(exact=True)
def _merge(mean, distances, before, block, count, lanes):
    """Merge a block of `count` rows into the statistics of `before` rows."""
    real = mean.dtype.type
    share = real(count / (before + count))
    weight = share * real(before)
    means, squares, _ = block
    for k in range(lanes):
        delta = means[k] - mean[k]
        mean[k] += delta * share
        distances[k] += squares[k] + delta * delta * weight


@inlined(exact=True)
def _fold(mean, distances, whole, count, lanes, c):
    """Merge the statistics of all lanes of a channel, each of `count` numbers, into its first; `whole` is scratch."""
    real = mean.dtype.type
    many, share = real(count), real(c / max(1, lanes))
    for k in range(c):
        whole[k] = 0
    for begin in range(c, lanes, c):
        other = mean[begin:begin + c]
        for k in range(c):
            whole[k] += other[k] - mean[k]
    for k in range(c):
        whole[k] = mean[k] + whole[k] * share
        distances[k] += many * (mean[k] - whole[k]) * (mean[k] - whole[k])
        mean[k] = whole[k]
    for begin in range(c, lanes, c):
        other, squares = mean[begin:begin + c], distances[begin:begin + c]
        for k in range(c):
            distances[k] += squares[k] + many * (other[k] - whole[k]) * (other[k] - whole[k])


@inlined
def merge_chunks(scratch, chunks, rows, c):
    """Merge the chunks into the first: means into its part 0, sums of squared distances into its part 1."""
    lanes = long_row(c)
    mean, distances = part(scratch, 0, 0, lanes), part(scratch, 0, 1, lanes)
    for chunk in range(1, chunks):
        begin, end = chunk_of(chunk, chunks, rows)
        block = part(scratch, chunk, 0, lanes), part(scratch, chunk, 1, lanes), part(scratch, chunk, 2, lanes)
        _merge(mean, distances, begin, block, end - begin, c)
    return mean, distances
