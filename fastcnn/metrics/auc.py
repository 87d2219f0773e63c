"""Areas under curves, from hits and errors at many thresholds."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import Metric
from fastcnn.metrics.comparing import like, pair, position_weights
from fastcnn.metrics.confusion import counted, share


class AUC(Metric):
    """The area under the ROC curve, or under that of precision over recall (PR), from counts at thresholds.

    Parameters
    ----------
    num_thresholds : int
        The number of thresholds, evenly spaced from 0 to 1.
    curve : str
        "ROC" or "PR".
    summation_method : str
        "interpolation" (between the points; of PR as Davis and Goadrich, 2006), "minoring" or "majoring".
    name : str, optional
    dtype : as in `Metric`
    thresholds : list of float, optional
        To use in place of evenly spaced ones.
    multi_label : bool
        Whether to take the area for each output of (N, labels), and the mean of these.
    num_labels : int, optional
        It is found from the outputs.
    label_weights : list of float, optional
        The weights of that mean, or without `multi_label` those of the outputs.
    from_logits : bool
        Whether outputs are logits, whose sigmoid is taken first.

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> metrics.AUC()(t, y)
    0.75
    """

    direction = "up"
    sums = ("_positives", "_negatives")
    shown = ("true_positives", "true_negatives", "false_positives", "false_negatives")

    def __init__(self, num_thresholds: int = 200, curve: str = "ROC", summation_method: str = "interpolation",
                 name: str | None = None, dtype: Any = None, thresholds: Sequence[float] | None = None,
                 multi_label: bool = False, num_labels: int | None = None,
                 label_weights: Sequence[float] | None = None, from_logits: bool = False) -> None:
        if thresholds is None and not (isinstance(num_thresholds, (int, np.integer)) and num_thresholds >= 2):
            raise ArgumentError(f"AUC: expected num_thresholds of at least 2, got {num_thresholds!r}")
        if curve not in ("ROC", "PR"):
            raise ArgumentError(f"AUC: curve={curve!r} is not offered; known are 'ROC' and 'PR'")
        if summation_method not in ("interpolation", "minoring", "majoring"):
            raise ArgumentError(f"AUC: summation_method={summation_method!r} is not known; known are 'interpolation', "
                                f"'minoring' and 'majoring'")
        if thresholds is None:
            inner = np.arange(1, num_thresholds - 1) / (num_thresholds - 1)
        else:
            inner = np.sort(np.asarray(thresholds, np.float64))
            inner = inner[(inner > 0) & (inner < 1)]  # as the configuration tells them: both ends are there in any case
        self._thresholds = np.array([-1e-7, *inner, 1 + 1e-7], np.float32)
        self.multi_label, self.num_labels = bool(multi_label), num_labels
        super().__init__(name, dtype)
        self.num_thresholds, self.curve, self.summation_method = len(self._thresholds), curve, summation_method
        self._given = None if thresholds is None else inner.tolist()
        self.thresholds = [0.0, *inner.tolist(), 1.0]
        self.label_weights = None if label_weights is None else [float(w) for w in label_weights]
        self.from_logits = bool(from_logits)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments; thresholds without the ends, where they were given."""
        return super().get_config() | {"thresholds": self._given}

    def _above(self, counts: np.ndarray) -> np.ndarray:
        """Return how many are above each threshold; of several labels (thresholds, labels), as Keras has them."""
        over = counts[:, ::-1].cumsum(1)[:, ::-1][:, 1:]
        return over.T if self.multi_label else over[0]

    @property
    def true_positives(self) -> np.ndarray:
        """At each threshold, how many targets of 1 have outputs above it."""
        return self._above(self._positives)

    @property
    def false_positives(self) -> np.ndarray:
        """At each threshold, how many targets of 0 have outputs above it."""
        return self._above(self._negatives)

    @property
    def false_negatives(self) -> np.ndarray:
        """At each threshold, how many targets of 1 have outputs not above it."""
        return self._positives.sum(1) - self.true_positives

    @property
    def true_negatives(self) -> np.ndarray:
        """At each threshold, how many targets of 0 have outputs not above it."""
        return self._negatives.sum(1) - self.false_positives

    def reset_state(self) -> None:
        labels = (self.num_labels if self.multi_label else 1) or 1  # of each label, once it is seen
        self._positives = self._negatives = np.zeros((labels, len(self._thresholds) + 1))

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        y_true, y_pred = pair(y_true, y_pred)
        y_pred = np.asarray(y_pred, np.float32)
        if self.from_logits:
            y_pred = 0.5 * (1 + np.tanh(0.5 * y_pred))
        y_true, y_pred = like(self, y_true, y_pred.shape), np.clip(y_pred, 0, 1)
        weights = None if sample_weight is None else np.asarray(sample_weight, np.float64)
        if weights is not None:
            weights = weights[..., None] if weights.ndim < y_pred.ndim else weights
            weights = position_weights(self, weights, y_pred.shape)
        if self.multi_label and y_pred.ndim != 2:
            raise ArgumentError(f"{self.name}: expected outputs (N, labels) with multi_label, got {y_pred.shape}")
        if self.label_weights is not None and not self.multi_label:
            own = np.asarray(self.label_weights)
            weights = np.broadcast_to(own, y_pred.shape) if weights is None else weights * own
        parts: list[Any] = [np.s_[:, k] for k in range(y_pred.shape[-1])] if self.multi_label else [np.s_[...]]
        counts = [counted(self._thresholds, y_true[part], y_pred[part], None if weights is None else weights[part])
                  for part in parts]
        self._positives = self._positives + [positives for positives, _ in counts]
        self._negatives = self._negatives + [negatives for _, negatives in counts]

    def result(self) -> float:
        """Return the area; 0 before anything was counted."""
        if not (self._positives.any() or self._negatives.any()):
            return 0.0
        areas = np.array([self._area(p, n) for p, n in zip(self._positives, self._negatives, strict=True)])
        weights = self.label_weights if self.multi_label and self.label_weights is not None else None
        return float(np.average(areas, weights=weights))

    def _area(self, positives: np.ndarray, negatives: np.ndarray) -> float:
        hits, alarms = (counts[::-1].cumsum()[::-1][1:] for counts in (positives, negatives))
        missed, quiet = positives.sum() - hits, negatives.sum() - alarms
        recall = share(hits, hits + missed)
        if self.curve == "PR" and self.summation_method == "interpolation":
            return _interpolated(hits, alarms, missed)
        if self.curve == "ROC":
            x, y = share(alarms, alarms + quiet), recall
        else:
            x, y = recall, share(hits, hits + alarms)
        return float(((x[:-1] - x[1:]) * _HEIGHTS[self.summation_method](y[:-1], y[1:])).sum())


_HEIGHTS: dict[str, Callable] = {"interpolation": lambda a, b: (a + b) / 2, "minoring": np.minimum,
                                 "majoring": np.maximum}


def _interpolated(hits: np.ndarray, alarms: np.ndarray, missed: np.ndarray) -> float:
    """Return the area under precision over recall, hits growing in a line with the outputs that are above."""
    above = hits + alarms
    more, step = hits[:-1] - hits[1:], above[:-1] - above[1:]
    slope = share(more, np.maximum(step, 0))
    start = hits[1:] - slope * above[1:]
    both = (above[:-1] > 0) & (above[1:] > 0)
    ratio = np.divide(above[:-1], above[1:], out=np.ones_like(more), where=both)
    return float(share(slope * (more + start * np.log(ratio)), np.maximum(hits[1:] + missed[1:], 0)).sum())
