"""The instructions of tiles: load, store, zero, multiply and add. Each emitter of code here has all of them.

A tile is 16 rows of 64 bytes; there are eight, by number. ``C += A B`` takes A by rows, and B with the numbers of a
column that one instruction multiplies side by side::

    bfloat16    A (16, 32)      B (16, 16, 2): rows 2k and 2k+1 of (32, 16), interleaved      C (16, 16) float32
    u8 s8       A (16, 64) u8   B (16, 16, 4): rows 4k .. 4k+3 of (64, 16) s8, interleaved    C (16, 16) int32

==================  ================================================================================================
`UnitTiles`         AMX, a unit of Intel's server processors from Sapphire Rapids on
`VectorTiles`       plain vector code, with tiles in memory: the same results on any machine
==================  ================================================================================================

So what is built of tiles, with its packing and its edges, is proven where there is no unit. `emitter` makes the one
that a number names; a kernel emits its block for each that the CPU knows and asks the number when it runs.

The three registers of a product must differ. A tile whose rows cross cache lines loads in seven times the time: rows
begin at multiples of 64 bytes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils

from fastcnn.kernels.cpu.simd.vectors import FLOAT, Vectors, chosen, loop
from fastcnn.kernels.cpu.simd.width import has

ROWS, BYTES = 16, 64  #: of a tile
TILES = 8  #: that there are

#: Numbers of the emitters.
VECTOR, UNIT = 0, 1

_I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (8, 16, 32, 64))
_VOID = ir.VoidType()
_FLOATS, _INTEGERS = ir.VectorType(FLOAT, 16), ir.VectorType(_I32, 16)
_AT_ONCE = 8  # rows of C whose sums stay in registers


class UnitTiles:
    """The instructions of AMX, for a target that has them.

    Parameters
    ----------
    builder : IRBuilder
    """

    def __init__(self, builder: Any) -> None:
        self.b = builder

    def configure(self) -> None:
        """Take the eight tiles into use, by the thread that runs; the first instruction."""
        numbers = bytearray(64)
        numbers[0] = 1
        for t in range(TILES):
            numbers[16 + 2 * t], numbers[48 + t] = BYTES, ROWS
        kind = ir.ArrayType(_I8, 64)
        place = cgutils.alloca_once(self.b, kind)
        place.align = 64
        self.b.store(ir.Constant(kind, numbers), place)
        self._call("ldtilecfg", [self.b.bitcast(place, _I8.as_pointer())])

    def release(self) -> None:
        """Give the tiles back, so that the system need not keep them; the last instruction."""
        self._call("tilerelease", [])

    def zero(self, t: int) -> None:
        """Set a tile to zero."""
        self._call("tilezero", [_I8(t)])

    def load(self, t: int, pointer: Any, step: Any) -> None:
        """Load a tile from a pointer to bytes; its rows are `step` bytes apart."""
        self._call("tileloadd64", [_I8(t), pointer, step])

    def store(self, t: int, pointer: Any, step: Any) -> None:
        """Store a tile."""
        self._call("tilestored64", [_I8(t), pointer, step])

    def add_bf16(self, c: int, a: int, b: int) -> None:
        """C += A B, of bfloat16, with sums in float32."""
        self._call("tdpbf16ps", [_I8(c), _I8(a), _I8(b)])

    def add_u8s8(self, c: int, a: int, b: int) -> None:
        """C += A B, of unsigned and signed bytes, with sums in int32, which wrap."""
        self._call("tdpbusd", [_I8(c), _I8(a), _I8(b)])

    def _call(self, name: str, arguments: list[Any]) -> None:
        kind = ir.FunctionType(_VOID, [one.type for one in arguments])
        self.b.call(cgutils.get_or_insert_function(self.b.module, kind, f"llvm.x86.{name}"), arguments)


class VectorTiles:
    """The same in vector code, with tiles on the stack.

    A unit sums the even and the odd products of a row apart, from zero, adds the two sums, and adds that to C. So does
    this, but that LLVM may add in another order. Numbers below 1.2e-38 are zero to a unit, and what they are here.

    Parameters
    ----------
    builder : IRBuilder
    """

    def __init__(self, builder: Any) -> None:
        self.b, self._vectors = builder, Vectors(builder, types.float32)
        self._tiles = cgutils.alloca_once(builder, ir.ArrayType(_I32, TILES * 256))
        self._tiles.align = 64

    def configure(self) -> None:
        """Nothing is to be done."""

    def release(self) -> None:
        """Nothing is to be done."""

    def zero(self, t: int) -> None:
        """Set a tile to zero."""
        for row in range(ROWS):
            self._write(ir.Constant(_INTEGERS, None), t, _I64(row))

    def load(self, t: int, pointer: Any, step: Any) -> None:
        """Load a tile from a pointer to bytes; its rows are `step` bytes apart."""
        with loop(self.b, _I64(ROWS)) as row:
            at = self.b.gep(pointer, [self.b.mul(row, step)])
            self._write(self.b.load(self.b.bitcast(at, _INTEGERS.as_pointer()), align=1), t, row)

    def store(self, t: int, pointer: Any, step: Any) -> None:
        """Store a tile."""
        with loop(self.b, _I64(ROWS)) as row:
            at = self.b.gep(pointer, [self.b.mul(row, step)])
            self.b.store(self._row(t, row), self.b.bitcast(at, _INTEGERS.as_pointer()), align=1)

    def add_bf16(self, c: int, a: int, b: int) -> None:
        """C += A B, of bfloat16, with sums in float32."""
        b_, zero = self.b, ir.Constant(_FLOATS, None)
        with self._rows() as first:
            even, odd = ([cgutils.alloca_once(b_, _FLOATS) for _ in range(_AT_ONCE)] for _ in range(2))
            for slot in (*even, *odd):
                b_.store(zero, slot)
            with loop(b_, _I64(16)) as k:
                low, high = self._halves(self._row(b, k))
                for i in range(_AT_ONCE):
                    one, other = self._halves(self._broadcast(a, b_.add(first, _I64(i)), k))
                    b_.store(self._fma(one, low, b_.load(even[i])), even[i])
                    b_.store(self._fma(other, high, b_.load(odd[i])), odd[i])
            for i in range(_AT_ONCE):
                total, row = b_.fadd(b_.load(even[i]), b_.load(odd[i])), b_.add(first, _I64(i))
                before = b_.bitcast(self._row(c, row), _FLOATS)
                self._write(b_.bitcast(b_.fadd(before, total), _INTEGERS), c, row)

    def add_u8s8(self, c: int, a: int, b: int) -> None:
        """C += A B, of unsigned and signed bytes, with sums in int32, which wrap."""
        b_ = self.b

        def product(total: Any, one: Any, other: Any) -> Any:
            for byte in range(4):
                unsigned = b_.and_(b_.lshr(one, self._all(8 * byte)), self._all(255))
                signed = b_.ashr(b_.shl(other, self._all(24 - 8 * byte)), self._all(24))
                total = b_.add(total, b_.mul(unsigned, signed))
            return total

        self._accumulate(c, a, b, product)

    def _accumulate(self, c: int, a: int, b: int, product: Callable[[Any, Any, Any], Any]) -> None:
        """Emit C = product(C, a number of A everywhere, a row of B), numbers of 32 bits, step by step."""
        b_ = self.b
        with self._rows() as first:
            rows = [b_.add(first, _I64(i)) for i in range(_AT_ONCE)]
            sums = [cgutils.alloca_once(b_, _INTEGERS) for _ in rows]
            for row, slot in zip(rows, sums, strict=True):
                b_.store(self._row(c, row), slot)
            with loop(b_, _I64(16)) as k:
                other = self._row(b, k)
                for row, slot in zip(rows, sums, strict=True):
                    b_.store(product(b_.load(slot), self._broadcast(a, row, k), other), slot)
            for row, slot in zip(rows, sums, strict=True):
                self._write(b_.load(slot), c, row)

    @contextmanager
    def _rows(self) -> Iterator[Any]:
        """Emit a loop over the rows, _AT_ONCE together; yields the first of them."""
        with loop(self.b, _I64(ROWS // _AT_ONCE)) as part:
            yield self.b.mul(part, _I64(_AT_ONCE))

    def _halves(self, pairs: Any) -> tuple[Any, Any]:
        """Return vectors of float32: the first number of each pair of bfloat16, and the second."""
        b_ = self.b
        return (b_.bitcast(b_.shl(pairs, self._all(16)), _FLOATS),
                b_.bitcast(b_.and_(pairs, self._all(0xFFFF0000)), _FLOATS))

    def _fma(self, a: Any, b: Any, c: Any) -> Any:
        """Return a b + c; a product of two bfloat16 is exact: fused or not, the bits are the same."""
        return self._vectors.fmuladd(a, b, c)

    @staticmethod
    def _all(value: int) -> Any:
        return ir.Constant(_INTEGERS, [value] * 16)

    def _place(self, t: int, row: Any, column: Any = None) -> Any:
        at = self.b.add(self.b.mul(row, _I64(16)), _I64(256 * t))
        return self.b.gep(self._tiles, [_I64(0), at if column is None else self.b.add(at, column)])

    def _row(self, t: int, row: Any) -> Any:
        return self.b.load(self.b.bitcast(self._place(t, row), _INTEGERS.as_pointer()), align=64)

    def _write(self, value: Any, t: int, row: Any) -> None:
        self.b.store(value, self.b.bitcast(self._place(t, row), _INTEGERS.as_pointer()), align=64)

    def _broadcast(self, t: int, row: Any, column: Any) -> Any:
        """Return a number of 32 bits in all lanes."""
        return self._vectors.broadcast(self.b.load(self._place(t, row, column)), 16)


class _Emitter(NamedTuple):
    kind: Callable[[Any], Any]
    features: tuple[str, ...]


_EMITTERS = {VECTOR: _Emitter(VectorTiles, ()),
             UNIT: _Emitter(UnitTiles, ("amx-tile", "amx-bf16", "amx-int8"))}


def known(which: int) -> bool:
    """Return whether Numba compiles for a CPU that has the instructions of an emitter.

    LLVM ends the process where code is emitted that its target does not have.
    """
    return all(map(has, _EMITTERS[which].features))


def emitters(b_: Any, which: Any) -> Iterator[Any]:
    """Yield an emitter for each kind of instructions that the target has, where it runs if `which` is its number.

    Parameters
    ----------
    b_ : IRBuilder
    which : int64 value
        VECTOR or UNIT; one that the target does not have runs as VECTOR.
    """
    others = {UNIT: UNIT} if known(UNIT) else {}
    yield from (_EMITTERS[number].kind(b_) for number in chosen(b_, which, others, VECTOR))
