"""Accuracies as functions of positions: 1 where the output says its target, else 0."""

from typing import Any

import numpy as np

from fastcnn.metrics import means
from fastcnn.metrics.comparing import pair


def binary_accuracy(y_true: Any, y_pred: Any, threshold: float = 0.5) -> np.ndarray:
    """Return how many outputs are on the side of `threshold` where their targets are: the mean over the last axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    threshold : float

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.binary_accuracy(t, y).round(3)
    array([1.   , 0.333], dtype=float32)
    """
    hits: np.ndarray = means.BinaryAccuracy(threshold=threshold).values(*pair(y_true, y_pred))
    return hits.mean(-1, dtype=np.float32)


def categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return whether the largest output and the largest target have the same index.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.categorical_accuracy(t, y)
    array([1., 0.], dtype=float32)
    """
    return means.CategoricalAccuracy().values(*pair(y_true, y_pred)).astype(np.float32)


def sparse_categorical_accuracy(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return whether the largest output is the integer label.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.sparse_categorical_accuracy([1, 0], y)
    array([1., 0.], dtype=float32)
    """
    return means.SparseCategoricalAccuracy().values(*pair(y_true, y_pred)).astype(np.float32)


def top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> np.ndarray:
    """Return whether the output at the index of the largest target is among the k largest.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    k : int

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.top_k_categorical_accuracy(t, y, k=2)
    array([1., 1.], dtype=float32)
    """
    return means.TopKCategoricalAccuracy(k).values(*pair(y_true, y_pred)).astype(np.float32)


def sparse_top_k_categorical_accuracy(y_true: Any, y_pred: Any, k: int = 5) -> np.ndarray:
    """Return whether the output of the integer label is among the k largest.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    k : int

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.sparse_top_k_categorical_accuracy([1, 0], y, k=2)
    array([1., 1.], dtype=float32)
    """
    return means.SparseTopKCategoricalAccuracy(k).values(*pair(y_true, y_pred)).astype(np.float32)
