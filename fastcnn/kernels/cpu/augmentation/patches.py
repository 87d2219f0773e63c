"""Boxes of images filled with a colour or with noise, and images mixed with others: by weights, or in a box.

A box is (top, left, bottom, right), the last two beyond it. Noise is that of `elementwise.noise`, counted from two
words for each image and the number of the element, so an image has the same noise in any batch.
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.elementwise.dropout import mixed
from fastcnn.kernels.cpu.simd.elementary import cos_turn, log, mix
from fastcnn.kernels.cpu.simd.memory import copy

_UNIT = 2.0**-24


@kernel
def fill_boxes(y, x, boxes, words, colors, stddevs, kept, bounds):
    """Write min(max(kept x + color + stddev z, low), high) within a box of each image, with normal z, and x around it.

    Parameters
    ----------
    y : (N, H, W, C) array
        Written.
    x : (N, H, W, C) array
    boxes : (N, 4) int64 array
    words : (N, 2) int64 array
        Of 32 bits, from which noise counts.
    colors : (C,) float64 array
    stddevs : (N,) float64 array
    kept : float
    bounds : (2,) float64 array
    """
    chunks = min(max(1, y.shape[0]), chunks_for(y.size, 64))
    parallel(_fill_images, chunks, (chunks, y, x, (boxes, words, stddevs), colors, kept, (bounds[0], bounds[1])))


@inlined
def _fill_images(chunk, chunks, y, x, images, colors, kept, bounds):
    (n, h, w, c), (boxes, words, stddevs) = y.shape, images
    to, of, real = y.reshape(-1), x.reshape(-1), y.dtype.type
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        begin = image * h * w * c
        copy(to, begin, of, begin, h * w * c)
        key, second, stddev = words[image, 0], words[image, 1], real(stddevs[image])
        for i in range(boxes[image, 0], boxes[image, 2]):
            for j in range(boxes[image, 1], boxes[image, 3]):
                for k in range(c):
                    element = (i * w + j) * c + k
                    value = real(kept) * of[begin + element] + real(colors[k])
                    if stddev != 0:
                        value += stddev * _normal(element, key, second, real(_UNIT))
                    to[begin + element] = min(max(value, real(bounds[0])), real(bounds[1]))


@inlined
def _normal(element, key, second, unit):
    real = type(unit)
    bits = mixed(element, key, second)
    u = real(np.int32((bits >> 8) + 1)) * unit
    t = real(np.int32(mix(bits ^ key) >> 8)) * unit
    return real(math.sqrt(real(-2) * log(u))) * cos_turn(t)


@kernel
def mix_images(y, x, partners, weights, boxes):
    """Write each image mixed with another: a x + (1 - a) x_partner, but within a box the partner alone.

    Parameters
    ----------
    y : (N, H, W, C) array
        Written.
    x : (N, H, W, C) array
    partners : (N,) int64 array
    weights : (N,) float64 array
        a.
    boxes : (N, 4) int64 array
    """
    chunks = min(max(1, y.shape[0]), chunks_for(y.size, 64))
    parallel(_mix_images, chunks, (chunks, y, x, partners, weights, boxes))


@inlined
def _mix_images(chunk, chunks, y, x, partners, weights, boxes):
    n, h, w, c = y.shape
    to, of, real = y.reshape(-1), x.reshape(-1), y.dtype.type
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        own, other = np.uintp(image * h * w * c), np.uintp(partners[image] * h * w * c)
        a, b = real(weights[image]), real(1.0 - weights[image])
        if b == 0:
            copy(to, own, of, own, h * w * c)
        else:
            for k in range(np.uintp(h * w * c)):
                to[own + k] = a * of[own + k] + b * of[other + k]
        top, left, bottom, right = boxes[image, 0], boxes[image, 1], boxes[image, 2], boxes[image, 3]
        for i in range(top, bottom):
            at = np.uintp((i * w + left) * c)
            copy(to, own + at, of, other + at, (right - left) * c)


@kernel
def mix_images_backward(dx, dy, sources, weights, boxes):
    """Write the gradient of images that `mix_images` mixed.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy : (N, H, W, C) array
    sources : (N,) int64 array
        For each image the one whose partner it is: partners is a permutation, and this its inverse.
    weights, boxes : as `mix_images`
    """
    chunks = min(max(1, dx.shape[0]), chunks_for(dx.size, 64))
    parallel(_unmix_images, chunks, (chunks, dx, dy, sources, weights, boxes))


@inlined
def _unmix_images(chunk, chunks, dx, dy, sources, weights, boxes):
    n, h, w, c = dx.shape
    to, of, real = dx.reshape(-1), dy.reshape(-1), dx.dtype.type
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        source = sources[image]
        own, other = image * h * w * c, source * h * w * c
        for i in range(h):
            for j in range(w):
                a = real(0) if _is_in(boxes, image, i, j) else real(weights[image])
                b = real(1) if _is_in(boxes, source, i, j) else real(1.0 - weights[source])
                for k in range((i * w + j) * c, (i * w + j + 1) * c):
                    to[own + k] = a * of[own + k] + b * of[other + k]


@inlined(always=True)
def _is_in(boxes, image, i, j):
    return boxes[image, 0] <= i < boxes[image, 2] and boxes[image, 1] <= j < boxes[image, 3]
