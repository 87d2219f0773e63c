"""F-scores: precision and recall of each class as one number."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import Metric
from fastcnn.metrics.comparing import position_weights


class FBetaScore(Metric):
    """(1 + beta^2) precision recall / (beta^2 precision + recall), of each class, for targets (N, classes).

    Parameters
    ----------
    average : str, optional
        "micro" counts all classes together. "macro" is the mean over the classes, and "weighted" that mean weighted by
        how often they occur. None gives an array.
    beta : float
    threshold : float, optional
        Outputs above it count as positive. None takes the largest output of each sample.
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.FBetaScore(average="macro", beta=2)(t, y), 3)
    0.278
    """

    direction = "up"
    sums = ("_hits", "_wrong", "_missed", "_own")

    def __init__(self, average: str | None = None, beta: float = 1.0, threshold: float | None = None,
                 name: str = "fbeta_score", dtype: Any = None) -> None:
        if average not in (None, "micro", "macro", "weighted"):
            raise ArgumentError(f"{name}: average={average!r} is not known; known are None, 'micro', 'macro', "
                                f"'weighted'")
        if not isinstance(beta, (int, float)) or not beta > 0:
            raise ArgumentError(f"{name}: expected a positive number for beta, got {beta!r}")
        if threshold is not None and not (isinstance(threshold, (int, float)) and 0 < threshold <= 1):
            raise ArgumentError(f"{name}: expected a threshold above 0, up to 1, got {threshold!r}")
        super().__init__(name, dtype)
        self.average, self.beta, self.threshold = average, float(beta), threshold

    def reset_state(self) -> None:
        self._hits = self._wrong = self._missed = self._own = np.zeros(())

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        if y_pred.ndim != 2 or y_true.shape != y_pred.shape:
            raise ArgumentError(f"{self.name}: expected targets and outputs (N, classes), got {y_true.shape} "
                                f"and {y_pred.shape}")
        if self.threshold is None:
            said = (y_pred >= y_pred.max(-1, keepdims=True)) & (np.abs(y_pred) > 1e-9)
        else:
            said = y_pred > self.threshold
        said, wanted = said.astype(np.float64), y_true.astype(np.float64)
        weights = 1.0 if sample_weight is None else position_weights(self, sample_weight, y_pred.shape)
        axis = None if self.average == "micro" else 0
        self._hits = self._hits + (said * wanted * weights).sum(axis)
        self._wrong = self._wrong + (said * (1 - wanted) * weights).sum(axis)
        self._missed = self._missed + ((1 - said) * wanted * weights).sum(axis)
        self._own = self._own + (wanted * weights).sum(axis)

    def result(self) -> Any:
        precision = self._hits / (self._hits + self._wrong + 1e-7)
        recall = self._hits / (self._hits + self._missed + 1e-7)
        score = (1 + self.beta**2) * precision * recall / (self.beta**2 * precision + recall + 1e-7)
        if self.average == "weighted":
            return float((score * self._own / (self._own.sum() + 1e-7)).sum())
        return score if self.average is None else float(score.mean())


class F1Score(FBetaScore):
    """2 precision recall / (precision + recall), of each class, for targets (N, classes).

    Parameters
    ----------
    average, threshold, name, dtype : as in `FBetaScore`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.F1Score()(t, y).round(3)
    array([0.   , 0.667, 0.   ])
    """

    def __init__(self, average: str | None = None, threshold: float | None = None, name: str = "f1_score",
                 dtype: Any = None) -> None:
        super().__init__(average, 1.0, threshold, name, dtype)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "beta"}
