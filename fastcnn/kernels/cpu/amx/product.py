"""A block of a product on tiles: 32 x 32 sums stay in four tiles while two of A and two of B pass.

::

                          B: 32 columns, two tiles side by side, in the order of the walk
                       +--------+--------+
        A: 32 rows     | tile 6 | tile 7 |       for each tap, for each 32 (bfloat16) or 64 (bytes) of the depth:
        +--------+     +--------+--------+       four loads, four products
        | tile 4 |     | tile 0 | tile 1 |
        | tile 5 |     | tile 2 | tile 3 |
        +--------+     +--------+--------+

A's rows lie evenly, in an image whose border is stored; a *tap* is the offset of one pixel of a window. `tiles_now`
tells which instructions multiply bfloat16, `byte_tiles_now` which multiply bytes; `fastcnn.kernels.cpu.amx.unit` and
`fastcnn.kernels.cpu.int8.unit` decide.
"""

import ctypes

import llvmlite.binding as llvm
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.amx.instructions import BYTES, ROWS, emitters
from fastcnn.kernels.cpu.compile.policy import kernel
from fastcnn.kernels.cpu.simd.vectors import loop

_I8, _I64 = ir.IntType(8), ir.IntType(64)

#: Rows and columns of a block.
BLOCK = 2 * ROWS

#: The numbers of the instructions by which tiles of bfloat16 and of bytes are multiplied (`instructions.emitters`).
instructions_now, byte_instructions_now = ctypes.c_int64(0), ctypes.c_int64(0)
llvm.add_symbol("fastcnn_tiles", ctypes.addressof(instructions_now))
llvm.add_symbol("fastcnn_byte_tiles", ctypes.addressof(byte_instructions_now))


@intrinsic
def tiles_now(typingctx):
    """Return the number of the instructions by which tiles of bfloat16 are multiplied now."""
    return types.int64(), lambda context, builder, signature, args: _number(builder, "fastcnn_tiles")


@intrinsic
def byte_tiles_now(typingctx):
    """Return the number of the instructions by which tiles of bytes are multiplied now."""
    return types.int64(), lambda context, builder, signature, args: _number(builder, "fastcnn_byte_tiles")


def _number(builder, name):
    """Return what a global of the process holds when the code runs."""
    return builder.load(builder.module.globals.get(name) or ir.GlobalVariable(builder.module, _I64, name))


@intrinsic
def take_tiles(typingctx, which):
    """Let the thread that runs have tiles, until `give_tiles`."""
    def codegen(context, builder, signature, args):
        for tiles in emitters(builder, args[0]):
            tiles.configure()
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def give_tiles(typingctx, which):
    """Give the tiles back."""
    def codegen(context, builder, signature, args):
        for tiles in emitters(builder, args[0]):
            tiles.release()
        return context.get_dummy_value()

    return types.void(types.int64), codegen


