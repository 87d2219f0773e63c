"""Vectors of float32 whose operands are pairs of bfloat16: two products and their sum in each lane.

::

    32 bits of a lane   | second number | first number |        sum += first * first' + second * second'

AVX512-BF16 has an instruction for it, which takes as long as a multiply-add of float32 on AMD's cores. Elsewhere two
multiply-adds give the same but for the order of a sum: a product of two bfloat16 is exact in float32. The instruction
takes numbers below 1.2e-38 for zero.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.operands import unpacked
from fastcnn.kernels.cpu.compile.policy import kernel
from fastcnn.kernels.cpu.simd import short
from fastcnn.kernels.cpu.simd.short import BFloat, Shorts
from fastcnn.kernels.cpu.simd.vectors import loop
from fastcnn.kernels.cpu.simd.width import lanes_of

_I64 = ir.IntType(64)
_HIGH = 0xFFFF0000  # the bits of the second number


class BFloatPairs(Shorts):
    """Emits operations on vectors of float32 and on pairs of bfloat16, which are integers of 32 bits to LLVM.

    Parameters
    ----------
    builder : IRBuilder
    """

    def __init__(self, builder: Any, *others: Any) -> None:
        super().__init__(builder, types.float32, *others)

    def add_product(self, slot: Any, a: Any, b: Any) -> None:
        """Add the two products of each pair of a and b to a variable."""
        b_ = self.b
        if short.has_unit():
            kind = ir.VectorType(BFloat(), 2 * self.L)
            dot = self._function("llvm.x86.avx512bf16.dpbf16ps.512", [self.vector, kind, kind], self.vector)
            b_.store(b_.call(dot, [b_.load(slot), b_.bitcast(a, kind), b_.bitcast(b, kind)]), slot)
            return
        for number in (self._first, self._second):
            super().add_product(slot, number(a), number(b))

    def _first(self, pairs: Any) -> Any:
        return self.b.bitcast(self.b.shl(pairs, self.all(16)), self.vector)

    def _second(self, pairs: Any) -> Any:
        return self.b.bitcast(self.b.and_(pairs, self.all(_HIGH)), self.vector)


@intrinsic
def pair_rows(typingctx, words, one, other, count):
    """Write `count` words of the numbers of two rows: the first number of each is of one row, the second of the other.

    Parameters
    ----------
    words : (uint32 array, at)
    one, other : (uint16 array, at)
    count : int
    """
    def codegen(context, builder, signature, args):
        v, b_ = BFloatPairs(builder), builder
        to, first, second = (unpacked(context, b_, kind, value)[0] for kind, value in zip(signature.args, args[:3]))

        def write(at: Any, mask: Any) -> None:
            halves = [b_.zext(v.load(b_.gep(row, [at]), mask=mask), v.words) for row in (first, second)]
            v.store(b_.or_(halves[0], b_.shl(halves[1], v.all(16))), b_.gep(to, [at]), mask=mask)

        whole = b_.sdiv(args[3], _I64(v.L))
        with loop(b_, whole) as k:
            write(b_.mul(k, _I64(v.L)), None)
        done = b_.mul(whole, _I64(v.L))
        with b_.if_then(b_.icmp_signed("<", done, args[3])):
            write(done, v.mask(b_.sub(args[3], done)))
        return context.get_dummy_value()

    return types.void(words, one, other, types.int64), codegen


@intrinsic
def _add_vectors(typingctx, y, a, b, at):
    """Add the products of a vector of pairs to y."""
    def codegen(context, builder, signature, args):
        v = BFloatPairs(builder)
        y, a, b = (builder.gep(context.make_array(kind)(context, builder, array).data, [args[3]])
                   for kind, array in zip(signature.args, args[:3]))
        slot = cgutils.alloca_once(builder, v.vector)
        builder.store(v.load(y), slot)
        v.add_product(slot, v.load(a), v.load(b))
        v.store(builder.load(slot), y)
        return context.get_dummy_value()

    return types.void(y, a, b, types.intp), codegen


@kernel
def add_products_of_pairs(y, a, b):
    """y += the two products of each pair: what is compared before the instruction is trusted.

    Parameters
    ----------
    y : (n,) float32 array
        Added to; whole vectors of it.
    a, b : (n,) uint32 arrays
        Pairs of bfloat16.
    """
    for at in range(0, y.size, lanes_of(y)):
        _add_vectors(y, a, b, at)
