"""Metrics of several classes that see which class is taken for which: the matrix of them, and its correlation."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError, unknown
from fastcnn.metrics.base import Metric
from fastcnn.metrics.class_numbers import checked, class_numbers
from fastcnn.metrics.comparing import has_nan, like, position_weights


class _Confusions(Metric):
    """The weight of the samples of each class that are taken for each; those whose output is NaN are none's."""

    sums = ("_matrix",)

    def __init__(self, num_classes: int | None, threshold: float, name: str, dtype: Any) -> None:
        if num_classes is not None and not (isinstance(num_classes, (int, np.integer)) and num_classes > 1):
            raise ArgumentError(f"{name}: expected num_classes of at least 2, got {num_classes!r}")
        super().__init__(name, dtype)
        self.num_classes, self.threshold = None if num_classes is None else int(num_classes), float(threshold)

    def reset_state(self) -> None:
        self._matrix = np.zeros(())  # [target, output] once the classes are known; outputs of NaN in the last column

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        y_pred = np.asarray(y_pred)
        if self.num_classes is not None and y_pred.dtype.kind in "iu":
            labels = checked(self, like(self, np.asarray(y_true), y_pred.shape), self.num_classes)
            called, classes = checked(self, y_pred, self.num_classes, "outputs"), self.num_classes
        else:
            labels, y_pred = class_numbers(self, y_true, y_pred)
            answers = labels.shape == y_pred.shape
            called = (y_pred > self.threshold).astype(np.int64) if answers else y_pred.argmax(-1)
            classes = 2 if answers else y_pred.shape[-1]
            if self.num_classes not in (None, classes):
                raise ArgumentError(f"{self.name}: expected outputs for {self.num_classes} classes, or integers that "
                                    f"name them, got outputs for {classes}")
            if has_nan(y_pred):
                called = np.where(np.isnan(y_pred) if answers else np.isnan(y_pred).any(-1), classes, called)
        weights = None if sample_weight is None else position_weights(self, sample_weight, labels.shape).reshape(-1)
        cells = (labels * (classes + 1) + called).reshape(-1)
        counts = np.bincount(cells, weights, classes * (classes + 1))
        self._matrix = self._matrix + counts.reshape(classes, classes + 1)


class ConfusionMatrix(_Confusions):
    """How much of each class is taken for each: [target, output], an array (classes, classes).

    An output that is NaN names no class: the row of its target is NaN, so that the others do not look perfect.

    Parameters
    ----------
    num_classes : int, optional
        It is found from outputs (N, ..., classes), and is 2 for outputs (N, 1). With it outputs may also be integers
        that name a class.
    normalize : str, optional
        "true" divides by the sums of the rows (recalls are on the diagonal), "pred" by those of the columns
        (precisions are), "all" by the sum of all. What would be divided by nought is nought.
    threshold : float
        An answer of yes or no is class 1 above it.
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([0, 1, 2, 2]), np.array([[0.6, 0.3, 0.1], [0.2, 0.5, 0.3], [0.5, 0.2, 0.3], [0.1, 0.2, 0.7]])
    >>> metrics.ConfusionMatrix()(t, y)
    array([[1., 0., 0.],
           [0., 1., 0.],
           [1., 0., 1.]])
    """

    def __init__(self, num_classes: int | None = None, normalize: str | None = None, threshold: float = 0.5,
                 name: str = "confusion_matrix", dtype: Any = None) -> None:
        if normalize not in (None, "true", "pred", "all"):
            raise ArgumentError(unknown(f"{name}: normalize", normalize, ["true", "pred", "all"]))
        super().__init__(num_classes, threshold, name, dtype)
        self.normalize = normalize

    def result(self) -> np.ndarray:
        """Return the matrix, (classes, classes); zeros of the known number of classes before anything was counted."""
        if not self._matrix.ndim:
            return np.zeros((self.num_classes or 0,) * 2)
        lost, matrix = self._matrix[:, -1], self._matrix[:, :-1].copy()
        matrix[lost > 0] = np.nan
        if self.normalize is None:
            return matrix
        whole = matrix.sum({"true": 1, "pred": 0, "all": None}[self.normalize], keepdims=True)
        return np.divide(matrix, whole, out=np.zeros_like(matrix), where=whole != 0)


class MatthewsCorrelation(_Confusions):
    """The correlation of targets and outputs: 1 where all are right, 0 for guesses, however rare a class is.

    Of yes-or-no answers it is (TP TN - FP FN) / sqrt((TP + FP) (TP + FN) (TN + FP) (TN + FN)) (Matthews, 1975). Of K
    classes it is Gorodkin's R_K ("Comparing two K-category assignments by a K-category correlation coefficient", 2004).
    It is 0 where all targets, or all outputs, are of one class. An output that is NaN is wrong.

    Parameters
    ----------
    num_classes, threshold, name, dtype : as in `ConfusionMatrix`

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0, 1]), np.array([0.1, 0.8, 0.4, 0.3, 0.6])
    >>> round(metrics.MatthewsCorrelation()(t, y), 3)
    0.667
    """

    direction = "up"

    def __init__(self, num_classes: int | None = None, threshold: float = 0.5, name: str = "matthews_correlation",
                 dtype: Any = None) -> None:
        super().__init__(num_classes, threshold, name, dtype)

    def result(self) -> float:
        """Return the correlation, from -1 to 1; 0 before anything was counted."""
        if not self._matrix.ndim:
            return 0.0
        true, called = self._matrix.sum(1), self._matrix.sum(0)
        total = true.sum()
        # The last column has no row: of what is NaN there is no class.
        covariance = total * self._matrix.trace() - true @ called[:-1]
        spread = (total**2 - true @ true) * (total**2 - called @ called)
        return float(covariance / spread**0.5) if spread > 0 else 0.0
