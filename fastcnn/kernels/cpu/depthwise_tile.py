"""The register tiles of depthwise convolution: vectors across channels, J neighbouring output columns at once.

A depthwise convolution has no sum over channels, so the product's tile (`tile.py`) has nothing to broadcast. Here an
image's vector, the channels of one pixel, meets the vector of the same channels of one weight::

    one row r of the window, 3 taps, stride 1, J = 7                 registers
                  x   | q0 | q1 | q2 | q3 | .. | q8 |  from L1       w0 w1 w2    the row's weights
      y j=0  acc0 +=   w0*q0 w1*q1 w2*q2                             acc0..acc6  output columns (forward),
      y j=1  acc1 +=        w0*q1 w1*q2 w2*q3                                    or sums of the taps (gradient)
      ...                                                            one pixel on its way

Each pixel that is loaded serves every output column that sees it: 9 + 3 loads for 21 multiply-adds, so these are the
floor. Seven columns because images are 7, 14, 28, 56 and 112 wide; their accumulators hide the latency of a
multiply-add and leave room for five weights in 16 registers.

Beside a border of the image there are tiles of their own that leave out one or two columns, for the usual windows; any
other window takes a tile that reads what lies beside the image from a vector of zeros. Lanes are masked only where an
image has fewer channels than a vector has lanes.
"""

import contextlib

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

from fastcnn.kernels.cpu.tile import features, lanes

_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)

#: Output columns of a tile.
J = 7


@intrinsic(prefer_literal=True)
def window_tile(typingctx, taps, stride, left, right, edge, y, y_at, x, x_at, w, w_at, start, start_at, loops, borders):
    """Compute J neighbouring pixels of one vector of channels; the first five arguments are literals.

    Parameters
    ----------
    taps, stride : literal int
        Taps of a row of the window and their stride, with dilation 1, or both 0 for any.
    left, right : literal int
        How many of the columns that the tile sees lie beside the image: they are left out.
    edge : literal int
        1 for a tile any of whose columns may not exist, 2 for one with missing lanes as well, else 0.
    y, y_at : pointer, (offset, step of a column)
    x, x_at : pointer, (offset, step of a row of the window, step of a column)
        Where the first tap of the first column lies.
    w, w_at : pointer, (offset, step of a row, step of a tap)
    start, start_at : pointer, int
        Where the sums start (the bias), or at zero if negative.
    loops : (rows of the window, taps, stride, dilation, relu)
        The middle three are read if `taps` is 0.
    borders : (first column, columns of the image, outputs, lanes)
        Read if `edge`: outputs from `outputs` on, and lanes from `lanes` on, do not exist.
    """
    shape = _literals("window_tile", taps, stride, left, right, edge)
    emit = _Emitter(J, shape[0], shape[1], shape[4], y.dtype)
    signature = types.void(taps, stride, left, right, edge, y, _ints(2), x, _ints(3), w, _ints(3), start, types.int64,
                           _ints(5), _ints(4))

    def codegen(context, builder, signature, args):
        at = [cgutils.unpack_tuple(builder, args[k]) for k in (6, 8, 10, 13, 14)]
        y, x, w = (builder.gep(args[k], at[n][:1]) for k, n in ((5, 0), (7, 1), (9, 2)))
        emit.window(builder, shape[2:4], y, at[0][1], x, at[1][1:], w, at[2][1:], args[11], args[12], at[3], at[4])
        return context.get_dummy_value()

    return signature, codegen


