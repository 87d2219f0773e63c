"""Boxes as numbers that a network gives: offsets from anchors, and the cells of YOLO.

Of an anchor with centre (xa, ya) and sides wa, ha (Girshick et al., "Rich feature hierarchies", 2014, appendix C)::

    x = xa + wa t_x / s_x        w = wa exp(min(t_w / s_w, log(1000 / 16)))       and y and h as well

s are four constant scales. Of a cell (column, row) of `stride` pixels and a prior box pw x ph::

    EXPONENTIAL         x = (column + sigmoid(t_x)) stride              w = pw exp(min(t_w, log(1000 / 16)))
    SQUARED_SIGMOID     x = (column + 2 sigmoid(t_x) - 1/2) stride      w = pw (2 sigmoid(t_w))^2

(Redmon and Farhadi, "YOLO9000", 2017, section 2; the second is that of YOLO v5, whose cells reach half a cell beyond.)
Beyond its limit the exponential is constant, and has no slope.
"""

import math

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.region_codes import SQUARED_SIGMOID

#: No box is more than 1000 / 16 times as wide as its anchor: a network that is not trained gives no infinite ones.
LARGEST = math.log(1000 / 16)


@kernel
def encode_boxes(codes, boxes, anchors, scales):
    """Write the offsets of boxes from anchors; infinite or NaN where one has no area.

    Parameters
    ----------
    codes : (M, 4) array
        Written: t_x, t_y, t_w, t_h.
    boxes : (M, 4) array
        Corners.
    anchors : (A, 4) array
        Corners; row i of `boxes` belongs to anchor i % A.
    scales : (4,) array
    """
    chunks = min(max(1, len(boxes)), chunks_for(32 * boxes.size, 64))
    parallel(_encode_rows, chunks, (chunks, codes, boxes, anchors, scales))


@inlined
def _encode_rows(chunk, chunks, codes, boxes, anchors, scales):
    real = codes.dtype.type
    begin, end = chunk_of(chunk, chunks, boxes.shape[0])
    for i in range(begin, end):
        k = i % anchors.shape[0]
        for side in range(2):
            size, anchor = boxes[i, side + 2] - boxes[i, side], anchors[k, side + 2] - anchors[k, side]
            apart = boxes[i, side] + boxes[i, side + 2] - anchors[k, side] - anchors[k, side + 2]
            codes[i, side] = scales[side] * real(0.5) * apart / anchor
            codes[i, side + 2] = scales[side + 2] * real(math.log(size / anchor)) if size > 0 else real(-math.inf)


@kernel
def decode_boxes(boxes, codes, anchors, scales):
    """Write the boxes that offsets from anchors are.

    Parameters
    ----------
    boxes : (M, 4) array
        Written: corners.
    codes : (M, 4) array
    anchors : (A, 4) array
        As of `encode_boxes`.
    scales : (4,) array
    """
    chunks = min(max(1, len(boxes)), chunks_for(32 * boxes.size, 64))
    parallel(_decode_rows, chunks, (chunks, boxes, codes, anchors, scales))


@inlined
def _decode_rows(chunk, chunks, boxes, codes, anchors, scales):
    real = boxes.dtype.type
    begin, end = chunk_of(chunk, chunks, boxes.shape[0])
    for i in range(begin, end):
        k = i % anchors.shape[0]
        for side in range(2):
            low, high = anchors[k, side], anchors[k, side + 2]
            size, half = high - low, real(0.5)
            middle = half * (low + high) + size * codes[i, side] / scales[side]
            far = codes[i, side + 2] / scales[side + 2]
            reach = half * size * real(math.exp(real(LARGEST) if far > real(LARGEST) else far))
            boxes[i, side], boxes[i, side + 2] = middle - reach, middle + reach


@kernel
def decode_boxes_backward(dcodes, dboxes, codes, anchors, scales):
    """Write the gradient of offsets from that of the boxes.

    Parameters
    ----------
    dcodes : (M, 4) array
        Written.
    dboxes : (M, 4) array
    codes : (M, 4) array
        As `decode_boxes` took them.
    anchors : (A, 4) array
    scales : (4,) array
    """
    chunks = min(max(1, len(codes)), chunks_for(32 * codes.size, 64))
    parallel(_decode_back_rows, chunks, (chunks, dcodes, dboxes, codes, anchors, scales))


