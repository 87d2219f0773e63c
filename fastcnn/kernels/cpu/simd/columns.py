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

With a slope below 1 a rectifier follows a map: what is below 0 is multiplied by the slope, and so is a gradient where
that was not positive. Slope 0 makes zeros, of infinity too; slope 1 changes nothing.
"""

from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.operands import integers
from fastcnn.kernels.cpu.simd.vectors import Vectors

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
def column_products(typingctx, factors, dy, x, rows, slope):
    """plain += sum of dy, products += sum of dy (x - mean); of slope dy where (x - mean) scale + offset is not above 0.

    `factors` are (plain, products, mean, scale, offset).
    """
    return _walk(_Products, factors, [dy, x], rows, slope)


@intrinsic
def column_affine(typingctx, factors, y, x, rows, slope):
    """y = (x - mean) scale + offset, times the slope where it is below 0; `factors` are (mean, scale, offset)."""
    return _walk(_Affine, factors, [y, x], rows, slope)


@intrinsic
def column_gradient(typingctx, factors, dx, dy, x, rows, slope):
    """dx = scale dy - constant - (x - mean) steep; of slope dy where (x - mean) scale + offset is not above 0.

    `factors` are (mean, scale, offset, constant, steep).
    """
    return _walk(_ColumnGradient, factors, [dx, dy, x], rows, slope)


def _walk(emitter, factors, maps, *rest):
    """Return what an intrinsic returns that takes factors, some maps, Rows and perhaps a slope."""
    def codegen(context, builder, signature, args):
        data = lambda kind, value: context.make_array(kind)(context, builder, value).data
        at, rows, columns = integers(context, builder, rest[0], args[1 + len(maps)])
        walk = emitter(builder, maps[0].dtype)
        if len(rest) > 1:
            walk.rectify(args[-1])
        walk.run([*map(data, factors.types, cgutils.unpack_tuple(builder, args[0]))],
                 [builder.gep(data(*pair), [at]) for pair in zip(maps, args[1:1 + len(maps)], strict=True)],
                 rows, columns)
        return context.get_dummy_value()

    return types.void(factors, *maps, rest[0], *[types.float64] * (len(rest) - 1)), codegen


class _Columns(Vectors):
    """The loops that all have in common: over rows of all streams, over vectors of columns."""

    streams, wide = 4, 4
    slope: Any = None  # what is multiplied by below 0, in all lanes
    makes_zeros: Any = None  # whether that is 0

    def rectify(self, slope):
        """Let a rectifier follow; `slope` is a number in float64."""
        narrow = slope if self.bits == 64 else self.b.fptrunc(slope, self.element)
        self.slope = self.broadcast(narrow)
        self.makes_zeros = self.broadcast(self.b.fcmp_ordered("==", narrow, self.element(0.0)))

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

    def passed(self, gradient, centered, scale, offset):
        """Return a gradient, or the slope times it where the rectifier had no positive number."""
        positive = self.b.fcmp_unordered(">", self.fmuladd(centered, scale, offset), self.zero)
        return self.b.select(positive, gradient, self.below(gradient))


class _Moments(_Columns):
    def row(self, held, pointers, w, mask):
        value = self.b.fsub(self.load(pointers[0], w, mask), held[2])
        held[0], held[1] = self.b.fadd(held[0], value), self.fmuladd(value, value, held[1])

    def after(self, held, factors, w, mask):
        for value, pointer in zip(held[:2], factors[:2], strict=True):
            self.store(value, pointer, w, mask)


class _Products(_Columns):
    def row(self, held, pointers, w, mask):
        plain, products, mean, scale, offset = held
        dy, x = (self.load(pointer, w, mask) for pointer in pointers)
        centered = self.b.fsub(x, mean)
        gradient = self.passed(dy, centered, scale, offset)
        held[:2] = self.b.fadd(plain, gradient), self.fmuladd(gradient, centered, products)

    def after(self, held, factors, w, mask):
        for value, pointer in zip(held[:2], factors[:2], strict=True):
            self.store(value, pointer, w, mask)


class _Affine(_Columns):
    streams = 2

    def row(self, held, pointers, w, mask):
        b, (mean, scale, offset), (y, x) = self.b, held, pointers
        value = self.fmuladd(b.fsub(self.load(x, w, mask), mean), scale, offset)
        negative = b.fcmp_ordered("<", value, self.zero)
        self.store(b.select(negative, self.below(value), value), y, w, mask)


class _ColumnGradient(_Columns):
    streams = 2

    def before(self, factors):
        mean, scale, offset, constant, steep = factors
        return mean, scale, offset, self.b.fneg(constant), self.b.fneg(steep)

    def row(self, held, pointers, w, mask):
        mean, scale, offset, constant, slope = held
        dx, dy, x = pointers
        centered = self.b.fsub(self.load(x, w, mask), mean)
        gradient = self.passed(self.load(dy, w, mask), centered, scale, offset)
        self.store(self.fmuladd(centered, slope, self.fmuladd(gradient, scale, constant)), dx, w, mask)


# --- without a compiler -----------------------------------------------------------------------------------------------


def _maps(rows, *arrays):
    return [a[rows.at:rows.at + rows.rows * rows.columns].reshape(rows.rows, rows.columns) for a in arrays]


def _below(value, slope):
    return value * value.dtype.type(slope) if slope else np.zeros_like(value)


def _moments_in_python(factors, x, rows):
    sums, squares, shift = (a[:rows.columns] for a in factors)
    (x,) = _maps(rows, x)
    sums += (x - shift).sum(axis=0)
    squares += ((x - shift) ** 2).sum(axis=0)


def _products_in_python(factors, dy, x, rows, slope):
    plain, products, mean, scale, offset = (a[:rows.columns] for a in factors)
    dy, x = _maps(rows, dy, x)
    centered = x - mean
    dy = np.where(centered * scale + offset <= 0, _below(dy, slope), dy)
    plain += dy.sum(axis=0)
    products += (dy * centered).sum(axis=0)


def _affine_in_python(factors, y, x, rows, slope):
    mean, scale, offset = (a[:rows.columns] for a in factors)
    y, x = _maps(rows, y, x)
    value = (x - mean) * scale + offset
    y[...] = np.where(value < 0, _below(value, slope), value)


def _gradient_in_python(factors, dx, dy, x, rows, slope):
    mean, scale, offset, constant, steep = (a[:rows.columns] for a in factors)
    dx, dy, x = _maps(rows, dx, dy, x)
    centered = x - mean
    dy = np.where(centered * scale + offset <= 0, _below(dy, slope), dy)
    dx[...] = scale * dy - constant - centered * steep


if config.DISABLE_JIT:
    column_moments, column_products = _moments_in_python, _products_in_python
    column_affine, column_gradient = _affine_in_python, _gradient_in_python
