"""Group normalization, which layer and instance normalization are cases of. ONNX: GroupNormalization,
LayerNormalization, InstanceNormalization.

    x (N, P, G, D): samples, positions, groups, channels of a group; statistics of each (n, g) over positions and D
    y  = gamma xhat + beta,   xhat = (x - mean) rstd,   rstd = 1 / sqrt(variance + epsilon);  gamma, beta (G D,)
    dx = rstd (gamma dy - mean(gamma dy) - xhat mean(gamma dy xhat))

(Wu and He, "Group normalization", 2018, equations 1 to 6; with P = G = 1 Ba, Kiros and Hinton, "Layer normalization",
2016; with D = 1 Ulyanov, Vedaldi and Lempitsky, "Instance normalization", 2016.)

With one position a group's numbers lie side by side: such rows go the way of `rows`. Else an
image is what a chunk of rows is to batch normalization: sums down its columns (`simd.columns`), folded into groups,
then an affine map with a factor a column. One task takes an image through both passes while it is in L2::

    image n   | position 0: c0 c1 | c2 c3 | .. |     sums of a column         mean, rstd       factors of a column
    (P, G D)  | position 1: c0 c1 | c2 c3 | .. | --> c0 c1 c2 c3 ..  --fold-> g0    g1   ----> c0 c1 c2 c3 ..  --> y
              |     ..                         |

A few large images are cut into slabs of positions: first all sums, then, each slab for itself, fold and map.
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import WORK_THRESHOLD, inlined, kernel, parallel
from fastcnn.kernels.cpu.normalization.batch import piece_of
from fastcnn.kernels.cpu.normalization.rows import (
    add_rows,
    row_chunks,
    row_gradients,
    rows_backward_scratch,
    rows_forward_scratch,
    rows_normalized,
    with_defaults,
)
from fastcnn.kernels.cpu.normalization.statistics import long_row
from fastcnn.kernels.cpu.simd.columns import column_affine, column_gradient, column_moments, column_products
from fastcnn.kernels.cpu.simd.memory import accumulate, aligned
from fastcnn.kernels.cpu.simd.sums import TERMS, add_pairwise, add_wide, take_wide, wide

_FEW = 8  # images: where there are fewer, large ones are cut into slabs
_FORWARD, _BACKWARD = 5, 6  # long rows of scratch a slab
_TOTALS = 4  # long rows behind them where the slabs' sums are long: two, of float64


@inlined
def _slabs(n, positions, c):
    """Return into how many slabs of positions an image is cut."""
    return max(1, min(_FEW // max(1, n), positions * c // WORK_THRESHOLD))


def group_norm_forward_scratch(shape, dtype):
    """Return how many elements of scratch `group_norm_forward` wants for x of `shape` (N, P, G, D)."""
    n, positions, groups, d = shape
    if positions == 1:
        return rows_forward_scratch(groups * d)
    return _scratch(n, positions, groups * d, _FORWARD)


def group_norm_backward_scratch(shape, dtype):
    """Return how many elements of scratch `group_norm_backward` wants for x of `shape` (N, P, G, D)."""
    n, positions, groups, d = shape
    if positions == 1:
        return rows_backward_scratch(n * groups, d, groups * d)
    return _scratch(n, positions, groups * d, _BACKWARD)


def _scratch(n, positions, c, parts):
    slabs = n * _slabs(n, positions, c)
    return aligned(parts * slabs * long_row(c)) + (_TOTALS * slabs * long_row(c) if _is_long(n, positions, c) else 0)


@inlined
def _is_long(n, positions, c):
    """Whether a slab has more long rows than are one short sum."""
    return positions * c > TERMS * long_row(c) * _slabs(n, positions, c)


@inlined
def _totals(scratch, slab, slabs, lanes, parts, is_long):
    """Return a slab's two long rows of totals, cleared, or two of size 0."""
    at = aligned(parts * slabs * lanes) + _TOTALS * slab * lanes
    end = at + 2 * lanes if is_long else at
    one, other = wide(scratch[at:end]), wide(scratch[end:2 * end - at])
    for k in range(one.size):
        one[k] = other[k] = 0
    return one[:lanes], other[:lanes]


