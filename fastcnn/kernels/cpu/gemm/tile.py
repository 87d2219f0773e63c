"""The register tile: the piece of code that multiplies.

It is emitted as vector code (`simd.vectors`). M x KV vectors of accumulators stay in registers while it walks
R x S x J steps of::

    C[i, k] = start[k] + sum_r sum_s sum_j  A[i, r, s, j] * B[r, s, j, k]        i = 0..M-1,  k = 0..KV*LANES-1

            j: one step                       registers, M x KV accumulators
                            B  | k0 ........ | k1 ........ |        KV vector loads
        A  i=0  a0  --broadcast--> acc[0][0]   acc[0][1]
           i=1  a1  --broadcast--> acc[1][0]   acc[1][1]            M broadcasts, M * KV multiply-adds
           ...                     ...         ...

The rows of A and C lie anywhere: a table tells their offsets (an indirect product: Dukhan, "The Indirect Convolution
Algorithm", 2019), so that a tile takes any output positions whose windows see the same taps, across rows and images,
and costs nothing: loading an offset is hidden behind the multiplications. The other strides are free too, so that one
tile serves all the products of the package: a convolution forward (i output positions, r kernel rows, s kernel columns,
j channels), both its gradients, dense layers.

LLVM keeps the accumulators in registers: the inner loop has M * KV fused multiply-adds and no spill (the tests read
the assembly).

B is asked for AHEAD steps before its use. Weights that a network reads once in a prediction come from the outer caches
or from memory, and the processor's own prefetching ends at each page, every 32 steps of 128 bytes: without it a
megabyte of cold weights costs 0.2 ms, as long as its multiplications where images are small.
"""

from typing import Any, NamedTuple

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd.pairs import BFloatPairs
from fastcnn.kernels.cpu.simd.vectors import Vectors, chosen
from fastcnn.kernels.cpu.simd.width import features

_I64 = ir.IntType(64)

#: Rows M of the tiles a walk chooses from, largest first: M0 x 2 accumulators, 2 vectors of B and a broadcast fill the
#: registers. There is no tile of one row: the smallest computes a single row twice, which takes no longer, since each
#: addition has to wait for the one before it.
M0, M1, M2, M3 = (14, 7, 4, 2) if features()[2] == 32 else (6, 4, 3, 2)

#: Steps by which the loads of B are announced: 4 KB of it, 450 cycles of the tallest tile. 2 to 16 KB are as good.
AHEAD = 32
UNROLLED = 4  # steps of the tiles of one vector that are made together, where neighbours follow one another
_LINE = 512  # bits of a cache line

#: All tiles there are: rows, and vectors of columns. One of one vector and 2 M0 rows has more pointers than there are
#: registers for, and is a sixth slower.
SHAPES = [(M, KV) for KV in (1, 2) for M in (M0, M1, M2, M3)]


class Results(NamedTuple):
    """C: row i begins at ``pointer[rows[i]]``, its k's side by side.

    `columns` of a tile's columns exist there; the others are not touched.
    """

    pointer: Any
    rows: Any
    columns: Any


class Scalars(NamedTuple):
    """The operand whose elements are broadcast: row i begins at ``pointer[rows[i]]``; `steps` are those of r, s, j."""

    pointer: Any
    rows: Any
    steps: Any


class Columns(NamedTuple):
    """The operand read as vectors, padded to whole ones; `steps` are those of r, s, j."""

    pointer: Any
    steps: Any


class Epilogue(NamedTuple):
    """How a sum starts and what becomes of it.

    `fresh` is 1: it starts at ``start[k]``. 0: it starts at zero and is added to C at the end, since a sum that started
    at a large number would lose its last bits at each step. 2: as 0, but added to ``addend + start[k]``; the rows of
    the addend lie as those of C, which it may be. 3: it continues the sum in C. Results are clamped to the two bounds,
    if the pointer is not null; NaN stays NaN.
    """

    start: Any
    addend: Any
    fresh: Any
    bounds: Any


