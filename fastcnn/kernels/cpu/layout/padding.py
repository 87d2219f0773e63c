"""Borders around images and volumes, and their gradient. ONNX: Pad.

    y[n, i, j, k] = x[n, f(i - front), f(j - top), f(k - left)]     f by mode; zero, or `value`, where f gives none

    length 4, 3 before and after   zero: . . . 0 1 2 3 . . .   edge: 0 0 0 0 1 2 3 3 3 3   reflect: 3 2 1 0 1 2 3 2 1 0
                                                                                           wrap:    1 2 3 0 1 2 3 0 1 2

Forward, a row of outputs is the copy of a row of pixels with its two ends. Backward, a row of pixels is the sum of all
rows of outputs that are its copies, in their order, each folded the same way, or in float64 where a pixel may have very
many; cropping is the gradient of zeros, and
the other way round. A border may be negative: then pixels are cut off. Images are volumes of depth 1.
"""

import numpy as np

from fastcnn.geometry.resize import PAD_EDGE, PAD_REFLECT, PAD_WRAP, PAD_ZERO
from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.cpu.simd.memory import accumulate, clear, copy, fill
from fastcnn.kernels.cpu.simd.sums import TERMS


@kernel
def pad3d_forward(y, x, geometry):
    """Write volumes with a border around them.

    Parameters
    ----------
    y : (N, OD, OH, OW, C) array
        Written.
    x : (N, D, H, W, C) array
    geometry : PAD3D
    """
    rows = y.shape[0] * y.shape[1] * y.shape[2]
    chunks = min(rows, chunks_for(y.size, 64))
    parallel(_pad_rows, chunks, (chunks, y.reshape(-1), x.reshape(-1), geometry))


@inlined
def _source(at, length, mode):
    """Return the pixel that lies at `at`, which may be outside of 0..length - 1, or -1 for zero."""
    if 0 <= at < length:
        return at
    if mode == PAD_ZERO:
        return np.int64(-1)
    if mode == PAD_EDGE:
        return max(np.int64(0), min(at, length - 1))
    if mode == PAD_REFLECT:
        return -at if at < 0 else 2 * (length - 1) - at
    return at % length


