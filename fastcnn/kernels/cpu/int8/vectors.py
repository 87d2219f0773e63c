"""Vectors of bytes: their products with sums of 32 bits, and the way from numbers to bytes and back.

Activations are bytes, q = round(x / scale) + zero in 0 .. 255, and weights integers in -127 .. 127. A product
multiplies four neighbours of each and adds them to a sum of 32 bits, one for each lane::

    sum[lane] += x[4 lane] w[4 lane] + .. + x[4 lane + 3] w[4 lane + 3]        vpdpbusd, where there is VNNI

Without that instruction the same integers come of products of 16 bits (pmaddwd): a sum is right modulo 2^32 in any
order, so the bits are the same on every machine.

*Requantization*, from a sum to a byte, is defined here, once::

    v = float32(sum) scale        rounded to float32, not fused with what follows
    q = round(min(max(v, low), high)) + zero        half to even; low and high lie within the bytes that there are

Rounding is the addition of 1.5 2^23, after which the integer stands in the last bits: exact on any machine that adds as
IEEE 754 says. All operations on floats carry a flag of their own ("nsz"), which keeps Numba from putting its usual ones
on them: it would let LLVM fuse a multiplication with the addition, or turn a division into a multiplication.
"""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types

from fastcnn.kernels.cpu.compile.operands import integers, unpacked
from fastcnn.kernels.cpu.simd.vectors import Vectors
from fastcnn.kernels.cpu.simd.width import features, has

_I8, _I16, _I32 = (ir.IntType(bits) for bits in (8, 16, 32))
_AS_WRITTEN = ("nsz",)
_MAGIC = 1.5 * 2**23

#: Lanes of a vector of sums.
LANES = features()[1] // 4
#: Bytes of a vector.
WIDTH = features()[1]


def multiplies_bytes() -> bool:
    """Return whether the machine that Numba compiles for has an instruction for products of bytes (VNNI)."""
    return has("avxvnni") or (has("avx512vnni") and (WIDTH == 64 or has("avx512vl")))


class Bytes(Vectors):
    """Emits operations on vectors of bytes, of their sums and of float32."""

    def __init__(self, builder: Any, with_instruction: bool = multiplies_bytes()) -> None:
        super().__init__(builder, types.float32)
        self.sums = ir.VectorType(_I32, self.L)
        self.no_sum = ir.Constant(self.sums, None)
        self.with_instruction = with_instruction

    # --- products -----------------------------------------------------------------------------------------------------

    def four(self, pointer: Any) -> Any:
        """Load four bytes into all lanes."""
        return self.broadcast(self.b.load(self.b.bitcast(pointer, _I32.as_pointer()), align=1))

    def load_sums(self, pointer: Any, u: int = 0) -> Any:
        """Load a vector of bytes, as many as a vector of sums has, as it stands in memory."""
        return self.b.load(self.b.bitcast(self.b.gep(pointer, [ir.IntType(64)(WIDTH * u)]), self.sums.as_pointer()),
                           align=1)

    def add_products_of_bytes(self, slot: Any, x: Any, w: Any) -> None:
        """Add x w, of bytes without and with a sign, four to a lane, to a variable."""
        self.b.store(self.dot(self.b.load(slot), x, w), slot)

    def dot(self, total: Any, x: Any, w: Any) -> Any:
        """Return total + x w; x and w are vectors of 32 bits of four bytes each."""
        b_ = self.b
        if self.with_instruction:
            kind = ir.VectorType(_I8, 4 * self.L)
            function = self._function(f"llvm.x86.avx512.vpdpbusd.{8 * WIDTH}", [self.sums, kind, kind], self.sums)
            return b_.call(function, [total, b_.bitcast(x, kind), b_.bitcast(w, kind)])
        halves = ir.VectorType(_I16, 2 * self.L)
        eight, low = ir.Constant(halves, [8] * 2 * self.L), ir.Constant(halves, [255] * 2 * self.L)
        x, w = b_.bitcast(x, halves), b_.bitcast(w, halves)
        # The first and third byte, then the second and fourth, as numbers of 16 bits.
        for ours, theirs in ((b_.and_(x, low), b_.ashr(b_.shl(w, eight), eight)),
                             (b_.lshr(x, eight), b_.ashr(w, eight))):
            wide = ir.VectorType(_I32, 2 * self.L)
            products = b_.mul(b_.sext(ours, wide), b_.sext(theirs, wide))
            for first in (0, 1):
                total = b_.add(total, self.shuffled(products, products, range(first, 2 * self.L, 2)))
        return total

    # --- numbers and bytes --------------------------------------------------------------------------------------------

    def times(self, a: Any, b: Any) -> Any:
        """Return a b, rounded."""
        return self.b.fmul(a, b, flags=_AS_WRITTEN)

    def over(self, a: Any, b: Any) -> Any:
        """Return a / b, rounded."""
        return self.b.fdiv(a, b, flags=_AS_WRITTEN)

    def scaled_sum(self, total: Any, scale: Any) -> Any:
        """Return sums as numbers times a vector of scales."""
        return self.times(self.b.sitofp(total, self.vector), scale)

    def between(self, value: Any, low: Any, high: Any) -> Any:
        """Return numbers within two bounds; NaN becomes the lower one."""
        b_ = self.b
        value = b_.select(b_.fcmp_ordered(">", value, low), value, low)
        return b_.select(b_.fcmp_ordered("<", value, high), value, high)

    def rounded(self, value: Any, zero: Any) -> Any:
        """Return numbers that lie within -2^22 .. 2^22 as bytes, the zero being added; half to even."""
        bits = self.b.bitcast(self.plus(value, self.constant(_MAGIC)), self.sums)
        return self.b.trunc(self.b.add(bits, zero), ir.VectorType(_I8, self.L))

    def numbers(self, pointer: Any, mask: Any = None) -> Any:
        """Load bytes as float32."""
        return self.b.uitofp(self.b.zext(self.load(pointer, mask=mask), self.sums), self.vector)


def emitted(pointers: int, emit: Callable[[Bytes, list[Any], list[Any]], None], *operands: Any) -> tuple[Any, Callable]:
    """Return what an ``@intrinsic`` returns whose code `emit` writes.

    Parameters
    ----------
    pointers : int
        How many operands are arrays with offsets.
    emit : callable
        It gets the pointers where these begin, and all other operands as integers.
    *operands
        Numba's types.
    """
    def codegen(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        pairs = list(zip(signature.args, args, strict=True))
        places = [unpacked(context, builder, *pair)[0] for pair in pairs[:pointers]]
        emit(Bytes(builder), places, [integers(context, builder, *pair) for pair in pairs[pointers:]])
        return context.get_dummy_value()

    return types.void(*operands), codegen
