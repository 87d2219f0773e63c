"""Windows of images as vectors over channels: their maxima, their sums, and the gradients of both.

Numba cannot hold a SIMD vector in a variable, and LLVM does not see that the pixels of a window are the same memory
whatever it writes; so these walks are emitted as vector code by ``@intrinsic``, like the tile
(`fastcnn.kernels.cpu.tile`). Each makes a *run* of results whose windows differ only by their place::

      one result                 its window                       registers, 4 vectors of channels at a time
      c0 .... c3                 row 0:  x x x   <- pixels,       best   | 4 |   or the sum, or the gradient
      |  |  |  |  <-- reduce --  row 1:  x x x      C numbers     where  | 4 |   which position of the window it was
      y[C numbers]               row 2:  x x x      each          sum    | 4 |   NaN if a NaN was met

The window is read once, the results are written once; between neighbouring results its pixels lie in L1. Channels
that fill no vector are masked, so that 6 channels take one masked vector. All offsets and strides are in elements.
"""

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu._jit import inlined
from fastcnn.kernels.cpu.vectors import Vectors

_I64 = ir.IntType(64)
_TWO, _THREE = types.UniTuple(types.int64, 2), types.UniTuple(types.int64, 3)


@inlined
def at2(a, b):
    """Return two numbers as one tuple of plain integers, as `pack.at3` does three."""
    return np.int64(a), np.int64(b)


@intrinsic
def window_max(typingctx, y, where, at, x, x_at, run, steps, window, strides, codes, channels):
    """Write the largest elements of a run of windows, and the code of the position that each came from.

    NaN is larger than anything, and the last of several wins; else it is the first of several equal ones.

    Parameters
    ----------
    y, where, at : array, integer array, int
        The results, from element `at` on.
    x, x_at : array, int
        Where the first window begins.
    run, steps : int, (int, int)
        How many windows, and how far from one to the next in `y` and in `x`.
    window : (int, int)
        Rows and columns, at least 1.
    strides : (int, int)
        From one row and column of the window to the next in `x`.
    codes : (int, int, int)
        The code of the window's first position, and how it grows with rows and columns.
    channels : int
    """
    i = types.int64
    return (types.void(y, where, i, x, i, i, _TWO, _TWO, _TWO, _THREE, i),
            _codegen(_Max, y.dtype, (0, 1, 3), 5, lambda a: [(a[0], a[2]), (a[1], a[2]), (a[3], a[4])]))


@intrinsic
def window_gradient(typingctx, dx, dx_at, dy, where, at, run, steps, window, strides, codes, channels):
    """Write sums of those elements of dy, over a run of windows of *outputs*, that came from this very position.

    Parameters
    ----------
    dx, dx_at : array, int
        The results.
    dy, where, at : array, integer array, int
        Where the first window of outputs begins.
    run, steps, window, strides : as `window_max`
        A window may be empty: then zeros are written.
    codes : (int, int, int)
        The position that counts in the first output of the window, and how it grows with rows and columns.
    channels : int
    """
    i = types.int64
    return (types.void(dx, i, dy, where, i, i, _TWO, _TWO, _TWO, _THREE, i),
            _codegen(_Gradient, dx.dtype, (0, 2, 3), 5, lambda a: [(a[0], a[1]), (a[2], a[4]), (a[3], a[4])]))


@intrinsic
def window_sum(typingctx, y, at, x, x_at, run, steps, window, strides, scale, add, channels):
    """Write `scale` times the sums of a run of windows, or add them if `add` is 1; the rest as `window_max`."""
    i = types.int64
    return (types.void(y, i, x, i, i, _TWO, _TWO, _TWO, y.dtype, i, i),
            _codegen(_Sum, y.dtype, (0, 2), 4, lambda a: [(a[0], a[1]), (a[2], a[3])]))


