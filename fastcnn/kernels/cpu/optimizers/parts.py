"""What an optimizer does to each of several parameters that lie side by side in one flat array: norms and factors.

Part k is array[offsets[k]:offsets[k + 1]]. The array is cut into chunks by its size alone; where a chunk meets a part
there is a piece, and pieces are added in their order, in float64::

    parts     |    0    |  1  |          2           | 3 |
    chunks    |       0       |       1       |      2     |
    pieces     (0,0) (0,1)  (1,1)  (1,2)        (2,2)  (2,3)

The sum of piece (chunk, part) lies in scratch[chunk + part], which grows from each piece to the next.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel

_CHUNKS = 64


def squared_norms_scratch(parts, dtype):
    """Return how many float64 elements of scratch `squared_norms` wants for so many parts.

    Parameters
    ----------
    parts : int
    dtype : dtype
    """
    return _CHUNKS + parts


@kernel
def squared_norms(norms, scratch, array, offsets):
    """Write the sum of squares of each part, in float64.

    Parameters
    ----------
    norms : (parts,) float64 array
        Written.
    scratch : (squared_norms_scratch(parts, dtype),) float64 array
    array : (size,) array
    offsets : (parts + 1,) int64 array
        Where the parts begin, and `size`.
    """
    chunks = chunks_for(array.size, _CHUNKS)
    parallel(_squares_of_chunk, chunks, (chunks, scratch, array, offsets))
    for part in range(norms.size):
        norms[part] = 0.0
    for chunk in range(chunks):
        begin, end = chunk_of(chunk, chunks, array.size)
        for part in range(_part_at(offsets, begin), norms.size):
            if offsets[part] >= end:
                break
            norms[part] += scratch[chunk + part]


@inlined
def _part_at(offsets, position):
    """Return the last part that begins at or before a position."""
    low, high = 0, offsets.size - 1
    while high - low > 1:
        middle = (low + high) // 2
        if offsets[middle] <= position:
            low = middle
        else:
            high = middle
    return low


@inlined
def _squares_of_chunk(chunk, chunks, sums, array, offsets):
    begin, end = chunk_of(chunk, chunks, array.size)
    for part in range(_part_at(offsets, begin), offsets.size - 1):
        if offsets[part] >= end:
            break
        piece, total = array[max(begin, offsets[part]):min(end, offsets[part + 1])], 0.0
        for i in range(piece.size):
            total += np.float64(piece[i]) * np.float64(piece[i])
        sums[chunk + part] = total


@kernel
def scale_parts(array, factors, offsets, limit):
    """Multiply each part by its factor, in float64, and cut the result to [-limit, limit].

    Parameters
    ----------
    array : (size,) array
        Changed.
    factors : (parts,) float64 array
    offsets : (parts + 1,) int64 array
        Where the parts begin, and `size`.
    limit : float
        Infinity for none.
    """
    chunks = chunks_for(array.size, _CHUNKS)
    parallel(_scale_chunk, chunks, (chunks, array, factors, offsets, limit))


@inlined
def _scale_chunk(chunk, chunks, array, factors, offsets, limit):
    begin, end = chunk_of(chunk, chunks, array.size)
    for part in range(_part_at(offsets, begin), factors.size):
        if offsets[part] >= end:
            break
        piece, factor = array[max(begin, offsets[part]):min(end, offsets[part + 1])], factors[part]
        for i in range(piece.size):
            x = np.float64(piece[i]) * factor
            x = limit if x > limit else x
            piece[i] = -limit if x < -limit else x


@kernel
def moving_average(average, values, share):
    """Move an average towards values: average <- average + (values - average) share.

    Parameters
    ----------
    average : (size,) array
        Changed; with a share of 1 it becomes `values`, whatever it was.
    values : (size,) array
    share : float
    """
    chunks = chunks_for(values.size, _CHUNKS)
    parallel(_average_chunk, chunks, (chunks, average, values, share))


@inlined(exact=True)
def _average_chunk(chunk, chunks, average, values, share):
    begin, end = chunk_of(chunk, chunks, values.size)
    out, x, part = average[begin:end], values[begin:end], values.dtype.type(share)
    if share == 1:
        for i in range(out.size):
            out[i] = x[i]
    else:
        for i in range(out.size):
            out[i] = out[i] + (x[i] - out[i]) * part
