"""Winograd's tiles in the lanes of vectors, for few channels: forward, and the gradient of the input.

A vector along channels is filled by 12 of them no less than by 16, and a product over 12 or 24 channels takes longer to
begin and to end than to multiply. So a group of as many tiles as a vector has lanes is transposed first, and a vector
is one channel of one pixel of all its tiles::

    x, 16 tiles of 6 x 6 pixels          6 rows, a tile's pixels and channels side by side, zeros outside images
      | c c c | c c c | ..   -copied->     tile 0  | c c c c c c .. |
                                           tile 1  | c c c c c c .. |   -transposed->  pixels x C x | 16 tiles |
    pixels x C x tiles  --B^T d B-->  V 36 x C x tiles
                                      M 36 x K x tiles = U^T V: rows are filters, a step is a channel
                                      M  --A^T m A-->  4 x 4 pixels x K x tiles  -transposed, copied->  y

The transforms and the order of the sums are those of tiles side by side (`tiles.py`), and so are the bits.
"""

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.gemm.walk_tiles import moved
from fastcnn.kernels.cpu.simd.memory import aligned
from fastcnn.kernels.cpu.simd.transpose import PIECE, address_of, move_rows_at, transpose_from, transpose_to
from fastcnn.kernels.cpu.simd.vectors import Vectors, loop
from fastcnn.kernels.cpu.simd.width import lanes_of
from fastcnn.kernels.cpu.winograd.tiles import TILES_RECORD, place_of
from fastcnn.kernels.cpu.winograd.transforms import GRADIENT, INPUT, OUTPUT, transform

_I64 = ir.IntType(64)
SIDE = 6  # pixels of a tile of the input
MOST = 16  # lanes of a vector at most


@inlined
def work_size(c, side, one):
    """Elements of memory to transpose a group of tiles of `side` x `side` pixels with c channels."""
    return one * side * aligned(side * c) + aligned(side * side * pixel_step(c, one) + 4 * one)


@inlined
def pixel_step(c, one):
    """Elements from pixel to pixel of a group that is transposed, a line more where it might be a power of two."""
    return c * one + (16 if c % 4 == 0 else 0)


@intrinsic
def _addresses(typingctx):
    """Return memory on the stack for an address of each row of each tile of a group."""
    def codegen(context, builder, signature, args):
        slot = cgutils.alloca_once(builder, ir.ArrayType(_I64, SIDE * MOST))
        return builder.bitcast(slot, _I64.as_pointer())

    return types.CPointer(types.int64)(), codegen


@intrinsic
def _fetch(typingctx, pointer, numbers):
    """Ask for the cache lines of some numbers."""
    def codegen(context, builder, signature, args):
        v = Vectors(builder, pointer.dtype)
        with loop(builder, builder.sdiv(builder.add(args[1], _I64(15)), _I64(16))) as line:
            v.prefetch(builder.gep(args[0], [builder.mul(line, _I64(16))]), False)
        return context.get_dummy_value()

    return types.void(pointer, types.int64), codegen


