"""One row of an image sampled at any places, and the way back.

A matrix leads from a pixel (column j, row i) of the output to its place (sx, sy) on the input; whole numbers are the
middles of pixels. A place is between four pixels, or at the nearest one::

    | sx t |   | m0  m1  m2 |   | j |             left    right
    | sy t | = | m3  m4  m5 | * | i |        top   o - - - o        weights: wx, how far beyond left;
    |  t   |   | m6  m7  m8 |   | 1 |              |  (sx,sy)                wy, how far beyond top
                                           bottom  o - - - o

Sampler are float64, so that whole ones are met exactly: an image that is only mirrored, or moved by whole pixels, keeps
its bits. The middle of a row, where nothing lies outside, is one run of vector code (`simd.pixels`).
"""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.geometry.warp import CONSTANT, EDGE, MIRROR, NEAREST, WRAP
from fastcnn.kernels.cpu.compile.policy import inlined
from fastcnn.kernels.cpu.simd.memory import copy
from fastcnn.kernels.cpu.simd.pixels import mix_pixels

_FAR = 1e9  # beyond any image: where the plane of a perspective tips over


class Picture(NamedTuple):
    """An image among others: their numbers, flat, where it begins, and its H, W, C."""

    numbers: Any
    begin: Any
    h: Any
    w: Any
    c: Any


class Sampler(NamedTuple):
    """Where pixels of the output lie.

    Attributes
    ----------
    matrix : (9,) float64 array
    displacements : (..) array
        What is added to the places, x and y for each pixel of all outputs; of size 0 if nothing is.
    how : (int, int, float)
        Interpolation, fill mode, fill value.
    """

    matrix: Any
    displacements: Any
    how: Any


@inlined
def sample_row(to, at, columns, picture, row, places):
    """Write one row of the output.

    Parameters
    ----------
    to : (..) array
        Written from `at` on, (columns, C) numbers.
    at, columns : int
    picture : Picture
        Of 8-bit integers, or of numbers of the type of `to`.
    row : (int, int)
        The row of the output, and which row of all outputs it is.
    places : Sampler
    """
    m, displacements, i, begin, end = _nine(places.matrix), places.displacements, row[0], 0, 0
    if displacements.size == 0 and _is_identity(m) and i < picture.h and columns <= picture.w:
        copy(to, at, picture.numbers, picture.begin + i * picture.w * picture.c, columns * picture.c)
    else:
        if displacements.size == 0 and places.how[0] != NEAREST and picture.c == 3:
            begin, end = _inner(m, i, columns, picture.h, picture.w)
        mix_pixels(to, at, picture.numbers, picture.begin, picture.w, (begin, end),
                   (m[1] * i + m[2], m[4] * i + m[5], m[0], m[3]))
        for k in range(columns - end + begin):
            j = k if k < begin else k + end - begin
            _sample(to, at + j * picture.c, picture, _place(m, displacements, row[1] * columns + j, i, j), places.how)


@inlined
def scatter_row(picture, of, at, columns, row, places):
    """Add to the pixels of an image what one row of the output, of[at:], has for them: `sample_row` turned round."""
    m, displacements, i, c, to = _nine(places.matrix), places.displacements, row[0], picture.c, picture.numbers
    for j in range(columns):
        place = _place(m, displacements, row[1] * columns + j, i, j)
        pixels, weights, _ = _corners(to, place, (picture.h, picture.w), places.how)
        a, b, d, e = (picture.begin + pixels[0] * c, picture.begin + pixels[1] * c, picture.begin + pixels[2] * c,
                      picture.begin + pixels[3] * c)
        for k in range(c):
            value = of[at + j * c + k]
            to[a + k] += weights[0] * value
            to[b + k] += weights[1] * value
            to[d + k] += weights[2] * value
            to[e + k] += weights[3] * value


@inlined
def _nine(m):
    return m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8]


@inlined
def _is_identity(m):
    diagonal = m[0] == 1.0 and m[4] == 1.0 and m[8] == 1.0
    return diagonal and m[1] == 0.0 and m[2] == 0.0 and m[3] == 0.0 and m[5] == 0.0 and m[6] == 0.0 and m[7] == 0.0


