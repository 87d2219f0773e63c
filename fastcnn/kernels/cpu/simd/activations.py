"""Sigmoid, silu, tanh, hard silu of vectors in float32: at the end of products, and wherever else numbers are in L1.

    sigmoid   1 / (1 + exp(-x))          tanh        -t / (2 + t) with the sign of x, t = exp(-2 |x|) - 1
    silu      x sigmoid(x)               hard silu   x min(max(x / 6 + 1/2, 0), 1)

A loop that LLVM makes into vectors has the half of the width on AVX-512 and divides; here exp(-x) is 2^n exp(r) as in
`fastcnn.kernels.scalar`, and on AVX-512 1 / d is a guess of 14 bits and one step of Newton's. Below -87.33 the sigmoid
is zero, since exp overflows soon; NaN stays NaN. A core looks as far ahead as a few vectors' instructions, so what
counts is how many there are and how many wait for one another: n is added to the bits of exp(r), where its exponent
is, and with a multiply-add that rounds once r takes one step instead of two.

What a product or a window has just stored is read again from L1, a vector at a time: in the registers of a tile there
is no room for constants. A kernel is told so by a third number behind its bounds, the code of the function.
"""

import functools
from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.extending import intrinsic

from fastcnn.cpu_features import has
from fastcnn.kernels import scalar
from fastcnn.kernels.codes import EPILOGUES, HARD_SILU, LINEAR, SIGMOID, SILU, TANH
from fastcnn.kernels.cpu.simd.vectors import Vectors, loop
from fastcnn.kernels.cpu.simd.width import lanes

_I16, _I32, _I64 = (ir.IntType(bits) for bits in (16, 32, 64))
_LOW, _HIGH = -87.33, 87.33  # beyond, exp is too large or too small for a normal number
_WIDE = 16  # lanes of AVX-512
_FEW = 8  # positions
_LN2 = np.float32(np.log(2.0))


