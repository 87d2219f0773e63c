"""The part of the targets' variance that a regression explains."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError
from fastcnn.metrics import state
from fastcnn.metrics.base import Metric
from fastcnn.metrics.comparing import like, pair, position_weights


class R2Score(Metric):
    """1 - sum (t - y)^2 / sum (t - mean t)^2, for targets (N, outputs): 1 is perfect, 0 what the mean achieves.

    Of targets that are all the same it is 1 if the outputs are, else 0.

    Parameters
    ----------
    class_aggregation : str, optional
        "uniform_average" is the mean over the outputs, "variance_weighted_average" that mean weighted by their
        variances, None an array.
    num_regressors : int
        Above 0: return the adjusted score, 1 - (1 - R2) (n - 1) / (n - num_regressors - 1). As in Keras, n counts all
        targets.
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[1.0], [2.0], [4.0]]), np.array([[1.0], [2.5], [3.5]])
    >>> round(metrics.R2Score()(t, y), 3)
    0.893
    """

    direction = "up"

    def __init__(self, class_aggregation: str | None = "uniform_average", num_regressors: int = 0,
                 name: str = "r2_score", dtype: Any = None) -> None:
        if class_aggregation not in (None, "uniform_average", "variance_weighted_average"):
            raise ArgumentError(f"{name}: class_aggregation={class_aggregation!r} is not known; known are None, "
                                f"'uniform_average' and 'variance_weighted_average'")
        if not (isinstance(num_regressors, (int, np.integer)) and num_regressors >= 0):
            raise ArgumentError(f"{name}: expected num_regressors of at least 0, got {num_regressors!r}")
        super().__init__(name, dtype)
        self.class_aggregation, self.num_regressors = class_aggregation, int(num_regressors)

    def reset_state(self) -> None:
        # Of each output: the weight, the mean of the targets, their squares about it, the squares of the errors.
        self._weight = self._mean = self._spread = self._error = np.zeros(())
        self._targets = 0

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        y_true, y_pred = pair(y_true, y_pred)
        y_pred = y_pred[:, None] if y_pred.ndim == 1 else y_pred
        if y_pred.ndim != 2:
            raise ArgumentError(f"{self.name}: expected outputs (N, outputs), got {y_pred.shape}")
        t, y = like(self, y_true, y_pred.shape).astype(np.float64), y_pred.astype(np.float64)
        if not len(t):
            return
        weights = np.ones(t.shape)
        if sample_weight is not None:
            given = np.asarray(sample_weight)
            weights = position_weights(self, given[..., None] if given.ndim == 1 else given, t.shape)
        weight = weights.sum(0)
        # About the first target, and not about 0: of years, say, the squares would hide the differences.
        about = t - t[0]
        mean = np.divide((weights * about).sum(0), weight, out=np.zeros_like(weight), where=weight != 0)
        self._include(t.size, weight, t[0] + mean, (weights * np.square(about - mean)).sum(0),
                      (weights * np.square(t - y)).sum(0))

    def merge_state(self, metrics: "Iterable[Metric]") -> None:
        others: list[Any] = list(metrics) if isinstance(metrics, Iterable) else [metrics]
        state.check(self, others, ("_spread",))
        for other in others:
            self._include(other._targets, other._weight, other._mean, other._spread, other._error)

    def _include(self, targets: int, weight: Any, mean: Any, spread: Any, error: Any) -> None:
        """Add what was counted of a part (Chan, Golub and LeVeque, "Updating formulae", 1979)."""
        both = self._weight + weight
        part = np.divide(weight, both, out=np.zeros(np.shape(both)), where=both != 0)
        distance = mean - self._mean
        self._spread = self._spread + spread + np.square(distance) * self._weight * part
        self._mean = self._mean + distance * part
        self._weight, self._error, self._targets = both, self._error + error, self._targets + targets

    def result(self) -> Any:
        """Return the score, or one for each output; 0 before anything was counted."""
        if not self._targets:
            return 0.0
        scores = 1 - np.divide(self._error, self._spread, out=np.sign(self._error), where=self._spread != 0)
        score: Any = scores
        if self.class_aggregation == "uniform_average":
            score = float(scores.mean())
        elif self.class_aggregation is not None:
            even = not self._spread.any()
            score = float(np.average(scores, weights=None if even else self._spread))
        if not self.num_regressors:
            return score
        if self._targets <= self.num_regressors + 1:
            warn(f"{self.name}: expected more than {self.num_regressors + 1} targets for {self.num_regressors} "
                 f"regressors, got {self._targets}; the score is not adjusted")
            return score
        return 1 - (1 - score) * (self._targets - 1) / (self._targets - self.num_regressors - 1)
