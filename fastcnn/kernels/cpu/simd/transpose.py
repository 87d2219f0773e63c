"""Vectors moved and square blocks transposed: what packing consists of, emitted as vector code like the tile.

A block of LANES x LANES is transposed in registers in log2(LANES) rounds of two-input shuffles: round d exchanges the
lanes of rows i and i + d whose numbers differ in bit d (Eklundh, "A Fast Computer Method for Matrix Transposing",
1972), so that source and result are read and written in whole vectors.
"""

from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.simd.vectors import Vectors, loop

_I64 = ir.IntType(64)


def _pointer(context, builder, signature, args, index):
    """The address of element args[index + 1] of array args[index]."""
    data = context.make_array(signature.args[index])(context, builder, args[index]).data
    return builder.gep(data, [args[index + 1]])


@intrinsic
def move_vector(typingctx, out, out_at, source, source_at):
    """out[out_at:] = one vector of source[source_at:]."""
    signature = types.void(out, types.int64, source, types.int64)

    def codegen(context, builder, signature, args):
        v = Vectors(builder, out.dtype)
        v.store(v.load(_pointer(context, builder, signature, args, 2)), _pointer(context, builder, signature, args, 0))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def move_part(typingctx, out, out_at, source, source_at, count):
    """out[out_at:] = one vector: `count` elements of source[source_at:], which end there, and zeros."""
    signature = types.void(out, types.int64, source, types.int64, types.int64)

    def codegen(context, builder, signature, args):
        v = Vectors(builder, out.dtype)
        value = v.load(_pointer(context, builder, signature, args, 2), mask=v.mask(args[4]))
        v.store(value, _pointer(context, builder, signature, args, 0))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def move_rows(typingctx, out, source, places, steps, counts):
    """out[to + i * far:] = `count` elements of source[of + i * near:], for i below `rows`.

    Parameters
    ----------
    out, source : arrays
    places : (to, of)
    steps : (far, near)
    counts : (rows, count)
    """
    pair = types.UniTuple(types.int64, 2)

    def codegen(context, builder, signature, args):
        b_, v = builder, Vectors(builder, out.dtype)
        (to, of), (far, near), (rows, count) = (cgutils.unpack_tuple(b_, pair) for pair in args[2:])
        to, of = (b_.gep(context.make_array(kind)(context, b_, array).data, [at])
                  for kind, array, at in zip(signature.args, args, (to, of)))
        whole = b_.sdiv(count, _I64(v.L))
        done = b_.mul(whole, _I64(v.L))
        rest = v.mask(b_.sub(count, done))
        with loop(b_, rows) as row:
            target, origin = b_.gep(to, [b_.mul(row, far)]), b_.gep(of, [b_.mul(row, near)])
            with loop(b_, whole) as k:
                at = b_.mul(k, _I64(v.L))
                v.store(v.load(b_.gep(origin, [at])), b_.gep(target, [at]))
            with b_.if_then(b_.icmp_signed("<", done, count)):
                v.store(v.load(b_.gep(origin, [done]), mask=rest), b_.gep(target, [done]), mask=rest)
        return context.get_dummy_value()

    return types.void(out, source, pair, pair, pair), codegen


@intrinsic
def transpose_block(typingctx, out, out_at, out_step, source, source_at, source_step):
    """out[out_at + j * out_step + i] = source[source_at + i * source_step + j] for i and j below LANES."""
    i = types.int64
    signature = types.void(out, i, i, source, i, i)

    def codegen(context, builder, signature, args):
        b_, v = builder, Vectors(builder, out.dtype)
        of = _pointer(context, b_, signature, args, 3)
        to = _pointer(context, b_, signature, args, 0)
        rows = [v.load(b_.gep(of, [b_.mul(args[5], _I64(i))])) for i in range(v.L)]
        d = v.L // 2
        while d:
            upper = [lane if not lane & d else v.L + lane - d for lane in range(v.L)]
            lower = [lane + d if not lane & d else v.L + lane for lane in range(v.L)]
            for i in range(v.L):
                if not i & d:
                    one, two = rows[i], rows[i + d]
                    rows[i], rows[i + d] = v.shuffled(one, two, upper), v.shuffled(one, two, lower)
            d //= 2
        for j, row in enumerate(rows):
            v.store(row, b_.gep(to, [b_.mul(args[2], _I64(j))]))
        return context.get_dummy_value()

    return signature, codegen


# --- without a compiler -----------------------------------------------------------------------------------------------


def _move_rows_in_python(out, source, places, steps, counts):
    (to, of), (far, near), (rows, count) = places, steps, counts
    for i in range(rows):
        out[to + i * far:to + i * far + count] = source[of + i * near:of + i * near + count]


if config.DISABLE_JIT:
    move_rows = _move_rows_in_python