@inlined
def _place(m, displacements, pixel, i, j):
    t = m[6] * j + m[7] * i + m[8]
    sx, sy = m[0] * j + (m[1] * i + m[2]), m[3] * j + (m[4] * i + m[5])
    if t != 1.0:
        sx, sy = sx / t, sy / t
    if displacements.size:
        sx += displacements[2 * pixel]
        sy += displacements[2 * pixel + 1]
    return min(sx if sx > -_FAR else -_FAR, _FAR), min(sy if sy > -_FAR else -_FAR, _FAR)  # NaN is far away, too


@inlined
def _inner(m, i, columns, h, w):
    """Return begin and end of the columns all of whose four pixels are on the image, not reading its last one."""
    low, high = 0.0, float(columns)
    if m[6] != 0.0 or m[7] != 0.0 or m[8] != 1.0:
        high = 0.0
    for step, first, most in ((m[0], m[1] * i + m[2], w - 2.0), (m[3], m[4] * i + m[5], h - 1.0)):
        if step != 0.0:
            one, other = -first / step, (most - first) / step
            low, high = max(low, min(one, other)), min(high, max(one, other))
        elif not 0.0 <= first < most:
            high = 0.0
    if not low < high:
        return 0, 0
    begin, end = int(low), min(columns, int(high) + 1)
    while begin < end and not _is_inner(m, i, begin, h, w):  # by a rounding, at most a few times
        begin += 1
    while begin < end and not _is_inner(m, i, end - 1, h, w):
        end -= 1
    return begin, end


@inlined
def _is_inner(m, i, j, h, w):
    sx, sy = m[0] * j + (m[1] * i + m[2]), m[3] * j + (m[4] * i + m[5])
    return 0.0 <= sx < w - 2.0 and 0.0 <= sy < h - 1.0


@inlined
def _sample(to, at, picture, place, how):
    """Write one pixel, wherever its place is."""
    real, c, of = to.dtype.type, picture.c, picture.numbers
    pixels, weights, rest = _corners(to, place, (picture.h, picture.w), how)
    filled = rest * real(how[2]) if rest != 0 else real(0)
    a, b, d, e = (np.uintp(picture.begin + pixels[0] * c), np.uintp(picture.begin + pixels[1] * c),
                  np.uintp(picture.begin + pixels[2] * c), np.uintp(picture.begin + pixels[3] * c))
    out = np.uintp(at)
    for k in range(np.uintp(c)):
        to[out + k] = (filled + weights[0] * real(of[a + k]) + weights[1] * real(of[b + k])
                       + weights[2] * real(of[d + k]) + weights[3] * real(of[e + k]))


@inlined
def _corners(kind, place, size, how):
    """Return the pixels around a place, their weights in the type of `kind`, and the weight of the constant."""
    (sx, sy), (h, w), real = place, size, kind.dtype.type
    if how[0] == NEAREST:
        fx, fy = np.rint(sx), np.rint(sy)
        sx, sy = fx, fy
    else:
        fx, fy = np.floor(sx), np.floor(sy)
    x0, y0 = int(fx), int(fy)
    left, right, wx, vx = _pair(x0, w, sx - fx, how[1])
    top, bottom, wy, vy = _pair(y0, h, sy - fy, how[1])
    weights = real(vy * vx), real(vy * wx), real(wy * vx), real(wy * wx)
    rest = real(1.0 - (vx + wx) * (vy + wy))
    return (top * w + left, top * w + right, bottom * w + left, bottom * w + right), weights, rest


@inlined
def _pair(first, length, beyond, fill_mode):
    """Return two neighbours along a dimension, the weight of the second, and that of the first."""
    one, other = _index(first, length, fill_mode), _index(first + 1, length, fill_mode)
    before = 0.0 if one < 0 else 1.0 - beyond
    return max(one, 0), max(other, 0), 0.0 if other < 0 else beyond, before


@inlined
def _index(index, length, fill_mode):
    """Return the pixel that stands for one outside, or -1 for the constant."""
    if 0 <= index < length:
        return index
    if fill_mode == CONSTANT:
        return -1
    if fill_mode == EDGE:
        return 0 if index < 0 else length - 1
    if fill_mode == WRAP:
        return index % length
    if fill_mode == MIRROR:
        index %= max(1, 2 * length - 2)
        return index if index < length else 2 * length - 2 - index
    index %= 2 * length
    return index if index < length else 2 * length - 1 - index
