"""Metrics of margins: hinges, each as a function of positions and as their mean."""

from typing import Any

import numpy as np

from fastcnn.metrics.base import MeanMetric
from fastcnn.metrics.comparing import alike


def hinge(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return max(1 - t y, 0), the mean over the last axis, for targets -1 and 1; 0 counts as -1 where all are 0 or 1.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.hinge(t, y).round(3)
    array([0.867, 1.133])
    """
    return np.maximum(1 - _signed(y_true, y_pred), 0).mean(-1)


def squared_hinge(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return max(1 - t y, 0)^2, the mean over the last axis; targets as of `hinge`.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.squared_hinge(t, y).round(3)
    array([0.913, 1.42 ])
    """
    return np.square(np.maximum(1 - _signed(y_true, y_pred), 0)).mean(-1)


def categorical_hinge(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return max(1 + max_k (1 - t_k) y_k - sum_k t_k y_k, 0), for one-hot targets.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.categorical_hinge(t, y).round(3)
    array([0.5, 1.3])
    """
    y_true, y_pred = alike(y_true, y_pred)
    others, own = ((1 - y_true) * y_pred).max(-1), (y_true * y_pred).sum(-1)
    return np.maximum(others - own + 1, 0)


def _signed(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return t y, with targets of 0 and 1 as -1 and 1."""
    y_true, y_pred = alike(y_true, y_pred)
    return (2 * y_true - 1 if ((y_true == 0) | (y_true == 1)).all() else y_true) * y_pred


class Hinge(MeanMetric):
    """max(1 - t y, 0), the mean over the last axis and the samples; targets as of `hinge`.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.Hinge()(t, y), 3)
    1.0
    """

    direction = "down"

    def __init__(self, name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return hinge(y_true, y_pred)


class SquaredHinge(MeanMetric):
    """max(1 - t y, 0)^2, the mean over the last axis and the samples; targets as of `hinge`.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.SquaredHinge()(t, y), 3)
    1.167
    """

    direction = "down"

    def __init__(self, name: str = "squared_hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return squared_hinge(y_true, y_pred)


class CategoricalHinge(MeanMetric):
    """max(1 + max_k (1 - t_k) y_k - sum_k t_k y_k, 0), for one-hot targets: the mean over the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.CategoricalHinge()(t, y), 3)
    0.9
    """

    direction = "down"

    def __init__(self, name: str = "categorical_hinge", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return categorical_hinge(y_true, y_pred)