@intrinsic(prefer_literal=True)
def gradient_tile(typingctx, columns, taps, stride, left, right, masked, sums, sums_at, x, x_at, dy, dy_at, loops):
    """Add what a rectangle of outputs gives to the sums of a row of taps; the first six arguments are literals.

    Parameters
    ----------
    columns, taps, stride : literal int
        Outputs of a block; taps and their stride, with dilation 1. One tap takes any stride, 0; with no tap the
        outputs' gradients alone are added up.
    left, right : literal int
        How many of the columns that a block sees lie beside the image: they are left out.
    masked : literal int
        2 if lanes are missing, else 0.
    sums, sums_at : pointer, int
        The sums of the taps, one vector after the other.
    x, x_at : pointer, (offset, step of an output row, step of a column)
        What the first tap of the first output sees.
    dy, dy_at : pointer, (offset, step of a row, step of a column)
    loops : (output rows, blocks of `columns` in a row, stride, lanes)
    """
    shape = _literals("gradient_tile", columns, taps, stride, left, right, masked)
    emit = _Emitter(shape[0], shape[1], shape[2], shape[5], sums.dtype)
    signature = types.void(columns, taps, stride, left, right, masked, sums, types.int64, x, _ints(3), dy, _ints(3),
                           _ints(4))

    def codegen(context, builder, signature, args):
        at = [cgutils.unpack_tuple(builder, args[k]) for k in (9, 11, 12)]
        emit.gradient(builder, shape[3:5], builder.gep(args[6], [args[7]]), builder.gep(args[8], at[0][:1]), at[0][1:],
                      builder.gep(args[10], at[1][:1]), at[1][1:], at[2])
        return context.get_dummy_value()

    return signature, codegen


def _ints(count):
    return types.UniTuple(types.int64, count)


def _literals(who, *values):
    if not all(isinstance(value, types.IntegerLiteral) for value in values):
        raise RequireLiteralValue(f"{who}: columns, taps, stride and edge must be literal integers")
    return [value.literal_value for value in values]


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


@contextlib.contextmanager
def _loop(b_, count):
    """Run a block `count` times; yields the index. LLVM must not unroll it: the block is long enough."""
    before, inside, after = b_.block, b_.append_basic_block("loop"), b_.append_basic_block("loop.end")
    b_.cbranch(b_.icmp_signed(">", count, _I64(0)), inside, after)
    with b_.goto_block(inside):
        index = b_.phi(_I64)
        index.add_incoming(_I64(0), before)
        yield index
        following = b_.add(index, _I64(1))
        index.add_incoming(following, b_.block)
        branch = b_.cbranch(b_.icmp_signed("<", following, count), inside, after)
        disable = b_.module.add_metadata([ir.MetaDataString(b_.module, "llvm.loop.unroll.disable")])
        identity = b_.module.add_metadata([disable, _I64(id(branch))])  # a loop's name refers to itself
        identity.operands = (identity, disable)
        branch.set_metadata("llvm.loop", identity)
    b_.position_at_end(after)