@intrinsic
def block(typingctx, which, c, a, b, taps, counts):
    """Write BLOCK x BLOCK sums.

    Parameters
    ----------
    which : int
        Of `tiles_now`.
    c : (array, at)
        float32 or int32: the sums, row after row, without gaps.
    a : (array, at, elements from row to row)
        uint16 for bfloat16, uint8 for bytes; BLOCK rows.
    b : (array, at)
        Packed, of the same type or int8: for each tap and step two tiles, one after the other.
    taps : int64 array
        How many elements further A lies for each tap.
    counts : (first, taps, steps)
        The first tap and how many; steps of the depth for each.
    """
    bits = a.types[0].dtype.bitwidth

    def codegen(context, builder, signature, args):
        b_ = builder
        (c_array, c_at), (a_array, a_at, a_row), (b_array, b_at), (first, count, steps) = (
            cgutils.unpack_tuple(b_, args[k]) for k in (1, 2, 3, 5))
        pointers = [_bytes(context, b_, kind.types[0], array, at) for kind, array, at in zip(
            signature.args[1:4], (c_array, a_array, b_array), (c_at, a_at, b_at), strict=True)]
        offsets = b_.gep(context.make_array(taps)(context, b_, args[4]).data, [first])
        row = b_.mul(a_row, _I64(bits // 8))
        for tiles in emitters(b_, args[0]):
            _emit(b_, tiles, pointers, (row, offsets, count, steps), bits)
        return context.get_dummy_value()

    return types.void(types.int64, c, a, b, taps, counts), codegen


def _emit(b_, tiles, pointers, walk, bits):
    """Emit a block by one kind of instructions."""
    (c, a, b), (row, offsets, count, steps) = pointers, walk
    size, add = _I64(bits // 8), tiles.add_bf16 if bits == 16 else tiles.add_u8s8
    for t in range(4):
        tiles.zero(t)
    with loop(b_, count) as tap:
        from_a = b_.gep(a, [b_.mul(b_.load(b_.gep(offsets, [tap])), size)])
        from_b = b_.gep(b, [b_.mul(b_.mul(tap, steps), _I64(2 * ROWS * BYTES))])
        with loop(b_, steps) as step:
            above = b_.gep(from_a, [b_.mul(step, _I64(BYTES))])
            left = b_.gep(from_b, [b_.mul(step, _I64(2 * ROWS * BYTES))])
            below, right = b_.gep(above, [b_.mul(row, _I64(ROWS))]), b_.gep(left, [_I64(ROWS * BYTES)])
            _multiply(b_, tiles, add, ((above, below), row), ((left, right), _I64(BYTES)))
    _store(b_, tiles, c)


def _multiply(b_, tiles, add, a, b):
    """Emit four loads and four products: of pointers to two tiles of A and two of B, with their steps of rows."""
    (above, below), a_row = a
    (left, right), b_row = b
    # A load, then a product that needs no other: the unit loads while it multiplies.
    tiles.load(6, left, b_row)
    tiles.load(4, above, a_row)
    add(0, 4, 6)
    tiles.load(5, below, a_row)
    add(2, 5, 6)
    tiles.load(7, right, b_row)
    add(1, 4, 7)
    add(3, 5, 7)


def _store(b_, tiles, c):
    """Emit the stores of the four sums."""
    for t in range(4):
        corner = t // 2 * ROWS * 2 * BYTES + t % 2 * BYTES
        tiles.store(t, b_.gep(c, [_I64(corner)]), _I64(2 * BYTES))


@intrinsic
def gradient_block(typingctx, which, c, a, b, steps):
    """Write BLOCK x BLOCK sums over pixels, of bfloat16: A has a row of 32 pixels for each channel, B pairs of pixels.

    Parameters
    ----------
    which : int
        Of `tiles_now`.
    c : (array, at)
        float32: the sums, row after row, without gaps.
    a : (array, at, elements from step to step)
        uint16; BLOCK rows without gaps.
    b : (array, at, elements from row to row)
        uint16; 16 rows a step, BLOCK pairs of numbers each.
    steps : int
    """
    def codegen(context, builder, signature, args):
        b_ = builder
        (c_array, c_at), (a_array, a_at, a_step), (b_array, b_at, b_row) = (
            cgutils.unpack_tuple(b_, args[k]) for k in (1, 2, 3))
        c_, a_, from_b = (_bytes(context, b_, kind.types[0], array, at) for kind, array, at in zip(
            signature.args[1:4], (c_array, a_array, b_array), (c_at, a_at, b_at), strict=True))
        row, far = b_.mul(b_row, _I64(2)), b_.mul(a_step, _I64(2))
        for tiles in emitters(b_, args[0]):
            for t in range(4):
                tiles.zero(t)
            with loop(b_, args[4]) as step:
                above = b_.gep(a_, [b_.mul(step, far)])
                left = b_.gep(from_b, [b_.mul(b_.mul(step, row), _I64(ROWS))])
                _multiply(b_, tiles, tiles.add_bf16, ((above, b_.gep(above, [_I64(ROWS * BYTES)])), _I64(BYTES)),
                          ((left, b_.gep(left, [_I64(BYTES)])), row))
            _store(b_, tiles, c_)
        return context.get_dummy_value()

    return types.void(types.int64, c, a, b, types.int64), codegen


def _bytes(context, b_, kind, array, at):
    """Return a pointer to bytes: where an element of an array lies."""
    data = context.make_array(kind)(context, b_, array).data
    return b_.bitcast(b_.gep(data, [at]), _I8.as_pointer())


@kernel
def tile_product(c, a, b, taps, steps):
    """c = the sums of a block of bfloat16: what `unit` compares, and tests.

    Parameters
    ----------
    c : (32, 32) array
        Written.
    a : (rows, depth) uint16 array
        Rows of bfloat16.
    b : (taps.size * steps * 1024,) uint16 array
        Packed.
    taps : int64 array
    steps : int
    """
    which = tiles_now()
    take_tiles(which)
    block(which, (c.reshape(-1), 0), (a.reshape(-1), 0, a.shape[1]), (b, 0), taps, (0, taps.size, steps))
    give_tiles(which)
