"""Metrics, with Keras's names: what is counted over an epoch."""

from typing import TYPE_CHECKING

from fastcnn import unsupported
from fastcnn.metrics.accuracies import (
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)
from fastcnn.metrics.auc import AUC
from fastcnn.metrics.average_precision import MeanAveragePrecision
from fastcnn.metrics.base import Mean, MeanMetric, MeanMetricWrapper, Metric, forget_names
from fastcnn.metrics.by_name import _CLASSES as _CLASSES
from fastcnn.metrics.by_name import check, deserialize, get, serialize
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
from fastcnn.metrics.correlation import (
    ConcordanceCorrelation,
    PearsonCorrelation,
    concordance_correlation,
    pearson_correlation,
)
from fastcnn.metrics.crossentropies import BinaryCrossentropy, CategoricalCrossentropy, SparseCategoricalCrossentropy
from fastcnn.metrics.dice import DiceScore
from fastcnn.metrics.errors import (
    LogCoshError,
    MeanSquaredLogarithmicError,
    huber,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
)
from fastcnn.metrics.f_scores import F1Score, FBetaScore
from fastcnn.metrics.hinges import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
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
from fastcnn.metrics.probabilities import (
    KLDivergence,
    Poisson,
    binary_crossentropy,
    binary_focal_crossentropy,
    categorical_crossentropy,
    categorical_focal_crossentropy,
    kl_divergence,
    poisson,
    sparse_categorical_crossentropy,
)
from fastcnn.metrics.r2_score import R2Score
from fastcnn.metrics.segmentation import BinaryIoU, IoU, MeanIoU, OneHotIoU, OneHotMeanIoU
from fastcnn.metrics.sums import Sum
from fastcnn.metrics.verification import RecallAtK, Verification

__all__ = [
    "AUC", "Accuracy", "BinaryAccuracy", "BinaryCrossentropy", "BinaryIoU", "CategoricalAccuracy",
    "CategoricalCrossentropy", "CategoricalHinge", "ConcordanceCorrelation", "ConfusionMatrix", "CosineSimilarity",
    "DiceScore", "ExpectedCalibrationError", "F1Score", "FBetaScore", "FalseNegatives", "FalsePositives", "Hinge",
    "InstanceAP", "IoU", "KLDivergence", "LogCoshError", "Masked", "MatthewsCorrelation", "Mean", "MeanAbsoluteError",
    "MeanAbsolutePercentageError", "MeanAveragePrecision", "MeanIoU", "MeanMetric", "MeanMetricWrapper",
    "MeanSquaredError", "MeanSquaredLogarithmicError", "Metric", "OneHotIoU", "OneHotMeanIoU", "PanopticQuality",
    "PearsonCorrelation", "Poisson", "Precision", "PrecisionAtRecall", "R2Score", "Recall", "RecallAtK",
    "RecallAtPrecision", "RootMeanSquaredError", "SensitivityAtSpecificity", "SparseCategoricalAccuracy",
    "SparseCategoricalCrossentropy", "SparseTopKCategoricalAccuracy", "SpecificityAtSensitivity", "SquaredHinge", "Sum",
    "TopKCategoricalAccuracy", "TrueNegatives", "TruePositives", "Verification", "binary_accuracy",
    "binary_crossentropy", "binary_focal_crossentropy", "categorical_accuracy", "categorical_crossentropy",
    "categorical_focal_crossentropy", "categorical_hinge", "check", "concordance_correlation", "deserialize",
    "forget_names", "get", "hinge", "huber", "kl_divergence", "log_cosh", "mean_absolute_error",
    "mean_absolute_percentage_error", "mean_squared_error", "mean_squared_logarithmic_error", "pearson_correlation",
    "poisson", "serialize", "sparse_categorical_accuracy", "sparse_categorical_crossentropy",
    "sparse_top_k_categorical_accuracy", "squared_hinge", "top_k_categorical_accuracy",
]

if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("metrics")
