"""Metrics of errors as functions of positions, and the means of two that `means` has not."""

from typing import Any

import numpy as np

from fastcnn.metrics.base import MeanMetric
from fastcnn.metrics.comparing import alike

_SMALL = 1e-7


def mean_squared_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return (y - t)^2, the mean over the last axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> metrics.mean_squared_error(t, y)
    array([2.125])
    """
    y_true, y_pred = alike(y_true, y_pred)
    return np.square(y_pred - y_true).mean(-1)


def mean_absolute_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return |y - t|, the mean over the last axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> metrics.mean_absolute_error(t, y)
    array([1.25])
    """
    y_true, y_pred = alike(y_true, y_pred)
    return np.abs(y_pred - y_true).mean(-1)


def mean_absolute_percentage_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return 100 |y - t| / max(|t|, 1e-7), the mean over the last axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> metrics.mean_absolute_percentage_error(t, y)
    array([75.])
    """
    y_true, y_pred = alike(y_true, y_pred)
    return 100 * (np.abs(y_pred - y_true) / np.maximum(np.abs(y_true), _SMALL)).mean(-1)


def mean_squared_logarithmic_error(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return (log(1 + max(y, 1e-7)) - log(1 + max(t, 1e-7)))^2, the mean over the last axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> metrics.mean_squared_logarithmic_error(t, y).round(3)
    array([0.155])
    """
    y_true, y_pred = (np.log1p(np.maximum(y, _SMALL)) for y in alike(y_true, y_pred))
    return np.square(y_pred - y_true).mean(-1)


def log_cosh(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return log(cosh(y - t)), the mean over the last axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> metrics.log_cosh(t, y).round(3)
    array([0.723])
    """
    y_true, y_pred = alike(y_true, y_pred)
    x = np.abs(y_pred - y_true)
    return (x + np.log1p(np.exp(-2 * x)) - np.log(2)).mean(-1)


def huber(y_true: Any, y_pred: Any, delta: float = 1.0) -> np.ndarray:
    """Return (y - t)^2 / 2 up to delta, and a straight line beyond: the mean over the last axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    delta : float

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> metrics.huber(t, y)
    array([0.8125])
    """
    y_true, y_pred = alike(y_true, y_pred)
    x = np.abs(y_pred - y_true)
    return np.where(x <= delta, x * x / 2, delta * (x - delta / 2)).mean(-1)


class MeanSquaredLogarithmicError(MeanMetric):
    """(log(1 + y) - log(1 + t))^2, the mean over the last axis and the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> round(metrics.MeanSquaredLogarithmicError()(t, y), 3)
    0.155
    """

    direction = "down"

    def __init__(self, name: str = "mean_squared_logarithmic_error", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return mean_squared_logarithmic_error(y_true, y_pred)


class LogCoshError(MeanMetric):
    """log(cosh(y - t)), the mean over the last axis and the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> round(metrics.LogCoshError()(t, y), 3)
    0.723
    """

    direction = "down"

    def __init__(self, name: str = "logcosh", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return log_cosh(y_true, y_pred)
