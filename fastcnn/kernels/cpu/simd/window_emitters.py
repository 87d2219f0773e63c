"""The code that the intrinsics of `windows` emit: a class for each walk, a method for each part of it."""

import numpy as np
from llvmlite import ir

from fastcnn.kernels.cpu.simd.short import Shorts
from fastcnn.kernels.cpu.simd.sums import TERMS
from fastcnn.kernels.cpu.simd.vectors import loop

_I32, _I64 = ir.IntType(32), ir.IntType(64)


class WindowEmitter(Shorts):
    """The loops that all walks have: over the run, over vectors of channels, over the window.

    `wide` vectors of one result are reduced side by side, to hide the latency of the additions.
    """

    wide = 4

    def run(self, pointers, windows, special):
        """Emit everything; `special` is what the walk's intrinsic takes beside the windows."""
        run, steps, self.window, self.strides, channels = windows
        self.special = special
        b, wide = self.b, self.wide * self.L
        with loop(b, run) as o:
            here = self.moved(pointers, *(b.mul(o, step) for step in steps))
            blocks = b.sdiv(channels, _I64(wide))
            with loop(b, blocks) as block:
                self.results(here, b.mul(block, _I64(wide)), self.wide, None)
            whole, begun = b.sdiv(channels, _I64(self.L)), b.mul(blocks, _I64(self.wide))
            half = self.wide // 2
            while half > 1:  # the rest, less than `wide` vectors: half as many at a time, then a quarter, and so on
                fits = b.icmp_signed(">=", b.sub(whole, begun), _I64(half))
                with b.if_then(fits):
                    self.results(here, b.mul(begun, _I64(self.L)), half, None)
                begun = b.add(begun, b.select(fits, _I64(half), _I64(0)))
                half //= 2
            with loop(b, b.sub(whole, begun)) as index:
                self.results(here, b.mul(b.add(begun, index), _I64(self.L)), 1, None)
            done = b.mul(whole, _I64(self.L))
            with b.if_then(b.icmp_signed("<", done, channels)):
                self.results(here, done, 1, self.mask(b.sub(channels, done)))

    def moved(self, pointers, to, of):
        """Return the pointers of one window: `to` further in what it has one number of, `of` in what it lies on."""
        raise NotImplementedError

    def results(self, pointers, channel, count, mask):
        """Emit `count` vectors of one result, from a channel on."""
        raise NotImplementedError

    def positions(self, sources, channel, body, begin=None, size=None):
        """Emit the loop over the window, or a part of it: body(pointers to the sources' vectors, row, column)."""
        b = self.b
        rows, columns = size or self.window
        with loop(b, rows) as row, loop(b, columns) as column:
            r, s = (row, column) if begin is None else (b.add(begin[0], row), b.add(begin[1], column))
            offset = b.add(channel, b.add(b.mul(r, self.strides[0]), b.mul(s, self.strides[1])))
            body([b.gep(source, [offset]) for source in sources], r, s)

    def four_or_more(self, sources, channel, body):
        """As `positions`, with code of its own for windows of 2x2, where two loops around one step take longer."""
        b = self.b
        four = b.and_(*(b.icmp_signed("==", size, _I64(2)) for size in self.window))
        with b.if_else(four) as (then, otherwise):
            with then:
                for r, s in ((0, 0), (0, 1), (1, 0), (1, 1)):
                    along = (b.mul(_I64(k), stride) for k, stride in zip((r, s), self.strides, strict=True))
                    offset = b.add(channel, b.add(*along))
                    body([b.gep(source, [offset]) for source in sources], _I64(r), _I64(s))
            with otherwise:
                self.positions(sources, channel, body)

    def summed(self, sources, channel, count, add):
        """Emit sums over the window, one for each of `count` vectors, and return the variables that hold them.

        add(sums, pointers to the sources' vectors, row, column) adds a position. A window of more than TERMS positions
        is summed in parts, in float64 over parts (`fastcnn.kernels.cpu.simd.sums`).
        """
        b, sums = self.b, self.slots(count, self.zero)
        rows, columns = self.window
        is_long = b.icmp_signed(">", b.mul(rows, columns), _I64(TERMS))
        with b.if_else(is_long, likely=False) as (in_parts, at_once):
            with in_parts:
                narrow = b.icmp_signed("<", columns, _I64(TERMS))
                broad = b.select(narrow, columns, _I64(TERMS))
                tall = b.sdiv(_I64(TERMS), broad)
                totals = [self.slots(len(self.widened(self.zero)), self.widened(self.zero)[0]) for _ in range(count)]
                with loop(b, self._parts(rows, tall)) as i, loop(b, self._parts(columns, broad)) as j:
                    for slot in sums:
                        b.store(self.zero, slot)
                    begin = b.mul(i, tall), b.mul(j, broad)
                    size = self._least(tall, b.sub(rows, begin[0])), self._least(broad, b.sub(columns, begin[1]))
                    self.positions(sources, channel, lambda *at: add(sums, *at), begin, size)
                    for slot, halves in zip(sums, totals, strict=True):
                        for half, value in zip(halves, self.widened(b.load(slot)), strict=True):
                            b.store(b.fadd(b.load(half), value), half)
                for slot, halves in zip(sums, totals, strict=True):
                    b.store(self.narrowed([b.load(half) for half in halves]), slot)
            with at_once:
                self.positions(sources, channel, lambda *at: add(sums, *at))
        return sums

    def _parts(self, length, part):
        return self.b.sdiv(self.b.add(length, self.b.sub(part, _I64(1))), part)

    def _least(self, one, other):
        return self.b.select(self.b.icmp_signed("<", one, other), one, other)

    def code(self, codes, r, s, width):
        """Return a position's code in all lanes, as integers of `width` bits."""
        b = self.b
        code = b.add(codes[0], b.add(b.mul(r, codes[1]), b.mul(s, codes[2])))
        return self.broadcast(b.trunc(code, ir.IntType(width)))


