"""Vectors in LLVM code that ``@intrinsic`` functions emit: loads and stores, masked where lanes do not exist.

The tile (`fastcnn.kernels.cpu.gemm.tile`) has its own, made for accumulators; the walks of pooling and of normalization
share these.
"""

import contextlib
from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils

from fastcnn.kernels.cpu.simd.width import lanes

_I32, _I64 = ir.IntType(32), ir.IntType(64)


@contextlib.contextmanager
def loop(b_, count):
    """Run a block `count` times; yields the index.

    LLVM must not unroll it: the block is long enough, the count small, and as Numba lets LLVM optimize what a kernel is
    made of twice, it would be unrolled twice.
    """
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


class Vectors:
    """Emits operations on whole vectors of one floating type.

    Attributes
    ----------
    b : IRBuilder
    L : int
        Lanes.
    vector : VectorType
    zero : Constant
    """

    def __init__(self, builder: Any, dtype: Any) -> None:
        self.b, self.L = builder, lanes(dtype)
        single = dtype == types.float32
        self.element = ir.FloatType() if single else ir.DoubleType()
        self.vector = ir.VectorType(self.element, self.L)
        self.zero = ir.Constant(self.vector, [0.0] * self.L)
        self.suffix = f"v{self.L}{'f32' if single else 'f64'}"

    def broadcast(self, scalar, count):
        kind = ir.VectorType(scalar.type, count)
        first = self.b.insert_element(ir.Constant(kind, ir.Undefined), scalar, _I32(0))
        return self.b.shuffle_vector(first, ir.Constant(kind, ir.Undefined),
                                     ir.Constant(ir.VectorType(_I32, count), [0] * count))

    def mask(self, left):
        """Return the lanes that exist: lane < left."""
        numbers = ir.Constant(ir.VectorType(_I64, self.L), list(range(self.L)))
        return self.b.icmp_signed("<", numbers, self.broadcast(left, self.L))

    def load(self, pointer, u, mask):
        """Load vector `u` from a pointer to numbers or integers; lanes that do not exist are zero."""
        kind = ir.VectorType(pointer.type.pointee, self.L)
        place = self.b.bitcast(self.b.gep(pointer, [_I64(u * self.L)]), kind.as_pointer())
        align = _bytes(kind.element)
        if mask is None:
            return self.b.load(place, align=align)
        call = self.masked("load", kind, [kind.as_pointer(), _I32, mask.type, kind], kind)
        return self.b.call(call, [place, _I32(align), mask, ir.Constant(kind, None)])

    def store(self, value, pointer, u, mask):
        """Store vector `u`, only the lanes that exist."""
        kind = value.type
        place = self.b.bitcast(self.b.gep(pointer, [_I64(u * self.L)]), kind.as_pointer())
        align = _bytes(kind.element)
        if mask is None:
            self.b.store(value, place, align=align)
        else:
            call = self.masked("store", kind, [kind, kind.as_pointer(), _I32, mask.type], ir.VoidType())
            self.b.call(call, [value, place, _I32(align), mask])

    def masked(self, verb, kind, arguments, result):
        short = {"float": "f32", "double": "f64"}.get(str(kind.element), str(kind.element))
        return cgutils.get_or_insert_function(self.b.module, ir.FunctionType(result, arguments),
                                              f"llvm.masked.{verb}.v{self.L}{short}.p0")

    def slots(self, count, value):
        """Return `count` variables that LLVM keeps in registers, set to a value."""
        slots = [cgutils.alloca_once(self.b, value.type) for _ in range(count)]
        for slot in slots:
            self.b.store(value, slot)
        return slots

    def widened(self, value):
        """Return a vector in float64: its two halves, or itself."""
        if self.element == ir.DoubleType():
            return [value]
        half = self.L // 2
        return [self.b.fpext(self._shuffled(value, value, range(at, at + half)), ir.VectorType(ir.DoubleType(), half))
                for at in (0, half)]

    def narrowed(self, halves):
        """Return the vector of the arrays' type that `widened` made these of."""
        if len(halves) == 1:
            return halves[0]
        low, high = (self.b.fptrunc(half, ir.VectorType(self.element, self.L // 2)) for half in halves)
        return self._shuffled(low, high, range(self.L))

    def _shuffled(self, one, other, places):
        return self.b.shuffle_vector(one, other, ir.Constant(ir.VectorType(_I32, len(places)), list(places)))

    def fmuladd(self, a, b, c):
        """Return a * b + c, rounded once where the CPU can."""
        call = cgutils.get_or_insert_function(
            self.b.module, ir.FunctionType(self.vector, [self.vector] * 3), f"llvm.fmuladd.{self.suffix}")
        return self.b.call(call, [a, b, c])


def _bytes(element):
    return {"float": 4, "double": 8}.get(str(element)) or element.width // 8
