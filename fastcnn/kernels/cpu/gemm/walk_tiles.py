"""The loops of a walk over tiles (`walk`), on bare pointers: panels of rows, blocks of columns, parts of sums, tiles.

A sum of more than SHORT steps is made in parts of SPAN, each from zero and added to C, so that no accumulator adds more
products one after another (`fastcnn.kernels.cpu.simd.sums`). The panel's rows pass through one part before the next::

    B, a block of columns     | part 0, in L1 |  -> C = start + sum      rows of the panel
                              | part 1, in L1 |  -> C += sum             rows of the panel again

Its nine tiles are most of the machine code of a kernel that multiplies, so they are compiled once for each type and
kernels call them through a symbol (`fastcnn.kernels.cpu.compile.shared`).
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared, i64
from fastcnn.kernels.cpu.gemm.tile import M0, M1, M2, M3, prefetch, tile
from fastcnn.kernels.cpu.simd.sums import TERMS
from fastcnn.kernels.cpu.simd.vectors import Vectors
from fastcnn.kernels.cpu.simd.width import features, lanes_of

SHORT = 512  # steps of a sum that is made in one go
SPAN = 256  # steps of a part of a longer one: its rows of B, 32 KB, stay in L1 for the rows of the panel
TALL = 2 * M0  # rows of a tile of one vector, which begins and ends half as often
TABLE = 32 * M0  #: rows of a panel at most
PAGE = 4096 // features()[1]  #: vectors


@intrinsic
def _table(typingctx):
    """Return memory on the stack for the offsets of a panel's rows, and one more."""
    def codegen(context, builder, signature, args):
        slot = cgutils.alloca_once(builder, ir.ArrayType(i64, TABLE + 1))
        return builder.bitcast(slot, i64.as_pointer())

    return types.CPointer(types.int64)(), codegen


@intrinsic
def moved(typingctx, pointer, offset):
    """Return pointer + offset."""
    def codegen(context, builder, signature, args):
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, types.int64), codegen


@intrinsic
def null_like(typingctx, pointer):
    """Return a null pointer."""
    def codegen(context, builder, signature, args):
        return args[0].type(None)

    return pointer(pointer), codegen


@intrinsic
def _begin(typingctx, c, addend, c_rows, rows, start, columns):
    """c = addend + start, in rows of up to two vectors: where tiles let their sums start then.

    In a pass of its own, since in the tile it would take registers from all that have no addend. The panel's rows lie
    in L1 or L2 when the tiles read them; `addend` may be `c` itself.
    """
    def codegen(context, builder, signature, args):
        c, addend, c_rows, rows, start, columns = args
        v = Vectors(builder, signature.args[0].dtype)
        masks = [v.mask(builder.sub(columns, i64(u * v.L))) for u in range(2)]
        starts = [v.load(start, u, mask) for u, mask in enumerate(masks)]
        with cgutils.for_range(builder, rows) as loop:
            at = builder.load(builder.gep(c_rows, [loop.index]))
            for u in range(2):
                place = [builder.add(at, i64(u * v.L))]
                prefetch(builder, builder.gep(addend, place))
                prefetch(builder, builder.gep(c, place), write=True)
        with cgutils.for_range(builder, rows) as loop:
            at = builder.load(builder.gep(c_rows, [loop.index]))
            for u, mask in enumerate(masks):
                value = builder.fadd(v.load(builder.gep(addend, [at]), u, mask), starts[u])
                v.store(value, builder.gep(c, [at]), u, mask)
        return context.get_dummy_value()

    return types.void(c, addend, c_rows, types.int64, start, types.int64), codegen


