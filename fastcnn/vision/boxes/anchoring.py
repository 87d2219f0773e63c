"""Anchors, and boxes as offsets from them."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry import boxes as forms
from fastcnn.geometry.anchors import grid_anchors, kmeans_anchors, shaped_sides
from fastcnn.geometry.arguments import integer, number, positive
from fastcnn.operations import boxes as operations
from fastcnn.vision.boxes.arrays import doubted

#: Scales of offsets from anchors that R-CNNs are trained with: their usual sizes are near 1 then.
SCALES = (10.0, 10.0, 5.0, 5.0)


def anchors(grid: tuple[int, int], stride: float, sides: Any = None, *, sizes: Any = None,
            ratios: Any = (0.5, 1.0, 2.0)) -> np.ndarray:
    """Return anchors about the middle of each cell of a grid, row by row, and of a cell in the order of the sides.

    Parameters
    ----------
    grid : (int, int)
        Rows and columns.
    stride : float
        Pixels a cell.
    sides : (A, 2) array, optional
        Width and height of each anchor, as `anchor_sides` finds them.
    sizes : sequence of float, optional
        In place of `sides`: the roots of the areas.
    ratios : sequence of float
        With `sizes`: height by width.

    Returns
    -------
    (rows * columns * A, 4) float32 array

    Examples
    --------
    >>> fc.vision.boxes.anchors((1, 2), 16, sizes=[8], ratios=[1])
    array([[ 4.,  4., 12., 12.],
           [20.,  4., 28., 12.]], dtype=float32)
    """
    if (sides is None) == (sizes is None):
        raise ArgumentError("anchors: expected sides, or sizes and ratios, one of the two")
    rows, columns = positive("anchors", rows=grid[0], columns=grid[1])
    number(stride, "anchors", "a positive stride", lambda n: n > 0)
    given = shaped_sides(sizes, ratios) if sides is None else np.asarray(sides, np.float64).reshape(-1, 2)
    return grid_anchors((rows, columns), stride, given)


def anchor_sides(boxes: Any, count: int, seed: int = 0) -> tuple[np.ndarray, float]:
    """Return the sides of anchors that suit the boxes of a data set, and the mean IoU of a box with its best one.

    By k-means on 1 - IoU (Redmon and Farhadi, "YOLO9000", 2017); the same seed gives the same anchors.

    Parameters
    ----------
    boxes : (N, 4) array
        Those without area are left out.
    count : int
    seed : int

    Returns
    -------
    (count, 2) float32 array
        Width and height, the smallest area first.
    float

    Examples
    --------
    >>> boxes = [[0, 0, 10, 10], [5, 5, 15, 15], [0, 0, 40, 20], [1, 1, 41, 21]]
    >>> fc.vision.boxes.anchor_sides(boxes, 2)
    (array([[10., 10.],
           [40., 20.]], dtype=float32), 1.0)
    """
    found = doubted(boxes, "xyxy", "anchor_sides").reshape(-1, 4)
    sides = found[:, 2:] - found[:, :2]
    (count,) = positive("anchor_sides", count=count)
    return kmeans_anchors(sides[(sides > 0).all(1)], count, integer(seed, "anchor_sides", "seed"))


def encode(boxes: Any, anchors: Any, scales: tuple[float, float, float, float] = SCALES) -> np.ndarray:
    """Return the offsets of boxes from anchors, each from the anchor of its row: what an R-CNN learns.

    Parameters
    ----------
    boxes : (..., A, 4) array
    anchors : (A, 4) array
    scales : (float, float, float, float)
        What the offsets of x, y, width and height are multiplied with.

    Raises
    ------
    ArgumentError
        If they do not belong together, or a box or an anchor has no area.

    Examples
    --------
    >>> fc.vision.boxes.encode([[4, 4, 8, 8]], [[3, 4, 7, 8]])
    array([[2.5, 0. , 0. , 0. ]], dtype=float32)
    """
    one, other = _coded(boxes, anchors, "encode")
    for name, found in (("box", one), ("anchor", other)):
        if not (found[..., 2:] > found[..., :2]).all():
            at = int(np.argwhere(~(found[..., 2:] > found[..., :2]).all(-1).reshape(-1))[0, 0])
            raise ArgumentError(f"encode: expected boxes with an area, got {name} {at}, "
                                f"{found.reshape(-1, 4)[at].tolist()}")
    d = device.current()
    return d.get(operations.encode_boxes(d.put(one), d.put(other), np.asarray(scales))).copy()


def decode(offsets: Any, anchors: Any, scales: tuple[float, float, float, float] = SCALES) -> np.ndarray:
    """Return the boxes that offsets from anchors are: `encode` turned round.

    A side is at most 1000 / 16 times that of its anchor, so that a network without training gives finite boxes.

    Parameters
    ----------
    offsets : (..., A, 4) array
    anchors : (A, 4) array
    scales : (float, float, float, float)
        As of `encode`.

    Examples
    --------
    >>> fc.vision.boxes.decode([[2.5, 0, 0, 0]], [[3, 4, 7, 8]])
    array([[4., 4., 8., 8.]], dtype=float32)
    """
    one, other = _coded(offsets, anchors, "decode")
    d = device.current()
    return d.get(operations.decode_boxes(d.put(one), d.put(other), np.asarray(scales))[0]).copy()


def _coded(boxes: Any, anchors: Any, who: str) -> tuple[np.ndarray, np.ndarray]:
    one, other = forms.as_boxes(boxes, who), forms.as_boxes(anchors, who)
    if other.ndim != 2 or one.ndim < 2 or one.shape[-2] != len(other):
        raise ArgumentError(f"{who}: expected (..., {len(other)}, 4) for as many anchors, got {one.shape} and anchors "
                            f"{other.shape}")
    kind = np.result_type(one, other)
    return one.astype(kind, copy=False), other.astype(kind, copy=False)
