"""As the CPU's losses of `rows`, on CUDA: losses of a row as a whole, whose formulas its table tells, and means."""

import math

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cuda.compile.kernel import THREADS, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, inlined, load1
from fastcnn.kernels.cuda.rows import MINUS_INFINITY, larger, largest_of_row, row_of, rows_plan, sum_of_row
from fastcnn.kernels.cuda.sums import added

_ZERO, _ONE, _SHORTEST = f32(0), f32(1), f32(1e-12)  # length below which a vector is not made longer, as in Keras


@launcher
def row_loss(losses, dx, x, targets, weights, code, a, b, c, scale):
    """Write a loss for each row, and scale times its gradient, as the CPU's."""
    blocks, lanes = rows_plan(*x.shape)
    arrays, numbers = (losses, dx, x, targets, weights), (*x.shape, lanes, dx.size, weights.size)
    if code == codes.COSINE:
        cosine[blocks, THREADS](*arrays, *numbers, scale)
    elif code == codes.CATEGORICAL_HINGE:
        categorical_hinge[blocks, THREADS](*arrays, *numbers, scale)
    else:
        tversky[blocks, THREADS](*arrays, *numbers, a, b, c, scale)


@inlined
def _sum_of_products(held, x, y, at, lane, lanes, end):
    """Return sum(x y) over a row."""
    total, rest = _ZERO, _ZERO
    for k in range(at + lane, at + end, lanes):
        total, rest = added(total, rest, load1(x, k) * load1(y, k))
    return sum_of_row(held, total, lane, lanes)


@inlined
def _sum_in(held, x, at, lane, lanes, end):
    """Return sum(x) over a row."""
    total, rest = _ZERO, _ZERO
    for k in range(at + lane, at + end, lanes):
        total, rest = added(total, rest, load1(x, k))
    return sum_of_row(held, total, lane, lanes)


@kernel
def cosine(losses: floats, dx: floats, x: floats, targets: floats, weights: floats, rows: i32, columns: i32, lanes: i32,
           wants_gradient: i32, weighted: i32, scale: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    along = _sum_of_products(held, x, targets, at, lane, lanes, end)
    length = f32(math.sqrt(_sum_of_products(held, x, x, at, lane, lanes, end)))
    wanted = f32(math.sqrt(_sum_of_products(held, targets, targets, at, lane, lanes, end)))
    if row < rows:
        weight = load1(weights, row) if weighted != 0 else _ONE
        long = length > _SHORTEST
        length, wanted = length if long else _SHORTEST, wanted if wanted > _SHORTEST else _SHORTEST
        unit = _ONE / (wanted * length)
        loss = -along * unit
        if lane == 0:
            losses[row] = weight * loss
        of_t = -scale * weight * unit
        of_x = -scale * weight * loss / (length * length) if long else _ZERO
        for k in range(at + lane, at + end, lanes):
            if wants_gradient != 0:
                dx[k] = of_t * load1(targets, k) + of_x * load1(x, k)


@kernel
def categorical_hinge(losses: floats, dx: floats, x: floats, targets: floats, weights: floats, rows: i32, columns: i32,
                      lanes: i32, wants_gradient: i32, weighted: i32, scale: f32):
    """Some lanes a row; the first of equally wrong classes is the worst."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    along = _sum_of_products(held, x, targets, at, lane, lanes, end)
    worst, first = MINUS_INFINITY, MINUS_INFINITY
    for k in range(lane, end, lanes):
        wrong = (_ONE - load1(targets, at + k)) * load1(x, at + k)
        first = first if larger(worst, wrong) == worst else f32(-k)
        worst = larger(worst, wrong)
    most = largest_of_row(held, worst, lane, lanes)
    first = largest_of_row(held, first if worst == most or worst != worst else MINUS_INFINITY, lane, lanes)
    if row < rows:
        weight, loss = load1(weights, row) if weighted != 0 else _ONE, most - along + _ONE
        loss = _ZERO if loss <= _ZERO else loss
        if lane == 0:
            losses[row] = weight * loss
        factor = _ZERO if loss == _ZERO else scale * weight
        for k in range(lane, end, lanes):
            if wants_gradient != 0:
                t = load1(targets, at + k)
                dx[at + k] = factor * (_ONE - t) - factor * t if f32(-k) == first else -factor * t


@kernel
def tversky(losses: floats, dx: floats, x: floats, targets: floats, weights: floats, rows: i32, columns: i32,
            lanes: i32, wants_gradient: i32, weighted: i32, a: f32, b: f32, c: f32, scale: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    both = _sum_of_products(held, x, targets, at, lane, lanes, end)
    wanted, got = _sum_in(held, targets, at, lane, lanes, end), _sum_in(held, x, at, lane, lanes, end)
    whole = both + a * (wanted - both) + b * (got - both) + c
    if row < rows:
        weight = load1(weights, row) if weighted != 0 else _ONE
        if lane == 0:
            losses[row] = weight * (_ONE - both / whole)
        factor = scale * weight / (whole * whole)
        of_t, constant = -factor * (whole - both * (_ONE - a - b)), factor * both * b
        for k in range(at + lane, at + end, lanes):
            if wants_gradient != 0:
                dx[k] = of_t * load1(targets, k) + constant


@launcher
def fold_losses(losses, values, factor):
    """Write factor times the mean over each row: the loss of a sample from those of its positions, as the CPU's."""
    blocks, lanes = rows_plan(*values.shape)
    means[blocks, THREADS](losses, values, *values.shape, lanes, factor / max(1, values.shape[1]))


@kernel
def means(losses: floats, values: floats, rows: i32, columns: i32, lanes: i32, factor: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    total = _sum_in(held, values, i32(row * columns), lane, lanes, end)
    if row < rows and lane == 0:
        losses[row] = factor * total
