"""Losses of a row as a whole, their gradients, and the mean over the positions of a sample.

With a row x of predictions, its target t, and sums over the row in float64::

    COSINE              -sum(t x) / (|t| |x|)                                    -(t / |t| + L x / |x|) / |x|
    CATEGORICAL_HINGE   max(1 + n - sum(t x), 0),  n = max_k (1 - t_k) x_k       -t + (1 - t_k at the k of n)
    TVERSKY             1 - I / D,  D = I + a (T - I) + b (P - I) + c            -(t D - I (t (1 - a - b) + b)) / D^2
                        I = sum(t x), T = sum(t), P = sum(x)      (Salehi et al., 2017; a = b = 1/2 is the Dice loss)

    x, t   |--- row ---|   -> sums: one pass         -> dx: a second one, where it is wanted
"""

import math

import numpy as np

from fastcnn.kernels import loss_codes as codes
from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel

_SHORTEST = 1e-12  # length of a vector below which it is not made longer, as in Keras


@kernel
def row_loss(losses, dx, x, targets, weights, code, a, b, c, scale):
    """Write a loss for each row, and scale times its gradient.

    Parameters
    ----------
    losses : (N,) array
        Written.
    dx : (N, C) or (0, C) array
        Written; of shape (0, C) where no gradient is wanted.
    x, targets : (N, C) arrays
        Predictions, and what they should be.
    weights : (N,) or (0,) array
        A factor for each row, or none.
    code : int
        One of `fastcnn.kernels.loss_codes`.
    a, b, c : float
        Of TVERSKY.
    scale : float
        What gradients are multiplied with, 1 / N for the mean loss.
    """
    chunks = min(x.shape[0], chunks_for(x.size, 64))
    parallel(_loss_rows, chunks, (chunks, (losses, dx), (x, targets, weights), code, (a, b, c), scale))


@inlined
def _loss_rows(chunk, chunks, outputs, inputs, code, numbers, scale):
    (losses, dx), (x, targets, weights) = outputs, inputs
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    for i in range(begin, end):
        weight = np.float64(weights[i]) if weights.size > 0 else 1.0
        out = dx[i] if dx.size > 0 else dx.reshape(-1)
        if code == codes.COSINE:
            loss = _cosine(out, x[i], targets[i], scale * weight)
        elif code == codes.CATEGORICAL_HINGE:
            loss = _categorical_hinge(out, x[i], targets[i], scale * weight)
        else:
            loss = _tversky(out, x[i], targets[i], numbers, scale * weight)
        losses[i] = weight * loss


@inlined
def _cosine(dx, x, t, scale):
    along, xx, tt = 0.0, 0.0, 0.0
    for k in range(x.size):
        p, y = np.float64(x[k]), np.float64(t[k])
        along += p * y
        xx += p * p
        tt += y * y
    length = max(math.sqrt(xx), _SHORTEST)
    unit = 1.0 / (max(math.sqrt(tt), _SHORTEST) * length)
    loss = -along * unit
    if dx.size > 0:
        real = x.dtype.type
        of_t = real(-scale * unit)
        of_x = real(-scale * loss / (length * length)) if length > _SHORTEST else real(0)
        for k in range(dx.size):
            dx[k] = of_t * t[k] + of_x * x[k]
    return loss


@inlined
def _categorical_hinge(dx, x, t, scale):
    one = x.dtype.type(1)
    along, worst, at = 0.0, np.float64((one - t[0]) * x[0]), 0
    for k in range(x.size):
        along += np.float64(t[k]) * np.float64(x[k])
        wrong = np.float64((one - t[k]) * x[k])
        if not wrong <= worst:  # a NaN is taken
            worst, at = wrong, k
    loss = worst - along + 1.0
    positive = not loss <= 0.0
    if dx.size > 0:
        factor = x.dtype.type(scale) if positive else x.dtype.type(0)
        for k in range(dx.size):
            dx[k] = -factor * t[k]
        dx[at] += factor * (one - t[at])
    return loss if positive else 0.0


@inlined
def _tversky(dx, x, t, numbers, scale):
    a, b, c = numbers
    both, wanted, got = 0.0, 0.0, 0.0
    for k in range(x.size):
        p, y = np.float64(x[k]), np.float64(t[k])
        both += p * y
        wanted += y
        got += p
    whole = both + a * (wanted - both) + b * (got - both) + c
    if dx.size > 0:
        real = x.dtype.type
        of_t = real(-scale * (whole - both * (1.0 - a - b)) / (whole * whole))
        constant = real(scale * both * b / (whole * whole))
        for k in range(dx.size):
            dx[k] = of_t * t[k] + constant
    return 1.0 - both / whole


@kernel
def fold_losses(losses, values, factor):
    """Write factor times the mean over each row, summed in float64: the loss of a sample from those of its positions.

    Parameters
    ----------
    losses : (N,) array
        Written.
    values : (N, P) array
    factor : float
    """
    chunks = min(values.shape[0], chunks_for(values.size, 64))
    parallel(_fold_rows, chunks, (chunks, losses, values, factor))


@inlined
def _fold_rows(chunk, chunks, losses, values, factor):
    begin, end = chunk_of(chunk, chunks, values.shape[0])
    for i in range(begin, end):
        row, total = values[i], 0.0
        for k in range(row.size):
            total += np.float64(row[k])
        losses[i] = factor * total / max(1, row.size)
