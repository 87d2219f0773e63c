"""As the CPU's `softmax`, on CUDA: the lanes of a row read it three times, or forward and back, from the cache."""

from fastcnn.kernels.cuda.compile.kernel import THREADS, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, inlined, load1
from fastcnn.kernels.cuda.elementwise.elementary import exp_nonpositive, log
from fastcnn.kernels.cuda.rows import MINUS_INFINITY, larger, largest_of_row, row_of, rows_plan, sum_of_row
from fastcnn.kernels.cuda.sums import added


@launcher
def softmax_forward(y, x, log_of_it):
    """Write y[i, c] = exp(x[i, c]) / sum_k exp(x[i, k]), or its logarithm, as the CPU's."""
    blocks, lanes = rows_plan(*x.shape)
    forward[blocks, THREADS](y, x, *x.shape, lanes, int(log_of_it))


@kernel
def forward(y: floats, x: floats, rows: i32, columns: i32, lanes: i32, log_of_it: i32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    shift = largest_in(held, x, at, lane, lanes, end)
    total = sum_of_exponentials(held, x, at, lane, lanes, end, shift)
    factor, logarithm = f32(1) / total, log(total)
    for k in range(lane, end, lanes):
        value = load1(x, at + k) - shift
        y[at + k] = value - logarithm if log_of_it != 0 else exp_nonpositive(value) * factor


@inlined
def largest_in(held, x, at, lane, lanes, end):
    """Return the largest number of a row, or NaN."""
    best = MINUS_INFINITY
    for k in range(lane, end, lanes):
        best = larger(best, load1(x, at + k))
    return largest_of_row(held, best, lane, lanes)


@inlined
def sum_of_exponentials(held, x, at, lane, lanes, end, shift):
    """Return the sum of exp(x - shift) over a row."""
    total, rest = f32(0), f32(0)
    for k in range(lane, end, lanes):
        total, rest = added(total, rest, exp_nonpositive(load1(x, at + k) - shift))
    return sum_of_row(held, total, lane, lanes)


@launcher
def softmax_backward(dx, dy, y, log_of_it):
    """Write dx = y (dy - sum(dy y)) over each row, or dy - exp(y) sum(dy) of the logarithm, as the CPU's."""
    blocks, lanes = rows_plan(*dx.shape)
    backward[blocks, THREADS](dx, dy, y, *dx.shape, lanes, int(log_of_it))


@kernel
def backward(dx: floats, dy: floats, y: floats, rows: i32, columns: i32, lanes: i32, log_of_it: i32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    total, rest = f32(0), f32(0)
    for k in range(lane, end, lanes):
        gradient = load1(dy, at + k)
        total, rest = added(total, rest, gradient if log_of_it != 0 else gradient * load1(y, at + k))
    total = sum_of_row(held, total, lane, lanes)
    for k in range(lane, end, lanes):
        value, gradient = load1(y, at + k), load1(dy, at + k)
        dx[at + k] = gradient - exp_nonpositive(value) * total if log_of_it != 0 else value * (gradient - total)
