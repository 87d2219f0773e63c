"""The walk over the rows of a product in tiles.

    B, the operand read as vectors, in blocks of columns             C, rows x columns of results
    +-----------+-----------+----+                                        block 0    block 1
    | block 0   | block 1   | .. |  zeros fill the last block       M0 +----------+----------+
    | step 0    |           |    |                                  M0 |          |          |  one panel of rows:
    | step 1    |           |    |                                  M1 |          |          |  all its blocks, then
    | ...       |           |    |                                     +----------+----------+  the next panel
    +-----------+-----------+----+                                  M0 |          |

The rows are a grid of three dimensions (images, rows and columns of an image, say), each with its strides in A and C;
their offsets are written to a table on the stack, a panel at a time, from which the tiles take theirs.

In registers: one tile of C. In L1: the rows of A under one tile. In L2: a block of B, which streams through for every
tile (a 3x3 convolution of 512 channels has blocks of 590 KB; the tile runs as fast from L2 as from L1), and the
panel's rows of A. B as a whole passes once for a panel.

The nine tiles of a walk are most of the machine code of a kernel that multiplies, so they are compiled once for each
type and kernels call them through a symbol (`fastcnn.kernels.cpu._symbol`).
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from fastcnn.kernels.cpu._jit import inlined
from fastcnn.kernels.cpu._symbol import Shared, i64
from fastcnn.kernels.cpu.tile import M0, M1, M2, M3, features, lanes, prefetch, tile
from fastcnn.kernels.cpu.vectors import Vectors

TALL = 2 * M0  # rows of a tile of one vector, which begins and ends half as often
TABLE = 32 * M0  #: rows of a panel at most
PAGE = 4096 // features()[1]  #: vectors


def lanes_of(array):
    """Return the lanes of the type of `array`: a constant in compiled code."""
    return lanes(array.dtype)


@overload(lanes_of)
def _lanes_of(array):
    count = lanes(array.dtype)
    return lambda array: count


@inlined
def block_width(array, columns):
    """Return how many columns a packed block of B holds: one vector if they are few, else the two of a full tile."""
    one = lanes_of(array)
    return one if columns <= one else 2 * one


@intrinsic
def _table(typingctx):
    """Return memory on the stack for the offsets of a panel's rows, and one more."""
    def codegen(context, builder, signature, args):
        slot = cgutils.alloca_once(builder, ir.ArrayType(i64, TABLE + 1))
        return builder.bitcast(slot, i64.as_pointer())

    return types.CPointer(types.int64)(), codegen


@intrinsic
def _at(typingctx, pointer, offset):
    """Return pointer + offset."""
    def codegen(context, builder, signature, args):
        return builder.gep(args[0], [args[1]])

    return pointer(pointer, types.int64), codegen


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


