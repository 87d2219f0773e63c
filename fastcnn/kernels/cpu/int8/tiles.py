"""2D convolution of bytes on tiles of 16 x 64: the same integers as `quantized_conv2d`, by a matrix unit.

A task lays the windows of 32 output positions out in rows, as deep as a window has bytes, in whole steps of 64; what is
beyond a window meets weights of zero. All filters pass over these rows while they are in L1::

    x, channels-last        panel, a row for each position           packed, 64 x 32 weights a step, as two tiles
    . a b c d e .           | a b c | row below | .. | 0 0 |
    . . . . . . .    ->     | b c d | row below | .. | 0 0 |    x    tile tile | tile tile | ..      ->  32 x 32 sums

Windows of one pixel whose channels fill the steps are such rows already, where they lie. The sums of 32 bits, exact and
in any order the same, become bytes as `vectors.py` defines it.
"""

from typing import Any

import numpy as np
from llvmlite import ir
from numba import config, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.amx.product import BLOCK, block, byte_tiles_now, give_tiles, take_tiles
from fastcnn.kernels.cpu.compile.policy import inlined, kernel, parallel
from fastcnn.kernels.cpu.gemm.shares import cut, share_of
from fastcnn.kernels.cpu.int8 import unit
from fastcnn.kernels.cpu.int8.tile import Requantization, address
from fastcnn.kernels.cpu.int8.vectors import LANES, Bytes

DEPTH = 64  #: bytes of a row of a tile
_SUMS = 4 * BLOCK * BLOCK  # bytes of the sums of a thread
_TAP = 64  # bytes at the beginning of the scratch: the one tap that there is
_FEW = 16  # filters, and bytes of a window, below which most of a tile would be empty

_I64 = ir.IntType(64)


def quantized_tiles2d_suits(geometry):
    """Whether a unit multiplies tiles of bytes, and a convolution fills them.

    Parameters
    ----------
    geometry : CONV2D
    """
    g = geometry[0]
    return bool(unit.chosen().name in unit.TILED and g["groups"] == 1 and g["k"] >= _FEW
                and g["kh"] * g["kw"] * g["c"] >= _FEW)


def quantized_tiles2d_scratch(geometry):
    """Return how many bytes `scratch` of `quantized_tiles2d` has.

    Parameters
    ----------
    geometry : CONV2D
    """
    return int(_TAP + config.NUMBA_NUM_THREADS * (_SUMS + BLOCK * DEPTH * _steps(geometry[0])))


