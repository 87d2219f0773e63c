"""The general tile, a block's part of a matrix product: BM rows x BN columns of A (M, R) B (R, N), BK terms at a time.

Terms go through shared memory, where they lie by columns of A and by rows of B. There are two buffers: while one is
multiplied, the numbers of the next step are on their way from memory into registers, so a step has one barrier. A
thread has TM x TN sums in registers::

    shared, BK x BM of A and BK x BN of B          b0 b1 b2 b3   16 bytes, of one term
                                               a0   .  .  .  .
    | a a a a | a a a a | ..                   a1   .  .  .  .
    | b b b b | b b b b | ..                   a2   .  .  .  .   16 multiply-adds
                                               a3   .  .  .  .

Sums of CHUNK steps are added to totals, so that no error grows with the number of terms.
"""

from types import SimpleNamespace

from fastcnn.kernels.cuda.compile.shim import div, f32, i32, inlined, load4, rem, sized

BK = sized(16, 4)
TM = TN = 4
SUMS = TM * TN
CHUNK = sized(16, 2)  # steps
FAR = -(1 << 28)  # a row outside of every image, whatever is added to it


def general(bm: int, bn: int) -> SimpleNamespace:
    """Return the sizes of a tile of so many rows and columns.

    ``A_EACH`` and ``B_EACH`` are how many numbers a thread brings; ``AW`` and ``BW`` how far it is from one term to the
    next in shared memory, a little more than a row, so that writes by columns meet other banks.

    Parameters
    ----------
    bm, bn : int
    """
    across = bn // TN
    threads = bm // TM * across
    assert threads >= max(bm, bn, BK), "a thread brings one column of a tile, or a part of it"
    return SimpleNamespace(BM=bm, BN=bn, BK=BK, THREADS=threads, ACROSS=across, A_EACH=bm * BK // threads,
                           B_EACH=bn * BK // threads, AW=bm + 4, BW=bn + 4)


#: For many columns, and for so few that most of a square one would be idle.
SQUARE, NARROW = general(sized(64, 16), sized(64, 16)), general(sized(128, 32), sized(32, 16))


@inlined
def clear(sums):
    """Set the sums of a thread to zero."""
    for u in range(SUMS):
        sums[u] = f32(0)


@inlined
def multiply(sums, a, b, a_tile, b_tile, at_a, at_b, aw, bw):
    """Add BK terms to the sums of a thread, whose part of the tiles begins at `at_a` and `at_b`."""
    for q in range(BK):
        a[0], a[1], a[2], a[3] = load4(a_tile, at_a + q * aw)
        b[0], b[1], b[2], b[3] = load4(b_tile, at_b + q * bw)
        for u in range(TM):
            for v in range(TN):
                sums[u * TN + v] += a[u] * b[v]


@inlined
def take(totals, sums):
    """Add the sums of a thread to its totals, and clear them."""
    for u in range(SUMS):
        totals[u] += sums[u]
        sums[u] = f32(0)


@inlined
def place_of(position, rows, columns):
    """Return the image, the row and the column of a position."""
    line = div(position, columns)
    number = div(line, rows)
    return number, i32(line - number * rows), i32(position - line * columns)


@inlined
def corner_of(t, across):
    """Return the first row and column of the sums of a thread, in its block's part."""
    return div(t, across) * TM, rem(t, across) * TN
