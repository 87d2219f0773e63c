"""The LLVM code of the tiles that `tile.py` describes."""

from llvmlite import ir
from numba.core import cgutils

from fastcnn.kernels.cpu.simd.sums import TERMS
from fastcnn.kernels.cpu.simd.vectors import Vectors, loop

_I64 = ir.IntType(64)

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


class Emitter(Vectors):
    """Writes the LLVM code of one tile shape."""

    def __init__(self, builder, dtype, shape, height=0):
        super().__init__(builder, dtype)
        self.taps, self.stride, left, right, self.edge = shape
        self.missing, self.height = (left, right), height

    def window(self, y, x, w, ends, loops, borders):
        """Emit a tile of J outputs; `y`, `x` and `w` are (pointer, steps), `ends` (start, offset, bounds)."""
        b_, (start, start_at, bounds), (first, width, outputs, present) = self.b, ends, borders
        self.columns = J
        self._prepare(present)
        given = b_.icmp_signed(">=", start_at, _I64(0))
        sums = self.slots(J, self._read(self._or_zeros(given, b_.gep(start, [start_at]))))
        if self.taps > 0:
            self._few_taps(sums, x, w, loops[0])
        elif self.taps == 0:
            self._any_taps(sums, x, w, loops[:4], (first, width))
        else:
            self._many_taps(sums, x, w, loops, (first, width))
        low, high = (self.broadcast(b_.load(b_.gep(bounds, [_I64(k)]))) for k in range(2))
        for j, place in enumerate(_line(b_, y[0], y[1][0], J)):
            value = self.at_most(high, self.at_least(low, b_.load(sums[j])))
            if self.edge:
                with b_.if_then(b_.icmp_signed("<", _I64(j), outputs)):
                    self._write(value, place)
            else:
                self._write(value, place)

    def _few_taps(self, sums, x, w, height):
        b_, (x, x_steps), (w, w_steps) = self.b, x, w
        with loop(b_, height) as r:
            x_row, w_row = b_.gep(x, [b_.mul(r, x_steps[0])]), b_.gep(w, [b_.mul(r, w_steps[0])])
            weights = [self.load(place) for place in _line(b_, w_row, w_steps[1], self.taps)]
            for q, pixel in self._pixels(x_row, x_steps[1]):
                for j, s in self._meeting(q):
                    self.add_product(sums[j], pixel, weights[s])

    def _any_taps(self, sums, x, w, loops, inside):
        b_, (x, x_steps), (w, w_steps), (height, taps, stride, dilation) = self.b, x, w, loops
        first, width = inside
        with loop(b_, height) as r:
            x_row, w_row = b_.gep(x, [b_.mul(r, x_steps[0])]), b_.gep(w, [b_.mul(r, w_steps[0])])
            with loop(b_, taps) as s:
                weight = self._read(b_.gep(w_row, [b_.mul(s, w_steps[1])]))
                shift = b_.mul(s, dilation)
                for j in range(J):
                    column = b_.add(b_.mul(_I64(j), stride), shift)
                    place = b_.gep(x_row, [b_.mul(column, x_steps[1])])
                    if self.edge:
                        there = b_.icmp_unsigned("<", b_.add(first, column), width)
                        place = self._or_zeros(there, place)
                    self.add_product(sums[j], self._read(place), weight)

    def _many_taps(self, sums, x, w, loops, inside):
        """Add up pieces of the window, of at most TERMS taps each, into totals in float64."""
        b_, (x, x_steps), (w, w_steps), (first, width) = self.b, x, w, inside
        height, taps, stride, dilation, tall, pieces = loops
        double = self.doubles
        totals = self.slots(J, ir.Constant(double, [0.0] * self.L))
        parts = b_.sdiv(b_.add(taps, _I64(TERMS - 1)), _I64(TERMS))
        with loop(b_, pieces) as piece, loop(b_, parts) as part:
            r, s = b_.mul(piece, tall), b_.mul(part, _I64(TERMS))
            shift = b_.mul(s, dilation)
            x_at = b_.gep(x, [b_.add(b_.mul(r, x_steps[0]), b_.mul(shift, x_steps[1]))])
            w_at = b_.gep(w, [b_.add(b_.mul(r, w_steps[0]), b_.mul(s, w_steps[1]))])
            some = _least(b_, tall, b_.sub(height, r)), _least(b_, _I64(TERMS), b_.sub(taps, s)), stride, dilation
            self._any_taps(sums, (x_at, x_steps), (w_at, w_steps), some, (b_.add(first, shift), width))
            for total, cell in zip(totals, sums, strict=True):
                b_.store(b_.fadd(b_.load(total), self._as(b_.fpext, b_.load(cell), double)), total)
                b_.store(self.zero, cell)
        with b_.if_then(b_.icmp_signed(">", pieces, _I64(0))):
            for total, cell in zip(totals, sums, strict=True):
                b_.store(self._as(b_.fptrunc, b_.load(total), self.vector), cell)

    def _as(self, convert, value, kind):
        return value if value.type == kind else convert(value, kind)

    def gradient(self, sums, total, x, dy, loops, borders):
        """Emit what blocks of outputs give to the sums of the taps; `total`, if any, is where those of dy are."""
        b_, (x, x_steps), (dy, dy_steps), (rows, blocks, stride) = self.b, x, dy, loops
        (top, row_step, tap_step, image_rows, present), height = borders, self.height
        self.columns = 1 if self.edge else J
        self._prepare(present)
        # So many sums that a multiply-add need not wait for the one before it: a tap has several, in turn.
        count = height * self.taps
        turns = max(1, min(self.columns, 8 // max(1, count)))
        (whole,), cells = self.slots(1, self.zero), [self.slots(turns, self.zero) for _ in range(count)]
        if not self.stride:
            x_steps = [x_steps[0], x_steps[1], b_.mul(x_steps[2], stride)]
        block_x = b_.mul(x_steps[2], _I64(self.columns * max(1, self.stride)))
        block_dy = b_.mul(dy_steps[1], _I64(self.columns))
        with loop(b_, rows) as i:
            x_i, row = b_.gep(x, [b_.mul(i, x_steps[0])]), b_.add(top, b_.mul(i, row_step))
            dy_row = b_.gep(dy, [b_.mul(i, dy_steps[0])])
            with loop(b_, blocks) as block:
                dy_at, x_at = b_.gep(dy_row, [b_.mul(block, block_dy)]), b_.gep(x_i, [b_.mul(block, block_x)])
                outputs = [self._read(place) for place in _line(b_, dy_at, dy_steps[1], self.columns)]
                for r in range(height):
                    there = b_.icmp_unsigned("<", b_.add(row, b_.mul(_I64(r), tap_step)), image_rows)
                    with b_.if_then(there, likely=True):
                        for q, pixel in self._pixels(b_.gep(x_at, [b_.mul(_I64(r), x_steps[1])]), x_steps[2]):
                            for j, s in self._meeting(q):
                                self.add_product(cells[r * self.taps + s][j % turns], pixel, outputs[j])
                if total:  # in pairs first: a shorter chain of additions
                    while len(outputs) > 1:
                        outputs = [b_.fadd(*outputs[k:k + 2]) if k + 1 < len(outputs) else outputs[k]
                                   for k in range(0, len(outputs), 2)]
                    b_.store(b_.fadd(b_.load(whole), outputs[0]), whole)
        for tap in range(count):
            value = b_.load(cells[tap][0])
            for turn in range(1, turns):
                value = b_.fadd(value, b_.load(cells[tap][turn]))
            self.store(b_.fadd(value, self.load(sums, tap)), sums, tap)
        if total:
            self.store(b_.fadd(b_.load(whole), self.load(total)), total)

    def _pixels(self, pointer, step):
        """Load the pixels of a row that lie in the image, each when it is asked for."""
        seen = (self.columns - 1) * max(1, self.stride) + self.taps
        for q, place in enumerate(_line(self.b, pointer, step, seen)):
            if self.missing[0] <= q < seen - self.missing[1]:
                yield q, self._read(place)

    def _meeting(self, q):
        """The outputs and taps that see column q of the image: j stride + s = q."""
        stride = max(1, self.stride)
        return [(j, q - j * stride) for j in range(self.columns) if 0 <= q - j * stride < self.taps]

    def _prepare(self, present):
        """Make the zeros that stand for missing pixels, and the mask of the lanes that exist."""
        name = f"fastcnn_zeros_{self.L}_{self.bits}"
        known = self.b.module.globals.get(name)
        self.zeros = known or cgutils.global_constant(self.b.module, name, self.zero)
        self.present = self.mask(present) if self.edge == 2 else None

    def _or_zeros(self, there, pointer):
        return self.b.select(there, pointer, self.b.bitcast(self.zeros, pointer.type))

    def _read(self, pointer):
        return self.load(pointer, mask=self.present)

    def _write(self, value, pointer):
        self.store(value, pointer, mask=self.present)
