"""Rows in falling order, and non-maximum suppression. ONNX: NonMaxSuppression.

Boxes of a list are taken by their score, the best first. HARD: a box whose IoU with one that was taken is above the
threshold is left out. Taken boxes stand side by side, so that a box is compared with several at once::

    x1  | | | | ...       a box in turn: its IoU with 32 taken ones, then the next 32, until one is too much
    y1  | | | | ...
    ..  taken so far

SOFT (Bodla et al., "Soft-NMS", ICCV 2017): nothing is left out, but the score of a box that overlaps by u with one that
was taken becomes s (1 - u) where u is above the threshold, or s exp(-u^2 / sigma); then the next best is looked for.
"""

import math

import numpy as np

from fastcnn.kernels.cpu.compile.policy import chunk_of, inlined, kernel, parallel
from fastcnn.kernels.cpu.regions.overlap import intersection_over_union
from fastcnn.kernels.region_codes import HARD, SOFT_LINEAR

_TOGETHER = 32


@kernel
def order_rows(order, scratch, x, lowest):
    """Write the columns of each row in falling order of their numbers, equal ones as they stand.

    Parameters
    ----------
    order : (rows, columns) int64 array
        Written: -1 in the place of numbers that are not above `lowest`, NaN among them, which come last.
    scratch : (rows, columns) int64 array
    x : (rows, columns) array
    lowest : float
    """
    chunks = min(max(1, x.shape[0]), 64)
    parallel(_order_rows, chunks, (chunks, order, scratch, x, lowest))


@inlined
def _order_rows(chunk, chunks, order, scratch, x, lowest):
    begin, end = chunk_of(chunk, chunks, x.shape[0])
    least = x.dtype.type(lowest)
    for i in range(begin, end):
        row, one, other = x[i], order[i], scratch[i]
        count = 0
        for j in range(row.size):
            if row[j] > least:
                one[count] = j
                count += 1
        for j in range(count, row.size):
            one[j] = -1
        width = 1
        while width < count:  # a merge sort from below: runs of width, two by two
            for low in range(0, count, 2 * width):
                middle, high = min(low + width, count), min(low + 2 * width, count)
                a, b = low, middle
                for k in range(low, high):
                    if a < middle and (b >= high or row[one[a]] >= row[one[b]]):
                        other[k] = one[a]
                        a += 1
                    else:
                        other[k] = one[b]
                        b += 1
            for k in range(count):
                one[k] = other[k]
            width *= 2


@kernel
def suppress_boxes(kept, weighed, scratch, boxes, scores, order, lists, how):
    """Write which boxes of each list are kept, and their scores, the best first.

    Parameters
    ----------
    kept : (L,) int64 array
        Written: boxes by their number in the list, from where the list begins; -1 after the last.
    weighed : (L,) array
        Written: their scores, 0 after the last.
    scratch : (5 * L,) array
    boxes : (B, 4) array
    scores : (S,) array
    order : (L,) int64 array
        The numbers of each list in falling order of their scores; it ends at -1.
    lists : (lists, 4) int64 array
        Where a list begins and ends in `order`, its first box, and its first score.
    how : SUPPRESSION
    """
    parallel(_suppress_list, lists.shape[0], ((kept, weighed), scratch, boxes, scores, order, lists, how))


@inlined
def _suppress_list(index, outputs, scratch, boxes, scores, order, lists, how):
    kept, weighed = outputs
    begin, end, first_box, first_score = lists[index, 0], lists[index, 1], lists[index, 2], lists[index, 3]
    length = 0
    while begin + length < end and order[begin + length] >= 0:
        length += 1
    memory, g = scratch[5 * begin:5 * end], how[0]
    if g["code"] == HARD:
        count = _hard(kept[begin:end], order[begin:begin + length], boxes[first_box:], memory, g)
        for k in range(count):
            weighed[begin + k] = scores[first_score + kept[begin + k]]
    else:
        count = _soft((kept[begin:end], weighed[begin:end]), order[begin:begin + length], boxes[first_box:],
                      scores[first_score:], memory, g)
    for k in range(begin + count, end):
        kept[k], weighed[k] = -1, 0