@inlined
def _spans(r, s, j, fresh):
    """Return how many of the steps of each loop are made at once: all of a short sum, else about SPAN in all.

    A part of a sum that is longer than SLICE, which `walk_long` adds, is made in parts of TERMS.
    """
    if r * s * j <= SHORT:
        return r, s, j
    span = np.int64(TERMS if fresh == 0 else SPAN)
    parts = -(-j // span)
    j_span = -(-j // parts)
    s_span = min(s, max(np.int64(1), span // j_span))
    return min(r, max(np.int64(1), span // (j_span * s_span))), s_span, j_span


def _tiles(c, a, b, start, addend, bounds, n0, n1, n2, c0, c1, c2, a0, a1, a2, r, s, j, a_r, a_s, a_j, b_r, b_s, b_j,
           b_block, columns, fresh, panel):
    """The walk on bare pointers; the tile of one vector serves what one vector holds."""
    c_rows, a_rows = _table(), _table()
    a_steps, b_steps, no_bounds = (a_r, a_s, a_j), (b_r, b_s, b_j), null_like(bounds)
    own = 1 if fresh == 1 else 2 if fresh == 3 else 0
    r_span, s_span, j_span = _spans(r, s, j, fresh)
    one = lanes_of(c)
    if n2 == 1:  # the table is written in runs of the last dimension
        n1, n2, c1, c2, a1, a2 = 1, n1, 0, c1, 0, a1
    # Rows of A a multiple of 4 KB apart all fall into one set of L1, which holds 8 lines: a lower tile then.
    highest = M1 if a2 % (one * PAGE) == 0 and a2 != 0 else M0
    first, i0, i1, i2 = 0, 0, 0, 0
    while first < n0 * n1 * n2:
        rows = min(panel, n0 * n1 * n2 - first)
        first += rows
        row = 0
        while row < rows:
            run = min(n2 - i2, rows - row)
            c_row, a_row = i0 * c0 + i1 * c1 + i2 * c2, i0 * a0 + i1 * a1 + i2 * a2
            for i in range(run):
                c_rows[row + i] = c_row + i * c2
                a_rows[row + i] = a_row + i * a2
            row += run
            i2 += run
            if i2 == n2:
                i2, i1 = 0, i1 + 1
                if i1 == n1:
                    i1, i0 = 0, i0 + 1
        # The last row twice: a tile of two may stand one row over the end, where it writes the same once more.
        c_rows[rows] = c_rows[rows - 1]
        a_rows[rows] = a_rows[rows - 1]
        for column in range(0, columns, 2 * one):
            left = columns - column
            cb, bb, sb = moved(c, column), moved(b, column // (2 * one) * b_block), moved(start, column)
            if fresh == 2:
                _begin(cb, moved(addend, column), c_rows, rows, sb, left)
            r0, s0, j0 = 0, 0, 0
            while True:  # the parts of the sum, one if it is short
                loops = min(r_span, r - r0), min(s_span, s - s0), min(j_span, j - j0)
                first_part = r0 == 0 and s0 == 0 and j0 == 0
                ap = moved(a, r0 * a_r + s0 * a_s + j0 * a_j)
                bp = moved(bb, r0 * b_r + s0 * b_s + j0 * b_j)
                fresh_part = own if first_part else 0
                j0 += j_span
                if j0 >= j:
                    j0, s0 = 0, s0 + s_span
                    if s0 >= s:
                        s0, r0 = 0, r0 + r_span
                limits = bounds if r0 >= r else no_bounds
                row = 0
                if left <= one:
                    while row < rows:
                        ct, at = moved(c_rows, row), moved(a_rows, row)
                        if highest == M0 and rows - row >= TALL:
                            tile(TALL, 1, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += TALL
                        elif highest == M0 and rows - row >= M0:
                            tile(M0, 1, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += M0
                        elif rows - row >= M1:
                            tile(M1, 1, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += M1
                        elif rows - row >= M2:
                            tile(M2, 1, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += M2
                        else:
                            tile(M3, 1, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += M3
                else:
                    while row < rows:
                        ct, at = moved(c_rows, row), moved(a_rows, row)
                        if highest == M0 and rows - row >= M0:
                            tile(M0, 2, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += M0
                        elif rows - row >= M1:
                            tile(M1, 2, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += M1
                        elif rows - row >= M2:
                            tile(M2, 2, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += M2
                        else:
                            tile(M3, 2, cb, ct, ap, at, a_steps, bp, b_steps, loops, sb, fresh_part, left, limits)
                            row += M3
                if r0 >= r:
                    break


def arguments(dtype):
    """Return the types of what the walk takes."""
    return (*[types.CPointer(dtype)] * 6, *[types.int64] * 22)


#: The walk behind its symbol.
shared = Shared(_tiles, arguments)
