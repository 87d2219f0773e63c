"""From detections that are true or false to average precision: COCO's 101 points, and the whole area."""

import numpy as np

#: The recalls at which COCO looks at the precision.
RECALLS = np.linspace(0, 1, 101)
_TINY = np.spacing(1)


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