@intrinsic
def window_scatter(typingctx, dx, dx_at, dy, where, at, run, steps, window, strides, codes, channels):
    """Write each element of dy, over a run of outputs, into the position of its window that won, zero into the others.

    Parameters
    ----------
    dx, dx_at : array, int
        Where the first window begins; windows do not overlap.
    dy, where, at : array, integer array, int
        The outputs, from element `at` on.
    run, steps, window, strides, codes, channels
        As `window_max`, with `dx` for its `x`.
    """
    i = types.int64
    return (types.void(dx, i, dy, where, i, i, _TWO, _TWO, _TWO, _THREE, i),
            _codegen(_Scatter, dx.dtype, (0, 2, 3), 5, lambda a: [(a[2], a[4]), (a[3], a[4]), (a[0], a[1])]))


@intrinsic
def window_spread(typingctx, dx, dx_at, dy, at, run, steps, window, strides, scale, channels):
    """Write `scale` times each element of dy into all positions of its window; the rest as `window_scatter`."""
    i = types.int64
    return (types.void(dx, i, dy, i, i, _TWO, _TWO, _TWO, dx.dtype, i),
            _codegen(_Spread, dx.dtype, (0, 2), 4, lambda a: [(a[2], a[3]), (a[0], a[1])]))


def _codegen(emitter, dtype, arrays, run, places):
    """Return the code of an intrinsic: which arguments are arrays, which is `run`, where the walk begins in each."""
    def codegen(context, builder, signature, args):
        bare = list(args)
        for k in arrays:
            bare[k] = context.make_array(signature.args[k])(context, builder, args[k]).data
        pointers = [builder.gep(array, [at]) for array, at in places(bare)]
        rest = [cgutils.unpack_tuple(builder, value) if isinstance(kind, types.UniTuple) else value
                for kind, value in zip(signature.args[run:], args[run:], strict=True)]
        emitter(builder, dtype).run(pointers, *rest)
        return context.get_dummy_value()

    return codegen


