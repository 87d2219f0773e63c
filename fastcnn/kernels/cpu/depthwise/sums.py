"""The walk of the gradients of a depthwise convolution's weights: as `walk.py`, over a part of one image."""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.depthwise.emitter import J
from fastcnn.kernels.cpu.depthwise.tile import gradient_tile
from fastcnn.kernels.cpu.simd.width import features, lanes_of

#: Rows of a 5x5 window whose sums are made together, first and then: 16 registers hold the sums of one row alone.
UPPER, LOWER = (3, 2) if features()[2] == 32 else (1, 1)
POSITIONS = 32  # outputs, about, whose share is a short sum (`fastcnn.kernels.cpu.simd.sums`)


def _gradients(sums, sums_at, x, x_at, h, w, c, dy, dy_at, ow, kh, kw, sh, sw, dh, dw, top, left,
               first, rows, low, high, begin, end):
    """The walk on bare pointers: what a part of the outputs of one image gives to channels begin .. end."""
    one = lanes_of(x)
    kind = 10 * kw + sw if dw == 1 and c >= one and kh == kw else 0
    reach = (J - 1) * sw + (kw - 1) * dw
    row, share = first * sh - top, (kh * kw + 1) * one
    j = low
    most = max(1, POSITIONS // (J * max(1, rows)))  # blocks that a sum takes in at once
    while j < high:
        column, stop, case, blocks = j * sw - left, min(high, j + most * J), -1, 1
        if kind != 0 and j + J <= high:
            before, beyond = max(0, -column), max(0, column + reach + 1 - w)
            if before + beyond == 0:  # all blocks that lie inside the image
                blocks = min(most, min((high - j) // J, (w - 1 - reach - column) // (J * sw) + 1))
            stop = j + J * blocks
            case = 100 * kind + 10 * before + beyond if before <= 9 and beyond <= 9 else -1
        loops = (rows, blocks, sw)
        for channel in range(begin, end, one):
            at = min(channel, c - one) if c >= one else channel
            tap = sums_at + channel // one * share
            s, e = (tap, tap + kh * kw * one), (row, sh, dh, h, c)
            a = (x_at + (row * w + column) * c + at, sh * w * c, dh * w * c, c)
            b = (dy_at + (first * ow + j) * c + at, ow * c, c)
            if case == 3100:
                gradient_tile(3, 3, 1, 0, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
            elif case == 3110:
                gradient_tile(3, 3, 1, 1, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
            elif case == 3101:
                gradient_tile(3, 3, 1, 0, 1, 0, 1, sums, s, x, a, dy, b, loops, e)
            elif case == 3111:
                gradient_tile(3, 3, 1, 1, 1, 0, 1, sums, s, x, a, dy, b, loops, e)
            elif case == 3200:
                gradient_tile(3, 3, 2, 0, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
            elif case == 3210:
                gradient_tile(3, 3, 2, 1, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
            elif case == 3201:
                gradient_tile(3, 3, 2, 0, 1, 0, 1, sums, s, x, a, dy, b, loops, e)
            elif case == 5100:
                gradient_tile(UPPER, 5, 1, 0, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 1, 0, 0, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5120:
                gradient_tile(UPPER, 5, 1, 2, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 1, 2, 0, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5102:
                gradient_tile(UPPER, 5, 1, 0, 2, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 1, 0, 2, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5122:
                gradient_tile(UPPER, 5, 1, 2, 2, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 1, 2, 2, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5200:
                gradient_tile(UPPER, 5, 2, 0, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 2, 0, 0, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5220:
                gradient_tile(UPPER, 5, 2, 2, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 2, 2, 0, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5201:
                gradient_tile(UPPER, 5, 2, 0, 1, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 2, 0, 1, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5221:
                gradient_tile(UPPER, 5, 2, 2, 1, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 2, 2, 1, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5210:
                gradient_tile(UPPER, 5, 2, 1, 0, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 2, 1, 0, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5202:
                gradient_tile(UPPER, 5, 2, 0, 2, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 2, 0, 2, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            elif case == 5212:
                gradient_tile(UPPER, 5, 2, 1, 2, 0, 1, sums, s, x, a, dy, b, loops, e)
                for r in range(UPPER, 5, LOWER):
                    gradient_tile(LOWER, 5, 2, 1, 2, 0, 0, sums, (tap + 5 * r * one, 0), x,
                                  (a[0] + r * a[2], a[1], a[2], c), dy, b, loops, (row + r * dh, sh, dh, h, c))
            else:
                for t in range(kh * kw + 1):  # of each tap the outputs that see the image; at last all of dy
                    up, shift = row + t // kw * dh, t % kw * dw - left
                    j0 = max(j, (sw - 1 - shift) // sw if shift < 0 else 0)
                    j1 = min(stop, (w - shift + sw - 1) // sw if shift < w else 0)
                    if t == kh * kw:
                        j0, j1 = j, stop
                    some = max(0, j1 - j0) // J if c >= one else 0
                    rest, done = max(0, j1 - j0) - some * J, some * J * c
                    a = (x_at + (up * w + j0 * sw + shift) * c + at, sh * w * c, 0, c)
                    b = (dy_at + (first * ow + j0) * c + at, ow * c, c)
                    a2, b2 = (a[0] + done * sw, a[1], 0, c), (b[0] + done, b[1], c)
                    s, e = (tap + t * one, tap + t * one), (up, sh, 0, h, c)
                    if t < kh * kw:
                        gradient_tile(1, 1, 0, 0, 0, 0, 0, sums, s, x, a, dy, b, (rows, some, sw), e)
                        gradient_tile(1, 1, 0, 0, 0, 2, 0, sums, s, x, a2, dy, b2, (rows, rest, sw), e)
                    else:
                        gradient_tile(0, 0, 0, 0, 0, 0, 1, sums, s, x, a, dy, b, (rows, some, sw), e)
                        gradient_tile(0, 0, 0, 0, 0, 2, 1, sums, s, x, a2, dy, b2, (rows, rest, sw), e)
        j = stop


def _arguments(dtype):
    p, i = types.CPointer(dtype), types.int64
    return (p, i, p, i, i, i, i, p, i, i, *[i] * 14)


_shared = Shared(_gradients, _arguments)


@intrinsic
def gradients(typingctx, sums, sums_at, x, x_at, dy, dy_at, window, part):
    """Add what a part of one image gives to the sums of the taps and of dy.

    Parameters
    ----------
    sums, sums_at : array, int
        (vectors of channels, KH * KW + 1, LANES); the last of each is the sum of dy.
    x, x_at : array, (offset of the image, H, W, C)
    dy, dy_at : array, (offset of the image, OW)
    window : (KH, KW, SH, SW, DH, DW, top, left)
    part : (first output row, rows, first column, end of the columns, first channel, end of the channels)
    """
    _shared.publish(x.dtype)
    i, several = types.int64, lambda count: types.UniTuple(types.int64, count)
    signature = types.void(sums, i, x, several(4), dy, several(2), several(8), several(6))

    def codegen(context, builder, signature, args):
        data = [context.make_array(signature.args[n])(context, builder, args[n]).data for n in (0, 2, 4)]
        x_at, dy_at, window, part = (cgutils.unpack_tuple(builder, args[n]) for n in (3, 5, 6, 7))
        _shared.call(builder, signature.args[0].dtype, [data[0], args[1], data[1], *x_at, data[2], *dy_at,
                                                                  *window, *part])
        return context.get_dummy_value()

    return signature, codegen
