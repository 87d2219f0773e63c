"""Metrics of segmentation: the intersection of two areas over their union, class by class."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import Metric
from fastcnn.metrics.comparing import has_nan, like, position_weights


class IoU(Metric):
    """Intersection over union, TP / (TP + FP + FN) counted over all positions: the mean over some classes.

    Classes that occur in neither targets nor outputs do not count.

    Parameters
    ----------
    num_classes : int
    target_class_ids : list of int
        The classes of the mean.
    name : str, optional
    dtype : as in `Metric`
    ignore_class : int, optional
        Positions with this target do not count. Nor do those whose target or output is not one of the classes.
    sparse_y_true, sparse_y_pred : bool
        Whether targets and outputs are class numbers. Otherwise the index of the largest along the axis is the class.
    axis : int

    Examples
    --------
    >>> t, y = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    >>> round(metrics.IoU(num_classes=2, target_class_ids=[1])(t, y), 3)
    0.667
    """

    direction = "up"
    sums = ("_matrix",)

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
                 ignore_class: int | None = None, sparse_y_true: bool = True, sparse_y_pred: bool = True,
                 axis: int = -1) -> None:
        if not all(0 <= k < num_classes for k in target_class_ids):
            raise ArgumentError(f"{type(self).__name__}: expected target_class_ids within 0..{num_classes - 1}, "
                                f"got {list(target_class_ids)}")
        self.num_classes, self.target_class_ids = int(num_classes), [int(k) for k in target_class_ids]
        self.ignore_class, self.axis = ignore_class, axis
        self.sparse_y_true, self.sparse_y_pred = bool(sparse_y_true), bool(sparse_y_pred)
        super().__init__(name, dtype)

    def reset_state(self) -> None:
        # [target, output]; the last column is for outputs that are NaN, which name no class
        self._matrix = np.zeros((self.num_classes, self.num_classes + 1))

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        labels = y_true if self.sparse_y_true else y_true.argmax(self.axis)
        called = y_pred if self.sparse_y_pred else y_pred.argmax(self.axis)
        labels, none = like(self, labels, called.shape), self.num_classes
        counts = (labels >= 0) & (labels < none) & (called >= 0) & (called < none)
        if has_nan(y_pred):
            lost = np.isnan(y_pred) if self.sparse_y_pred else np.isnan(y_pred).any(self.axis)
            called, counts = np.where(lost, none, called), counts | (lost & (labels >= 0) & (labels < none))
        if self.ignore_class is not None:
            counts &= labels != self.ignore_class
        weights = None if sample_weight is None else position_weights(self, sample_weight, called.shape)[counts]
        cells = labels[counts].astype(np.int64) * (none + 1) + called[counts].astype(np.int64)
        self._matrix += np.bincount(cells, weights, self._matrix.size).reshape(self._matrix.shape)

    def result(self) -> float:
        hits = self._matrix.diagonal()
        union = (self._matrix.sum(0)[:-1] + self._matrix.sum(1) - hits)[self.target_class_ids]
        seen = union > 1e-9
        return float((hits[self.target_class_ids][seen] / union[seen]).mean()) if seen.any() else 0.0


class MeanIoU(IoU):
    """Intersection over union, the mean over all classes that occur.

    Parameters
    ----------
    num_classes : int
    name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis : as in `IoU`

    Examples
    --------
    >>> t, y = np.array([0, 0, 1, 1]), np.array([0, 1, 1, 1])
    >>> round(metrics.MeanIoU(num_classes=2)(t, y), 3)
    0.583
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
                 sparse_y_true: bool = True, sparse_y_pred: bool = True, axis: int = -1) -> None:
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_true, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "target_class_ids"}


class OneHotIoU(IoU):
    """`IoU` for one-hot targets, and by default for outputs with a number for each class.

    Parameters
    ----------
    num_classes, target_class_ids, name, dtype, ignore_class, sparse_y_pred, axis : as in `IoU`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.OneHotIoU(num_classes=3, target_class_ids=[1])(t, y), 3)
    0.5
    """

    def __init__(self, num_classes: int, target_class_ids: Sequence[int], name: str | None = None, dtype: Any = None,
                 ignore_class: int | None = None, sparse_y_pred: bool = False, axis: int = -1) -> None:
        super().__init__(num_classes, target_class_ids, name, dtype, ignore_class, False, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "sparse_y_true"}


class OneHotMeanIoU(OneHotIoU):
    """`MeanIoU` for one-hot targets, and by default for outputs with a number for each class.

    Parameters
    ----------
    num_classes, name, dtype, ignore_class, sparse_y_pred, axis : as in `IoU`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0], [1, 0, 0]]), np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]])
    >>> round(metrics.OneHotMeanIoU(num_classes=3)(t, y), 3)
    0.25
    """

    def __init__(self, num_classes: int, name: str | None = None, dtype: Any = None, ignore_class: int | None = None,
                 sparse_y_pred: bool = False, axis: int = -1) -> None:
        super().__init__(num_classes, range(num_classes), name, dtype, ignore_class, sparse_y_pred, axis)

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "target_class_ids"}


class BinaryIoU(IoU):
    """`IoU` of two classes. An output is one number, and means class 1 if it is at least `threshold`.

    Parameters
    ----------
    target_class_ids : list of int
    threshold : float
    name, dtype : as in `IoU`

    Examples
    --------
    >>> t, y = np.array([0, 1, 1, 0]), np.array([0.1, 0.8, 0.4, 0.7])
    >>> round(metrics.BinaryIoU()(t, y), 3)
    0.333
    """

    def __init__(self, target_class_ids: Sequence[int] = (0, 1), threshold: float = 0.5, name: str | None = None,
                 dtype: Any = None) -> None:
        self.threshold = threshold
        super().__init__(2, target_class_ids, name, dtype)

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        super().update_state(y_true, (np.asarray(y_pred) >= self.threshold).astype(np.int64), sample_weight)

    def get_config(self) -> dict[str, Any]:
        return {key: getattr(self, key) for key in ("target_class_ids", "threshold", "name", "dtype")}
