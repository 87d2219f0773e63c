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

The loops over tiles are in `walk_tiles`, those for very long sums in `walk_long`; here is how kernels call them.
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.shared import i64
from fastcnn.kernels.cpu.gemm.walk_long import LONG, shared_long
from fastcnn.kernels.cpu.gemm.walk_tiles import TABLE, shared
from fastcnn.kernels.cpu.simd.width import block_width, lanes_of

__all__ = ["TABLE", "block_width", "lanes_of", "walk", "walk_grid"]


def _publish(dtype):
    shared.publish(dtype)
    shared_long.publish(dtype)


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
        Where the sums start: at ``start[start_at + column]``; if `start_at` is -1 at zero, and they are added to what
        is in `c`; if it is -2 at what is in `c`, so that a sum of few steps in two calls has the bits of one.
    addend : array or int
        Added to the results: an array that lies as `c` does, or nothing where it is empty or the number 0.
    columns : int
    bounds : array or int
        The lowest and the highest result, which others are set to; the number 0 for none.
    panel : int
        Rows that pass through all blocks before the next: 1 .. TABLE.
    """
    _publish(c.dtype)
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
    _publish(c.dtype)
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
    rest = builder.icmp_signed("==", start_at, i64(-2))
    fresh, added = builder.select(given, i64(1), builder.select(rest, i64(3), i64(0))), pointers[0]
    if addend is not None:
        there = builder.and_(given, builder.icmp_signed(">", addend.nitems, i64(0)))
        added = builder.select(there, builder.gep(addend.data, [offsets[0]]), added)
        fresh = builder.select(there, i64(2), fresh)
    null = pointers[0].type(None)
    pointers += [added, null if bounds is None else bounds.data]
    values, dtype = [*pointers, *numbers, fresh, panel], signature.args[0].dtype
    steps = builder.mul(builder.mul(numbers[9], numbers[10]), numbers[11])
    with builder.if_else(builder.icmp_signed(">", steps, i64(LONG)), likely=False) as (is_long, is_short):
        with is_long:
            shared_long.call(builder, dtype, values)
        with is_short:
            shared.call(builder, dtype, values)
