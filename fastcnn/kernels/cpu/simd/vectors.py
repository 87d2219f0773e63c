"""Vectors in LLVM code that ``@intrinsic`` functions emit: the one place that spells vector instructions.

Numba cannot hold a SIMD vector in a variable, so whatever keeps vectors in registers is emitted: the register tiles,
and the walks of pooling, normalization, merging and packing. All of them are classes or functions over these::

    pointer  --load-->  | v |  --fmuladd, at_least, ..-->  | v |  --store-->  pointer
                        masked where lanes do not exist: those read zeros, and are not written

``llvm.fmuladd`` fuses where the CPU can and is a multiplication and an addition elsewhere, whereas ``llvm.fma`` would
be a library call there.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from llvmlite import ir
from numba.core import cgutils

from fastcnn.kernels.cpu.simd.width import lanes

_I32, _I64 = ir.IntType(32), ir.IntType(64)
#: LLVM's types of numbers in float32 and float64.
FLOAT, DOUBLE = ir.FloatType(), ir.DoubleType()


@contextlib.contextmanager
def loop(b_, count):
    """Run a block `count` times; yields the index.

    LLVM must not unroll it: the block is long and the count small. It would even be unrolled twice, since Numba lets
    LLVM optimize the parts of a kernel twice.
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
        identity = b_.module.add_metadata([disable, _I64(len(b_.module.metadata))])  # a loop's name refers to itself
        identity.operands = (identity, disable)
        branch.set_metadata("llvm.loop", identity)
    b_.position_at_end(after)


def chosen(b_: Any, number: Any, variants: Mapping[int, Any], other: Any = None) -> Iterator[Any]:
    """Yield each variant with the builder where it runs, if its key is the number, and end behind all of them.

    So a table becomes code: of what a loop over the variants emits, one runs. Any other number runs `other`, unless
    that is None.
    """
    end, rest = b_.append_basic_block("chosen"), b_.append_basic_block("other")
    switch = b_.switch(number, rest)
    for key, variant in variants.items():
        block = b_.append_basic_block("choice")
        switch.add_case(_I64(key), block)
        b_.position_at_end(block)
        yield variant
        b_.branch(end)
    b_.position_at_end(rest)
    if other is not None:
        yield other
    b_.branch(end)
    b_.position_at_end(end)


