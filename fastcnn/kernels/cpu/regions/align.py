"""Region of interest align: each box of a feature map becomes one of a fixed size. ONNX: RoiAlign.

A box is cut into ph x pw parts, in each of which lie s x s points; x at the points is interpolated between four pixels,
and a part of the result is their mean (He, Gkioxari, Dollar and Girshick, "Mask R-CNN", 2017, section 3)::

    +---------+---------+        a point further than one pixel outside is 0, one nearer than that is at the border;
    |  .   .  |  .   .  |        the mean is over all points. Places are computed in float64.
    |  .   .  |  .   .  |
    +---------+---------+        2 parts, s = 2

Backward, a task has an image and a block of channels, and goes over the regions in order: every pixel is added to in
one order whatever the threads.
"""

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel

_CHANNELS = 32  # of a block: places are computed once for each


@kernel
def roi_align_forward(y, x, boxes, geometry):
    """Write the regions of interest of a feature map; 0 for a box that is not finite.

    Parameters
    ----------
    y : (N, R, PH, PW, C) array
        Written.
    x : (N, H, W, C) array
    boxes : (N, R, 4) array
        Corners x1, y1, x2, y2, in units of which `scale` is one pixel of `x`.
    geometry : REGIONS
    """
    rows = y.shape[0] * y.shape[1]
    chunks = min(max(1, rows), chunks_for(4 * y.size, 64))
    parallel(_forward_regions, chunks, (chunks, rows, y, x, boxes, geometry))


