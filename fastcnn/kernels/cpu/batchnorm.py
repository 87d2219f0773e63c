"""Batch normalization over rows (Ioffe and Szegedy, 2015, algorithm 1). ONNX: BatchNormalization.

    y = gamma (x - mean) rstd + beta,   rstd = 1 / sqrt(variance + epsilon)
    training   mean and (biased) variance of the batch, and  moving <- momentum moving + (1 - momentum) batch
    inference  the moving mean and variance
    backward   dx = gamma rstd (dy - mean(dy) - xhat mean(dy xhat)),   xhat = (x - mean) rstd

All arrays are (P, C), P the pixels of all images. The rows are cut into chunks that stay in L2; a chunk goes twice
over its rows, for the mean and for the squared distances from it, and the chunks' results are merged in order (Chan,
Golub and LeVeque, 1983, equation 2.1b). So nothing cancels, and the bits depend on no thread.

With few channels a row is too short for a vector, so many rows count as one long one (`_lanes`), whose sums are folded.
"""

import math

from fastcnn.kernels.cpu._jit import chunk_of, chunks_for, inlined, kernel, parallel


@inlined
def _lanes(c):
    """Return the length of the long rows: C, or so many times C that vectors are filled."""
    return c * max(1, 256 // max(1, c))


@inlined
def _chunks(rows, c):
    """Return the number of chunks: 128 KB of float32 each, unless there are more than 32 MB."""
    return min(rows, chunks_for(rows * c, 256))


def batch_norm_forward_scratch(shape, dtype):
    """Return how many elements of scratch `batch_norm_forward` wants for x of `shape` (P, C)."""
    return (2 * _chunks(*shape) + 3) * _lanes(shape[1])


def batch_norm_backward_scratch(shape, dtype):
    """Return how many elements of scratch `batch_norm_backward` wants for x of `shape` (P, C)."""
    return (2 * _chunks(*shape) + 4) * _lanes(shape[1])


@kernel
def batch_norm_forward(y, mean, rstd, moving_mean, moving_variance, scratch, x, gamma, beta, momentum, epsilon):
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
    gamma, beta : (C,) or (0,) arrays
        Scale and offset; of size 0 where there is none.
    momentum, epsilon : float
    """
    rows, c = x.shape
    real, lanes, chunks = x.dtype.type, _lanes(c), _chunks(rows, c)
    parallel(_statistics, chunks, (chunks, scratch, x.reshape(-1), rows, c))
    means, scales, offsets = _three(scratch, 2 * chunks * lanes, lanes)
    keep, share = real(momentum), real(1.0 - momentum)
    for k in range(c):
        center, squares = _merged(scratch, chunks, rows, c, k)
        variance = squares / real(max(1, rows))
        mean[k] = center
        rstd[k] = real(1) / real(math.sqrt(variance + real(epsilon)))
        if rows > 0:
            moving_mean[k] = keep * moving_mean[k] + share * center
            moving_variance[k] = keep * moving_variance[k] + share * variance
        for lane in range(k, lanes, c):
            means[lane] = center
            scales[lane] = rstd[k] * (gamma[k] if gamma.size > 0 else real(1))
            offsets[lane] = beta[k] if beta.size > 0 else real(0)
    parallel(_normalize, chunks, (chunks, y.reshape(-1), scratch, x.reshape(-1), rows, c))


@inlined
def _three(scratch, start, lanes):
    return (scratch[start:start + lanes], scratch[start + lanes:start + 2 * lanes],
            scratch[start + 2 * lanes:start + 3 * lanes])


@inlined
def _statistics(chunk, chunks, scratch, x, rows, c):
    """Write a chunk's means, and its sums of squared distances from them, by channel."""
    begin, end = chunk_of(chunk, chunks, rows)
    lanes = _lanes(c)
    means, squares, _ = _three(scratch, 2 * chunk * lanes, lanes)
    for lane in range(lanes):
        means[lane] = squares[lane] = 0
    for start in range(begin * c, end * c, lanes):
        part = x[start:min(start + lanes, end * c)]
        for lane in range(part.size):
            means[lane] += part[lane]
    _fold(means, c)
    for lane in range(lanes):
        means[lane] = means[lane % c] / x.dtype.type(end - begin) if lane < c else means[lane % c]
    for start in range(begin * c, end * c, lanes):
        part = x[start:min(start + lanes, end * c)]
        for lane in range(part.size):
            squares[lane] += (part[lane] - means[lane]) * (part[lane] - means[lane])
    _fold(squares, c)


@inlined
def _fold(sums, c):
    """Add the sums of all lanes of a channel into its first."""
    for lane in range(c, sums.size):
        sums[lane % c] += sums[lane]


@inlined
def _merged(scratch, chunks, rows, c, k):
    """Return mean and sum of squared distances of channel k: the chunks, one after the other (Chan's formula)."""
    real, lanes = scratch.dtype.type, _lanes(c)
    center, squares = real(0), real(0)
    for chunk in range(chunks):
        begin, end = chunk_of(chunk, chunks, rows)
        delta = scratch[2 * chunk * lanes + k] - center
        share = real((end - begin) / end)
        center += delta * share
        squares += scratch[(2 * chunk + 1) * lanes + k] + delta * delta * share * real(begin)
    return center, squares


@inlined
def _normalize(chunk, chunks, y, scratch, x, rows, c):
    begin, end = chunk_of(chunk, chunks, rows)
    lanes = _lanes(c)
    means, scales, offsets = _three(scratch, 2 * chunks * lanes, lanes)
    for start in range(begin * c, end * c, lanes):
        stop = min(start + lanes, end * c)
        out, part = y[start:stop], x[start:stop]
        for lane in range(part.size):
            out[lane] = (part[lane] - means[lane]) * scales[lane] + offsets[lane]


@kernel
def batch_norm_predict(y, x, gamma, beta, mean, variance, epsilon):
    """Normalize with given statistics: the arguments as in `batch_norm_forward`; mean and variance are inputs."""
    chunks = _chunks(x.shape[0], x.shape[1])
    parallel(_predict_rows, chunks, (chunks, y, x, gamma, beta, mean, variance, epsilon))


@inlined
def _predict_rows(chunk, chunks, y, x, gamma, beta, mean, variance, epsilon):
    # There is no scratch: the scales wait in the last row of the chunk's output until it is that row's turn.
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    real = x.dtype.type
    scales = y[end - 1]
    for k in range(scales.size):
        scales[k] = (gamma[k] if gamma.size > 0 else real(1)) / real(math.sqrt(variance[k] + real(epsilon)))
    for i in range(begin, end):
        out, row = y[i], x[i]
        if beta.size > 0:
            for k in range(row.size):
                out[k] = (row[k] - mean[k]) * scales[k] + beta[k]
        else:
            for k in range(row.size):
                out[k] = (row[k] - mean[k]) * scales[k]


@kernel
def batch_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma):
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
    gamma : (C,) or (0,) array
    """
    rows, c = x.shape
    real, lanes, chunks = x.dtype.type, _lanes(c), _chunks(rows, c)
    start = 2 * chunks * lanes
    means = scratch[start:start + lanes]
    for lane in range(lanes):
        means[lane] = mean[lane % c]
    parallel(_products, chunks, (chunks, scratch, dy.reshape(-1), x.reshape(-1), rows, c))
    slopes, offsets, steeps = _three(scratch, start + lanes, lanes)
    for k in range(c):
        plain, product = real(0), real(0)
        for chunk in range(chunks):
            plain += scratch[2 * chunk * lanes + k]
            product += scratch[(2 * chunk + 1) * lanes + k]
        if dgamma.size > 0:
            dgamma[k] += product * rstd[k]
        if dbeta.size > 0:
            dbeta[k] += plain
        slope = rstd[k] * (gamma[k] if gamma.size > 0 else real(1))
        for lane in range(k, lanes, c):
            slopes[lane] = slope
            offsets[lane] = slope * plain / real(max(1, rows))
            steeps[lane] = slope * rstd[k] * rstd[k] * product / real(max(1, rows))
    parallel(_input_gradient, chunks, (chunks, dx.reshape(-1), scratch, dy.reshape(-1), x.reshape(-1), rows, c))


@inlined
def _products(chunk, chunks, scratch, dy, x, rows, c):
    """Write a chunk's sums of dy and of dy (x - mean), by channel."""
    begin, end = chunk_of(chunk, chunks, rows)
    lanes = _lanes(c)
    plain, products, _ = _three(scratch, 2 * chunk * lanes, lanes)
    means = scratch[2 * chunks * lanes:(2 * chunks + 1) * lanes]
    for lane in range(lanes):
        plain[lane] = products[lane] = 0
    for start in range(begin * c, end * c, lanes):
        stop = min(start + lanes, end * c)
        gradient, part = dy[start:stop], x[start:stop]
        for lane in range(part.size):
            plain[lane] += gradient[lane]
            products[lane] += gradient[lane] * (part[lane] - means[lane])
    _fold(plain, c)
    _fold(products, c)


@inlined
def _input_gradient(chunk, chunks, dx, scratch, dy, x, rows, c):
    begin, end = chunk_of(chunk, chunks, rows)
    lanes = _lanes(c)
    means = scratch[2 * chunks * lanes:(2 * chunks + 1) * lanes]
    slopes, offsets, steeps = _three(scratch, (2 * chunks + 1) * lanes, lanes)
    for start in range(begin * c, end * c, lanes):
        stop = min(start + lanes, end * c)
        out, gradient, part = dx[start:stop], dy[start:stop], x[start:stop]
        for lane in range(part.size):
            out[lane] = slopes[lane] * gradient[lane] - offsets[lane] - (part[lane] - means[lane]) * steeps[lane]
