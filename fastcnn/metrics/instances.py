"""Metrics of objects that are marked pixel by pixel: which are found, and how well they are outlined."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import Metric


class Overlaps(NamedTuple):
    """How the objects of one image overlap with those that were found.

    Attributes
    ----------
    objects, found : int
        How many there are.
    pairs : (P, 2) int64 array
        Of those that overlap, by falling IoU, of equal ones in order.
    ious : (P,) float64 array
    """

    objects: int
    found: int
    pairs: np.ndarray
    ious: np.ndarray


def overlaps_of(y_true: np.ndarray, y_pred: np.ndarray) -> Overlaps:
    """Return how the objects of two maps (H, W) overlap.

    Pixels of a negative target do not count, and what was found is left out if most of it lies there.
    """
    unknown = y_true < 0
    _, found_all, sizes_all = np.unique(y_pred[y_pred > 0], return_inverse=True, return_counts=True)
    lost = np.bincount(found_all, unknown[y_pred > 0], len(sizes_all)) * 2 > sizes_all
    places = np.zeros(y_pred.shape, np.int64)
    numbers = np.where(lost, 0, np.cumsum(~lost))
    places[y_pred > 0] = numbers[found_all]
    known = ~unknown
    names, objects = np.unique(np.where(y_true > 0, y_true, 0)[known], return_inverse=True)
    objects = objects.reshape(-1) + (0 if len(names) and names[0] == 0 else 1)
    found, count, most = places[known], int(objects.max(initial=0)), int((~lost).sum())
    keys, both = np.unique(objects * (most + 1) + found, return_counts=True)
    t, p = np.divmod(keys, most + 1)
    of_object, of_found = (np.bincount(k, both, n + 1) for k, n in ((t, count), (p, most)))
    real = (t > 0) & (p > 0)
    t, p, both = t[real], p[real], both[real]
    ious = both / (of_object[t] + of_found[p] - both)
    order = np.lexsort((p, t, -ious))
    return Overlaps(count, most, np.stack([t, p], axis=1)[order] - 1, ious[order])


def matched(overlaps: Overlaps, threshold: float) -> np.ndarray:
    """Return the IoUs of the pairs that match: from the largest down, each object and each that was found once."""
    some = overlaps.ious >= threshold
    pairs, ious = overlaps.pairs[some], overlaps.ious[some]
    taken, kept = (set[int](), set[int]()), list[float]()
    for (t, p), iou in zip(pairs.tolist(), ious.tolist(), strict=True):
        if t not in taken[0] and p not in taken[1]:
            taken[0].add(t)
            taken[1].add(p)
            kept.append(iou)
    return np.array(kept)


class _Instances(Metric):
    """The base of metrics of maps in which each object has a number above 0."""

    direction = "up"

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        """Count a batch.

        Parameters
        ----------
        y_true, y_pred : (N, H, W) or (N, H, W, 1) arrays of int, or sequences of (H, W) arrays
            0 is background, each object has a number of its own above it. Where the target is negative, nobody knows.
        sample_weight : None
        """
        if sample_weight is not None:
            raise ArgumentError(f"{self.name}: expected no sample_weight, since every object counts once; leave it out")
        if len(y_true) != len(y_pred):
            raise ArgumentError(f"{self.name}: expected as many maps as targets, got {len(y_pred)} for {len(y_true)}")
        for true, pred in zip(y_true, y_pred, strict=True):
            self._count(overlaps_of(self._map(true), self._map(pred, np.shape(true))))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> float:
        self.update_state(y_true, y_pred, sample_weight)
        return float(self.result())

    def _map(self, given: Any, like: Any = None) -> np.ndarray:
        found = np.asarray(given)
        found = found[..., 0] if found.ndim == 3 and found.shape[2] == 1 else found
        if found.ndim != 2 or found.dtype.kind not in "bui":
            raise ArgumentError(f"{self.name}: expected maps (H, W) of int, a number for each object, got "
                                f"{found.dtype} {found.shape}; scipy.ndimage.label numbers the parts of a mask")
        if like is not None and like[:2] != found.shape:
            raise ArgumentError(f"{self.name}: expected maps of the size of their targets {like[:2]}, got "
                                f"{found.shape}")
        return found.astype(np.int64)

    def _count(self, overlaps: Overlaps) -> None:
        raise NotImplementedError


class InstanceAP(_Instances):
    """TP / (TP + FP + FN) of objects marked pixel by pixel, the mean over thresholds of the IoU.

    An object and what was found match if their IoU is at least the threshold: pairs from the largest IoU down, each
    object once and each that was found once (from 0.5 on there is at most one to choose from but for ties). This is
    the score of the Data Science Bowl 2018, of StarDist and of Cellpose; it is not COCO's average precision, since
    nothing has a score.

    Parameters
    ----------
    thresholds : float or sequence of float, optional
        0.50, 0.55, .. 0.95 if absent.
    by_image : bool
        The mean over images, as in the Data Science Bowl; otherwise counts are added up, as StarDist does it. Images
        with no object on which none was found do not count.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> objects = np.array([[[1, 1, 0, 2, 2, 2]]])
    >>> found = np.array([[[7, 7, 0, 0, 5, 5]]])
    >>> metric = metrics.InstanceAP([0.5, 0.7])
    >>> round(metric(objects, found), 3), metric.results()["AP"].round(3).tolist()
    (0.667, [1.0, 0.333])
    """

    sums = ("_hits", "_alarms", "_misses", "_shares", "_images")

    def __init__(self, thresholds: float | Sequence[float] | None = None, by_image: bool = False,
                 name: str | None = None, dtype: Any = None) -> None:
        self.thresholds = thresholds if thresholds is None or isinstance(thresholds, (int, float)) else [
            float(t) for t in thresholds]
        self._thresholds = np.atleast_1d(np.linspace(0.5, 0.95, 10) if thresholds is None else np.array(thresholds))
        if not self._thresholds.size or not ((self._thresholds > 0) & (self._thresholds <= 1)).all():
            raise ArgumentError(f"{type(self).__name__}: expected thresholds above 0 and at most 1, got {thresholds!r}")
        self.by_image = bool(by_image)
        super().__init__(name, dtype)

    def reset_state(self) -> None:
        self._hits, self._alarms, self._misses, self._shares = np.zeros((4, len(self._thresholds)))
        self._images = 0.0

    def _count(self, overlaps: Overlaps) -> None:
        hits = np.array([len(matched(overlaps, t)) for t in self._thresholds], np.float64)
        alarms, misses = overlaps.found - hits, overlaps.objects - hits
        self._hits, self._alarms, self._misses = self._hits + hits, self._alarms + alarms, self._misses + misses
        if overlaps.found or overlaps.objects:
            self._shares, self._images = self._shares + hits / (hits + alarms + misses), self._images + 1

    def result(self) -> float:
        """Return the mean over the thresholds; 0 before anything was counted."""
        return float(self.results()["AP"].mean())

    def results(self) -> dict[str, np.ndarray]:
        """Return ``AP``, ``precision``, ``recall`` and ``F1`` at each threshold; all but AP of counts added up."""
        hits, alarms, misses = self._hits, self._alarms, self._misses
        ap = self._shares / max(1, self._images) if self.by_image else _share(hits, hits + alarms + misses)
        return {"AP": ap, "precision": _share(hits, hits + alarms), "recall": _share(hits, hits + misses),
                "F1": _share(2 * hits, 2 * hits + alarms + misses)}


class PanopticQuality(_Instances):
    """Panoptic quality of one class: the sum of the IoUs of the objects that are found over TP + FP / 2 + FN / 2.

    What overlaps by more than half of the union is found: no more than one can. Kirillov et al., "Panoptic
    segmentation", 2019.

    Parameters
    ----------
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> objects = np.array([[[1, 1, 0, 2, 2, 2]]])
    >>> found = np.array([[[7, 7, 0, 0, 5, 5]]])
    >>> metric = metrics.PanopticQuality()
    >>> round(metric(objects, found), 3), round(metric.segmentation_quality, 3), metric.recognition_quality
    (0.833, 0.833, 1.0)
    """

    sums = ("_total", "_hits", "_alarms", "_misses")

    def reset_state(self) -> None:
        self._total, self._hits, self._alarms, self._misses = 0.0, 0.0, 0.0, 0.0

    def _count(self, overlaps: Overlaps) -> None:
        ious = overlaps.ious[overlaps.ious > 0.5]
        self._total, self._hits = self._total + float(ious.sum()), self._hits + len(ious)
        self._alarms, self._misses = self._alarms + overlaps.found - len(ious), self._misses + overlaps.objects - len(
            ious)

    def result(self) -> float:
        """Return the quality; 0 before anything was counted."""
        return self.segmentation_quality * self.recognition_quality

    @property
    def segmentation_quality(self) -> float:
        """The mean IoU of what is found."""
        return self._total / self._hits if self._hits else 0.0

    @property
    def recognition_quality(self) -> float:
        """The F1 score of what is found."""
        return float(_share(2 * self._hits, 2 * self._hits + self._alarms + self._misses))


def _share(part: Any, whole: Any) -> Any:
    """Return part / whole, 0 where there is nothing."""
    return np.where(np.asarray(whole) > 0, part / np.maximum(whole, 1), 0.0)