class Max(WindowEmitter):
    def moved(self, pointers, to, of):
        y, where, x = pointers
        return self.b.gep(y, [to]), self.b.gep(where, [to]), self.b.gep(x, [of])

    def results(self, pointers, channel, count, mask):
        b, (y, where, x) = self.b, pointers
        lowest = ir.Constant(self.vector, [-np.inf] * self.L)
        best, nan = self.slots(count, lowest), self.slots(count, self.zero)
        index = self.slots(count, self.code(self.special[0], _I64(0), _I64(0), 32))
        self.compete(x, channel, best, index, nan, mask)
        # A sum is NaN after a NaN, or two infinities of unlike sign. That is rare, so the exact rule may be slow.
        total = b.load(nan[0])
        for other in nan[1:]:
            total = b.fadd(total, b.load(other))
        met = b.bitcast(b.fcmp_unordered("uno", total, total), ir.IntType(self.L))
        with b.if_then(b.icmp_unsigned("!=", met, ir.Constant(met.type, 0)), likely=False):
            for slot in best:
                b.store(lowest, slot)
            self.compete(x, channel, best, index, None, mask)
        for u in range(count):
            self.keep(self.signed(b.load(best[u])), b.gep(y, [channel]), u, mask)
            kind = ir.VectorType(where.type.pointee, self.L)
            value = b.load(index[u])
            value = value if kind == value.type else b.trunc(value, kind)
            self.store(value, b.gep(where, [channel]), u, mask)

    def signed(self, value):
        """Return a vector, with its sign changed if the smallest element is wanted."""
        b, width = self.b, self.bits
        bits, integer = ir.VectorType(ir.IntType(width), self.L), ir.IntType(width)
        least = b.icmp_signed("!=", self.special[1], _I64(0))
        sign = b.select(least, ir.Constant(integer, 1 << (width - 1)), ir.Constant(integer, 0))
        return b.bitcast(b.xor(b.bitcast(value, bits), self.broadcast(sign)), self.vector)

    def compete(self, x, channel, best, index, nan, mask):
        """Let all positions compete; with `nan` they are also summed up there, without it a NaN wins."""
        b = self.b

        def body(sources, r, s):
            code = self.code(self.special[0], r, s, 32)
            for u in range(len(best)):
                value, before = self.signed(self.numbers(sources[0], u, mask)), b.load(best[u])
                wins = b.fcmp_ordered(">", value, before)
                if nan is None:
                    wins = b.or_(wins, b.fcmp_unordered("uno", value, value))
                else:
                    b.store(b.fadd(b.load(nan[u]), value), nan[u])
                b.store(b.select(wins, value, before), best[u])
                b.store(b.select(wins, code, b.load(index[u])), index[u])

        self.four_or_more([x], channel, body)


