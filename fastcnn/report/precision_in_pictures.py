"""How precise a detector is on one picture, over all that it might tell: average precision, as an error."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError
from fastcnn.metrics.precision_curves import at_recalls, curves
from fastcnn.vision.boxes import iou

_ROUNDING = 1e-9


def average_precision_error(boxes: Any, classes: Any, found_boxes: Any, found_classes: Any, scores: Any,
                            threshold: float = 0.5, told_from: float = 0.0) -> float:
    """Return 1 - AP of the boxes found in a picture, the mean over the classes that are there or are told.

    Boxes are taken by falling score, whatever it is: unlike F1 it tells a picture in which all is found, but sorted
    badly, from one in which it is not. A class that is told, and is not there, has an AP of 0.

    Parameters
    ----------
    boxes, found_boxes : (N, 4), (M, 4) arrays
        Corners x1, y1, x2, y2: those that are there, and those that were found.
    classes, found_classes : (N,), (M,) arrays of int
    scores : (M,) array
    threshold : float
        Of the intersection over union.
    told_from : float
        The score from which on a box is told to people.

    Raises
    ------
    ArgumentError
        If there are not as many classes and scores as boxes.

    References
    ----------
    Lin et al.: Microsoft COCO, 2014: the mean of the precision at 101 recalls.

    Examples
    --------
    >>> there = np.array([[0, 0, 10, 10], [20, 20, 30, 30]])
    >>> round(fc.report.average_precision_error(there, [0, 0], there[:1], [0], [0.9]), 2)
    0.5
    """
    there, found = (np.asarray(one, np.float32).reshape(-1, 4) for one in (boxes, found_boxes))
    own, told, sure = np.asarray(classes, int), np.asarray(found_classes, int), np.asarray(scores, float)
    if len(own) != len(there) or len(told) != len(found) or len(sure) != len(found):
        raise ArgumentError(f"average_precision_error: expected a class for each box and a score for each that was "
                            f"found, got {len(own)} for {len(there)}, {len(told)} and {len(sure)} for {len(found)}")
    judged = np.union1d(own, told[sure >= told_from])
    if not len(judged):
        return 0.0
    error = 1 - float(np.mean([_precision(there[own == one], found[told == one], sure[told == one], threshold)
                               for one in judged]))
    return error if error > _ROUNDING else 0.0


def _precision(there: NDArray[Any], found: NDArray[Any], scores: NDArray[Any], threshold: float) -> float:
    """Return the average precision of one class."""
    if not len(there) or not len(found):
        return 0.0
    overlaps = np.asarray(iou(found[np.argsort(-scores, kind="stable")], there))
    is_free, outcomes = np.ones(len(there), bool), np.zeros((len(found), 1), np.uint8)
    for k, row in enumerate(overlaps):
        best = int(np.where(is_free, row, -1.0).argmax())
        if is_free[best] and row[best] >= threshold:
            is_free[best], outcomes[k] = False, 1
    return float(at_recalls(*curves(outcomes, len(there))).mean())
