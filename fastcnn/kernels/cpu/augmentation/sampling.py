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
    of, image, h, w, c = picture.numbers, picture.begin, picture.h, picture.w, picture.c
    if displacements.size == 0 and _is_identity(m) and i < h and columns <= w:
        copy(to, at, of, image + i * w * c, columns * c)
        return
    if displacements.size == 0 and places.how[0] != NEAREST and c == 3:
        begin, end = _inner(m, i, columns, h, w)
    mix_pixels(to, at, of, image, w, (begin, end), (m[1] * i + m[2], m[4] * i + m[5], m[0], m[3]))
    real, one, two, moves = to.dtype.type, np.uintp(1), np.uintp(2), displacements.size != 0
    for k in range(columns - end + begin):
        j = k if k < begin else k + end - begin
        sx, sy = _place(m, i, j)
        if moves:
            sx += displacements[2 * (row[1] * columns + j)]
            sy += displacements[2 * (row[1] * columns + j) + 1]
        pixels, weights, rest = _corners(sx, sy, (h, w), places.how)
        filled, out = real(rest * places.how[2]) if rest != 0.0 else real(0), np.uintp(at + j * c)
        p, q, r, s = real(weights[0]), real(weights[1]), real(weights[2]), real(weights[3])
        a, b, d, e = (np.uintp(image + pixels[0] * c), np.uintp(image + pixels[1] * c),
                      np.uintp(image + pixels[2] * c), np.uintp(image + pixels[3] * c))
        to[out] = filled + p * real(of[a]) + q * real(of[b]) + r * real(of[d]) + s * real(of[e])
        if c == 3:  # as nearly always: a loop would be looked over, pixel by pixel, to be made of vectors
            to[out + one] = (filled + p * real(of[a + one]) + q * real(of[b + one]) + r * real(of[d + one])
                             + s * real(of[e + one]))
            to[out + two] = (filled + p * real(of[a + two]) + q * real(of[b + two]) + r * real(of[d + two])
                             + s * real(of[e + two]))
        else:
            for n in range(one, np.uintp(c)):
                to[out + n] = (filled + p * real(of[a + n]) + q * real(of[b + n]) + r * real(of[d + n])
                               + s * real(of[e + n]))


@inlined
def scatter_row(picture, of, at, columns, row, places):
    """Add to the pixels of an image what one row of the output, of[at:], has for them: `sample_row` turned round."""
    m, displacements, i, c, to = _nine(places.matrix), places.displacements, row[0], picture.c, picture.numbers
    image, real, moves = picture.begin, to.dtype.type, displacements.size != 0
    for j in range(columns):
        sx, sy = _place(m, i, j)
        if moves:
            sx += displacements[2 * (row[1] * columns + j)]
            sy += displacements[2 * (row[1] * columns + j) + 1]
        pixels, weights, _ = _corners(sx, sy, (picture.h, picture.w), places.how)
        p, q, r, s = real(weights[0]), real(weights[1]), real(weights[2]), real(weights[3])
        a, b, d, e = (np.uintp(image + pixels[0] * c), np.uintp(image + pixels[1] * c),
                      np.uintp(image + pixels[2] * c), np.uintp(image + pixels[3] * c))
        for k in range(np.uintp(c)):
            value = of[np.uintp(at + j * c) + k]
            to[a + k] += p * value
            to[b + k] += q * value
            to[d + k] += r * value
            to[e + k] += s * value


@inlined(always=True)
def _nine(m):
    return m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7], m[8]


@inlined(always=True)
def _is_identity(m):
    diagonal = m[0] == 1.0 and m[4] == 1.0 and m[8] == 1.0
    return diagonal and m[1] == 0.0 and m[2] == 0.0 and m[3] == 0.0 and m[5] == 0.0 and m[6] == 0.0 and m[7] == 0.0


@inlined(always=True)
def _place(m, i, j):
    t = m[6] * j + m[7] * i + m[8]
    sx, sy = m[0] * j + (m[1] * i + m[2]), m[3] * j + (m[4] * i + m[5])
    return (sx, sy) if t == 1.0 else (sx / t, sy / t)


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


@inlined(always=True)
def _is_inner(m, i, j, h, w):
    sx, sy = m[0] * j + (m[1] * i + m[2]), m[3] * j + (m[4] * i + m[5])
    return 0.0 <= sx < w - 2.0 and 0.0 <= sy < h - 1.0


@inlined(always=True)
def _corners(sx, sy, size, how):
    """Return the pixels around a place, their weights, and the weight of the constant."""
    h, w = size
    sx, sy = _near(sx), _near(sy)
    if how[0] == NEAREST:
        sx, sy = np.rint(sx), np.rint(sy)
    fx, fy = np.floor(sx), np.floor(sy)
    left, right, wx, vx = _pair(int(fx), w, sx - fx, how[1])
    top, bottom, wy, vy = _pair(int(fy), h, sy - fy, how[1])
    pixels = top * w + left, top * w + right, bottom * w + left, bottom * w + right
    return pixels, (vy * vx, vy * wx, wy * vx, wy * wx), 1.0 - (vx + wx) * (vy + wy)


@inlined(always=True)
def _near(place):
    """Return a place, or one that is far away but a whole number of 64 bits; for NaN, too."""
    return min(place if place > -_FAR else -_FAR, _FAR)


@inlined(always=True)
def _pair(first, length, beyond, fill_mode):
    """Return two neighbours along a dimension, the weight of the second, and that of the first."""
    if 0 <= first < length - 1:
        return first, first + 1, beyond, 1.0 - beyond
    one, other = _index(first, length, fill_mode), _index(first + 1, length, fill_mode)
    return max(one, 0), max(other, 0), 0.0 if other < 0 else beyond, 0.0 if one < 0 else 1.0 - beyond


@inlined
def _index(index, length, fill_mode):
    """Return the pixel that stands for one outside, or -1 for the constant."""
    if fill_mode == CONSTANT:
        return index if 0 <= index < length else -1
    if fill_mode == EDGE:
        return min(max(index, 0), length - 1)
    near = -1 - index if index < 0 else 2 * length - 1 - index
    if fill_mode == MIRROR:
        near = -index if index < 0 else 2 * length - 2 - index
    elif fill_mode == WRAP:
        near = index + length if index < 0 else index - length
    if 0 <= index < length:
        near = index
    return near if 0 <= near < length else _far_index(index, length, fill_mode)


@inlined
def _far_index(index, length, fill_mode):
    if fill_mode == WRAP:
        return index % length
    period = max(1, 2 * length - 2) if fill_mode == MIRROR else 2 * length
    index %= period
    return index if index < length else period - index - (0 if fill_mode == MIRROR else 1)
