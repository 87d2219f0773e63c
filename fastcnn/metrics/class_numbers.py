"""What form targets of classes come in: labels, one-hot rows, yes or no; and their class numbers."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import Metric
from fastcnn.metrics.comparing import like, pair


def suiting(y_true: tuple[int, ...], y_pred: tuple[int, ...]) -> str:
    """Return what targets and outputs of these shapes are: "binary", "sparse_categorical" or "categorical"."""
    if y_pred[-1] == 1:
        return "binary"
    return "sparse_categorical" if len(y_true) < len(y_pred) or y_true[-1] == 1 else "categorical"


def class_numbers(who: Metric, y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return the targets as class numbers, and the outputs, those of yes-or-no answers without a last axis of one.

    Parameters
    ----------
    who : Metric
        Who asks, for the message of an error.
    y_true : array
        Class numbers, (N, ...) or (N, ..., 1), or one-hot rows (N, ..., K). A yes is more than 0.5.
    y_pred : array
        (N, ..., K), or one number for each answer of yes or no: (N, ..., 1), or (N,).

    Returns
    -------
    labels : array of int
        Its shape is that of the positions.
    outputs : array
        (..., K), or of the shape of the labels for answers of yes or no.

    Raises
    ------
    ArgumentError
        If the shapes do not agree, or a target is no class.
    """
    y_true, y_pred = pair(y_true, y_pred)
    if y_pred.ndim == 1 or y_pred.shape[-1] == 1:
        positions = y_pred.shape[:-1] if y_pred.ndim > 1 else y_pred.shape
        return (like(who, y_true, positions) > 0.5).astype(np.int64), y_pred.reshape(positions)
    if suiting(y_true.shape, y_pred.shape) == "categorical":
        return like(who, y_true, y_pred.shape).argmax(-1), y_pred
    labels = like(who, y_true, y_pred.shape[:-1])
    return checked(who, labels, y_pred.shape[-1]), y_pred


def checked(who: Metric, labels: np.ndarray, classes: int, what: str = "targets") -> np.ndarray:
    """Return class numbers as integers; raise ArgumentError if one is no class, since it could be counted nowhere."""
    inside = (labels >= 0) & (labels < classes)
    if not inside.all():
        raise ArgumentError(f"{who.name}: expected {what} from 0 to {classes - 1}, the classes that there are, "
                            f"got {labels[~inside].flat[0]}")
    return labels.astype(np.int64)
