"""The loops of a walk over tiles (`walk`), on bare pointers: panels of rows, blocks of columns, parts of sums, tiles.

A sum of more than SHORT steps is made in parts of SPAN, each from zero and added to C, so that no accumulator adds more
products one after another (`fastcnn.kernels.cpu.simd.sums`). The panel's rows pass through one part before the next::

    B, a block of columns     | part 0 |  -> C = start + sum      rows of the panel
                              | part 1 |  -> C += sum             rows of the panel again

Its eight tiles are most of the machine code of a kernel that multiplies, so they are compiled once for each type and
kernels call them through a symbol (`fastcnn.kernels.cpu.compile.shared`).
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.codes import LINEAR
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared, i64
from fastcnn.kernels.cpu.gemm.tile import M0, M1, M2, M3, Columns, Epilogue, Results, Scalars, tile
from fastcnn.kernels.cpu.simd.activations import activate_rows
from fastcnn.kernels.cpu.simd.sums import TERMS
from fastcnn.kernels.cpu.simd.width import features, lanes_of, multiplies_two

SHORT = 512  # steps of a sum that is made in one go
SPAN = 384  # steps of a part of a longer one: beginning and ending a tile takes 160 cycles, a part of them 5,400
TABLE = 32 * M0  #: rows of a panel at most
SPARE = M0 // 2  # rows by which the last tile may stand over the end
TWO = multiplies_two()
PAGE = 4096 // features()[1]  #: vectors


class Walk(NamedTuple):
    """What a walk takes beside pointers: integers, strides in elements.

    Attributes
    ----------
    grid, c_grid, a_grid : (int, int, int)
        The rows, and their strides in C and in A.
    loops, a_steps, b_steps : (int, int, int)
        The steps of a sum, along r, s and j, and their strides in A and in B.
    b_block : int
        From a block of B to the next.
    columns : int
    fresh : int
        How sums start, as `Epilogue` of the tile says.
    panel : int
        Rows that pass through all blocks before the next.
    function : int
        The code of an activation of finished results (`simd.activations`); another one for none.
    """

    grid: Any
    c_grid: Any
    a_grid: Any
    loops: Any
    a_steps: Any
    b_steps: Any
    b_block: Any
    columns: Any
    fresh: Any
    panel: Any
    function: Any


WALK = types.NamedTuple([types.UniTuple(types.int64, 3)] * 6 + [types.int64] * 5, Walk)


@intrinsic
def _table(typingctx):
    """Return memory on the stack for the offsets of a panel's rows, and some more."""
    def codegen(context, builder, signature, args):
        slot = cgutils.alloca_once(builder, ir.ArrayType(i64, TABLE + SPARE))
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
def _multiplies_pairs(typingctx, a):
    """Whether a pointer leads to pairs of bfloat16."""
    return types.boolean(a), lambda context, builder, signature, args: context.get_constant(
        types.boolean, signature.args[0].dtype == PAIRS)


