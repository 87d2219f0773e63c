"""The boxes that stay of all that a network gives for a picture."""

import numpy as np

from fastcnn.vision import boxes as boxing

#: The score down to which average precision is counted.
LOWEST = 0.001


def best_boxes(boxes: np.ndarray, scores: np.ndarray, size: tuple[int, int], lowest: float, iou_threshold: float,
               most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return boxes (K, 4), scores and classes after suppression by class, the best first.

    Parameters
    ----------
    boxes : (P, 4) or (P, classes, 4) array
        Corners, of each place or of each class there; cut off at the border of the picture, and left out if nothing
        stays.
    scores : (P, classes) array
    size : (int, int)
        Height and width of the picture.
    lowest : float
        Boxes whose score is not above it are none.
    iou_threshold : float
    most : int
        Of each class.
    """
    places, kinds = np.nonzero(scores > lowest)
    points, kinds = scores[places, kinds], kinds.astype(np.int64)
    own = boxing.clip(boxes[places] if boxes.ndim == 2 else boxes[places, kinds], size)
    inside = ((own[:, 2:] - own[:, :2]) > 0).all(1)
    own, points, kinds = own[inside], points[inside], kinds[inside]
    best = boxing.nms(own, points, iou_threshold, classes=kinds, limit=most)
    return own[best], points[best], kinds[best]
