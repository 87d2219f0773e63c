"""Cross-entropies and other measures of probabilities, as functions of positions; divergence and Poisson as means."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import MeanMetric
from fastcnn.metrics.comparing import alike, pair
from fastcnn.metrics.crossentropies import log_probabilities

_SMALL = 1e-7
_LARGE = float(np.float32(1 - _SMALL))  # as it is to Keras, which counts in float32


def binary_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0,
                        axis: int = -1) -> np.ndarray:
    """Return -(t log p + (1 - t) log(1 - p)), the mean over an axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    from_logits : bool
        Whether outputs are logits.
    label_smoothing : float
    axis : int
        That of the mean.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.binary_crossentropy(t, y).round(3)
    array([0.228, 0.742])
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = y_true * (1 - label_smoothing) + label_smoothing / 2
    return _binary(y_true, y_pred, from_logits).mean(axis)


def binary_focal_crossentropy(y_true: Any, y_pred: Any, apply_class_balancing: bool = False, alpha: float = 0.25,
                              gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
                              axis: int = -1) -> np.ndarray:
    """Return (1 - p_t)^gamma times the binary cross-entropy, as `fastcnn.losses.BinaryFocalCrossentropy`.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    apply_class_balancing : bool
        Whether ones are multiplied by alpha and zeros by 1 - alpha.
    alpha, gamma : float
    from_logits : bool
        Whether outputs are logits.
    label_smoothing : float
    axis : int
        That of the mean.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.binary_focal_crossentropy(t, y).round(3)
    array([0.014, 0.307])
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = y_true * (1 - label_smoothing) + label_smoothing / 2
    p = np.exp(-np.logaddexp(0, -y_pred)) if from_logits else y_pred
    hit = y_true * p + (1 - y_true) * (1 - p)
    focal: np.ndarray = (1 - hit) ** gamma * _binary(y_true, p, False)
    if apply_class_balancing:
        focal = focal * (y_true * alpha + (1 - y_true) * (1 - alpha))
    return focal.mean(axis)


def categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False, label_smoothing: float = 0.0,
                             axis: int = -1) -> np.ndarray:
    """Return -sum t log p over the classes, for one-hot targets.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    from_logits : bool
        Whether outputs are logits.
    label_smoothing : float
    axis : int
        That of the classes.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.categorical_crossentropy(t, y).round(3)
    array([0.357, 1.204])
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[axis]
    return -(y_true * log_probabilities(y_pred, from_logits, axis)).sum(axis)


def categorical_focal_crossentropy(y_true: Any, y_pred: Any, alpha: float = 0.25, gamma: float = 2.0,
                                   from_logits: bool = False, label_smoothing: float = 0.0,
                                   axis: int = -1) -> np.ndarray:
    """Return -sum alpha (1 - p)^gamma t log p over the classes, as `fastcnn.losses.CategoricalFocalCrossentropy`.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    alpha, gamma : float
    from_logits : bool
        Whether outputs are logits.
    label_smoothing : float
    axis : int
        That of the classes.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.categorical_focal_crossentropy(t, y).round(3)
    array([0.008, 0.147])
    """
    y_true, y_pred = alike(y_true, y_pred)
    y_true = y_true * (1 - label_smoothing) + label_smoothing / y_true.shape[axis]
    logs = log_probabilities(y_pred, from_logits, axis)
    return -(alpha * (1 - np.exp(logs)) ** gamma * y_true * logs).sum(axis)


def sparse_categorical_crossentropy(y_true: Any, y_pred: Any, from_logits: bool = False,
                                    ignore_class: int | None = None, axis: int = -1) -> np.ndarray:
    """Return -log p of the label, for targets that are numbers of classes.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape
    from_logits : bool
        Whether outputs are logits.
    ignore_class : int, optional
        Positions with this label have 0.
    axis : int
        That of the classes.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.sparse_categorical_crossentropy([1, 0], y).round(3)
    array([0.357, 1.204])
    """
    y_true, y_pred = pair(y_true, y_pred)
    logs = np.moveaxis(log_probabilities(y_pred.astype(np.float64), from_logits, axis), axis, -1)
    if y_true.size != logs[..., 0].size:
        raise ArgumentError(f"sparse_categorical_crossentropy: expected targets of shape {logs.shape[:-1]}, "
                            f"got {y_true.shape}")
    labels = y_true.reshape(logs.shape[:-1]).astype(np.int64)
    known = np.ones(labels.shape, bool) if ignore_class is None else labels != ignore_class
    found = np.take_along_axis(logs, np.where(known, labels, 0)[..., None], -1)[..., 0]
    return np.where(known, -found, 0.0)


def kl_divergence(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return sum t log(t / p) over the last axis, both clipped to [1e-7, 1].

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.kl_divergence(t, y).round(3)
    array([0.357, 1.204])
    """
    y_true, y_pred = (np.clip(y, _SMALL, 1) for y in alike(y_true, y_pred))
    return (y_true * np.log(y_true / y_pred)).sum(-1)


def poisson(y_true: Any, y_pred: Any) -> np.ndarray:
    """Return y - t log(y + 1e-7), the mean over the last axis.

    Parameters
    ----------
    y_true, y_pred : arrays of one shape

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> metrics.poisson(t, y).round(3)
    array([0.452, 0.735])
    """
    y_true, y_pred = alike(y_true, y_pred)
    return (y_pred - y_true * np.log(y_pred + _SMALL)).mean(-1)


def _binary(y_true: np.ndarray, y_pred: np.ndarray, from_logits: bool) -> np.ndarray:
    if from_logits:
        return np.logaddexp(0, y_pred) - y_true * y_pred
    p = np.clip(y_pred, _SMALL, _LARGE)
    return -(y_true * np.log(p) + (1 - y_true) * np.log(1 - p))


class KLDivergence(MeanMetric):
    """sum t log(t / p) over the last axis: the mean over the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.KLDivergence()(t, y), 3)
    0.78
    """

    direction = "down"

    def __init__(self, name: str = "kl_divergence", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return kl_divergence(y_true, y_pred)


class Poisson(MeanMetric):
    """y - t log(y + 1e-7), the mean over the last axis and the samples.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.Poisson()(t, y), 3)
    0.593
    """

    direction = "down"

    def __init__(self, name: str = "poisson", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return poisson(y_true, y_pred)