@inlined
def _pad_rows(chunk, chunks, y, x, geometry):
    g = geometry[0]
    w, c, ow, left, mode, value = g["w"], g["c"], g["ow"], g["left"], g["mode"], g["value"]
    begin = min(max(0, left), ow)  # the outputs begin..end - 1 of a row are pixels side by side
    end = max(begin, min(ow, w + left))
    first, last = chunk_of(chunk, chunks, g["n"] * g["od"] * g["oh"])
    for row in range(first, last):
        i, p = row // g["oh"] % g["od"], _source(row % g["oh"] - g["top"], g["h"], mode)
        plane = _source(i - g["front"], g["d"], mode)
        to = row * ow * c
        if p < 0 or plane < 0:
            fill(y, to, ow * c, value)
            continue
        of = ((row // g["oh"] // g["od"] * g["d"] + plane) * g["h"] + p) * w * c
        copy(y, to + begin * c, x, of + (begin - left) * c, (end - begin) * c)
        if mode == PAD_ZERO:
            fill(y, to, begin * c, value)
            fill(y, to + end * c, (ow - end) * c, value)
        else:
            for j in range(begin):
                copy(y, to + j * c, x, of + _source(j - left, w, mode) * c, c)
            for j in range(end, ow):
                copy(y, to + j * c, x, of + _source(j - left, w, mode) * c, c)


@kernel
def pad3d_backward(dx, dy, geometry):
    """Write into each element the sum of its copies' gradients; with zeros around, that is a crop.

    Parameters
    ----------
    dx : (N, D, H, W, C) array
        Written.
    dy : (N, OD, OH, OW, C) array
    geometry : PAD3D
    """
    rows = dx.shape[0] * dx.shape[1] * dx.shape[2]
    chunks = min(rows, chunks_for(dy.size, 64))
    parallel(_fold_rows, chunks, (chunks, dx.reshape(-1), dy.reshape(-1), geometry))


@inlined
def _copies(at, before, outputs, mode):
    """Return a range of outputs within which all copies of a pixel lie."""
    if mode != PAD_ZERO:
        return np.int64(0), outputs
    return max(0, min(at + before, outputs)), max(0, min(at + before + 1, outputs))


@inlined
def _fold_rows(chunk, chunks, dx, dy, geometry):
    g = geometry[0]
    w, c, ow, left, mode = g["w"], g["c"], g["ow"], g["left"], g["mode"]
    begin = min(max(0, left), ow)
    end = max(begin, min(ow, w + left))
    first, last = chunk_of(chunk, chunks, g["n"] * g["d"] * g["h"])
    for row in range(first, last):
        plane, p, to = row // g["h"] % g["d"], row % g["h"], row * w * c
        planes, rows = _copies(plane, g["front"], g["od"], mode), _copies(p, g["top"], g["oh"], mode)
        if mode != PAD_ZERO and mode != PAD_REFLECT and _sum_copies(dx, to, dy, row // g["h"] // g["d"], plane, p, g):
            continue
        met = False
        for i in range(planes[0], planes[1]):
            if _source(i - g["front"], g["d"], mode) == plane:
                for k in range(rows[0], rows[1]):
                    if _source(k - g["top"], g["h"], mode) == p:
                        of = ((row // g["h"] // g["d"] * g["od"] + i) * g["oh"] + k) * ow * c
                        _fold(dx, to, dy, of, met, begin, end, g)
                        met = True
        if not met:
            clear(dx, to, w * c)


@inlined
def _run(at, before, length, outputs, mode):
    """Return begin, end and step of the outputs that are copies of a pixel; not for reflections."""
    if mode == PAD_WRAP:
        return (at + before) % length, outputs, length
    begin, end = max(0, min(at + before, outputs)), max(0, min(at + before + 1, outputs))
    if mode == PAD_EDGE and at == 0:
        begin = np.int64(0)
    if mode == PAD_EDGE and at == length - 1:
        end = outputs
    return begin, end, np.int64(1)


@inlined
def _sum_copies(dx, to, dy, image, plane, row, g):
    """Write the sums of the copies of a row of pixels, in float64, if one may have so many; return whether it had."""
    h, w, c, oh, ow, mode = g["h"], g["w"], g["c"], g["oh"], g["ow"], g["mode"]
    low, high, apart = _run(plane, g["front"], g["d"], g["od"], mode)
    top, bottom, step = _run(row, g["top"], h, oh, mode)
    lines = -(-(bottom - top) // step)
    count = -(-(high - low) // apart) * lines
    across = -(-ow // w) if mode == PAD_WRAP else max(0, g["left"]) + max(0, ow - w - g["left"]) + 1
    if count * across <= TERMS:
        return False
    for j in range(w * c):
        begin, end, stride = _run(j // c, g["left"], w, ow, mode)
        total = np.float64(0)
        for k in range(count):
            of = ((image * g["od"] + low + k // lines * apart) * oh + top + k % lines * step) * ow * c
            for q in range(np.uintp(of + begin * c + j % c), np.uintp(of + end * c), np.uintp(stride * c)):
                total += dy[q]
        dx[to + j] = total
    return True


@inlined
def _fold(dx, to, dy, of, met, begin, end, g):
    """Write a row of outputs' gradients into their row of pixels, or add them to what was `met` there."""
    w, c, ow, left, mode = g["w"], g["c"], g["ow"], g["left"], g["mode"]
    low = max(0, min(begin - left, w))  # the pixels low..high - 1 are these outputs
    high = low + end - begin
    if met:
        accumulate(dx, to + low * c, dy, of + begin * c, (end - begin) * c)
    else:
        clear(dx, to, low * c)
        copy(dx, to + low * c, dy, of + begin * c, (end - begin) * c)
        clear(dx, to + high * c, (w - high) * c)
    if mode != PAD_ZERO:
        for j in range(begin):
            accumulate(dx, to + _source(j - left, w, mode) * c, dy, of + j * c, c)
        for j in range(end, ow):
            accumulate(dx, to + _source(j - left, w, mode) * c, dy, of + j * c, c)
