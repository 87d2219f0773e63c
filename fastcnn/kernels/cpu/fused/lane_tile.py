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

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.gemm.walk_tiles import moved
from fastcnn.kernels.cpu.simd.vectors import Vectors, chosen, loop
from fastcnn.kernels.cpu.simd.width import features

_I64 = ir.IntType(64)

# Vectors of B in a tile: 6 x 4 accumulators fill 32 registers, 6 x 2 fill 16.
WIDE = 4 if features()[2] == 32 else 2

ZERO, GIVEN, ROWS = 0, 1, 2  # where sums start: at zero; at zero, and are added to what lies in c; at start[i]

#: The heights and widths of tiles, largest first, whose rows are scalars, and vectors.
SCALARS, VECTORS = ((8, 6, 4, 2, 1), (2, 1)), ((5, 3, 1), (4, 2, 1))


class Lanes(NamedTuple):
    """All numbers of a walk: the strides of C[i, k], a[i, r, s, j], B[k, r, s, j] and start[i], loops and size."""

    c: Any
    a: Any
    b: Any
    start: Any
    loops: Any
    mode: Any
    rows: Any
    columns: Any


def _ints(count):
    return types.UniTuple(types.int64, count)


_LANES = types.NamedTuple([_ints(2), _ints(4), _ints(4), types.int64, _ints(3), *[types.int64] * 3], Lanes)


class _LaneTile(Vectors):
    """Writes the code of one tile; the vectors of B and of C lie a stride apart, those of A too, or it is scalars."""

    def __init__(self, builder: Any, dtype: Any, shape: tuple[int, int], row: Any) -> None:
        super().__init__(builder, dtype)
        (self.M, self.KV), self.row = shape, row
        self.cells = [(i, k) for i in range(self.M) for k in range(self.KV)]

    def emit(self, c, a, b, start, walk):
        b_ = self.b
        (c_i, c_k), a_steps, b_steps, loops = (cgutils.unpack_tuple(b_, value) for value in (*walk[:3], walk[4]))
        start_i, mode = walk[3], walk[5]
        sums = dict(zip(self.cells, self.slots(len(self.cells), self.zero), strict=True))
        place = {(i, k): b_.gep(c, [b_.add(b_.mul(_I64(i), c_i), b_.mul(_I64(k), c_k))]) for i, k in self.cells}
        with b_.if_then(b_.icmp_signed("==", mode, _I64(ROWS))):
            for i in range(self.M):
                one = self.load_one(b_.gep(start, [b_.mul(_I64(i), start_i)]))
                for k in range(self.KV):
                    b_.store(one, sums[i, k])
        self._multiply(sums, (a, a_steps), (b, b_steps), loops)
        with b_.if_then(b_.icmp_signed("==", mode, _I64(GIVEN))):
            for cell in self.cells:
                b_.store(b_.fadd(b_.load(sums[cell]), self.load(place[cell])), sums[cell])
        for cell in self.cells:
            self.store(b_.load(sums[cell]), place[cell])

    def _multiply(self, sums, a, b, loops):
        b_, operands = self.b, (a, b)
        rows = [b_.mul(_I64(i), a[1][0]) for i in range(self.M)]
        columns = [b_.mul(_I64(k), b[1][0]) for k in range(self.KV)]

        def along(pointers, index, which):
            return [b_.gep(p, [b_.mul(index, steps[which])]) for p, (_, steps) in zip(pointers, operands, strict=True)]

        with loop(b_, loops[0]) as r:
            row = along((a[0], b[0]), r, 1)
            with loop(b_, loops[1]) as s:
                column = along(row, s, 2)
                with loop(b_, loops[2]) as j:
                    a_at, b_at = along(column, j, 3)
                    vectors = [self.load(b_.gep(b_at, [columns[k]])) for k in range(self.KV)]
                    for i in range(self.M):
                        one = self.row(self, b_.gep(a_at, [rows[i]]))
                        for k in range(self.KV):
                            self.add_product(sums[i, k], one, vectors[k])


