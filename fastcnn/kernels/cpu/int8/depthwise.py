"""Depthwise 2D convolution of bytes: one filter for each channel. ONNX: QLinearConv with a group for each channel.

A product of bytes takes four neighbours of a channel, and here these are four rows of a window's column. So the bytes
of four pixels one above the other are interleaved, within parts of 128 bits, where shuffles are fast::

    row 0   a0 b0 c0 d0 ..                      a0 a1 a2 a3 | b0 b1 b2 b3 | ..       one vector of four
    row 1   a1 b1 c1 d1 ..     interleave->     ..                                   channels 4 q .. 4 q + 3 of each
    row 2   a2 b2 c2 d2 ..                      ..                                   part of 16 make vector q
    row 3   zeros: weights of zero

A step makes 4 L channels (64 with AVX-512) of one output in four vectors of sums, whose bytes come back in order at the
end. Weights, start values and scales are packed in the order of the sums.
"""

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.operands import integers, unpacked
from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.int8.vectors import LANES, WIDTH, Bytes

_I64 = ir.IntType(64)
_ROWS = 4  # of a window, that one product takes
#: Channels in the order of the sums: vector q has the channels 16 p + 4 q + i of each part p of 16.
_ORDER = np.arange(WIDTH).reshape(-1, 4, 4).transpose(1, 0, 2).reshape(-1)


