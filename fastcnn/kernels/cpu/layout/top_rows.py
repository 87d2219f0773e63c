"""The largest numbers of each row, and where they stand. ONNX: TopK, ArgMax.

The k best so far lie in order in the output itself; a number that is larger than the last of them moves in::

    x | row of n numbers |   -->   y  | largest | second | .. | k-th |      n steps, each of at most k moves
                                   at | where in the row each stands |
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel


@kernel
def top_rows_forward(y, at, x):
    """Write the largest numbers of each row in falling order and their columns; of equal ones the first comes first.

    NaN is larger than no number: it is taken only where a row has too few others.

    Parameters
    ----------
    y : (rows, k) array
        Written.
    at : (rows, k) array of the same type
        Written: the columns, which a float32 holds exactly up to 2^24.
    x : (rows, columns) array
        At least k columns.
    """
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_forward_rows, chunks, (chunks, y, at, x))


@inlined
def _forward_rows(chunk, chunks, y, at, x):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    k = y.shape[1]
    for i in range(begin, end):
        best, places, row = y[i], at[i], x[i]
        for j in range(row.size):
            value, place = row[j], min(j, k)
            while place > 0 and (value > best[place - 1] or best[place - 1] != best[place - 1]) and value == value:
                if place < k:
                    best[place], places[place] = best[place - 1], places[place - 1]
                place -= 1
            if place < k:
                best[place], places[place] = value, j


@kernel
def top_rows_backward(dx, dy, at):
    """Write dy at the columns it came from, 0 elsewhere.

    Parameters
    ----------
    dx : (rows, columns) array
        Written; fresh memory.
    dy, at : (rows, k) arrays
    """
    chunks = min(dx.shape[0], chunks_for(dx.size, 64))
    parallel(_backward_rows, chunks, (chunks, dx, dy, at))


@inlined
def _backward_rows(chunk, chunks, dx, dy, at):
    begin, end = chunk_of(chunk, chunks, dx.shape[0])
    for i in range(begin, end):
        out, gradient, places = dx[i], dy[i], at[i]
        for j in range(out.size):
            out[j] = 0
        for j in range(gradient.size):
            out[int(places[j])] = gradient[j]
