"""Batch normalization over rows (Ioffe and Szegedy, 2015, algorithm 1). ONNX: BatchNormalization.

    y = gamma (x - mean) rstd + beta,   rstd = 1 / sqrt(variance + epsilon)
    training   mean and (biased) variance of the batch, and  moving <- momentum moving + (1 - momentum) batch
    inference  the moving mean and variance
    backward   dx = gamma rstd (dy - mean(dy) - xhat mean(dy xhat)),   xhat = (x - mean) rstd

All arrays are (P, C), P the pixels of all images; maps may be uint16, the bits of bfloat16, beside statistics, factors
and sums in float32. A rectifier may follow: y is multiplied by `slope` where it is below
0, and `ceiling` takes its place where it is above that. Slope 1 and an infinite ceiling change nothing; slope 0 is
ReLU, with ceiling 6 ReLU6. Backward computes y again from x, which is read anyway, so that the rectifier costs no
memory traffic. Forward, an addend may come before the rectifier, a ResNet's shortcut; who gave one hands backward the
gradient behind the rectifier.

    forward    read x: statistics       (`fastcnn.kernels.cpu.normalization.statistics`)      then read x, write y
    backward   read dy, x: sums of dy and dy (x - mean), chunk by chunk, added in pairs   then read dy, x, write dx

The second pass takes the chunks from the last to the first: what the first pass read last is still in the cache. In
both a vector of channels in eight rows is one step (`fastcnn.kernels.cpu.simd.columns`).
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.normalization.statistics import PARTS, chunks_of, long_row, merge_chunks, part, statistics
from fastcnn.kernels.cpu.simd.columns import (
    Rows,
    column_affine,
    column_affine_far,
    column_affine_sum,
    column_gradient,
    column_products,
)
from fastcnn.kernels.cpu.simd.memory import aligned
from fastcnn.kernels.cpu.simd.sums import TERMS, add_pairwise, add_wide, take_wide, wide
from fastcnn.kernels.rectifier import Rectifier

_FAR = 1 << 22  # elements, 16 MB of float32: so much no cache holds until somebody reads it


def batch_norm_forward_scratch(shape, dtype):
    """Return how many elements of scratch `batch_norm_forward` wants for x of `shape` (P, C)."""
    return PARTS * (chunks_of(*shape) + 1) * long_row(shape[1])


def batch_norm_predict_scratch(shape, dtype):
    """Return how many elements of scratch `batch_norm_predict` wants for x of `shape` (P, C)."""
    return PARTS * long_row(shape[1])


def batch_norm_backward_scratch(shape, dtype):
    """Return how many elements of scratch `batch_norm_backward` wants for x of `shape` (P, C)."""
    return totals_at(chunks_of(*shape), shape[1]) + 4 * chunks_of(*shape) * long_row(shape[1])


@inlined
def totals_at(chunks, c):
    """Return where behind the parts of the scratch each chunk's two long rows of totals begin, which are float64."""
    return aligned(PARTS * (chunks + 1) * long_row(c))


@kernel(in_place=("x", "addend"))
def batch_norm_forward(y, mean, rstd, moving_mean, moving_variance, scratch, x, addend, gamma, beta, momentum, epsilon,
                       slope, ceiling):
    """Normalize with the statistics of the batch, and move the moving ones, which an empty batch leaves as they are.

    Parameters
    ----------
    y : (P, C) array
        Written.
    mean, rstd : (C,) arrays
        Written: saved for the backward pass.
    moving_mean, moving_variance : (C,) arrays
        Changed: momentum * moving + (1 - momentum) * batch.
    scratch : (batch_norm_forward_scratch(shape, dtype),) array
    x : (P, C) array
    addend : (x.size,) or (0,) array
        Lies as x does; added before the rectifier.
    gamma, beta : (C,) or (0,) arrays
        Scale and offset; of size 0 where there is none.
    momentum, epsilon : float
    slope, ceiling : float
        What y is multiplied by where it is below 0, and what it is at most: 1 and infinity for no rectifier. NaN stays
        NaN.
    """
    rows, c = x.shape
    chunks = chunks_of(rows, c)
    measure(mean, rstd, (moving_mean, moving_variance), scratch, x.reshape(-1), (rows, c), (momentum, epsilon))
    write_factors(scratch, chunks, c, mean, rstd, gamma, beta)
    factors = scratch[PARTS * chunks * long_row(c):]
    parallel(_normalize, chunks, (chunks, y.reshape(-1), factors, (x.reshape(-1), addend), (rows, c),
                                  Rectifier(slope, ceiling)))


