"""Pixels of three channels in vectors of four lanes, the last of which is idle: mixtures of four, and colour matrices.

Four neighbours are two runs of memory, the upper and the lower pixels. They are mixed row by row, then side by side::

    upper  | r g b r g b . . |     + wy (lower - upper)     | r g b | r g b |  ->  left + wx (right - left)
    lower  | r g b r g b . . |                                left    right

of integers of 8 bits or of numbers of the result's type. Two numbers behind them are read as well, so the last column
of an image must not be among the right ones. What is written for a pixel are three numbers: two at once and one.
"""

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd.vectors import DOUBLE, Vectors, loop

_I32, _I64 = ir.IntType(32), ir.IntType(64)


class _Pixel(Vectors):
    """Emits operations on the three numbers of a pixel."""

    def __init__(self, builder, dtype):
        super().__init__(builder, dtype)
        self.L, self.vector = 4, ir.VectorType(self.element, 4)

    def two(self, pointer):
        """Return two pixels side by side, of integers or numbers, and two numbers behind them."""
        kind, eight = ir.VectorType(pointer.type.pointee, 8), ir.VectorType(self.element, 8)
        whole = isinstance(kind.element, ir.IntType)
        value = self.b.load(self.b.bitcast(pointer, kind.as_pointer()), align=1 if whole else self.bits // 8)
        return self.b.uitofp(value, eight) if whole else value

    def pixel(self, pointer):
        """Return a pixel, of which no more is read than there is."""
        pair = self.b.load(self._pair(pointer), align=self.bits // 8)
        third = self.b.load(self.b.gep(pointer, [_I64(2)]), align=self.bits // 8)
        four = self.shuffled(pair, ir.Constant(pair.type, ir.Undefined), [0, 1, 0, 1])
        return self.shuffled(four, self.gathered([third] * 4), [0, 1, 4, 3])

    def put(self, value, pointer):
        """Write the three numbers of a pixel."""
        pair = self.shuffled(value, value, [0, 1])
        self.b.store(pair, self._pair(pointer), align=self.bits // 8)
        third = self.b.extract_element(value, _I32(2))
        self.b.store(third, self.b.gep(pointer, [_I64(2)]), align=self.bits // 8)

    def _pair(self, pointer):
        return self.b.bitcast(pointer, ir.VectorType(self.element, 2).as_pointer())


@intrinsic
def mix_pixels(typingctx, to, at, of, image, width, columns, places):
    """Write pixels begin .. end - 1 of a row to[at:], each the mixture of the four around its place on an image.

    `columns` is (begin, end), `places` (x of column 0, y of it, step of x, step of y): pixel j lies at x + j dx, and
    the pixels around are all on the image of `width` columns, which begins at of[image:], the last one not among them.
    """
    i = types.int64

    def codegen(context, builder, signature, args):
        b, v = builder, _Pixel(builder, to.dtype)
        out, source = (context.make_array(signature.args[k])(context, b, args[k]).data for k in (0, 2))
        out, source = b.gep(out, [args[1]]), b.gep(source, [args[3]])
        (begin, end), places = ([b.extract_value(args[at], k) for k in range(n)] for at, n in ((5, 2), (6, 4)))
        below, double = b.mul(args[4], _I64(3)), DOUBLE
        first, step = (v.gathered(places[k:k + 2]) for k in (0, 2))
        with loop(b, b.sub(end, begin)) as index:
            j = b.add(begin, index)
            column = b.sitofp(j, double)
            place = v.fmuladd(v.gathered([column, column]), step, first)
            whole = b.fptosi(place, ir.VectorType(_I32, 2))
            beyond = b.fsub(place, b.sitofp(whole, place.type))
            beyond = beyond if v.bits == 64 else b.fptrunc(beyond, ir.VectorType(v.element, 2))
            x, y = (b.sext(b.extract_element(whole, _I32(k)), _I64) for k in range(2))
            above = b.gep(source, [b.mul(b.add(b.mul(y, args[4]), x), _I64(3))])
            top, bottom = v.two(above), v.two(b.gep(above, [below]))
            both = v.fmuladd(v.shuffled(beyond, beyond, [1] * 8), b.fsub(bottom, top), top)
            left, right = v.shuffled(both, both, [0, 1, 2, 2]), v.shuffled(both, both, [3, 4, 5, 5])
            v.put(v.fmuladd(v.shuffled(beyond, beyond, [0] * 4), b.fsub(right, left), left),
                  b.gep(out, [b.mul(j, _I64(3))]))
        return context.get_dummy_value()

    return types.void(to, i, of, i, i, columns, places), codegen


@intrinsic
def color_pixels(typingctx, to, at, count, matrix, bounds, scales):
    """Replace `count` pixels by min(max(A x + b, low), high) s + t, channel by channel.

    `matrix` is the 12 numbers of the rows of (A | b), `bounds` (low, high), `scales` the three of s and those of t.
    """
    i = types.int64

    def codegen(context, builder, signature, args):
        b, v = builder, _Pixel(builder, to.dtype)
        out = b.gep(context.make_array(signature.args[0])(context, b, args[0]).data, [args[1]])
        numbers = [b.extract_value(args[3], k) for k in range(12)]
        columns = [v.gathered([numbers[4 * row + k] for row in (0, 1, 2, 2)]) for k in range(4)]
        low, high = (v.broadcast(b.extract_value(args[4], k)) for k in range(2))
        scale, offset = (v.gathered([b.extract_value(args[5], 3 * k + c) for c in (0, 1, 2, 2)]) for k in range(2))
        with loop(b, args[2]) as index:
            place = b.gep(out, [b.mul(index, _I64(3))])
            pixel, total = v.pixel(place), columns[3]
            for k in range(3):
                total = v.fmuladd(v.shuffled(pixel, pixel, [k] * 4), columns[k], total)
            total = v.at_most(high, v.at_least(low, total))
            v.put(v.fmuladd(total, scale, offset), place)
        return context.get_dummy_value()

    return types.void(to, i, i, matrix, bounds, scales), codegen

