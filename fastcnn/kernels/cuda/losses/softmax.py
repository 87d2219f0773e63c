"""As the CPU's losses of `softmax`, on CUDA: with p = softmax(x),

L = log(sum exp(x - max)) sum(t) - sum(t (x - max)),      dL/dx = p sum(t) - t
"""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats, int64s
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, load1
from fastcnn.kernels.cuda.elementwise.elementary import exp_nonpositive, log
from fastcnn.kernels.cuda.elementwise.softmax import largest_in, sum_of_exponentials
from fastcnn.kernels.cuda.rows import row_of, rows_plan, sum_of_row
from fastcnn.kernels.cuda.sums import added

_NAN = f32(math.nan)


@launcher
def softmax_sparse_categorical_crossentropy(losses, dx, probabilities, x, labels, weights, scale):
    """Cross-entropy of softmax(x) against a class a row, as the CPU's."""
    blocks, lanes = rows_plan(*x.shape)
    sparse[blocks, THREADS](losses, dx, probabilities, x, weights, labels, *x.shape, lanes, dx.size, probabilities.size,
                            weights.size, scale)


@kernel
def sparse(losses: floats, dx: floats, probabilities: floats, x: floats, weights: floats, labels: int64s, rows: i32,
           columns: i32, lanes: i32, wants_gradient: i32, wants_probabilities: i32, weighted: i32, scale: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    shift = largest_in(held, x, at, lane, lanes, end)
    total = sum_of_exponentials(held, x, at, lane, lanes, end, shift)
    if row < rows:
        label, weight = load1(labels, row), load1(weights, row) if weighted != 0 else f32(1)
        known, skipped = label >= 0 and label < columns, weight == f32(0)
        if lane == 0:
            loss = weight * (log(total) + (shift - load1(x, at + i32(label)))) if known else _NAN
            losses[row] = f32(0) if skipped else loss
        share, inverse = weight * scale, f32(1) / total
        factor = share * inverse if known or skipped else _NAN
        for k in range(lane, end, lanes):
            exponential = exp_nonpositive(load1(x, at + k) - shift)
            if wants_gradient != 0:
                dx[at + k] = factor * exponential - (share if k == label else f32(0))
            if wants_probabilities != 0:
                probabilities[at + k] = exponential * inverse


@launcher
def softmax_categorical_crossentropy(losses, dx, probabilities, x, targets, weights, scale):
    """Cross-entropy of softmax(x) against a distribution a row, as the CPU's."""
    blocks, lanes = rows_plan(*x.shape)
    distributed[blocks, THREADS](losses, dx, probabilities, x, targets, weights, *x.shape, lanes, dx.size,
                                 probabilities.size, weights.size, scale)


@kernel
def distributed(losses: floats, dx: floats, probabilities: floats, x: floats, targets: floats, weights: floats,
                rows: i32, columns: i32, lanes: i32, wants_gradient: i32, wants_probabilities: i32, weighted: i32,
                scale: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    shift = largest_in(held, x, at, lane, lanes, end)
    total = sum_of_exponentials(held, x, at, lane, lanes, end, shift)
    whole, whole_rest, along, along_rest = f32(0), f32(0), f32(0), f32(0)
    for k in range(lane, end, lanes):
        target, place = load1(targets, at + k), load1(x, at + k) - shift
        whole, whole_rest = added(whole, whole_rest, target)
        product = f32(0) if target == f32(0) else target * place  # a masked one is at -inf
        along, along_rest = added(along, along_rest, product)
    whole, along = sum_of_row(held, whole, lane, lanes), sum_of_row(held, along, lane, lanes)
    if row < rows:
        weight = load1(weights, row) if weighted != 0 else f32(1)
        if lane == 0:
            losses[row] = weight * (log(total) * whole - along)
        share, inverse = weight * scale, f32(1) / total
        for k in range(lane, end, lanes):
            exponential = exp_nonpositive(load1(x, at + k) - shift)
            if wants_gradient != 0:
                dx[at + k] = share * whole * inverse * exponential - share * load1(targets, at + k)
            if wants_probabilities != 0:
                probabilities[at + k] = exponential * inverse
