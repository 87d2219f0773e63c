"""Rows of two arrays merged, and the gradients of one of them: the loops of `fastcnn.kernels.cpu.elementwise.merge`.

Emitted as vector code by ``@intrinsic``: LLVM would test at run time, row by row, whether memory overlaps, and finish
each row number by number. Rows follow one another at distances of their own (0: the same row again), and the second
array may have one number a row, which is broadcast::

    a   | v0 | v1 | .. | masked |        y, or dx:   v <- f(a, b)      stored
    b   | w0 | w1 | .. | masked |                    v <- v + f        added to a row that others add to, too
        or | w |                                     s <- s + sum f    one number for the row

One loop for each formula, each shape of b and each way of writing; which one runs is a number found before the loop.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.codes import MASK, MAXIMUM, MINIMUM, PRELU, PRODUCT, SUM
from fastcnn.kernels.cpu.compile.operands import dtype_of, unpacked
from fastcnn.kernels.cpu.simd.vectors import Vectors, chosen

_I64 = ir.IntType(64)

STORE, ADD, TOTAL = range(3)
OF_SLOPE = MASK + 1  # the gradient of PRELU's second input
_EXTREME = (MAXIMUM, MINIMUM)


@intrinsic
def merge_rows(typingctx, y, a, b, size, kind, numbers):
    """y = f(a, b) for some rows, of which `y` has one after the other.

    Parameters
    ----------
    y : (array, offset)
    a, b : (array, (offset, from row to row))
    size : (rows, columns)
    kind : (code, whole)
        Without `whole` b has one number a row, but for MAXIMUM and MINIMUM.
    numbers : (alpha, beta, floor)
        Of SUM: what is smaller than `floor` becomes `floor`.
    """
    two = types.UniTuple(types.int64, 2)
    return types.void(y, a, b, two, two, types.UniTuple(dtype_of(y), 3)), _forward_code


@intrinsic
def merge_rows_gradient(typingctx, dx, dy, x, other, size, kind, scale):
    """Write the gradient of x in f(x, other): STORE or ADD it row by row, or add its TOTAL to one number a row.

    Parameters
    ----------
    dx, dy, x, other : (array, (offset, from row to row))
        SUM reads neither `x` nor `other`. MAXIMUM and MINIMUM are for arrays of one shape.
    size : (rows, columns)
    kind : (code, whole, way)
        With the way TOTAL x has one number a row; without `whole` `other` has.
    scale : float
        Of SUM.
    """
    two, three = (types.UniTuple(types.int64, count) for count in (2, 3))
    return types.void(dx, dy, x, other, two, three, dtype_of(dx)), _backward_code


def _forward_code(context, builder, signature, args):
    pointers, steps = _operands(context, builder, signature, args, 3)
    (rows, columns), (code, whole), numbers = (cgutils.unpack_tuple(builder, value) for value in args[3:])
    kinds = [(c, w) for c in (SUM, PRODUCT, PRELU, MASK) for w in (0, 1)] + [(c, 1) for c in _EXTREME]
    number = builder.add(builder.mul(code, _I64(2)), whole)
    for kind in chosen(builder, number, {2 * c + w: (c, w) for c, w in kinds}):
        walk = _RowEmitter(builder, dtype_of(signature.args[0]))
        walk.numbers = [walk.broadcast(value) for value in numbers]
        for at in _rows(builder, rows, pointers, [columns, *steps]):
            walk.forward(at, columns, *kind)
    return context.get_dummy_value()


def _backward_code(context, builder, signature, args):
    pointers, steps = _operands(context, builder, signature, args, 4)
    (rows, columns), (code, whole, way) = (cgutils.unpack_tuple(builder, value) for value in args[4:6])
    scale = args[6]
    # A product with one number a row is a sum whose scale is that number.
    scaled = builder.and_(builder.icmp_signed("==", code, _I64(PRODUCT)), builder.icmp_signed("==", whole, _I64(0)))
    code, whole = builder.select(scaled, _I64(SUM), code), builder.select(scaled, _I64(1), whole)
    kinds = [(c, 1, way) for c in (SUM, PRODUCT, OF_SLOPE) for way in (STORE, ADD, TOTAL)]
    kinds += [(PRELU, 0, STORE), (PRELU, 1, STORE), *((c, 1, STORE) for c in _EXTREME)]
    number = builder.add(builder.mul(builder.add(builder.mul(code, _I64(2)), whole), _I64(3)), way)
    for kind in chosen(builder, number, {(2 * c + w) * 3 + way: (c, w, way) for c, w, way in kinds}):
        walk = _RowEmitter(builder, dtype_of(signature.args[0]))
        for at in _rows(builder, rows, pointers, steps):
            walk.numbers = [walk.broadcast(walk.scale(scaled, scale, at[3]))] if kind[0] == SUM else []
            walk.backward(at, columns, *kind)
    return context.get_dummy_value()


def _operands(context, builder, signature, args, count):
    """Return the pointers of the first `count` arguments, and their distances from row to row."""
    given = [unpacked(context, builder, *pair) for pair in zip(signature.args[:count], args[:count], strict=True)]
    return [pointer for pointer, _ in given], [step for _, steps in given for step in steps]


def _rows(builder, rows, pointers, steps):
    """Yield the pointers of a row, with the builder within the loop over rows."""
    with cgutils.for_range(builder, rows) as row:
        yield [builder.gep(pointer, [builder.mul(row.index, step)])
               for pointer, step in zip(pointers, steps, strict=True)]


class _RowEmitter(Vectors):
    """Emits the loop over one row; `numbers` are the vectors of alpha, beta and floor, or of a scale."""

    numbers: Any = ()

    def forward(self, places, columns, code, whole):
        y, a, b = places
        single = None if whole else self.broadcast(self.b.load(b))

        def step(moved, mask):
            y, a, *rest = moved
            other = self.load(rest[0], 0, mask) if whole else single
            self.store(self._merged(self.load(a, 0, mask), other, code), y, 0, mask)

        self._walk([y, a, b] if whole else [y, a], columns, step)

    def backward(self, places, columns, code, whole, way):
        b, (dx, dy, x, other) = self.b, places
        reads_x, reads_other = code in (*_EXTREME, PRELU), code != SUM and whole
        total = self.slots(1, self.zero)[0] if way == TOTAL else None
        single = None if whole or code == SUM else self.broadcast(b.load(other))

        def step(moved, mask):
            dy, *rest = moved
            mine = self.load(rest.pop(0), 0, mask) if reads_x else None
            its = self.load(rest.pop(0), 0, mask) if reads_other else single
            value = self._gradient(self.load(dy, 0, mask), mine, its, code)
            if way == TOTAL:
                b.store(b.fadd(b.load(total), value), total)  # lanes beyond the row have a gradient of zero
            else:
                value = b.fadd(value, self.load(rest[0], 0, mask)) if way == ADD else value
                self.store(value, rest[0], 0, mask)

        self._walk([dy] + [x] * reads_x + [other] * reads_other + [dx] * (way != TOTAL), columns, step)
        if way == TOTAL:
            b.store(b.fadd(b.load(dx), self.sum_of_lanes(b.load(total))), dx)

    def scale(self, scaled, scale, other):
        """Return the number that multiplies a row of dy: `scale`, or the one at `other` where `scaled`."""
        slot = self.slots(1, scale)[0]
        with self.b.if_then(scaled):
            self.b.store(self.b.load(other), slot)
        return self.b.load(slot)

    def _walk(self, pointers, columns, step):
        """Emit step(pointers, mask) for whole vectors, and for what is left."""
        b = self.b
        whole = b.sdiv(columns, _I64(self.L))
        moved = lambda at: [b.gep(p, [at]) for p in pointers]
        with cgutils.for_range(b, whole) as vector:
            step(moved(b.mul(vector.index, _I64(self.L))), None)
        done = b.mul(whole, _I64(self.L))
        with b.if_then(b.icmp_signed("<", done, columns)):
            step(moved(done), self.mask(b.sub(columns, done)))

    def _merged(self, a, b, code):
        emit = self.b
        if code == SUM:
            alpha, beta, floor = self.numbers
            return self.at_least(floor, self.fmuladd(alpha, a, emit.fmul(beta, b)))
        if code == PRODUCT:
            return emit.fmul(a, b)
        if code == PRELU:
            return emit.select(emit.fcmp_ordered(">", a, self.zero), a, emit.fmul(a, b))
        if code == MASK:
            return emit.select(emit.fcmp_ordered("==", b, self.zero), self.zero, emit.fmul(a, b))
        first = emit.fcmp_ordered(">" if code == MAXIMUM else "<", a, b)
        return emit.select(emit.or_(first, emit.fcmp_unordered("!=", a, a)), a, b)

    def _gradient(self, dy, x, other, code):
        emit = self.b
        if code == SUM:
            return emit.fmul(self.numbers[0], dy)
        if code == PRODUCT:
            return emit.fmul(dy, other)
        if code == PRELU:
            return emit.select(emit.fcmp_ordered(">", x, self.zero), dy, emit.fmul(dy, other))
        if code == OF_SLOPE:
            return emit.select(emit.fcmp_ordered(">", other, self.zero), self.zero, emit.fmul(dy, other))
        half = emit.fmul(dy, self.constant(0.5))
        some = emit.select(emit.fcmp_ordered("==", x, other), half, dy)
        return emit.select(emit.fcmp_ordered("<" if code == MAXIMUM else ">", x, other), self.zero, some)


# --- without a compiler -----------------------------------------------------------------------------------------------


def _merge_rows_in_python(y, a, b, size, kind, numbers):
    (y, y_at), (a, (a_at, a_row)), (b, (b_at, b_row)) = y, a, b
    (rows, columns), (code, whole), (alpha, beta, floor) = size, kind, numbers
    for r in range(rows):
        left = a[a_at + r * a_row:][:columns]
        right = b[b_at + r * b_row:][:columns if whole else 1]
        value = (alpha * left + beta * right, left * right, np.maximum(left, right), np.minimum(left, right),
                 np.where(left > 0, left, left * right), np.where(right == 0, 0, left * right))[code]
        y[y_at + r * columns:][:columns] = np.where(value < floor, floor, value) if code == SUM else value


def _merge_rows_gradient_in_python(dx, dy, x, other, size, kind, scale):
    (rows, columns), (code, whole, way) = size, kind
    for r in range(rows):
        written, gradient, mine, its = (array[at + r * step:] for array, (at, step) in (dx, dy, x, other))
        gradient, mine, its = gradient[:columns], mine[:columns], its[:columns if whole else 1]
        if code == SUM:
            value = scale * gradient
        elif code in (PRODUCT, OF_SLOPE):
            value = gradient * its if code == PRODUCT else np.where(its > 0, 0, gradient * its)
        elif code == PRELU:
            value = np.where(mine > 0, gradient, gradient * its)
        else:
            larger = mine > its if code == MAXIMUM else mine < its
            value = gradient * (larger + 0.5 * (mine == its))
        to = written[:1 if way == TOTAL else columns]
        to[...] = value if way == STORE else to + (value.sum() if way == TOTAL else value)


if config.DISABLE_JIT:
    merge_rows, merge_rows_gradient = _merge_rows_in_python, _merge_rows_gradient_in_python
