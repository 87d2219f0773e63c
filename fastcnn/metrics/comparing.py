"""Targets and outputs side by side: as arrays of one shape, with weights of their positions, and NaN that is no hit."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry import positions

_NO_CLASS = np.iinfo(np.int64).min


def pair(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and outputs as arrays, a number as a vector of one, and a vector beside a column as another."""
    y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
    if y_pred.ndim > 1:
        return y_true, y_pred
    if y_pred.ndim == 1 and y_true.ndim == 2 and y_true.shape[1] == 1:
        return y_true, y_pred[:, None]
    return np.atleast_1d(y_true), np.atleast_1d(y_pred)


def has_nan(y: np.ndarray) -> bool:
    """Return whether an array has NaN somewhere: one pass, without memory."""
    if y.dtype.kind != "f" or not y.size:
        return False
    top = np.maximum.reduce(y, axis=None)
    return bool(top != top)


def largest(y_pred: np.ndarray) -> np.ndarray:
    """Return where the largest number of the last axis is; what is no label where one of them is NaN."""
    found = y_pred.argmax(-1)
    if has_nan(y_pred):
        return np.where(np.isnan(y_pred).any(-1), _NO_CLASS, found)
    return found


def position_weights(who: Any, sample_weight: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Return weights of samples for all positions of `shape`."""
    return positions.broadcast_weights(sample_weight, shape, np.float64, who.name)


def like(who: Any, y_true: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return the targets in a shape that differs in ones at its end alone: (N,) for (N, 1), and the other way."""
    if positions.trimmed(y_true.shape) != positions.trimmed(shape):
        raise ArgumentError(f"{who.name}: expected targets of shape {shape}, got {y_true.shape}")
    return y_true.reshape(shape)


def alike(y_true: Any, y_pred: Any) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and outputs in float64 and in the outputs' shape, however they are given."""
    y_true, y_pred = pair(y_true, y_pred)
    if y_true.shape != y_pred.shape and positions.trimmed(y_true.shape) == positions.trimmed(y_pred.shape):
        y_true = y_true.reshape(y_pred.shape)
    try:
        np.broadcast_shapes(y_true.shape, y_pred.shape)
    except ValueError:
        raise ArgumentError(f"metrics: expected targets of the outputs' shape {y_pred.shape}, "
                            f"got {y_true.shape}") from None
    return y_true.astype(np.float64), y_pred.astype(np.float64)
