"""Slabs of images in group normalization: a few positions of one image, taken through its turns while they lie in L2.

An image that one task takes is one slab. A few large ones are cut into more, which threads share: first all write their
sums, then each folds those of its whole image into groups, and maps::

    image   slab 0   | positions | ..    sums of a column -->  +  --> mean, rstd of a group -->  y of the slab
            slab 1   | positions | ..    sums of a column -->  +
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import WORK_THRESHOLD, inlined
from fastcnn.kernels.cpu.normalization.batch import piece_of
from fastcnn.kernels.cpu.normalization.statistics import long_row
from fastcnn.kernels.cpu.simd.columns import Rows, column_affine, column_gradient, column_moments, column_products
from fastcnn.kernels.cpu.simd.memory import aligned
from fastcnn.kernels.cpu.simd.sums import TERMS, add_pairwise, add_wide, take_wide, wide
from fastcnn.kernels.rectifier import NO_RECTIFIER

_FEW = 8  # images: where there are fewer, large ones are cut into slabs
FORWARD, BACKWARD = 5, 6  # long rows of scratch a slab
_TOTALS = 4  # long rows behind them where the slabs' sums are long: two, of float64


@inlined
def slabs_of(n, positions, c):
    """Return into how many slabs of positions an image is cut."""
    return max(1, min(_FEW // max(1, n), positions * c // WORK_THRESHOLD))


def slab_scratch(n, positions, c, parts):
    slabs = n * slabs_of(n, positions, c)
    return aligned(parts * slabs * long_row(c)) + (_TOTALS * slabs * long_row(c) if _is_long(n, positions, c) else 0)


@inlined
def _is_long(n, positions, c):
    """Whether a slab has more long rows than are one short sum."""
    return positions * c > TERMS * long_row(c) * slabs_of(n, positions, c)


@inlined
def _totals(scratch, slab, slabs, lanes, parts, is_long):
    """Return a slab's two long rows of totals, cleared, or two of size 0."""
    at = aligned(parts * slabs * lanes) + _TOTALS * slab * lanes
    end = at + 2 * lanes if is_long else at
    one, other = wide(scratch[at:end]), wide(scratch[end:2 * end - at])
    for k in range(one.size):
        one[k] = other[k] = 0
    return one[:lanes], other[:lanes]


@inlined
def slab_forward(slab, turn, slabs, y, saved, memory, x, formula):
    """Take a slab through a turn, or through all three: sums; sums about the mean, and squares; the map.

    What a turn writes into its slab's parts of the scratch, 0 and 1 and 2, then 2 and 3 and 4, then 0 and 1 and 2, the
    others do not read in the same turn.
    """
    (mean, _), (parts, _), (_, _, positions, _) = saved, memory, formula
    n, groups = mean.shape
    image, c = slab // slabs, x.size // (n * positions)
    d, real, shift = c // groups, x.dtype.type, parts[FORWARD * slab + 2]
    if turn == 0:  # one of a group's numbers: the distances of equal numbers from it are zero, exactly
        for g in range(groups):
            first = x[image * positions * c + g * d]
            for k in range(g * d, (g + 1) * d):
                shift[k] = first
        _repeat(shift, c)
    for at_mean in range(2):
        if turn == at_mean or slabs == 1:
            if at_mean == 1:
                for g in range(groups):
                    center = shift[g * d] + _total(parts, image, slabs, np.int64(0), c, g * d, d) / (positions * d)
                    for k in range(g * d, (g + 1) * d):
                        shift[k] = real(center)
                _repeat(shift, c)
            _slab_moments(slab, slabs, at_mean, memory, x, n, positions)
    if turn == 2 or slabs == 1:
        _slab_map(slab, slabs, y, saved, parts, x, formula)


@inlined
def _repeat(row, c):
    """Fill a long row with its first `c` numbers, again and again."""
    for k in range(c, row.size):
        row[k] = row[k % c]


