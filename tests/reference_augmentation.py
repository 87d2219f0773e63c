"""Twins of the kernels that change pictures: pixel by pixel, by the definitions."""

import colorsys
import math

import numpy as np
from scipy import ndimage

from fastcnn.geometry import warp
from fastcnn.kernels import tone_codes
from tests.reference_norms import mix


def outside(i, n, mode):
    """Return the pixel that stands for pixel i of n, or None, by walking there step by step."""
    while not 0 <= i < n:
        if mode == warp.CONSTANT:
            return None
        if mode == warp.EDGE:
            i = min(max(i, 0), n - 1)
        elif mode == warp.WRAP:
            i += n if i < 0 else -n
        elif mode == warp.REFLECT:
            i = -1 - i if i < 0 else 2 * n - 1 - i
        else:
            i = 0 if n == 1 else -i if i < 0 else 2 * n - 2 - i
    return i


def places(shape, matrices, displacements):
    """Return where each pixel of the output lies, (N, OH, OW, 2) as (x, y)."""
    n, oh, ow = shape[:3]
    j, i = np.meshgrid(np.arange(ow), np.arange(oh))
    at = np.einsum("nab,bij->nija", np.asarray(matrices).reshape(n, 3, 3), np.stack([j, i, np.ones_like(i)]))
    at = at[..., :2] / at[..., 2:]
    return at + displacements if np.size(displacements) else at


def around(x, y, geometry):
    """Return the pixels around a place, as (row, column, weight)."""
    if geometry[0]["interpolation"] == warp.NEAREST:
        return [(int(np.rint(y)), int(np.rint(x)), 1.0)]
    left, top = math.floor(x), math.floor(y)
    return [(top + a, left + b, (y - top if a else 1 - y + top) * (x - left if b else 1 - x + left))
            for a in (0, 1) for b in (0, 1)]


def _each_tap(shape, x_shape, matrices, displacements, geometry):
    at, mode = places(shape, matrices, displacements), geometry[0]["fill_mode"]
    for n, i, j in np.ndindex(*shape[:3]):
        for row, column, weight in around(*at[n, i, j], geometry):
            yield (n, i, j), outside(row, x_shape[1], mode), outside(column, x_shape[2], mode), weight


def augment(y, x, matrices, displacements, colors, turns, more_colors, bounds, scales, geometry):
    """`y` is looked at for its shape."""
    out, x = np.zeros(y.shape), np.asarray(x, np.float64)
    for to, row, column, weight in _each_tap(y.shape, x.shape, matrices, displacements, geometry):
        inside = row is not None and column is not None
        out[to] += weight * (x[to[0], row, column] if inside else geometry[0]["fill_value"])
    out = _mapped(out, colors)
    if np.size(turns):
        for n, i, j in np.ndindex(*out.shape[:3]):
            out[n, i, j] = turned(out[n, i, j], *turns[n], bounds[0])
    out = np.clip(_mapped(out, more_colors), *bounds)
    return out * scales[0] + scales[1] if np.size(scales) else out


def _mapped(x, maps):
    if np.size(maps) == 0:
        return x
    c = x.shape[-1]
    factors = maps[..., :c] if c == 3 else maps[..., :c] * np.eye(c)
    return np.einsum("nab,nijb->nija", factors, x) + maps[:, None, None, :, c]


def turned(pixel, turn, factor, low):
    """Return a pixel with another hue, by sixths of a turn, and another saturation; `low` is taken for black."""
    if (turn, factor) == (0, 1):
        return pixel
    low = low if np.isfinite(low) else min(pixel) - 1000 * (max(pixel) - min(pixel)) - 1
    h, s, v = colorsys.rgb_to_hsv(*(pixel - low))
    return np.array(colorsys.hsv_to_rgb((h + turn / 6) % 1, min(s * factor, 1), v)) + low


def warp_backward(dx, dy, matrices, displacements, geometry):
    """`dx` is looked at for its shape."""
    out, dy = np.zeros(dx.shape), np.asarray(dy, np.float64)
    for of, row, column, weight in _each_tap(dy.shape, dx.shape, matrices, displacements, geometry):
        if row is not None and column is not None:
            out[of[0], row, column] += weight * dy[of]
    return out


def color_backward(dy, x, colors, turns, bounds):
    """By differences: with respect to x, and the sums with respect to what comes out of the first map."""
    def after(u):
        none, identity = np.empty((0, 2)), np.broadcast_to(np.eye(3), (len(u), 3, 3))
        return augment(u, u, identity, none, none, turns, none, bounds, none, warp.sampling())

    x, c = np.asarray(x, np.float64), x.shape[-1]
    middle = _mapped(x, colors)
    du = np.zeros(middle.shape)
    for k in range(c):
        step = 1e-6 * np.eye(c)[k]
        slope = (after(middle + step) - after(middle - step)) / 2e-6
        du[..., k] = (slope * dy).sum(axis=-1)
    factors = colors[..., :c] * (1 if c == 3 else np.eye(c)) if np.size(colors) else np.broadcast_to(
        np.eye(c), (len(x), c, c))
    return np.einsum("nab,nija->nijb", factors, du), du.sum(axis=(1, 2))


