"""The register tile: the one piece of code that multiplies, and the only one that knows vectors and registers.

Numba cannot hold a SIMD vector in a variable, so the tile is emitted as LLVM vector code by an ``@intrinsic``.
M x KV vectors of accumulators stay in registers while it walks R x S x J steps of::

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
the assembly). ``llvm.fmuladd`` fuses where the CPU can and is a multiplication and an addition elsewhere, whereas
``llvm.fma`` would be a library call there.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.errors import RequireLiteralValue
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd.width import features, lanes

_I1, _I32, _I64 = ir.IntType(1), ir.IntType(32), ir.IntType(64)

#: Rows M of the tiles a walk chooses from, largest first: M0 x 2 accumulators, 2 vectors of B and a broadcast fill the
#: registers. A single row is computed twice by the smallest: two rows take the time of one, since an addition has to
#: wait for the one before it.
M0, M1, M2, M3 = (14, 7, 4, 2) if features()[2] == 32 else (6, 4, 3, 2)


def prefetch(builder, pointer, write=False):
    """Emit that the cache line at a pointer, which may be any, is brought towards L1, ahead of its use."""
    byte = ir.IntType(8).as_pointer()
    kind = ir.FunctionType(ir.VoidType(), [byte, _I32, _I32, _I32])
    call = cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
    builder.call(call, [builder.bitcast(pointer, byte), _I32(int(write)), _I32(3), _I32(1)])


@intrinsic(prefer_literal=True)
def tile(typingctx, M, KV, c, c_rows, a, a_rows, a_steps, b, b_steps, loops, start, fresh, columns, bounds):
    """Compute one tile of M x (KV * LANES) results; M and KV are literals, all else is known at run time.

    Parameters
    ----------
    M, KV : literal int
        Rows, and vectors of columns.
    c, c_rows : pointer, pointer to int64
        Results: row i begins at ``c[c_rows[i]]``, its k's side by side.
    a, a_rows, a_steps : pointer, pointer to int64, (strides of r, s, j)
        The operand whose elements are broadcast; row i begins at ``a[a_rows[i]]``.
    b, b_steps : pointer, (strides of r, s, j)
        The operand read as vectors: KV * LANES elements from each place, so it is padded to whole vectors.
    loops : (R, S, J)
        Steps of each loop.
    start, fresh : pointer, int
        Where the sums start: 1 at ``start[k]``; 0 at zero, and they are added to what is in `c`, since a sum that
        started there would lose its last bits at each step; 2 at what is in `c`, of which they are the rest.
    columns : int
        How many of the KV * LANES columns exist in `c`; the others are not touched there.
    bounds : pointer
        Results below the first number become that number, those above the second the second; NaN stays NaN. Null for
        no bounds.
    """
    if not (isinstance(M, types.IntegerLiteral) and isinstance(KV, types.IntegerLiteral)):
        raise RequireLiteralValue("tile: M and KV must be literal integers")
    integer = types.int64
    signature = types.void(M, KV, c, c_rows, a, a_rows, types.UniTuple(integer, 3), b, types.UniTuple(integer, 3),
                           types.UniTuple(integer, 3), start, integer, integer, bounds)
    emit = _Emitter(M.literal_value, KV.literal_value, c.dtype)

    def codegen(context, builder, signature, args):
        a_steps, b_steps, loops = (cgutils.unpack_tuple(builder, args[i]) for i in (6, 8, 9))
        a_rows = emit.offsets(builder, args[5])
        emit.body(builder, args[2], args[3], args[4], a_rows, a_steps, args[7], b_steps, loops, *args[10:])
        return context.get_dummy_value()

    return signature, codegen


class _Emitter:
    """Writes the LLVM code of one tile shape for one floating type."""

    def __init__(self, M: int, KV: int, dtype) -> None:
        self.M, self.KV, self.L = M, KV, lanes(dtype)
        single = dtype == types.float32
        self.element = ir.FloatType() if single else ir.DoubleType()
        self.suffix = f"v{self.L}{'f32' if single else 'f64'}"
        self.align = 4 if single else 8
        self.vector = ir.VectorType(self.element, self.L)
        self.mask = ir.VectorType(_I1, self.L)
        self.cells = [(i, k) for i in range(M) for k in range(KV)]

    def body(self, builder, c, c_rows, a, a_rows, a_steps, b, b_steps, steps, start, fresh, columns, bounds):
        b_ = builder
        rows = self.offsets(b_, c_rows)
        sums = {cell: cgutils.alloca_once(b_, self.vector) for cell in self.cells}
        place = {(i, k): b_.gep(c, [b_.add(rows[i], _I64(k * self.L))]) for i, k in self.cells}
        masks = [self._mask(b_, columns, k) for k in range(self.KV)]
        whole = b_.icmp_signed(">=", columns, _I64(self.KV * self.L))
        self._prefetch(b_, place)

        for cell in self.cells:
            b_.store(ir.Constant(self.vector, [0.0] * self.L), sums[cell])
        adds = b_.icmp_signed("==", fresh, _I64(0))
        with b_.if_then(b_.icmp_signed("==", fresh, _I64(2))), b_.if_else(whole) as (full, partial):
            with full:
                for cell in self.cells:
                    b_.store(self._load(b_, place[cell]), sums[cell])
            with partial:
                for cell in self.cells:
                    b_.store(self._masked_load(b_, place[cell], masks[cell[1]]), sums[cell])
        with b_.if_then(b_.icmp_signed("==", fresh, _I64(1))):
            for k in range(self.KV):
                value = self._load(b_, b_.gep(start, [_I64(k * self.L)]))
                for i in range(self.M):
                    b_.store(value, sums[i, k])

        self._walk(b_, sums, a, a_rows, a_steps, b, b_steps, steps)

        with b_.if_then(adds), b_.if_else(whole) as (full, partial):
            with full:
                for cell in self.cells:
                    b_.store(b_.fadd(b_.load(sums[cell]), self._load(b_, place[cell])), sums[cell])
            with partial:
                for cell in self.cells:
                    before = self._masked_load(b_, place[cell], masks[cell[1]])
                    b_.store(b_.fadd(b_.load(sums[cell]), before), sums[cell])
        with b_.if_then(b_.icmp_unsigned("!=", b_.ptrtoint(bounds, _I64), _I64(0))):
            self._bound(b_, sums, b_.load(bounds), "<")
            high = b_.load(b_.gep(bounds, [_I64(1)]))
            with b_.if_then(b_.fcmp_ordered("<", high, self.element(float("inf")))):
                self._bound(b_, sums, high, ">")
        with b_.if_else(whole) as (full, partial):
            with full:
                for cell in self.cells:
                    b_.store(b_.load(sums[cell]), self._as_vector(b_, place[cell]), align=self.align)
            with partial:
                for cell in self.cells:
                    self._masked_store(b_, b_.load(sums[cell]), place[cell], masks[cell[1]])

    def offsets(self, b_, table):
        """Load the offsets of the rows."""
        return [b_.load(b_.gep(table, [_I64(i)])) for i in range(self.M)]

    def _bound(self, b_, sums, bound, sign):
        """Put `bound` in the place of sums that are `sign` it."""
        bound = self._broadcast(b_, bound)
        for cell in self.cells:
            value = b_.load(sums[cell])
            b_.store(b_.select(b_.fcmp_ordered(sign, value, bound), bound, value), sums[cell])

    def _prefetch(self, b_, place):
        """Ask for the lines of C, to be written: they arrive while the sums are made."""
        for pointer in place.values():
            prefetch(b_, pointer, write=True)

    def _walk(self, b_, sums, a, a_rows, a_steps, b, b_steps, steps):
        a_r, a_s, a_j = a_steps
        b_r, b_s, b_j = b_steps
        fma = cgutils.get_or_insert_function(
            b_.module, ir.FunctionType(self.vector, [self.vector] * 3), f"llvm.fmuladd.{self.suffix}")
        with cgutils.for_range(b_, steps[0]) as r:
            a_row, b_row = b_.gep(a, [b_.mul(r.index, a_r)]), b_.gep(b, [b_.mul(r.index, b_r)])
            with cgutils.for_range(b_, steps[1]) as s:
                a_col, b_col = b_.gep(a_row, [b_.mul(s.index, a_s)]), b_.gep(b_row, [b_.mul(s.index, b_s)])
                with cgutils.for_range(b_, steps[2]) as j:
                    a_at, b_at = b_.gep(a_col, [b_.mul(j.index, a_j)]), b_.gep(b_col, [b_.mul(j.index, b_j)])
                    vectors = [self._load(b_, b_.gep(b_at, [_I64(k * self.L)])) for k in range(self.KV)]
                    for i in range(self.M):
                        one = self._broadcast(b_, b_.load(b_.gep(a_at, [a_rows[i]]), align=self.align))
                        for k in range(self.KV):
                            b_.store(b_.call(fma, [one, vectors[k], b_.load(sums[i, k])]), sums[i, k])

    def _as_vector(self, b_, pointer):
        return b_.bitcast(pointer, self.vector.as_pointer())

    def _load(self, b_, pointer):
        return b_.load(self._as_vector(b_, pointer), align=self.align)

    def _broadcast(self, b_, scalar):
        return self._splat(b_, scalar, self.vector)

    def _splat(self, b_, scalar, kind):
        undefined = ir.Constant(kind, ir.Undefined)
        first = b_.insert_element(undefined, scalar, _I32(0))
        return b_.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_I32, self.L), [0] * self.L))

    def _mask(self, b_, columns, k):
        """The lanes of vector `k` that exist: lane + k * LANES < columns."""
        left = b_.sub(columns, _I64(k * self.L))
        integers = ir.VectorType(_I64, self.L)
        return b_.icmp_signed("<", ir.Constant(integers, list(range(self.L))), self._splat(b_, left, integers))

    def _masked_load(self, b_, pointer, mask):
        kind = ir.FunctionType(self.vector, [self.vector.as_pointer(), _I32, self.mask, self.vector])
        call = cgutils.get_or_insert_function(b_.module, kind, f"llvm.masked.load.{self.suffix}.p0")
        zero = ir.Constant(self.vector, [0.0] * self.L)
        return b_.call(call, [self._as_vector(b_, pointer), _I32(self.align), mask, zero])

    def _masked_store(self, b_, value, pointer, mask):
        kind = ir.FunctionType(ir.VoidType(), [self.vector, self.vector.as_pointer(), _I32, self.mask])
        call = cgutils.get_or_insert_function(b_.module, kind, f"llvm.masked.store.{self.suffix}.p0")
        b_.call(call, [value, self._as_vector(b_, pointer), _I32(self.align), mask])
