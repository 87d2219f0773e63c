"""Rows of channels, several at a time: sums down the columns, and affine maps with a factor a column.

What normalization does with (rows, columns) lying in one piece. Emitted as vector code by ``@intrinsic``: LLVM would
test at run time, row by row, whether the many pieces of memory overlap. The rows are read as *streams*, each the
length of a fourth (or half) of the rows, and in each stream memory is read as it lies, which its bandwidth depends on:
eight neighbouring rows at a time reached a third of it. One step is four vectors of columns in a row of each stream::

      x   stream 0   | v0 v1 v2 v3 | ->   next columns      registers: the four vectors' shift, sums and squares
          stream 1   | v0 v1 v2 v3 | ->                                (or mean, scale and offset)
          stream 2   | v0 v1 v2 v3 | ->
          stream 3   | v0 v1 v2 v3 | ->                     L1: these factors and sums of all columns, read and
      sums, squares  | +  +  +  +  |                            written once for a row of every stream

Maps may lie in 16 bits, of bfloat16; factors and sums are float32 then.

A rectifier may follow a map: what is below 0 is multiplied by its slope, and so is a gradient where that was not
positive; what is above its ceiling becomes it, and has no gradient. Slope 0 makes zeros, of infinity too; slope 1 and
an infinite ceiling change nothing.
"""

import math
from typing import Any, NamedTuple

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.operands import integers
from fastcnn.kernels.cpu.simd import columns_in_python as plain
from fastcnn.kernels.cpu.simd.short import Shorts

_I64 = ir.IntType(64)


class Rows(NamedTuple):
    """Rows of maps: the element where the first one begins, how many there are, and their columns."""

    at: Any
    rows: Any
    columns: Any


@intrinsic
def column_moments(typingctx, factors, x, rows):
    """sums += sum of (x - shift) down each column, squares += sum of its squares.

    Parameters
    ----------
    factors : (sums, squares, shift)
        A number a column.
    x : array
    rows : Rows
    """
    return _walk(_Moments, factors, [x], rows)


@intrinsic
def column_products(typingctx, factors, dy, x, rows, rectifier):
    """plain += sum of dy, products += sum of dy (x - mean); of what the rectifier of (x - mean) scale + offset lets by.

    `factors` are (plain, products, mean, scale, offset).
    """
    return _walk(_Products, factors, [dy, x], rows, rectifier)


@intrinsic
def column_affine(typingctx, factors, y, x, rows, rectifier):
    """y = (x - mean) scale + offset, and the rectifier; `factors` are (mean, scale, offset)."""
    return _walk(_Affine, factors, [y, x], rows, rectifier)


@intrinsic
def column_affine_far(typingctx, factors, y, x, rows, rectifier):
    """As `column_affine`, for a y that no cache would hold: vectors that are aligned go past the caches."""
    return _walk(_AffineFar, factors, [y, x], rows, rectifier)


@intrinsic
def column_affine_sum(typingctx, factors, y, x, addend, rows, rectifier):
    """y = (x - mean) scale + offset + addend, and the rectifier; as `column_affine`."""
    return _walk(_AffineSum, factors, [y, x, addend], rows, rectifier)


@intrinsic
def column_gradient(typingctx, factors, dx, dy, x, rows, rectifier):
    """dx = scale dy - constant - (x - mean) steep; of what the rectifier of (x - mean) scale + offset lets by.

    `factors` are (mean, scale, offset, constant, steep).
    """
    return _walk(_ColumnGradient, factors, [dx, dy, x], rows, rectifier)