@inlined
def _spans(r, s, j, fresh, whole):
    """Return how many of the steps of each loop are made at once: all of a short sum, else about SPAN in all.

    A part of a sum that is longer than SLICE, which `walk_long` adds, is made in parts of TERMS. A sum of pairs is made
    `whole`: their 8 bits lose more than it does, and in 16 bits no part of a sum is kept.
    """
    if whole or r * s * j <= SHORT:
        return r, s, j
    span = np.int64(TERMS if fresh == 0 else SPAN)
    parts = -(-j // span)
    j_span = -(-j // parts)
    s_span = min(s, max(np.int64(1), span // j_span))
    return min(r, max(np.int64(1), span // (j_span * s_span))), s_span, j_span


@inlined(always=True)
def runs_of(w):
    """Return grid, c_grid and a_grid with rows along the last dimension, which runs are made of."""
    (n0, n1, n2), (c0, c1, c2), (a0, a1, a2) = w.grid, w.c_grid, w.a_grid
    if n2 == 1:
        return (n0, n2, n1), (c0, c2, c1), (a0, a2, a1)
    return w.grid, w.c_grid, w.a_grid


@inlined(always=True)
def _row_places(c_rows, a_rows, rows, grid, strides, place):
    """Write where the next rows of the grid begin, in runs of its last dimension; return the place after them."""
    (_, n1, n2), ((c0, c1, c2), (a0, a1, a2)), (i0, i1, i2), row = grid, strides, place, 0
    while row < rows:
        run = min(n2 - i2, rows - row)
        c_row, a_row = i0 * c0 + i1 * c1 + i2 * c2, i0 * a0 + i1 * a1 + i2 * a2
        for i in range(run):
            c_rows[row + i] = c_row + i * c2
            a_rows[row + i] = a_row + i * a2
        row += run
        i2 += run
        if i2 == n2:
            i2, i1 = np.int64(0), i1 + 1
            if i1 == n1:
                i1, i0 = np.int64(0), i0 + 1
    # The last row again: a tile may stand some rows over the end, where it writes the same once more.
    for i in range(SPARE):
        c_rows[rows + i] = c_rows[rows - 1]
        a_rows[rows + i] = a_rows[rows - 1]
    return i0, i1, i2


@inlined(always=True)
def height_of(rows, highest):
    """Return how tall the next tile is, where some rows are left.

    As tall as fits, or a taller one of which some rows stand over the end, where that takes less time than two: a tile
    of 2 rows takes as long as one of 4 or 5, since it waits for its own sums, and each reads all of B. Where a core
    multiplies one vector a cycle, all that counts are rows.
    """
    if not TWO:
        return M0 if highest == M0 and rows >= M0 else M1 if rows >= M1 else M2 if rows >= M2 else M3
    if highest == M0 and rows > M1 and 2 * rows >= M0 + M1 - 1:
        return M0
    if rows > M2 and 2 * rows >= M1 + M2 - 1:
        return M1
    return M2 if rows > M3 and 2 * rows >= M2 + M3 - 1 else M3


@inlined(always=True)
def _panel(rows, highest, c, a, b, loops, epilogue, function):
    """Take the rows of a panel through some steps of their sums, and apply a function to what is finished."""
    width = 2 if c.columns > lanes_of(c.pointer) else 1
    row = 0
    while row < rows:
        height = height_of(rows - row, highest)
        tile(np.int64(height), np.int64(width), Results(c.pointer, moved(c.rows, row), c.columns),
             Scalars(a.pointer, moved(a.rows, row), a.steps), b, loops, epilogue)
        if function != LINEAR:
            activate_rows(c.pointer, moved(c.rows, row), min(np.int64(height), rows - row),
                          min(c.columns, np.int64(width * lanes_of(c.pointer))), function)
        row += height


@inlined(always=True)
def _block(rows, highest, c, a, b, epilogue, w):
    """Take the rows of a panel through all steps of one block of columns, a part of the sums after the other."""
    (r, s, j), (a_r, a_s, a_j), (b_r, b_s, b_j) = w.loops, a.steps, b.steps
    r_span, s_span, j_span = _spans(r, s, j, w.fresh, _multiplies_pairs(a.pointer))
    fresh, r0, s0, j0 = epilogue.fresh, 0, 0, 0
    while True:  # once for a sum of no steps, too
        loops = min(r_span, r - r0), min(s_span, s - s0), min(j_span, j - j0)
        a_part = Scalars(moved(a.pointer, r0 * a_r + s0 * a_s + j0 * a_j), a.rows, a.steps)
        b_part = Columns(moved(b.pointer, r0 * b_r + s0 * b_s + j0 * b_j), b.steps)
        j0 += j_span
        if j0 >= j:
            j0, s0 = 0, s0 + s_span
            if s0 >= s:
                s0, r0 = 0, r0 + r_span
        bounds = epilogue.bounds if r0 >= r else null_like(epilogue.bounds)
        function = w.function if r0 >= r else np.int64(LINEAR)
        _panel(rows, highest, c, a_part, b_part, loops, Epilogue(epilogue.start, epilogue.addend, fresh, bounds),
               function)
        fresh = np.int64(0)
        if r0 >= r:
            break


def _tiles(c, a, b, start, addend, bounds, w):
    """The walk on bare pointers; the tile of one vector serves what one vector holds."""
    c_rows, a_rows = _table(), _table()
    grid, c_grid, a_grid = runs_of(w)
    strides, one = (c_grid, a_grid), lanes_of(c)
    # Rows of A a multiple of 4 KB apart all fall into one set of L1, which holds 8 lines: a lower tile then.
    highest = M1 if a_grid[2] % (one * PAGE) == 0 and a_grid[2] != 0 else M0
    total, first, place = grid[0] * grid[1] * grid[2], 0, (np.int64(0), np.int64(0), np.int64(0))
    while first < total:
        rows = min(w.panel, total - first)
        first += rows
        place = _row_places(c_rows, a_rows, rows, grid, strides, place)
        for column in range(0, w.columns, 2 * one):
            here, left, begin = moved(c, column), w.columns - column, moved(start, column)
            _block(rows, highest, Results(here, c_rows, left), Scalars(a, a_rows, w.a_steps),
                   Columns(moved(b, column // (2 * one) * w.b_block), w.b_steps),
                   Epilogue(begin, moved(addend, column), w.fresh, bounds), w)


#: What is multiplied: numbers, or pairs of bfloat16 with sums in float32, whose results lie in float32 or in 16 bits.
PAIRS, SHORT_PAIRS = types.uint32, types.uint16
_KINDS = types.float32, types.float64, PAIRS, SHORT_PAIRS


def kind_of(c, a):
    """Return which of the kinds of walks multiplies, by the types of the numbers of C and A."""
    return c if c == SHORT_PAIRS else a


def arguments(kind):
    """Return the types of what a kind of walk takes."""
    operand, result = types.CPointer(kind), types.CPointer(kind)
    if kind in (PAIRS, SHORT_PAIRS):
        operand, start = types.CPointer(PAIRS), types.CPointer(types.float32)
        result = result if kind == SHORT_PAIRS else start
        return result, operand, operand, start, result, start, WALK
    return (*[operand] * 6, WALK)


#: The walk behind its symbol.
shared = Shared(_tiles, arguments, _KINDS)