def quantized_depthwise2d_packed(geometry, weights):
    """Return weights as `quantized_depthwise2d` takes them.

    Parameters
    ----------
    geometry : CONV2D
    weights : (KH, KW, 1, C) int8 array
    """
    kh, kw, _, c = weights.shape
    groups, blocks = -(-kh // _ROWS), -(-c // WIDTH)
    table = np.zeros((groups * _ROWS, kw, blocks * WIDTH), np.int8)
    table[:kh, :, :c] = weights[:, :, 0]
    table = table.reshape(groups, _ROWS, kw, blocks, WIDTH)[..., _ORDER]
    return np.ascontiguousarray(table.transpose(3, 0, 2, 4, 1)).reshape(-1)


def quantized_channels(values):
    """Return a number for each channel as `quantized_depthwise2d` takes them.

    Parameters
    ----------
    values : (C,) array
    """
    table = np.zeros(-(-values.size // WIDTH) * WIDTH, values.dtype)
    table[:values.size] = values
    return np.ascontiguousarray(table.reshape(-1, WIDTH)[:, _ORDER]).reshape(-1)


@kernel
def quantized_depthwise2d(y, x, packed, start, scale, bounds, zero, geometry):
    """Convolve each channel of bytes with a filter of its own.

    Parameters
    ----------
    y : (N * OH * OW * C,) uint8 array
        Written.
    x : (N * H * W * C + 64,) uint8 array
        (N, H, W, C), and 64 bytes that may be any.
    packed : int8 array
        As `quantized_depthwise2d_packed` returns it.
    start, scale : int32 array, float32 array
        As `quantized_channels` returns them.
    bounds : (2,) float32 array
        The lowest and the highest result, before the zero is added.
    zero : int
        The byte that stands for zero in y.
    geometry : CONV2D
        Without padding, and with as many groups as channels.
    """
    g = geometry[0]
    rows = g["n"] * g["oh"]
    chunks = max(1, min(rows, chunks_for(y.size * g["kh"] * g["kw"] // 8, 32)))
    parallel(_rows, chunks, (chunks, y, x, (packed, start, scale, bounds), zero, geometry))


@inlined
def _rows(chunk, chunks, y, x, columns, zero, geometry):
    g, (packed, start, scale, bounds) = geometry[0], columns
    c, kh, kw, blocks = g["c"], g["kh"], g["kw"], (g["c"] + WIDTH - 1) // WIDTH
    slab = (kh + _ROWS - 1) // _ROWS * kw * _ROWS * WIDTH
    begin, end = chunk_of(chunk, chunks, g["n"] * g["oh"])
    for block in range(blocks):
        low = block * WIDTH
        for row in range(begin, end):
            image, i = row // g["oh"], row % g["oh"]
            of = ((image * g["h"] + i * g["sh"]) * g["w"]) * c + low
            _run((y, row * g["ow"] * c + low), (x, of), (packed, block * slab), (start, low), (scale, low), (bounds, 0),
                 ((g["ow"], c, g["sw"] * c), (kh, kw, g["dh"] * g["w"] * c, g["dw"] * c), c - low, zero))


@intrinsic
def _run(typingctx, y, x, packed, start, scale, bounds, told):
    """Make a row of outputs, WIDTH channels of each.

    `told` is (how many, step of y, step of x), (rows, columns, step down, step right) of a window, the channels that
    there are, and the zero.
    """
    def codegen(context, builder, signature, args):
        pointers = [unpacked(context, builder, *pair)[0] for pair in zip(signature.args[:6], args[:6], strict=True)]
        numbers = integers(context, builder, signature.args[6], args[6])
        _ByteDepthwise(builder).emit(pointers[:2], pointers[2:], numbers)
        return context.get_dummy_value()

    return types.void(y, x, packed, start, scale, bounds, told), codegen


class _ByteDepthwise(Bytes):
    """Writes the code of a row of outputs."""

    def emit(self, images, parameters, told):
        b_, (y, x), (packed, start, scale, bounds) = self.b, images, parameters
        run, window, columns, zero = told
        (count, y_step, x_step), (kh, kw, down, right) = run, window
        low, high = (self.broadcast(b_.load(b_.gep(bounds, [_I64(k)]))) for k in (0, 1))
        starts, scales = ([self.load(one, q) for q in range(4)] for one in (start, scale))
        added, whole = self.broadcast(b_.trunc(zero, ir.IntType(32))), b_.icmp_signed(">=", columns, _I64(WIDTH))
        mask = self.mask(columns, WIDTH)
        last, groups = b_.sub(kh, _I64(1)), b_.sdiv(b_.add(kh, _I64(_ROWS - 1)), _I64(_ROWS))
        back = list(np.argsort(_ORDER))
        with cgutils.for_range(b_, count) as o:
            window_at = b_.gep(x, [b_.mul(o.index, x_step)])
            sums = [self.slots(1, one)[0] for one in starts]
            along = cgutils.alloca_once_value(b_, packed)
            with cgutils.for_range(b_, groups) as group:
                top = b_.mul(group.index, _I64(_ROWS))
                lines = [self._smaller(b_.add(top, _I64(r)), last) for r in range(_ROWS)]
                lines = [b_.gep(window_at, [b_.mul(line, down)]) for line in lines]
                with cgutils.for_range(b_, kw) as s:
                    at, weights = b_.mul(s.index, right), b_.load(along)
                    pixels = [self.load_bytes(b_.gep(line, [at])) for line in lines]
                    for q, vector in enumerate(self._interleaved(pixels)):
                        self.add_products_of_bytes(sums[q], b_.bitcast(vector, self.sums), self.load_sums(weights, q))
                    b_.store(b_.gep(weights, [_I64(_ROWS * WIDTH)]), along)
            parts = [self.rounded(self.between(self.scaled_sum(b_.load(one), factor), low, high), added)
                     for one, factor in zip(sums, scales, strict=True)]
            first, second = (self.shuffled(one, other, range(2 * LANES)) for one, other in (parts[:2], parts[2:]))
            value = self.shuffled(first, second, back)
            place = b_.gep(y, [b_.mul(o.index, y_step)])
            with b_.if_else(whole) as (full, partial):
                with full:
                    self.store(value, place)
                with partial:
                    self.store(value, place, mask=mask)

    def load_bytes(self, pointer):
        """Load a vector of bytes."""
        kind = ir.VectorType(ir.IntType(8), WIDTH)
        return self.b.load(self.b.bitcast(pointer, kind.as_pointer()), align=1)

    def _smaller(self, a, b):
        return self.b.select(self.b.icmp_signed("<", a, b), a, b)

    def _interleaved(self, pixels):
        """Return four vectors in which the bytes of four vectors stand side by side, in the order of `_ORDER`."""
        first, second = ([self._unpacked(a, b, 1, half) for half in (0, 1)] for a, b in (pixels[:2], pixels[2:]))
        return [self._unpacked(a, b, 2, half) for a, b in zip(first, second, strict=True) for half in (0, 1)]

    def _unpacked(self, a, b, size, half):
        """Interleave the lower or the upper half of each part of 16 bytes, `size` bytes of each at a time."""
        places = []
        for part in range(0, WIDTH, 16):
            for at in range(part + 8 * half, part + 8 * half + 8, size):
                places += [*range(at, at + size), *range(WIDTH + at, WIDTH + at + size)]
        return self.shuffled(a, b, places)
