"""Tiles for images side by side in the lanes of a vector: the products of narrow layers.

A vector of 16 lanes across 6 channels is mostly empty. With the same pixel and channel of 16 images in one vector it is
full whatever the channels. Two kinds of tile do all products of a convolution in that layout, (H, W, C, LANES)::

    weights as scalars (forward, dx)             both vectors (the gradient of the weights)
    C[i, k] = start + sum  a[i] * B[k]           C[i, k] = start + sum  A[i] * B[k]

           B  | position 0 | position 1 | ..            B  | dy k=0 | dy k=1 | ..        registers:
    a i=0  w0 --broadcast--> acc[0][0]  ...      A x c=0  acc[0][0]  acc[0][1]           M x KV accumulators,
      i=1  w1 --broadcast--> acc[1][0]  ...        x c=1  acc[1][0]  acc[1][1]           KV vectors of B

Rows i are output channels on the left, (column, channel) pairs of the window on the right. The sums of the right kind
stay vectors, one number a lane, until a block of images is done.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.shared import Shared, i64
from fastcnn.kernels.cpu.gemm import tile
from fastcnn.kernels.cpu.simd.vectors import loop

# Vectors of B in a tile: 6 x 4 accumulators fill 32 registers, 6 x 2 fill 16.
WIDE = 4 if tile.features()[2] == 32 else 2

SCALARS, VECTORS = 0, 1  # what the rows of a tile are
ZERO, GIVEN, ROWS = 0, 1, 2  # where sums start: at zero; at zero, and are added to what lies in c; at start[i]


@intrinsic(prefer_literal=True)
def _lane_tile(typingctx, M, KV, kind, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode):
    """Compute M x KV vectors of C; M, KV and kind are literals.

    c_at is (offset, strides of i, k), a_at (offset, strides of i, r, s, j), b_at (offset, strides of k, r, s, j),
    loops (R, S, J), start_at (offset, stride of i); c, a, b and start are pointers.
    """
    literals = (M, KV, kind)
    if not all(isinstance(value, types.IntegerLiteral) for value in literals):
        raise RequireLiteralValue("lane tile: M, KV and kind must be literal integers")
    i = types.int64
    signature = types.void(*literals, c, types.UniTuple(i, 3), a, types.UniTuple(i, 5), b, types.UniTuple(i, 5),
                           types.UniTuple(i, 3), start, types.UniTuple(i, 2), i)
    emit = _Emitter(M.literal_value, KV.literal_value, kind.literal_value, c.dtype)

    def codegen(context, builder, signature, args):
        at = {index: cgutils.unpack_tuple(builder, args[index]) for index in (4, 6, 8, 9, 11)}
        c, a, b, start = (builder.gep(args[index], [at[index + 1][0]]) for index in (3, 5, 7, 10))
        emit.body_of_lanes(builder, c, at[4][1:], a, at[6][1:], b, at[8][1:], at[9], start, at[11][1], args[12])
        return context.get_dummy_value()

    return signature, codegen


class _Emitter(tile._Emitter):
    """Writes the LLVM code of one tile; the vectors of B and of C lie a stride apart."""

    def __init__(self, M: int, KV: int, kind: int, dtype) -> None:
        super().__init__(M, KV, dtype)
        self.kind = kind

    def body_of_lanes(self, b_, c, c_steps, a, a_steps, b, b_steps, steps, start, start_i, mode):
        sums = {cell: cgutils.alloca_once(b_, self.vector) for cell in self.cells}
        place = {(i, k): b_.gep(c, [b_.add(b_.mul(i64(i), c_steps[0]), b_.mul(i64(k), c_steps[1]))])
                 for i, k in self.cells}
        for cell in self.cells:
            b_.store(ir.Constant(self.vector, [0.0] * self.L), sums[cell])
        with b_.if_then(b_.icmp_signed("==", mode, i64(ROWS))):
            for i in range(self.M):
                one = self._broadcast(b_, b_.load(b_.gep(start, [b_.mul(i64(i), start_i)]), align=self.align))
                for k in range(self.KV):
                    b_.store(one, sums[i, k])
        self._walk_lanes(b_, sums, a, a_steps, b, b_steps, steps)
        with b_.if_then(b_.icmp_signed("==", mode, i64(GIVEN))):
            for cell in self.cells:
                b_.store(b_.fadd(b_.load(sums[cell]), self._load(b_, place[cell])), sums[cell])
        for cell in self.cells:
            b_.store(b_.load(sums[cell]), self._as_vector(b_, place[cell]), align=self.align)

    def _walk_lanes(self, b_, sums, a, a_steps, b, b_steps, steps):
        fma = cgutils.get_or_insert_function(
            b_.module, ir.FunctionType(self.vector, [self.vector] * 3), f"llvm.fmuladd.{self.suffix}")
        rows = [b_.mul(i64(i), a_steps[0]) for i in range(self.M)]
        columns = [b_.mul(i64(k), b_steps[0]) for k in range(self.KV)]

        def along(pointers, index, which):
            return [b_.gep(p, [b_.mul(index, strides[which])])
                    for p, strides in zip(pointers, (a_steps, b_steps), strict=True)]

        with loop(b_, steps[0]) as r:
            row = along((a, b), r, 1)
            with loop(b_, steps[1]) as s:
                column = along(row, s, 2)
                with loop(b_, steps[2]) as j:
                    a_at, b_at = along(column, j, 3)
                    vectors = [self._load(b_, b_.gep(b_at, [columns[k]])) for k in range(self.KV)]
                    for i in range(self.M):
                        at = b_.gep(a_at, [rows[i]])
                        one = (self._load(b_, at) if self.kind == VECTORS
                               else self._broadcast(b_, b_.load(at, align=self.align)))
                        for k in range(self.KV):
                            b_.store(b_.call(fma, [one, vectors[k], b_.load(sums[i, k])]), sums[i, k])


def _lane_scalars(c, c_i, c_k, a, a_i, a_r, a_s, a_j, b, b_k, b_r, b_s, b_j, r, s, j, start, start_i, mode, rows,
                  columns):
    """Rows are channels, columns positions: weights as scalars."""
    loops, column = (r, s, j), 0
    while column < columns:
        more, row = columns - column, 0
        while row < rows:
            left = rows - row
            c_at, a_at = (row * c_i + column * c_k, c_i, c_k), (row * a_i, a_i, a_r, a_s, a_j)
            b_at, start_at = (column * b_k, b_k, b_r, b_s, b_j), (row * start_i, start_i)
            if more >= 2 and left >= 8:
                _lane_tile(8, 2, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 8
            elif more >= 2 and left >= 6:
                _lane_tile(6, 2, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 6
            elif more >= 2 and left >= 4:
                _lane_tile(4, 2, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 4
            elif more >= 2 and left >= 2:
                _lane_tile(2, 2, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 2
            elif more >= 2:
                _lane_tile(1, 2, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 1
            elif left >= 8:
                _lane_tile(8, 1, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 8
            elif left >= 6:
                _lane_tile(6, 1, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 6
            elif left >= 4:
                _lane_tile(4, 1, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 4
            elif left >= 2:
                _lane_tile(2, 1, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 2
            else:
                _lane_tile(1, 1, SCALARS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 1
        column += 2 if more >= 2 else 1


def _lane_vectors(c, c_i, c_k, a, a_i, a_r, a_s, a_j, b, b_k, b_r, b_s, b_j, r, s, j, start, start_i, mode, rows,
                  columns):
    """Rows are elements of a window, columns channels: both are vectors."""
    loops, column = (r, s, j), 0
    while column < columns:
        more, row = columns - column, 0
        while row < rows:
            left = rows - row
            c_at, a_at = (row * c_i + column * c_k, c_i, c_k), (row * a_i, a_i, a_r, a_s, a_j)
            b_at, start_at = (column * b_k, b_k, b_r, b_s, b_j), (row * start_i, start_i)
            if more >= 4 and left >= 5:
                _lane_tile(5, 4, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 5
            elif more >= 4 and left >= 3:
                _lane_tile(3, 4, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 3
            elif more >= 4:
                _lane_tile(1, 4, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 1
            elif more >= 2 and left >= 5:
                _lane_tile(5, 2, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 5
            elif more >= 2 and left >= 3:
                _lane_tile(3, 2, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 3
            elif more >= 2:
                _lane_tile(1, 2, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 1
            elif left >= 5:
                _lane_tile(5, 1, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 5
            elif left >= 3:
                _lane_tile(3, 1, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 3
            else:
                _lane_tile(1, 1, VECTORS, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode)
                row += 1
        column += 4 if more >= 4 else 2 if more >= 2 else 1


def _arguments(dtype):
    p, i = types.CPointer(dtype), types.int64
    return (p, i, i, p, i, i, i, i, p, i, i, i, i, i, i, i, p, i, i, i, i)


def _walk_of(shared):
    """Make the intrinsic that kernels call: arrays with (offset, strides), as `_lane_tile` takes pointers."""
    @intrinsic
    def lane_walk(typingctx, c, c_at, a, a_at, b, b_at, loops, start, start_at, mode, rows, columns):
        shared.publish(c.dtype)
        i = types.int64
        signature = types.void(c, types.UniTuple(i, 3), a, types.UniTuple(i, 5), b, types.UniTuple(i, 5),
                               types.UniTuple(i, 3), start, types.UniTuple(i, 2), i, i, i)

        def codegen(context, builder, signature, args):
            values = []
            for index in (0, 2, 4):
                data = context.make_array(signature.args[index])(context, builder, args[index]).data
                offset, *strides = cgutils.unpack_tuple(builder, args[index + 1])
                values += [builder.gep(data, [offset]), *strides]
            data = context.make_array(signature.args[7])(context, builder, args[7]).data
            offset, stride = cgutils.unpack_tuple(builder, args[8])
            loops = cgutils.unpack_tuple(builder, args[6])
            shared.call(builder, signature.args[0].dtype,
                        [*values, *loops, builder.gep(data, [offset]), stride, *args[9:]])
            return context.get_dummy_value()

        return signature, codegen

    return lane_walk


#: C[i, k] = start + sum of a[i, r, s, j] * B[k, r, s, j]: c_at is (offset, strides of i and k), a_at (offset, strides
#: of i, r, s, j), b_at (offset, strides of k, r, s, j), loops (R, S, J), start_at (offset, stride of i); then mode,
#: rows and columns.
lane_scalars = _walk_of(Shared(_lane_scalars, _arguments))

#: The same with A[i, r, s, j] a vector.
lane_vectors = _walk_of(Shared(_lane_vectors, _arguments))
