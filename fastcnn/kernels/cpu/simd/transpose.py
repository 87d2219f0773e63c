"""Vectors moved and square blocks transposed: what packing consists of, emitted as vector code like the tile.

A block of LANES x LANES is transposed in registers in log2(LANES) rounds of two-input shuffles: round d exchanges the
lanes of rows i and i + d whose numbers differ in bit d (Eklundh, "A Fast Computer Method for Matrix Transposing",
1972), so that source and result are read and written in whole vectors.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd.width import lanes

_I32, _I64 = ir.IntType(32), ir.IntType(64)


class _Vectors:
    """Loads and stores of whole vectors of a type."""

    def __init__(self, dtype) -> None:
        self.L = lanes(dtype)
        self.align = 4 if dtype == types.float32 else 8
        self.vector = ir.VectorType(ir.FloatType() if dtype == types.float32 else ir.DoubleType(), self.L)

    def load(self, b_, pointer):
        return b_.load(b_.bitcast(pointer, self.vector.as_pointer()), align=self.align)

    def load_part(self, b_, pointer, count):
        """The first `count` lanes; what lies behind the others is not touched, and they are zero."""
        lanes_, undefined = ir.VectorType(_I32, self.L), ir.Constant(ir.VectorType(_I32, self.L), ir.Undefined)
        counts = self.shuffle(b_, b_.insert_element(undefined, b_.trunc(count, _I32), _I32(0)), undefined, [0] * self.L)
        mask = b_.icmp_signed("<", ir.Constant(lanes_, list(range(self.L))), counts)
        kind = ir.FunctionType(self.vector, [self.vector.as_pointer(), _I32, mask.type, self.vector])
        name = f"llvm.masked.load.v{self.L}{'f32' if self.align == 4 else 'f64'}.p0"
        call = cgutils.get_or_insert_function(b_.module, kind, name)
        zero = ir.Constant(self.vector, [0.0] * self.L)
        return b_.call(call, [b_.bitcast(pointer, self.vector.as_pointer()), _I32(self.align), mask, zero])

    def store(self, b_, value, pointer):
        b_.store(value, b_.bitcast(pointer, self.vector.as_pointer()), align=self.align)

    def shuffle(self, b_, one, two, places):
        return b_.shuffle_vector(one, two, ir.Constant(ir.VectorType(_I32, self.L), places))


def _pointer(context, builder, signature, args, index):
    """The address of element args[index + 1] of array args[index]."""
    data = context.make_array(signature.args[index])(context, builder, args[index]).data
    return builder.gep(data, [args[index + 1]])


@intrinsic
def move_vector(typingctx, out, out_at, source, source_at):
    """out[out_at:] = one vector of source[source_at:]."""
    signature = types.void(out, types.int64, source, types.int64)
    v = _Vectors(out.dtype)

    def codegen(context, builder, signature, args):
        value = v.load(builder, _pointer(context, builder, signature, args, 2))
        v.store(builder, value, _pointer(context, builder, signature, args, 0))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def move_part(typingctx, out, out_at, source, source_at, count):
    """out[out_at:] = one vector: `count` elements of source[source_at:], which end there, and zeros."""
    signature = types.void(out, types.int64, source, types.int64, types.int64)
    v = _Vectors(out.dtype)

    def codegen(context, builder, signature, args):
        value = v.load_part(builder, _pointer(context, builder, signature, args, 2), args[4])
        v.store(builder, value, _pointer(context, builder, signature, args, 0))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def transpose_block(typingctx, out, out_at, out_step, source, source_at, source_step):
    """out[out_at + j * out_step + i] = source[source_at + i * source_step + j] for i and j below LANES."""
    i = types.int64
    signature = types.void(out, i, i, source, i, i)
    v = _Vectors(out.dtype)

    def codegen(context, builder, signature, args):
        b_ = builder
        of = _pointer(context, b_, signature, args, 3)
        to = _pointer(context, b_, signature, args, 0)
        rows = [v.load(b_, b_.gep(of, [b_.mul(args[5], _I64(i))])) for i in range(v.L)]
        d = v.L // 2
        while d:
            upper = [lane if not lane & d else v.L + lane - d for lane in range(v.L)]
            lower = [lane + d if not lane & d else v.L + lane for lane in range(v.L)]
            for i in range(v.L):
                if not i & d:
                    one, two = rows[i], rows[i + d]
                    rows[i], rows[i + d] = v.shuffle(b_, one, two, upper), v.shuffle(b_, one, two, lower)
            d //= 2
        for j, row in enumerate(rows):
            v.store(b_, row, b_.gep(to, [b_.mul(args[2], _I64(j))]))
        return context.get_dummy_value()

    return signature, codegen