def epilogue_activation_suits(geometry: Any, code: int, dtype: Any) -> bool:
    """Return whether a product or a depthwise convolution had better end in an activation than be followed by one.

    Its vectors begin anew at each position, and of few filters most lanes would be empty.

    Parameters
    ----------
    geometry : CONV2D
    code : int
        Of `fastcnn.kernels.codes`, no clamp's.
    dtype : dtype
    """
    g, one = geometry[0], lanes(dtype)
    filters, positions = int(g["k"]), int(g["n"]) * int(g["oh"]) * int(g["ow"])
    filled = 5 * filters >= 4 * one * -(-filters // one)
    return code in EPILOGUES and np.dtype(dtype) == np.float32 and (filled or positions <= _FEW)


class _Activations(Vectors):
    """Emits the functions."""

    def gated(self, code: Any, x: Any) -> Any:
        """Return x sigmoid(x), or the sigmoid alone if the code says so."""
        gate, b_ = self._sigmoid(x), self.b
        alone = b_.icmp_signed("==", code, _I64(SIGMOID))
        one = b_.select(b_.fcmp_unordered("uno", x, x), x, self.constant(1.0))  # adding to bits may lose a NaN
        return b_.fmul(b_.select(alone, one, x), gate)

    def hard_silu(self, x: Any) -> Any:
        """Return x min(max(x / 6 + 1/2, 0), 1)."""
        gate = self.fmuladd(x, self.constant(1 / 6), self.constant(0.5))
        return self.b.fmul(x, self.at_most(self.constant(1.0), self.at_least(self.zero, gate)))

    def tanh(self, x: Any) -> Any:
        """Return tanh(x)."""
        b_, number = self.b, lambda value: self.constant(float(value))
        whole = ir.VectorType(_I32, self.L)
        bits, numbers = b_.bitcast(x, whole), lambda value: ir.Constant(whole, [int(value)] * self.L)
        size = b_.bitcast(b_.and_(bits, numbers(scalar._MAGNITUDE)), self.vector)
        at = self.at_least(number(scalar._EXPM1_LOW), b_.fmul(number(-2.0), size))
        shifted, r = self._reduced(at, 1.0)
        part = number(scalar._E6)
        for factor in (scalar._E5, scalar._E4, scalar._E3, scalar._E2):
            part = self.fmuladd(part, r, number(factor))
        part = self.fmuladd(b_.fmul(r, r), part, r)  # exp(r) - 1
        scale = self._scaled(number(1.0), shifted)
        t = self.fmuladd(scale, part, b_.fsub(scale, number(1.0)))
        y = b_.fmul(b_.fneg(t), self._reciprocal(b_.fadd(number(2.0), t), number(1.0)))
        signed = b_.or_(b_.and_(b_.bitcast(y, whole), numbers(scalar._MAGNITUDE)),
                        b_.and_(bits, numbers(scalar._SIGN)))
        return b_.bitcast(signed, self.vector)

    def _sigmoid(self, x: Any) -> Any:
        b_, one = self.b, self.constant(1.0)
        number = lambda value: self.constant(float(value))
        # What comes of numbers below the lowest is of no use, and zero takes its place.
        shifted, r = self._reduced(self.at_most(number(_HIGH), x), -1.0)  # the rest of -x, with another sign
        # 1 - r + r^2 ((E2 - E3 r) + r^2 ((E4 - E5 r) + E6 r^2)): so fewer steps wait for one another (Estrin's scheme).
        square = b_.fmul(r, r)
        first = self.fmuladd(r, number(-scalar._E3), number(scalar._E2))
        second = self.fmuladd(r, number(-scalar._E5), number(scalar._E4))
        second = self.fmuladd(square, number(scalar._E6), second)
        power = self.fmuladd(self.fmuladd(second, square, first), square, b_.fsub(one, r))
        below = b_.fadd(self._scaled(power, shifted), one)
        return b_.select(b_.fcmp_ordered("<", x, number(_LOW)), self.zero, self._reciprocal(below, one))

    def _reduced(self, x: Any, sign: float) -> tuple[Any, Any]:
        """Return n, the integer nearest to sign x / ln 2, in the lowest bits of a number, and x - sign n ln 2."""
        b_, number = self.b, lambda value: self.constant(float(value))
        shifted = self.fmuladd(x, number(sign * scalar._LOG2_E), number(scalar._ROUND))
        if has("fma"):  # ln 2 is off by 2e-9: of 2^n, three units in the last place at most, where that is 1e-38
            return shifted, self.fmuladd(b_.fsub(shifted, number(scalar._ROUND)), number(-sign * _LN2), x)
        # As integers: LLVM would cancel what is added and subtracted.
        whole = ir.VectorType(_I32, self.L)
        bits = (b_.bitcast(one, whole) for one in (shifted, number(scalar._ROUND)))
        n = b_.sitofp(b_.sub(*bits), self.vector)
        r = self.fmuladd(n, number(-sign * scalar._LN2_HIGH), x)
        return shifted, self.fmuladd(n, number(-sign * scalar._LN2_LOW), r)

    def _scaled(self, power: Any, shifted: Any) -> Any:
        """Return power * 2^n, for n in the lowest bits of `shifted`."""
        b_, whole = self.b, ir.VectorType(_I32, self.L)
        n = b_.shl(b_.bitcast(shifted, whole), ir.Constant(whole, [23] * self.L))
        return b_.bitcast(b_.add(b_.bitcast(power, whole), n), self.vector)

    def _reciprocal(self, d: Any, one: Any) -> Any:
        b_ = self.b
        if self.L != _WIDE:
            return b_.fdiv(one, d)
        guess = self._function("llvm.x86.avx512.rcp14.ps.512", [self.vector, self.vector, _I16], self.vector)
        q = b_.call(guess, [d, self.zero, _I16(-1)])
        return self.fmuladd(q, self.fmuladd(b_.fneg(d), q, one), q)

    def of_rows(self, code: Any, rows: Any, columns: Any, row_at: Any, down: bool = True) -> None:
        """Emit y <- f(y) for the first columns of some rows; ``row_at(index)`` is the pointer to one.

        Each function has one body, for whole vectors and others: it stands in every walk, and is compiled with it. It
        goes `down` the rows of one vector, then of the next, or else along each row: whichever is longer.
        """
        b_, lane = self.b, ir.Constant(ir.VectorType(_I32, self.L), list(range(self.L)))
        vectors = b_.sdiv(b_.add(columns, _I64(self.L - 1)), _I64(self.L))
        gated = lambda x: self.gated(code, x)
        for codes, function in (((SIGMOID, SILU), gated), ((TANH,), self.tanh), ((HARD_SILU,), self.hard_silu)):
            same = [b_.icmp_signed("==", code, _I64(one)) for one in codes]
            with b_.if_then(functools.reduce(b_.or_, same)):
                self._walk((rows, vectors) if down else (vectors, rows), columns, lane, row_at, function, down)

    def _walk(self, counts: Any, columns: Any, lane: Any, row_at: Any, function: Any, down: bool) -> None:
        b_, (inner, outer) = self.b, counts
        with loop(b_, outer) as k, loop(b_, inner) as i:
            row, vector = (i, k) if down else (k, i)
            first = b_.mul(vector, _I64(self.L))
            left = b_.sub(columns, first)
            # All lanes but those of the last vector exist: a mask for each would take a fifth of the time.
            whole = b_.icmp_signed(">=", left, _I64(self.L))
            mask = lambda left=left: b_.icmp_signed("<", lane, self.broadcast(b_.trunc(left, _I32)))
            at, x = b_.gep(row_at(row), [first]), self.slots(1, self.zero)[0]
            with b_.if_else(whole, likely=True) as (all_exist, some_do):
                with all_exist:
                    b_.store(self.load(at), x)
                with some_do:
                    b_.store(self.load(at, mask=mask()), x)
            y = function(b_.load(x))
            with b_.if_else(whole, likely=True) as (all_exist, some_do):
                with all_exist:
                    self.store(y, at)
                with some_do:
                    self.store(y, at, mask=mask())


def function_behind(builder: Any, bounds: Any) -> Any:
    """Emit the code of the activation that an array of bounds names; LINEAR where it has but two numbers."""
    named = builder.icmp_signed(">", bounds.nitems, _I64(2))
    number = builder.load(builder.gep(bounds.data, [builder.select(named, _I64(2), _I64(0))]))
    return builder.select(named, builder.fptosi(number, _I64), _I64(LINEAR))


@intrinsic
def activate_rows(typingctx, y, table, rows, columns, code):
    """Apply a function to the first columns of some rows in place: row i begins at ``y[table[i]]``.

    Parameters
    ----------
    y : pointer
        Of float32; to numbers of another type nothing is done.
    table : pointer to int
    rows, columns, code : int
        Of any other function nothing is done, as of LINEAR.
    """
    def codegen(context, builder, signature, args):
        y, table, rows, columns, code = args
        if signature.args[0].dtype == types.float32:
            _Activations(builder, types.float32).of_rows(
                code, rows, columns, lambda row: builder.gep(y, [builder.load(builder.gep(table, [row]))]))
        return context.get_dummy_value()

    return types.void(y, table, types.int64, types.int64, types.int64), codegen


@intrinsic
def activate_steps(typingctx, y, at, step, rows, columns, code):
    """As `activate_rows`, where rows begin `step` apart, the first at ``y[at]``."""
    def codegen(context, builder, signature, args):
        y, at, step, rows, columns, code = args
        if signature.args[0].dtype == types.float32:
            first = builder.gep(y, [at])
            _Activations(builder, types.float32).of_rows(
                code, rows, columns, lambda row: builder.gep(first, [builder.mul(row, step)]))
        return context.get_dummy_value()

    return types.void(y, *[types.int64] * 5), codegen


@intrinsic
def _activated(typingctx, y, code):
    def codegen(context, builder, signature, args):
        kind, found = signature.args[0], ir.Constant(ir.IntType(1), 0)
        if kind.dtype == types.float32:
            array = context.make_array(kind)(context, builder, args[0])
            _Activations(builder, types.float32).of_rows(args[1], _I64(1), array.nitems, lambda row: array.data,
                                                         down=False)
            for one in EPILOGUES:
                found = builder.or_(found, builder.icmp_signed("==", args[1], _I64(one)))
        return found

    return types.boolean(y, types.int64), codegen


#: y <- f(y) for a flat array, by its code; returns whether that was done, which is so for some codes in float32.
activated = (lambda y, code: False) if config.DISABLE_JIT else _activated
