"""Metrics that are means over samples: accuracies and errors."""

from typing import Any

import numpy as np

from fastcnn.metrics.base import MeanMetric
from fastcnn.metrics.comparing import largest, like


class Accuracy(MeanMetric):
    """How often an output equals its target.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> metrics.Accuracy()(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 0]))
    0.75
    """

    direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return like(self, y_true, y_pred.shape) == y_pred


class BinaryAccuracy(MeanMetric):
    """How often the output is above `threshold` where the target is 1, and not above it where the target is 0.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    threshold : float

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> round(metrics.BinaryAccuracy()(t, y), 3)
    0.5
    """

    direction = "up"

    def __init__(self, name: str = "binary_accuracy", dtype: Any = None, threshold: float = 0.5) -> None:
        super().__init__(name, dtype)
        self.threshold = threshold

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return (y_pred > self.threshold) == (like(self, y_true, y_pred.shape) > 0.5)


class CategoricalAccuracy(MeanMetric):
    """How often the largest output and the largest target have the same index.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.CategoricalAccuracy()(t, y)
    0.5
    """

    direction = "up"

    def __init__(self, name: str = "categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return largest(y_pred) == like(self, y_true, y_pred.shape).argmax(-1)


class SparseCategoricalAccuracy(MeanMetric):
    """How often the largest output is the integer label.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([1, 0]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.SparseCategoricalAccuracy()(t, y)
    0.5
    """

    direction = "up"

    def __init__(self, name: str = "sparse_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return largest(y_pred) == like(self, y_true, y_pred.shape[:-1])


class SparseTopKCategoricalAccuracy(MeanMetric):
    """How often the output of the integer label is among the k largest.

    Parameters
    ----------
    k : int
    name : str
    dtype : as in `Metric`
    from_sorted_ids : bool
        Whether outputs are classes, the likeliest first, and not a number for each class.

    Examples
    --------
    >>> t, y = np.array([1, 0]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.SparseTopKCategoricalAccuracy(k=2)(t, y)
    1.0
    """

    direction = "up"

    def __init__(self, k: int = 5, name: str = "sparse_top_k_categorical_accuracy", dtype: Any = None,
                 from_sorted_ids: bool = False) -> None:
        super().__init__(name, dtype)
        self.k, self.from_sorted_ids = k, bool(from_sorted_ids)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        labels = like(self, y_true, y_pred.shape[:-1]).astype(np.int64)
        if self.from_sorted_ids:
            return (y_pred[..., :self.k] == labels[..., None]).any(-1)
        return self._within(labels, y_pred)

    def _within(self, labels: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        own = np.take_along_axis(y_pred, labels[..., None], -1)
        ahead = ~(y_pred <= own)  # NaN is ahead of all, and all are ahead of NaN
        return (ahead.sum(-1) < self.k) & (own == own)[..., 0]


class TopKCategoricalAccuracy(SparseTopKCategoricalAccuracy):
    """How often the output at the index of the largest target is among the k largest.

    Parameters
    ----------
    k : int
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.TopKCategoricalAccuracy(k=2)(t, y)
    1.0
    """

    def __init__(self, k: int = 5, name: str = "top_k_categorical_accuracy", dtype: Any = None) -> None:
        super().__init__(k, name, dtype)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "from_sorted_ids"}

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return self._within(like(self, y_true, y_pred.shape).argmax(-1), y_pred)


class MeanSquaredError(MeanMetric):
    """(y - t)^2, the mean over the last axis and the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> round(metrics.MeanSquaredError()(t, y), 3)
    2.125
    """

    direction = "down"

    def __init__(self, name: str = "mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return np.square(y_pred - like(self, y_true, y_pred.shape)).mean(-1, dtype=np.float64)


class RootMeanSquaredError(MeanMetric):
    """The root of the mean of (y - t)^2 over everything.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> round(metrics.RootMeanSquaredError()(t, y), 3)
    1.458
    """

    direction = "down"

    def __init__(self, name: str = "root_mean_squared_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return np.square(y_pred - like(self, y_true, y_pred.shape))

    def result(self) -> float:
        return super().result() ** 0.5


class MeanAbsoluteError(MeanMetric):
    """|y - t|, the mean over the last axis and the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> round(metrics.MeanAbsoluteError()(t, y), 3)
    1.25
    """

    direction = "down"

    def __init__(self, name: str = "mean_absolute_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return np.abs(y_pred - like(self, y_true, y_pred.shape)).mean(-1, dtype=np.float64)


class MeanAbsolutePercentageError(MeanMetric):
    """100 |y - t| / max(|t|, 1e-7), the mean over the last axis and the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> round(metrics.MeanAbsolutePercentageError()(t, y), 3)
    75.0
    """

    direction = "down"

    def __init__(self, name: str = "mean_absolute_percentage_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true = like(self, y_true, y_pred.shape)
        return 100 * (np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), 1e-7)).mean(-1, dtype=np.float64)


class CosineSimilarity(MeanMetric):
    """sum(t y) / (|t| |y|) over an axis: 1 for the same direction. It is the negative of the loss of this name.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    axis : int

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> round(metrics.CosineSimilarity()(t, y), 3)
    0.995
    """

    direction = "up"

    def __init__(self, name: str = "cosine_similarity", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = axis

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        y_true, y_pred = like(self, y_true, y_pred.shape).astype(np.float64), y_pred.astype(np.float64)
        lengths = np.linalg.norm(y_true, axis=self.axis), np.linalg.norm(y_pred, axis=self.axis)
        return (y_true * y_pred).sum(self.axis) / (np.maximum(lengths[0], 1e-12) * np.maximum(lengths[1], 1e-12))
