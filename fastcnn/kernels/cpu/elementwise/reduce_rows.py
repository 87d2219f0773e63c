"""The largest or smallest number of each row, or the product of its numbers. ONNX: ReduceMax, ReduceMin, ReduceProd.

::

    x | row of n numbers |   -->   y | number |        dx | dy at the largest | 0 | .. |, shared where several are equal
      | row of n numbers |           | number |

A row with a NaN has none larger: its result is NaN.
"""

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.tensor_codes import LARGEST, ROW_PRODUCT


@kernel
def reduce_rows_forward(y, x, code):
    """Write a number for each row.

    Parameters
    ----------
    y : (rows,) array
        Written.
    x : (rows, columns) array
        At least one column, but for ROW_PRODUCT, of which an empty row has 1.
    code : int
        LARGEST, SMALLEST or ROW_PRODUCT of `fastcnn.kernels.tensor_codes`.
    """
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_forward_rows, chunks, (chunks, y, x, code))


@inlined
def _forward_rows(chunk, chunks, y, x, code):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    for i in range(begin, end):
        y[i] = _reduced(x[i], code)


@inlined(exact=True)
def _reduced(row, code):
    if code == ROW_PRODUCT:
        product = row.dtype.type(1)
        for j in range(row.size):
            product *= row[j]
        return product
    best = row[0]
    if code == LARGEST:
        for j in range(1, row.size):
            best = row[j] if row[j] > best or row[j] != row[j] else best
    else:
        for j in range(1, row.size):
            best = row[j] if row[j] < best or row[j] != row[j] else best
    return best


@kernel
def reduce_rows_backward(dx, dy, x, y, code):
    """Write the gradients of rows: equal numbers share that of a largest or smallest.

    Parameters
    ----------
    dx : (rows, columns) array
        Written; fresh memory.
    dy : (rows,) array
    x : (rows, columns) array
        The input.
    y : (rows,) array
        The output.
    code : int
        As in the forward pass.
    """
    chunks = min(dx.shape[0], chunks_for(dx.size, 64))
    parallel(_backward_rows, chunks, (chunks, dx, dy, x, y, code))


@inlined
def _backward_rows(chunk, chunks, dx, dy, x, y, code):
    begin, end = chunk_of(chunk, chunks, dx.shape[0])
    for i in range(begin, end):
        if code == ROW_PRODUCT:
            _product_backward(dx[i], dy[i], x[i])
        else:
            _chosen_backward(dx[i], dy[i], x[i], y[i])


@inlined(exact=True)
def _chosen_backward(dx, dy, x, y):
    count = dx.dtype.type(0)
    for j in range(x.size):
        count += x[j] == y
    share = dy / count
    for j in range(x.size):
        dx[j] = share if x[j] == y else dx.dtype.type(0)


@inlined(exact=True)
def _product_backward(dx, dy, x):
    """dx[j] is dy times all the others: those before it, which a first walk leaves there, and those after it."""
    before = dx.dtype.type(1)
    for j in range(x.size):
        dx[j] = before
        before *= x[j]
    after = dy
    for j in range(x.size - 1, -1, -1):
        dx[j] *= after
        after *= x[j]