@inlined
def _forward_regions(chunk, chunks, rows, y, x, boxes, geometry):
    g = geometry[0]
    h, w, c, ph, pw, count = g["h"], g["w"], g["c"], g["ph"], g["pw"], g["regions"]
    flat, of, real = y.reshape(-1), x.reshape(-1), y.dtype.type
    begin, end = chunk_of(chunk, chunks, rows)
    for region in range(begin, end):
        n, r = region // count, region % count
        (left, wide, across), (top, high, down) = _sides(boxes[n, r], g)
        for part in range(ph * pw):
            at = (region * ph * pw + part) * c
            out = flat[at:at + c]
            for k in range(c):
                out[k] = 0
            y0, x0 = top + (part // pw) * high, left + (part % pw) * wide
            first_row, last_row = _inside(y0, high, down, h)
            first_column, last_column = _inside(x0, wide, across, w)
            for i in range(first_row, last_row):
                low, far = _place(y0 + (i + 0.5) * high / down, h)
                if low < 0:
                    continue
                for j in range(first_column, last_column):
                    near, beyond = _place(x0 + (j + 0.5) * wide / across, w)
                    if near < 0:
                        continue
                    a, b, d, e = _weights(far, beyond, down * across)
                    p, q, s, t = _four((n * h + low) * w + near, near, low, h, w, c)
                    _blend(out, (of[p:p + c], of[q:q + c], of[s:s + c], of[t:t + c]),
                           (real(a), real(b), real(d), real(e)))


@inlined(always=True)
def _blend(out, four, weights):
    (p, q, s, t), (a, b, d, e) = four, weights
    for k in range(out.size):
        out[k] += a * p[k] + b * q[k] + d * s[k] + e * t[k]


@kernel
def roi_align_backward(dx, dy, boxes, geometry):
    """Write the gradient of the feature map. Boxes get none.

    Parameters
    ----------
    dx : (N, H, W, C) array
        Written.
    dy : (N, R, PH, PW, C) array
    boxes : (N, R, 4) array
    geometry : REGIONS
    """
    blocks = max(1, -(-dx.shape[3] // _CHANNELS))
    parallel(_backward_block, dx.shape[0] * blocks, (blocks, dx, dy, boxes, geometry))


@inlined
def _backward_block(task, blocks, dx, dy, boxes, geometry):
    g, n, real = geometry[0], task // blocks, dx.dtype.type
    begin, end = chunk_of(task % blocks, blocks, g["c"])
    h, w, c, ph, pw, count = g["h"], g["w"], g["c"], g["ph"], g["pw"], g["regions"]
    to, of, size = dx.reshape(-1), dy.reshape(-1), end - begin
    for pixel in range(n * h * w, (n + 1) * h * w):
        for k in range(pixel * c + begin, pixel * c + end):
            to[k] = 0
    for r in range(count):
        (left, wide, across), (top, high, down) = _sides(boxes[n, r], g)
        for part in range(ph * pw):
            at = ((n * count + r) * ph * pw + part) * c + begin
            y0, x0 = top + (part // pw) * high, left + (part % pw) * wide
            first_row, last_row = _inside(y0, high, down, h)
            first_column, last_column = _inside(x0, wide, across, w)
            for i in range(first_row, last_row):
                low, far = _place(y0 + (i + 0.5) * high / down, h)
                if low < 0:
                    continue
                for j in range(first_column, last_column):
                    near, beyond = _place(x0 + (j + 0.5) * wide / across, w)
                    if near < 0:
                        continue
                    a, b, d, e = _weights(far, beyond, down * across)
                    p, q, s, t = _four((n * h + low) * w + near, near, low, h, w, c)
                    add_scaled(to[p + begin:p + end], of[at:at + size], real(a))
                    add_scaled(to[q + begin:q + end], of[at:at + size], real(b))
                    add_scaled(to[s + begin:s + end], of[at:at + size], real(d))
                    add_scaled(to[t + begin:t + end], of[at:at + size], real(e))


@inlined(always=True)
def add_scaled(to, of, factor):
    """Add to the numbers of one array those of another, times a factor."""
    for k in range(to.size):
        to[k] += factor * of[k]


@inlined
def _sides(box, g):
    """Return where a box begins on the map, how long its parts are and how many points they have: across, down."""
    scale, half = g["scale"], 0.5 if g["aligned"] else 0.0
    left, right = box[0] * scale - half, box[2] * scale - half
    top, bottom = box[1] * scale - half, box[3] * scale - half
    width, height = right - left, bottom - top
    if not g["aligned"]:
        width, height = max(width, 1.0), max(height, 1.0)
    total = left + right + top + bottom
    if total - total != 0.0:  # infinite, or NaN
        return (0.0, 0.0, 0), (0.0, 0.0, 0)
    wide, high = width / g["pw"], height / g["ph"]
    if g["samples"] > 0:
        return (left, wide, g["samples"]), (top, high, g["samples"])
    return (left, wide, max(0, int(min(np.ceil(wide), 1e9)))), (top, high, max(0, int(min(np.ceil(high), 1e9))))


@inlined
def _inside(begin, length, count, n):
    """Return the first point of a part that may lie on the map, and where they end; of a huge box most do not."""
    if count <= 8 or not length > 0.0:
        return 0, count
    step = length / count
    first = min(max(np.floor((-1.0 - begin) / step - 1.5), 0.0), float(count))
    last = min(max(np.ceil((n - begin) / step + 1.5), 0.0), float(count))
    return int(first), int(last)


@inlined(always=True)
def _place(at, n):
    """Return the pixel before a point, and how far beyond it the point lies; -1 for a point outside."""
    if at < -1.0 or at > n:
        return -1, 0.0
    at = min(max(at, 0.0), n - 1.0)
    low = int(at)
    return low, at - low


@inlined(always=True)
def _weights(far, beyond, points):
    """Return the weights of the four pixels about a point, one of so many."""
    share = 1.0 / points
    return ((1.0 - far) * (1.0 - beyond) * share, (1.0 - far) * beyond * share, far * (1.0 - beyond) * share,
            far * beyond * share)


@inlined(always=True)
def _four(pixel, near, low, h, w, c):
    """Return where the numbers of the four pixels about a point begin."""
    right, below = 1 if near + 1 < w else 0, w if low + 1 < h else 0
    return pixel * c, (pixel + right) * c, (pixel + below) * c, (pixel + below + right) * c
