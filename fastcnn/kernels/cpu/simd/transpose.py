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
PIECE = 128  # bits of vectors within which numbers change places in one instruction


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
        (to, of), steps, counts = (cgutils.unpack_tuple(builder, pair) for pair in args[2:])
        to, of = (builder.gep(context.make_array(kind)(context, builder, array).data, [at])
                  for kind, array, at in zip(signature.args, args, (to, of)))
        _emit_rows(Vectors(builder, out.dtype), to, of, steps, counts)
        return context.get_dummy_value()

    return types.void(out, source, pair, pair, pair), codegen


@intrinsic
def move_rows_at(typingctx, out, source, far, near, rows, count):
    """As `move_rows`, of pointers."""
    i = types.int64

    def codegen(context, builder, signature, args):
        _emit_rows(Vectors(builder, out.dtype), args[0], args[1], args[2:4], args[4:])
        return context.get_dummy_value()

    return types.void(out, source, i, i, i, i), codegen


def _emit_rows(v, to, of, steps, counts):
    """Emit the moves of `move_rows`."""
    b_, (far, near), (rows, count) = v.b, steps, counts
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
        for j, row in enumerate(_transposed(v, rows)):
            v.store(row, b_.gep(to, [b_.mul(args[2], _I64(j))]))
        return context.get_dummy_value()

    return signature, codegen


@intrinsic
def address_of(typingctx, pointer):
    """Return where a pointer leads, as a number."""
    def codegen(context, builder, signature, args):
        return builder.ptrtoint(args[0], _I64)

    return types.int64(pointer), codegen


@intrinsic
def transpose_from(typingctx, out, out_step, sources, offset):
    """out[j * out_step + i] = number j of row i, for `PIECE` numbers of as many rows as there are lanes.

    Row i lies `offset` numbers behind the address `sources[i]`; `out` is a pointer.
    """
    i = types.int64

    def codegen(context, builder, signature, args):
        out, out_step, sources, offset = args
        v = Vectors(builder, signature.args[0].dtype)
        piece = PIECE // v.bits
        parts = [v.load_part(builder.gep(place, [offset]), piece) for place in _places(v, sources)]
        for j, row in enumerate(_crossed(v, [v.joined(parts[k::piece]) for k in range(piece)])):
            v.store(row, builder.gep(out, [builder.mul(out_step, _I64(j))]))
        return context.get_dummy_value()

    return types.void(out, i, types.CPointer(i), i), codegen


@intrinsic
def transpose_to(typingctx, targets, offset, source, source_step):
    """Number j of row i = source[j * source_step + i]: the way back of `transpose_from`."""
    i = types.int64

    def codegen(context, builder, signature, args):
        targets, offset, source, source_step = args
        v = Vectors(builder, signature.args[2].dtype)
        piece, places = PIECE // v.bits, _places(v, targets)
        rows = [v.load(builder.gep(source, [builder.mul(source_step, _I64(row))])) for row in range(piece)]
        for k, row in enumerate(_crossed(v, rows)):
            for part in range(v.L // piece):
                numbers = v.shuffled(row, row, range(part * piece, (part + 1) * piece))
                v.store(numbers, builder.gep(places[part * piece + k], [offset]))
        return context.get_dummy_value()

    return types.void(types.CPointer(i), i, source, i), codegen


def _places(v, table):
    """Load the addresses of as many rows as a vector has lanes."""
    kind = v.element.as_pointer()
    return [v.b.inttoptr(v.b.load(v.b.gep(table, [_I64(lane)])), kind) for lane in range(v.L)]


def _crossed(v, rows):
    """Transpose within pieces of vectors: the square blocks of which each vector has a row.

    Numbers of two rows are put in turn, those of the low halves of pieces and those of the high ones, and then pairs of
    numbers: what CPUs have single instructions for.
    """
    piece, half = len(rows), len(rows) // 2

    def in_turn(one, other, size):
        return [v.shuffled(one, other, [begin + first + at + side * v.L for begin in range(0, v.L, piece)
                                        for chunk in range(0, half, size) for side in (0, 1)
                                        for at in range(chunk, chunk + size)]) for first in (0, half)]

    if piece == 2:
        return in_turn(rows[0], rows[1], 1)
    (a, b), (c, d) = in_turn(rows[0], rows[1], 1), in_turn(rows[2], rows[3], 1)
    return [*in_turn(a, c, 2), *in_turn(b, d, 2)]


def _transposed(v, rows):
    """Return the transpose of a square block, whose rows are vectors."""
    rows, d = list(rows), v.L // 2
    while d:
        upper = [lane if not lane & d else v.L + lane - d for lane in range(v.L)]
        lower = [lane + d if not lane & d else v.L + lane for lane in range(v.L)]
        for i in range(v.L):
            if not i & d:
                one, two = rows[i], rows[i + d]
                rows[i], rows[i + d] = v.shuffled(one, two, upper), v.shuffled(one, two, lower)
        d //= 2
    return rows


# --- without a compiler -----------------------------------------------------------------------------------------------


def _move_rows_in_python(out, source, places, steps, counts):
    (to, of), (far, near), (rows, count) = places, steps, counts
    for i in range(rows):
        out[to + i * far:to + i * far + count] = source[of + i * near:of + i * near + count]


if config.DISABLE_JIT:
    move_rows = _move_rows_in_python
