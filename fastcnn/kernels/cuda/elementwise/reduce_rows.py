"""As the CPU's `reduce_rows`, on CUDA: the largest or smallest number of each row, or the product of its numbers."""

from fastcnn.kernels.cuda.compile.kernel import THREADS, blocks_for, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, inlined, load1
from fastcnn.kernels.cuda.rows import MINUS_INFINITY, larger, largest_of_row, row_of, rows_plan, sum_of_row
from fastcnn.kernels.tensor_codes import LARGEST, ROW_PRODUCT


@launcher
def reduce_rows_forward(y, x, code):
    """Write a number for each row, as the CPU's."""
    if code == ROW_PRODUCT:
        products[blocks_for(y.size), THREADS](y, x, *x.shape)
    else:
        blocks, lanes = rows_plan(*x.shape)
        extremes[blocks, THREADS](y, x, *x.shape, lanes, 1.0 if code == LARGEST else -1.0)


@kernel
def extremes(y: floats, x: floats, rows: i32, columns: i32, lanes: i32, sign: f32):
    """Some lanes a row; a NaN is larger, and smaller, than all others."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    best = MINUS_INFINITY
    for k in range(lane, end, lanes):
        best = larger(best, sign * load1(x, i32(row * columns) + k))
    best = largest_of_row(held, best, lane, lanes)
    if row < rows and lane == 0:
        y[row] = sign * best


@kernel
def products(y: floats, x: floats, rows: i32, columns: i32):
    """A thread a row."""
    for row in range(cuda.grid(1), rows, cuda.gridsize(1)):
        product = f32(1)
        for k in range(columns):
            product *= load1(x, i32(row * columns) + k)
        y[row] = product


@launcher
def reduce_rows_backward(dx, dy, x, y, code):
    """Write the gradients of rows: equal numbers share that of a largest or smallest, as the CPU's."""
    if code == ROW_PRODUCT:
        products_backward[blocks_for(dy.size), THREADS](dx, dy, x, *x.shape)
    else:
        blocks, lanes = rows_plan(*x.shape)
        extremes_backward[blocks, THREADS](dx, dy, x, y, *x.shape, lanes)


@inlined
def _count(x, at, best, lane, end, lanes):
    """Return how many numbers of a lane are the row's best."""
    count = f32(0)
    for k in range(lane, end, lanes):
        count += f32(1) if load1(x, at + k) == best else f32(0)
    return count


@kernel
def extremes_backward(dx: floats, dy: floats, x: floats, y: floats, rows: i32, columns: i32, lanes: i32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at, best = i32(row * columns), load1(y, row) if row < rows else f32(0)
    count = sum_of_row(held, _count(x, at, best, lane, end, lanes), lane, lanes)
    share = load1(dy, row) / count if row < rows else f32(0)
    for k in range(lane, end, lanes):
        dx[at + k] = share if load1(x, at + k) == best else f32(0)


@kernel
def products_backward(dx: floats, dy: floats, x: floats, rows: i32, columns: i32):
    """A thread a row: dx is dy times those before, which a first walk leaves there, and those after."""
    for row in range(cuda.grid(1), rows, cuda.gridsize(1)):
        at, before, after = i32(row * columns), f32(1), load1(dy, row)
        for k in range(columns):
            dx[at + k] = before
            before *= load1(x, at + k)
        for k in range(columns - 1, -1, -1):
            dx[at + k] = load1(dx, at + k) * after
            after *= load1(x, at + k)
