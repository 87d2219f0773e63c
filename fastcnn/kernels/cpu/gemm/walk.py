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

from typing import Any, NamedTuple

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.codes import LINEAR
from fastcnn.kernels.cpu.compile.shared import i64
from fastcnn.kernels.cpu.gemm.walk_long import LONG, shared_long
from fastcnn.kernels.cpu.gemm.walk_tiles import PAIRS, SHORT_PAIRS, TABLE, WALK, kind_of, shared
from fastcnn.kernels.cpu.simd.activations import function_behind
from fastcnn.kernels.cpu.simd.width import block_width, lanes_of

__all__ = ["TABLE", "Sums", "block_width", "lanes_of", "walk", "walk_grid"]


class Sums(NamedTuple):
    """How sums begin and end.

    Attributes
    ----------
    columns : int
        Of the results.
    start, start_at : array, int
        Where the sums start: at ``start[start_at + column]``; if `start_at` is -1 at zero, and they are added to what
        is in C; if it is -2 at what is in C, so that a sum of few steps in two calls has the bits of one.
    addend : array or int
        Added to the results: an array that lies as C does, or nothing where it is empty or the number 0.
    bounds : array or int
        The lowest and the highest result, which others are set to; the number 0 for none. A third number is the code
        of an activation of the results (`simd.activations`).
    """

    columns: Any
    start: Any
    start_at: Any
    addend: Any = 0
    bounds: Any = 0


@intrinsic
def walk_grid(typingctx, c, a, b, grid, loops, sums, panel):
    """Compute rows x columns results with the tallest tiles that fit.

    Parameters
    ----------
    c : (array, (offset, strides of the grid))
        Results, the columns side by side.
    a : (array, (offset, strides of the grid, strides of r, s, j))
    b : (array, (offset, strides of r, s, j, stride of blocks))
        Blocks of `block_width` columns.
    grid : (N0, N1, N2)
        The rows.
    loops : (R, S, J)
        The steps of a sum.
    sums : Sums
    panel : int
        Rows that pass through all blocks before the next: 1 .. TABLE.
    """
    kind = _published(c, a)
    three = types.UniTuple(types.int64, 3)
    signature = types.void(_operand(c, 4), _operand(a, 7), _operand(b, 5), three, three, sums, types.int64)

    def codegen(context, builder, signature, args):
        places, (c_grid, a_steps, b_steps) = _unpacked(context, builder, signature, args)
        grid, loops = (cgutils.unpack_tuple(builder, value) for value in args[3:5])
        walk = grid, c_grid, a_steps[:3], loops, a_steps[3:], b_steps[:3], b_steps[3]
        _emit(context, builder, kind, places, walk, (signature.args[5], args[5]), args[6])
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def walk(typingctx, c, a, b, loops, sums, rows):
    """`walk_grid` for rows that lie evenly, one block, and no addend.

    `c` is (array, (offset, stride of rows)), `a` (array, (offset, strides of rows, r, s, j)), `b` (array, (offset,
    strides of r, s, j)).
    """
    kind = _published(c, a)
    three = types.UniTuple(types.int64, 3)
    signature = types.void(_operand(c, 2), _operand(a, 5), _operand(b, 4), three, sums, types.int64)

    def codegen(context, builder, signature, args):
        places, ((c_i,), (a_i, *a_steps), b_steps) = _unpacked(context, builder, signature, args)
        zero, one = i64(0), i64(1)
        loops = cgutils.unpack_tuple(builder, args[3])
        walk = (one, one, args[5]), (zero, zero, c_i), (zero, zero, a_i), loops, a_steps, b_steps, zero
        _emit(context, builder, kind, places, walk, (signature.args[4], args[4]), i64(TABLE))
        return context.get_dummy_value()

    return signature, codegen


def _published(c, a):
    """Return the kind of a walk, which is compiled and known to the linker then."""
    kind = kind_of(c.types[0].dtype, a.types[0].dtype)
    shared.publish(kind)
    if kind not in (PAIRS, SHORT_PAIRS):
        shared_long.publish(kind)
    return kind


def _operand(given, numbers):
    """Return the type of an operand: an array, and an offset and strides."""
    return types.Tuple((given.types[0], types.UniTuple(types.int64, numbers)))


def _unpacked(context, builder, signature, args):
    """Return (pointer to an array, offset) of each of the three operands, and the strides of each."""
    places, strides = [], []
    for kind, operand in zip(signature.args[:3], args[:3], strict=True):
        array, numbers = cgutils.unpack_tuple(builder, operand)
        offset, *steps = cgutils.unpack_tuple(builder, numbers)
        places.append((context.make_array(kind.types[0])(context, builder, array).data, offset))
        strides.append(steps)
    return places, strides


def _emit(context, builder, kind, places, walk, sums, panel):
    """Emit the call of a kind of walk; `walk` are the fields of `Walk` up to the columns."""
    def array(which):
        one = kinds.types[which]
        return context.make_array(one)(context, builder, values[which]) if isinstance(one, types.Array) else None

    kinds, values = sums[0], cgutils.unpack_tuple(builder, sums[1])
    (c, a, b), columns, start_at = (builder.gep(data, [at]) for data, at in places), values[0], values[2]
    start, addend, bounds = map(array, (1, 3, 4))
    # A negative start_at says that the sums start at what lies in c; the start is not read then.
    given = builder.icmp_signed(">=", start_at, i64(0))
    begin = builder.gep(start.data, [builder.select(given, start_at, i64(0))])
    rest = builder.icmp_signed("==", start_at, i64(-2))
    fresh, added = builder.select(given, i64(1), builder.select(rest, i64(3), i64(0))), c
    if addend is not None:  # it lies as c does
        there = builder.and_(given, builder.icmp_signed(">", addend.nitems, i64(0)))
        added = builder.select(there, builder.gep(addend.data, [places[0][1]]), added)
        fresh = builder.select(there, i64(2), fresh)
    pointers = [c, a, b, begin, added, begin.type(None) if bounds is None else bounds.data]
    numbers = [context.make_tuple(builder, types.UniTuple(types.int64, len(some)), some) for some in walk[:6]]
    function = i64(LINEAR) if bounds is None else function_behind(builder, bounds)
    record = context.make_tuple(builder, WALK, [*numbers, walk[6], columns, fresh, panel, function])
    if kind in (PAIRS, SHORT_PAIRS):  # whose sums are made whole
        shared.call(builder, kind, [*pointers, record])
        return
    steps = builder.mul(builder.mul(*walk[3][:2]), walk[3][2])
    with builder.if_else(builder.icmp_signed(">", steps, i64(LONG)), likely=False) as (is_long, is_short):
        with is_long:
            shared_long.call(builder, kind, [*pointers, record])
        with is_short:
            shared.call(builder, kind, [*pointers, record])