@inlined
def _decode_back_rows(chunk, chunks, dcodes, dboxes, codes, anchors, scales):
    real = codes.dtype.type
    begin, end = chunk_of(chunk, chunks, codes.shape[0])
    for i in range(begin, end):
        k = i % anchors.shape[0]
        for side in range(2):
            size, far = anchors[k, side + 2] - anchors[k, side], codes[i, side + 2] / scales[side + 2]
            low, high = dboxes[i, side], dboxes[i, side + 2]
            dcodes[i, side] = (low + high) * size / scales[side]
            grows = real(0) if far > real(LARGEST) else real(0.5) * size * real(math.exp(far)) / scales[side + 2]
            dcodes[i, side + 2] = (high - low) * grows


@kernel
def decode_cells(boxes, x, priors, stride, code):
    """Write the boxes of YOLO's cells.

    Parameters
    ----------
    boxes : (N, H, W, A, 4) array
        Written: corners in pixels.
    x : (N, H, W, A, K) array
        What the network gives, t_x, t_y, t_w, t_h first.
    priors : (A, 2) array
        Width and height of each prior box, in pixels.
    stride : float
        Pixels a cell.
    code : int
        EXPONENTIAL or SQUARED_SIGMOID of `fastcnn.kernels.region_codes`.
    """
    rows = x.shape[0] * x.shape[1] * x.shape[2]
    chunks = min(max(1, rows), chunks_for(32 * boxes.size, 64))
    parallel(_cell_rows, chunks, (chunks, rows, boxes, x, priors, stride, code))


@inlined
def _cell_rows(chunk, chunks, rows, boxes, x, priors, stride, code):
    real = boxes.dtype.type
    h, w = x.shape[1], x.shape[2]
    begin, end = chunk_of(chunk, chunks, rows)
    for row in range(begin, end):
        n, i, j = row // (h * w), row // w % h, row % w
        for a in range(priors.shape[0]):
            t, box = x[n, i, j, a], boxes[n, i, j, a]
            for side in range(2):
                place = j if side == 0 else i
                middle = (real(place) + within_cell(t[side], code)[0]) * real(stride)
                reach = real(0.5) * priors[a, side] * times_prior(t[side + 2], code)[0]
                box[side], box[side + 2] = middle - reach, middle + reach


@kernel
def decode_cells_backward(dx, dboxes, x, priors, stride, code):
    """Write the gradient of what the network gave from that of the boxes; 0 for what is no part of a box.

    Parameters
    ----------
    dx : (N, H, W, A, K) array
        Written.
    dboxes : (N, H, W, A, 4) array
    x : (N, H, W, A, K) array
        As `decode_cells` took it.
    priors : (A, 2) array
    stride : float
    code : int
    """
    rows = x.shape[0] * x.shape[1] * x.shape[2]
    chunks = min(max(1, rows), chunks_for(32 * dboxes.size, 64))
    parallel(_cell_back_rows, chunks, (chunks, dx, dboxes, x, priors, stride, code))


@inlined
def _cell_back_rows(chunk, chunks, dx, dboxes, x, priors, stride, code):
    real = x.dtype.type
    h, w = x.shape[1], x.shape[2]
    begin, end = chunk_of(chunk, chunks, x.shape[0] * h * w)
    for row in range(begin, end):
        n, i, j = row // (h * w), row // w % h, row % w
        for a in range(priors.shape[0]):
            t, out, dbox = x[n, i, j, a], dx[n, i, j, a], dboxes[n, i, j, a]
            for k in range(4, out.size):
                out[k] = 0
            for side in range(2):
                out[side] = (dbox[side] + dbox[side + 2]) * real(stride) * within_cell(t[side], code)[1]
                grows = real(0.5) * priors[a, side] * times_prior(t[side + 2], code)[1]
                out[side + 2] = (dbox[side + 2] - dbox[side]) * grows


@inlined(always=True)
def sigmoid(t):
    real = type(t)
    away = real(math.exp(-abs(t)))  # never overflows
    return (real(1) if t >= 0 else away) / (real(1) + away)


@inlined(always=True)
def within_cell(t, code):
    """Return where in its cell a centre lies, and the slope."""
    real = type(t)
    s = sigmoid(t)
    slope = s * (real(1) - s)
    if code == SQUARED_SIGMOID:
        return real(2) * s - real(0.5), real(2) * slope
    return s, slope


@inlined(always=True)
def times_prior(t, code):
    """Return how many times as large as its prior a side is, and the slope."""
    real = type(t)
    if code == SQUARED_SIGMOID:
        s = sigmoid(t)
        return real(4) * s * s, real(8) * s * s * (real(1) - s)
    if t > real(LARGEST):
        return real(math.exp(LARGEST)), real(0)
    e = real(math.exp(t))
    return e, e