class _Emitter:
    """Writes the LLVM code of one tile shape for one floating type."""

    def __init__(self, columns, taps, stride, edge, dtype):
        self.columns, self.taps, self.stride, self.edge, self.L = columns, taps, stride, edge, lanes(dtype)
        single = dtype == types.float32
        self.element = ir.FloatType() if single else ir.DoubleType()
        self.suffix = f"v{self.L}{'f32' if single else 'f64'}"
        self.align = 4 if single else 8
        self.vector = ir.VectorType(self.element, self.L)
        self.zero = ir.Constant(self.vector, [0.0] * self.L)

    def window(self, b_, missing, y, y_step, x, x_steps, w, w_steps, start, start_at, loops, borders):
        rows, taps, stride, dilation, relu = loops
        first, width, outputs, _ = borders
        sums = [cgutils.alloca_once(b_, self.vector) for _ in range(self.columns)]
        self._prepare(b_, borders[3])
        given = b_.icmp_signed(">=", start_at, _I64(0))
        value = self._read(b_, self._or_zeros(b_, given, b_.gep(start, [start_at])))
        for cell in sums:
            b_.store(value, cell)
        with _loop(b_, rows) as r:
            x_row, w_row = b_.gep(x, [b_.mul(r, x_steps[0])]), b_.gep(w, [b_.mul(r, w_steps[0])])
            if self.taps:
                weights = [self._load(b_, place) for place in _line(b_, w_row, w_steps[1], self.taps)]
                seen = (self.columns - 1) * self.stride + self.taps
                for q, place in enumerate(_line(b_, x_row, x_steps[1], seen)):
                    if missing[0] <= q < seen - missing[1]:
                        pixel = self._load(b_, place)
                        for j, s in self._meeting(q):
                            self._add(b_, sums[j], pixel, weights[s])
            else:
                with _loop(b_, taps) as s:
                    weight = self._read(b_, b_.gep(w_row, [b_.mul(s, w_steps[1])]))
                    shift = b_.mul(s, dilation)
                    for j in range(self.columns):
                        column = b_.add(b_.mul(_I64(j), stride), shift)
                        there = b_.icmp_unsigned("<", b_.add(first, column), width) if self.edge else None
                        pixel = self._pixel(b_, b_.gep(x_row, [b_.mul(column, x_steps[1])]), there)
                        self._add(b_, sums[j], pixel, weight)
        # max(sum, 0) or, with a bound that nothing is below, the sum itself; NaN is not below either.
        bound = b_.select(b_.icmp_signed("!=", relu, _I64(0)), self.element(0.0), self.element(float("-inf")))
        bound = self._splat(b_, bound)
        for j, place in enumerate(_line(b_, y, y_step, self.columns)):
            value = b_.load(sums[j])
            value = b_.select(b_.fcmp_ordered("<", value, bound), bound, value)
            if self.edge:
                with b_.if_then(b_.icmp_signed("<", _I64(j), outputs)):
                    self._write(b_, value, place)
            else:
                self._write(b_, value, place)

    def gradient(self, b_, missing, sums, x, x_steps, dy, dy_steps, loops):
        rows, blocks, stride, present = loops
        self._prepare(b_, present)
        step = _I64(self.stride) if self.stride else stride
        # So many sums that a multiply-add need not wait for the one before it: a tap has several, in turn.
        count = max(1, self.taps)
        enough = 8 if features()[2] == 32 else 6
        turns = max(1, min(self.columns, enough // count))
        cells = [[cgutils.alloca_once(b_, self.vector) for _ in range(turns)] for _ in range(count)]
        places = [b_.gep(sums, [_I64(s * self.L)]) for s in range(count)]
        for s in range(count):
            for turn in range(turns):
                b_.store(self.zero if turn else self._load(b_, places[s]), cells[s][turn])
        seen = (self.columns - 1) * self.stride + self.taps if self.stride else self.columns
        one_step = x_steps[1] if self.stride else b_.mul(step, x_steps[1])
        block_x, block_dy = (b_.mul(_I64(self.columns), s) for s in (b_.mul(step, x_steps[1]), dy_steps[1]))
        with _loop(b_, rows) as i:
            x_row, dy_row = b_.gep(x, [b_.mul(i, x_steps[0])]), b_.gep(dy, [b_.mul(i, dy_steps[0])])
            with _loop(b_, blocks) as block:
                dy_at, x_at = b_.gep(dy_row, [b_.mul(block, block_dy)]), b_.gep(x_row, [b_.mul(block, block_x)])
                outputs = [self._read(b_, place) for place in _line(b_, dy_at, dy_steps[1], self.columns)]
                if self.taps:
                    for q, place in enumerate(_line(b_, x_at, one_step, seen)):
                        if missing[0] <= q < seen - missing[1]:
                            pixel = self._read(b_, place)
                            for j, s in self._meeting(q) if self.stride else [(q, 0)]:
                                self._add(b_, cells[s][j % turns], pixel, outputs[j])
                else:
                    for j, value in enumerate(outputs):
                        cell = cells[0][j % turns]
                        b_.store(b_.fadd(b_.load(cell), value), cell)
        for s in range(count):
            value = b_.load(cells[s][0])
            for turn in range(1, turns):
                value = b_.fadd(value, b_.load(cells[s][turn]))
            self._store(b_, value, places[s])

    def _meeting(self, q):
        """The outputs and taps that see column q of the image: j stride + s = q."""
        return [(j, q - j * self.stride) for j in range(self.columns) if 0 <= q - j * self.stride < self.taps]

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

    def _pixel(self, b_, pointer, inside):
        return self._read(b_, pointer if inside is None else self._or_zeros(b_, inside, pointer))

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
