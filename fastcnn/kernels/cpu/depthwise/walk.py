"""The walk of depthwise convolution: a window over the rows and channels of one image.

Its tiles are most of the machine code, so it is compiled once for each type and kernels call it through a symbol
(`fastcnn.kernels.cpu.compile.shared`, which wants it in another file than the kernels).
"""

from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastcnn.kernels.cpu.compile.shared import Shared
from fastcnn.kernels.cpu.depthwise.emitter import J
from fastcnn.kernels.cpu.depthwise.tile import fetch, window_tile
from fastcnn.kernels.cpu.simd.sums import TERMS
from fastcnn.kernels.cpu.simd.width import lanes_of


def _windows(y, y_at, y_row, y_col, x, x_at, h, w, c, k, k_at, k_row, k_col, bias, bias_at, bounds,
             kh, kw, sh, sw, dh, dw, top, left, first, rows, ow, begin, end, far):
    """The walk on bare pointers: rows first .. first + rows of one image, channels begin .. end."""
    one = lanes_of(y)
    many, tall = kh * kw > TERMS, max(1, TERMS // max(1, kw))  # rows of the window that are one short sum
    kind = 10 * kw + sw if dw == 1 and c >= one and ow >= J else 0
    reach = (J - 1) * sw + (kw - 1) * dw
    for channel in range(begin, end, one):
        at = min(channel, c - one) if c >= one else channel
        start = bias_at + at if bias_at >= 0 else -1
        for i in range(first, first + rows):
            row = i * sh - top
            r0, r1 = max(0, -row), min(kh, h - row)  # the rows of the window that lie in the image
            if dh > 1:
                r0, r1 = (r0 + dh - 1) // dh, min(kh, (max(0, h - row) + dh - 1) // dh)
            r1 = max(r0, r1)
            loops = (r1 - r0, kw, sw, dw, tall, -(-(r1 - r0) // tall) if many else 1)
            line, b = x_at + (row + r0 * dh) * w * c + at, (k_at + r0 * k_row + at, k_row, k_col)
            for block in range(0, ow, J):
                j = min(block, max(0, ow - J))  # the last block overlaps the one before it
                column = j * sw - left
                before, beyond = max(0, -column), max(0, column + reach + 1 - w)
                case = 100 * kind + 10 * before + beyond if before <= 9 and beyond <= 9 else -1
                borders = (column, w, ow - j, c)
                out, a = (y_at + i * y_row + j * y_col + at, y_col), (line + column * c, dh * w * c, c)
                if far:  # what the next row will see, and where it will lie
                    for q in range(J * sw):
                        fetch(x, a[0] + (loops[0] * dh * w + q) * c)
                    for q in range(J):
                        fetch(y, out[0] + y_row + q * y_col)
                if many:
                    if c < one:
                        window_tile(-1, 0, 0, 0, 2, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                    elif before + beyond == 0 and ow >= J:
                        window_tile(-1, 0, 0, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                    else:
                        window_tile(-1, 0, 0, 0, 1, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif c < one:
                    window_tile(0, 0, 0, 0, 2, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 3100:
                    window_tile(3, 1, 0, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 3110:
                    window_tile(3, 1, 1, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 3101:
                    window_tile(3, 1, 0, 1, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 3111:
                    window_tile(3, 1, 1, 1, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 3200:
                    window_tile(3, 2, 0, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 3210:
                    window_tile(3, 2, 1, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 3201:
                    window_tile(3, 2, 0, 1, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5100:
                    window_tile(5, 1, 0, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5120:
                    window_tile(5, 1, 2, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5102:
                    window_tile(5, 1, 0, 2, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5122:
                    window_tile(5, 1, 2, 2, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5200:
                    window_tile(5, 2, 0, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5220:
                    window_tile(5, 2, 2, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5201:
                    window_tile(5, 2, 0, 1, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5221:
                    window_tile(5, 2, 2, 1, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5210:
                    window_tile(5, 2, 1, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5202:
                    window_tile(5, 2, 0, 2, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 5212:
                    window_tile(5, 2, 1, 2, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 1100:
                    window_tile(1, 1, 0, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 2100:
                    window_tile(2, 1, 0, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 2110:
                    window_tile(2, 1, 1, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif case == 2101:
                    window_tile(2, 1, 0, 1, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                elif before + beyond == 0 and ow >= J:
                    window_tile(0, 0, 0, 0, 0, y, out, x, a, k, b, bias, start, bounds, loops, borders)
                else:
                    window_tile(0, 0, 0, 0, 1, y, out, x, a, k, b, bias, start, bounds, loops, borders)


def _arguments(dtype):
    p, i = types.CPointer(dtype), types.int64
    return (p, i, i, i, p, i, i, i, i, p, i, i, i, p, i, p, *[i] * 14)


_shared = Shared(_windows, _arguments)


@intrinsic
def windows(typingctx, y, y_at, x, x_at, k, k_at, bias, bias_at, bounds, window, part):
    """Slide the window over a part of one image.

    Parameters
    ----------
    y, y_at : array, (offset of row 0, steps of a row and of a column)
    x, x_at : array, (offset of the image, H, W, C)
    k, k_at : array, (offset of the first tap, steps of a row and of a tap)
    bias, bias_at : array, int
        Where the bias begins; negative if there is none.
    bounds : (2,) array
        The lowest and the highest result.
    window : (KH, KW, SH, SW, DH, DW, top, left)
    part : (first row, rows, columns, first channel, end of the channels, 1 if the images are larger than the caches)
    """
    _shared.publish(y.dtype)
    i, several = types.int64, lambda count: types.UniTuple(types.int64, count)
    signature = types.void(y, several(3), x, several(4), k, several(3), bias, i, bounds, several(8), several(6))

    def codegen(context, builder, signature, args):
        data = [context.make_array(signature.args[n])(context, builder, args[n]).data for n in (0, 2, 4, 6, 8)]
        y_at, x_at, k_at, window, part = (cgutils.unpack_tuple(builder, args[n]) for n in (1, 3, 5, 9, 10))
        _shared.call(builder, signature.args[0].dtype, [data[0], *y_at, data[1], *x_at, data[2], *k_at, data[3],
                                                        args[7], data[4], *window, *part])
        return context.get_dummy_value()

    return signature, codegen
