"""Boxes on their way through a detector: compared, matched with objects, coded, suppressed.

A box is its corners x1, y1, x2, y2, half-open, in one floating type.
"""

import math

import numpy as np

from fastcnn import device
from fastcnn.geometry.regions import suppression
from fastcnn.operations import Backward


def box_overlaps(a: np.ndarray, b: np.ndarray, code: int) -> np.ndarray:
    """Return how much each box of `a` overlaps with each of `b`: (A, B).

    Parameters
    ----------
    a : (A, 4) array
    b : (B, 4) array
    code : int
        IOU, GIOU, DIOU or CIOU of `fastcnn.kernels.region_codes`.
    """
    d = device.of(a)
    y = d.empty((len(a), len(b)), a.dtype)
    d.kernels.box_overlaps(y, a, b, code)
    return y


def match_boxes(anchors: np.ndarray, objects: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the best object of each anchor and its IoU, the best anchor of each object and its IoU.

    Of equal ones the lowest index wins; where nothing overlaps it is 0 with an IoU of 0, where there is nothing, -1.
    Memory grows with anchors and with objects, not with their product.

    Parameters
    ----------
    anchors : (A, 4) array
    objects : (M, 4) array
    """
    d, n, m = device.of(anchors), len(anchors), len(objects)
    size, kind = d.kernels.match_boxes_scratch(n, m), anchors.dtype
    object_of, overlap_of = d.empty((n,), np.int64), d.empty((n,), kind)
    anchor_of, best_of = d.empty((m,), np.int64), d.empty((m,), kind)
    d.kernels.match_boxes(object_of, overlap_of, anchor_of, best_of, d.empty((size,), kind), d.empty((size,), np.int64),
                          anchors, objects)
    return object_of, overlap_of, anchor_of, best_of


def encode_boxes(boxes: np.ndarray, anchors: np.ndarray, scales: np.ndarray) -> np.ndarray:
    """Return the offsets of boxes from anchors.

    Parameters
    ----------
    boxes : (..., A, 4) array
    anchors : (A, 4) array
    scales : (4,) array
        What the offsets are multiplied with; of the host.
    """
    d = device.of(boxes)
    codes = d.empty(boxes.shape, boxes.dtype)
    rows = _rows(boxes)
    d.kernels.encode_boxes(codes.reshape(rows), boxes.reshape(rows), anchors, d.put(scales.astype(boxes.dtype)))
    return codes


def decode_boxes(codes: np.ndarray, anchors: np.ndarray, scales: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return the boxes that offsets from anchors are, and dy -> the gradient of the offsets.

    Parameters
    ----------
    codes : (..., A, 4) array
    anchors : (A, 4) array
    scales : (4,) array
        As of `encode_boxes`.
    """
    d, shape, rows = device.of(codes), codes.shape, _rows(codes)
    boxes, held = d.empty(shape, codes.dtype), d.put(scales.astype(codes.dtype))
    d.kernels.decode_boxes(boxes.reshape(rows), codes.reshape(rows), anchors, held)

    def backward(dy: np.ndarray) -> np.ndarray:
        dcodes = d.empty(shape, dy.dtype)
        d.kernels.decode_boxes_backward(dcodes.reshape(rows), dy.reshape(rows), codes.reshape(rows), anchors, held)
        return dcodes

    return boxes, backward


def decode_cells(x: np.ndarray, priors: np.ndarray, stride: float, code: int) -> tuple[np.ndarray, Backward]:
    """Return the boxes (N, H, W, A, 4) of YOLO's cells, and dy -> dx, 0 beyond the first four.

    Parameters
    ----------
    x : (N, H, W, A, K) array
    priors : (A, 2) array
        Width and height of each prior box.
    stride : float
        Pixels a cell.
    code : int
        EXPONENTIAL or SQUARED_SIGMOID of `fastcnn.kernels.region_codes`.
    """
    d, shape = device.of(x), x.shape
    boxes = d.empty((*shape[:4], 4), x.dtype)
    d.kernels.decode_cells(boxes, x, priors, stride, code)

    def backward(dy: np.ndarray) -> np.ndarray:
        dx = d.empty(shape, dy.dtype)
        d.kernels.decode_cells_backward(dx, dy, x, priors, stride, code)
        return dx

    return boxes, backward


def suppress(boxes: np.ndarray, scores: np.ndarray, lists: np.ndarray, order: np.ndarray, how: np.ndarray
             ) -> tuple[np.ndarray, np.ndarray]:
    """Return which boxes of several lists are kept, the best first, and their scores, as the kernel writes them.

    Parameters
    ----------
    boxes : (B, 4) array
    scores : (S,) array
    lists : (lists, 4) int64 array
        Of the host.
    order : (L,) int64 array
    how : SUPPRESSION
    """
    d, length = device.of(boxes), order.size
    kept, weighed = d.empty((length,), np.int64), d.empty((length,), boxes.dtype)
    scratch = d.empty((5 * length,), boxes.dtype)
    d.kernels.suppress_boxes(kept, weighed, scratch, boxes, scores, order, d.put(lists), how)
    return kept, weighed


def order_rows(x: np.ndarray, lowest: float = -math.inf) -> np.ndarray:
    """Return the columns of each row in falling order of what is above `lowest`, then -1.

    Parameters
    ----------
    x : (rows, columns) array
    lowest : float
    """
    d = device.of(x)
    order = d.empty(x.shape, np.int64)
    d.kernels.order_rows(order, d.empty(x.shape, np.int64), x, lowest)
    return order


def best_detections(boxes: np.ndarray, scores: np.ndarray, most: int, threshold: float, lowest: float) -> np.ndarray:
    """Return the best boxes of each image after suppression by class: (N, most, 6), corners, score and class.

    Parameters
    ----------
    boxes : (N, B, 4) array
    scores : (N, classes, B) array
    most : int
    threshold, lowest : float
        IoU above which the worse of two boxes is left out, and score above which a box is one.
    """
    d = device.of(boxes)
    n, classes, count = scores.shape
    at = np.arange(n * classes)
    lists = np.stack([at * count, at * count + count, at // max(1, classes) * count, at * count], 1)
    flat = scores.reshape(n * classes, count)
    kept, weighed = suppress(boxes.reshape(n * count, 4), scores.reshape(scores.size), lists,
                             order_rows(flat, lowest).reshape(flat.size), suppression(threshold, most))
    y = d.empty((n, most, 6), boxes.dtype)
    d.kernels.best_detections(y, d.empty((n, classes), np.int64), kept.reshape(scores.shape),
                              weighed.reshape(scores.shape), boxes)
    return y


def no_gradients(*inputs: np.ndarray) -> Backward:
    """Return the way back of what has no gradient: zeros for each input.

    Parameters
    ----------
    *inputs : array
    """
    def backward(dy: np.ndarray) -> tuple[np.ndarray, ...]:
        return tuple(device.of(dy).zeros(one.shape, dy.dtype) for one in inputs)

    return backward


def _rows(boxes: np.ndarray) -> tuple[int, int]:
    return math.prod(boxes.shape[:-1]), 4
