"""How far a network's confidence is from how often it is right."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import Metric
from fastcnn.metrics.class_numbers import class_numbers
from fastcnn.metrics.comparing import position_weights
from fastcnn.metrics.crossentropies import log_probabilities


class ExpectedCalibrationError(Metric):
    """How far the confidence is from how often it is right: sum_b |confidence(b) - accuracy(b)| weight(b) / weight.

    Outputs are put into bins by their confidence; in each bin its mean is compared with the share of right answers. Of
    several classes the confidence is the largest output. Of yes-or-no answers it is the output, and right means yes.
    Naeini et al., "Obtaining well calibrated probabilities using Bayesian binning", 2015; Guo et al., "On calibration
    of modern neural networks", 2017. An output that is NaN makes it NaN.

    Parameters
    ----------
    num_bins : int
        Of equal width from 0 to 1; a number between two bins is in the lower one.
    from_logits : bool
        Whether outputs are logits, whose softmax, or sigmoid for answers of yes or no, is taken first.
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> t, y = np.array([1, 0, 1, 1]), np.array([[0.1, 0.9], [0.2, 0.8], [0.1, 0.9], [0.3, 0.7]])
    >>> round(metrics.ExpectedCalibrationError(num_bins=10)(t, y), 3)
    0.325
    """

    direction = "down"
    sums = ("_confidence", "_right", "_weight")

    def __init__(self, num_bins: int = 15, from_logits: bool = False, name: str = "expected_calibration_error",
                 dtype: Any = None) -> None:
        if not (isinstance(num_bins, (int, np.integer)) and num_bins > 0):
            raise ArgumentError(f"{name}: expected num_bins of at least 1, got {num_bins!r}")
        self.num_bins, self.from_logits = int(num_bins), bool(from_logits)
        super().__init__(name, dtype)

    def reset_state(self) -> None:
        self._confidence, self._right, self._weight = np.zeros((3, self.num_bins))

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        labels, outputs = class_numbers(self, y_true, y_pred)
        outputs = outputs.astype(np.float64)
        if outputs.shape == labels.shape:
            confidence, right = (0.5 * (1 + np.tanh(0.5 * outputs)) if self.from_logits else outputs), labels
        else:
            probabilities = np.exp(log_probabilities(outputs, True, -1)) if self.from_logits else outputs
            confidence, right = probabilities.max(-1), probabilities.argmax(-1) == labels
        flat = confidence.reshape(-1)
        weights = np.ones(flat.size)
        if sample_weight is not None:
            weights = position_weights(self, sample_weight, labels.shape).reshape(-1)
        bins = np.searchsorted(np.linspace(0, 1, self.num_bins + 1)[1:-1], flat)
        for name, values in (("_confidence", flat), ("_right", right.reshape(-1)), ("_weight", 1.0)):
            setattr(self, name, getattr(self, name) + np.bincount(bins, values * weights, self.num_bins))

    def result(self) -> float:
        """Return the error, from 0 to 1; 0 before anything was counted."""
        weight = self._weight.sum()
        return float(np.abs(self._confidence - self._right).sum() / weight) if weight else 0.0
