"""Softmax and its logarithm over the last axis. ONNX: Softmax, LogSoftmax.

As many rows as L1 holds go through three passes; to the exponential, many short rows are one long run of vectors::

    x, rows of 4096 numbers in all     L1, the same memory three times                            registers
    | x00 x01 ..  | row 0  --->  | x - largest of the row | --exp--> | e | --/ sum--> y           a vector of x, and
    | x10 x11 ..  | row 1                                                                         the polynomial's
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.elementary import as_ordered, exp_nonpositive, from_ordered, log, minus_both
from fastcnn.kernels.cpu.simd.sums import row_product, row_sum

_BLOCK = 4096  # elements that stay in L1 between the three passes over them
_COST = 4  # what an exponential takes, in plain elements of work


@kernel
def softmax_forward(y, x, log_of_it):
    """Write y[i, c] = exp(x[i, c]) / sum_k exp(x[i, k]), or its logarithm, after subtracting the largest x of the row.

    Parameters
    ----------
    y : (rows, classes) array
        Written; fresh memory.
    x : (rows, classes) array
    log_of_it : bool
        Return the logarithm.
    """
    chunks = min(y.shape[0], chunks_for(_COST * y.size, 64))
    parallel(_softmax_chunk, chunks, (chunks, y, x, log_of_it))


@inlined
def _softmax_chunk(chunk, chunks, y, x, log_of_it):
    first, last = chunk_of(chunk, chunks, y.shape[0])
    rows = max(1, _BLOCK // y.shape[1])
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        _softmax_rows(y[begin:end], x[begin:end], log_of_it)


@inlined
def _softmax_rows(y, x, log_of_it):
    rows, classes = y.shape
    one = y.dtype.type(1)
    for i in range(rows):
        shift = largest(x[i])
        for j in range(classes):
            y[i, j] = x[i, j] - shift
    flat = y.reshape(-1)
    for j in range(flat.size):  # many short rows are one long vector to the exponential
        flat[j] = exp_nonpositive(flat[j])
    for i in range(rows):
        total = y.dtype.type(row_sum(y[i]))
        if log_of_it:
            shift, logarithm = largest(x[i]), log(total)
            for j in range(classes):
                y[i, j] = minus_both(x[i, j], shift, logarithm)
        else:
            factor = one / total
            for j in range(classes):
                y[i, j] *= factor


@inlined
def largest(row):
    """Return the largest element, or NaN; a NaN with its sign set is seen by the exponentials that follow.

    As integers in the same order, since a maximum of floating numbers with NaN among them does not become vectors.
    """
    best = as_ordered(row[0])
    for j in range(1, row.size):
        best = max(best, as_ordered(row[j]))
    return from_ordered(best)


@kernel
def softmax_backward(dx, dy, y, log_of_it):
    """Write dx = y (dy - sum(dy y)) over each row, or dy - exp(y) sum(dy) where y is the logarithm of the softmax.

    Parameters
    ----------
    dx : (rows, classes) array
        Written; fresh memory.
    dy, y : (rows, classes) arrays
        The gradient, and what the forward pass wrote.
    log_of_it : bool
        As in the forward pass.
    """
    chunks = min(dx.shape[0], chunks_for(dx.size, 64))
    parallel(_softmax_backward_rows, chunks, (chunks, dx, dy, y, log_of_it))


@inlined
def _softmax_backward_rows(chunk, chunks, dx, dy, y, log_of_it):
    begin, end = chunk_of(chunk, chunks, dx.shape[0])
    for i in range(begin, end):
        out, gradient, value = dx[i], dy[i], y[i]
        real = dx.dtype.type
        if log_of_it:
            total = real(row_sum(gradient))
            for j in range(out.size):
                out[j] = gradient[j] - exp_nonpositive(value[j]) * total
        else:
            total = real(row_product(gradient, value))
            for j in range(out.size):
                out[j] = value[j] * (gradient[j] - total)
