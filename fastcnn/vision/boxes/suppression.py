"""Overlapping boxes left out, or their scores made smaller."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number, positive
from fastcnn.geometry.regions import suppression
from fastcnn.kernels import region_codes as codes
from fastcnn.operations import boxes as operations
from fastcnn.vision.boxes.arrays import doubted


def nms(boxes: Any, scores: Any, iou_threshold: float = 0.5, *, classes: Any = None,
        score_threshold: float | None = None, limit: int | None = None) -> np.ndarray:
    """Return which boxes non-maximum suppression keeps, the best first.

    The best box is taken, those that overlap with it by more than the threshold are left out, and so on. Of equal
    scores the lower index comes first. A score that is NaN is no score.

    Parameters
    ----------
    boxes : (N, 4) array
    scores : (N,) array
    iou_threshold : float
        From 0 to 1.
    classes : (N,) array of int, optional
        With it boxes suppress those of their own class alone.
    score_threshold : float, optional
        A box whose score is not above it is left out.
    limit : int, optional
        How many boxes are kept at most; of each class, where classes are given.

    Returns
    -------
    (K,) int64 array

    Raises
    ------
    ArgumentError
        If the arrays do not belong together.

    Examples
    --------
    >>> boxes = [[0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 9, 9]]
    >>> fc.vision.boxes.nms(boxes, [0.8, 0.9, 0.7])
    array([1, 2])
    >>> fc.vision.boxes.nms(boxes, [0.8, 0.9, 0.7], classes=[0, 1, 0])
    array([1, 0, 2])
    """
    how = _how("nms", codes.HARD, iou_threshold, 0.5, score_threshold, limit)
    return _suppressed("nms", boxes, scores, classes, how)[0]


def soft_nms(boxes: Any, scores: Any, iou_threshold: float = 0.5, *, method: str = "gaussian", sigma: float = 0.5,
             classes: Any = None, score_threshold: float = 0.001, limit: int | None = None
             ) -> tuple[np.ndarray, np.ndarray]:
    """Return which boxes Soft-NMS keeps and their new scores, the best first.

    No box is left out for its neighbour, but the score of one that overlaps with a better one by u becomes
    s exp(-u^2 / sigma), or s (1 - u) where u is above the threshold.

    Parameters
    ----------
    boxes : (N, 4) array
    scores : (N,) array
    iou_threshold : float
        Of the method "linear".
    method : str
        "gaussian" or "linear".
    sigma : float
        Of the method "gaussian".
    classes : (N,) array of int, optional
        As of `nms`.
    score_threshold : float
        A box whose score falls to it or below is left out.
    limit : int, optional
        As of `nms`.

    Returns
    -------
    (K,) int64 array
    (K,) array

    References
    ----------
    Bodla, Singh, Chellappa, Davis: Soft-NMS, ICCV 2017.

    Examples
    --------
    >>> kept, scores = fc.vision.boxes.soft_nms([[0, 0, 4, 4], [0, 0, 4, 3], [5, 5, 9, 9]], [0.8, 0.9, 0.7])
    >>> kept, scores.round(3)
    (array([1, 2, 0]), array([0.9 , 0.7 , 0.26], dtype=float32))
    """
    if method not in ("gaussian", "linear"):
        raise ArgumentError(f'soft_nms: expected method "gaussian" or "linear", got {method!r}')
    number(sigma, "soft_nms", "a positive sigma", lambda n: n > 0)
    code = codes.SOFT_GAUSSIAN if method == "gaussian" else codes.SOFT_LINEAR
    return _suppressed("soft_nms", boxes, scores, classes, _how("soft_nms", code, iou_threshold, sigma, score_threshold,
                                                                limit))


def _how(who: str, code: int, threshold: float, sigma: float, lowest: float | None, limit: int | None) -> np.ndarray:
    number(threshold, who, "an iou_threshold from 0 to 1", lambda n: 0 <= n <= 1)
    least = -np.inf if lowest is None else number(lowest, who, "a number for score_threshold")
    most = np.iinfo(np.int64).max if limit is None else positive(who, limit=limit)[0]
    return suppression(threshold, int(most), code, sigma, least)


def _suppressed(who: str, boxes: Any, scores: Any, classes: Any, how: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    found, points = doubted(boxes, "xyxy", who), np.asarray(scores)
    if found.ndim != 2 or points.shape != found.shape[:1] or points.dtype.kind not in "fiu":
        raise ArgumentError(f"{who}: expected boxes (N, 4) and a score for each, (N,), got {found.shape} and scores "
                            f"{points.dtype} {points.shape}")
    points = points.astype(found.dtype)
    group = np.zeros(len(found), np.int64) if classes is None else np.asarray(classes)
    if group.shape != points.shape or group.dtype.kind not in "iu":
        raise ArgumentError(f"{who}: expected classes to be {len(points)} integers, one for each box, "
                            f"got {group.dtype} {group.shape}")
    d = device.current()
    order = d.get(operations.order_rows(d.put(points[None]), float(how[0]["lowest"])))[0]
    order = order[order >= 0]
    order = order[np.argsort(group[order], kind="stable")]  # class by class, in the order of the scores
    ends = np.append(np.flatnonzero(np.diff(group[order])) + 1, len(order))
    starts = np.append(0, ends[:-1])
    lists = np.stack([starts, ends, 0 * ends, 0 * ends], 1).astype(np.int64)
    kept, weighed = (d.get(one) for one in operations.suppress(d.put(found), d.put(points), lists, d.put(order), how))
    some = kept >= 0
    kept, weighed = kept[some], weighed[some]
    best = np.lexsort((kept, -weighed))
    return kept[best], weighed[best]