@kernel
def group_norm_forward(y, mean, rstd, scratch, x, gamma, beta, epsilon):
    """Normalize each sample's groups by their own mean and (biased) variance.

    Parameters
    ----------
    y : (N, P, G, D) array
        Written.
    mean, rstd : (N, G) arrays
        Written: saved for the backward pass.
    scratch : (group_norm_forward_scratch(shape, dtype),) array
    x : (N, P, G, D) array
    gamma, beta : (G D,) or (0,) arrays
        Scale and offset; of size 0 where there is none.
    epsilon : float
    """
    n, positions, groups, d = x.shape
    to, of = y.reshape(-1), x.reshape(-1)
    if positions == 1:
        with_defaults(scratch, gamma, beta, groups * d)
        chunks = row_chunks(n * groups, d)
        parallel(rows_normalized, chunks, (chunks, to, mean.reshape(-1), rstd.reshape(-1), scratch, of, groups, d,
                                           epsilon))
    else:
        slabs, lanes = _slabs(n, positions, groups * d), long_row(groups * d)
        parts = scratch[:_FORWARD * n * slabs * lanes].reshape(_FORWARD * n * slabs, lanes)
        for turn in range(1 if slabs == 1 else 3):  # one call in the code: each would be compiled
            args = (turn, slabs, to, mean, rstd, parts, scratch, of, gamma, beta, positions, epsilon)
            parallel(_slab_forward, n * slabs, args)


@inlined
def _slab_forward(slab, turn, slabs, y, mean, rstd, parts, scratch, x, gamma, beta, positions, epsilon):
    """Take a slab through a turn, or through all three: sums; sums about the mean, and squares; the map.

    What a turn writes into its slab's parts of the scratch, 0 and 1 and 2, then 2 and 3 and 4, then 0 and 1 and 2, the
    others do not read in the same turn.
    """
    n, groups = mean.shape
    rows, image = n * positions, slab // slabs
    c = x.size // rows
    d, lanes, real = c // groups, long_row(c), x.dtype.type
    own = _FORWARD * slab
    shift = parts[own + 2]
    if turn == 0:  # one of a group's numbers: the distances of equal numbers from it are zero, exactly
        for g in range(groups):
            first = x[image * positions * c + g * d]
            for k in range(g * d, (g + 1) * d):
                shift[k] = first
        for k in range(c, lanes):
            shift[k] = shift[k % c]
    for at_mean in range(2):
        if turn == at_mean or slabs == 1:
            if at_mean == 1:
                for g in range(groups):
                    center = shift[g * d] + _total(parts, image, slabs, np.int64(0), c, g * d, d) / (positions * d)
                    for k in range(g * d, (g + 1) * d):
                        shift[k] = real(center)
                for k in range(c, lanes):
                    shift[k] = shift[k % c]
            sums, squares = parts[own + 3 * at_mean], parts[own + 3 * at_mean + 1]
            for k in range(lanes):
                sums[k] = squares[k] = 0
            is_long = _is_long(n, positions, c)
            of_sums, of_squares = _totals(scratch, slab, n * slabs, lanes, _FORWARD, is_long)
            for piece in range(2):
                at, count, columns = piece_of(piece, slab, n * slabs, rows, c)
                some = TERMS if is_long else max(1, count)
                for first in range(0, count, some):
                    column_moments(sums, squares, shift, x, at + first * columns, min(some, count - first), columns)
                    if is_long:
                        add_wide(of_sums, sums)
                        add_wide(of_squares, squares)
            if is_long:
                take_wide(sums, of_sums)
                take_wide(squares, of_squares)
    if turn == 2 or slabs == 1:
        means, scales, offsets = shift, parts[own], parts[own + 1]
        for g in range(groups):
            apart = _total(parts, image, slabs, np.int64(3), c, g * d, d) / (positions * d)
            square = _total(parts, image, slabs, np.int64(4), c, g * d, d) / (positions * d)
            center, deviation = real(shift[g * d] + apart), real(1.0 / math.sqrt(square - apart * apart + epsilon))
            if slab == image * slabs:
                mean[image, g], rstd[image, g] = center, deviation
            for k in range(g * d, (g + 1) * d):
                means[k] = center
                scales[k] = deviation * (gamma[k] if gamma.size > 0 else real(1))
                offsets[k] = beta[k] if beta.size > 0 else real(0)
        for k in range(c, lanes):
            means[k], scales[k], offsets[k] = means[k % c], scales[k % c], offsets[k % c]
        for piece in range(2):
            at, count, columns = piece_of(piece, slab, n * slabs, rows, c)
            column_affine(means, scales, offsets, y, x, at, count, columns, 0)


@inlined
def _total(parts, image, slabs, index, c, first, d):
    """Return the sum, in float64, of a group's `d` columns of part `index` over an image's slabs.

    The index is an np.int64: each literal would be a type of its own, and compiled.
    """
    total = 0.0
    for slab in range(image * slabs, (image + 1) * slabs):
        row = parts[_FORWARD * slab + index]
        for begin in range(first, row.size, c):
            for k in range(begin, begin + d):
                total += row[k]
    return total


