"""Metrics, with Keras's names: what is counted over an epoch."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import unsupported
from fastcnn.errors import ArgumentError, unknown
from fastcnn.metrics.auc import AUC
from fastcnn.metrics.automatic import SuitingAccuracy, SuitingCrossentropy
from fastcnn.metrics.base import Mean, MeanMetric, MeanMetricWrapper, Metric, forget_names
from fastcnn.metrics.calibration import ExpectedCalibrationError
from fastcnn.metrics.confusion import (
    FalseNegatives,
    FalsePositives,
    Precision,
    Recall,
    TrueNegatives,
    TruePositives,
)
from fastcnn.metrics.confusion_matrix import ConfusionMatrix, MatthewsCorrelation
from fastcnn.metrics.crossentropies import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from fastcnn.metrics.f_scores import F1Score, FBetaScore
from fastcnn.metrics.masked import Masked
from fastcnn.metrics.means import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    CosineSimilarity,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    RootMeanSquaredError,
    SparseCategoricalAccuracy,
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
)
from fastcnn.metrics.r2_score import R2Score
from fastcnn.metrics.segmentation import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
    "CategoricalCrossentropy", "ConfusionMatrix", "CosineSimilarity", "ExpectedCalibrationError", "F1Score",
    "FBetaScore", "FalseNegatives", "FalsePositives", "IoU", "Masked", "MatthewsCorrelation", "Mean",
    "MeanAbsoluteError", "MeanAbsolutePercentageError", "MeanIoU", "MeanMetric", "MeanMetricWrapper",
    "MeanSquaredError", "Metric", "OneHotIoU", "OneHotMeanIoU", "Precision", "R2Score", "Recall",
    "RootMeanSquaredError", "SparseCategoricalAccuracy", "SparseCategoricalCrossentropy",
    "SparseTopKCategoricalAccuracy", "TopKCategoricalAccuracy", "TrueNegatives", "TruePositives", "check",
    "forget_names", "get", "serialize",
]

_CLASSES: dict[str, type[Metric]] = {
    name: globals()[name] for name in __all__
    if name[0].isupper() and name not in ("Metric", "MeanMetric", "MeanMetricWrapper")}
_OWN: dict[str, type[Metric]] = {**_CLASSES, "SuitingAccuracy": SuitingAccuracy,
                              "SuitingCrossentropy": SuitingCrossentropy}
_NAMES: dict[str, type[Metric]] = {
    "auc": AUC,
    "binary_accuracy": BinaryAccuracy,
    "binary_crossentropy": BinaryCrossentropy,
    "categorical_accuracy": CategoricalAccuracy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "confusion_matrix": ConfusionMatrix,
    "cosine_similarity": CosineSimilarity,
    "expected_calibration_error": ExpectedCalibrationError,
    "matthews_correlation": MatthewsCorrelation,
    "mean_absolute_error": MeanAbsoluteError, "mae": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError, "mape": MeanAbsolutePercentageError,
    "mean_squared_error": MeanSquaredError, "mse": MeanSquaredError,
    "precision": Precision,
    "r2_score": R2Score,
    "recall": Recall,
    "root_mean_squared_error": RootMeanSquaredError, "rmse": RootMeanSquaredError,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
}


def get(metric: str | dict | type[Metric] | Callable | Metric) -> Metric:
    """Return the metric for a name, a configuration, a class or a function, or a metric itself.

    Parameters
    ----------
    metric : str, dict, type, callable or Metric
        "accuracy" ("acc") becomes the one that suits the shapes, as in Keras: outputs (N, ..., 1) are binary; otherwise
        targets with fewer dimensions, or (N, ..., 1), are labels. "crossentropy" ("ce", "log_loss") does likewise. A
        function takes (y_true, y_pred) and returns a number for each sample. The metric is their mean.

    Raises
    ------
    ArgumentError
        If the name is not known.

    Examples
    --------
    >>> metrics.get("accuracy").name
    'accuracy'
    """
    if isinstance(metric, Metric):
        return metric
    if isinstance(metric, type) and issubclass(metric, Metric):
        return metric()
    if isinstance(metric, dict) and metric.get("class_name") in _OWN:
        config = metric.get("config", {})
        if metric["class_name"] == "Masked":
            config = config | {"metric": get(config["metric"])}
        return _OWN[metric["class_name"]].from_config(config)
    if isinstance(metric, str):
        if metric.lower() in ("accuracy", "acc"):
            return SuitingAccuracy(metric)
        if metric.lower() in ("crossentropy", "ce", "log_loss"):
            return SuitingCrossentropy(metric)
        if metric in _NAMES:
            return _NAMES[metric](name=metric)
        if metric in _CLASSES:
            return _CLASSES[metric]()
    elif callable(metric):
        return MeanMetricWrapper(metric)
    raise ArgumentError(unknown("metric", metric, ["accuracy", "crossentropy", *_NAMES]))


def check(metric: Metric, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
    """Raise ArgumentError if a metric cannot take arrays of these shapes. Nothing is counted.

    Only fastcnn's own metrics are checked. Those of users see nothing but the batches of a training.

    Parameters
    ----------
    metric : Metric
    y_true, y_pred : arrays
        Targets and outputs.
    sample_weight : array, optional

    Examples
    --------
    >>> metrics.check(metrics.MeanSquaredError(), np.zeros((2, 3)), np.zeros((2, 4)))
    Traceback (most recent call last):
        ...
    fastcnn.errors.ArgumentError: mean_squared_error: expected targets of shape (2, 4), got (2, 3)
    """
    if type(metric) in _OWN.values():
        metric.update_state(y_true, y_pred, sample_weight)
        metric.reset_state()


def serialize(metric: Metric) -> dict[str, Any]:
    """Return a configuration of a metric, which `get` understands and JSON can hold.

    Parameters
    ----------
    metric : Metric

    Examples
    --------
    >>> metrics.serialize(metrics.Precision())["class_name"]
    'Precision'
    """
    return {"class_name": type(metric).__name__, "config": metric.get_config()}


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("metrics")
