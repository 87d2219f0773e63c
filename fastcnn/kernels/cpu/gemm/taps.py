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

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.gemm.packing import blocks_of
from fastcnn.kernels.cpu.gemm.tile import M0
from fastcnn.kernels.cpu.gemm.walk import TABLE, walk_grid
from fastcnn.kernels.cpu.simd.memory import at3

NEAR = 4096  # elements of A for a panel that is to stay in L1
FAR = 98304  # elements of A for a panel that is to stay in L2
SMALL = 65536  # elements of B that stay in L2 whole


@inlined
def dimension(u, v, w, d, taps, length):
    """Return a dimension's formula as one tuple, with the steps between its taps: of the tap, and of what it sees."""
    tap = np.int64(1)
    while tap * v % d != 0:
        tap += 1
    return (np.int64(u), np.int64(v), np.int64(w), np.int64(d), np.int64(taps), np.int64(length), tap,
            np.int64(tap * v // d))


@inlined
def seen(p, along):
    """Return the first tap that position p sees inside the image, how many it sees, and where the first looks."""
    u, v, w, d, taps, length, _, _ = along
    first, count, place = np.int64(0), np.int64(0), np.int64(0)
    for t in range(taps):
        q = p * u + t * v + w
        if q >= 0 and q % d == 0 and q // d < length:
            if count == 0:
                first, place = np.int64(t), np.int64(q // d)
            count += 1
    return first, count, place


@inlined
def run_of(p, end, along):
    """Return how many of the positions p, p + d, p + 2 d .. below `end` see the same taps as p.

    What each tap sees moves on by u from one position to the next: until the last one leaves the image, or the one
    before the first enters it.
    """
    u, _, _, d, _, length, tap, step = along
    first, count, place = seen(p, along)
    most = -(-(end - p) // d)
    if count > 0:
        n = min(most, (length - 1 - place - (count - 1) * step) // u + 1)
        return min(n, -((place - step) // u)) if first >= tap else n
    n = np.int64(1)
    while n < most and seen(p + n * d, along)[1] == 0:
        n += 1
    return n


@inlined
def panel_of(weights, row):
    """Return rows of a panel where B has `weights` elements and A `row` of its own for each row."""
    room = NEAR if weights <= SMALL else FAR
    return np.int64(max(1, min(TABLE, room // max(1, row)) // M0) * M0)


@inlined
def cover(y, y_at, y_image, wide, a, a_at, a_image, a_wide, b, b_row, b_block, start, start_at, images, low, high, rows,
          columns, groups, depth, filters, from_block, to_block, addend, bounds):
    """Compute output rows low .. high of `images` images, for the filters of some blocks.

    y[y_at:] is (images, H, wide, groups * filters), a[a_at:] (images, H', a_wide, groups * depth); `y_image`, `a_image`
    are the strides of images; `rows` and `columns` are dimensions; `depth` is that of one tap. b is rows of filters,
    (blocks, taps, depth), `b_row` and `b_block` apart. `addend` and `bounds` are as in `walk_grid`.
    """
    k, c = groups * filters, groups * depth
    width, blocks = blocks_of(y, filters)
    count = min(filters, to_block * width) - from_block * width
    for phase in range(low, min(high, low + rows[3])):
        p = phase
        while p < high:
            tall = run_of(p, high, rows)
            r, r_count, top = seen(p, rows)
            for column_phase in range(columns[3]):
                q = column_phase
                while q < wide:
                    broad = run_of(q, wide, columns)
                    s, s_count, left = seen(q, columns)
                    own = depth * min(r_count, rows[0]) * min(s_count, columns[0])
                    for group in range(groups):
                        block = group * blocks + from_block
                        steps = columns[7] * c, columns[6] * depth * b_row
                        loops = at3(r_count, s_count, depth)
                        if steps[0] == depth and steps[1] == depth * b_row:
                            loops = at3(r_count, 1, s_count * depth)
                        walk_grid(y, (y_at + (p * wide + q) * k + group * filters + from_block * width, y_image,
                                      rows[3] * wide * k, columns[3] * k),
                                  a, (a_at + (top * a_wide + left) * c + group * depth, a_image, rows[0] * a_wide * c,
                                      columns[0] * c, rows[7] * a_wide * c, steps[0], 1),
                                  b, (block * b_block + (r * columns[4] + s) * depth * b_row,
                                      rows[6] * columns[4] * depth * b_row, steps[1], b_row, b_block),
                                  at3(images, tall, broad), loops, start, start_at + block * width, addend, count,
                                  bounds, panel_of(count * r_count * s_count * depth, own))
                    q += broad * columns[3]
            p += tall * rows[3]
