"""Images sampled at places that are data. ONNX: GridSample.

A place is (x, y), where -1 and 1 are the ends of the image: the middles of its outermost pixels (``corners``), or their
outer edges. Along a side of n pixels a number g of it lies at

    corners      (g + 1) (n - 1) / 2
    else         ((g + 1) n - 1) / 2

(Jaderberg, Simonyan, Zisserman and Kavukcuoglu, "Spatial transformer networks", 2015.) Along each side a place is made
of up to four pixels, each with a weight and the slope of the weight; a pixel of the image is one of the 16 pairs::

    NEAREST     one pixel, of two at equal distance the even one; no slope
    BILINEAR    two pixels                              what lies outside: ZEROS no pixel, BORDER the border's,
    BICUBIC     four, Keys' cubic with a = -3/4         REFLECTION the image mirrored at its ends

Backward, a task has an image and a block of channels, places in order: the same sums on any threads. A place that is
NaN gives NaN.
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.regions.align import add_scaled
from fastcnn.kernels.region_codes import BICUBIC, BILINEAR, BORDER, NEAREST, REFLECTION, ZEROS

_FAR, _A = 1e9, -0.75
_CHANNELS = 32


@kernel
def grid_sample_forward(y, x, grid, how):
    """Write the image at the places of a grid.

    Parameters
    ----------
    y : (N, OH, OW, C) array
        Written.
    x : (N, H, W, C) array
        At least one pixel.
    grid : (N, OH, OW, 2) array
    how : GRID
    """
    rows = y.shape[0] * y.shape[1]
    chunks = min(max(1, rows), chunks_for(8 * y.size, 64))
    parallel(_forward_rows, chunks, (chunks, rows, y, x, grid, how))


@inlined
def _forward_rows(chunk, chunks, rows, y, x, grid, how):
    g, real = how[0], y.dtype.type
    (oh, ow), (h, w, c) = y.shape[1:3], x.shape[1:]
    to, of = y.reshape(-1), x.reshape(-1)
    begin, end = chunk_of(chunk, chunks, rows)
    for row in range(begin, end):
        n, i = row // oh, row % oh
        for j in range(ow):
            across, down = _taps(grid[n, i, j, 0], w, g), _taps(grid[n, i, j, 1], h, g)
            at = (row * ow + j) * c
            out = to[at:at + c]
            for k in range(c):
                out[k] = 0
            for a in range(4):
                if down[0][a] < 0:
                    continue
                for b in range(4):
                    if across[0][b] >= 0:
                        pixel = ((n * h + down[0][a]) * w + across[0][b]) * c
                        add_scaled(out, of[pixel:pixel + c], real(down[1][a] * across[1][b]))


@kernel
def grid_sample_backward(dx, dgrid, dy, x, grid, how):
    """Write the gradients of the image and of the grid.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dgrid : (N, OH, OW, 2) array
        Written.
    dy : (N, OH, OW, C) array
    x : (N, H, W, C) array
    grid : (N, OH, OW, 2) array
    how : GRID
    """
    rows, blocks = dy.shape[0] * dy.shape[1], max(1, -(-dx.shape[3] // _CHANNELS))
    chunks = min(max(1, rows), chunks_for(8 * dy.size, 64))
    parallel(_place_rows, chunks, (chunks, rows, dgrid, dy, x, grid, how))
    parallel(_image_block, dx.shape[0] * blocks, (blocks, dx, dy, grid, how))


@inlined
def _place_rows(chunk, chunks, rows, dgrid, dy, x, grid, how):
    g = how[0]
    (oh, ow), (h, w, c) = dy.shape[1:3], x.shape[1:]
    slopes, of, pixels = dgrid.reshape(-1), dy.reshape(-1), x.reshape(-1)
    begin, end = chunk_of(chunk, chunks, rows)
    for row in range(begin, end):
        n, i = row // oh, row % oh
        for j in range(ow):
            across, down = _taps(grid[n, i, j, 0], w, g), _taps(grid[n, i, j, 1], h, g)
            at, right, below = (row * ow + j) * c, 0.0, 0.0
            for a in range(4):
                if down[0][a] < 0:
                    continue
                for b in range(4):
                    if across[0][b] >= 0:
                        pixel = ((n * h + down[0][a]) * w + across[0][b]) * c
                        product = _product(of[at:at + c], pixels[pixel:pixel + c])
                        right += product * down[1][a] * across[2][b]
                        below += product * down[2][a] * across[1][b]
            slopes[2 * (row * ow + j)], slopes[2 * (row * ow + j) + 1] = right, below


@inlined(always=True)
def _product(a, b):
    total = 0.0
    for k in range(a.size):
        total += a[k] * b[k]
    return total


@inlined
def _image_block(task, blocks, dx, dy, grid, how):
    g, n, real = how[0], task // blocks, dx.dtype.type
    (oh, ow), (h, w, c) = dy.shape[1:3], dx.shape[1:]
    begin, end = chunk_of(task % blocks, blocks, c)
    to, of = dx.reshape(-1), dy.reshape(-1)
    for pixel in range(n * h * w, (n + 1) * h * w):
        for k in range(pixel * c + begin, pixel * c + end):
            to[k] = 0
    for place in range(oh * ow):
        at = (n * oh * ow + place) * c + begin
        across = _taps(grid[n, place // ow, place % ow, 0], w, g)
        down = _taps(grid[n, place // ow, place % ow, 1], h, g)
        for a in range(4):
            if down[0][a] < 0:
                continue
            for b in range(4):
                if across[0][b] >= 0:
                    pixel = ((n * h + down[0][a]) * w + across[0][b]) * c
                    add_scaled(to[pixel + begin:pixel + end], of[at:at + end - begin],
                               real(down[1][a] * across[1][b]))


@inlined
def _taps(g, n, how):
    """Return the four pixels along a side (-1 for none), their weights, and the slopes of these with the place."""
    number = np.float64(g)
    slope = 0.5 * (n - 1) if how["corners"] else 0.5 * n
    at = (number + 1.0) * slope if how["corners"] else (number + 1.0) * slope - 0.5
    at = min(max(at, -_FAR), _FAR) if at == at else at
    low, high = (0.0, n - 1.0) if how["corners"] else (-0.5, n - 0.5)
    outside, mode = how["outside"], how["mode"]
    if at != at:  # a weight of NaN for one pixel
        return (0, -1, -1, -1), (at, 0.0, 0.0, 0.0), (at, 0.0, 0.0, 0.0)
    if mode == BICUBIC:
        first = math.floor(at)
        t, k = at - first, int(first)
        pixels = (_pixel(k - 1, n, outside, low, high), _pixel(k, n, outside, low, high),
                  _pixel(k + 1, n, outside, low, high), _pixel(k + 2, n, outside, low, high))
        return (pixels, (_far(1.0 + t), _near(t), _near(1.0 - t), _far(2.0 - t)),
                (slope * _far_slope(1.0 + t), slope * _near_slope(t), -slope * _near_slope(1.0 - t),
                 -slope * _far_slope(2.0 - t)))
    if mode == NEAREST:
        at = np.rint(at)
    if outside == REFLECTION:
        at, turn = _reflected(at, low, high)
        slope *= turn
    first = math.floor(at)
    t, k = at - first, int(first)
    if mode == NEAREST:
        k, t = int(np.rint(at)), 0.0
    kind = ZEROS if outside == ZEROS else BORDER  # what was mirrored lies at most half a pixel outside
    one, other = _pixel(k, n, kind, low, high), _pixel(k + 1, n, kind, low, high) if mode == BILINEAR else -1
    slope = slope if mode == BILINEAR else 0.0
    return (one, other, -1, -1), (1.0 - t, t, 0.0, 0.0), (-slope, slope, 0.0, 0.0)


@inlined
def _pixel(k, n, outside, low, high):
    """Return the pixel that is taken for number k, or -1."""
    if 0 <= k < n:
        return k
    if outside == ZEROS:
        return -1
    if outside == REFLECTION:
        k = int(_reflected(float(k), low, high)[0])
    return min(max(k, 0), n - 1)


@inlined
def _reflected(at, low, high):
    """Return a place mirrored at both ends until it lies between them, and its slope, 1 or -1 (0 where they meet)."""
    length = high - low
    if length <= 0.0:
        return low, 0.0
    if low <= at <= high:
        return at, 1.0
    away = low - at if at < low else at - high
    times = math.floor(away / length)
    rest = away - times * length
    from_low = (at < low) == (times % 2.0 == 0.0)
    turn = -1.0 if at < low else 1.0
    return (low + rest, turn) if from_low else (high - rest, -turn)


@inlined(always=True)
def _near(t):
    return ((_A + 2.0) * t - (_A + 3.0)) * t * t + 1.0


@inlined(always=True)
def _near_slope(t):
    return (3.0 * (_A + 2.0) * t - 2.0 * (_A + 3.0)) * t


@inlined(always=True)
def _far(t):
    return ((_A * t - 5.0 * _A) * t + 8.0 * _A) * t - 4.0 * _A


@inlined(always=True)
def _far_slope(t):
    return (3.0 * _A * t - 10.0 * _A) * t + 8.0 * _A
