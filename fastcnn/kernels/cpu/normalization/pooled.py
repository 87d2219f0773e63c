"""Batch normalization and max pooling after it, whose windows lie side by side: what lies between is never stored.

    y = maximum over each window of  rectifier(gamma (x - mean) rstd + beta)

Arithmetic, statistics and gradients are those of `batch` and of `fastcnn.kernels.cpu.pooling.max`. A *band* is the
pixels of one row of windows. It is normalized into memory of the thread that takes it and pooled there; on the way back
the gradient is scattered there, once for the sums and once for dx. So the maps between, four times as large as y, cost
no traffic::

    x, a band  | . . . . . .  |  -- normalize -->  | L1 / L2 |  -- largest of each window -->  y, argmax
               | . . . . . .  |
    dx, a band | . . . . . .  |  <-- gradient --   | L1 / L2 |  <-- scatter --                 dy, argmax
"""

from numba import config

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.normalization.batch import finish_products, measure, piece_of, totals_at, write_factors
from fastcnn.kernels.cpu.normalization.statistics import PARTS, chunks_of, long_row, part
from fastcnn.kernels.cpu.simd.columns import Rows, column_affine, column_gradient, column_products
from fastcnn.kernels.cpu.simd.memory import aligned, clear
from fastcnn.kernels.cpu.simd.sums import TERMS, add_pairwise, add_wide, take_wide, wide
from fastcnn.kernels.cpu.simd.windows import Windows, window_max, window_scatter
from fastcnn.kernels.rectifier import Rectifier


def batch_norm_pool_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `batch_norm_pool_forward` wants."""
    g = geometry[0]
    return int(_bands_at(g, True) + config.NUMBA_NUM_THREADS * _band_size(g))


def batch_norm_pool_backward_scratch(geometry, dtype):
    """Return how many elements of scratch `batch_norm_pool_backward` wants."""
    g = geometry[0]
    return int(_bands_at(g, False) + config.NUMBA_NUM_THREADS * _band_size(g))


@inlined
def _chunks(g):
    """Return into how many chunks the rows of windows are cut."""
    return min(chunks_of(g["n"] * g["h"] * g["w"], g["c"]), max(1, g["n"] * g["oh"]))


@inlined
def _bands_at(g, forward):
    """Return where in the scratch the bands of the threads begin."""
    c, lanes = g["c"], long_row(g["c"])
    if forward:
        return aligned(PARTS * (chunks_of(g["n"] * g["h"] * g["w"], c) + 1) * lanes)
    return aligned(totals_at(_chunks(g), c) + 4 * _chunks(g) * lanes)


@inlined
def _band_size(g):
    """Return the elements of the largest band: that of an image's last row of windows, with what lies below it."""
    return aligned((g["h"] - (g["oh"] - 1) * g["kh"]) * g["w"] * g["c"])


@inlined
def _band_of(row, g):
    """Return where the band of a row of windows begins in x, and how many pixels it has."""
    image, i = row // g["oh"], row % g["oh"]
    tall = g["h"] - i * g["kh"] if i == g["oh"] - 1 else g["kh"]
    return (image * g["h"] + i * g["kh"]) * g["w"] * g["c"], tall * g["w"]


@inlined
def _windows(g):
    """Return the windows of a row, as walks over a band take them."""
    c, kh, kw = g["c"], g["kh"], g["kw"]
    return Windows(g["ow"], (c, kw * c), (kh, kw), (g["w"] * c, c), c)


@kernel
def batch_norm_pool_forward(y, argmax, mean, rstd, moving_mean, moving_variance, scratch, x, gamma, beta, momentum,
                            epsilon, slope, ceiling, geometry):
    """Normalize with the statistics of the batch, and write the largest number of each window, and where it lies.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    argmax : (N, OH, OW, C) array of max_pool2d_index_type(geometry)
        Written, as by `max_pool2d_forward`.
    mean, rstd : (C,) arrays
        Written: saved for the backward pass.
    moving_mean, moving_variance : (C,) arrays
        Changed.
    scratch : (batch_norm_pool_forward_scratch(geometry, dtype),) array
    x : (N, H, W, C) array
    gamma, beta : (C,) or (0,) arrays
    momentum, epsilon, slope, ceiling : float
        As in `batch_norm_forward`.
    geometry : POOL2D
        Of windows that lie side by side, within the image.
    """
    g = geometry[0]
    rows, c = g["n"] * g["h"] * g["w"], g["c"]
    chunks = chunks_of(rows, c)
    measure(mean, rstd, (moving_mean, moving_variance), scratch, x.reshape(-1), (rows, c), (momentum, epsilon))
    write_factors(scratch, chunks, c, mean, rstd, gamma, beta)
    parallel(_pool_chunk, _chunks(g), (y.reshape(-1), argmax.reshape(-1), scratch, x.reshape(-1), geometry,
                                       Rectifier(slope, ceiling)))


