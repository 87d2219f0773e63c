"""The best of one rate while another is held: over evenly spaced thresholds, from counts at each."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.confusion import _Counts, share


class _Held(_Counts):
    """The largest of one rate at the thresholds where another is at least a value; 0 where it is at none."""

    direction = "up"
    shown = ("true_positives", "false_positives", "true_negatives", "false_negatives")

    #: The name of the rate that is held, and of its argument.
    held = ""

    def __init__(self, value: float, num_thresholds: int, class_id: int | None, name: str | None, dtype: Any) -> None:
        who = type(self).__name__
        if not 0 <= value <= 1:
            raise ArgumentError(f"{who}: expected {self.held} from 0 to 1, got {value!r}")
        if num_thresholds <= 0:
            raise ArgumentError(f"{who}: expected num_thresholds of at least 1, got {num_thresholds!r}")
        super().__init__([0.5] if num_thresholds == 1 else np.linspace(0, 1, num_thresholds), 0.5, None, class_id, name,
                         dtype)
        self.num_thresholds, self.class_id = num_thresholds, class_id
        setattr(self, self.held, value)

    def result(self) -> float:
        rates = {
            "sensitivity": share(self.true_positives, self.true_positives + self.false_negatives),
            "specificity": share(self.true_negatives, self.true_negatives + self.false_positives),
            "precision": share(self.true_positives, self.true_positives + self.false_positives),
        }
        rates["recall"] = rates["sensitivity"]
        return float(rates[self.wanted][rates[self.held] >= getattr(self, self.held)].max(initial=0.0))

    #: The name of the rate that is told.
    wanted = ""


class SensitivityAtSpecificity(_Held):
    """The best sensitivity, TP / (TP + FN), where the specificity, TN / (TN + FP), is at least so much.

    Parameters
    ----------
    specificity : float
        From 0 to 1.
    num_thresholds : int
        So many thresholds, evenly spaced from 0 to 1, are tried.
    class_id : int, optional
        The only output to count.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([0, 0, 0, 1, 1]), np.array([0, 0.3, 0.8, 0.3, 0.8])
    >>> metrics.SensitivityAtSpecificity(0.5)(t, y)
    0.5
    """

    held, wanted = "specificity", "sensitivity"

    def __init__(self, specificity: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:
        super().__init__(specificity, num_thresholds, class_id, name, dtype)


class SpecificityAtSensitivity(_Held):
    """The best specificity, TN / (TN + FP), where the sensitivity, TP / (TP + FN), is at least so much.

    Parameters
    ----------
    sensitivity : float
        From 0 to 1.
    num_thresholds, class_id, name, dtype : as in `SensitivityAtSpecificity`

    Examples
    --------
    >>> t, y = np.array([0, 0, 0, 1, 1]), np.array([0, 0.3, 0.8, 0.3, 0.8])
    >>> round(metrics.SpecificityAtSensitivity(0.5)(t, y), 3)
    0.667
    """

    held, wanted = "sensitivity", "specificity"

    def __init__(self, sensitivity: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:
        super().__init__(sensitivity, num_thresholds, class_id, name, dtype)


class PrecisionAtRecall(_Held):
    """The best precision, TP / (TP + FP), where the recall, TP / (TP + FN), is at least so much.

    Parameters
    ----------
    recall : float
        From 0 to 1.
    num_thresholds, class_id, name, dtype : as in `SensitivityAtSpecificity`

    Examples
    --------
    >>> t, y = np.array([0, 0, 0, 1, 1]), np.array([0, 0.3, 0.8, 0.3, 0.8])
    >>> metrics.PrecisionAtRecall(0.5)(t, y)
    0.5
    """

    held, wanted = "recall", "precision"

    def __init__(self, recall: float, num_thresholds: int = 200, class_id: int | None = None, name: str | None = None,
                 dtype: Any = None) -> None:
        super().__init__(recall, num_thresholds, class_id, name, dtype)


class RecallAtPrecision(_Held):
    """The best recall, TP / (TP + FN), where the precision, TP / (TP + FP), is at least so much.

    Parameters
    ----------
    precision : float
        From 0 to 1.
    num_thresholds, class_id, name, dtype : as in `SensitivityAtSpecificity`

    Examples
    --------
    >>> t, y = np.array([0, 0, 0, 1, 1]), np.array([0, 0.3, 0.8, 0.3, 0.6])
    >>> metrics.RecallAtPrecision(0.8)(t, y)
    0.0
    """

    held, wanted = "precision", "recall"

    def __init__(self, precision: float, num_thresholds: int = 200, class_id: int | None = None,
                 name: str | None = None, dtype: Any = None) -> None:
        super().__init__(precision, num_thresholds, class_id, name, dtype)
