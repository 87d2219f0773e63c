"""Twins of the kernels of bfloat16: numbers are rounded where the kernels round them, and sums are of float64."""

import numpy as np

from tests import reference


def widened(u):
    """Return the numbers of bits of bfloat16, in float64."""
    return (u.astype(np.uint32) << 16).view(np.float32).astype(np.float64)


def tile_product(a, b, taps, steps):
    depth = 32 * steps
    # Tiles (tap, step, which of two, pair of rows, column, which of the pair) -> (tap, row, column).
    filters = widened(b).reshape(len(taps), steps, 2, 16, 16, 2).transpose(0, 1, 3, 5, 2, 4).reshape(-1, depth, 32)
    flat, c = widened(a).reshape(-1), np.zeros((32, 32))
    for tap, bank in zip(taps, filters, strict=True):
        for row in range(32):
            at = tap + row * a.shape[1]
            c[row] += flat[at:at + depth] @ bank
    return c


def round_bfloat16(x):
    """As integers: halfway between two numbers of bfloat16, the one whose last bit is 0."""
    exact = np.asarray(x, np.float32).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        exponent = np.maximum(np.floor(np.log2(np.abs(exact))), -126)
        step = np.where(exact == 0, 1, 2.0 ** (exponent - 7))
        found = np.round(exact / step) * step  # NumPy rounds halves to even
    found = np.where(np.abs(found) >= 2.0**128, np.copysign(np.inf, exact), found)
    return np.where(np.isfinite(exact), found, exact)


def narrow_bfloat16(x):
    """The upper half of the rounded number, which has the lower one at 0."""
    return (round_bfloat16(x).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16)


def widen_bfloat16(x):
    return widened(x)


def bfloat16_conv2d_forward(x, kernel, bias, addend, bounds, geometry):
    return reference.conv2d_forward(round_bfloat16(x), round_bfloat16(kernel), bias, addend, bounds, geometry)


def bfloat16_conv2d_backward_input(dy, kernel, bias, bounds, geometry):
    return reference.conv2d_backward_input(round_bfloat16(dy), round_bfloat16(kernel), bias, bounds, geometry)


def bfloat16_conv2d_backward_weights(x, dy, geometry):
    """The bias takes dy as it is."""
    dkernel, _ = reference.conv2d_backward_weights(round_bfloat16(x), round_bfloat16(dy), geometry)
    return dkernel, reference.conv2d_backward_weights(x, dy, geometry)[1]


def pairs_inverted_residual_forward(x, expand, expand_bias, window, window_bias, project, project_bias, addend, bounds,
                                    geometry):
    """The window reads numbers that are not rounded, and the projection those that are."""
    none, ends = np.empty(0), np.reshape(bounds, (3, 3))
    e = bfloat16_conv2d_forward(x, expand, expand_bias, none, ends[0], geometry[0:1])
    z = reference.depthwise2d_forward(e, window, window_bias, ends[1], geometry[1:2])
    return z if not project.size else bfloat16_conv2d_forward(z, project, project_bias, addend, ends[2], geometry[2:3])


pairs_conv2d_forward = bfloat16_conv2d_forward
pairs_conv2d_backward_input = bfloat16_conv2d_backward_input


def pairs_conv2d_backward_weights(x, dy, geometry):
    """The bias takes dy as bfloat16, too."""
    return reference.conv2d_backward_weights(round_bfloat16(x), round_bfloat16(dy), geometry)


def add_products_of_pairs(y, a, b):
    return y + (widened(a.view(np.uint16)) * widened(b.view(np.uint16))).reshape(-1, 2).sum(axis=1)


def add_bfloat16(a, b):
    return narrow_bfloat16(widened(a) + widened(b))


def relu_backward_bfloat16(dy, y):
    return np.where(widened(y) > 0, dy, 0)


def pad_short_pixels(x, channels):
    return np.pad(x, ((0, 0), (0, channels - x.shape[1])))
