"""The tile on tensor cores: TF32, products of numbers of 10 bits of mantissa, whose sums are float32's.

A warp has 64 x 32 sums, 4 x 4 tiles of a core of 16 x 8, and adds 8 terms to all of them at a time. Terms lie so that
its 32 lanes read 32 banks: A by rows of 20 numbers, B by terms of 136. Which lane holds what is PTX's (mma.m16n8k8)::

    lane = 4 group + i         A: rows group, group + 8, terms i, i + 4      B: terms i, i + 4, column group
                               sums: rows group, group + 8, columns 2 i, 2 i + 1
"""

from fastcnn.kernels.cuda.compile.shim import div, i32, inlined, load1, mma_grid, rem, sized, tf32

_DOWN, _ACROSS = sized(2, 1), sized(4, 1)  # warps
BM, BN, BK = 64 * _DOWN, 32 * _ACROSS, 16
THREADS = 32 * _DOWN * _ACROSS
AW, BW = BK + 4, BN + 8
A_SIZE, B_SIZE = BM * AW, BK * BW
SUMS, A_PART, B_PART = 64, 16, 8
STEPS = sized(16, 1)  # whose sums are added to the totals
COLUMNS_APART = 8
IN_QUADS = False  #: whether a thread has runs of four sums side by side, or of two

rounded = tf32


@inlined
def multiply(sums, a, b, a_tile, b_tile, at_a, at_b, t):
    """Add BK terms of tiles that begin at `at_a` and `at_b` to the sums of a warp."""
    warp, group, i = div(t, 32), div(rem(t, 32), 4), rem(t, 4)
    at_a += (div(warp, _ACROSS) * 64 + group) * AW + i
    at_b += i * BW + rem(warp, _ACROSS) * 32 + group
    _eight(sums, a, b, a_tile, b_tile, at_a, at_b)
    _eight(sums, a, b, a_tile, b_tile, at_a + 8, at_b + 8 * BW)


@inlined
def _eight(sums, a, b, a_tile, b_tile, at_a, at_b):
    """Eight terms: a lane's parts of 4 tiles of A and of 4 of B."""
    for n in range(4):
        at = at_a + n * 16 * AW
        a[n * 4], a[n * 4 + 1] = load1(a_tile, at), load1(a_tile, at + 8 * AW)
        a[n * 4 + 2], a[n * 4 + 3] = load1(a_tile, at + 4), load1(a_tile, at + 8 * AW + 4)
        b[n * 2], b[n * 2 + 1] = load1(b_tile, at_b + n * 8), load1(b_tile, at_b + n * 8 + 4 * BW)
    mma_grid(sums, a, b)


@inlined
def a_place(term, row):
    """Return where in shared memory a number of A lies."""
    return row * AW + term


@inlined
def b_place(term, column):
    """Return where in shared memory a number of B lies."""
    return term * BW + column


@inlined
def row_of(u, t):
    """Return row `u` of the eight of a thread."""
    return i32(div(div(t, 32), _ACROSS) * 64 + div(u, 2) * 16 + rem(u, 2) * 8 + div(rem(t, 32), 4))


@inlined
def column_of(t):
    """Return the first column of a thread; the next run of columns is `COLUMNS_APART` further."""
    return i32(rem(div(t, 32), _ACROSS) * 32 + 2 * rem(t, 4))


@inlined
def first_of(u):
    """Return which sum is the first of row `u`; the next run begins four further."""
    return i32(div(u, 2) * 16 + rem(u, 2) * 2)