def channel_means(x):
    return np.asarray(x, np.float64).mean(axis=(1, 2))


def fill_boxes(x, boxes, words, colors, stddevs, kept, bounds):
    """Noise by Box and Muller's formula, in Python's own integers."""
    y = np.array(x, np.float64)
    _, h, w, c = y.shape
    for n, (top, left, bottom, right) in enumerate(boxes):
        for i, j, k in np.ndindex(h, w, c):
            if top <= i < bottom and left <= j < right:
                key, second = map(int, words[n])
                bits = mix(mix(((i * w + j) * c + k) ^ key) ^ second)
                u, t = (bits // 256 + 1) / 2**24, mix(bits ^ key) // 256 / 2**24
                z = math.sqrt(-2 * math.log(u)) * math.cos(2 * math.pi * t)
                y[n, i, j, k] = np.clip(kept * y[n, i, j, k] + colors[k] + stddevs[n] * z, *bounds)
    return y


def mix_images(x, partners, weights, boxes):
    x = np.asarray(x, np.float64)
    y = np.empty_like(x)
    for n, (top, left, bottom, right) in enumerate(boxes):
        y[n] = weights[n] * x[n] + (1 - weights[n]) * x[partners[n]]
        y[n, top:bottom, left:right] = x[partners[n], top:bottom, left:right]
    return y


def mix_images_backward(dy, sources, weights, boxes):
    """Each image gives what it was mixed of their shares of its gradient."""
    dy = np.asarray(dy, np.float64)
    dx = np.zeros_like(dy)
    for m, n in enumerate(sources):
        inside = np.zeros(dy.shape[1:], bool)
        inside[boxes[n][0]:boxes[n][2], boxes[n][1]:boxes[n][3]] = True
        dx[n] += np.where(inside, 0, weights[n] * dy[n])
        dx[m] += np.where(inside, dy[n], (1 - weights[n]) * dy[n])
    return dx


def blur(x, vertical, horizontal):
    y = np.asarray(x, np.float64)
    return np.stack([ndimage.correlate1d(ndimage.correlate1d(one, h, axis=1, mode="constant"), v, axis=0,
                                         mode="constant") for one, v, h in zip(y, vertical, horizontal, strict=True)]
                    ) if len(y) else y


def tone_images(x, codes, parameters, bounds):
    x, (low, high) = np.asarray(x, np.float64), bounds
    y = x.copy()
    for n, (code, (p, q)) in enumerate(zip(codes, parameters, strict=True)):
        t = (x[n] - low) / (high - low) * 255
        if code == tone_codes.POSTERIZED:
            t = np.clip(t, 0, 255).astype(int) >> int(8 - p) << int(8 - p)
        elif code == tone_codes.SOLARIZED:
            u = np.clip(t + p, 0, 255)
            t = np.where(u < q, u, 255 - u)
        elif code == tone_codes.EQUALIZED:
            for k in range(t.shape[2]):
                whole = np.clip(t[..., k], 0, 255).astype(int)
                counts = np.bincount(whole.ravel(), minlength=256).cumsum()
                least = counts[whole.min()]
                if least < counts[-1]:
                    t[..., k] = np.round((counts - least) * 255 / (counts[-1] - least))[whole]
        if code == tone_codes.SHARPENED:
            window = np.array([[1, 1, 1], [1, 5, 1], [1, 1, 1]])[..., None] / 13
            y[n] += (1 - p) * (ndimage.correlate(x[n], window, mode="constant") - x[n])
        elif code != tone_codes.SAME:
            y[n] = t / 255 * (high - low) + low
    return y


def tone_images_backward(dy, x, codes, parameters, bounds):
    """Of what works pixel by pixel the difference that a small step makes; what sharpens is its own way back."""
    dy, x = np.asarray(dy, np.float64), np.asarray(x, np.float64)
    linear = np.where(np.asarray(codes) == tone_codes.SHARPENED, codes, tone_codes.SAME)
    dx = tone_images(dy, linear, parameters, bounds)
    slope = (tone_images(x + 1e-6, codes, parameters, bounds) - tone_images(x - 1e-6, codes, parameters, bounds)) / 2e-6
    for n, code in enumerate(codes):
        if code == tone_codes.SOLARIZED:
            dx[n] = slope[n] * dy[n]
        elif code in (tone_codes.POSTERIZED, tone_codes.EQUALIZED):
            dx[n] = 0
    return dx