def _walk(emitter, factors, maps, *rest):
    """Return what an intrinsic returns that takes factors, some maps, Rows and perhaps a Rectifier."""
    def codegen(context, builder, signature, args):
        data = lambda kind, value: context.make_array(kind)(context, builder, value).data
        at, rows, columns = integers(context, builder, rest[0], args[1 + len(maps)])
        walk = emitter(builder, factors.types[0].dtype)
        if len(rest) > 1:
            walk.rectify(*cgutils.unpack_tuple(builder, args[-1]))
        walk.run([*map(data, factors.types, cgutils.unpack_tuple(builder, args[0]))],
                 [builder.gep(data(*pair), [at]) for pair in zip(maps, args[1:1 + len(maps)], strict=True)],
                 rows, columns)
        return context.get_dummy_value()

    return types.void(factors, *maps, *rest), codegen


class _Columns(Shorts):
    """The loops that all have in common: over rows of all streams, over vectors of columns."""

    streams, wide = 4, 4
    slope: Any = None  # what is multiplied by below 0, in all lanes
    makes_zeros: Any = None  # whether that is 0
    ceiling: Any = None  # the highest result; NaN, which nothing is above, for none

    def rectify(self, *numbers):
        """Let a rectifier follow, whose slope and ceiling are in float64."""
        b = self.b
        slope, ceiling = (n if self.bits == 64 else b.fptrunc(n, self.element) for n in numbers)
        self.slope = self.broadcast(slope)
        self.makes_zeros = self.broadcast(b.fcmp_ordered("==", slope, self.element(0.0)))
        endless = b.fcmp_ordered("==", ceiling, self.element(math.inf))
        self.ceiling = self.broadcast(b.select(endless, self.element(math.nan), ceiling))

    def run(self, factors, maps, rows, columns):
        """Emit everything: `factors` have a number a column, `maps` a number an element."""
        b = self.b
        length = b.sdiv(rows, _I64(self.streams))
        with cgutils.for_range(b, length) as row:
            self.rows(factors, maps, [b.add(row.index, b.mul(length, _I64(u))) for u in range(self.streams)], columns)
        with cgutils.for_range_slice(b, b.mul(length, _I64(self.streams)), rows, _I64(1), inc=True) as (row, _):
            self.rows(factors, maps, [row], columns)

    def rows(self, factors, maps, rows, columns):
        b, wide = self.b, self.wide * self.L
        places = [[b.gep(m, [b.mul(row, columns)]) for row in rows] for m in maps]
        blocks, whole = b.sdiv(columns, _I64(wide)), b.sdiv(columns, _I64(self.L))
        with cgutils.for_range(b, blocks) as block:
            self.at(factors, places, b.mul(block.index, _I64(wide)), self.wide, None)
        with cgutils.for_range_slice(b, b.mul(blocks, _I64(self.wide)), whole, _I64(1), inc=True) as (v, _):
            self.at(factors, places, b.mul(v, _I64(self.L)), 1, None)
        done = b.mul(whole, _I64(self.L))
        with b.if_then(b.icmp_signed("<", done, columns)):
            self.at(factors, places, done, 1, self.mask(b.sub(columns, done)))

    def at(self, factors, places, column, wide, mask):
        """Emit what happens to `wide` vectors of columns in the rows of the streams, one after the other."""
        moved = lambda pointer: self.b.gep(pointer, [column])
        factors = [moved(f) for f in factors]
        held = [self.before([self.load(f, w, mask) for f in factors]) for w in range(wide)]
        for place in zip(*places, strict=True):
            pointers = [moved(p) for p in place]
            for w in range(wide):
                self.row(held[w], pointers, w, mask)
        for w in range(wide):
            self.after(held[w], factors, w, mask)

    def before(self, factors):
        """Return what is held in registers for one vector of columns."""
        return factors

    def row(self, held, pointers, w, mask):
        """Emit what happens to vector `w` of one row."""
        raise NotImplementedError

    def after(self, held, factors, w, mask):
        """Emit what is written for one vector of columns when the rows are done."""

    def below(self, value):
        """Return the slope times a number: infinity times 0 is none."""
        return self.b.select(self.makes_zeros, self.zero, self.b.fmul(self.slope, value))

    def rectified(self, value):
        """Return a number behind the rectifier."""
        negative = self.b.fcmp_ordered("<", value, self.zero)
        return self.at_most(self.ceiling, self.b.select(negative, self.below(value), value))

    def passed(self, gradient, centered, scale, offset):
        """Return what the rectifier lets pass of a gradient."""
        b, value = self.b, self.fmuladd(centered, scale, offset)
        gradient = b.select(b.fcmp_unordered(">", value, self.zero), gradient, self.below(gradient))
        return b.select(b.fcmp_ordered(">=", value, self.ceiling), self.zero, gradient)