def _tiles(c, a, b, start, addend, bounds, n0, n1, n2, c0, c1, c2, a0, a1, a2, r, s, j, a_r, a_s, a_j, b_r, b_s, b_j,
           b_block, columns, fresh, panel):
    """The walk on bare pointers; the tile of one vector serves what one vector holds."""
    c_rows, a_rows = _table(), _table()
    loops, a_steps, b_steps = (r, s, j), (a_r, a_s, a_j), (b_r, b_s, b_j)
    own = 1 if fresh == 1 else 0
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
            cb, bb, sb = _at(c, column), _at(b, column // (2 * one) * b_block), _at(start, column)
            if fresh == 2:
                _begin(cb, _at(addend, column), c_rows, rows, sb, left)
            row = 0
            if left <= one:
                while row < rows:
                    ct, at = _at(c_rows, row), _at(a_rows, row)
                    if highest == M0 and rows - row >= TALL:
                        tile(TALL, 1, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += TALL
                    elif highest == M0 and rows - row >= M0:
                        tile(M0, 1, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += M0
                    elif rows - row >= M1:
                        tile(M1, 1, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += M1
                    elif rows - row >= M2:
                        tile(M2, 1, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += M2
                    else:
                        tile(M3, 1, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += M3
            else:
                while row < rows:
                    ct, at = _at(c_rows, row), _at(a_rows, row)
                    if highest == M0 and rows - row >= M0:
                        tile(M0, 2, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += M0
                    elif rows - row >= M1:
                        tile(M1, 2, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += M1
                    elif rows - row >= M2:
                        tile(M2, 2, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += M2
                    else:
                        tile(M3, 2, cb, ct, a, at, a_steps, bb, b_steps, loops, sb, own, left, bounds)
                        row += M3


def _arguments(dtype):
    return (*[types.CPointer(dtype)] * 6, *[types.int64] * 22)


_shared = Shared(_tiles, _arguments)


@intrinsic
def walk_grid(typingctx, c, c_at, a, a_at, b, b_at, grid, loops, start, start_at, addend, columns, bounds, panel):
    """Compute rows x `columns` results with the tallest tiles that fit.

    Parameters
    ----------
    c, c_at : array, (offset, strides of the grid)
        Results, the columns side by side.
    a, a_at : array, (offset, strides of the grid, strides of r, s, j)
    b, b_at : array, (offset, strides of r, s, j, stride of blocks)
        Blocks of `block_width` columns.
    grid : (N0, N1, N2)
        The rows.
    loops : (R, S, J)
        The steps of a sum.
    start, start_at : array, int
        Where the sums start: at ``start[start_at + column]``, or at what is in `c` if `start_at` is negative.
    addend : array or int
        Added to the results: an array that lies as `c` does, or nothing where it is empty or the number 0.
    columns : int
    bounds : array or int
        The lowest and the highest result, which others are set to; the number 0 for none.
    panel : int
        Rows that pass through all blocks before the next: 1 .. TABLE.
    """
    _shared.publish(c.dtype)
    i = types.int64
    three = types.UniTuple(i, 3)
    signature = types.void(c, types.UniTuple(i, 4), a, types.UniTuple(i, 7), b, types.UniTuple(i, 5), three, three,
                           start, i, _maybe(addend), i, _maybe(bounds), i)

    def codegen(context, builder, signature, args):
        (c_offset, *c_grid), (a_offset, *a_steps), (b_offset, *b_steps), grid, steps = (
            cgutils.unpack_tuple(builder, args[k]) for k in (1, 3, 5, 6, 7))
        _emit(context, builder, signature, args, (c_offset, a_offset, b_offset), (0, 2, 4, 8, 10, 12),
              [*grid, *c_grid, *a_steps[:3], *steps, *a_steps[3:], *b_steps, args[11]], args[13])
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def walk(typingctx, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, bounds, rows):
    """`walk_grid` for rows that lie evenly, one block, and no addend.

    `c_at` is (offset, stride of rows), `a_at` (offset, strides of rows, r, s, j), `b_at` (offset, strides of r, s, j).
    """
    _shared.publish(c.dtype)
    i = types.int64
    signature = types.void(c, types.UniTuple(i, 2), a, types.UniTuple(i, 5), b, types.UniTuple(i, 4),
                           types.UniTuple(i, 3), start, i, i, _maybe(bounds), i)

    def codegen(context, builder, signature, args):
        (c_offset, c_i), (a_offset, a_i, *a_steps), (b_offset, *b_steps), steps = (
            cgutils.unpack_tuple(builder, args[k]) for k in (1, 3, 5, 6))
        zero, one = i64(0), i64(1)
        _emit(context, builder, signature, args, (c_offset, a_offset, b_offset), (0, 2, 4, 7, None, 10),
              [one, one, args[11], zero, zero, c_i, zero, zero, a_i, *steps, *a_steps, *b_steps, zero, args[9]],
              i64(TABLE))
        return context.get_dummy_value()

    return signature, codegen


def _maybe(given):
    """Return the type of an argument that is an array, or a number where there is none."""
    return given if isinstance(given, types.Array) else types.int64


def _emit(context, builder, signature, args, offsets, arrays, numbers, panel):
    """Emit the call: c, a, b, start, addend and bounds by their place among the arguments, then what the walk takes."""
    def array(place):
        if place is None or not isinstance(signature.args[place], types.Array):
            return None
        return context.make_array(signature.args[place])(context, builder, args[place])

    c, a, b, start, addend, bounds = map(array, arrays)
    pointers = [builder.gep(one.data, [offset]) for one, offset in zip((c, a, b), offsets, strict=True)]
    # A negative start_at says that the sums start at what lies in c; the start is not read then.
    start_at = args[arrays[3] + 1]
    given = builder.icmp_signed(">=", start_at, i64(0))
    pointers.append(builder.gep(start.data, [builder.select(given, start_at, i64(0))]))
    fresh, added = builder.zext(given, i64), pointers[0]
    if addend is not None:
        there = builder.and_(given, builder.icmp_signed(">", addend.nitems, i64(0)))
        added = builder.select(there, builder.gep(addend.data, [offsets[0]]), added)
        fresh = builder.select(there, i64(2), fresh)
    null = pointers[0].type(None)
    pointers += [added, null if bounds is None else bounds.data]
    _shared.call(builder, signature.args[0].dtype, [*pointers, *numbers, fresh, panel])
