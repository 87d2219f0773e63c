"""Which taps of a window each output position sees, and the walk over all positions of a band.

Along a dimension, tap t of output position p looks at input position (p u + t v + w) / d, if that is a whole number
inside the image. A convolution has u = stride, v = dilation, w = -padding, d = 1; the gradient of its input has u = 1
and d = stride, and is just such a walk over dy. Positions that see the same taps form a run, and a run of rows times a
run of columns is one product::

        columns, 3x3, padding 1                      columns, gradient of stride 2, 3x3
        +---+-----------+---+                        p   0 1 2 3 4 5
        | 4 |     6     | 4 |   taps a position      t   1 . 1 . 1 .      even positions see one tap,
        +---+-----------+---+   sees: zeros are          . 0 . 0 . 0      odd ones two: phases of
        | 6 |     9     | 6 |   never multiplied         . 2 . 2 . 2      their own, no zeros between
        +---+-----------+---+
        | 4 |     6     | 4 |
        +---+-----------+---+

Nothing is copied: tiles read the image where it lies.
"""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.gemm.packing import blocks_of
from fastcnn.kernels.cpu.gemm.tile import M0
from fastcnn.kernels.cpu.gemm.walk import TABLE, Sums, walk_grid
from fastcnn.kernels.cpu.simd.memory import at3

NEAR = 4096  # elements of A in a panel that stays in L1
FAR = 98304  # elements of A in a panel that stays in L2
SMALL = 65536  # elements of B up to which it stays in L2 as a whole


class Dimension(NamedTuple):
    """The formula of a dimension: tap t of position p looks at (p u + t v + w) / d, of `length`.

    From one tap that a position sees to the next, the tap grows by `tap` and the place it looks at by `step`.
    """

    u: Any
    v: Any
    w: Any
    d: Any
    taps: Any
    length: Any
    tap: Any
    step: Any


class Images(NamedTuple):
    """Images in an array from element `at` on, `image` apart, their rows `wide`; the elements of a pixel are known."""

    array: Any
    at: Any
    image: Any
    wide: Any


class FilterBank(NamedTuple):
    """Rows of filters in an array, (blocks, taps, depth): `row` and `block` apart; and where their sums start."""

    array: Any
    row: Any
    block: Any
    start: Any
    start_at: Any


class OutputRange(NamedTuple):
    """What is computed: rows low .. high of some images, for the blocks of filters first .. last."""

    images: Any
    low: Any
    high: Any
    first: Any
    last: Any


@inlined
def dimension(u, v, w, d, taps, length):
    """Return a dimension's formula."""
    tap = np.int64(1)
    while d > 1 and tap * v % d != 0:
        tap += 1
    return Dimension(np.int64(u), np.int64(v), np.int64(w), np.int64(d), np.int64(taps), np.int64(length), tap,
                     np.int64(tap * v // d))


@inlined
def seen(p, along):
    """Return the first tap that position p sees inside the image, how many it sees, and where the first looks."""
    first, count, place = np.int64(0), np.int64(0), np.int64(0)
    q = p * along.u + along.w
    for t in range(along.taps):
        # Divisions are slow: without this a small image with a border spends a quarter of its time here.
        at = q if along.d == 1 else q // along.d
        if q >= 0 and at * along.d == q and at < along.length:
            if count == 0:
                first, place = np.int64(t), np.int64(at)
            count += 1
        q += along.v
    return first, count, place


@inlined
def run_of(p, end, along):
    """Return how many of the positions p, p + d, p + 2 d .. below `end` see the same taps as p.

    From one position to the next, what each tap sees moves on by u. The run ends where the last tap leaves the image,
    or where the tap before the first enters it.
    """
    first, count, place = seen(p, along)
    most = -(-(end - p) // along.d)
    if count > 0:
        n = min(most, (along.length - 1 - place - (count - 1) * along.step) // along.u + 1)
        return min(n, -((place - along.step) // along.u)) if first >= along.tap else n
    n = np.int64(1)
    while n < most and seen(p + n * along.d, along)[1] == 0:
        n += 1
    return n


@inlined
def panel_of(weights, row):
    """Return rows of a panel where B has `weights` elements and A `row` of its own for each row."""
    room = NEAR if weights <= SMALL else FAR
    return np.int64(max(1, min(TABLE, room // max(1, row)) // M0) * M0)


@inlined
def cover(y, x, bank, part, rows, columns, channels, ends):
    """Compute output rows of some images, for the filters of some blocks.

    Parameters
    ----------
    y, x : Images
        Of groups * filters channels, written; of groups * depth.
    bank : FilterBank
    part : OutputRange
    rows, columns : Dimension
    channels : (groups, depth, filters)
    ends : (addend, bounds)
        As in `Sums`.
    """
    for phase in range(part.low, min(part.high, part.low + rows.d)):
        p = phase
        while p < part.high:
            tall = run_of(p, part.high, rows)
            _cover_run(y, x, bank, part, (p, tall), (rows, columns), channels, ends)
            p += tall * rows.d


@inlined
def _cover_run(y, x, bank, part, run, along, channels, ends):
    """The rows p, p + d .. that see the same taps."""
    (p, tall), (rows, columns), (groups, depth, filters) = run, along, channels
    k, c, d_row = groups * filters, groups * depth, depth * bank.row
    width, blocks = blocks_of(y.array, filters)
    count = min(filters, part.last * width) - part.first * width
    r, r_count, top = seen(p, rows)
    for phase in range(columns.d):
        q = phase
        while q < y.wide:
            broad = run_of(q, y.wide, columns)
            s, s_count, left = seen(q, columns)
            own = depth * min(r_count, rows.u) * min(s_count, columns.u)
            c_step, tap_step = columns.step * c, columns.tap * d_row
            loops = at3(r_count, s_count, depth)
            if c_step == depth and tap_step == d_row:
                loops = at3(r_count, 1, s_count * depth)
            for group in range(groups):
                block = group * blocks + part.first
                walk_grid((y.array, (y.at + (p * y.wide + q) * k + group * filters + part.first * width, y.image,
                                     rows.d * y.wide * k, columns.d * k)),
                          (x.array, (x.at + (top * x.wide + left) * c + group * depth, x.image, rows.u * x.wide * c,
                                     columns.u * c, rows.step * x.wide * c, c_step, 1)),
                          (bank.array, (block * bank.block + (r * columns.taps + s) * d_row,
                                        rows.tap * columns.taps * d_row, tap_step, bank.row, bank.block)),
                          at3(part.images, tall, broad), loops,
                          Sums(count, bank.start, bank.start_at + block * width, ends[0], ends[1]),
                          panel_of(count * r_count * s_count * depth, own))
            q += broad * columns.d
