"""Softmax and cross-entropy in one kernel: losses, gradient of the logits and probabilities in one pass over them.

ONNX: SoftmaxCrossEntropyLoss and its gradient. With a row x of C logits, its target t (a class, or C numbers)::

    p = softmax(x)
    L = log(sum_k exp(x_k)) T - sum_k t_k x_k,   T = sum_k t_k       (1 for a class)
    dL/dx_k = p_k T - t_k

Each kernel writes one loss a row, ``scale dL/dx`` into `dx`, both times the weight of the row, and p into
`probabilities`; either may have the shape (0, C) where nobody wants it. Nothing is clipped: L comes from the logits
and is exact where p underflows.

    x       |--- rows of C, 16 KB of them ---|       read twice, the second time from L1
    work    |--- exp(x - largest of its row) |       one long vector to the exponential, however short the rows are
    dx, p   |--- both from the work in L1 ---|       `work` is the memory of one of them
    losses  | |                                      holds the row's largest logit until its loss is known
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.elementwise.softmax import largest
from fastcnn.kernels.cpu.simd.elementary import as_ordered, exp_nonpositive, from_ordered, log, plus_gap, times
from fastcnn.kernels.cpu.simd.sums import BLOCK, row_sum

_BLOCK = 4096  # elements that stay in L1 between the passes over them
_FEW = 8  # classes, of which a vector of one row is mostly empty
_COST = 4  # what an exponential takes, in plain elements of work


@kernel
def softmax_sparse_categorical_crossentropy(losses, dx, probabilities, x, labels, weights, scale):
    """Cross-entropy of softmax(x) against a class a row. A label outside 0..C-1 gives a loss and gradients of NaN.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx, probabilities : (N, C) or (0, C) arrays
        Written.
    x : (N, C) array
        Logits.
    labels : (N,) int64 array
    weights : (N,) or (0,) array
        A factor for each row, or none; where it is 0 so are loss and gradients, whatever the label.
    scale : float
        What the gradients are multiplied with, 1 / N for the mean loss.
    """
    chunks = min(x.shape[0], chunks_for(_COST * x.size, 64))
    parallel(_sparse_rows, chunks, (chunks, (losses, dx, probabilities), x, labels, weights, scale))


@inlined
def _sparse_rows(chunk, chunks, outputs, x, labels, weights, scale):
    losses, dx, probabilities = outputs
    first, last = chunk_of(chunk, chunks, x.shape[0])
    real, classes = x.dtype.type, x.shape[1]
    rows = max(1, _BLOCK // classes)
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        work = _work(dx, probabilities, begin, end)
        if classes == 2 and dx.size > 0 and weights.size == 0:
            _two_classes((losses[begin:end], dx[begin:end].reshape(-1)), work.reshape(-1), x[begin:end].reshape(-1),
                         labels[begin:end], scale)
            continue
        if classes <= _FEW and dx.size > 0:
            _few_classes((losses[begin:end], dx[begin:end].reshape(-1)), work.reshape(-1), x[begin:end].reshape(-1),
                         (labels[begin:end], weights[begin:end] if weights.size > 0 else weights), scale, classes)
            continue
        _exponentials(work, losses, x, begin, end)
        for i in range(begin, end):
            exponentials = work[i - begin] if work.size > 0 else work.reshape(-1)
            total = _total(exponentials, x[i], losses[i])
            label = labels[i]
            weight = weights[i] if weights.size > 0 else real(1)
            known, skipped = 0 <= label < classes, weight == real(0)
            loss = weight * plus_gap(log(total), losses[i], x[i, label]) if known else real(np.nan)
            losses[i] = real(0) if skipped else loss
            if dx.size > 0:
                share = weight * real(scale)
                out, factor = dx[i], share / total if known or skipped else real(np.nan)
                if probabilities.size > 0:
                    for k in range(out.size):
                        out[k] = factor * exponentials[k]
                else:
                    _multiply(out, factor)
                if known:
                    out[label] -= share
            if probabilities.size > 0:
                _multiply(exponentials, real(1) / total)


@inlined
def _few_classes(outputs, work, x, targets, scale, classes):
    """As the loop over rows: a row of 2 numbers costs 15 ns in passes of its own, and here the logarithm is a vector.

    `x`, dx and `work`, which is dx or the probabilities, are flat.
    """
    (losses, dx), (labels, weights), real = outputs, targets, x.dtype.type
    for i in range(losses.size):
        at = np.uintp(i * classes)
        shift = _largest_of_few(x, at, classes)
        for k in range(np.uintp(classes)):
            work[at + k] = x[at + k] - shift
    for k in range(work.size):
        work[k] = exp_nonpositive(work[k])
    keeps = work.ctypes.data != dx.ctypes.data
    for i in range(losses.size):
        at, label, total = np.uintp(i * classes), labels[i], real(0)
        for k in range(np.uintp(classes)):
            total += work[at + k]
        losses[i] = total
        share = (weights[i] if weights.size > 0 else real(1)) * real(scale)
        known = 0 <= label < classes or (weights.size > 0 and weights[i] == real(0))
        inverse = real(1) / total
        factor = times(share, inverse) if known else real(np.nan)
        for k in range(np.uintp(classes)):
            dx[at + k] = factor * work[at + k]
            if keeps:
                work[at + k] *= inverse
    for i in range(losses.size):
        losses[i] = log(losses[i])
    for i in range(losses.size):
        at, label = np.uintp(i * classes), labels[i]
        weight = weights[i] if weights.size > 0 else real(1)
        loss = real(np.nan)
        if 0 <= label < classes:
            loss = weight * plus_gap(losses[i], _largest_of_few(x, at, classes), x[at + np.uintp(label)])
            # Not above, where the loop decides whether product and difference are rounded at once.
            dx[at + np.uintp(label)] -= weight * real(scale)
        losses[i] = real(0) if weight == real(0) else loss


@inlined
def _two_classes(outputs, work, x, labels, scale):
    """As `_few_classes`, of rows of two without weights: each of its loops is one over vectors of rows."""
    (losses, dx), real = outputs, x.dtype.type
    share, keeps = real(scale), work.ctypes.data != dx.ctypes.data
    for i in range(np.uintp(losses.size)):
        first, second = x[2 * i], x[2 * i + 1]
        shift = from_ordered(max(as_ordered(first), as_ordered(second)))
        work[2 * i] = first - shift
        work[2 * i + 1] = second - shift
    for k in range(work.size):
        work[k] = exp_nonpositive(work[k])
    for i in range(np.uintp(losses.size)):
        losses[i] = work[2 * i] + work[2 * i + 1]
    for i in range(np.uintp(losses.size)):
        factor = times(share, real(1) / losses[i])
        dx[2 * i] = factor * work[2 * i]
        dx[2 * i + 1] = factor * work[2 * i + 1]
    if keeps:
        for i in range(np.uintp(losses.size)):
            inverse = real(1) / losses[i]
            work[2 * i] *= inverse
            work[2 * i + 1] *= inverse
    for i in range(losses.size):
        losses[i] = log(losses[i])
    for i in range(np.uintp(losses.size)):
        first, second, label = x[2 * i], x[2 * i + 1], labels[i]
        largest_one = from_ordered(max(as_ordered(first), as_ordered(second)))
        losses[i] = plus_gap(losses[i], largest_one, first if label == 0 else second)
    for i in range(np.uintp(losses.size)):  # not above, where the loop decides whether both are rounded at once
        label = labels[i]
        dx[2 * i] -= share if label == 0 else real(0)
        dx[2 * i + 1] -= share if label == 1 else real(0)
    for i in range(losses.size):
        if not 0 <= labels[i] < 2:
            losses[i] = dx[2 * i] = dx[2 * i + 1] = real(np.nan)


@inlined(always=True)
def _largest_of_few(x, at, count):
    """Return the largest of some numbers, or NaN."""
    best = as_ordered(x[at])
    for k in range(np.uintp(1), np.uintp(count)):
        best = max(best, as_ordered(x[at + k]))
    return from_ordered(best)


@inlined
def _work(dx, probabilities, begin, end):
    """Return where the exponentials of a block of rows go: the memory that is written from them last, or none."""
    if probabilities.size > 0:
        return probabilities[begin:end]
    return dx[begin:end] if dx.size > 0 else dx


@inlined
def _exponentials(work, losses, x, begin, end):
    """Write exp(x - largest of the row) of a block of rows unless `work` has size 0, and the largest into `losses`."""
    for i in range(begin, end):
        row = x[i]
        shift = largest(row)
        losses[i] = shift
        if work.size > 0:
            out = work[i - begin]
            for k in range(row.size):
                out[k] = row[k] - shift
    flat = work.reshape(-1)
    for k in range(flat.size):
        flat[k] = exp_nonpositive(flat[k])


@inlined
def _total(exponentials, row, shift):
    """Return the sum of exp(row - shift), from the exponentials where they were kept."""
    total = 0.0
    if exponentials.size > 0:
        total = row_sum(exponentials)
    else:
        for begin in range(0, row.size, BLOCK):
            block, some = row[begin:begin + BLOCK], row.dtype.type(0)
            for k in range(block.size):
                some += exp_nonpositive(block[k] - shift)
            total += some
    return row.dtype.type(total)


@inlined
def _multiply(row, factor):
    # In place: as a loop over two arrays that are the same memory it would fail LLVM's test and run one by one.
    for k in range(row.size):
        row[k] *= factor


@kernel
def softmax_categorical_crossentropy(losses, dx, probabilities, x, targets, weights, scale):
    """Cross-entropy of softmax(x) against a distribution a row.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx, probabilities : (N, C) or (0, C) arrays
        Written.
    x : (N, C) array
        Logits.
    targets : (N, C) array
    weights : (N,) or (0,) array
        A factor for each row, or none.
    scale : float
        What the gradients are multiplied with, 1 / N for the mean loss.
    """
    chunks = min(x.shape[0], chunks_for(_COST * x.size, 64))
    parallel(_categorical_rows, chunks, (chunks, (losses, dx, probabilities), x, targets, weights, scale))


@inlined
def _categorical_rows(chunk, chunks, outputs, x, targets, weights, scale):
    losses, dx, probabilities = outputs
    first, last = chunk_of(chunk, chunks, x.shape[0])
    real, classes = x.dtype.type, x.shape[1]
    rows = max(1, _BLOCK // classes)
    for begin in range(first, last, rows):
        end = min(begin + rows, last)
        work = _work(dx, probabilities, begin, end)
        _exponentials(work, losses, x, begin, end)
        for i in range(begin, end):
            exponentials = work[i - begin] if work.size > 0 else work.reshape(-1)
            row, t, shift = x[i], targets[i], losses[i]
            total, whole, along = _total(exponentials, row, shift), 0.0, 0.0
            for first_of in range(0, classes, BLOCK):
                block, of = row[first_of:first_of + BLOCK], t[first_of:first_of + BLOCK]
                some = product = real(0)
                for k in range(block.size):
                    some += of[k]
                    product += of[k] * (block[k] - shift) if of[k] != real(0) else real(0)  # a masked one is at -inf
                whole += some
                along += product
            weight = weights[i] if weights.size > 0 else real(1)
            losses[i] = weight * (log(total) * whole - along)
            if dx.size > 0:
                share = weight * real(scale)
                out, factor = dx[i], share * real(whole) / total
                if probabilities.size > 0:
                    for k in range(out.size):
                        out[k] = factor * exponentials[k] - share * t[k]
                else:
                    for k in range(out.size):
                        out[k] = factor * out[k] - share * t[k]
            if probabilities.size > 0:
                _multiply(exponentials, real(1) / total)
