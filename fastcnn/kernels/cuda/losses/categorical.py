"""As the CPU's losses of `categorical`, on CUDA: cross-entropy of probabilities, which are divided by their sum."""

import math

from fastcnn.kernels.cuda.compile.kernel import THREADS, kernel, launcher
from fastcnn.kernels.cuda.compile.pointers import floats, int64s
from fastcnn.kernels.cuda.compile.shim import cuda, f32, i32, inlined, load1
from fastcnn.kernels.cuda.elementwise.elementary import log, power
from fastcnn.kernels.cuda.losses.formulas import clip, clips
from fastcnn.kernels.cuda.rows import row_of, rows_plan, sum_of_row
from fastcnn.kernels.cuda.sums import added

_ZERO, _ONE, _NAN = f32(0), f32(1), f32(math.nan)


@inlined
def _sum_in(held, x, at, lane, lanes, end):
    """Return the sum of a row."""
    total, rest = f32(0), f32(0)
    for k in range(lane, end, lanes):
        total, rest = added(total, rest, load1(x, at + k))
    return sum_of_row(held, total, lane, lanes)


@launcher
def sparse_categorical_crossentropy(losses, dx, x, labels, weights, scale):
    """Cross-entropy of probabilities against a class a row, as the CPU's."""
    blocks, lanes = rows_plan(*x.shape)
    sparse[blocks, THREADS](losses, dx, x, weights, labels, *x.shape, lanes, dx.size, weights.size, scale)


@kernel
def sparse(losses: floats, dx: floats, x: floats, weights: floats, labels: int64s, rows: i32, columns: i32, lanes: i32,
           wants_gradient: i32, weighted: i32, scale: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    total = _sum_in(held, x, at, lane, lanes, end)
    if row < rows:
        label, weight = load1(labels, row), load1(weights, row) if weighted != 0 else _ONE
        known, skipped = label >= 0 and label < columns, weight == _ZERO
        q = load1(x, at + i32(label)) / total if known else _NAN
        if lane == 0:
            losses[row] = _ZERO if skipped else -weight * log(clip(q))
        slope = _ZERO if skipped or clips(q) else weight * scale / total
        at_label = _ZERO if skipped or clips(q) else slope / q
        for k in range(lane, end, lanes):
            if wants_gradient != 0:
                gradient = slope - (at_label if k == label else _ZERO)
                dx[at + k] = gradient if known or skipped else _NAN


@launcher
def categorical_crossentropy(losses, dx, x, targets, weights, gamma, scale):
    """Cross-entropy of probabilities against a distribution a row, or with gamma > 0 the focal loss, as the CPU's."""
    blocks, lanes = rows_plan(*x.shape)
    distributed[blocks, THREADS](losses, dx, x, targets, weights, *x.shape, lanes, dx.size, weights.size, gamma, scale)


@kernel
def distributed(losses: floats, dx: floats, x: floats, targets: floats, weights: floats, rows: i32, columns: i32,
                lanes: i32, wants_gradient: i32, weighted: i32, gamma: f32, scale: f32):
    """Some lanes a row."""
    held = cuda.shared.array(THREADS, f32)
    row, lane, end = row_of(rows, columns, lanes)
    at = i32(row * columns)
    total = _sum_in(held, x, at, lane, lanes, end)
    loss, loss_rest, along, along_rest = _ZERO, _ZERO, _ZERO, _ZERO
    for k in range(lane, end, lanes):
        q, t = load1(x, at + k) / total, load1(targets, at + k)
        p = clip(q)
        missing = power(_ONE - p, gamma) if gamma > _ZERO else _ONE
        loss, loss_rest = added(loss, loss_rest, -(t * missing * log(p)))
        along, along_rest = added(along, along_rest, _along(q, t, gamma))
    loss, along = sum_of_row(held, loss, lane, lanes), sum_of_row(held, along, lane, lanes)
    if row < rows:
        weight = load1(weights, row) if weighted != 0 else _ONE
        if lane == 0:
            losses[row] = weight * loss
        factor = weight * scale / total
        for k in range(lane, end, lanes):
            if wants_gradient != 0:
                q, t = load1(x, at + k) / total, load1(targets, at + k)
                dx[at + k] = factor * (_slope(q, t, gamma) - along)


@inlined
def _slope(q, t, gamma):
    """The derivative of -t (1 - p)^gamma log(p) by q, p = clip(q)."""
    if clips(q):
        return _ZERO
    if gamma > _ZERO:
        before = power(_ONE - q, gamma - _ONE)
        return t * before * (gamma * log(q) - (_ONE - q) / q)
    return -t / q


@inlined
def _along(q, t, gamma):
    """q times the slope; without gamma it is -t, whatever q is."""
    if gamma > _ZERO:
        return q * _slope(q, t, gamma)
    return _ZERO if clips(q) else -t
