"""The walks of depthwise convolution: a window over the rows and channels of one image.

Their tiles are most of the machine code, so they are compiled once for each type and kernels call them through a symbol
(`fastcnn.kernels.cpu._symbol`, which wants them in another file than the kernels).
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu._symbol import Shared
from fastcnn.kernels.cpu.depthwise_tile import J, gradient_tile, window_tile
from fastcnn.kernels.cpu.walk import lanes_of

HELD = 4096  # elements of the rows of x and dy that one vector of channels has in L1 at a time: 16 KB of float32


def _windows(y, y_at, y_row, y_col, x, x_at, h, w, c, k, k_at, k_row, k_col, bias, bias_at, relu,
             kh, kw, sh, sw, dh, dw, top, left, first, rows, ow, begin, end):
    """The walk on bare pointers: rows first .. first + rows of one image, channels begin .. end."""
    one = lanes_of(y)
    kind = 10 * kw + sw if dw == 1 else 0
    reach = (J - 1) * sw + (kw - 1) * dw
    for channel in range(begin, end, one):
        at = min(channel, c - one) if c >= one else channel
        start = bias_at + at if bias_at >= 0 else -1
        for i in range(first, first + rows):
            row = i * sh - top
            r0 = (dh - 1 - row) // dh if row < 0 else 0
            r1 = min(kh, (h - row + dh - 1) // dh) if row < h else 0
            loops = (max(0, r1 - r0), kw, sw, dw, relu)
            line = x_at + (row + r0 * dh) * w * c + at
            w_at = (k_at + r0 * k_row + at, k_row, k_col)
            for block in range(0, ow, J):
                j = min(block, max(0, ow - J))  # the last block overlaps the one before it
                column = j * sw - left
                place, a = (y_at + i * y_row + j * y_col + at, y_col), (line + column * c, dh * w * c, c)
                borders = (column, w, ow - j, c)
                before, beyond = max(0, -column), max(0, column + reach + 1 - w)
                case = 100 * kind + 10 * before + beyond if before <= 9 and beyond <= 9 else -1
                if c < one:
                    window_tile(0, 0, 0, 0, 2, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif ow < J:
                    window_tile(0, 0, 0, 0, 1, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 3100:
                    window_tile(3, 1, 0, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 3110:
                    window_tile(3, 1, 1, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 3101:
                    window_tile(3, 1, 0, 1, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 3111:
                    window_tile(3, 1, 1, 1, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 3200:
                    window_tile(3, 2, 0, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 3210:
                    window_tile(3, 2, 1, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 3201:
                    window_tile(3, 2, 0, 1, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5100:
                    window_tile(5, 1, 0, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5120:
                    window_tile(5, 1, 2, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5102:
                    window_tile(5, 1, 0, 2, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5122:
                    window_tile(5, 1, 2, 2, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5200:
                    window_tile(5, 2, 0, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5220:
                    window_tile(5, 2, 2, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5201:
                    window_tile(5, 2, 0, 1, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5221:
                    window_tile(5, 2, 2, 1, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5210:
                    window_tile(5, 2, 1, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5202:
                    window_tile(5, 2, 0, 2, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif case == 5212:
                    window_tile(5, 2, 1, 2, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                elif before + beyond == 0:
                    window_tile(0, 0, 0, 0, 0, y, place, x, a, k, w_at, bias, start, loops, borders)
                else:
                    window_tile(0, 0, 0, 0, 1, y, place, x, a, k, w_at, bias, start, loops, borders)


def _arguments(dtype):
    p, i = types.CPointer(dtype), types.int64
    return (p, i, i, i, p, i, i, i, i, p, i, i, i, p, i, i, *[i] * 13)


_shared = Shared(_windows, _arguments)


@intrinsic
def windows(typingctx, y, y_at, x, x_at, k, k_at, bias, bias_at, relu, window, part):
    """Slide the window over a part of one image.

    Parameters
    ----------
    y, y_at : array, (offset of row 0, steps of a row and of a column)
    x, x_at : array, (offset of the image, H, W, C)
    k, k_at : array, (offset of the first tap, steps of a row and of a tap)
    bias, bias_at : array, int
        Where the bias begins; negative if there is none.
    relu : int
    window : (KH, KW, SH, SW, DH, DW, top, left)
    part : (first row, rows, columns, first channel, end of the channels)
    """
    _shared.publish(y.dtype)
    i, several = types.int64, lambda count: types.UniTuple(types.int64, count)
    signature = types.void(y, several(3), x, several(4), k, several(3), bias, i, i, several(8), several(5))

    def codegen(context, builder, signature, args):
        data = [context.make_array(signature.args[n])(context, builder, args[n]).data for n in (0, 2, 4, 6)]
        y_at, x_at, k_at, window, part = (cgutils.unpack_tuple(builder, args[n]) for n in (1, 3, 5, 9, 10))
        _shared.call(builder, signature.args[0].dtype, [data[0], *y_at, data[1], *x_at, data[2], *k_at, data[3],
                                                        args[7], args[8], *window, *part])
        return context.get_dummy_value()

    return signature, codegen


def _gradients(sums, sums_at, x, x_at, h, w, c, dy, dy_at, ow, kh, kw, sh, sw, dh, dw, top, left,
               first, rows, begin, end, with_bias):
    """The walk on bare pointers: what output rows first .. first + rows of one image give to channels begin .. end."""
    one = lanes_of(x)
    kind = 10 * kw + sw if dw == 1 and c >= one else 0
    reach = (J - 1) * sw + (kw - 1) * dw
    held = max(1, HELD // ((w * sh + ow) * one))
    for channel in range(begin, end, one):
        at = min(channel, c - one) if c >= one else channel
        place = sums_at + channel * (kh * kw + 1)
        for upper in range(first, first + rows, held):
            lower = min(upper + held, first + rows)
            for r in range(kh):
                row = r * dh - top  # that output row 0 sees
                i0 = max(upper, (sh - 1 - row) // sh if row < 0 else 0)
                i1 = min(lower, (h - row + sh - 1) // sh if row < h else 0)
                if i0 >= i1:
                    continue
                tap = place + r * kw * one
                line, out = x_at + (i0 * sh + row) * w * c + at, dy_at + i0 * ow * c + at
                j = 0
                while j < ow:
                    column, stop, case = j * sw - left, ow, -1
                    if kind != 0 and j + J <= ow:
                        before, beyond = max(0, -column), max(0, column + reach + 1 - w)
                        blocks = 1
                        if before + beyond == 0:  # all blocks that lie inside the image
                            blocks = min((ow - j) // J, (w - 1 - reach - column) // (J * sw) + 1)
                        stop = j + J * blocks
                        case = 100 * kind + 10 * before + beyond if before <= 9 and beyond <= 9 else -1
                        a, b = (line + column * c, sh * w * c, c), (out + j * c, ow * c, c)
                        loops = (i1 - i0, blocks, sw, c)
                    if case == 3100:
                        gradient_tile(J, 3, 1, 0, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 3110:
                        gradient_tile(J, 3, 1, 1, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 3101:
                        gradient_tile(J, 3, 1, 0, 1, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 3111:
                        gradient_tile(J, 3, 1, 1, 1, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 3200:
                        gradient_tile(J, 3, 2, 0, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 3210:
                        gradient_tile(J, 3, 2, 1, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 3201:
                        gradient_tile(J, 3, 2, 0, 1, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5100:
                        gradient_tile(J, 5, 1, 0, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5120:
                        gradient_tile(J, 5, 1, 2, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5102:
                        gradient_tile(J, 5, 1, 0, 2, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5122:
                        gradient_tile(J, 5, 1, 2, 2, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5200:
                        gradient_tile(J, 5, 2, 0, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5220:
                        gradient_tile(J, 5, 2, 2, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5201:
                        gradient_tile(J, 5, 2, 0, 1, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5221:
                        gradient_tile(J, 5, 2, 2, 1, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5210:
                        gradient_tile(J, 5, 2, 1, 0, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5202:
                        gradient_tile(J, 5, 2, 0, 2, 0, sums, tap, x, a, dy, b, loops)
                    elif case == 5212:
                        gradient_tile(J, 5, 2, 1, 2, 0, sums, tap, x, a, dy, b, loops)
                    else:
                        for s in range(kw):  # of each tap the outputs that see the image, whatever they are
                            shift = s * dw - left
                            j0 = max(j, (sw - 1 - shift) // sw if shift < 0 else 0)
                            j1 = min(stop, (w - shift + sw - 1) // sw if shift < w else 0)
                            blocks = max(0, j1 - j0) // J if c >= one else 0
                            left_over = max(0, j1 - j0) - blocks * J
                            a = (line + (j0 * sw + shift) * c, sh * w * c, c)
                            b = (out + j0 * c, ow * c, c)
                            if blocks > 0:
                                gradient_tile(J, 1, 0, 0, 0, 0, sums, tap + s * one, x, a, dy, b,
                                              (i1 - i0, blocks, sw, c))
                            if left_over > 0:
                                done = blocks * J * c
                                gradient_tile(1, 1, 0, 0, 0, 2, sums, tap + s * one, x, (a[0] + done * sw, a[1], c),
                                              dy, (b[0] + done, b[1], c), (i1 - i0, left_over, sw, c))
                    j = stop
            if with_bias:
                blocks = (lower - upper) * ow // J if c >= one else 0
                out, bias = dy_at + upper * ow * c + at, place + kh * kw * one
                gradient_tile(J, 0, 0, 0, 0, 0, sums, bias, dy, (out, 0, 0), dy, (out, 0, c), (1, blocks, 0, c))
                gradient_tile(1, 0, 0, 0, 0, 2, sums, bias, dy, (out, 0, 0), dy, (out + blocks * J * c, 0, c),
                              (1, (lower - upper) * ow - blocks * J, 0, c))


def _gradient_arguments(dtype):
    p, i = types.CPointer(dtype), types.int64
    return (p, i, p, i, i, i, i, p, i, i, *[i] * 13)


_shared_gradients = Shared(_gradients, _gradient_arguments)


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
    part : (first output row, rows, first channel, end of the channels, 1 to sum dy)
    """
    _shared_gradients.publish(x.dtype)
    i, several = types.int64, lambda count: types.UniTuple(types.int64, count)
    signature = types.void(sums, i, x, several(4), dy, several(2), several(8), several(5))

    def codegen(context, builder, signature, args):
        data = [context.make_array(signature.args[n])(context, builder, args[n]).data for n in (0, 2, 4)]
        x_at, dy_at, window, part = (cgutils.unpack_tuple(builder, args[n]) for n in (3, 5, 6, 7))
        _shared_gradients.call(builder, signature.args[0].dtype, [data[0], args[1], data[1], *x_at, data[2], *dy_at,
                                                                  *window, *part])
        return context.get_dummy_value()

    return signature, codegen