@inlined
def _pool_chunk(chunk, thread, y, argmax, scratch, x, geometry, rectifier):
    g = geometry[0]
    rows, c = g["n"] * g["h"] * g["w"], g["c"]
    chunks, lanes, outputs = chunks_of(rows, c), long_row(c), g["ow"] * c
    factors = part(scratch, chunks, 0, lanes), part(scratch, chunks, 1, lanes), part(scratch, chunks, 2, lanes)
    band = scratch[_bands_at(g, True) + thread * _band_size(g):]
    # What the statistics read last is still in the cache.
    begin, end = chunk_of(_chunks(g) - 1 - chunk, _chunks(g), g["n"] * g["oh"])
    for row in range(begin, end):
        at, pixels = _band_of(row, g)
        for piece in range(2):
            first, count, columns = piece_of(piece, 0, 1, pixels, c)
            column_affine(factors, band, x[at:], Rows(first, count, columns), rectifier)
        window_max((y, row * outputs), (argmax, row * outputs), (band, 0), _windows(g), (0, g["kw"], 1), 0)


@kernel(in_place=("x",))
def batch_norm_pool_backward(dx, dgamma, dbeta, scratch, dy, argmax, x, mean, rstd, gamma, beta, slope, ceiling,
                             geometry):
    """Write dx, and add to the gradients of scale and offset.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dgamma, dbeta : (C,) or (0,) arrays
        Added to.
    scratch : (batch_norm_pool_backward_scratch(geometry, dtype),) array
    dy, argmax : (N, OH, OW, C) arrays
    x : (N, H, W, C) array
    mean, rstd : (C,) arrays
        As the forward pass wrote them, like `argmax`.
    gamma, beta : (C,) or (0,) arrays
    slope, ceiling : float
    geometry : POOL2D
        As in the forward pass.
    """
    g, rectifier = geometry[0], Rectifier(slope, ceiling)
    rows, c, chunks = g["n"] * g["h"] * g["w"], g["c"], _chunks(g)
    write_factors(scratch, chunks, c, mean, rstd, gamma, beta)
    inputs = dy.reshape(-1), argmax.reshape(-1), x.reshape(-1)
    parallel(_products_chunk, chunks, (scratch, inputs, geometry, rectifier))
    finish_products(dgamma, dbeta, scratch, rstd, chunks, (rows, c))
    parallel(_gradient_chunk, chunks, (dx.reshape(-1), scratch, inputs, geometry, rectifier))


@inlined
def _scatter(band, dy, argmax, row, g):
    """Write the gradient of a band: each element of dy where its maximum came from, zeros elsewhere."""
    pixels, outputs = _band_of(row, g)[1], g["ow"] * g["c"]
    if pixels > g["kh"] * g["ow"] * g["kw"]:
        clear(band, 0, pixels * g["c"])
    window_scatter((band, 0), (dy, row * outputs), (argmax, row * outputs), _windows(g), (0, g["kw"], 1))


@inlined
def _products_chunk(chunk, thread, scratch, inputs, geometry, rectifier):
    """Write a chunk's sums of dy and of dy (x - mean), by channel."""
    (dy, argmax, x), g = inputs, geometry[0]
    c, chunks, lanes = g["c"], _chunks(g), long_row(g["c"])
    plain, products = part(scratch, chunk, 0, lanes), part(scratch, chunk, 1, lanes)
    factors = (plain, products, part(scratch, chunks, 0, lanes), part(scratch, chunks, 1, lanes),
               part(scratch, chunks, 2, lanes))
    at = totals_at(chunks, c) + 4 * chunk * lanes
    of_plain, of_products = wide(scratch[at:at + 2 * lanes]), wide(scratch[at + 2 * lanes:at + 4 * lanes])
    for lane in range(lanes):
        plain[lane] = products[lane] = 0
        of_plain[lane] = of_products[lane] = 0
    band, terms = scratch[_bands_at(g, False) + thread * _band_size(g):], 0
    begin, end = chunk_of(chunk, chunks, g["n"] * g["oh"])
    for row in range(begin, end):
        _scatter(band, dy, argmax, row, g)
        at, pixels = _band_of(row, g)
        for piece in range(2):
            first, count, columns = piece_of(piece, 0, 1, pixels, c)
            for done in range(0, count, TERMS):
                some = min(TERMS, count - done)
                if terms + some > TERMS:
                    add_wide(of_plain, plain)
                    add_wide(of_products, products)
                    terms = 0
                column_products(factors, band, x[at:], Rows(first + done * columns, some, columns), rectifier)
                terms += some
    add_wide(of_plain, plain)
    add_wide(of_products, products)
    take_wide(plain, of_plain)
    take_wide(products, of_products)
    for which in range(2):
        add_pairwise(scratch, (PARTS * chunk + which) * lanes, c, lanes // max(1, c), c)


@inlined
def _gradient_chunk(chunk, thread, dx, scratch, inputs, geometry, rectifier):
    (dy, argmax, x), g = inputs, geometry[0]
    c, chunks, lanes = g["c"], _chunks(g), long_row(g["c"])
    factors = (part(scratch, chunks, 0, lanes), part(scratch, chunks, 1, lanes), part(scratch, chunks, 2, lanes),
               part(scratch, chunks, 3, lanes), part(scratch, chunks, 4, lanes))
    band = scratch[_bands_at(g, False) + thread * _band_size(g):]
    begin, end = chunk_of(chunks - 1 - chunk, chunks, g["n"] * g["oh"])
    for row in range(begin, end):
        _scatter(band, dy, argmax, row, g)
        at, pixels = _band_of(row, g)
        for piece in range(2):
            first, count, columns = piece_of(piece, 0, 1, pixels, c)
            column_gradient(factors, dx[at:], band, x[at:], Rows(first, count, columns), rectifier)
