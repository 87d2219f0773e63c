"""How much boxes overlap, and losses of it with their gradients. ONNX has no operator for it.

A box is its corners x1, y1, x2, y2 in pixels, half-open, so that it is x2 - x1 wide; where that is negative it has no
area. With I and U the areas of intersection and union, C the area and c the diagonal of the smallest box around both,
d the distance of the centres, and w / h the sides::

    IoU    I / U                                                             0 where U is 0
    GIoU   IoU - (C - U) / C                                                 Rezatofighi et al., CVPR 2019
    DIoU   IoU - d^2 / c^2                                                   Zheng et al., AAAI 2020, equation 6
    CIoU   DIoU - a v,  v = (2 / pi (atan(w'/h') - atan(w/h)))^2,            equations 8 to 11; the gradient takes a
                        a = v / (1 - IoU + v)                                for a constant, as the paper does
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, chunks_for, inlined, kernel, parallel
from fastcnn.kernels.region_codes import DIOU, GIOU, IOU

_ASPECT = 4.0 / math.pi ** 2


@kernel
def box_overlaps(y, a, b, code):
    """Write how much each box of `a` overlaps with each of `b`; of NaN, NaN or 0.

    Parameters
    ----------
    y : (A, B) array
        Written.
    a : (A, 4) array
    b : (B, 4) array
    code : int
        IOU, GIOU, DIOU or CIOU of `fastcnn.kernels.region_codes`.
    """
    chunks = min(y.shape[0], chunks_for(8 * y.size, 64))
    parallel(_overlap_rows, chunks, (chunks, y, a, b, code))


@inlined
def _overlap_rows(chunk, chunks, y, a, b, code):
    begin, end = chunk_of(chunk, chunks, y.shape[0])
    for i in range(begin, end):
        one = a[i, 0], a[i, 1], a[i, 2], a[i, 3]
        if code == IOU:
            for j in range(np.uintp(b.shape[0])):
                y[i, j] = intersection_over_union(one, (b[j, 0], b[j, 1], b[j, 2], b[j, 3]))
        else:
            for j in range(b.shape[0]):
                y[i, j] = _overlap(one, (b[j, 0], b[j, 1], b[j, 2], b[j, 3]), code)


@inlined(exact=True, always=True)
def intersection_over_union(a, b):
    """Return the intersection over union of two boxes, tuples of four numbers of one type."""
    real = type(a[0])
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    common = max(wide, real(0)) * max(high, real(0))
    union = _area(a) + _area(b) - common
    return common / union if union > real(0) else real(0)


@inlined(exact=True, always=True)
def _area(a):
    real = type(a[0])
    return max(a[2] - a[0], real(0)) * max(a[3] - a[1], real(0))


@inlined(exact=True)
def _overlap(a, b, code):
    iou = intersection_over_union(a, b)
    return iou - _distance(a, b, iou, code)[0]


@inlined(exact=True)
def _distance(a, b, iou, code):
    """Return what is taken from the IoU, and its slopes with respect to the four numbers of `a`."""
    real = type(a[0])
    zero, half = real(0), real(0.5)
    left, right, top, bottom = min(a[0], b[0]), max(a[2], b[2]), min(a[1], b[1]), max(a[3], b[3])
    wide, high = right - left, bottom - top
    # By which of a's numbers the box around both moves.
    at_left = real(1) if a[0] < b[0] else zero
    at_right = real(1) if a[2] > b[2] else zero
    at_top = real(1) if a[1] < b[1] else zero
    at_bottom = real(1) if a[3] > b[3] else zero
    if code == GIOU:
        around = wide * high
        if not around > zero:
            return zero, (zero, zero, zero, zero)
        # (C - U) / C = 1 - U / C; the slope of U is added by `_slopes`.
        union = _union(a, b)
        by_area = union / (around * around)
        return (around - union) / around, (-by_area * high * at_left, -by_area * wide * at_top,
                                           by_area * high * at_right, by_area * wide * at_bottom)
    square = wide * wide + high * high
    if not square > zero:
        return zero, (zero, zero, zero, zero)
    across, down = half * (a[0] + a[2] - b[0] - b[2]), half * (a[1] + a[3] - b[1] - b[3])
    far = (across * across + down * down) / square
    once, by_side = real(1) / square, real(2) * far / square
    slopes = (once * across + by_side * wide * at_left, once * down + by_side * high * at_top,
              once * across - by_side * wide * at_right, once * down - by_side * high * at_bottom)
    if code == DIOU:
        return far, slopes
    aw, ah, bw, bh = a[2] - a[0], a[3] - a[1], b[2] - b[0], b[3] - b[1]
    if not (aw > zero and ah > zero and bw > zero and bh > zero):
        return far, slopes
    apart = real(math.atan(bw / bh) - math.atan(aw / ah))
    v = real(_ASPECT) * apart * apart
    share = v / (real(1) - iou + v) if v > zero else zero
    turn = share * real(2 * _ASPECT) * apart / (aw * aw + ah * ah)  # of share v by aw: -turn ah, by ah: turn aw
    return far + share * v, (slopes[0] + turn * ah, slopes[1] - turn * aw, slopes[2] - turn * ah,
                             slopes[3] + turn * aw)


@inlined(exact=True, always=True)
def _union(a, b):
    real = type(a[0])
    wide, high = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    return _area(a) + _area(b) - max(wide, real(0)) * max(high, real(0))


@inlined(exact=True)
def loss_and_slopes(a, b, code):
    """Return 1 - overlap, and its slopes with respect to the four numbers of `a`."""
    real = type(a[0])
    zero, one = real(0), real(1)
    left, right, top, bottom = max(a[0], b[0]), min(a[2], b[2]), max(a[1], b[1]), min(a[3], b[3])
    wide, high = right - left, bottom - top
    meet = wide > zero and high > zero
    common = wide * high if meet else zero
    union = _area(a) + _area(b) - common
    iou = common / union if union > zero else zero
    aw, ah = a[2] - a[0], a[3] - a[1]
    has_area = aw > zero and ah > zero
    # Slopes of the intersection, and of the area of a, in the order of the box.
    i0 = -high if meet and a[0] > b[0] else zero
    i1 = -wide if meet and a[1] > b[1] else zero
    i2 = high if meet and a[2] < b[2] else zero
    i3 = wide if meet and a[3] < b[3] else zero
    s0 = ah if has_area else zero
    s1 = aw if has_area else zero
    # loss = 1 - I / U (- U / C): what a slope of I and one of U bring.
    by_common = -one / union if union > zero else zero
    by_union = common / (union * union) if union > zero else zero
    penalty, slopes = zero, (zero, zero, zero, zero)
    if code != IOU:
        penalty, slopes = _distance(a, b, iou, code)
    if code == GIOU:
        around = (max(a[2], b[2]) - min(a[0], b[0])) * (max(a[3], b[3]) - min(a[1], b[1]))
        by_union -= one / around if around > zero else zero
    g0 = by_common * i0 + by_union * (-s0 - i0) + slopes[0]
    g1 = by_common * i1 + by_union * (-s1 - i1) + slopes[1]
    g2 = by_common * i2 + by_union * (s0 - i2) + slopes[2]
    g3 = by_common * i3 + by_union * (s1 - i3) + slopes[3]
    total = a[0] + a[1] + a[2] + a[3]
    if total != total:  # a comparison with NaN would hide it
        return total, (total, total, total, total)
    return one - iou + penalty, (g0, g1, g2, g3)


@kernel
def box_loss(losses, dx, x, targets, weights, code, scale):
    """Write 1 - overlap of each pair of boxes, times its weight, and the gradient of their sum times `scale`.

    Parameters
    ----------
    losses : (M,) array
        Written.
    dx : (M, 4) array
        Written; of size 0 if nobody wants it.
    x : (M, 4) array
        Boxes that are learned.
    targets : (M, 4) array
    weights : (M,) array
        Of size 0 if all are 1. A pair of weight 0 may be anything.
    code : int
        As of `box_overlaps`.
    scale : float
    """
    chunks = min(max(1, x.shape[0]), chunks_for(16 * x.size, 64))
    parallel(_loss_rows, chunks, (chunks, (losses, dx), x, targets, weights, code, scale))


@inlined
def _loss_rows(chunk, chunks, outputs, x, targets, weights, code, scale):
    losses, dx = outputs
    real = x.dtype.type
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    for i in range(begin, end):
        weight = weights[i] if weights.size else real(1)
        if weight == 0:
            losses[i] = 0
            if dx.size:
                dx[i, 0], dx[i, 1], dx[i, 2], dx[i, 3] = real(0), real(0), real(0), real(0)
            continue
        a, b = (x[i, 0], x[i, 1], x[i, 2], x[i, 3]), (targets[i, 0], targets[i, 1], targets[i, 2], targets[i, 3])
        loss, slopes = loss_and_slopes(a, b, code)
        losses[i] = weight * loss
        if dx.size:
            factor = weight * real(scale)
            dx[i, 0], dx[i, 1], dx[i, 2], dx[i, 3] = (factor * slopes[0], factor * slopes[1], factor * slopes[2],
                                                      factor * slopes[3])
