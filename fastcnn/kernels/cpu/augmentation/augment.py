"""Pictures changed in one pass: sampled where a matrix says, and their colours mapped, image by image.

    pixel (i, j) of the output  <-  its place on the input, a mixture of four pixels                  sampling.py
                                    A x + b,  hue and saturation,  A' x + b',  bounds,  s x + t       coloring.py

A row is sampled and its colours are changed while it is in L1, so integers of 8 bits become a standardized batch in one
reading and one writing. Each step whose array is of size 0 is left out. All parameters are float64.
"""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.kernels.cpu.augmentation.coloring import map_row, turn_row, unmap_number, unmap_pixel
from fastcnn.kernels.cpu.augmentation.sampling import Picture, Sampler, sample_row, scatter_row
from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import clear

_COST = 4  # what a number of a pixel costs, in plain elements of work
_FREE = (-np.inf, np.inf)


@kernel
def augment(y, x, matrices, displacements, colors, turns, more_colors, bounds, scales, geometry):
    """Sample images and change their colours.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    x : (N, H, W, C) array
        Of uint8, or of y's type.
    matrices : (N, 9) array
        From (column, row, 1) of the output to that of the input, by rows. Of size 0: the identity.
    displacements : (N, OH, OW, 2) array
        What is added to x and y of each place, in y's type; or of size 0.
    colors : (N, C, C + 1) array
        (A | b); of other than three channels only the diagonal of A is looked at.
    turns : (N, 2) array
        Hue in sixths of a turn and factor of saturation, of images of three channels; no channel falls below the lower
        bound.
    more_colors : (N, C, C + 1) array
        As `colors`, afterwards.
    bounds : (2,) array
        Results are brought within.
    scales : (2, C) array
        s and t, last.
    geometry : SAMPLING array
    """
    chunks = min(y.shape[0] * y.shape[1], chunks_for(_COST * y.size, 64))
    parallel(_augment_rows, chunks, (chunks, y, x, (matrices, displacements, geometry),
                                     Colors(colors, turns, more_colors, (bounds[0], bounds[1]), scales)))


@inlined
def _augment_rows(chunk, chunks, y, x, places, colors):
    (n, oh, ow, c), (_, h, w, _) = y.shape, x.shape
    to, of, (matrices, displacements, geometry) = y.reshape(-1), x.reshape(-1), places
    moved, how = displacements.reshape(-1), _how(geometry)
    first, last = chunk_of(chunk, chunks, n * oh)
    for row in range(first, last):
        image, i, at = row // oh, row % oh, row * ow * c
        sample_row(to, at, ow, Picture(of, image * h * w * c, h, w, c), (i, row), Sampler(matrices[image], moved, how))
        _color_row(to, at, (ow, c), colors, image)


class Colors(NamedTuple):
    """What becomes of colours: arrays of all images, as `augment` has them, and the bounds."""

    before: Any
    turns: Any
    after: Any
    bounds: Any
    scales: Any


@inlined
def _color_row(to, at, shape, colors, image):
    nothing = colors.scales[:0]
    last = colors.before[image] if colors.before.size else nothing
    if colors.turns.size:
        if last.size:
            map_row(to, at, shape, last, _FREE, nothing)
        turn, factor = colors.turns[image, 0], colors.turns[image, 1]
        if turn != 0.0 or factor != 1.0:
            turn_row(to, at, shape[0], turn, factor, colors.bounds[0])
        last = colors.after[image] if colors.after.size else nothing
    if last.size or colors.scales.size or colors.bounds != _FREE:
        map_row(to, at, shape, last, colors.bounds, colors.scales)


@inlined
def _how(geometry):
    return geometry[0]["interpolation"], geometry[0]["fill_mode"], geometry[0]["fill_value"]


@kernel
def warp_backward(dx, dy, matrices, displacements, geometry):
    """Write the gradient of images that `augment` sampled, colours left as they are.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy : (N, OH, OW, C) array
    matrices, displacements, geometry : as `augment`
    """
    chunks = min(max(1, dx.shape[0]), chunks_for(_COST * dy.size, 64))
    parallel(_scatter_images, chunks, (chunks, dx, dy, matrices, displacements, geometry))


@inlined
def _scatter_images(chunk, chunks, dx, dy, matrices, displacements, geometry):
    (n, oh, ow, c), (_, h, w, _) = dy.shape, dx.shape
    to, of, moved, how = dx.reshape(-1), dy.reshape(-1), displacements.reshape(-1), _how(geometry)
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        clear(to, image * h * w * c, h * w * c)
        for i in range(oh):
            row = image * oh + i
            scatter_row(Picture(to, image * h * w * c, h, w, c), of, row * ow * c, ow, (i, row),
                        Sampler(matrices[image], moved, how))


@kernel
def color_backward(dx, sums, dy, x, colors, turns, bounds):
    """Write the gradient of images whose colours `augment` changed, without `more_colors` and `scales`.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    sums : (N, C) float64 array
        Written: over an image's pixels, the gradient with respect to A x + b.
    dy, x : (N, H, W, C) arrays
    colors, turns, bounds : as `augment`
    """
    chunks = min(max(1, dx.shape[0]), chunks_for(_COST * dy.size, 64))
    parallel(_uncolor_images, chunks, (chunks, dx, sums, dy, x, (colors, turns, bounds)))


@inlined
def _uncolor_images(chunk, chunks, dx, sums, dy, x, changes):
    (n, h, w, c), (colors, turns, bounds) = x.shape, changes
    to, of, given = dx.reshape(-1), dy.reshape(-1), x.reshape(-1)
    first, last = chunk_of(chunk, chunks, n)
    for image in range(first, last):
        sums[image] = 0.0
        color = colors[image] if colors.size else sums[:0]
        turned = (turns[image, 0], turns[image, 1]) if turns.size else (0.0, 1.0)
        for at in range(image * h * w * c, (image + 1) * h * w * c, c):
            if c == 3:
                inner, outer = unmap_pixel(of, given, at, color, turned, (bounds[0], bounds[1]))
                for k in range(3):
                    to[at + k] = outer[k]
                    sums[image, k] += inner[k]
            else:
                for k in range(c):
                    value, to[at + k] = unmap_number(of[at + k], given[at + k], k, color, (bounds[0], bounds[1]))
                    sums[image, k] += value
