r"""Expansion, depthwise convolution and projection of an image, band by band: a block of MobileNet v2 within L2.

    e[n, i, j, :] = bound(x[n, i, j, :] expand + bias)                     1x1, many channels
    z[n, i, j, c] = bound(depthwise_conv(e)[n, i, j, c] + bias)            any window and stride
    y[n, i, j, :] = bound(z[n, i, j, :] project + bias + addend)           1x1, few channels

(Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", 2018, section 3.3.) Layer by layer e and z,
six times as large as x and y, would pass through memory three times. Here a task is a band of output rows of an image,
and takes a few of them at a time; what lies between is a buffer in L2, in which rows of e that the next window rows see
again move up::

    x rows, L2 or memory     e: a buffer of rows         z           y
      |c c c|                |  kept  | \
      |c c c| --products-->  |  new   |  > window -->  |  |  --> products --> |k k|   written once
      |c c c|                |  new   | /

Without an expansion x itself is seen by the window (a separable convolution, MobileNet v1); without a projection z is
the output.
"""

from numba import config

from fastcnn.kernels.cpu._jit import inlined, kernel, parallel
from fastcnn.kernels.cpu.depthwise_walk import windows
from fastcnn.kernels.cpu.filters import blocks_of, pack_filters, pack_start, packed_size, start_of
from fastcnn.kernels.cpu.pack import aligned, at3, copy
from fastcnn.kernels.cpu.taps import panel_of
from fastcnn.kernels.cpu.walk import walk_grid

ROOM = 98304  # elements of e in the buffer, and of z: 384 KB of float32 each at most
TASKS = 4  # tasks a launch should have
BAND = 14  # rows of a band at least: it computes one or two rows of e that its neighbour computes as well
LARGE = 131072  # elements of all e from which they no longer stay in L2 from layer to layer


def inverted_residual_suits(geometry):
    """Return whether the block is faster in one piece than layer by layer.

    Parameters
    ----------
    geometry : CONV2D, shape (3,)
        Expansion, window, projection; one that is absent has no filters, k = 0.
    """
    window = geometry[1]
    return int(window["n"] * window["h"] * window["w"] * window["c"]) >= LARGE and int(window["dh"]) == 1


def inverted_residual_forward_scratch(geometry, dtype):
    """Return how many elements of scratch `inverted_residual_forward` wants."""
    buffer, between = _rows(geometry[1])[1:]
    return int(config.NUMBA_NUM_THREADS * (buffer + between))


def inverted_residual_forward_packed(geometry, dtype):
    """Return how many elements `packed` of `inverted_residual_forward` has."""
    return sum(int(packed_size(1, int(g["k"]), int(g["c"]), dtype)) for g in (geometry[0], geometry[2]) if g["k"] > 0)


