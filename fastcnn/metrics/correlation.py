"""How outputs and targets go together along an axis: Pearson's and Lin's coefficients."""

from typing import Any

import numpy as np

from fastcnn.metrics.base import MeanMetric
from fastcnn.metrics.comparing import alike


def pearson_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> np.ndarray:
    """Return Pearson's coefficient: the covariance over both standard deviations.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    axis : int or tuple of int

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0.5], [1, 1, 0.2]]), np.array([[0.1, 0.9, 0.5], [1, 0.9, 0.2]])
    >>> metrics.pearson_correlation(t, y).round(3)
    array([1.   , 0.993])
    """
    y_true, y_pred = (y - y.mean(axis, keepdims=True) for y in alike(y_true, y_pred))
    with np.errstate(invalid="ignore"):  # what does not vary has no coefficient: NaN, as in Keras
        return (y_true * y_pred).mean(axis) / (y_true.std(axis) * y_pred.std(axis))


def concordance_correlation(y_true: Any, y_pred: Any, axis: int = -1) -> np.ndarray:
    """Return Lin's coefficient: 2 cov / (var(t) + var(y) + (mean(t) - mean(y))^2 + 1e-7).

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    axis : int or tuple of int

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0.5], [1, 1, 0.2]]), np.array([[0.1, 0.9, 0.5], [1, 0.9, 0.2]])
    >>> metrics.concordance_correlation(t, y).round(3)
    array([0.976, 0.988])
    """
    y_true, y_pred = alike(y_true, y_pred)
    apart = np.square(y_true.mean(axis) - y_pred.mean(axis))
    about = y_pred.mean(axis, keepdims=True)
    together = ((y_true - about) * (y_pred - about)).mean(axis)
    return 2 * together / (y_true.var(axis) + y_pred.var(axis) + apart + 1e-7)


class PearsonCorrelation(MeanMetric):
    """Pearson's coefficient along an axis: the mean over the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    axis : int or tuple of int

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0.5], [1, 1, 0.2]]), np.array([[0.1, 0.9, 0.5], [1, 0.9, 0.2]])
    >>> round(metrics.PearsonCorrelation()(t, y), 3)
    0.997
    """

    direction = "up"

    def __init__(self, name: str = "pearson_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = axis

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return pearson_correlation(y_true, y_pred, self.axis)


class ConcordanceCorrelation(MeanMetric):
    """Lin's coefficient along an axis: the mean over the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    axis : int or tuple of int

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0.5], [1, 1, 0.2]]), np.array([[0.1, 0.9, 0.5], [1, 0.9, 0.2]])
    >>> round(metrics.ConcordanceCorrelation()(t, y), 3)
    0.982
    """

    direction = "up"

    def __init__(self, name: str = "concordance_correlation", dtype: Any = None, axis: int = -1) -> None:
        super().__init__(name, dtype)
        self.axis = axis

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return concordance_correlation(y_true, y_pred, self.axis)