@kernel
def group_norm_backward(dx, dgamma, dbeta, scratch, dy, x, mean, rstd, gamma):
    """Write dx, and add to the gradients of scale and offset.

    Parameters
    ----------
    dx : (N, P, G, D) array
        Written.
    dgamma, dbeta : (G D,) or (0,) arrays
        Added to.
    scratch : (group_norm_backward_scratch(shape, dtype),) array
    dy, x : (N, P, G, D) arrays
    mean, rstd : (N, G) arrays
        As the forward pass wrote them.
    gamma : (G D,) or (0,) array
    """
    n, positions, groups, d = x.shape
    c = groups * d
    to, gradient, of = dx.reshape(-1), dy.reshape(-1), x.reshape(-1)
    if positions == 1:
        with_defaults(scratch, gamma, gamma[:0], c)
        chunks = row_chunks(n * groups, d)
        parallel(row_gradients, chunks, (chunks, to, scratch, gradient, of, mean.reshape(-1), rstd.reshape(-1),
                                         groups, d))
        add_rows(dgamma, dbeta, scratch, chunks, c)
    else:
        slabs, lanes = _slabs(n, positions, c), long_row(c)
        parts = scratch[:_BACKWARD * n * slabs * lanes].reshape(_BACKWARD * n * slabs, lanes)
        for turn in range(1 if slabs == 1 else 2):
            parallel(_slab_backward, n * slabs,
                     (turn, slabs, to, parts, scratch, gradient, of, mean, rstd, gamma, positions))
        for slab in range(n * slabs):
            products = parts[_BACKWARD * slab + 1]
            for k in range(c):
                products[k] *= rstd[slab // slabs, k // d]
        for which in range(2):
            add_pairwise(scratch, which * lanes, _BACKWARD * lanes, n * slabs, c)
        if n > 0 and dbeta.size > 0:
            accumulate(dbeta, 0, scratch, 0, c)
        if n > 0 and dgamma.size > 0:
            accumulate(dgamma, 0, scratch, lanes, c)


@inlined
def _slab_backward(slab, turn, slabs, dx, parts, scratch, dy, x, mean, rstd, gamma, positions):
    """Take a slab through a turn, or through both: sums of dy and of dy (x - mean) by channel; dx."""
    n, groups = mean.shape
    rows, image = n * positions, slab // slabs
    c = x.size // rows
    d, lanes, real = c // groups, long_row(c), x.dtype.type
    own = _BACKWARD * slab
    plain, products, means = parts[own], parts[own + 1], parts[own + 2]
    scales, constants, steeps = parts[own + 3], parts[own + 4], parts[own + 5]
    if turn == 0:
        for k in range(lanes):
            plain[k] = products[k] = 0
            means[k] = mean[image, k % c // d]
        is_long = _is_long(n, positions, c)
        of_plain, of_products = _totals(scratch, slab, n * slabs, lanes, _BACKWARD, is_long)
        for piece in range(2):
            at, count, columns = piece_of(piece, slab, n * slabs, rows, c)
            some = TERMS if is_long else max(1, count)
            for first in range(0, count, some):
                column_products(plain, products, means, means, means, dy, x, at + first * columns,
                                min(some, count - first), columns, 0)
                if is_long:
                    add_wide(of_plain, plain)
                    add_wide(of_products, products)
        if is_long:
            take_wide(plain, of_plain)
            take_wide(products, of_products)
        for which in range(2):
            add_pairwise(scratch, (own + which) * lanes, c, lanes // c, c)
    if turn == 1 or slabs == 1:
        for g in range(groups):
            total = along = 0.0
            for other in range(image * slabs, (image + 1) * slabs):
                plain, products = parts[_BACKWARD * other], parts[_BACKWARD * other + 1]
                for k in range(g * d, (g + 1) * d):
                    factor = np.float64(gamma[k]) if gamma.size > 0 else 1.0
                    total += factor * plain[k]
                    along += factor * products[k]
            deviation = np.float64(rstd[image, g])
            constant, steep = deviation * total / (positions * d), deviation**3 * along / (positions * d)
            for k in range(g * d, (g + 1) * d):
                scales[k] = rstd[image, g] * (gamma[k] if gamma.size > 0 else real(1))
                constants[k], steeps[k] = real(constant), real(steep)
        for k in range(c, lanes):
            scales[k], constants[k], steeps[k] = scales[k % c], constants[k % c], steeps[k % c]
        for piece in range(2):
            at, count, columns = piece_of(piece, slab, n * slabs, rows, c)
            column_gradient(means, scales, scales, constants, steeps, dx, dy, x, at, count, columns, 0)