class _Moments(_Columns):
    def row(self, held, pointers, w, mask):
        value = self.b.fsub(self.numbers(pointers[0], w, mask), held[2])
        held[0], held[1] = self.b.fadd(held[0], value), self.fmuladd(value, value, held[1])

    def after(self, held, factors, w, mask):
        for value, pointer in zip(held[:2], factors[:2], strict=True):
            self.store(value, pointer, w, mask)


class _Products(_Columns):
    def row(self, held, pointers, w, mask):
        plain, products, mean, scale, offset = held
        dy, x = (self.numbers(pointer, w, mask) for pointer in pointers)
        centered = self.b.fsub(x, mean)
        gradient = self.passed(dy, centered, scale, offset)
        held[:2] = self.b.fadd(plain, gradient), self.fmuladd(gradient, centered, products)

    def after(self, held, factors, w, mask):
        for value, pointer in zip(held[:2], factors[:2], strict=True):
            self.store(value, pointer, w, mask)


class _Affine(_Columns):
    streams = 2

    def row(self, held, pointers, w, mask):
        (mean, scale, offset), (y, x) = held, pointers
        value = self.fmuladd(self.b.fsub(self.numbers(x, w, mask), mean), scale, offset)
        self.keep(self.rectified(value), y, w, mask)


class _AffineFar(_Affine):
    passes = False  # whether results go past the caches

    def run(self, factors, maps, rows, columns):
        b, size = self.b, self.L * self.bits // 8
        first = b.urem(b.ptrtoint(maps[0], _I64), _I64(size))
        aligned = b.icmp_signed("==", b.or_(first, b.srem(columns, _I64(self.L))), _I64(0))
        with b.if_else(aligned) as (whole, ragged):
            with whole:
                self.passes = True
                super().run(factors, maps, rows, columns)
                b.fence("seq_cst")
            with ragged:
                self.passes = False
                super().run(factors, maps, rows, columns)

    def keep(self, value, pointer, u=0, mask=None):
        if self.passes and mask is None and pointer.type.pointee == self.element:
            self.stream(value, pointer, u)
        else:
            super().keep(value, pointer, u, mask)


class _AffineSum(_Columns):
    streams = 2

    def row(self, held, pointers, w, mask):
        b, (mean, scale, offset), (y, x, addend) = self.b, held, pointers
        value = self.fmuladd(b.fsub(self.numbers(x, w, mask), mean), scale, offset)
        self.keep(self.rectified(b.fadd(value, self.numbers(addend, w, mask))), y, w, mask)


class _ColumnGradient(_Columns):
    streams = 2

    def before(self, factors):
        mean, scale, offset, constant, steep = factors
        return mean, scale, offset, self.b.fneg(constant), self.b.fneg(steep)

    def row(self, held, pointers, w, mask):
        mean, scale, offset, constant, slope = held
        dx, dy, x = pointers
        centered = self.b.fsub(self.numbers(x, w, mask), mean)
        gradient = self.passed(self.numbers(dy, w, mask), centered, scale, offset)
        self.keep(self.fmuladd(centered, slope, self.fmuladd(gradient, scale, constant)), dx, w, mask)


if config.DISABLE_JIT:
    column_moments, column_products, column_gradient = plain.moments, plain.products, plain.gradient
    column_affine = column_affine_far = plain.affine
    column_affine_sum = plain.affine_sum