@inlined
def measure(mean, rstd, moving, scratch, x, shape, settings):
    """Write the statistics of the batch, and move the moving ones; `settings` are momentum and epsilon."""
    (moving_mean, moving_variance), (rows, c), (momentum, epsilon) = moving, shape, settings
    real, chunks = mean.dtype.type, chunks_of(rows, c)
    parallel(statistics, chunks, (chunks, scratch, x, rows, c))
    center, distances = merge_chunks(scratch, chunks, rows, c)
    keep, share, each = real(momentum), real(1.0 - momentum), real(1.0 / max(1, rows))
    for k in range(c):
        variance = distances[k] * each
        mean[k] = center[k]
        rstd[k] = real(1.0 / math.sqrt(np.float64(variance) + epsilon))
        if rows > 0:
            moving_mean[k] = keep * moving_mean[k] + share * center[k]
            moving_variance[k] = keep * moving_variance[k] + share * variance


@inlined
def write_factors(scratch, chunks, c, mean, rstd, gamma, beta):
    """Write mean, gamma rstd and beta of each lane of a long row behind the scratch of the chunks."""
    real, lanes = scratch.dtype.type, long_row(c)
    means, scales, offsets = (part(scratch, chunks, 0, lanes), part(scratch, chunks, 1, lanes),
                              part(scratch, chunks, 2, lanes))
    for begin in range(0, lanes, max(1, c)):
        a, s, o = means[begin:begin + c], scales[begin:begin + c], offsets[begin:begin + c]
        for k in range(c):
            a[k] = mean[k]
            s[k] = rstd[k] * (gamma[k] if gamma.size > 0 else real(1))
            o[k] = beta[k] if beta.size > 0 else real(0)


@inlined
def piece_of(piece, chunk, chunks, rows, c):
    """Return where a piece of a chunk begins, its number of rows and their length: 0 is its long rows, 1 the rest.

    Both go through one call of a walk, in a loop: each call in the code would be compiled.
    """
    begin, end = chunk_of(chunk, chunks, rows)
    each = long_row(c) // max(1, c)
    long = (end - begin) // each
    if piece == 0:
        return begin * c, long, each * c
    return (begin + long * each) * c, end - begin - long * each, c


@inlined
def _normalize(chunk, chunks, y, factors, inputs, shape, rectifier):
    (x, addend), (rows, c) = inputs, shape
    lanes = long_row(c)
    mean, scale, offset = part(factors, 0, 0, lanes), part(factors, 0, 1, lanes), part(factors, 0, 2, lanes)
    for piece in range(2):
        at, count, columns = piece_of(piece, chunks - 1 - chunk, chunks, rows, c)
        if addend.size > 0:
            column_affine_sum((mean, scale, offset), y, x, addend, Rows(at, count, columns), rectifier)
        elif x.size >= _FAR:
            column_affine_far((mean, scale, offset), y, x, Rows(at, count, columns), rectifier)
        else:
            column_affine((mean, scale, offset), y, x, Rows(at, count, columns), rectifier)


@kernel(in_place=("x",))
def batch_norm_predict(y, scratch, x, gamma, beta, mean, variance, epsilon, slope, ceiling):
    """Normalize with given statistics: the arguments as in `batch_norm_forward`; mean and variance are inputs.

    Parameters
    ----------
    y : (P, C) array
        Written.
    scratch : (batch_norm_predict_scratch(shape, dtype),) array
    x : (P, C) array
    gamma, beta : (C,) or (0,) arrays
    mean, variance : (C,) arrays
    epsilon : float
    slope, ceiling : float
    """
    rows, c = x.shape
    chunks, rstd = chunks_of(rows, c), part(scratch, 0, 3, long_row(c))
    for k in range(c):
        rstd[k] = scratch.dtype.type(1.0 / math.sqrt(np.float64(variance[k]) + epsilon))
    write_factors(scratch, 0, c, mean, rstd, gamma, beta)
    parallel(_normalize, chunks, (chunks, y.reshape(-1), scratch, (x.reshape(-1), scratch[:0]), (rows, c),
                                  Rectifier(slope, ceiling)))


