"""Max pooling of regions of interest. ONNX: MaxRoiPool.

A box is rounded to pixels, both ends belong to it, and it is cut into ph x pw parts, of which neighbours may share a
pixel; a part of the result is its largest number, 0 for one without pixels (Girshick, "Fast R-CNN", 2015, section
2.1). Saved is which pixel it was. Backward, a task has an image and a block of channels and goes over the regions in
order, so that the sums are the same on any threads.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel

_FAR = 1e9
_CHANNELS = 32


@kernel
def roi_pool_forward(y, argmax, x, boxes, geometry):
    """Write the largest number of each part of each region, and the pixel that it came from.

    Parameters
    ----------
    y : (N, R, PH, PW, C) array
        Written.
    argmax : (N, R, PH, PW, C) int32 array
        Written: p W + q, the first of equal ones; -1 for a part without pixels.
    x : (N, H, W, C) array
    boxes : (N, R, 4) array
        Corners, in units of which `scale` is one pixel of `x`.
    geometry : REGIONS
    """
    rows = y.shape[0] * y.shape[1]
    chunks = min(max(1, rows), chunks_for(4 * y.size, 64))
    parallel(_forward_regions, chunks, (chunks, rows, y, argmax, x, boxes, geometry))


@inlined
def _forward_regions(chunk, chunks, rows, y, argmax, x, boxes, geometry):
    g = geometry[0]
    h, w, c, ph, pw, count = g["h"], g["w"], g["c"], g["ph"], g["pw"], g["regions"]
    flat, places, of = y.reshape(-1), argmax.reshape(-1), x.reshape(-1)
    begin, end = chunk_of(chunk, chunks, rows)
    for region in range(begin, end):
        n, box = region // count, boxes[region // count, region % count]
        finite = True
        for k in range(4):
            finite = finite and box[k] - box[k] == 0
        left, top = _pixel(box[0], g), _pixel(box[1], g)
        wide, high = max(_pixel(box[2], g) - left + 1, 1), max(_pixel(box[3], g) - top + 1, 1)
        for part in range(ph * pw):
            at, i, j = (region * ph * pw + part) * c, part // pw, part % pw
            out, where = flat[at:at + c], places[at:at + c]
            for k in range(c):
                out[k], where[k] = 0, -1
            if not finite:
                continue
            for p in range(_within(top + i * high // ph, h), _within(top - (-(i + 1) * high // ph), h)):
                for q in range(_within(left + j * wide // pw, w), _within(left - (-(j + 1) * wide // pw), w)):
                    pixel = p * w + q
                    _largest(out, where, of[(n * h * w + pixel) * c:(n * h * w + pixel + 1) * c], pixel)


@inlined(always=True)
def _largest(out, where, of, pixel):
    for k in range(out.size):
        if where[k] < 0 or of[k] > out[k] or (of[k] != of[k] and out[k] == out[k]):  # NaN wins
            out[k], where[k] = of[k], pixel


@inlined(always=True)
def _pixel(at, g):
    """Return the pixel that an edge is rounded to, halves away from zero."""
    at = min(max(at * g["scale"], -_FAR), _FAR)
    return int(np.trunc(at + (0.5 if at >= 0.0 else -0.5))) if at == at else 0


@inlined(always=True)
def _within(at, n):
    return min(max(at, 0), n)


@kernel
def roi_pool_backward(dx, dy, argmax, geometry):
    """Add each number of dy to dx where its maximum came from; all else of dx is 0.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy : (N, R, PH, PW, C) array
    argmax : (N, R, PH, PW, C) int32 array
    geometry : REGIONS
    """
    blocks = max(1, -(-dx.shape[3] // _CHANNELS))
    parallel(_backward_block, dx.shape[0] * blocks, (blocks, dx, dy, argmax, geometry))


@inlined
def _backward_block(task, blocks, dx, dy, argmax, geometry):
    g, n = geometry[0], task // blocks
    begin, end = chunk_of(task % blocks, blocks, g["c"])
    pixels, c, parts = g["h"] * g["w"], g["c"], g["regions"] * g["ph"] * g["pw"]
    to, of, places = dx.reshape(-1), dy.reshape(-1), argmax.reshape(-1)
    for pixel in range(n * pixels, (n + 1) * pixels):
        for k in range(pixel * c + begin, pixel * c + end):
            to[k] = 0
    for part in range(n * parts, (n + 1) * parts):
        for k in range(begin, end):
            pixel = places[part * c + k]
            if pixel >= 0:
                to[(n * pixels + pixel) * c + k] += of[part * c + k]
