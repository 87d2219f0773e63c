"""The register tile of bytes: products of activations and weights of 8 bits, summed in 32 and rounded to 8 again.

As the tile of numbers (`fastcnn.kernels.cpu.gemm.tile`): M x KV vectors of sums stay in registers while it walks
R x S x J steps, of four bytes each::

    sum[i, k] = start[k] + sum_r sum_s sum_j sum_t  A[i, r, s, 4 j + t] * B[r, s, j, k, t]        t = 0 .. 3

    A   four bytes of a row --broadcast-->   vpdpbusd   <--vector load--   B, the four bytes of each column together

The rows of A and C lie anywhere, as a table tells. Then each sum is requantized (`vectors.py`), or becomes a number.
"""

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.int8.vectors import LANES, WIDTH, Bytes
from fastcnn.kernels.cpu.simd.vectors import chosen
from fastcnn.kernels.cpu.simd.width import features

_I64 = ir.IntType(64)

#: Rows of the tiles with two vectors of columns, and of those with one, tallest first. Where fewer rows are left than a
#: tile has, the last one is computed again.
TALL = (14, 7, 4) if features()[2] == 32 else (5, 2)
SLIM = (14, 4) if features()[2] == 32 else (8, 2)
SHAPES = [(M, 2) for M in TALL] + [(M, 1) for M in SLIM]

#: Bytes of weights that are fetched ahead.
AHEAD = 8192

#: Rows of a panel, and of the table on the stack that tells where they lie.
TABLE = 32 * TALL[0]


class Requantization(NamedTuple):
    """How sums begin and what they become.

    Attributes
    ----------
    start, scale : pointer
        A sum of 32 bits and a float32 for each column, in whole blocks.
    bounds : pointer
        Two float32, the lowest and the highest value before the zero is added.
    zero : int
        Added to bytes; -1 where results are numbers of 4 bytes.
    """

    start: Any
    scale: Any
    bounds: Any
    zero: Any


@intrinsic
def offsets(typingctx):
    """Return memory on the stack for the offsets of a panel's rows, and of those that its last tile has too many."""
    def codegen(context, builder, signature, args):
        slot = cgutils.alloca_once(builder, ir.ArrayType(_I64, TABLE + TALL[0]))
        return builder.bitcast(slot, _I64.as_pointer())

    return types.CPointer(types.int64)(), codegen


@intrinsic
def address(typingctx, array, index):
    """Return a pointer to an element of a flat array."""
    def codegen(context, builder, signature, args):
        return builder.gep(context.make_array(signature.args[0])(context, builder, args[0]).data, [args[1]])

    return types.CPointer(array.dtype)(array, types.int64), codegen


@intrinsic
def byte_tile(typingctx, M, KV, c, a, b, loops, rounding):
    """Compute one tile of M x KV vectors, one of SHAPES.

    Parameters
    ----------
    M, KV : int
    c : (pointer, pointer to offsets of rows, columns that exist)
        Bytes; offsets are in results.
    a : (pointer, pointer to offsets of rows, (step of r, step of s))
        Bytes.
    b : pointer
        Bytes, KV vectors for each step.
    loops : (R, S, J)
    rounding : Requantization
    """
    def codegen(context, builder, signature, args):
        M, KV, *operands = args
        given = [cgutils.unpack_tuple(builder, one) if index != 2 else one for index, one in enumerate(operands)]
        number = builder.add(builder.mul(M, _I64(4)), KV)
        for shape in chosen(builder, number, {4 * M + KV: (M, KV) for M, KV in SHAPES}):
            _ByteTile(builder, shape).emit(*given)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, c, a, b, loops, rounding), codegen


class _ByteTile(Bytes):
    """Writes the code of a tile of one shape."""

    def __init__(self, builder: Any, shape: tuple[int, int]) -> None:
        super().__init__(builder)
        self.M, self.KV = shape

    def emit(self, c, a, b, loops, rounding):
        b_, (c, c_rows, columns), (start, scale, bounds, zero) = self.b, c, rounding
        sums = [[self.slots(1, self.load(start, k))[0] for k in range(self.KV)] for _ in range(self.M)]
        self._multiply(sums, a, b, loops)
        scales = [self.load(scale, k) for k in range(self.KV)]
        low, high = (self.broadcast(b_.load(b_.gep(bounds, [_I64(k)]))) for k in (0, 1))
        with b_.if_else(b_.icmp_signed(">=", zero, _I64(0))) as (as_bytes, as_numbers):
            with as_bytes:
                added = self.broadcast(b_.trunc(zero, ir.IntType(32)))
                finish = lambda value: self.rounded(value, added)
                self._finish(sums, scales, (low, high), finish, c, c_rows, columns)
            with as_numbers:
                numbers = b_.bitcast(c, self.element.as_pointer())
                self._finish(sums, scales, (low, high), lambda value: value, numbers, c_rows, columns)

    def _multiply(self, sums, a, b, loops):
        b_, (a, a_rows, steps) = self.b, a
        a_r, a_s = cgutils.unpack_tuple(b_, steps)
        rows = [b_.load(b_.gep(a_rows, [_I64(i)])) for i in range(self.M)]
        along, slab = cgutils.alloca_once_value(b_, b), WIDTH * self.KV
        with cgutils.for_range(b_, loops[0]) as r:
            row = b_.gep(a, [b_.mul(r.index, a_r)])
            with cgutils.for_range(b_, loops[1]) as s:
                column, here = b_.gep(row, [b_.mul(s.index, a_s)]), b_.load(along)
                with cgutils.for_range(b_, loops[2]) as j:
                    a_at = b_.gep(column, [b_.mul(j.index, _I64(4))])
                    b_at = b_.gep(here, [b_.mul(j.index, _I64(slab))])
                    vectors = [self.load_sums(b_at, k) for k in range(self.KV)]
                    for k in range(self.KV):  # weights mostly come from far: they are not read again before the next x
                        self.prefetch(b_.gep(b_at, [_I64(AHEAD + WIDTH * k)]))
                    for i in range(self.M):
                        four = self.four(b_.gep(a_at, [rows[i]]))
                        for k in range(self.KV):
                            self.add_products_of_bytes(sums[i][k], four, vectors[k])
                b_.store(b_.gep(here, [b_.mul(loops[2], _I64(slab))]), along)

    def _finish(self, sums, scales, bounds, finish, c, c_rows, columns):
        """Store what sums become, without masks where all columns exist, and with them."""
        b_ = self.b
        whole = b_.icmp_signed(">=", columns, _I64(self.KV * self.L))
        masks = [self.mask(b_.sub(columns, _I64(k * self.L))) for k in range(self.KV)]
        with b_.if_else(whole) as (full, partial):
            for branch, is_full in ((full, True), (partial, False)):
                with branch:
                    for i in range(self.M):
                        place = b_.gep(c, [b_.load(b_.gep(c_rows, [_I64(i)]))])
                        for k in range(self.KV):
                            value = self.between(self.scaled_sum(b_.load(sums[i][k]), scales[k]), *bounds)
                            self.store(finish(value), b_.gep(place, [_I64(k * self.L)]),
                                       mask=None if is_full else masks[k])


#: Columns of a packed block of weights: those of a tile with two vectors, or with one, where they are few.
def block_columns(columns: int) -> int:
    """Return how many columns a packed block has: two vectors, or one where that holds all."""
    return LANES if columns <= LANES else 2 * LANES