class _Walk(Vectors):
    """The loops that all have in common: over the run, over vectors of channels, over the window.

    `wide` vectors of one result are reduced side by side, so that they hide one another's latency; windows of the
    shapes `unrolled` have code of their own, where the loop would cost as much as its body.
    """

    wide = 4
    unrolled: tuple[tuple[int, int], ...] = ()

    def run(self, pointers, *rest):
        """Emit everything; `rest` are the arguments of the intrinsic from `run` on."""
        run, steps, self.window, self.strides, *self.special, channels = rest
        b, wide = self.b, self.wide * self.L
        with cgutils.for_range(b, run) as o:
            here = self.moved(pointers, *(b.mul(o.index, step) for step in steps))
            blocks = b.sdiv(channels, _I64(wide))
            with cgutils.for_range(b, blocks) as block:
                self.results(here, b.mul(block.index, _I64(wide)), self.wide, None)
            whole = b.sdiv(channels, _I64(self.L))
            with cgutils.for_range_slice(b, b.mul(blocks, _I64(self.wide)), whole, _I64(1), inc=True) as (index, _):
                self.results(here, b.mul(index, _I64(self.L)), 1, None)
            done = b.mul(whole, _I64(self.L))
            with b.if_then(b.icmp_signed("<", done, channels)):
                self.results(here, done, 1, self.mask(b.sub(channels, done)))

    def moved(self, pointers, to, of):
        """Return the pointers of a result: those of the results first, `to` further, then those of the sources."""
        raise NotImplementedError

    def results(self, pointers, channel, count, mask):
        raise NotImplementedError

    def positions(self, sources, channel, body):
        """Emit the loop over the window: body(pointers to the sources' vectors, row, column)."""
        def at(r, s):
            offset = b.add(channel, b.add(b.mul(r, self.strides[0]), b.mul(s, self.strides[1])))
            body([b.gep(source, [offset]) for source in sources], r, s)

        def loops():
            with cgutils.for_range(b, self.window[0]) as r, cgutils.for_range(b, self.window[1]) as s:
                at(r.index, s.index)

        def else_if(shapes):
            if not shapes:
                return loops()
            rows, columns = shapes[0]
            same = b.and_(*(b.icmp_signed("==", n, _I64(k)) for n, k in zip(self.window, shapes[0], strict=True)))
            with b.if_else(same) as (then, otherwise):
                with then:
                    for k in range(rows * columns):
                        at(_I64(k // columns), _I64(k % columns))
                with otherwise:
                    else_if(shapes[1:])

        b = self.b
        else_if(self.unrolled)

    def code(self, codes, r, s, width):
        """Return a position's code in all lanes, as integers of `width` bits."""
        b = self.b
        code = b.add(codes[0], b.add(b.mul(r, codes[1]), b.mul(s, codes[2])))
        return self.broadcast(b.trunc(code, ir.IntType(width)), self.L)


class _Max(_Walk):
    def moved(self, pointers, to, of):
        y, where, x = pointers
        return self.b.gep(y, [to]), self.b.gep(where, [to]), self.b.gep(x, [of])

    def results(self, pointers, channel, count, mask):
        b, (y, where, x) = self.b, pointers
        lowest = ir.Constant(self.vector, [-np.inf] * self.L)
        best, nan = self.slots(count, lowest), self.slots(count, self.zero)
        index = self.slots(count, self.code(self.special[0], _I64(0), _I64(0), 32))
        self.compete(x, channel, best, index, nan, mask)
        # A sum is NaN where a NaN was met, or two infinities of unlike sign: seldom, so the exact rule may cost more.
        total = b.load(nan[0])
        for other in nan[1:]:
            total = b.fadd(total, b.load(other))
        met = b.bitcast(b.fcmp_unordered("uno", total, total), ir.IntType(self.L))
        with b.if_then(b.icmp_unsigned("!=", met, ir.Constant(met.type, 0)), likely=False):
            for slot in best:
                b.store(lowest, slot)
            self.compete(x, channel, best, index, None, mask)
        for u in range(count):
            self.store(b.load(best[u]), b.gep(y, [channel]), u, mask)
            kind = ir.VectorType(where.type.pointee, self.L)
            value = b.load(index[u])
            value = value if kind == value.type else b.trunc(value, kind)
            self.store(value, b.gep(where, [channel]), u, mask)

    def compete(self, x, channel, best, index, nan, mask):
        """Let all positions compete; with `nan` they are also summed up there, without it a NaN wins."""
        b = self.b

        def body(sources, r, s):
            code = self.code(self.special[0], r, s, 32)
            for u in range(len(best)):
                value, before = self.load(sources[0], u, mask), b.load(best[u])
                wins = b.fcmp_ordered(">", value, before)
                if nan is None:
                    wins = b.or_(wins, b.fcmp_unordered("uno", value, value))
                else:
                    b.store(b.fadd(b.load(nan[u]), value), nan[u])
                b.store(b.select(wins, value, before), best[u])
                b.store(b.select(wins, code, b.load(index[u])), index[u])

        self.positions([x], channel, body)


class _Gradient(_Walk):
    unrolled = ()

    def moved(self, pointers, to, of):
        dx, dy, where = pointers
        return self.b.gep(dx, [to]), self.b.gep(dy, [of]), self.b.gep(where, [of])

    def results(self, pointers, channel, count, mask):
        b, (dx, dy, where) = self.b, pointers
        sums = self.slots(count, self.zero)

        def body(sources, r, s):
            code = self.code(self.special[0], r, s, where.type.pointee.width)
            for u in range(count):
                here = b.icmp_signed("==", self.load(sources[1], u, mask), code)
                before = b.load(sums[u])
                b.store(b.select(here, b.fadd(before, self.load(sources[0], u, mask)), before), sums[u])

        self.positions([dy, where], channel, body)
        for u in range(count):
            self.store(b.load(sums[u]), b.gep(dx, [channel]), u, mask)


class _Sum(_Walk):
    wide = 8  # a whole image is read with large strides: the longer the pieces, the better

    def moved(self, pointers, to, of):
        y, x = pointers
        return self.b.gep(y, [to]), self.b.gep(x, [of])

    def results(self, pointers, channel, count, mask):
        b, (y, x) = self.b, pointers
        scale, add = self.special
        sums = self.slots(count, self.zero)

        def body(sources, r, s):
            for u in range(count):
                b.store(b.fadd(b.load(sums[u]), self.load(sources[0], u, mask)), sums[u])

        self.positions([x], channel, body)
        factor, place = self.broadcast(scale, self.L), b.gep(y, [channel])
        for slot in sums:
            b.store(b.fmul(b.load(slot), factor), slot)
        with b.if_then(b.icmp_signed("!=", add, _I64(0)), likely=False):
            for u, slot in enumerate(sums):
                b.store(b.fadd(b.load(slot), self.load(place, u, mask)), slot)
        for u, slot in enumerate(sums):
            self.store(b.load(slot), place, u, mask)


class _Scatter(_Walk):
    def moved(self, pointers, to, of):
        dy, where, dx = pointers
        return self.b.gep(dy, [to]), self.b.gep(where, [to]), self.b.gep(dx, [of])

    def results(self, pointers, channel, count, mask):
        b, (dy, where, dx) = self.b, pointers
        gradients = [self.load(b.gep(dy, [channel]), u, mask) for u in range(count)]
        winners = [self.load(b.gep(where, [channel]), u, mask) for u in range(count)]

        def body(targets, r, s):
            code = self.code(self.special[0], r, s, where.type.pointee.width)
            for u in range(count):
                here = b.icmp_signed("==", winners[u], code)
                self.store(b.select(here, gradients[u], self.zero), targets[0], u, mask)

        self.positions([dx], channel, body)


class _Spread(_Walk):
    def moved(self, pointers, to, of):
        dy, dx = pointers
        return self.b.gep(dy, [to]), self.b.gep(dx, [of])

    def results(self, pointers, channel, count, mask):
        b, (dy, dx) = self.b, pointers
        factor, source = self.broadcast(self.special[0], self.L), b.gep(dy, [channel])
        shares = [b.fmul(self.load(source, u, mask), factor) for u in range(count)]

        def body(targets, r, s):
            for u in range(count):
                self.store(shares[u], targets[0], u, mask)

        self.positions([dx], channel, body)


# --- without a compiler -----------------------------------------------------------------------------------------------


def _places(window, strides):
    return [(r, s, r * strides[0] + s * strides[1]) for r in range(window[0]) for s in range(window[1])]


def _max_in_python(y, where, at, x, x_at, run, steps, window, strides, codes, channels):
    for o in range(run):
        for k in range(channels):
            best, index = -np.inf, codes[0]
            for r, s, offset in _places(window, strides):
                value = x[x_at + o * steps[1] + offset + k]
                if value > best or value != value:
                    best, index = value, codes[0] + r * codes[1] + s * codes[2]
            y[at + o * steps[0] + k], where[at + o * steps[0] + k] = best, index


def _gradient_in_python(dx, dx_at, dy, where, at, run, steps, window, strides, codes, channels):
    for o in range(run):
        for k in range(channels):
            total = 0.0
            for r, s, offset in _places(window, strides):
                place = at + o * steps[1] + offset + k
                if where[place] == codes[0] + r * codes[1] + s * codes[2]:
                    total += dy[place]
            dx[dx_at + o * steps[0] + k] = total


def _sum_in_python(y, at, x, x_at, run, steps, window, strides, scale, add, channels):
    for o in range(run):
        for k in range(channels):
            total = sum(x[x_at + o * steps[1] + offset + k] for _, _, offset in _places(window, strides))
            before = y[at + o * steps[0] + k] if add else 0
            y[at + o * steps[0] + k] = before + scale * total


def _scatter_in_python(dx, dx_at, dy, where, at, run, steps, window, strides, codes, channels):
    for o in range(run):
        for k in range(channels):
            place = at + o * steps[0] + k
            for r, s, offset in _places(window, strides):
                here = where[place] == codes[0] + r * codes[1] + s * codes[2]
                dx[dx_at + o * steps[1] + offset + k] = dy[place] if here else 0


def _spread_in_python(dx, dx_at, dy, at, run, steps, window, strides, scale, channels):
    for o in range(run):
        for k in range(channels):
            for _, _, offset in _places(window, strides):
                dx[dx_at + o * steps[1] + offset + k] = scale * dy[at + o * steps[0] + k]


if config.DISABLE_JIT:
    window_max, window_gradient, window_sum = _max_in_python, _gradient_in_python, _sum_in_python
    window_scatter, window_spread = _scatter_in_python, _spread_in_python