@inlined
def _hard(kept, order, boxes, memory, g):
    n, count, most = memory.size // 5, 0, min(g["most"], order.size)
    threshold = boxes.dtype.type(g["threshold"])
    x1, y1, x2, y2 = memory[:n], memory[n:2 * n], memory[2 * n:3 * n], memory[3 * n:4 * n]
    for k in range(order.size):
        if count >= most:
            break
        a = boxes[order[k], 0], boxes[order[k], 1], boxes[order[k], 2], boxes[order[k], 3]
        too_much, at = 0, 0
        while at < count and too_much == 0:
            for j in range(np.uintp(at), np.uintp(min(at + _TOGETHER, count))):
                overlap = intersection_over_union(a, (x1[j], y1[j], x2[j], y2[j]))
                too_much += 1 if overlap > threshold else 0
            at += _TOGETHER
        if too_much == 0:
            x1[count], y1[count], x2[count], y2[count] = a
            kept[count] = order[k]
            count += 1
    return count


@inlined
def _soft(outputs, order, boxes, scores, memory, g):
    kept, weighed = outputs
    real, count, most = boxes.dtype.type, 0, min(g["most"], order.size)
    threshold, sigma, lowest = real(g["threshold"]), real(g["sigma"]), real(g["lowest"])
    for k in range(order.size):
        memory[k] = scores[order[k]]
    while count < most:
        best = -1
        for k in range(order.size):
            # The order breaks ties of scores that nothing has changed; of changed ones the lower number wins.
            if memory[k] > lowest and (best < 0 or memory[k] > memory[best] or (
                    memory[k] == memory[best] and order[k] < order[best])):
                best = k
        if best < 0:
            break
        kept[count], weighed[count] = order[best], memory[best]
        count += 1
        memory[best] = real(-np.inf)
        a = boxes[order[best], 0], boxes[order[best], 1], boxes[order[best], 2], boxes[order[best], 3]
        for k in range(order.size):
            if memory[k] > lowest:
                b = boxes[order[k], 0], boxes[order[k], 1], boxes[order[k], 2], boxes[order[k], 3]
                u = intersection_over_union(a, b)
                if g["code"] == SOFT_LINEAR:
                    memory[k] *= real(1) - u if u > threshold else real(1)
                else:
                    memory[k] *= real(math.exp(-u * u / sigma))
    return count


@kernel
def best_detections(y, scratch, kept, weighed, boxes):
    """Write the best boxes of each image, of the lists of its classes.

    Parameters
    ----------
    y : (N, D, 6) array
        Written: corners, score and class, the best first, of equal ones that of the lower class; after the last, 0 and
        the class -1.
    scratch : (N, classes) int64 array
    kept : (N, classes, B) int64 array
    weighed : (N, classes, B) array
        As `suppress_boxes` wrote them.
    boxes : (N, B, 4) array
    """
    parallel(_best_of_image, y.shape[0], (y, scratch, kept, weighed, boxes))


@inlined
def _best_of_image(n, y, scratch, kept, weighed, boxes):
    at, numbers, scores = scratch[n], kept[n], weighed[n]
    for c in range(at.size):
        at[c] = 0
    for d in range(y.shape[1]):
        best = -1
        for c in range(at.size):
            if at[c] < numbers.shape[1] and numbers[c, at[c]] >= 0 and (
                    best < 0 or scores[c, at[c]] > scores[best, at[best]]):
                best = c
        row = y[n, d]
        for k in range(6):
            row[k] = 0
        row[5] = best
        if best >= 0:
            number = numbers[best, at[best]]
            for k in range(4):
                row[k] = boxes[n, number, k]
            row[4] = scores[best, at[best]]
            at[best] += 1
