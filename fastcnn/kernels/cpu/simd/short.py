"""Vectors of numbers that lie in memory as they are, or in 16 bits as bfloat16: widened and rounded in registers.

A bfloat16 is the upper half of a float32. A number is rounded to the nearest, ties to even; the instruction that does
it takes numbers below 1.2e-38 for zero.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from llvmlite.ir.types import _BaseFloatType
from numba import types
from numba.extending import overload

from fastcnn.kernels.cpu.simd.vectors import Vectors
from fastcnn.kernels.cpu.simd.width import has, lanes

_I16, _I32 = (ir.IntType(bits) for bits in (16, 32))
_WIDE = 16  # lanes of AVX-512


class BFloat(_BaseFloatType):
    """LLVM's bfloat, which llvmlite has no name for: enough for operands of instructions."""

    null, intrinsic_name = "0.0", "bf16"

    def __str__(self) -> str:
        return "bfloat"

    def format_constant(self, value: float) -> str:
        raise NotImplementedError


BFloat._create_instance()


def has_unit() -> bool:
    """Return whether Numba compiles for a CPU with AVX512-BF16."""
    return has("avx512bf16") and lanes("float32") == _WIDE


class Shorts(Vectors):
    """Emits operations on vectors of numbers of which some arrays may hold bfloat16, integers of 16 bits to LLVM.

    Parameters
    ----------
    builder : IRBuilder
    dtype : type
        Of the numbers in registers; uint16 stands for float32.
    """

    def __init__(self, builder: Any, dtype: Any, *others: Any) -> None:
        dtype = types.float32 if dtype == types.uint16 else dtype
        super().__init__(builder, dtype, *others)  # of whatever else emits with these vectors
        self.words, self.halves = ir.VectorType(_I32, self.L), ir.VectorType(_I16, self.L)

    def numbers(self, pointer: Any, u: int = 0, mask: Any = None) -> Any:
        """Load vector `u` of numbers."""
        value = self.load(pointer, u, mask)
        return self.widened_halves(value) if pointer.type.pointee == _I16 else value

    def keep(self, value: Any, pointer: Any, u: int = 0, mask: Any = None) -> None:
        """Store vector `u` of numbers as what the pointer leads to."""
        self.store(self.rounded(value) if pointer.type.pointee == _I16 else value, pointer, u, mask)

    def widened_halves(self, halves: Any) -> Any:
        """Return numbers of bfloat16 as float32."""
        return self.b.bitcast(self.b.shl(self.b.zext(halves, self.words), self.all(16)), self.vector)

    def rounded(self, value: Any) -> Any:
        """Return numbers of float32 as bits of bfloat16."""
        b_ = self.b
        if has_unit():
            kind = ir.VectorType(BFloat(), self.L)
            convert = self._function("llvm.x86.avx512bf16.cvtneps2bf16.512", [self.vector], kind)
            return b_.bitcast(b_.call(convert, [value]), self.halves)
        bits = b_.bitcast(value, self.words)
        odd = b_.and_(b_.lshr(bits, self.all(16)), self.all(1))
        near = b_.add(b_.add(bits, self.all(0x7FFF)), odd)
        kept = b_.select(b_.fcmp_unordered("uno", value, value), b_.or_(bits, self.all(0x400000)), near)
        return b_.trunc(b_.lshr(kept, self.all(16)), self.halves)

    def all(self, value: int) -> Any:
        """Return a vector of equal integers of 32 bits."""
        return ir.Constant(self.words, [value] * self.L)


def set_number(array: Any, at: int, value: float) -> None:
    """Write a number that bfloat16 has, too, such as infinity."""
    array[at] = np.float32(value).view(np.uint32) >> np.uint32(16) if array.dtype == np.uint16 else value


@overload(set_number)
def _set_number(array, at, value):
    def set_bits(array, at, value):
        array[at] = np.float32(value).view(np.uint32) >> np.uint32(16)

    def set_value(array, at, value):
        array[at] = value

    return set_bits if array.dtype == types.uint16 else set_value


def number(array: Any, at: int) -> Any:
    """Return a number of an array: one of bfloat16, where that has its bits, as float32."""
    return (np.uint32(array[at]) << np.uint32(16)).view(np.float32) if array.dtype == np.uint16 else array[at]


@overload(number)
def _number(array, at):
    if array.dtype == types.uint16:
        return lambda array, at: np.int32(np.uint32(array[at]) << np.uint32(16)).view(np.float32)
    return lambda array, at: array[at]
