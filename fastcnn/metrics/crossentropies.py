"""Cross-entropies as metrics, also called log loss: means of -log p of what is true, in nats, summed in float64."""

from typing import Any

import numpy as np

from fastcnn.metrics.base import MeanMetric
from fastcnn.metrics.class_numbers import checked
from fastcnn.metrics.comparing import like, position_weights

_LEAST = 1e-7  # Keras's epsilon: no probability is further from 0 or 1
_MOST = float(np.float32(1 - _LEAST))  # as it is to Keras, which counts in float32


class BinaryCrossentropy(MeanMetric):
    """-t log p - (1 - t) log(1 - p), the mean over the last axis and the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    from_logits : bool
        Whether outputs are logits, whose sigmoid is p.
    label_smoothing : float
        Targets are moved by this part of the way to 0.5.

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> round(metrics.BinaryCrossentropy()(t, y), 3)
    0.612
    """

    direction = "down"

    def __init__(self, name: str = "binary_crossentropy", dtype: Any = None, from_logits: bool = False,
                 label_smoothing: float = 0) -> None:
        super().__init__(name, dtype)
        self.from_logits, self.label_smoothing = bool(from_logits), label_smoothing

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        t, x = like(self, y_true, y_pred.shape).astype(np.float64), y_pred.astype(np.float64)
        t = t + self.label_smoothing * (0.5 - t)
        if self.from_logits:
            losses = np.maximum(x, 0) - t * x + np.log1p(np.exp(-np.abs(x)))
        else:
            p = np.clip(x, _LEAST, _MOST)
            losses = -t * np.log(p) - (1 - t) * np.log1p(-p)
        return losses.mean(-1)


class CategoricalCrossentropy(MeanMetric):
    """-sum(t log p) over the classes, the mean over the samples, for one-hot targets.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    from_logits : bool
        Whether outputs are logits, whose softmax is p; else p are the outputs divided by their sum.
    label_smoothing : float
        Targets are moved by this part of the way to 1 / classes.
    axis : int
        The axis of the classes.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.CategoricalCrossentropy()(t, y), 3)
    0.78
    """

    direction = "down"

    def __init__(self, name: str = "categorical_crossentropy", dtype: Any = None, from_logits: bool = False,
                 label_smoothing: float = 0, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.from_logits, self.label_smoothing, self.axis = bool(from_logits), label_smoothing, axis

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        t = like(self, y_true, y_pred.shape).astype(np.float64)
        t = t + self.label_smoothing * (1 / y_pred.shape[self.axis] - t)
        return -(t * log_probabilities(y_pred, self.from_logits, self.axis)).sum(self.axis)


class SparseCategoricalCrossentropy(MeanMetric):
    """-log p of the label, the mean over the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    from_logits : bool
        As in `CategoricalCrossentropy`.
    ignore_class : int, optional
        Positions with this label do not count, as in Keras's loss of this name.
    axis : int
        The axis of the classes.

    Examples
    --------
    >>> t, y = np.array([1, 0]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.SparseCategoricalCrossentropy()(t, y), 3)
    0.78
    """

    direction = "down"

    def __init__(self, name: str = "sparse_categorical_crossentropy", dtype: Any = None, from_logits: bool = False,
                 ignore_class: int | None = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.from_logits, self.ignore_class, self.axis = bool(from_logits), ignore_class, axis

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        if self.ignore_class is not None:
            counts = (self._labels(y_true, y_pred) != self.ignore_class).astype(np.float64)
            given = 1.0 if sample_weight is None else position_weights(self, sample_weight, counts.shape)
            sample_weight = counts * given
        super().update_state(y_true, y_pred, sample_weight)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        labels = self._labels(y_true, y_pred)
        if self.ignore_class is not None:
            labels = np.where(labels == self.ignore_class, 0, labels)
        labels = np.expand_dims(checked(self, labels, y_pred.shape[self.axis]), self.axis)
        return -np.take_along_axis(log_probabilities(y_pred, self.from_logits, self.axis), labels,
                                   self.axis).squeeze(self.axis)

    def _labels(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        positions = list(np.shape(y_pred))
        del positions[self.axis]
        return like(self, np.asarray(y_true), tuple(positions))


def log_probabilities(y_pred: np.ndarray, from_logits: bool, axis: int) -> np.ndarray:
    """Return the logarithms of probabilities in float64, of logits or of what is proportional to them.

    Parameters
    ----------
    y_pred : array
    from_logits : bool
    axis : int
        Along which probabilities add up to 1.
    """
    x = np.asarray(y_pred, np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):  # outputs of NaN, inf, or nought alone: the result is NaN
        if from_logits:
            x = x - x.max(axis, keepdims=True)
            return x - np.log(np.exp(x).sum(axis, keepdims=True))
        return np.log(np.clip(x / x.sum(axis, keepdims=True), _LEAST, _MOST))