@kernel(in_place=("dy", "x"))
def batch_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma, beta, slope, ceiling):
    """Write dx, and add to the gradients of scale and offset.

    Parameters
    ----------
    dx : (P, C) array
        Written.
    dgamma, dbeta : (C,) or (0,) arrays
        Added to.
    scratch : (batch_norm_backward_scratch(shape, dtype),) array
    dy, x : (P, C) arrays
    mean, rstd : (C,) arrays
        As the forward pass wrote them.
    gamma, beta : (C,) or (0,) arrays
    slope, ceiling : float
        As in the forward pass; 1 and infinity where that had an addend.
    """
    rows, c = x.shape
    chunks, rectifier = chunks_of(rows, c), Rectifier(slope, ceiling)
    write_factors(scratch, chunks, c, mean, rstd, gamma, beta)
    parallel(_products, chunks, (chunks, scratch, dy.reshape(-1), x.reshape(-1), rows, c, rectifier))
    finish_products(dgamma, dbeta, scratch, rstd, chunks, (rows, c))
    parallel(_input_gradient, chunks, (chunks, dx.reshape(-1), scratch, dy.reshape(-1), x.reshape(-1), (rows, c),
                                       rectifier))


@inlined
def finish_products(dgamma, dbeta, scratch, rstd, chunks, shape):
    """Add the sums of all chunks to the gradients, and write what dx takes of them behind the factors of the map."""
    rows, c = shape
    real, lanes = scratch.dtype.type, long_row(c)
    plain, products = part(scratch, 0, 0, lanes), part(scratch, 0, 1, lanes)
    for which in range(2):
        add_pairwise(scratch, which * lanes, PARTS * lanes, chunks, c)
    for k in range(c):
        if dgamma.size > 0:
            dgamma[k] += products[k] * rstd[k]
        if dbeta.size > 0:
            dbeta[k] += plain[k]
    scales, constants, steeps = (part(scratch, chunks, 1, lanes), part(scratch, chunks, 3, lanes),
                                 part(scratch, chunks, 4, lanes))
    share = real(1.0 / max(1, rows))
    for begin in range(0, lanes, max(1, c)):
        a, s = constants[begin:begin + c], steeps[begin:begin + c]
        for k in range(c):
            a[k] = scales[k] * plain[k] * share
            s[k] = scales[k] * rstd[k] * rstd[k] * products[k] * share


@inlined
def _products(chunk, chunks, scratch, dy, x, rows, c, rectifier):
    """Write a chunk's sums of dy and of dy (x - mean), by channel."""
    lanes = long_row(c)
    plain, products = part(scratch, chunk, 0, lanes), part(scratch, chunk, 1, lanes)
    mean, scale, offset = (part(scratch, chunks, 0, lanes), part(scratch, chunks, 1, lanes),
                           part(scratch, chunks, 2, lanes))
    begin = totals_at(chunks, c) + 4 * chunk * lanes
    of_plain, of_products = wide(scratch[begin:begin + 2 * lanes]), wide(scratch[begin + 2 * lanes:begin + 4 * lanes])
    for lane in range(lanes):
        plain[lane] = products[lane] = 0
        of_plain[lane] = of_products[lane] = 0
    for piece in range(2):
        at, count, columns = piece_of(piece, chunk, chunks, rows, c)
        for first in range(0, count, TERMS):
            column_products((plain, products, mean, scale, offset), dy, x,
                            Rows(at + first * columns, min(TERMS, count - first), columns), rectifier)
            add_wide(of_plain, plain)
            add_wide(of_products, products)
    take_wide(plain, of_plain)
    take_wide(products, of_products)
    for which in range(2):
        add_pairwise(scratch, (PARTS * chunk + which) * lanes, c, lanes // max(1, c), c)


@inlined
def _input_gradient(chunk, chunks, dx, scratch, dy, x, shape, rectifier):
    rows, c = shape
    lanes = long_row(c)
    mean, scale, offset = (part(scratch, chunks, 0, lanes), part(scratch, chunks, 1, lanes),
                           part(scratch, chunks, 2, lanes))
    constant, steep = part(scratch, chunks, 3, lanes), part(scratch, chunks, 4, lanes)
    for piece in range(2):
        at, count, columns = piece_of(piece, chunks - 1 - chunk, chunks, rows, c)
        column_gradient((mean, scale, offset, constant, steep), dx, dy, x, Rows(at, count, columns), rectifier)