def quantized_tiles2d_packed(geometry, weights):
    """Return weights as `quantized_tiles2d` takes them: for each 32 filters and each step two tiles.

    Parameters
    ----------
    geometry : CONV2D
    weights : (KH, KW, C, K) int8 array
    """
    filters, steps = int(geometry[0]["k"]), int(_steps(geometry[0]))
    blocks = -(-filters // BLOCK)
    table = np.zeros((steps * DEPTH, blocks * BLOCK), np.int8)
    table[:weights.size // filters, :filters] = weights.reshape(-1, filters)
    tiles = table.reshape(steps, DEPTH // 4, 4, blocks, 2, BLOCK // 2).transpose(3, 0, 4, 1, 5, 2)
    return np.ascontiguousarray(tiles).reshape(-1)


def quantized_tiles2d_columns(start, scale):
    """Return what sums begin with and are multiplied by as `quantized_tiles2d` takes them: in whole blocks of 32.

    Parameters
    ----------
    start, scale : (K,) int32 array, (K,) float32 array
    """
    nothing = np.zeros(-len(start) % BLOCK, np.int32)
    return np.concatenate([start, nothing, scale.view(np.int32), nothing])


@inlined
def _steps(g):
    return (g["kh"] * g["kw"] * g["c"] + DEPTH - 1) // DEPTH


@kernel
def quantized_tiles2d(y, scratch, x, packed, columns, bounds, zero, geometry):
    """Convolve bytes with integers of 8 bits, as `quantized_conv2d`, in one group.

    Parameters
    ----------
    y : (N * OH * OW * K,) uint8 array, or one of four times as many
        Written: bytes, or float32 numbers as bytes where `zero` is -1.
    scratch : (quantized_tiles2d_scratch(geometry),) uint8 array
    x : (N * H * W * C,) uint8 array
        With its border; more may follow.
    packed : int8 array
        As `quantized_tiles2d_packed` returns it.
    columns : int32 array
        As `quantized_tiles2d_columns` returns them: a sum for each filter, then the bits of a scale for each.
    bounds : (2,) float32 array
        The lowest and the highest result, before the zero is added.
    zero : int
        The byte that stands for zero in y; -1 for results in float32.
    geometry : CONV2D
        Without padding.
    """
    g = geometry[0]
    scratch[:_TAP].view(np.int64)[0] = 0
    panels, blocks = (g["n"] * g["oh"] * g["ow"] + BLOCK - 1) // BLOCK, (g["k"] + BLOCK - 1) // BLOCK
    weights = g["kh"] * g["kw"] * g["c"] * g["k"]
    panels_each, parts = cut(1, panels, 1, x.size, weights * BLOCK, blocks, weights)[1:]
    tasks = (panels + panels_each - 1) // panels_each * parts
    half = columns.size // 2
    ends = columns[:half], columns[half:].view(np.float32), bounds
    parallel(_task, tasks, ((y, scratch), x, packed, ends, (zero, panels_each, parts), geometry))


@inlined
def _task(task, thread, memory, x, packed, ends, shares, geometry):
    """Some panels of positions, and a part of the blocks of filters."""
    g, (y, scratch), (start, scale, bounds), (zero, panels_each, parts) = geometry[0], memory, ends, shares
    positions, blocks = g["n"] * g["oh"] * g["ow"], (g["k"] + BLOCK - 1) // BLOCK
    panels, steps = (positions + BLOCK - 1) // BLOCK, _steps(g)
    item, part = share_of(task, (panels + panels_each - 1) // panels_each, parts, packed.size, x.size)
    own = scratch[_TAP + thread * (_SUMS + BLOCK * DEPTH * steps):]
    sums, tap, which = own[:_SUMS].view(np.int32), scratch[:_TAP].view(np.int64)[:1], byte_tiles_now()
    is_in_rows = g["kh"] * g["kw"] * g["sh"] * g["sw"] == 1 and g["c"] % DEPTH == 0
    width = np.int64(1) if zero >= 0 else np.int64(4)
    take_tiles(which)
    for panel in range(item * panels_each, min((item + 1) * panels_each, panels)):
        first = panel * BLOCK
        count = min(BLOCK, positions - first)
        rows, at, far = x, first * g["c"], g["c"]
        if not is_in_rows or count < BLOCK:
            rows, at, far = own, np.int64(_SUMS), DEPTH * steps
            _lay_out(own[_SUMS:], x, first, count, g)
        for number in range(part * blocks // parts, (part + 1) * blocks // parts):
            block(which, (sums, np.int64(0)), (rows, at, far), (packed, number * steps * DEPTH * BLOCK), tap,
                  (np.int64(0), 1, steps))
            left = min(BLOCK, g["k"] - number * BLOCK)
            rounding = Requantization(address(start, number * BLOCK), address(scale, number * BLOCK),
                                      address(bounds, 0), zero)
            _requantize(address(y, (first * g["k"] + number * BLOCK) * width), address(sums, 0),
                        (count, g["k"], left), rounding)
    give_tiles(which)


@inlined
def _lay_out(panel, x, first, count, g):
    """Write the windows of some positions in rows; what is beyond them may be anything."""
    pixels, wide = g["oh"] * g["ow"], (g["kh"] * g["kw"] * g["c"] + DEPTH - 1) // DEPTH * DEPTH
    run = g["kw"] * g["c"] if g["dw"] == 1 else g["c"]
    runs = 1 if g["dw"] == 1 else g["kw"]
    for row in range(count):
        image, i, j = (first + row) // pixels, (first + row) % pixels // g["ow"], (first + row) % g["ow"]
        corner = ((image * g["h"] + i * g["sh"]) * g["w"] + j * g["sw"]) * g["c"]
        at = row * wide
        for r in range(g["kh"]):
            for s in range(runs):
                of = corner + (r * g["dh"] * g["w"] + s * g["dw"]) * g["c"]
                to, source = panel[at:at + run], x[of:of + run]
                for k in range(to.size):
                    to[k] = source[k]
                at += run


@intrinsic
def _requantize(typingctx, y, sums, sizes, rounding):
    """Write what BLOCK x BLOCK sums become.

    Parameters
    ----------
    y : pointer
        Bytes, where the first result lies.
    sums : pointer
    sizes : (rows, results from row to row, columns that exist)
    rounding : Requantization
    """
    def codegen(context, builder, signature, args):
        rows, step, columns = (context.cast(builder, value, kind, types.int64) for value, kind in zip(
            cgutils.unpack_tuple(builder, args[2]), signature.args[2], strict=True))
        _emit(Bytes(builder), args[0], args[1], (rows, step, columns), cgutils.unpack_tuple(builder, args[3]))
        return context.get_dummy_value()

    return types.void(y, sums, sizes, rounding), codegen


def _emit(bytes_: Bytes, y: Any, sums: Any, sizes: Any, rounding: Any) -> None:
    """Emit loops over the rows, to bytes and to numbers."""
    b_, (rows, step, columns), (start, scale, bounds, zero) = bytes_.b, sizes, rounding
    low, high = (bytes_.load_one(b_.gep(bounds, [_I64(k)])) for k in (0, 1))
    numbers = b_.bitcast(y, bytes_.element.as_pointer())
    with b_.if_else(b_.icmp_signed(">=", zero, _I64(0))) as branches:
        for to, branch in zip((y, numbers), branches, strict=True):
            with branch:
                added = bytes_.broadcast(b_.trunc(zero, ir.IntType(32)))
                with cgutils.for_range(b_, rows) as row:
                    for u in range(BLOCK // LANES):
                        at, place = b_.add(b_.mul(row.index, _I64(BLOCK)), _I64(u * LANES)), b_.mul(row.index, step)
                        total = b_.add(bytes_.load(b_.gep(sums, [at])), bytes_.load(start, u))
                        value = bytes_.between(bytes_.scaled_sum(total, bytes_.load(scale, u)), low, high)
                        bytes_.store(bytes_.rounded(value, added) if to is y else value,
                                     b_.gep(to, [b_.add(place, _I64(u * LANES))]),
                                     mask=bytes_.mask(b_.sub(columns, _I64(u * LANES))))
