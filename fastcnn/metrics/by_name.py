"""Metrics by name, by configuration, or as functions of users."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.metrics.auc import AUC
from fastcnn.metrics.automatic import SuitingAccuracy, SuitingCrossentropy
from fastcnn.metrics.average_precision import MeanAveragePrecision
from fastcnn.metrics.base import Mean, MeanMetricWrapper, Metric
from fastcnn.metrics.calibration import ExpectedCalibrationError
from fastcnn.metrics.confusion import FalseNegatives, FalsePositives, Precision, Recall, TrueNegatives, TruePositives
from fastcnn.metrics.confusion_matrix import ConfusionMatrix, MatthewsCorrelation
from fastcnn.metrics.correlation import ConcordanceCorrelation, PearsonCorrelation
from fastcnn.metrics.crossentropies import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from fastcnn.metrics.dice import DiceScore
from fastcnn.metrics.errors import LogCoshError, MeanSquaredLogarithmicError
from fastcnn.metrics.f_scores import F1Score, FBetaScore
from fastcnn.metrics.hinges import CategoricalHinge, Hinge, SquaredHinge
from fastcnn.metrics.instances import InstanceAP, PanopticQuality
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
from fastcnn.metrics.operating_points import (
    PrecisionAtRecall,
    RecallAtPrecision,
    SensitivityAtSpecificity,
    SpecificityAtSensitivity,
)
from fastcnn.metrics.probabilities import KLDivergence, Poisson
from fastcnn.metrics.r2_score import R2Score
from fastcnn.metrics.segmentation import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from fastcnn.metrics.sums import Sum
from fastcnn.metrics.verification import RecallAtK, Verification

_CLASSES: dict[str, type[Metric]] = {kind.__name__: kind for kind in (
    AUC, Accuracy, BinaryAccuracy, BinaryCrossentropy, BinaryIoU, CategoricalAccuracy, CategoricalCrossentropy,
    CategoricalHinge, ConcordanceCorrelation, ConfusionMatrix, CosineSimilarity, DiceScore, ExpectedCalibrationError,
    F1Score, FBetaScore, FalseNegatives, FalsePositives, Hinge, InstanceAP, IoU, KLDivergence, LogCoshError, Masked,
    MatthewsCorrelation, Mean, MeanAbsoluteError, MeanAbsolutePercentageError, MeanAveragePrecision, MeanIoU,
    MeanSquaredError, MeanSquaredLogarithmicError, OneHotIoU, OneHotMeanIoU, PanopticQuality, PearsonCorrelation,
    Poisson, Precision, PrecisionAtRecall, R2Score, Recall, RecallAtK, RecallAtPrecision, RootMeanSquaredError,
    SensitivityAtSpecificity, SparseCategoricalAccuracy, SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy,
    SpecificityAtSensitivity, SquaredHinge, Sum, TopKCategoricalAccuracy, TrueNegatives, TruePositives, Verification)}
_OWN: dict[str, type[Metric]] = {**_CLASSES, "SuitingAccuracy": SuitingAccuracy,
                              "SuitingCrossentropy": SuitingCrossentropy}
_NAMES: dict[str, type[Metric]] = {
    "auc": AUC,
    "binary_accuracy": BinaryAccuracy,
    "binary_crossentropy": BinaryCrossentropy, "bce": BinaryCrossentropy,
    "binary_iou": BinaryIoU,
    "categorical_accuracy": CategoricalAccuracy,
    "categorical_crossentropy": CategoricalCrossentropy,
    "categorical_hinge": CategoricalHinge,
    "concordance_correlation": ConcordanceCorrelation,
    "confusion_matrix": ConfusionMatrix,
    "cosine_similarity": CosineSimilarity,
    "dice_score": DiceScore,
    "expected_calibration_error": ExpectedCalibrationError,
    "f1_score": F1Score, "fbeta_score": FBetaScore,
    "false_negatives": FalseNegatives, "false_positives": FalsePositives,
    "hinge": Hinge,
    "instance_ap": InstanceAP,
    "kl_divergence": KLDivergence, "kld": KLDivergence,
    "log_cosh": LogCoshError, "logcosh": LogCoshError,
    "matthews_correlation": MatthewsCorrelation,
    "mean_absolute_error": MeanAbsoluteError, "mae": MeanAbsoluteError,
    "mean_absolute_percentage_error": MeanAbsolutePercentageError, "mape": MeanAbsolutePercentageError,
    "mean_average_precision": MeanAveragePrecision,
    "mean_squared_error": MeanSquaredError, "mse": MeanSquaredError,
    "mean_squared_logarithmic_error": MeanSquaredLogarithmicError, "msle": MeanSquaredLogarithmicError,
    "panoptic_quality": PanopticQuality,
    "pearson_correlation": PearsonCorrelation,
    "poisson": Poisson,
    "precision": Precision,
    "r2_score": R2Score,
    "recall": Recall,
    "root_mean_squared_error": RootMeanSquaredError, "rmse": RootMeanSquaredError,
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "sparse_categorical_crossentropy": SparseCategoricalCrossentropy,
    "sparse_top_k_categorical_accuracy": SparseTopKCategoricalAccuracy,
    "squared_hinge": SquaredHinge,
    "top_k_categorical_accuracy": TopKCategoricalAccuracy,
    "true_negatives": TrueNegatives, "true_positives": TruePositives,
}
_SHORT = ("bce", "kld", "mae", "mape", "mse", "msle", "rmse")
_NAMES |= {name.upper(): _NAMES[name] for name in _SHORT}


def get(identifier: str | dict | type[Metric] | Callable | Metric) -> Metric:
    """Return the metric for a name, a configuration, a class or a function, or a metric itself.

    Parameters
    ----------
    identifier : str, dict, type, callable or Metric
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
    if isinstance(identifier, Metric):
        return identifier
    if isinstance(identifier, type) and issubclass(identifier, Metric):
        return identifier()
    if isinstance(identifier, dict) and identifier.get("class_name") in _OWN:
        config = identifier.get("config", {})
        if identifier["class_name"] == "Masked":
            config = config | {"metric": get(config["metric"])}
        return _OWN[identifier["class_name"]].from_config(config)
    if isinstance(identifier, str):
        if identifier.lower() in ("accuracy", "acc"):
            return SuitingAccuracy(identifier)
        if identifier.lower() in ("crossentropy", "ce", "log_loss"):
            return SuitingCrossentropy(identifier)
        if identifier in _NAMES:
            return _NAMES[identifier](name=identifier)
        if identifier in _CLASSES:
            return _CLASSES[identifier]()
    elif callable(identifier):
        return MeanMetricWrapper(identifier)
    raise ArgumentError(unknown("metric", identifier, ["accuracy", "crossentropy", *_NAMES]))


def deserialize(config: dict, custom_objects: dict[str, type[Metric]] | None = None) -> Metric:
    """Return the metric that `serialize` wrote down.

    Parameters
    ----------
    config : dict
    custom_objects : dict, optional
        Your own classes by name.

    Examples
    --------
    >>> metrics.deserialize(metrics.serialize(metrics.Precision(0.7))).thresholds
    0.7
    """
    own = (custom_objects or {}).get(config.get("class_name", "")) if isinstance(config, dict) else None
    return get(config) if own is None else own.from_config(config.get("config", {}))


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