def _rows(g):
    """Return output rows that pass together, and elements of the buffer of e and of z."""
    row, out = g["w"] * g["c"], g["ow"] * g["c"]
    tall = max(g["kh"] + g["sh"], ROOM // max(1, row))  # rows of e
    rows = max(1, min((tall - g["kh"]) // g["sh"] + 1, ROOM // max(1, out)))
    return rows, aligned(((rows - 1) * g["sh"] + g["kh"]) * row), aligned(rows * out)


_rows_of = inlined(_rows)


@kernel
def inverted_residual_forward(y, scratch, packed, x, expand, expand_bias, window, window_bias, project, project_bias,
                              addend, bounds, ready, geometry):
    """y = project(window(expand(x))), each with its bias and bounds, the addend before the last.

    Parameters
    ----------
    y : (N, OH, OW, K) array
        Written.
    scratch : (inverted_residual_forward_scratch(geometry, dtype),) array
    packed : (inverted_residual_forward_packed(geometry, dtype),) array
        Both banks as the tile reads them: written, or read if `ready`.
    x : (N, H, W, C) array
    expand : (1, 1, C, E) array, or of size 0
    expand_bias : (E,) or (0,) array
    window : (KH, KW, 1, E) array
    window_bias : (E,) or (0,) array
    project : (1, 1, E, K) array, or of size 0
    project_bias : (K,) or (0,) array
    addend : (y.size,) or (0,) array
    bounds : (6,) array
        The lowest and the highest e, z and y.
    ready : int
        1 if `packed` is what an earlier call with the same weights left.
    geometry : CONV2D, shape (3,)
        As of `inverted_residual_suits`; the window without dilation.
    """
    c, e, k = geometry[0]["c"], geometry[1]["c"], geometry[2]["k"]
    wide, narrow = geometry[0]["k"] > 0, k > 0
    first = aligned(start_of(packed, 1, e, c) + blocks_of(packed, e)[0] * blocks_of(packed, e)[1]) if wide else 0
    if not ready:
        if wide:
            pack_start(packed, start_of(packed, 1, e, c), expand_bias, 1, e)
            pack_filters(packed, expand.reshape(-1), 1, e, c)
        if narrow:
            rest = packed[first:]
            pack_start(rest, start_of(packed, 1, k, e), project_bias, 1, k)
            pack_filters(rest, project.reshape(-1), 1, k, e)
    n = geometry[1]["n"]
    bands = max(1, min(TASKS // max(1, n), geometry[1]["oh"] // BAND))
    parallel(_task, n * bands, (y.reshape(-1), scratch, packed, first, x.reshape(-1), window.reshape(-1), window_bias,
                                addend, bounds, bands, geometry))


@inlined
def _task(task, thread, y, scratch, packed, first, x, window, window_bias, addend, bounds, bands, geometry):
    """A band of output rows of one image."""
    g, c, k = geometry[1], geometry[0]["c"], geometry[2]["k"]
    h, w, e, oh, ow, sh, kh = g["h"], g["w"], g["c"], g["oh"], g["ow"], g["sh"], g["kh"]
    wide, narrow = geometry[0]["k"] > 0, k > 0
    rows, buffer, between = _rows_of(g)
    at = thread * (buffer + between)
    z = at + buffer
    image, band = task // bands, task % bands
    row, bottom = band * oh // bands, (band + 1) * oh // bands
    base, have = 0, 0  # the buffer holds rows base .. have of e
    while row < bottom:
        end = min(row + rows, bottom)
        low, high = max(0, row * sh - g["top"]), min(h, (end - 1) * sh - g["top"] + kh)
        source, place = x, image * h * w * e
        if wide:
            if have > low:
                copy(scratch, at, scratch, at + (low - base) * w * e, (have - low) * w * e)
            have = min(max(have, low), high)
            base = low
            width = blocks_of(y, e)[0]
            walk_grid(scratch, (at + (have - base) * w * e, 0, 0, e), x, ((image * h + have) * w * c, 0, 0, c, 0, 0, 1),
                      packed, (0, 0, 0, width, c * width), at3(1, 1, (high - have) * w), at3(1, 1, c), packed,
                      start_of(packed, 1, e, c), 0, e, bounds[0:2], panel_of(e * c, c))
            have = high
            source, place = scratch, at - base * w * e
        target, to = y, image * oh * ow * e
        if narrow:
            target, to = scratch, z - row * ow * e
        windows(target, (to, ow * e, e), source, (place, h, w, e), window, (0, g["kw"] * e, e), window_bias,
                0 if window_bias.size > 0 else -1, bounds[2:4], (kh, g["kw"], sh, g["sw"], 1, 1, g["top"], g["left"]),
                (row, end - row, ow, 0, e, 0))
        if narrow:
            width = blocks_of(y, k)[0]
            walk_grid(y, ((image * oh + row) * ow * k, 0, 0, k), scratch, (z, 0, 0, e, 0, 0, 1),
                      packed, (first, 0, 0, width, e * width), at3(1, 1, (end - row) * ow), at3(1, 1, e), packed,
                      first + start_of(packed, 1, k, e), addend, k, bounds[4:6], panel_of(k * e, e))
        row = end
