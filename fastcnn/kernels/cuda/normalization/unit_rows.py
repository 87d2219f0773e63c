"""As the CPU's `unit_rows`, on CUDA: some lanes a row, for its length and to scale it."""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, load1
from fastcnn.kernels.cuda.rows import row_of, rows_plan, sum_of_row
from fastcnn.kernels.cuda.sums import added


@launcher
def unit_rows_forward(y, scale, x, epsilon, more):
    """Write y = scale x with scale = min(1 / sqrt(|x|^2 + more), 1 / epsilon) for each row, as the CPU's."""
    blocks, lanes = rows_plan(*x.shape)
    forward[blocks, THREADS](y, scale, x, *x.shape, lanes, epsilon, more)


@kernel
def forward(y: floats, scale: floats, x: floats, rows: i32, columns: i32, lanes: i32, epsilon: f32, more: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    total, rest = f32(0), f32(0)
    for k in range(at + lane, at + end, lanes):
        value = load1(x, k)
        total, rest = added(total, rest, value * value)
    length = f32(math.sqrt(sum_of_row(held, total, lane, lanes) + more))
    factor = f32(1) / (epsilon if length < epsilon else length)
    if row < rows and lane == 0:
        scale[row] = factor
    for k in range(at + lane, at + end, lanes):
        y[k] = factor * load1(x, k)


@launcher
def unit_rows_backward(dx, dy, y, scale, epsilon):
    """Write dx = scale (dy - y sum(dy y)) for each row; scale dy where the bound was met, as the CPU's."""
    blocks, lanes = rows_plan(*dx.shape)
    backward[blocks, THREADS](dx, dy, y, scale, *dx.shape, lanes, epsilon)


@kernel
def backward(dx: floats, dy: floats, y: floats, scale: floats, rows: i32, columns: i32, lanes: i32, epsilon: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    factor = load1(scale, row) if row < rows else f32(0)
    total, rest = f32(0), f32(0)
    for k in range(at + lane, at + end, lanes):
        total, rest = added(total, rest, load1(dy, k) * load1(y, k))
    total = sum_of_row(held, total, lane, lanes)
    total = total if factor < f32(1) / epsilon else f32(0)
    for k in range(at + lane, at + end, lanes):
        dx[k] = factor * (load1(dy, k) - load1(y, k) * total)