@intrinsic
def tile(typingctx, M, KV, c, a, b, loops, epilogue):
    """Compute one tile of M x (KV * LANES) results, one of SHAPES.

    Parameters
    ----------
    M, KV : int
        Rows, and vectors of columns.
    c : Results
    a : Scalars
    b : Columns
    loops : (R, S, J)
        Steps of each loop.
    epilogue : Epilogue
    """
    dtype, pairs = c.types[0].dtype, a.types[0].dtype == types.uint32

    def codegen(context, builder, signature, args):
        M, KV, *operands = args
        given = [cgutils.unpack_tuple(builder, operand) for operand in operands]
        number = builder.add(builder.mul(M, _I64(4)), KV)
        for shape in chosen(builder, number, {4 * M + KV: (M, KV) for M, KV in SHAPES}):
            (_PairTile(builder, shape) if pairs else _Tile(builder, dtype, shape)).emit(*given)
        return context.get_dummy_value()

    return types.void(types.int64, types.int64, c, a, b, loops, epilogue), codegen


class _Tile(Vectors):
    """Writes the code of a tile of one shape."""

    def __init__(self, builder: Any, dtype: Any, shape: tuple[int, int]) -> None:
        super().__init__(builder, dtype)
        self.M, self.KV = shape
        self.cells = [(i, k) for i in range(self.M) for k in range(self.KV)]

    numbers, keep = Vectors.load, Vectors.store  # where C may be in another type than the sums, they convert

    def emit(self, c, a, b, loops, epilogue):
        b_, (c, c_rows, columns), (start, addend, fresh, bounds) = self.b, c, epilogue
        sums = dict(zip(self.cells, self.slots(len(self.cells), self.zero), strict=True))
        masks = [self.mask(b_.sub(columns, _I64(k * self.L))) for k in range(self.KV)]
        whole = b_.icmp_signed(">=", columns, _I64(self.KV * self.L))
        for pointer in self._places(c, c_rows).values():  # these cache lines arrive while the sums are computed
            self.prefetch(pointer, write=True)
        with b_.if_then(b_.icmp_signed("==", fresh, _I64(2))):
            for pointer in self._places(addend, c_rows).values():
                self.prefetch(pointer)

        with b_.if_then(b_.icmp_signed("==", fresh, _I64(3))):
            before = self._places(c, c_rows)
            self._each(whole, masks, lambda cell, mask: b_.store(self.numbers(before[cell], mask=mask), sums[cell]))
        with b_.if_then(b_.icmp_signed("==", fresh, _I64(1))):
            for k in range(self.KV):
                value = self.load(start, k)
                for i in range(self.M):
                    b_.store(value, sums[i, k])

        self._multiply(sums, a, b, loops)

        with b_.if_then(b_.icmp_signed("==", fresh, _I64(0))):
            there = self._places(c, c_rows)
            self._each(whole, masks, lambda cell, mask: b_.store(
                self.plus(b_.load(sums[cell]), self.numbers(there[cell], mask=mask)), sums[cell]))
        with b_.if_then(b_.icmp_signed("==", fresh, _I64(2))):
            beside = self._places(addend, c_rows)
            self._each(whole, masks, lambda cell, mask: b_.store(
                self.plus(b_.load(sums[cell]), self.plus(self.numbers(beside[cell], mask=mask),
                                                         self.load(start, cell[1]))), sums[cell]))
        with b_.if_then(b_.icmp_unsigned("!=", b_.ptrtoint(bounds, _I64), _I64(0))):
            low, high = b_.load(bounds), b_.load(b_.gep(bounds, [_I64(1)]))
            self._bound(sums, self.at_least, low)
            with b_.if_then(b_.fcmp_ordered("<", high, self.element(float("inf")))):
                self._bound(sums, self.at_most, high)
        place = self._places(c, c_rows)
        self._each(whole, masks, lambda cell, mask: self.keep(b_.load(sums[cell]), place[cell], mask=mask))

    def _places(self, array, table):
        """Return where each cell lies in an array, by offsets that are loaded here and kept by nobody."""
        offsets = self._offsets(self.reloaded(table))
        return {(i, k): self.b.gep(array, [self.b.add(offsets[i], _I64(k * self.L))]) for i, k in self.cells}

    def _offsets(self, table):
        """Load the offsets of the rows."""
        return [self.b.load(self.b.gep(table, [_I64(i)])) for i in range(self.M)]

    def _each(self, whole, masks, step):
        """Emit step(cell, mask) for all cells: without masks where all columns exist, and with them."""
        with self.b.if_else(whole) as (full, partial):
            with full:
                for cell in self.cells:
                    step(cell, None)
                self.stay()
            with partial:
                for cell in self.cells:
                    step(cell, masks[cell[1]])

    def _bound(self, sums, bounded, bound):
        bound = self.broadcast(bound)
        for slot in sums.values():
            self.b.store(bounded(bound, self.b.load(slot)), slot)

    def _multiply(self, sums, a, b, loops):
        """Emit the loops over r, s and j: KV loads and M broadcasts for M * KV multiply-adds."""
        b_, (a, a_rows, a_steps), (b, b_steps) = self.b, a, b
        a_steps, b_steps = (cgutils.unpack_tuple(b_, steps) for steps in (a_steps, b_steps))
        along = lambda pointers, index, which: [b_.gep(p, [b_.mul(index, steps[which])])
                                                for p, steps in zip(pointers, (a_steps, b_steps), strict=True)]
        a_rows, ahead = self._offsets(a_rows), b_.mul(b_steps[2], _I64(AHEAD))
        # A tile of two rows waits for its own additions; a prefetch more a step cost LeNet-5 a hundredth of its time.
        lines = [k for k in range(self.KV if self.M > M3 else 0) if k * self.L * self.bits % _LINE == 0]

        def steps(a_at, b_at, count):
            vectors = [self.load(b_at, u) for u in range(count * self.KV)]
            for u in (number * self.KV + k for number in range(count) for k in lines):
                self.prefetch(b_.gep(b_at, [b_.add(ahead, _I64(u * self.L))]))
            for i in range(self.M):
                row = b_.gep(a_at, [a_rows[i]])
                for number in range(count):
                    one = self.load_one(b_.gep(row, [_I64(number)]))
                    for k in range(self.KV):
                        self.add_product(sums[i, k], one, vectors[number * self.KV + k])

        # Of one vector a step is so short that fetching pointers of rows from the stack would take as long. Where
        # neighbours follow one another, one fetch serves several steps; few of them are not worth a loop of their own.
        near = b_.and_(b_.icmp_signed("==", a_steps[2], _I64(1)), b_.icmp_signed("==", b_steps[2], _I64(self.L)))
        many = b_.and_(near, b_.icmp_signed(">=", loops[2], _I64(2 * UNROLLED)))
        together = b_.select(many, b_.sdiv(loops[2], _I64(UNROLLED)), _I64(0)) if self.KV == 1 else _I64(0)
        with cgutils.for_range(b_, loops[0]) as r:
            row = along((a, b), r.index, 0)
            with cgutils.for_range(b_, loops[1]) as s:
                column = along(row, s.index, 1)
                if self.KV == 1:
                    with cgutils.for_range(b_, together) as some:
                        j = b_.mul(some.index, _I64(UNROLLED))
                        steps(b_.gep(column[0], [j]), b_.gep(column[1], [b_.mul(j, _I64(self.L))]), UNROLLED)
                done = b_.mul(together, _I64(UNROLLED))
                with cgutils.for_range_slice(b_, done, loops[2], _I64(1), inc=True) as (j, _):
                    a_at, b_at = along(column, j, 2)
                    steps(a_at, b_at, 1)


class _PairTile(BFloatPairs, _Tile):
    """Writes a tile whose operands are pairs of bfloat16: a step of j is two numbers, sums are in float32."""
