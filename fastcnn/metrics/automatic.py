"""What suits the shapes of targets and outputs, as Keras chooses it for the words "accuracy" and "crossentropy"."""

from typing import Any

import numpy as np

from fastcnn.metrics.base import MeanMetric
from fastcnn.metrics.class_numbers import suiting
from fastcnn.metrics.crossentropies import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from fastcnn.metrics.means import BinaryAccuracy, CategoricalAccuracy, SparseCategoricalAccuracy

_ACCURACIES: dict[str, type[MeanMetric]] = {
    "binary": BinaryAccuracy, "sparse_categorical": SparseCategoricalAccuracy, "categorical": CategoricalAccuracy}
_CROSSENTROPIES: dict[str, type[MeanMetric]] = {
    "binary": BinaryCrossentropy, "sparse_categorical": SparseCategoricalCrossentropy,
    "categorical": CategoricalCrossentropy}


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


class SuitingCrossentropy(MeanMetric):
    """The mean of -log p of what is true, binary or of several classes: what "crossentropy" and "log_loss" are.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`
    """

    direction = "down"

    def __init__(self, name: str = "crossentropy", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return _CROSSENTROPIES[suiting(y_true.shape, y_pred.shape)](self.name).values(y_true, y_pred)