class Vectors:
    """Emits operations on whole vectors of one floating type.

    Attributes
    ----------
    b : IRBuilder
    L : int
        Lanes.
    bits : int
        Of a number.
    element, vector, doubles : Type
        LLVM's, of a number, of a vector, and of one with its numbers in float64.
    zero : Constant
    """

    def __init__(self, builder: Any, dtype: Any) -> None:
        self.b, self.L, self.bits = builder, lanes(dtype), dtype.bitwidth
        self.element = FLOAT if self.bits == 32 else DOUBLE
        self.vector, self.doubles = (ir.VectorType(kind, self.L) for kind in (self.element, DOUBLE))
        self.zero = self.constant(0.0)

    def constant(self, value: float) -> Any:
        """Return a vector of equal numbers."""
        return ir.Constant(self.vector, [value] * self.L)

    def broadcast(self, scalar: Any, lanes: int | None = None) -> Any:
        """Return a vector of a number, or of an integer, in all lanes, L unless said otherwise."""
        count = lanes or self.L
        undefined = ir.Constant(ir.VectorType(scalar.type, count), ir.Undefined)
        return self.shuffled(self.b.insert_element(undefined, scalar, _I32(0)), undefined, [0] * count)

    def gathered(self, numbers: Sequence[Any]) -> Any:
        """Return a vector with a lane for each of some numbers of one type."""
        value = ir.Constant(ir.VectorType(numbers[0].type, len(numbers)), ir.Undefined)
        for lane, number in enumerate(numbers):
            value = self.b.insert_element(value, number, _I32(lane))
        return value

    def with_first(self, vector: Any, number: Any) -> Any:
        """Return a vector with another number in its first lane."""
        return self.b.insert_element(vector, number, _I32(0))

    def shuffled(self, one: Any, other: Any, places: Sequence[int]) -> Any:
        """Return the lanes `places` of two vectors, those of the other being counted on from the first's."""
        return self.b.shuffle_vector(one, other, ir.Constant(ir.VectorType(_I32, len(places)), list(places)))

    def joined(self, parts: Sequence[Any]) -> Any:
        """Return the vector of the lanes of some, a power of 2 of them, one after the other."""
        while len(parts) > 1:
            parts = [self.shuffled(one, other, range(2 * one.type.count))
                     for one, other in zip(parts[::2], parts[1::2], strict=True)]
        return parts[0]

    # --- memory -------------------------------------------------------------------------------------------------------

    def mask(self, left: Any, lanes: int | None = None) -> Any:
        """Return which lanes exist, of L unless said otherwise: lane < left."""
        count = lanes or self.L
        numbers = ir.Constant(ir.VectorType(_I64, count), list(range(count)))
        return self.b.icmp_signed("<", numbers, self.broadcast(left, count))

    def load(self, pointer: Any, u: int = 0, mask: Any = None) -> Any:
        """Load vector `u` from a pointer to numbers or integers; lanes that do not exist are zero."""
        kind = ir.VectorType(pointer.type.pointee, self.L)
        place, align = self._place(pointer, u, kind), _bytes(kind.element)
        if mask is None:
            return self.b.load(place, align=align)
        call = self._masked("load", kind, [place.type, _I32, mask.type, kind], kind)
        return self.b.call(call, [place, _I32(align), mask, ir.Constant(kind, None)])

    def store(self, value: Any, pointer: Any, u: int = 0, mask: Any = None) -> None:
        """Store vector `u`, of any length where that is 0; only the lanes that exist."""
        kind = value.type
        place, align = self._place(pointer, u, kind), _bytes(kind.element)
        if mask is None:
            self.b.store(value, place, align=align)
        else:
            call = self._masked("store", kind, [kind, place.type, _I32, mask.type], ir.VoidType())
            self.b.call(call, [value, place, _I32(align), mask])

    def load_part(self, pointer: Any, count: int) -> Any:
        """Load a vector of `count` numbers."""
        kind = ir.VectorType(pointer.type.pointee, count)
        return self.b.load(self._place(pointer, 0, kind), align=_bytes(kind.element))

    def stream(self, value: Any, pointer: Any, u: int = 0) -> None:
        """Store vector `u` past the caches, to memory that is aligned for it: no line is read before it is written.

        A fence must follow before another thread may read what was stored.
        """
        place = self._place(pointer, u, value.type)
        done = self.b.store(value, place, align=value.type.count * _bytes(value.type.element))
        done.set_metadata("nontemporal", self.b.module.add_metadata([_I32(1)]))

    def load_one(self, pointer: Any) -> Any:
        """Load a number into all lanes."""
        return self.broadcast(self.b.load(pointer, align=self.bits // 8))

    def prefetch(self, pointer: Any, write: bool = False) -> None:
        """Bring the cache line at a pointer, which may be any, towards L1, ahead of its use."""
        byte = ir.IntType(8).as_pointer()
        call = self._function("llvm.prefetch.p0", [byte, _I32, _I32, _I32], ir.VoidType())
        self.b.call(call, [self.b.bitcast(pointer, byte), _I32(int(write)), _I32(3), _I32(1)])

    def slots(self, count: int, value: Any) -> list[Any]:
        """Return `count` variables that LLVM keeps in registers, set to a value."""
        slots = [cgutils.alloca_once(self.b, value.type) for _ in range(count)]
        for slot in slots:
            self.b.store(value, slot)
        return slots

    def reloaded(self, pointer: Any) -> Any:
        """Return a pointer of which LLVM does not know where it leads: what lies there is loaded, not kept from before.

        Numbers that are needed at the beginning and at the end of a loop that takes all registers would otherwise be
        written to the stack before it, and read from there, though they lie in memory already.
        """
        kind = pointer.type
        return self.b.asm(ir.FunctionType(kind, [kind]), "", "=r,0", [pointer], True)

    def stay(self) -> None:
        """Keep the instructions before this in their branch.

        LLVM would move what both branches do behind them, and then what only one of them does waits in as many
        registers, or on the stack.
        """
        self.b.asm(ir.FunctionType(ir.VoidType(), []), "", "", [], True)

    # --- arithmetic ---------------------------------------------------------------------------------------------------

    def fmuladd(self, a: Any, b: Any, c: Any) -> Any:
        """Return a * b + c, rounded once where the CPU can; of vectors of any one length and type."""
        name = f"llvm.fmuladd.v{a.type.count}f{8 * _bytes(a.type.element)}"
        return self.b.call(self._function(name, [a.type] * 3, a.type), [a, b, c])

    def plus(self, a: Any, b: Any) -> Any:
        """Return a + b, which LLVM may not regroup: a sum of three has the same bits in each row of a tile."""
        return self.b.fadd(a, b, flags=("nsz",))

    def add_product(self, slot: Any, a: Any, b: Any) -> None:
        """Add a * b to a variable."""
        self.b.store(self.fmuladd(a, b, self.b.load(slot)), slot)

    def at_least(self, low: Any, value: Any) -> Any:
        """Return the larger one; where `value` is NaN, NaN."""
        return self.b.select(self.b.fcmp_ordered("<", value, low), low, value)

    def at_most(self, high: Any, value: Any) -> Any:
        """Return the smaller one; where `value` is NaN, NaN."""
        return self.b.select(self.b.fcmp_ordered(">", value, high), high, value)

    def sum_of_lanes(self, vector: Any) -> Any:
        """Return the sum of the lanes, a number: halves first."""
        lanes = self.L
        while lanes > 1:
            lanes //= 2
            swapped = self.shuffled(vector, vector, [*range(lanes, 2 * lanes), *range(self.L - lanes)])
            vector = self.b.fadd(vector, swapped)
        return self.b.extract_element(vector, _I32(0))

    def sums_of_lanes(self, vectors: Sequence[Any]) -> Any:
        """Return the sums of the lanes of some vectors, a power of 2 of them and at most L, in as many first lanes.

        Each sum has the bits of `sum_of_lanes`. Two vectors become one that has the half sums of both, and so on::

            a a a a  b b b b   ->   a a b b   ->   a b         a vector for L of them, with two shuffles for each
        """
        parts, group, lanes = list(vectors), self.L, range(self.L)  # `group` lanes belong to one sum
        while group > 1:
            group //= 2
            low, high = ([lane + half for lane in lanes if lane % (2 * group) < group] for half in (0, group))
            pairs = [(parts[k], parts[k + 1]) for k in range(0, len(parts) - 1, 2)] or [(parts[0], parts[0])]
            parts = [self.b.fadd(*(self.shuffled(one, other, [*places, *(self.L + lane for lane in places)])
                                   for places in (low, high))) for one, other in pairs]
        return parts[0]

    def widened(self, value: Any) -> list[Any]:
        """Return a vector in float64: its two halves, or itself."""
        if self.bits == 64:
            return [value]
        half = self.L // 2
        return [self.b.fpext(self.shuffled(value, value, range(at, at + half)), ir.VectorType(DOUBLE, half))
                for at in (0, half)]

    def narrowed(self, halves: list[Any]) -> Any:
        """Return the vector of the arrays' type that `widened` made these of."""
        if len(halves) == 1:
            return halves[0]
        low, high = (self.b.fptrunc(half, ir.VectorType(self.element, self.L // 2)) for half in halves)
        return self.shuffled(low, high, range(self.L))

    # --- names in a module --------------------------------------------------------------------------------------------

    def _place(self, pointer: Any, u: int, kind: Any) -> Any:
        return self.b.bitcast(self.b.gep(pointer, [_I64(u * self.L)]) if u else pointer, kind.as_pointer())

    def _masked(self, verb: str, kind: Any, arguments: list[Any], result: Any) -> Any:
        short = {"float": "f32", "double": "f64"}.get(str(kind.element), str(kind.element))
        return self._function(f"llvm.masked.{verb}.v{kind.count}{short}.p0", arguments, result)

    def _function(self, name: str, arguments: list[Any], result: Any) -> Any:
        return cgutils.get_or_insert_function(self.b.module, ir.FunctionType(result, arguments), name)


def _bytes(element: Any) -> int:
    return {"float": 4, "double": 8}.get(str(element)) or element.width // 8
