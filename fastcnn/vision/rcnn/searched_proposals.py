"""Regions that may hold an object, by similarity of neighbours: OpenCV's selective search."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import positive


def selective_search(picture: Any, count: int = 1000, *, quality: bool = False) -> np.ndarray:
    """Return boxes of regions that grew together because they look alike.

    It is OpenCV's own: a segmentation is merged step by step, neighbours that are most alike in colour, texture, size
    and fit first, and each region on the way is a proposal. OpenCV draws their order anew each time; here a fixed seed
    draws it, so that the same picture has the same proposals.

    Parameters
    ----------
    picture : (H, W, 3) or (H, W, 1) uint8 array
    count : int
        How many, at most.
    quality : bool
        More segmentations, more boxes, and ten times as long.

    Returns
    -------
    (R, 4) float32 array
        Corners.

    Raises
    ------
    ImportError
        OpenCV's contributed modules are not installed.

    References
    ----------
    Uijlings, van de Sande, Gevers, Smeulders: Selective search for object recognition, IJCV 2013.
    """
    try:
        import cv2

        segmentation = cv2.ximgproc.segmentation
    except (ImportError, AttributeError):
        raise ImportError('selective search needs OpenCV\'s contributed modules: pip install "fastcnn[rcnn]"') from None
    found = np.asarray(picture)
    if found.ndim != 3 or found.dtype != np.uint8 or found.shape[2] not in (1, 3):
        raise ArgumentError(f"selective_search: expected a picture (H, W, 3) of uint8, got {found.dtype} {found.shape}")
    (count,) = positive("selective_search", count=count)
    search = segmentation.createSelectiveSearchSegmentation()
    search.setBaseImage(np.ascontiguousarray(np.broadcast_to(found, (*found.shape[:2], 3))[..., ::-1]))  # BGR there
    search.switchToSelectiveSearchQuality() if quality else search.switchToSelectiveSearchFast()
    boxes = np.unique(np.asarray(search.process(), np.float32).reshape(-1, 4), axis=0)  # in rising order
    boxes = np.random.Generator(np.random.PCG64(0)).permutation(boxes)[:count]
    boxes[:, 2:] += boxes[:, :2]
    return boxes
