"""Metrics of yes-or-no answers: what is counted are hits and errors at thresholds.

For sorted thresholds an output is counted once, at the number of thresholds that it exceeds; sums from the end of
these counts then give the hits at every threshold.
"""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import Metric
from fastcnn.metrics.comparing import has_nan, like, pair, position_weights


class _Counts(Metric):
    """True and false positives and negatives at each threshold."""

    sums = ("_positives", "_negatives")

    def __init__(self, thresholds: Any, default: float, top_k: int | None, class_id: int | None, name: str | None,
                 dtype: Any) -> None:
        given = [default] if thresholds is None else np.atleast_1d(thresholds).tolist()
        if thresholds is not None and not all(isinstance(t, (int, float)) and 0 <= t <= 1 for t in given):
            raise ArgumentError(f"{type(self).__name__}: expected thresholds from 0 to 1, got {thresholds!r}")
        # The outputs' own type: 0.1 of float32 does not exceed 0.1.
        self._order = np.argsort(given, kind="stable")
        self._sorted = np.asarray(given, np.float32)[self._order]
        self._top_k, self._class_id = top_k, class_id
        super().__init__(name, dtype)

    def reset_state(self) -> None:
        self._positives, self._negatives = np.zeros((2, len(self._sorted) + 1))

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        y_true, y_pred = pair(y_true, y_pred)
        y_pred = np.asarray(y_pred, np.float32)
        y_true = like(self, y_true, y_pred.shape)
        if self._class_id is not None and not (y_pred.ndim > 1 and -y_pred.shape[-1] <= self._class_id
                                               < y_pred.shape[-1]):
            raise ArgumentError(f"{self.name}: expected outputs (N, classes) with class_id={self._class_id} among the "
                                f"classes, got {y_pred.shape}")
        weights = None
        if sample_weight is not None:
            weights = np.asarray(sample_weight)
            weights = weights[..., None] if weights.ndim < y_pred.ndim else weights
            weights = position_weights(self, weights, y_pred.shape)
        if self._top_k is not None:
            y_pred = np.where(_largest(y_pred, self._top_k), y_pred, -np.inf)
        if self._class_id is not None:
            y_true, y_pred = y_true[..., self._class_id], y_pred[..., self._class_id]
            weights = None if weights is None else weights[..., self._class_id]
        positives, negatives = counted(self._sorted, y_true, y_pred, weights)
        self._positives += positives
        self._negatives += negatives

    @property
    def true_positives(self) -> np.ndarray:
        """At each threshold, how many targets of 1 have outputs above it."""
        return self._at(self._positives, True)

    @property
    def false_positives(self) -> np.ndarray:
        """At each threshold, how many targets of 0 have outputs above it."""
        return self._at(self._negatives, True)

    @property
    def true_negatives(self) -> np.ndarray:
        """At each threshold, how many targets of 0 have outputs not above it."""
        return self._at(self._negatives, False)

    @property
    def false_negatives(self) -> np.ndarray:
        """At each threshold, how many targets of 1 have outputs not above it."""
        return self._at(self._positives, False)

    def _at(self, counts: np.ndarray, above: bool) -> np.ndarray:
        """Return how many outputs are above each threshold, or not, in the order in which thresholds were given."""
        over = counts[::-1].cumsum()[::-1][1:]
        result = np.empty(len(over))
        result[self._order] = over if above else counts.sum() - over
        return result

    @staticmethod
    def _plain(result: np.ndarray) -> Any:
        return float(result[0]) if len(result) == 1 else result


def counted(thresholds: np.ndarray, y_true: np.ndarray, y_pred: np.ndarray, weights: np.ndarray | None
            ) -> tuple[np.ndarray, np.ndarray]:
    """Return the weight of the outputs that exceed 0, 1, ... thresholds: of positive targets, and of the others.

    Parameters
    ----------
    thresholds : (T,) array
        Sorted.
    y_true, y_pred : arrays
    weights : array, optional
    """
    flat = y_pred.reshape(-1)
    place = np.searchsorted(thresholds, flat, side="left")
    if has_nan(flat):
        place[np.isnan(flat)] = 0  # it exceeds none of them
    positive = y_true.reshape(-1) != 0
    weights = np.ones(place.size) if weights is None else weights.reshape(-1)
    many = len(thresholds) + 1
    return (np.bincount(place[positive], weights[positive], many),
            np.bincount(place[~positive], weights[~positive], many))


