"""How much boxes overlap, and which belong together."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.kernels import region_codes as codes
from fastcnn.operations import boxes as operations
from fastcnn.vision.boxes.arrays import two_lists


def iou(a: Any, b: Any) -> np.ndarray:
    """Return the intersection over union of each box of `a` with each of `b`: (A, B).

    Parameters
    ----------
    a : (A, 4) array
    b : (B, 4) array

    Examples
    --------
    >>> fc.vision.boxes.iou([[0, 0, 4, 4]], [[0, 0, 4, 2], [2, 2, 6, 6], [9, 9, 9, 9]]).round(3)
    array([[0.5  , 0.143, 0.   ]], dtype=float32)
    """
    return _overlaps(a, b, codes.IOU, "iou")


def giou(a: Any, b: Any) -> np.ndarray:
    """Return the generalized IoU of each box of `a` with each of `b`, from -1 to 1: (A, B).

    It is the IoU less the share of the box around both that neither covers (Rezatofighi et al., CVPR 2019).

    Parameters
    ----------
    a : (A, 4) array
    b : (B, 4) array

    Examples
    --------
    >>> fc.vision.boxes.giou([[0, 0, 2, 2]], [[2, 0, 4, 4]])
    array([[-0.25]], dtype=float32)
    """
    return _overlaps(a, b, codes.GIOU, "giou")


def diou(a: Any, b: Any) -> np.ndarray:
    """Return the IoU less the squared distance of the centres by that of the corners around both: (A, B).

    Parameters
    ----------
    a : (A, 4) array
    b : (B, 4) array

    Examples
    --------
    >>> fc.vision.boxes.diou([[0, 0, 2, 4]], [[2, 0, 4, 4]])
    array([[-0.125]], dtype=float32)
    """
    return _overlaps(a, b, codes.DIOU, "diou")


def ciou(a: Any, b: Any) -> np.ndarray:
    """Return `diou` less a penalty for other ratios of the sides (Zheng et al., AAAI 2020): (A, B).

    Parameters
    ----------
    a : (A, 4) array
    b : (B, 4) array

    Examples
    --------
    >>> fc.vision.boxes.ciou([[0, 0, 4, 2]], [[0, 0, 4, 4]]).round(3)
    array([[0.466]], dtype=float32)
    """
    return _overlaps(a, b, codes.CIOU, "ciou")


def match(anchors: Any, objects: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return for each anchor its best object and their IoU, and for each object its best anchor and their IoU.

    Of equal ones the lowest index is taken. The index is 0, with an IoU of 0, where nothing overlaps, and -1 where
    there is nothing. Memory does not grow with anchors times objects.

    Parameters
    ----------
    anchors : (A, 4) array
    objects : (M, 4) array

    Returns
    -------
    (A,) int64 array, (A,) array, (M,) int64 array, (M,) array

    Examples
    --------
    >>> object_of, overlap_of, anchor_of, _ = fc.vision.boxes.match([[0, 0, 2, 2], [2, 2, 4, 4]], [[2, 2, 4, 6]])
    >>> object_of, overlap_of, anchor_of
    (array([0, 0]), array([0. , 0.5], dtype=float32), array([1]))
    """
    one, other = two_lists(anchors, objects, "match")
    d = device.current()
    return tuple(d.get(found).copy() for found in operations.match_boxes(  # type: ignore[return-value]
        d.put(one), d.put(other)))


def _overlaps(a: Any, b: Any, code: int, who: str) -> np.ndarray:
    d = device.current()
    one, other = two_lists(a, b, who)
    return d.get(operations.box_overlaps(d.put(one), d.put(other), code)).copy()
