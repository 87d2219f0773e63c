"""Losses and their gradients in one pass over the predictions; those that take a softmax are in `loss_softmax`.

With a row x of C predictions, its target t (a class, or C numbers) and eps = 1e-7, as Keras 3 computes them::

    cross-entropy, from probabilities     q = x / sum(x),  p = clip(q, eps, 1 - eps),  L = -sum_k t_k log(p_k)
    binary cross-entropy, from logits     L = mean of max(x, 0) - x t + log(1 + exp(-|x|));  C dL/dx = sigmoid(x) - t
    binary cross-entropy, probabilities   p = clip(x, eps, 1 - eps),  L = -mean of t log(p) + (1 - t) log(1 - p)
    mean squared error                    L = mean of (x - t)^2;  C dL/dx = 2 (x - t)

Where a clip takes effect, nothing flows back through it. Each loss writes one value a row into ``losses`` (N,) and
``scale dL/dx`` into ``dx`` (N, C), which has the shape (0, C) where no gradient is wanted.
"""

import numpy as np

from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.elementary import exp_nonpositive, log, log1p, sigmoid

_EPSILON = 1e-7


@kernel
def sparse_categorical_crossentropy(losses, dx, x, labels, scale):
    """Cross-entropy of probabilities against a class a row. A label outside 0..C-1 gives a loss and gradients of NaN.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx : (N, C) or (0, C) array
        Written.
    x : (N, C) array
        Probabilities.
    labels : (N,) int64 array
    scale : float
        What the gradients are multiplied with, 1 / N for the mean loss.
    """
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_sparse_rows, chunks, (chunks, losses, dx, x, labels, scale))


@inlined
def _sparse_rows(chunk, chunks, losses, dx, x, labels, scale):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    real = x.dtype.type
    for i in range(begin, end):
        label, row = labels[i], x[i]
        known = 0 <= label < row.size
        total = _sum(row)
        q = row[label] / total if known else real(np.nan)
        losses[i] = -log(_clip(q))
        if dx.size > 0:
            out, slope = dx[i], real(0) if _clips(q) else real(scale) / total
            for k in range(out.size):
                out[k] = slope if known else real(np.nan)
            if known:
                out[label] -= real(0) if _clips(q) else slope / q


@inlined
def _sum(row):
    total = row.dtype.type(0)
    for k in range(row.size):
        total += row[k]
    return total


@inlined
def _clip(p):
    low, high = type(p)(_EPSILON), type(p)(1 - _EPSILON)
    p = low if p < low else p
    return high if p > high else p


@inlined
def _clips(p):
    return p < type(p)(_EPSILON) or p > type(p)(1 - _EPSILON)


@kernel
def categorical_crossentropy(losses, dx, x, targets, scale):
    """Cross-entropy against a distribution a row: as `sparse_categorical_crossentropy`, with targets (N, C)."""
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_categorical_rows, chunks, (chunks, losses, dx, x, targets, scale))


@inlined
def _categorical_rows(chunk, chunks, losses, dx, x, targets, scale):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    real = x.dtype.type
    factor = real(scale)
    for i in range(begin, end):
        row, t = x[i], targets[i]
        total, loss, inside = _sum(row), real(0), real(0)
        for k in range(row.size):
            q = row[k] / total
            loss -= t[k] * log(_clip(q))
            inside += real(0) if _clips(q) else t[k]
        losses[i] = loss
        if dx.size > 0:
            out = dx[i]
            for k in range(out.size):
                q = row[k] / total
                out[k] = factor / total * (inside - (real(0) if _clips(q) else t[k] / q))


@kernel
def binary_crossentropy(losses, dx, x, targets, from_logits, scale):
    """Mean over a row of the cross-entropy of C independent yes-or-no answers.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx : (N, C) or (0, C) array
        Written.
    x : (N, C) array
        Logits or probabilities.
    targets : (N, C) array
        0 or 1, or between.
    from_logits : bool
    scale : float
        What the gradients are multiplied with, 1 / N for the mean loss.
    """
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_binary_rows, chunks, (chunks, losses, dx, x, targets, from_logits, scale))


@inlined
def _binary_rows(chunk, chunks, losses, dx, x, targets, from_logits, scale):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    real = x.dtype.type
    share = real(1) / real(x.shape[1])
    flat, t, out = x[begin:end].reshape(-1), targets[begin:end].reshape(-1), losses[begin:end]
    if x.shape[1] == 1:  # a loop over rows of one element would not become vectors
        for i in range(out.size):
            out[i] = _logistic_loss(flat[i], t[i]) if from_logits else _log_loss(flat[i], t[i])
    else:
        for i in range(out.size):
            loss, row, wanted = real(0), x[begin + i], targets[begin + i]
            for k in range(row.size):
                loss += _logistic_loss(row[k], wanted[k]) if from_logits else _log_loss(row[k], wanted[k])
            out[i] = loss * share
    if dx.size > 0:
        factor, slopes = real(scale) * share, dx[begin:end].reshape(-1)
        if from_logits:
            for k in range(slopes.size):
                slopes[k] = factor * (sigmoid(flat[k]) - t[k])
        else:
            for k in range(slopes.size):
                slope = (flat[k] - t[k]) / (flat[k] * (real(1) - flat[k]))
                slopes[k] = real(0) if _clips(flat[k]) else factor * slope


@inlined
def _logistic_loss(x, t):
    """max(x, 0) - x t + log(1 + exp(-|x|)), which cannot overflow."""
    positive = type(x)(0) if x < type(x)(0) else x
    return positive - x * t + log1p(exp_nonpositive(-abs(x)))


@inlined
def _log_loss(p, t):
    p, one = _clip(p), type(p)(1)
    return -(t * log(p) + (one - t) * log(one - p))


@kernel
def mean_squared_error(losses, dx, x, targets, scale):
    """Mean over a row of (x - t)^2: the arguments as in `binary_crossentropy`."""
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_squared_rows, chunks, (chunks, losses, dx, x, targets, scale))


@inlined
def _squared_rows(chunk, chunks, losses, dx, x, targets, scale):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    real = x.dtype.type
    share = real(1) / real(x.shape[1])
    flat, t, out = x[begin:end].reshape(-1), targets[begin:end].reshape(-1), losses[begin:end]
    for i in range(out.size):
        loss, row, wanted = real(0), x[begin + i], targets[begin + i]
        for k in range(row.size):
            loss += (row[k] - wanted[k]) * (row[k] - wanted[k])
        out[i] = loss * share
    if dx.size > 0:
        factor, slopes = real(2) * real(scale) * share, dx[begin:end].reshape(-1)
        for k in range(slopes.size):
            slopes[k] = factor * (flat[k] - t[k])
