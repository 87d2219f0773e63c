"""Long sums, whose error does not grow with the number of terms.

A number added to a large sum loses the bits below the sum's last one, and often always in the same direction: adding
0.1 a million times in float32 is off by one percent. So sums in the arrays' type are kept *short*, of TERMS numbers at
most in one lane of a vector, and short sums are added in float64, which takes almost no time::

    row       | block of 1024 | block of 1024 | ..      of vectors of 16 numbers, say          -> total, float64
    columns   | 64 rows       | 64 rows       | ..      sums of a block, one for each column   -> totals, float64

Sums of several tasks are added in pairs, then pairs of pairs. A sum of few numbers is a plain one. Windows
(`window_emitters`) and the register tile (`tile`) have both steps in vector code of their own.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.width import lanes

TERMS = 64  #: numbers that one lane adds one after another
FAR = 1 << 19  #: positions of images, from which gradients of weights, sums over all, take in TERMS of them at once
BLOCK = 64 * lanes("float32")  #: numbers of a row that are one short sum: of vectors, four at a time, lanes add 16


@inlined
def row_sum(row):
    """Return the sum of a flat array in float64, or in its own type where it is short."""
    if row.size <= BLOCK:
        return np.float64(_short_sum(row))
    total = np.float64(0)
    for begin in range(0, row.size, BLOCK):
        total += _short_sum(row[begin:begin + BLOCK])
    return total


@inlined
def _short_sum(row):
    total = row.dtype.type(0)
    for k in range(row.size):
        total += row[k]
    return total


@inlined
def row_product(row, other):
    """Return the sum of products of two flat arrays, as `row_sum`."""
    total = np.float64(0)
    for begin in range(0, row.size, BLOCK):
        a, b = row[begin:begin + BLOCK], other[begin:begin + BLOCK]
        some = row.dtype.type(0)
        for k in range(a.size):
            some += a[k] * b[k]
        total += some
    return total


@inlined
def wide(array):
    """Return memory seen as float64: half as many numbers where it is float32."""
    return array.view(np.float64)


@inlined
def add_wide(totals, sums):
    """Add short sums to totals in float64, and clear them."""
    for k in range(sums.size):
        totals[k] += sums[k]
        sums[k] = 0


@inlined
def take_wide(sums, totals):
    """Write totals in float64 as numbers of the arrays' type."""
    for k in range(sums.size):
        sums[k] = totals[k]


@inlined
def add_pairwise(array, at, step, parts, count):
    """Add `parts` rows of `count` numbers, `step` apart, into the first: two by two, so that few additions follow."""
    apart = 1
    while apart < parts:
        for part in range(0, parts - apart, 2 * apart):
            to, of = np.uintp(at + part * step), np.uintp(at + (part + apart) * step)
            for k in range(np.uintp(count)):
                array[to + k] += array[of + k]
        apart *= 2
