"""The wide tile of float32: 128 x 128 sums of a block, 8 x 8 of a thread, all memory in 16 bytes at a time.

Terms lie in shared memory as in `tile`, by columns of A and by rows of B. A thread's columns are two quads, half a tile
apart, so that neighbours read neighbouring quads::

    | b0 .. b3 |  ..  | b4 .. b7 |      of one term: four reads of 16 bytes for 64 multiply-adds
"""

from fastcnn.kernels.cuda.compile.shim import div, i32, inlined, load4, rem, sized

BM, BN, BK = sized(128, 16), sized(128, 16), 8
TM = TN = 8
ACROSS = BN // TN
THREADS = BM // TM * ACROSS
AW, BW = BM + 4, BN + 4
A_SIZE, B_SIZE = BK * AW, BK * BW
SUMS, A_PART, B_PART = TM * TN, TM, TN
STEPS = sized(32, 2)  # whose sums are added to the totals
COLUMNS_APART = BN // 2
IN_QUADS = True  #: whether a thread has runs of four sums side by side, or of two


@inlined
def rounded(value):
    """Return a number as it is multiplied: as it is."""
    return value


@inlined
def multiply(sums, a, b, a_tile, b_tile, at_a, at_b, t):
    """Add BK terms of tiles that begin at `at_a` and `at_b` to the sums of thread `t`."""
    at_a += div(t, ACROSS) * TM
    at_b += rem(t, ACROSS) * 4
    for q in range(BK):
        a[0], a[1], a[2], a[3] = load4(a_tile, at_a + q * AW)
        a[4], a[5], a[6], a[7] = load4(a_tile, at_a + q * AW + 4)
        b[0], b[1], b[2], b[3] = load4(b_tile, at_b + q * BW)
        b[4], b[5], b[6], b[7] = load4(b_tile, at_b + q * BW + COLUMNS_APART)
        for u in range(TM):
            for v in range(TN):
                sums[u * TN + v] += a[u] * b[v]


@inlined
def a_place(term, row):
    """Return where in shared memory a number of A lies."""
    return term * AW + row


@inlined
def b_place(term, column):
    """Return where in shared memory a number of B lies."""
    return term * BW + column


@inlined
def row_of(u, t):
    """Return row `u` of the eight of a thread."""
    return i32(div(t, ACROSS) * TM + u)


@inlined
def column_of(t):
    """Return the first column of a thread; the next run of columns is `COLUMNS_APART` further."""
    return i32(rem(t, ACROSS) * 4)


@inlined
def first_of(u):
    """Return which sum is the first of row `u`; the next run begins four further."""
    return u * TN
