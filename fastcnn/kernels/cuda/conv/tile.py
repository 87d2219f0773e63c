"""A block's part of a matrix product, C (M, N) = A (M, R) B (R, N): BM rows x BN columns, BK terms at a time.

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

from fastcnn.kernels.cuda.compile.shim import div, f32, i32, inlined, load4, rem, sized

BM, BN, BK = sized(64, 16), sized(64, 16), sized(16, 4)
TM = TN = 4
ACROSS = BN // TN  # threads side by side
THREADS = BM // TM * ACROSS

#: Numbers of A and B that a thread brings.
A_EACH, B_EACH = BM * BK // THREADS, BN * BK // THREADS

#: From one term to the next in shared memory; a little more than a row, so that writes by columns meet other banks.
AW, BW = BM + 4, BN + 4
A_SIZE, B_SIZE, SUMS = BK * AW, BK * BW, TM * TN
A_TWO, B_TWO = 2 * A_SIZE, 2 * B_SIZE

CHUNK = sized(16, 2)  # steps
FAR = -(1 << 28)  # a row outside of every image, whatever is added to it


@inlined
def clear(sums):
    """Set the sums of a thread to zero."""
    for u in range(SUMS):
        sums[u] = f32(0)


@inlined
def multiply(sums, a, b, a_tile, b_tile, at_a, at_b):
    """Add BK terms to the sums of a thread, whose part of the tiles begins at `at_a` and `at_b`."""
    for q in range(BK):
        a[0], a[1], a[2], a[3] = load4(a_tile, at_a + q * AW)
        b[0], b[1], b[2], b[3] = load4(b_tile, at_b + q * BW)
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
def corner_of(t):
    """Return the first row and column of the sums of a thread, in its block's part."""
    return div(t, ACROSS) * TM, rem(t, ACROSS) * TN
