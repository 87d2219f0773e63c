"""Images with fewer tones, with bright ones turned into dark ones, with all tones as often, and sharper ones.

With t the number of a pixel brought to 0 .. 255, and what is drawn for the image in p and q:

    posterized   floor(t) with the lowest 8 - p of its bits cleared
    solarized    u = min(max(t + p, 0), 255);  u if u < q, else 255 - u
    equalized    round(255 (below(t) - below(least)) / (below(255) - below(least))), where below counts a channel's
                 pixels up to t;  t itself where a channel has one tone
    sharpened    x + (1 - p) (s - x), where s is the mean of the pixel, five times, and its eight neighbours, 0 outside
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import copy
from fastcnn.kernels.tone_codes import EQUALIZED, POSTERIZED, SAME, SHARPENED, SOLARIZED


@kernel
def tone_images(y, tables, x, codes, parameters, bounds):
    """Change the tones of each image as its code says.

    Parameters
    ----------
    y : (N, H, W, C) array
        Written.
    tables : (N, C, 256) float64 array
        Scratch.
    x : (N, H, W, C) array
    codes : (N,) int64 array
        Of `fastcnn.kernels.tone_codes`.
    parameters : (N, 2) float64 array
        p and q.
    bounds : (2,) float64 array
        What is brought to 0 and to 255.
    """
    chunks = min(max(1, y.shape[0]), chunks_for(y.size, 64))
    parallel(_tone_images, chunks, (chunks, y, tables, x, (codes, parameters), (bounds[0], bounds[1])))


@inlined
def _tone_images(chunk, chunks, y, tables, x, drawn, bounds):
    n, h, w, c = y.shape
    to, of, (codes, parameters), scale = y.reshape(-1), x.reshape(-1), drawn, (bounds[1] - bounds[0]) / 255.0
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        begin, code, p, q = image * h * w * c, codes[image], parameters[image, 0], parameters[image, 1]
        if code == SAME:
            copy(to, begin, of, begin, h * w * c)
        elif code == SHARPENED:
            _sharpen(to, of, begin, (h, w, c), p)
        else:
            if code == EQUALIZED:
                _count(tables[image], of, begin, h * w, (bounds[0], scale))
            for k in range(h * w * c):
                t = (of[begin + k] - bounds[0]) / scale
                if code == POSTERIZED:
                    step = 2.0 ** (8 - p)
                    value = np.floor(np.floor(min(max(t, 0.0), 255.0)) / step) * step
                elif code == SOLARIZED:
                    u = min(max(t + p, 0.0), 255.0)
                    value = u if u < q else 255.0 - u
                else:
                    value = tables[image, k % c, int(min(max(t, 0.0), 255.0))]
                    value = t if value < 0.0 else value
                to[begin + k] = value * scale + bounds[0]


@inlined
def _count(table, of, begin, pixels, to_tones):
    """Write what each tone of each channel becomes; -1 where there is one tone alone."""
    low, scale = to_tones
    c = table.shape[0]
    for k in range(c):
        for tone in range(256):
            table[k, tone] = 0.0
        for pixel in range(pixels):
            t = (of[begin + pixel * c + k] - low) / scale
            table[k, int(min(max(t, 0.0), 255.0))] += 1.0
        least, total = 0.0, 0.0
        for tone in range(256):
            if total == 0.0:
                least = table[k, tone]
            total += table[k, tone]
            table[k, tone] = total
        for tone in range(256):
            scaled = np.rint((table[k, tone] - least) * 255.0 / max(1.0, total - least))
            table[k, tone] = -1.0 if total == least else min(max(scaled, 0.0), 255.0)


@inlined
def _sharpen(to, of, begin, shape, p):
    h, w, c = shape
    real = to.dtype.type
    share, sharp = real((1.0 - p) / 13.0), real(1.0 + (1.0 - p) * (4.0 / 13.0 - 1.0))
    for i in range(h):
        for j in range(w):
            for k in range(c):
                total = real(0)
                for row in range(max(0, i - 1), min(h, i + 2)):
                    for column in range(max(0, j - 1), min(w, j + 2)):
                        total += of[begin + (row * w + column) * c + k]
                at = begin + (i * w + j) * c + k
                to[at] = sharp * of[at] + share * total


@kernel
def tone_images_backward(dx, dy, x, codes, parameters, bounds):
    """Write the gradient of images whose tones `tone_images` changed; it is 0 behind steps.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy, x : (N, H, W, C) arrays
    codes, parameters, bounds : as `tone_images`
    """
    chunks = min(max(1, dx.shape[0]), chunks_for(dx.size, 64))
    parallel(_untone_images, chunks, (chunks, dx, dy, x, (codes, parameters), (bounds[0], bounds[1])))


@inlined
def _untone_images(chunk, chunks, dx, dy, x, drawn, bounds):
    n, h, w, c = dx.shape
    to, of, given, (codes, parameters) = dx.reshape(-1), dy.reshape(-1), x.reshape(-1), drawn
    scale = (bounds[1] - bounds[0]) / 255.0
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        begin, code, p, q = image * h * w * c, codes[image], parameters[image, 0], parameters[image, 1]
        if code == SAME:
            copy(to, begin, of, begin, h * w * c)
        elif code == SHARPENED:
            _sharpen(to, of, begin, (h, w, c), p)
        else:
            for k in range(begin, begin + h * w * c):
                u = (given[k] - bounds[0]) / scale + p
                to[k] = 0
                if code == SOLARIZED and 0.0 <= u <= 255.0:
                    to[k] = of[k] if u < q else -of[k]
