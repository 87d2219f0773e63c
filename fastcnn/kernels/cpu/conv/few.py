"""2D convolution with few filters, the forward pass: vectors along the window. ONNX: Conv.

The last layers of networks that give pictures, masks or heat maps have 1 to 6 filters, which would fill that many of
the 16 lanes of the register tile. A row of a window, its columns and channels, lies side by side in memory; so a vector
is a piece of that, and some windows of a row are multiplied with all filters at once (`simd.dots`)::

    x, channels-last  |c c c c|c c c c|c c c c|..      packed   filter 0   r=0 |(s, c) ..|  r=1 |..|
                      | window of j   |                         filter 1   r=0 |(s, c) ..|
                              | window of j + 1|                ..         behind them the bias

Windows that hang over the left or right edge are shorter rows, one by one; those beyond the top have fewer rows.

The gradient of an input of few channels, such as a picture, is with stride 1 such a convolution of dy: with the filters
turned by 180 degrees, channels and filters swapped.
"""

from typing import Any, NamedTuple

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.conv.plan import is_pointwise
from fastcnn.kernels.cpu.gemm.walk_tiles import SHORT
from fastcnn.kernels.cpu.simd.dots import FEW, dot_windows
from fastcnn.kernels.cpu.simd.memory import accumulate, clip, copy
from fastcnn.kernels.cpu.simd.width import lanes


def few_filters_forward_suits(geometry, dtype):
    """Return whether `few_filters_forward` is faster than the register tile.

    Parameters
    ----------
    geometry : CONV2D
    dtype : dtype
    """
    g = geometry[0]
    return _suits(g, g["k"], g["c"], g["oh"] * g["ow"], lanes(dtype))


def few_filters_backward_input_suits(geometry, dtype):
    """As `few_filters_forward_suits`, for `few_filters_backward_input`."""
    g = geometry[0]
    return bool(g["sh"] == g["sw"] == 1) and _suits(g, g["c"], g["k"], g["h"] * g["w"], lanes(dtype))