@inlined
def _slab_moments(slab, slabs, at_mean, memory, x, n, positions):
    """Write a slab's sums of numbers and of squares about the shift, by channel: the first, or those about the mean."""
    parts, scratch = memory
    rows, own = n * positions, FORWARD * slab
    c = x.size // rows
    lanes, is_long = long_row(c), _is_long(n, positions, c)
    sums, squares = parts[own + 3 * at_mean], parts[own + 3 * at_mean + 1]
    for k in range(lanes):
        sums[k] = squares[k] = 0
    of_sums, of_squares = _totals(scratch, slab, n * slabs, lanes, FORWARD, is_long)
    for piece in range(2):
        at, count, columns = piece_of(piece, slab, n * slabs, rows, c)
        some = TERMS if is_long else max(1, count)
        for first in range(0, count, some):
            column_moments((sums, squares, parts[own + 2]), x,
                           Rows(at + first * columns, min(some, count - first), columns))
            if is_long:
                add_wide(of_sums, sums)
                add_wide(of_squares, squares)
    if is_long:
        take_wide(sums, of_sums)
        take_wide(squares, of_squares)


@inlined
def _slab_map(slab, slabs, y, saved, parts, x, formula):
    """Normalize a slab by its image's moments, which are saved once for an image."""
    (mean, rstd), (gamma, beta, positions, epsilon) = saved, formula
    n, groups = mean.shape
    rows, image, own = n * positions, slab // slabs, FORWARD * slab
    c, real = x.size // rows, x.dtype.type
    d, means, scales, offsets = c // groups, parts[own + 2], parts[own], parts[own + 1]
    for g in range(groups):
        apart = _total(parts, image, slabs, np.int64(3), c, g * d, d) / (positions * d)
        square = _total(parts, image, slabs, np.int64(4), c, g * d, d) / (positions * d)
        center, deviation = real(means[g * d] + apart), real(1.0 / math.sqrt(square - apart * apart + epsilon))
        if slab == image * slabs:
            mean[image, g], rstd[image, g] = center, deviation
        for k in range(g * d, (g + 1) * d):
            means[k] = center
            scales[k] = deviation * (gamma[k] if gamma.size > 0 else real(1))
            offsets[k] = beta[k] if beta.size > 0 else real(0)
    for row in (means, scales, offsets):
        _repeat(row, c)
    for piece in range(2):
        at, count, columns = piece_of(piece, slab, n * slabs, rows, c)
        column_affine((means, scales, offsets), y, x, Rows(at, count, columns), NO_RECTIFIER)


@inlined
def _total(parts, image, slabs, index, c, first, d):
    """Return the sum, in float64, of a group's `d` columns of part `index` over an image's slabs.

    The index is an np.int64: each literal would be a type of its own, and compiled.
    """
    total = 0.0
    for slab in range(image * slabs, (image + 1) * slabs):
        row = parts[FORWARD * slab + index]
        for begin in range(first, row.size, c):
            for k in range(begin, begin + d):
                total += row[k]
    return total


@inlined
def slab_backward(slab, turn, slabs, dx, memory, inputs, saved, positions):
    """Take a slab through a turn, or through both: sums of dy and of dy (x - mean) by channel; dx."""
    (parts, scratch), (dy, x), (mean, rstd, gamma) = memory, inputs, saved
    n, groups = mean.shape
    rows, image = n * positions, slab // slabs
    c = x.size // rows
    d, lanes, real = c // groups, long_row(c), x.dtype.type
    own = BACKWARD * slab
    plain, products, means = parts[own], parts[own + 1], parts[own + 2]
    scales, constants, steeps = parts[own + 3], parts[own + 4], parts[own + 5]
    if turn == 0:
        for k in range(lanes):
            plain[k] = products[k] = 0
            means[k] = mean[image, k % c // d]
        is_long = _is_long(n, positions, c)
        of_plain, of_products = _totals(scratch, slab, n * slabs, lanes, BACKWARD, is_long)
        for piece in range(2):
            at, count, columns = piece_of(piece, slab, n * slabs, rows, c)
            some = TERMS if is_long else max(1, count)
            for first in range(0, count, some):
                column_products((plain, products, means, means, means), dy, x,
                                Rows(at + first * columns, min(some, count - first), columns), NO_RECTIFIER)
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
                plain, products = parts[BACKWARD * other], parts[BACKWARD * other + 1]
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
            column_gradient((means, scales, scales, constants, steeps), dx, dy, x, Rows(at, count, columns),
                            NO_RECTIFIER)