@inlined(always=True)
def _gathered(x, tiles, side, work):
    """Transpose a group of tiles of `side` x `side` pixels: return where its pixels lie, (side, side, C, lanes)."""
    h, w, c, one, rows = tiles.h, tiles.w, tiles.c, lanes_of(x), _addresses()
    row = side * c
    near = aligned(row)
    pixels = moved(work, one * side * near)
    size = address_of(moved(x, 1)) - address_of(x)
    piece = PIECE // (8 * size)
    # Where a row of a tile ends within a piece, more is read than it has: a row of the image follows, or it is copied.
    last = h - 1 if row % piece != 0 else h
    for t in range(one):
        image, r, s = place_of(tiles, t)
        at, far = moved(x, ((image * h + r) * w + s) * c), w * c
        if t >= tiles.count or r < 0 or r + side > last or s < 0 or s + side > w:
            own = moved(work, t * side * near)
            r0, r1, s0, s1 = max(-r, 0), min(side, h - r), max(-s, 0), min(side, w - s)
            for k in range(side * near):
                own[k] = 0
            if t < tiles.count and r1 > r0 and s1 > s0:
                move_rows_at(moved(own, r0 * near + s0 * c), moved(at, r0 * far + s0 * c), near, far, r1 - r0,
                             (s1 - s0) * c)
            at, far = own, near
        else:
            for i in range(side):
                _fetch(moved(at, i * far + one * 4 * c), 4 * c)
        first = address_of(at)
        for i in range(side):
            rows[i * one + t] = first + i * far * size
    step, wide = pixel_step(c, one), c if c % 4 == 0 else row
    for i in range(side):
        for begin in range(0, row, wide):
            to = moved(pixels, (i * row + begin) // c * step)
            for k in range(0, wide, piece):
                transpose_from(moved(to, k * one), one, moved(rows, i * one), begin + k)
    return pixels


def _winograd_lane_input(x, tiles, work, v, step):
    """V of a group of tiles: 36 matrices (C, lanes), `step` apart."""
    pixels, near, count = _gathered(x, tiles, SIDE, work), pixel_step(tiles.c, lanes_of(x)), tiles.c * lanes_of(x)
    transform(INPUT, (pixels, (0, 6 * near, near)), (0, 6, 0, 6), pixels, (v, (0, step)), (pixels, 0), count)


def _winograd_lane_gradient(dy, tiles, work, w, step):
    """A dY A^T of a group of tiles of dy, and a 37th matrix with the sum of each tile."""
    pixels, near, count = _gathered(dy, tiles, 4, work), pixel_step(tiles.c, lanes_of(dy)), tiles.c * lanes_of(dy)
    transform(GRADIENT, (pixels, (0, 4 * near, near)), (0, 4, 0, 4), pixels, (w, (0, step)), (pixels, 0), count)


def _winograd_lane_output(y, tiles, m, step, bias, low, work):
    """A^T m A + bias of a group of tiles, none below `low`; m and bias have a vector for each channel."""
    h, w, k, one, rows = tiles.h, tiles.w, tiles.c, lanes_of(y), _addresses()
    row = 4 * k
    near = aligned(row)
    pixels = moved(work, one * 4 * near)
    size = address_of(moved(y, 1)) - address_of(y)
    for t in range(one):
        image, r, s = place_of(tiles, t)
        at, far = moved(y, ((image * h + r) * w + s) * k), w * k
        if t >= tiles.count or r + 4 > h or s + 4 > w:
            at, far = moved(work, t * 4 * near), near
        for i in range(4):
            _fetch(moved(at, i * far), row)
            rows[i * one + t] = address_of(at) + i * far * size
    far, wide = pixel_step(k, one), k if k % 4 == 0 else row
    transform(OUTPUT, (pixels, (0, 4 * far, far)), (0, 4, 0, 4), pixels, (m, (0, step)), (bias, low[0]), k * one)
    for i in range(4):
        for begin in range(0, row, wide):
            of = moved(pixels, (i * row + begin) // k * far)
            for j in range(0, wide, PIECE // (8 * size)):
                transpose_to(moved(rows, i * one), begin + j, moved(of, j * one), one)
    for t in range(tiles.count):
        image, r, s = place_of(tiles, t)
        if r + 4 > h or s + 4 > w:
            move_rows_at(moved(y, ((image * h + r) * w + s) * k), moved(work, t * 4 * near), w * k, near, min(4, h - r),
                         min(4, w - s) * k)


def _input_arguments(dtype):
    pointer = types.CPointer(dtype)
    return pointer, TILES_RECORD, pointer, pointer, types.int64


def _output_arguments(dtype):
    pointer = types.CPointer(dtype)
    return pointer, TILES_RECORD, pointer, types.int64, pointer, pointer, pointer


_input = Shared(_winograd_lane_input, _input_arguments)
_output = Shared(_winograd_lane_output, _output_arguments)
_gradient = Shared(_winograd_lane_gradient, _input_arguments)


@intrinsic
def lane_input(typingctx, x, tiles, work, v, step):
    """As `_winograd_lane_input`: every pointer is (array, offset)."""
    return _input.intrinsic(x, tiles, work, v, step)


@intrinsic
def lane_output(typingctx, y, tiles, m, step, bias, low, work):
    """As `_winograd_lane_output`: every pointer is (array, offset)."""
    return _output.intrinsic(y, tiles, m, step, bias, low, work)


@intrinsic
def lane_gradient(typingctx, dy, tiles, work, w, step):
    """As `_winograd_lane_gradient`: every pointer is (array, offset)."""
    return _gradient.intrinsic(dy, tiles, work, w, step)
