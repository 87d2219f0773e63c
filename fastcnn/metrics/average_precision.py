"""Average precision of detectors: COCO's twelve numbers, and Pascal VOC's."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, DataError, unknown
from fastcnn.metrics import state
from fastcnn.metrics.base import Metric
from fastcnn.metrics.detections import AREA, CLASS, KIND, in_groups, rows_of
from fastcnn.metrics.kept import Kept
from fastcnn.metrics.precision_curves import OperatingPoint, area_under, at_recalls, best_f1, curves

_AREAS = np.array([(0.0, 1e5**2), (0.0, 32.0**2), (32.0**2, 96.0**2), (96.0**2, 1e5**2)])  # all, small, medium, large
_SIZES = {"s": 1, "m": 2, "l": 3}


class MeanAveragePrecision(Metric):
    """Average precision of boxes, the mean over classes: COCO's twelve numbers, and VOC's area under the whole curve.

    Objects and detections are rows with corners in pixels, and a class from 0; a class below 0 fills up a batch::

        object      x1, y1, x2, y2, class [, kind [, area]]      kind: 0 counts, 1 a crowd, 2 difficult
        detection   x1, y1, x2, y2, class, score

    Of the detections of an image and a class the 100 of the highest score count. Each takes the object of the largest
    IoU that none of a higher score has taken. Objects that are crowds or difficult do not count, nor does what detects
    them. The numbers are those of pycocotools; where no object is, -1.

    ==============================  ==================================================================================
    ``AP``                          mean over the thresholds of the IoU 0.50, 0.55, .. 0.95
    ``AP50``, ``AP75``              at one threshold
    ``APs``, ``APm``, ``APl``       of objects of at most 32 x 32 pixels, at most 96 x 96, and larger ones
    ``AR1``, ``AR10``, ``AR100``    the largest recall with so many detections of an image and a class
    ``ARs``, ``ARm``, ``ARl``       the largest recall of objects of these sizes
    ``VOC50``                       the area under precision over recall at all points, IoU 0.5: a detection belongs to
                                    the object of the largest IoU, and a second one of the same is false
    ==============================  ==================================================================================

    Parameters
    ----------
    measure : str
        What `result` returns, and a log shows: one of these names. `results` has all of them.
    thresholds : sequence of float, optional
        Of the IoU, in the place of COCO's ten.
    max_detections : (int, int, int)
        In the place of 1, 10 and 100.
    name : str, optional
    dtype : as in `Metric`

    Raises
    ------
    ArgumentError
        A name that is not known; thresholds that are not from 0 to 1; numbers of detections that do not rise.

    Examples
    --------
    >>> objects = [np.array([[10, 10, 50, 50, 0], [60, 20, 90, 80, 1.0]])]
    >>> detections = [np.array([[12, 10, 50, 50, 0, 0.9], [60, 20, 80, 80, 1, 0.8], [0, 0, 9, 9, 1, 0.3]])]
    >>> metric = metrics.MeanAveragePrecision()
    >>> round(metric(objects, detections), 3)
    0.7
    >>> round(metric.results()["AP50"], 3), {k: round(ap, 3) for k, ap in metric.by_class().items()}
    (1.0, {0: 1.0, 1: 0.4})

    References
    ----------
    Lin et al., "Microsoft COCO: common objects in context", 2014. Everingham et al., "The Pascal visual object classes
    challenge", 2010.
    """

    direction = "up"

    def __init__(self, measure: str = "AP", thresholds: Sequence[float] | None = None,
                 max_detections: Sequence[int] = (1, 10, 100), name: str | None = None, dtype: Any = None) -> None:
        who = type(self).__name__
        self.thresholds = None if thresholds is None else [float(t) for t in thresholds]
        self._thresholds = np.linspace(0.5, 0.95, 10) if thresholds is None else np.array(self.thresholds)
        if not self._thresholds.size or not ((self._thresholds > 0) & (self._thresholds <= 1)).all():
            raise ArgumentError(f"{who}: expected thresholds above 0 and at most 1, got {thresholds!r}")
        self.max_detections = [int(n) for n in max_detections]
        if len(self.max_detections) != 3 or min(np.diff([0, *self.max_detections])) < 1:
            raise ArgumentError(f"{who}: expected three rising max_detections, got {max_detections!r}")
        self.measure = measure
        names = ("AP", *self._at_thresholds(), *(f"AP{size}" for size in _SIZES),
                 *(f"AR{n}" for n in self.max_detections), *(f"AR{size}" for size in _SIZES), "VOC50")
        if measure not in names:
            raise ArgumentError(unknown(f"{who}: measure", measure, names))
        super().__init__(name, dtype)

    def reset_state(self) -> None:
        columns = len(_AREAS) * len(self._thresholds) + 1
        self._kept = Kept(np.zeros(0), np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros((0, columns), np.uint8))
        self._positives = np.zeros((0, len(_AREAS)), np.int64)

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        """Count a batch.

        Parameters
        ----------
        y_true, y_pred : (B, K, C) arrays, or sequences of (K, C) arrays
            Objects and detections.
        sample_weight : None
        """
        if sample_weight is not None:
            raise ArgumentError(f"{self.name}: expected no sample_weight, since every image counts once; leave it out")
        objects = rows_of(y_true, (5, 6, 7), self.name, "objects")
        detections = rows_of(y_pred, (6,), self.name, "detections")
        if objects.batch != detections.batch:
            raise ArgumentError(f"{self.name}: expected detections for each of {objects.batch} images, got those of "
                                f"{detections.batch}")
        if not np.isin(objects.rows[:, KIND], (0, 1, 2)).all():
            raise ArgumentError(f"{self.name}: expected kinds of objects 0, 1 or 2 in column {KIND}, got others")
        grouped = in_groups(objects, detections, self.max_detections[-1])
        rows, voc = _with_areas(grouped.objects), 0.5
        self._count(rows)
        outcomes = np.empty((len(grouped.detections), len(_AREAS) * len(self._thresholds) + 1), np.uint8)
        d = device.of(outcomes)
        d.kernels.match_detections(
            outcomes, np.empty((len(rows), outcomes.shape[1]), np.uint8), np.empty(len(rows)),
            np.ascontiguousarray(grouped.detections[:, :CLASS]),
            np.ascontiguousarray(rows[:, [0, 1, 2, 3, AREA, KIND]]), grouped.groups,
            np.append(self._thresholds, voc), _AREAS)
        classes = grouped.detections[:, CLASS].astype(np.int64)
        self._kept.add(grouped.scores, classes, grouped.ranks, outcomes)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        self.update_state(y_true, y_pred, sample_weight)
        return self.result()

    def results(self) -> dict[str, float]:
        """Return all numbers by name."""
        precision, recall, voc = self._tables()
        found = {"AP": _mean(precision[..., 0])}
        found |= {name: _mean(precision[:, k, 0]) for name, k in self._at_thresholds().items()}
        found |= {f"AP{size}": _mean(precision[:, :, k]) for size, k in _SIZES.items()}
        found |= {f"AR{n}": _mean(recall[:, :, 0, k]) for k, n in enumerate(self.max_detections)}
        found |= {f"AR{size}": _mean(recall[:, :, k, 2]) for size, k in _SIZES.items()}
        return found | {"VOC50": _mean(voc)}

    def result(self) -> float:
        """Return the number that `measure` names; -1 where no object was counted."""
        return self.results()[self.measure]

    def by_class(self) -> dict[int, float]:
        """Return what `measure` names for each class of which objects were counted; ``AP`` for what has sizes."""
        precision, _, voc = self._tables()
        columns = {name: precision[:, k, 0] for name, k in self._at_thresholds().items()} | {"VOC50": voc}
        table = columns.get(self.measure, precision[..., 0])
        return {int(k): _mean(table[k]) for k in np.flatnonzero(self._positives[:, 0])}

    def best_threshold(self) -> OperatingPoint:
        """Return the score above which F1 is largest, for all classes together, with F1, precision and recall there.

        At the first threshold of the IoU, 0.5 where none were given.

        Raises
        ------
        DataError
            If no object or no detection was counted.
        """
        scores, _, _, outcomes = self._kept.arrays()
        positives = int(self._positives[:, 0].sum())
        if not positives or not len(scores):
            raise DataError(f"{self.name}: expected objects and detections to choose a threshold by, got {positives} "
                            f"objects and {len(scores)} detections")
        return best_f1(outcomes[:, 0], scores, positives)

    def merge_state(self, metrics: Iterable[Metric]) -> None:
        """As `Metric.merge_state`; of equal scores those of this one come first."""
        others: list[Any] = list(metrics) if isinstance(metrics, Iterable) else [metrics]
        state.check(self, others, ())
        for other in others:
            self._add_positives(other._positives)
            self._kept.add(*other._kept.arrays())

    def get_state(self) -> dict[str, Any]:
        """As `Metric.get_state`."""
        return {"positives": self._positives.copy(), "kept": self._kept.get_state()}

    def set_state(self, state: dict[str, Any]) -> None:
        """As `Metric.set_state`."""
        self._positives = np.array(state["positives"])
        self._kept = Kept(*state["kept"])

    def _at_thresholds(self) -> dict[str, int]:
        """Return names of what is told at one threshold, and its place."""
        some = [0, 5] if self.thresholds is None else range(len(self._thresholds))
        return {f"AP{round(100 * self._thresholds[k])}": k for k in some}

    def _add_positives(self, counts: np.ndarray) -> None:
        total = np.zeros((max(len(counts), len(self._positives)), len(_AREAS)), np.int64)
        total[: len(self._positives)] += self._positives
        total[: len(counts)] += counts
        self._positives = total

    def _count(self, objects: np.ndarray) -> None:
        """Count the objects (G, 7) of each class, by ranges of areas."""
        real = objects[objects[:, KIND] == 0]
        classes = real[:, CLASS].astype(np.int64)
        within = [(low <= real[:, AREA]) & (real[:, AREA] <= high) for low, high in _AREAS]
        self._add_positives(np.stack([np.bincount(classes[some], minlength=int(classes.max(initial=-1)) + 1)
                                      for some in within], axis=1))

    def _tables(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return AP (K, T, A), the largest recall (K, T, A, 3) and VOC's AP (K,); -1 of classes without objects."""
        classes, count = len(self._positives), len(self._thresholds)
        precision, voc = np.full((classes, count, len(_AREAS)), -1.0), np.full(classes, -1.0)
        recall = np.full((*precision.shape, 3), -1.0)
        scores, labels, ranks, outcomes = self._kept.arrays()
        order = np.lexsort((-scores, labels))
        bounds = np.searchsorted(labels[order], np.arange(classes + 1))
        for k in np.flatnonzero(self._positives[:, 0]):
            own = order[bounds[k] : bounds[k + 1]]
            found, places = outcomes[own], ranks[own]
            for a in np.flatnonzero(self._positives[k]):
                positives, some = int(self._positives[k, a]), found[:, a * count : (a + 1) * count]
                precision[k, :, a] = at_recalls(*curves(some, positives)).mean(axis=1)
                for m, most in enumerate(self.max_detections):
                    recall[k, :, a, m] = (some[places < most] == 1).sum(axis=0) / positives
            voc[k] = area_under(*(one[:, 0] for one in curves(found[:, -1:], int(self._positives[k, 0]))))
        return precision, recall, voc


def _with_areas(objects: np.ndarray) -> np.ndarray:
    """Return objects (G, 7) with the areas of their boxes where none are told."""
    own = (objects[:, 2] - objects[:, 0]) * (objects[:, 3] - objects[:, 1])
    objects = objects.copy()
    objects[:, AREA] = np.where(np.isnan(objects[:, AREA]), own, objects[:, AREA])
    return objects


def _mean(values: np.ndarray) -> float:
    """Return the mean of what is told; -1 of nothing."""
    told = values[values > -1]
    return float(told.mean()) if told.size else -1.0