class Gradient(WindowEmitter):
    def moved(self, pointers, to, of):
        dx, dy, where = pointers
        return self.b.gep(dx, [to]), self.b.gep(dy, [of]), self.b.gep(where, [of])

    def results(self, pointers, channel, count, mask):
        b, (dx, dy, where) = self.b, pointers

        def add(sums, sources, r, s):
            code = self.code(self.special[0], r, s, where.type.pointee.width)
            for u in range(count):
                here = b.icmp_signed("==", self.load(sources[1], u, mask), code)
                before = b.load(sums[u])
                b.store(b.select(here, b.fadd(before, self.numbers(sources[0], u, mask)), before), sums[u])

        for u, slot in enumerate(self.summed([dy, where], channel, count, add)):
            self.keep(b.load(slot), b.gep(dx, [channel]), u, mask)


class Sum(WindowEmitter):
    wide = 8  # a whole image is read with large strides: the longer the pieces, the better

    def moved(self, pointers, to, of):
        y, x = pointers
        return self.b.gep(y, [to]), self.b.gep(x, [of])

    def results(self, pointers, channel, count, mask):
        b, (y, x) = self.b, pointers
        scale, added = self.special

        def add(sums, sources, r, s):
            for u in range(count):
                b.store(b.fadd(b.load(sums[u]), self.load(sources[0], u, mask)), sums[u])

        sums = self.summed([x], channel, count, add)
        factor, place = self.broadcast(scale), b.gep(y, [channel])
        for slot in sums:
            b.store(b.fmul(b.load(slot), factor), slot)
        with b.if_then(b.icmp_signed("!=", added, _I64(0)), likely=False):
            for u, slot in enumerate(sums):
                b.store(b.fadd(b.load(slot), self.load(place, u, mask)), slot)
        for u, slot in enumerate(sums):
            self.store(b.load(slot), place, u, mask)


class Blend(WindowEmitter):
    def moved(self, pointers, to, of):
        y, x, *weights = pointers
        return self.b.gep(y, [to]), self.b.gep(x, [of]), *weights

    def results(self, pointers, channel, count, mask):
        b, (y, x, down, right) = self.b, pointers
        result = self.slots(count, self.zero)

        def add(sums, sources, r, s):
            weight = b.fmul(b.load(b.gep(down, [r])), b.load(b.gep(right, [s])))
            factor = self.broadcast(weight)
            for u in range(count):
                b.store(self.fmuladd(self.load(sources[0], u, mask), factor, b.load(sums[u])), sums[u])

        # Windows of linear interpolation are worth code of their own: four steps cost less than two loops around one.
        four = b.and_(*(b.icmp_signed("==", size, _I64(2)) for size in self.window))
        with b.if_else(four) as (then, otherwise):
            with then:
                for r in range(2):
                    for s in range(2):
                        offset = b.add(channel, b.add(*(b.mul(_I64(k), stride) for k, stride in zip(
                            (r, s), self.strides, strict=True))))
                        add(result, [b.gep(x, [offset])], _I64(r), _I64(s))
            with otherwise:
                for slot, one in zip(result, self.summed([x], channel, count, add), strict=True):
                    b.store(b.load(one), slot)
        for u, slot in enumerate(result):
            self.store(b.load(slot), b.gep(y, [channel]), u, mask)


class Scatter(WindowEmitter):
    def moved(self, pointers, to, of):
        dx, dy, where = pointers
        return self.b.gep(dx, [of]), self.b.gep(dy, [to]), self.b.gep(where, [to])

    def results(self, pointers, channel, count, mask):
        b, (dx, dy, where) = self.b, pointers
        gradients = [self.numbers(b.gep(dy, [channel]), u, mask) for u in range(count)]
        winners = [self.load(b.gep(where, [channel]), u, mask) for u in range(count)]

        def body(targets, r, s):
            code = self.code(self.special[0], r, s, where.type.pointee.width)
            for u in range(count):
                here = b.icmp_signed("==", winners[u], code)
                self.keep(b.select(here, gradients[u], self.zero), targets[0], u, mask)

        self.four_or_more([dx], channel, body)


class Spread(WindowEmitter):
    def moved(self, pointers, to, of):
        dx, dy = pointers
        return self.b.gep(dx, [of]), self.b.gep(dy, [to])

    def results(self, pointers, channel, count, mask):
        b, (dx, dy) = self.b, pointers
        factor, source = self.broadcast(self.special[0]), b.gep(dy, [channel])
        shares = [b.fmul(self.load(source, u, mask), factor) for u in range(count)]

        def body(targets, r, s):
            for u in range(count):
                self.store(shares[u], targets[0], u, mask)

        self.positions([dx], channel, body)
