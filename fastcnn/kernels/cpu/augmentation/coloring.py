"""Rows of pixels in other colours: affine maps of the channels, hue and saturation, bounds; and the way back.

Hue and saturation are those of a hexagon (Smith, "Color gamut transform pairs", 1978): with v the largest channel, c
the largest less the smallest, and h the hue in sixths of a turn,

    c' = max(min(f c, v - low), 0),  h' = h + turn,  r = v - c' u(h' - 0),  g = v - c' u(h' - 2),  b = v - c' u(h' - 4)

where u(h) is 0 within one sixth of 0, 1 beyond two, and a line between. An image keeps the largest of its channels. In
images of other than three channels there is no hue, and each channel has a map of its own.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.pixels import color_pixels


@inlined
def map_row(to, at, shape, matrix, bounds, scales):
    """Replace pixels by min(max(A x + b, low), high) s + t.

    Parameters
    ----------
    to : (..) array
        Pixels from `at` on.
    at : int
    shape : (int, int)
        How many, and how many numbers each has.
    matrix : (C, C + 1) float64 array
        (A | b); of other than three channels only its diagonal is looked at. Of size 0: the identity.
    bounds : (float, float)
    scales : (2, C) float64 array
        s and t. Of size 0: 1 and 0.
    """
    real, (columns, channels) = to.dtype.type, shape
    low, high = real(bounds[0]), real(bounds[1])
    if channels == 3:
        color_pixels(to, at, columns, _twelve(to, matrix), (low, high), _six(to, scales))
        return
    for k in range(channels):
        a, b = (real(matrix[k, k]), real(matrix[k, channels])) if matrix.size else (real(1), real(0))
        s, t = (real(scales[0, k]), real(scales[1, k])) if scales.size else (real(1), real(0))
        place, step = np.uintp(at + k), np.uintp(channels)
        for _ in range(np.uintp(columns)):
            value = a * to[place] + b
            value = low if value < low else value
            to[place] = (high if value > high else value) * s + t
            place += step


@inlined
def turn_row(to, at, columns, turn, factor, low):
    """Turn the hue of pixels, in sixths of a turn, and multiply their saturation; no channel falls below `low`."""
    real = to.dtype.type
    turn, factor, low = real(turn), real(factor), real(low)
    place = np.uintp(at)
    for _ in range(np.uintp(columns)):
        r, g, b = to[place], to[place + np.uintp(1)], to[place + np.uintp(2)]
        most, least = max(r, g, b), min(r, g, b)
        c = most - least
        if c > 0:
            h, s = _hue(r, g, b, most, c) + turn, max(min(c * factor, most - low), real(0))
            r, g, b = most - s * _share(h), most - s * _share(h - real(2)), most - s * _share(h - real(4))
        to[place], to[place + np.uintp(1)], to[place + np.uintp(2)] = r, g, b
        place += np.uintp(3)


@inlined
def unmap_number(dy, x, channel, matrix, bounds):
    """Return the gradients with respect to a x + b and to x, of a channel with a map of its own."""
    real = type(dy)
    c = matrix.shape[0]
    a, b = (real(matrix[channel, channel]), real(matrix[channel, c])) if matrix.size else (real(1), real(0))
    value = dy if bounds[0] <= a * x + b <= bounds[1] else real(0)
    return value, a * value


@inlined
def unmap_pixel(dy, x, at, matrix, turned, bounds):
    """Return the gradients with respect to A x + b and to x, 3 numbers each, of a pixel of three channels.

    Parameters
    ----------
    dy, x : (..) arrays
    at : int
        Where the pixel lies.
    matrix : (3, 4) float64 array
        Of size 0: the identity.
    turned : (float, float)
        As `turn_row`: sixths of a turn and factor; the identity for 0 and 1.
    bounds : (float, float)
    """
    real = dy.dtype.type
    m = _twelve(dy, matrix)
    low, high, x0, x1, x2 = bounds[0], bounds[1], x[at], x[at + 1], x[at + 2]
    r, g, b = (m[0] * x0 + m[1] * x1 + m[2] * x2 + m[3], m[4] * x0 + m[5] * x1 + m[6] * x2 + m[7],
               m[8] * x0 + m[9] * x1 + m[10] * x2 + m[11])
    turn, factor = real(turned[0]), real(turned[1])
    is_turned = turn != 0 or factor != 1
    most, least = max(r, g, b), min(r, g, b)
    c = most - least
    h = s = real(0)
    y0, y1, y2 = r, g, b
    if is_turned and c > 0:
        h, s = _hue(r, g, b, most, c) + turn, max(min(c * factor, most - real(low)), real(0))
        y0, y1, y2 = most - s * _share(h), most - s * _share(h - real(2)), most - s * _share(h - real(4))
    d0 = dy[at] if low <= y0 <= high else real(0)
    d1 = dy[at + 1] if low <= y1 <= high else real(0)
    d2 = dy[at + 2] if low <= y2 <= high else real(0)
    if is_turned and c > 0:
        of_most = d0 + d1 + d2
        of_s = -(d0 * _share(h) + d1 * _share(h - real(2)) + d2 * _share(h - real(4)))
        of_h = -s * (d0 * _slope(h) + d1 * _slope(h - real(2)) + d2 * _slope(h - real(4))) / c
        of_c = real(0)
        if c * factor < most - real(low):
            of_c = factor * of_s
        elif most > real(low):
            of_most += of_s
        d0, d1, d2 = _unhue(r, g, b, most, c, of_h)
        of_c -= of_h * _offset(r, g, b, most, c)
        d0 += (of_most + of_c if most == r else real(0))
        d1 += (of_most + of_c if most == g and most != r else real(0))
        d2 += (of_most + of_c if most != r and most != g else real(0))
        d0 -= of_c if least == r else real(0)
        d1 -= of_c if least == g and least != r else real(0)
        d2 -= of_c if least != r and least != g else real(0)
    return (d0, d1, d2), (m[0] * d0 + m[4] * d1 + m[8] * d2, m[1] * d0 + m[5] * d1 + m[9] * d2,
                          m[2] * d0 + m[6] * d1 + m[10] * d2)


@inlined(always=True)
def _offset(r, g, b, most, c):
    """Return the hue, counted from that of the largest channel."""
    if most == r:
        return (g - b) / c
    return (b - r) / c if most == g else (r - g) / c


@inlined(always=True)
def _hue(r, g, b, most, c):
    """Return the hue in sixths of a turn, -1 .. 5."""
    real = type(c)
    return _offset(r, g, b, most, c) + (real(0) if most == r else (real(2) if most == g else real(4)))


@inlined(always=True)
def _unhue(r, g, b, most, c, of_h):
    """Return what the three channels have from the difference of two in `_offset`; `of_h` is divided by c already."""
    zero = type(c)(0)
    if most == r:
        return zero, of_h, -of_h
    return (-of_h, zero, of_h) if most == g else (of_h, -of_h, zero)


@inlined(always=True)
def _share(h):
    """Return u(h): 0 within one sixth of 0 or of a whole turn, 1 beyond two, a line between."""
    real = type(h)
    h = abs(h - real(6) * np.floor(h / real(6) + real(0.5)))
    return min(max(h - real(1), real(0)), real(1))


@inlined(always=True)
def _slope(h):
    """Return the derivative of `_share`."""
    real = type(h)
    h = h - real(6) * np.floor(h / real(6) + real(0.5))
    return (real(1) if h > 0 else real(-1)) if 1 < abs(h) < 2 else real(0)


@inlined
def _twelve(kind, m):
    real = kind.dtype.type
    if m.size == 0:
        one, zero = real(1), real(0)
        return one, zero, zero, zero, zero, one, zero, zero, zero, zero, one, zero
    return (real(m[0, 0]), real(m[0, 1]), real(m[0, 2]), real(m[0, 3]), real(m[1, 0]), real(m[1, 1]), real(m[1, 2]),
            real(m[1, 3]), real(m[2, 0]), real(m[2, 1]), real(m[2, 2]), real(m[2, 3]))


@inlined
def _six(kind, scales):
    real = kind.dtype.type
    if scales.size == 0:
        return real(1), real(1), real(1), real(0), real(0), real(0)
    return (real(scales[0, 0]), real(scales[0, 1]), real(scales[0, 2]), real(scales[1, 0]), real(scales[1, 1]),
            real(scales[1, 2]))
