"""The walk for very long sums: slices of a sum are added in float64, for a few rows at a time.

    steps   | slice of 2048 | slice of 2048 | ..        a slice: `walk_tiles`, in short parts   ->   rows x columns, L1
                                                        slices: added to as many totals in float64, L1

A dense layer of a million inputs is what it is for. A slice is long beside what adding it to the totals takes, and so
few rows are no loss, since where inputs are so many the weights come from memory.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

from fastcnn.kernels.codes import LINEAR
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared, i64
from fastcnn.kernels.cpu.gemm.tile import M0
from fastcnn.kernels.cpu.gemm.walk_tiles import SPAN, TABLE, WALK, Walk, arguments, moved, runs_of, shared
from fastcnn.kernels.cpu.simd.activations import activate_steps
from fastcnn.kernels.cpu.simd.sums import TERMS
from fastcnn.kernels.cpu.simd.width import lanes, lanes_of

LONG = TERMS * SPAN  #: steps from which a sum is made in slices: up to there it has TERMS parts, and a third more speed
SLICE = 2048  # steps of a slice
LOW = 2 * M0  # rows that pass together through the slices
_SUMS = LOW * 2 * lanes("float32")  # numbers of a block of so many rows at most


@intrinsic(prefer_literal=True)
def _memory(typingctx, like, count):
    """Return memory on the stack for `count` numbers, a literal: of the type of the pointer `like`."""
    if not isinstance(count, types.IntegerLiteral):
        raise RequireLiteralValue("memory: its size must be a literal")

    def codegen(context, builder, signature, args):
        kind = context.get_value_type(signature.return_type).pointee
        slot = cgutils.alloca_once(builder, ir.ArrayType(kind, count.literal_value))
        return builder.bitcast(slot, kind.as_pointer())

    return like(like, count), codegen


@intrinsic
def _walk_at(typingctx, c, a, b, w):
    """Call the walk on pointers: it adds to `c`, without bounds."""
    def codegen(context, builder, signature, args):
        c, a, b, w = args
        shared.call(builder, signature.args[0].dtype, [c, a, b, c, c, c.type(None), w])
        return context.get_dummy_value()

    return types.void(c, a, b, WALK), codegen


@intrinsic
def _wide_like(typingctx):
    """Return a null pointer to float64."""
    def codegen(context, builder, signature, args):
        return context.get_value_type(signature.return_type)(None)

    return types.CPointer(types.float64)(), codegen


@intrinsic
def _is_null(typingctx, pointer):
    def codegen(context, builder, signature, args):
        return builder.icmp_unsigned("==", builder.ptrtoint(args[0], i64), i64(0))

    return types.boolean(pointer), codegen


@inlined(always=True)
def _slices(sums, totals, a, a_row, b, size, w):
    """totals = the sums of some rows of one block, a slice of the steps after the other."""
    (rows, count), width, zero, one = size, 2 * lanes_of(sums), np.int64(0), np.int64(1)
    (r, s, j), (a_r, a_s, a_j), (b_r, b_s, b_j) = w.loops, w.a_steps, w.b_steps
    for k in range(rows * width):
        totals[k] = 0
    for part in range(r * s):
        for j0 in range(0, j, SLICE):
            for k in range(rows * width):
                sums[k] = 0
            _walk_at(sums, moved(a, part // s * a_r + part % s * a_s + j0 * a_j),
                     moved(b, part // s * b_r + part % s * b_s + j0 * b_j),
                     Walk((one, one, rows), (zero, zero, width), (zero, zero, a_row),
                          (one, one, min(SLICE, j - j0)), (zero, zero, a_j), (zero, zero, b_j), zero, count, zero,
                          np.int64(TABLE), np.int64(LINEAR)))
            for k in range(rows * width):
                totals[k] += sums[k]


@inlined(always=True)
def _finish(c, start, addend, bounds, totals, count, fresh):
    """Write the results of one row of a block."""
    for k in range(count):
        value = totals[k]
        value += c[k] if fresh == 0 or fresh == 3 else start[k]
        if fresh == 2:
            value += addend[k]
        if not _is_null(bounds):
            value = bounds[0] if value < bounds[0] else value
            value = bounds[1] if value > bounds[1] else value
        c[k] = type(start[0])(value)


def _long_tiles(c, a, b, start, addend, bounds, w):
    """As `_tiles`, for very long sums: slices of them are added in float64, for a few rows at a time."""
    width, sums, totals = 2 * lanes_of(c), _memory(c, _SUMS), _memory(_wide_like(), _SUMS)
    zero, one = np.int64(0), np.int64(1)
    (n0, n1, n2), (c0, c1, c2), (a0, a1, a2) = runs_of(w)
    for column in range(0, w.columns, width):
        count, block = min(width, w.columns - column), moved(b, column // width * w.b_block)
        for i in range(n0 * n1):
            for first in range(0, n2, LOW):
                rows = min(LOW, n2 - first)
                _slices(sums, totals, moved(a, i // n1 * a0 + i % n1 * a1 + first * a2), a2, block, (rows, count), w)
                for row in range(rows):
                    at = i // n1 * c0 + i % n1 * c1 + (first + row) * c2 + column
                    _finish(moved(c, at), moved(start, column), moved(addend, at), bounds, moved(totals, row * width),
                            count, w.fresh)
                    activate_steps(c, at, zero, one, count, w.function)


#: The walk behind its symbol, with the arguments of `walk_tiles`.
shared_long = Shared(_long_tiles, arguments)
