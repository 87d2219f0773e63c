"""What suits the shapes of targets and outputs, as Keras chooses it for the words "accuracy" and "crossentropy"."""

from typing import Any

import numpy as np

from fastcnn.metrics.base import MeanMetric
from fastcnn.metrics.means import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy

_ACCURACIES: dict[str, type[MeanMetric]] = {
    "binary": BinaryAccuracy, "sparse_categorical": SparseCategoricalAccuracy, "categorical": CategoricalAccuracy}


def suiting(y_true: tuple[int, ...], y_pred: tuple[int, ...]) -> str:
    """Return what targets and outputs of these shapes are: "binary", "sparse_categorical" or "categorical"."""
    if y_pred[-1] == 1:
        return "binary"
    return "sparse_categorical" if len(y_true) < len(y_pred) or y_true[-1] == 1 else "categorical"


class SuitingAccuracy(MeanMetric):
    """How often an output says its target, binary or of several classes: what "accuracy" is.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    """

    direction = "up"

    def __init__(self, name: str = "accuracy", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return _ACCURACIES[suiting(y_true.shape, y_pred.shape)](self.name).values(y_true, y_pred)
