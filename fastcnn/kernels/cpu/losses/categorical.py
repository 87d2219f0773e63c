"""Cross-entropy of probabilities and its gradient, in one pass; those that take a softmax are in `softmax`.

With a row x of C probabilities, its target t (a class, or C numbers) and eps = 1e-7, as Keras 3 computes them::

    q = x / sum(x),  p = clip(q, eps, 1 - eps),  L = -sum_k t_k (1 - p_k)^gamma log(p_k),  g_k = dL/dq_k
    dL/dx_k = (g_k - sum_j g_j q_j) / sum(x)

gamma = 0 is cross-entropy, a larger one the focal loss (Lin et al., 2017, equation 4); what balances its classes,
alpha, is a factor of the targets. Where a clip takes effect, g is 0.

    x, t    |--- row of C ---|    -> sum(x)                -> L, and sum_j g_j q_j   three passes, two of them from L1
    dx      |                |                                                        -> dx
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.losses.formulas import clip, clips
from fastcnn.kernels.cpu.simd.elementary import log, power
from fastcnn.kernels.cpu.simd.sums import row_sum


@kernel
def sparse_categorical_crossentropy(losses, dx, x, labels, weights, scale):
    """Cross-entropy of probabilities against a class a row. A label outside 0..C-1 gives a loss and gradients of NaN.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx : (N, C) or (0, C) array
        Written; of shape (0, C) where no gradient is wanted.
    x : (N, C) array
        Probabilities.
    labels : (N,) int64 array
    weights : (N,) or (0,) array
        A factor for each row, or none; where it is 0 so are loss and gradients, whatever the label.
    scale : float
        What the gradients are multiplied with, 1 / N for the mean loss.
    """
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_sparse_rows, chunks, (chunks, losses, dx, x, labels, weights, scale))


@inlined
def _sparse_rows(chunk, chunks, losses, dx, x, labels, weights, scale):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    real = x.dtype.type
    for i in range(begin, end):
        label, row = labels[i], x[i]
        weight = weights[i] if weights.size > 0 else real(1)
        known, skipped = 0 <= label < row.size, weight == real(0)
        total = real(row_sum(row))
        q = row[label] / total if known else real(np.nan)
        losses[i] = real(0) if skipped else -weight * log(clip(q))
        if dx.size > 0:
            out, slope = dx[i], real(0) if skipped or clips(q) else weight * real(scale) / total
            for k in range(out.size):
                out[k] = slope if known or skipped else real(np.nan)
            if known:
                out[label] -= real(0) if skipped or clips(q) else slope / q


@kernel
def categorical_crossentropy(losses, dx, x, targets, weights, gamma, scale):
    """Cross-entropy of probabilities against a distribution a row, or with gamma > 0 the focal loss.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx : (N, C) or (0, C) array
        Written; of shape (0, C) where no gradient is wanted.
    x, targets : (N, C) arrays
        Probabilities, and what they should be.
    weights : (N,) or (0,) array
        A factor for each row, or none.
    gamma : float
        At least 0.
    scale : float
        What the gradients are multiplied with, 1 / N for the mean loss.
    """
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_categorical_rows, chunks, (chunks, (losses, dx), x, targets, weights, gamma, scale))


@inlined
def _categorical_rows(chunk, chunks, outputs, x, targets, weights, gamma, scale):
    losses, dx = outputs
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    real = x.dtype.type
    for i in range(begin, end):
        weight = weights[i] if weights.size > 0 else real(1)
        if gamma > 0:
            _focal_row(i, losses, dx, x[i], targets[i], weight, real(gamma), real(scale))
        else:
            _plain_row(i, losses, dx, x[i], targets[i], weight, real(scale))


@inlined
def _plain_row(i, losses, dx, row, t, weight, scale):
    real = row.dtype.type
    total, loss, within = real(row_sum(row)), 0.0, 0.0
    for k in range(row.size):
        q = row[k] / total
        loss -= np.float64(t[k] * log(clip(q)))
        within += np.float64(real(0) if clips(q) else t[k])
    inside = real(within)
    losses[i] = weight * loss
    if dx.size > 0:
        out, factor = dx[i], weight * scale / total
        for k in range(out.size):
            q = row[k] / total
            out[k] = factor * (inside - (real(0) if clips(q) else t[k] / q))


@inlined
def _focal_row(i, losses, dx, row, t, weight, gamma, scale):
    real = row.dtype.type
    total, loss, slopes = real(row_sum(row)), 0.0, 0.0
    for k in range(row.size):
        q = row[k] / total
        p = clip(q)
        loss -= np.float64(t[k] * power(real(1) - p, gamma) * log(p))
        slopes += np.float64(q * _focal_slope(q, t[k], gamma))
    along = real(slopes)
    losses[i] = weight * loss
    if dx.size > 0:
        out, factor = dx[i], weight * scale / total
        for k in range(out.size):
            out[k] = factor * (_focal_slope(row[k] / total, t[k], gamma) - along)


@inlined
def _focal_slope(q, t, gamma):
    """The derivative of -t (1 - p)^gamma log(p) by q, p = clip(q)."""
    one = type(q)(1)
    p = clip(q)
    before = power(one - p, gamma - one)
    slope = t * before * (gamma * log(p) - (one - p) / p)
    return type(q)(0) if clips(q) else slope
