"""The walk over the rows of a product in tiles.

    B, the operand read as vectors, packed in blocks of columns      C, rows x columns of results
    +-----------+-----------+----+                                   M0 rows  +----------+
    | block 0   | block 1   | .. |  zeros fill the last block        M0 rows  |          |  the tallest tile that fits,
    | step 0    |           |    |                                   M1 rows  |          |  then shorter ones
    | step 1    |           |    |                                   M4 row   +----------+
    | ...       |           |    |                                            one block
    +-----------+-----------+----+

A block of a 3x3 convolution of 64 channels is 9 * 64 * 32 numbers, 74 KB: it streams from L2 for each tile of rows,
while the rows of the image that the tile reads stay in L1.

The ten tiles of a walk are most of the machine code of a kernel that multiplies, so they are compiled once for each
type and kernels call them through a symbol (`fastcnn.kernels.cpu._symbol`).
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, overload

from fastcnn.kernels.cpu._jit import inlined
from fastcnn.kernels.cpu._symbol import Shared, i64
from fastcnn.kernels.cpu.tile import M0, M1, M2, M3, M4, lanes, tile


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


def _tiles(c, c_i, a, a_i, a_r, a_s, a_j, b, b_r, b_s, b_j, r, s, j, start, start_at, columns, relu, rows):
    """The walk on bare pointers; the tile of one vector serves what one vector holds."""
    b_at, loops = (0, b_r, b_s, b_j), (r, s, j)
    row = 0
    if columns <= lanes_of(c):
        while row < rows:
            left = rows - row
            c_at, a_at = (row * c_i, c_i), (row * a_i, a_i, a_r, a_s, a_j)
            if left >= M0:
                tile(M0, 1, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M0
            elif left >= M1:
                tile(M1, 1, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M1
            elif left >= M2:
                tile(M2, 1, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M2
            elif left >= M3:
                tile(M3, 1, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M3
            else:
                tile(M4, 1, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M4
    else:
        while row < rows:
            left = rows - row
            c_at, a_at = (row * c_i, c_i), (row * a_i, a_i, a_r, a_s, a_j)
            if left >= M0:
                tile(M0, 2, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M0
            elif left >= M1:
                tile(M1, 2, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M1
            elif left >= M2:
                tile(M2, 2, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M2
            elif left >= M3:
                tile(M3, 2, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M3
            else:
                tile(M4, 2, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu)
                row += M4


def _arguments(dtype):
    p, i = types.CPointer(dtype), types.int64
    return (p, i, p, i, i, i, i, p, i, i, i, i, i, i, p, i, i, i, i)


_shared = Shared(_tiles, _arguments)


@intrinsic
def walk(typingctx, c, c_at, a, a_at, b, b_at, loops, start, start_at, columns, relu, rows):
    """Compute `rows` x `columns` results with the tallest tiles that fit; the arguments are those of `tile`.

    `columns` is at most `block_width`.
    """
    _shared.publish(c.dtype)
    i = types.int64
    signature = types.void(c, types.UniTuple(i, 2), a, types.UniTuple(i, 5), b, types.UniTuple(i, 4),
                           types.UniTuple(i, 3), start, i, i, i, i)

    def codegen(context, builder, signature, args):
        def pointer(index, offset):
            data = context.make_array(signature.args[index])(context, builder, args[index]).data
            return builder.gep(data, [offset])

        (c_offset, c_i), (a_offset, *a_steps), (b_offset, *b_steps), steps = (
            cgutils.unpack_tuple(builder, args[k]) for k in (1, 3, 5, 6))
        # A negative start_at says that the sums start at what lies in c; the pointer is not read then.
        fresh = builder.icmp_signed(">=", args[8], i64(0))
        first = pointer(7, builder.select(fresh, args[8], i64(0)))
        start_or_not = builder.select(fresh, i64(0), i64(-1))
        _shared.call(builder, signature.args[0].dtype, [
            pointer(0, c_offset), c_i, pointer(2, a_offset), *a_steps, pointer(4, b_offset), *b_steps, *steps, first,
            start_or_not, *args[9:]])
        return context.get_dummy_value()

    return signature, codegen