def _largest(y_pred: np.ndarray, k: int) -> np.ndarray:
    """Return which are the k largest of each sample; NaN counts as the largest, and so is no hit."""
    if has_nan(y_pred):
        y_pred = np.where(np.isnan(y_pred), np.inf, y_pred)
    places = np.argpartition(-y_pred, min(k, y_pred.shape[-1]) - 1, axis=-1)[..., :k]
    inside = np.zeros(y_pred.shape, bool)
    np.put_along_axis(inside, places, True, -1)
    return inside


def share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """Return part / whole, 0 where the whole is."""
    return np.divide(part, whole, out=np.zeros_like(part), where=whole != 0)


class _Condition(_Counts):
    """One of the four counts, which `shown` names."""

    def __init__(self, thresholds: Any = None, name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, 0.5, None, None, name, dtype)
        self.thresholds = thresholds

    def result(self) -> Any:
        return self._plain(getattr(self, self.shown[0]))


class TruePositives(_Condition):
    """True positives: targets of 1 whose output is above the threshold.

    Parameters
    ----------
    thresholds : float or list of float, optional
        The default is 0.5. A list gives an array of results.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> metrics.TruePositives()(t, y)
    1.0
    """

    shown = ("true_positives",)


class FalsePositives(_Condition):
    """False positives: targets of 0 whose output is above the threshold.

    Parameters
    ----------
    thresholds : float or list of float, optional
        The default is 0.5. A list gives an array of results.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> metrics.FalsePositives()(t, y)
    1.0
    """

    shown = ("false_positives",)


class TrueNegatives(_Condition):
    """True negatives: targets of 0 whose output is not above the threshold.

    Parameters
    ----------
    thresholds : float or list of float, optional
        The default is 0.5. A list gives an array of results.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> metrics.TrueNegatives()(t, y)
    1.0
    """

    shown = ("true_negatives",)


class FalseNegatives(_Condition):
    """False negatives: targets of 1 whose output is not above the threshold.

    Parameters
    ----------
    thresholds : float or list of float, optional
        The default is 0.5. A list gives an array of results.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> metrics.FalseNegatives()(t, y)
    1.0
    """

    shown = ("false_negatives",)


class Precision(_Counts):
    """The fraction of outputs above the threshold whose targets are 1.

    Parameters
    ----------
    thresholds : float or list of float, optional
        The default is 0.5, or none with `top_k`. A list gives an array of results.
    top_k : int, optional
        Only the k largest outputs of each sample count as above.
    class_id : int, optional
        The only output to count.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> metrics.Precision()(t, y)
    0.5
    """

    direction = "up"
    shown = ("true_positives", "false_positives")

    def __init__(self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, 0.5 if top_k is None else -1e10, top_k, class_id, name, dtype)
        self.thresholds, self.top_k, self.class_id = thresholds, top_k, class_id

    def result(self) -> Any:
        return self._plain(share(self.true_positives, self.true_positives + self.false_positives))


class Recall(_Counts):
    """The fraction of targets of 1 whose outputs are above the threshold.

    Parameters
    ----------
    thresholds, top_k, class_id, name, dtype : as in `Precision`

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> metrics.Recall()(t, y)
    0.5
    """

    direction = "up"
    shown = ("true_positives", "false_negatives")

    def __init__(self, thresholds: Any = None, top_k: int | None = None, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:
        super().__init__(thresholds, 0.5 if top_k is None else -1e10, top_k, class_id, name, dtype)
        self.thresholds, self.top_k, self.class_id = thresholds, top_k, class_id

    def result(self) -> Any:
        return self._plain(share(self.true_positives, self.true_positives + self.false_negatives))
