"""From detections that are true or false to average precision: COCO's 101 points, the whole area; the best of F1."""

from typing import NamedTuple

import numpy as np

#: The recalls at which COCO looks at the precision.
RECALLS = np.linspace(0, 1, 101)
_TINY = np.spacing(1)


class OperatingPoint(NamedTuple):
    """What a detector does where it tells only what has a score above a threshold.

    Attributes
    ----------
    threshold : float
        Half-way between two scores.
    f1, precision, recall : float
        Of all classes together.
    """

    threshold: float
    f1: float
    precision: float
    recall: float


def curves(outcomes: np.ndarray, positives: int) -> tuple[np.ndarray, np.ndarray]:
    """Return recall and precision after each detection, (D, T) each.

    Parameters
    ----------
    outcomes : (D, T) uint8 array
        By falling score: 0 false, 1 true, 2 neither.
    positives : int
        How many objects count; above 0.
    """
    hits = np.cumsum(outcomes == 1, axis=0, dtype=np.float64)
    alarms = np.cumsum(outcomes == 0, axis=0, dtype=np.float64)
    return hits / positives, hits / (alarms + hits + _TINY)


def at_recalls(recall: np.ndarray, precision: np.ndarray) -> np.ndarray:
    """Return the largest precision at each of COCO's recalls or beyond it, 0 where none is reached: (T, 101)."""
    count, thresholds = recall.shape
    falling = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    found = np.zeros((thresholds, len(RECALLS)))
    for t in range(thresholds):
        places = np.searchsorted(recall[:, t], RECALLS, "left")
        reached = places < count
        found[t, reached] = falling[places[reached], t]
    return found


def area_under(recall: np.ndarray, precision: np.ndarray) -> float:
    """Return the area under the falling precision over the recall, at all points: Pascal VOC's since 2010.

    Parameters
    ----------
    recall, precision : (D,) array
    """
    falling = np.maximum.accumulate(precision[::-1])[::-1]
    return float((np.diff(recall, prepend=0.0) * falling).sum())


def best_f1(outcomes: np.ndarray, scores: np.ndarray, positives: int) -> OperatingPoint:
    """Return the threshold of the largest F1 = 2 TP / (2 TP + FP + FN); of equal ones the highest.

    Parameters
    ----------
    outcomes : (D,) uint8 array
        As in `curves`, in any order; one or more.
    scores : (D,) array
    positives : int
    """
    order = np.argsort(-scores, kind="stable")
    sorted_scores, found = scores[order].astype(np.float64), outcomes[order]
    hits, alarms = np.cumsum(found == 1), np.cumsum(found == 0)
    f1 = 2 * hits / (hits + alarms + positives)
    following = np.append(sorted_scores[1:], 0.0)
    f1[sorted_scores == following] = -1  # a threshold does not part equal scores
    best = int(np.argmax(f1))
    lower, upper = following[best], sorted_scores[best]
    middle = float(np.float32((lower + upper) / 2))
    threshold = middle if lower <= middle < upper else float(lower)  # neighbours in float32 have no middle
    found_right, found_wrong = int(hits[best]), int(alarms[best])
    return OperatingPoint(threshold, float(f1[best]), found_right / max(found_right + found_wrong, 1),
                          found_right / positives)