def _tile_of(shapes, row):
    """Make the intrinsic of the tiles of some shapes, whose rows are loaded by `row`, a method of `Vectors`."""
    table = {8 * M + KV: (M, KV) for M in shapes[0] for KV in shapes[1]}

    @intrinsic
    def lane_tile(typingctx, M, KV, c, a, b, start, walk):
        """Compute M x KV vectors of C."""
        def codegen(context, builder, signature, args):
            M, KV, c_at, a_at, b_at, start_at, walk = args
            given = cgutils.unpack_tuple(builder, walk)
            for shape in chosen(builder, builder.add(builder.mul(M, _I64(8)), KV), table):
                _LaneTile(builder, c.dtype, shape, row).emit(c_at, a_at, b_at, start_at, given)
            return context.get_dummy_value()

        return types.void(types.int64, types.int64, c, a, b, start, walk), codegen

    return lane_tile


_scalar_tile, _vector_tile = _tile_of(SCALARS, Vectors.load_one), _tile_of(VECTORS, Vectors.load)


@inlined(always=True)
def _largest(sizes, left):
    """Return the largest of some sizes that fits."""
    for size in sizes:
        if size <= left:
            return np.int64(size)
    return np.int64(1)


def _lane_scalars(c, a, b, start, w):
    """Rows are channels, columns positions: weights as scalars."""
    column = 0
    while column < w.columns:
        wide, row = _largest(SCALARS[1], w.columns - column), 0
        while row < w.rows:
            tall = _largest(SCALARS[0], w.rows - row)
            _scalar_tile(tall, wide, moved(c, row * w.c[0] + column * w.c[1]), moved(a, row * w.a[0]),
                         moved(b, column * w.b[0]), moved(start, row * w.start), w)
            row += tall
        column += wide


def _lane_vectors(c, a, b, start, w):
    """Rows are elements of a window, columns channels: both are vectors."""
    column = 0
    while column < w.columns:
        wide, row = _largest(VECTORS[1], w.columns - column), 0
        while row < w.rows:
            tall = _largest(VECTORS[0], w.rows - row)
            _vector_tile(tall, wide, moved(c, row * w.c[0] + column * w.c[1]), moved(a, row * w.a[0]),
                         moved(b, column * w.b[0]), moved(start, row * w.start), w)
            row += tall
        column += wide


def _walk_of(shared):
    """Make the intrinsic that kernels call."""
    @intrinsic
    def lane_walk(typingctx, c, a, b, start, loops, mode, size):
        shared.publish(c.types[0].dtype)
        operands = [types.Tuple((of.types[0], _ints(count))) for of, count in ((c, 3), (a, 5), (b, 5), (start, 2))]
        signature = types.void(*operands, _ints(3), types.int64, _ints(2))

        def codegen(context, builder, signature, args):
            pointers, strides = [], []
            for kind, operand in zip(signature.args[:4], args[:4], strict=True):
                array, numbers = cgutils.unpack_tuple(builder, operand)
                offset, *steps = cgutils.unpack_tuple(builder, numbers)
                pointers.append(builder.gep(context.make_array(kind.types[0])(context, builder, array).data, [offset]))
                strides.append(steps[0] if kind is signature.args[3] else
                               context.make_tuple(builder, _ints(len(steps)), steps))
            loops, mode, size = args[4:]
            walk = context.make_tuple(builder, _LANES, [*strides, loops, mode, *cgutils.unpack_tuple(builder, size)])
            shared.call(builder, signature.args[0].types[0].dtype, [*pointers, walk])
            return context.get_dummy_value()

        return signature, codegen

    return lane_walk


def _arguments(dtype):
    return (*[types.CPointer(dtype)] * 4, _LANES)


#: C[i, k] = start + sum of a[i, r, s, j] * B[k, r, s, j]: c is (array, (offset, strides of i and k)), a (array,
#: (offset, strides of i, r, s, j)), b (array, (offset, strides of k, r, s, j)), start (array, (offset, stride of i));
#: then the loops (R, S, J), the mode, and (rows, columns).
lane_scalars = _walk_of(Shared(_lane_scalars, _arguments))

#: The same with A[i, r, s, j] a vector.
lane_vectors = _walk_of(Shared(_lane_vectors, _arguments))
