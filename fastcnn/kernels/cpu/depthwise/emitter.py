"""The LLVM code of the tiles that `tile.py` describes."""

from llvmlite import ir
from numba import types
from numba.core import cgutils

from fastcnn.kernels.cpu.simd.sums import TERMS
from fastcnn.kernels.cpu.simd.vectors import loop
from fastcnn.kernels.cpu.simd.width import lanes

_I32, _I64 = ir.IntType(32), ir.IntType(64)

#: Output columns of a tile.
J = 7


def _line(b_, pointer, step, count):
    """Return pointers to `count` places `step` apart, every third a sum: x86 adds one or two steps for nothing."""
    three = b_.mul(step, _I64(3))
    two = b_.mul(step, _I64(2))
    places = []
    for k in range(count):
        if k and k % 3 == 0:
            pointer = b_.gep(pointer, [three])
        places.append(b_.gep(pointer, [(None, step, two)[k % 3]]) if k % 3 else pointer)
    return places


def _least(b_, one, other):
    return b_.select(b_.icmp_signed("<", one, other), one, other)


class Emitter:
    """Writes the LLVM code of one tile shape for one floating type."""

    def __init__(self, taps, stride, missing, edge, dtype):
        self.taps, self.stride, self.missing, self.edge, self.L = taps, stride, missing, edge, lanes(dtype)
        single = dtype == types.float32
        self.element = ir.FloatType() if single else ir.DoubleType()
        self.suffix = f"v{self.L}{'f32' if single else 'f64'}"
        self.align = 4 if single else 8
        self.vector = ir.VectorType(self.element, self.L)
        self.zero = ir.Constant(self.vector, [0.0] * self.L)

    def window(self, b_, y, y_step, x, x_steps, w, w_steps, start, start_at, bounds, loops, borders):
        first, width, outputs, present = borders
        self.columns = J
        self._prepare(b_, present)
        given = b_.icmp_signed(">=", start_at, _I64(0))
        begin = self._read(b_, self._or_zeros(b_, given, b_.gep(start, [start_at])))
        sums = [cgutils.alloca_once(b_, self.vector) for _ in range(J)]
        for cell in sums:
            b_.store(begin, cell)
        if self.taps > 0:
            self._few_taps(b_, sums, x, x_steps, w, w_steps, loops[0])
        elif self.taps == 0:
            self._any_taps(b_, sums, x, x_steps, w, w_steps, loops[:4], first, width)
        else:
            self._many_taps(b_, sums, x, x_steps, w, w_steps, loops, first, width)
        low, high = (self._splat(b_, b_.load(b_.gep(bounds, [_I64(k)]))) for k in range(2))
        for j, place in enumerate(_line(b_, y, y_step, J)):
            value = b_.load(sums[j])
            value = b_.select(b_.fcmp_ordered("<", value, low), low, value)  # NaN is neither below nor above
            value = b_.select(b_.fcmp_ordered(">", value, high), high, value)
            if self.edge:
                with b_.if_then(b_.icmp_signed("<", _I64(j), outputs)):
                    self._write(b_, value, place)
            else:
                self._write(b_, value, place)

    def _few_taps(self, b_, sums, x, x_steps, w, w_steps, height):
        with loop(b_, height) as r:
            x_row, w_row = b_.gep(x, [b_.mul(r, x_steps[0])]), b_.gep(w, [b_.mul(r, w_steps[0])])
            weights = [self._load(b_, place) for place in _line(b_, w_row, w_steps[1], self.taps)]
            for q, pixel in self._pixels(b_, x_row, x_steps[1]):
                for j, s in self._meeting(q):
                    self._add(b_, sums[j], pixel, weights[s])

    def _any_taps(self, b_, sums, x, x_steps, w, w_steps, loops, first, width):
        height, taps, stride, dilation = loops
        with loop(b_, height) as r:
            x_row, w_row = b_.gep(x, [b_.mul(r, x_steps[0])]), b_.gep(w, [b_.mul(r, w_steps[0])])
            with loop(b_, taps) as s:
                weight = self._read(b_, b_.gep(w_row, [b_.mul(s, w_steps[1])]))
                shift = b_.mul(s, dilation)
                for j in range(J):
                    column = b_.add(b_.mul(_I64(j), stride), shift)
                    place = b_.gep(x_row, [b_.mul(column, x_steps[1])])
                    if self.edge:
                        there = b_.icmp_unsigned("<", b_.add(first, column), width)
                        place = self._or_zeros(b_, there, place)
                    self._add(b_, sums[j], self._read(b_, place), weight)

    def _many_taps(self, b_, sums, x, x_steps, w, w_steps, loops, first, width):
        """Add up pieces of the window, of at most TERMS taps each, into totals in float64."""
        height, taps, stride, dilation, tall, pieces = loops
        double = ir.VectorType(ir.DoubleType(), self.L)
        totals = [cgutils.alloca_once(b_, double) for _ in range(J)]
        for total in totals:
            b_.store(ir.Constant(double, [0.0] * self.L), total)
        parts = b_.sdiv(b_.add(taps, _I64(TERMS - 1)), _I64(TERMS))
        with loop(b_, pieces) as piece, loop(b_, parts) as part:
            r, s = b_.mul(piece, tall), b_.mul(part, _I64(TERMS))
            shift = b_.mul(s, dilation)
            x_at = b_.gep(x, [b_.add(b_.mul(r, x_steps[0]), b_.mul(shift, x_steps[1]))])
            w_at = b_.gep(w, [b_.add(b_.mul(r, w_steps[0]), b_.mul(s, w_steps[1]))])
            some = _least(b_, tall, b_.sub(height, r)), _least(b_, _I64(TERMS), b_.sub(taps, s)), stride, dilation
            self._any_taps(b_, sums, x_at, x_steps, w_at, w_steps, some, b_.add(first, shift), width)
            for total, cell in zip(totals, sums, strict=True):
                b_.store(b_.fadd(b_.load(total), self._as(b_.fpext, b_.load(cell), double)), total)
                b_.store(self.zero, cell)
        with b_.if_then(b_.icmp_signed(">", pieces, _I64(0))):
            for total, cell in zip(totals, sums, strict=True):
                b_.store(self._as(b_.fptrunc, b_.load(total), self.vector), cell)

    def _as(self, convert, value, kind):
        return value if value.type == kind else convert(value, kind)

    def gradient(self, b_, height, sums, total, x, x_steps, dy, dy_steps, loops, borders):
        rows, blocks, stride = loops
        top, row_step, tap_step, image_rows, present = borders
        self.columns = 1 if self.edge else J
        self._prepare(b_, present)
        # So many sums that a multiply-add need not wait for the one before it: a tap has several, in turn.
        count = height * self.taps
        turns = max(1, min(self.columns, 8 // max(1, count)))
        cells = [[cgutils.alloca_once(b_, self.vector) for _ in range(turns)] for _ in range(count)]
        places = [b_.gep(sums, [_I64(s * self.L)]) for s in range(count)]
        if total:
            whole = cgutils.alloca_once(b_, self.vector)
            b_.store(self.zero, whole)
        for tap in range(count):
            for turn in range(turns):
                b_.store(self.zero, cells[tap][turn])
        if not self.stride:
            x_steps = [x_steps[0], x_steps[1], b_.mul(x_steps[2], stride)]
        block_x = b_.mul(x_steps[2], _I64(self.columns * max(1, self.stride)))
        block_dy = b_.mul(dy_steps[1], _I64(self.columns))
        with loop(b_, rows) as i:
            x_i, row = b_.gep(x, [b_.mul(i, x_steps[0])]), b_.add(top, b_.mul(i, row_step))
            dy_row = b_.gep(dy, [b_.mul(i, dy_steps[0])])
            with loop(b_, blocks) as block:
                dy_at, x_at = b_.gep(dy_row, [b_.mul(block, block_dy)]), b_.gep(x_i, [b_.mul(block, block_x)])
                outputs = [self._read(b_, place) for place in _line(b_, dy_at, dy_steps[1], self.columns)]
                for r in range(height):
                    with self._if_inside(b_, b_.add(row, b_.mul(_I64(r), tap_step)), image_rows):
                        for q, pixel in self._pixels(b_, b_.gep(x_at, [b_.mul(_I64(r), x_steps[1])]), x_steps[2]):
                            for j, s in self._meeting(q):
                                self._add(b_, cells[r * self.taps + s][j % turns], pixel, outputs[j])
                if total:  # in pairs first: a shorter chain of additions
                    while len(outputs) > 1:
                        outputs = [b_.fadd(*outputs[k:k + 2]) if k + 1 < len(outputs) else outputs[k]
                                   for k in range(0, len(outputs), 2)]
                    b_.store(b_.fadd(b_.load(whole), outputs[0]), whole)
        for tap in range(count):
            value = b_.load(cells[tap][0])
            for turn in range(1, turns):
                value = b_.fadd(value, b_.load(cells[tap][turn]))
            self._store(b_, b_.fadd(value, self._load(b_, places[tap])), places[tap])
        if total:
            self._store(b_, b_.fadd(b_.load(whole), self._load(b_, total)), total)

    def _if_inside(self, b_, row, rows):
        return b_.if_then(b_.icmp_unsigned("<", row, rows), likely=True)

    def _pixels(self, b_, pointer, step):
        """Load the pixels of a row that lie in the image, each when it is asked for."""
        seen = (self.columns - 1) * max(1, self.stride) + self.taps
        for q, place in enumerate(_line(b_, pointer, step, seen)):
            if self.missing[0] <= q < seen - self.missing[1]:
                yield q, self._read(b_, place)

    def _meeting(self, q):
        """The outputs and taps that see column q of the image: j stride + s = q."""
        stride = max(1, self.stride)
        return [(j, q - j * stride) for j in range(self.columns) if 0 <= q - j * stride < self.taps]

    def _prepare(self, b_, present):
        """Make the zeros that stand for missing pixels, and the mask of the lanes that exist."""
        name = f"fastcnn_zeros_{self.suffix}"
        known = b_.module.globals.get(name)
        self.zeros = known or cgutils.global_constant(b_.module, name, self.zero)
        if self.edge == 2:
            integers = ir.VectorType(_I64, self.L)
            self.mask = b_.icmp_signed("<", ir.Constant(integers, list(range(self.L))),
                                       self._splat(b_, present, integers))

    def _or_zeros(self, b_, there, pointer):
        return b_.select(there, pointer, b_.bitcast(self.zeros, pointer.type))

    def _add(self, b_, cell, one, other):
        fma = cgutils.get_or_insert_function(
            b_.module, ir.FunctionType(self.vector, [self.vector] * 3), f"llvm.fmuladd.{self.suffix}")
        b_.store(b_.call(fma, [one, other, b_.load(cell)]), cell)

    def _splat(self, b_, scalar, kind=None):
        kind = kind or self.vector
        undefined = ir.Constant(kind, ir.Undefined)
        lanes_of_first = ir.Constant(ir.VectorType(_I32, self.L), [0] * self.L)
        return b_.shuffle_vector(b_.insert_element(undefined, scalar, _I32(0)), undefined, lanes_of_first)

    def _read(self, b_, pointer):
        return self._masked_load(b_, pointer) if self.edge == 2 else self._load(b_, pointer)

    def _write(self, b_, value, pointer):
        if self.edge == 2:
            self._masked_store(b_, value, pointer)
        else:
            self._store(b_, value, pointer)

    def _as_vector(self, b_, pointer):
        return b_.bitcast(pointer, self.vector.as_pointer())

    def _load(self, b_, pointer):
        return b_.load(self._as_vector(b_, pointer), align=self.align)

    def _store(self, b_, value, pointer):
        b_.store(value, self._as_vector(b_, pointer), align=self.align)

    def _masked_load(self, b_, pointer):
        kind = ir.FunctionType(self.vector, [self.vector.as_pointer(), _I32, self.mask.type, self.vector])
        call = cgutils.get_or_insert_function(b_.module, kind, f"llvm.masked.load.{self.suffix}.p0")
        return b_.call(call, [self._as_vector(b_, pointer), _I32(self.align), self.mask, self.zero])

    def _masked_store(self, b_, value, pointer):
        kind = ir.FunctionType(ir.VoidType(), [self.vector, self.vector.as_pointer(), _I32, self.mask.type])
        call = cgutils.get_or_insert_function(b_.module, kind, f"llvm.masked.store.{self.suffix}.p0")
        b_.call(call, [value, self._as_vector(b_, pointer), _I32(self.align), self.mask])
