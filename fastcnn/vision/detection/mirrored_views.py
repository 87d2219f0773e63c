"""What a network says of a picture and of its mirror images, together: test-time augmentation by flips."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import ops
from fastcnn.vision.detection.cells import YoloCells

#: Which mirror images are looked at beside a picture, by name: left to right, top to bottom.
FLIPS: dict[str | None, tuple[tuple[bool, bool], ...]] = {
    None: (), "horizontal": ((True, False),), "vertical": ((False, True),),
    "horizontal_and_vertical": ((True, False), (False, True), (True, True))}


def mean_of_views(numbers_of: Callable[[Any], Any], images: Any, cells: YoloCells, flips: str | None
                  ) -> tuple[Any, Any]:
    """Return boxes (N, P, 4) and scores (N, P, classes): for each place the mean over a picture and its mirror images.

    A place of a mirror image is the same prior in the mirrored cell, so nothing has to be matched.

    Parameters
    ----------
    numbers_of : function
        From images to (N, P, 5 + classes), as a model of `yolo` makes them.
    images : (N, H, W, C) array or tensor
    cells : YoloCells
    flips : str or None
        One of `FLIPS`.
    """
    boxes, scores = cells.decode(numbers_of(images))
    for across, down in FLIPS[flips]:
        seen = ops.flip(images, axis=tuple(axis for axis, some in ((1, down), (2, across)) if some))
        more_boxes, more_scores = _mirrored(*cells.decode(numbers_of(seen)), cells, (across, down))
        boxes, scores = boxes + more_boxes, scores + more_scores
    views = 1 + len(FLIPS[flips])
    return (boxes, scores) if views == 1 else (boxes / views, scores / views)


def _mirrored(boxes: Any, scores: Any, cells: YoloCells, flip: tuple[bool, bool]) -> tuple[Any, Any]:
    """Return what was found on mirror images as it lies on the pictures."""
    places, begin, (across, down) = list[np.ndarray](), 0, flip
    for rows, columns, priors in cells.grids.tolist():
        own = begin + np.arange(rows * columns * priors).reshape(rows, columns, priors)
        places.append(own[:: -1 if down else 1, :: -1 if across else 1].reshape(-1))
        begin += own.size
    order = np.concatenate(places)
    boxes, scores = ops.take(boxes, order, axis=1), ops.take(scores, order, axis=1)
    height, width = cells.size
    x1, y1, x2, y2 = (boxes[..., k : k + 1] for k in range(4))
    (x1, x2), (y1, y2) = (width - x2, width - x1) if across else (x1, x2), (height - y2, height - y1) if down else (
        y1, y2)
    return ops.concatenate([x1, y1, x2, y2], axis=-1), scores