def _suits(g, filters, channels, positions, one):
    row = g["kw"] * channels
    # A dense layer is one row of pixels: one pixel of it must be rounded as many are.
    several = positions > 1 or is_pointwise(g)
    # A lane makes a sum in one go. Longer ones are the tile's affair, which makes them in parts.
    return bool(g["groups"] == 1 and filters <= FEW and g["dw"] == 1 and several and row >= one // 2
                and g["kh"] * -(-row // one) <= SHORT)


def few_filters_forward_packed(geometry, dtype):
    """Return how many elements `packed` of `few_filters_forward` has."""
    g = geometry[0]
    return int(g["k"] * (g["kh"] * g["kw"] * g["c"] + 1))


def few_filters_backward_input_packed(geometry, dtype):
    """Return how many elements `packed` of `few_filters_backward_input` has."""
    g = geometry[0]
    return int(g["c"] * (g["kh"] * g["kw"] * g["k"] + 1))


class _Problem(NamedTuple):
    """A convolution of `few` filters: the images, what is made of them, windows, strides and zeros before an image."""

    n: Any
    h: Any
    w: Any
    c: Any
    oh: Any
    ow: Any
    few: Any
    kh: Any
    kw: Any
    sh: Any
    sw: Any
    dh: Any
    top: Any
    left: Any


@kernel
def few_filters_forward(y, packed, x, kernel, bias, addend, bounds, ready, geometry):
    """y = conv(x, kernel) + bias + addend, and what is beyond the bounds set to them, for 1 to FEW filters.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    packed : (few_filters_forward_packed(geometry, dtype),) array
        The filters one after the other and the bias: written, or read if `ready`.
    x : (N, H, W, C) array
    kernel : (KH, KW, C, K) array
    bias : (K,) or (0,) array
    addend : (y.size,) or (0,) array
        Lies as y does.
    bounds : (2,) array
        The lowest and the highest result.
    ready : int
        1 if `packed` is what an earlier call with the same kernel and bias left.
    geometry : CONV2D
        Of one group, without dilation of columns.
    """
    g = geometry[0]
    size, few = g["kh"] * g["kw"] * g["c"], g["k"]
    if not ready:
        flat = kernel.reshape(-1)
        for k in range(few):
            for at in range(size):
                packed[k * size + at] = flat[at * few + k]
            packed[few * size + k] = bias[k] if bias.size else 0
    _convolve(y.reshape(-1), packed, x.reshape(-1), addend, bounds, _Problem(
        g["n"], g["h"], g["w"], g["c"], g["oh"], g["ow"], few, g["kh"], g["kw"], g["sh"], g["sw"], g["dh"], g["top"],
        g["left"]))


@kernel
def few_filters_backward_input(dx, packed, dy, kernel, bias, bounds, ready, geometry):
    """dx = the gradient with respect to an input of 1 to FEW channels: the arguments as of `conv2d_backward_input`.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    packed : (few_filters_backward_input_packed(geometry, dtype),) array
        The turned filters of each channel and the bias: written, or read if `ready`.
    dy : (N, OH, OW, K) array
    kernel : (KH, KW, C, K) array
    bias : (C,) or (0,) array
    bounds : (2,) array
    ready : int
        1 if `packed` is what an earlier call with the same kernel and bias left.
    geometry : CONV2D
        Of one group and stride 1, without dilation of columns.
    """
    g = geometry[0]
    windows, c, k = g["kh"] * g["kw"], g["c"], g["k"]
    if not ready:
        flat = kernel.reshape(-1)
        for channel in range(c):
            for tap in range(windows):
                copy(packed, (channel * windows + tap) * k, flat, ((windows - 1 - tap) * c + channel) * k, k)
            packed[c * windows * k + channel] = bias[channel] if bias.size else 0
    _convolve(dx.reshape(-1), packed, dy.reshape(-1), packed[:0], bounds, _Problem(
        g["n"], g["oh"], g["ow"], k, g["h"], g["w"], c, g["kh"], g["kw"], np.int64(1), np.int64(1), g["dh"],
        (g["kh"] - 1) * g["dh"] - g["top"], g["kw"] - 1 - g["left"]))


@inlined
def _convolve(y, packed, x, addend, bounds, p):
    rows = p.n * p.oh
    chunks = min(max(1, rows), chunks_for(y.size * p.kh * p.kw * p.c // 4, 64))
    parallel(_few_rows, chunks, (chunks, y, packed, x, addend, bounds, p))


@inlined
def _few_rows(chunk, chunks, y, packed, x, addend, bounds, p):
    size, few = p.kh * p.kw * p.c, p.few
    begin, end = chunk_of(chunk, chunks, p.n * p.oh)
    for row in range(begin, end):
        top = row % p.oh * p.sh - p.top
        first = min(p.kh, max(0, -(top // p.dh)))
        last = max(first, min(p.kh, -((top - p.h) // p.dh)))
        image = (row // p.oh * p.h + top + first * p.dh) * p.w
        j = 0
        while j < p.ow:
            at = j * p.sw - p.left
            skipped, columns = min(p.kw, max(0, -at)), max(0, min(p.kw, p.w - at))
            # One that is whole is followed by others up to the right edge.
            run = min(p.ow - j, (p.w - p.kw - at) // p.sw + 1) if at >= 0 and columns == p.kw else 1
            dot_windows((y, x, packed, packed), ((row * p.ow + j) * few, (image + at + skipped) * p.c,
                                                 (first * p.kw + skipped) * p.c, few * size), few,
                        (run, last - first, max(0, columns - skipped) * p.c),
                        (p.sw * p.c, p.dh * p.w * p.c, p.kw * p.c, size))
            j += run
        if addend.size:
            accumulate(y, row * p.ow * few, addend, row * p.ow * few, p.ow * few)
        clip(y, row * p.ow * few, p.ow * few, bounds)
