"""The loss of embeddings that compares all pairs of a batch."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number
from fastcnn.losses.base import Loss
from fastcnn.losses.targets import LABELS
from fastcnn.operations.matrix_product import product


class Circle(Loss):
    """Samples of one class near one another, of different classes apart, by the distances d = 1 - y_i y_j of a batch.

        p_i = log sum over j of i's class of exp(gamma (d^2 - margin^2))
        n_i = log sum over the other j of exp(gamma max(1 + margin - d, 0) (1 - margin - d))
        loss_i = softplus(p_i + n_i)

    Outputs are vectors of length 1 (`layers.UnitNormalization`), targets integer labels (N,). A sample that has no
    other of its class in the batch, or none of another class, does not count. Sun et al., "Circle loss", 2020.

    Parameters
    ----------
    gamma : float
        The scale of similarities.
    margin : float
    remove_diagonal : bool
        Whether a sample is no neighbour of itself.
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> near, far = np.array([[1, 0], [1, 0], [0, 1]], "float32"), np.array([[1, 0], [0, 1], [1, 0]], "float32")
    >>> losses.Circle()([0, 0, 1], near) < losses.Circle()([0, 0, 1], far)
    True
    """

    takes = LABELS

    def __init__(self, gamma: float = 80.0, margin: float = 0.4, remove_diagonal: bool = True,
                 reduction: str | None = "sum_over_batch_size", name: str = "circle", dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.gamma = number(gamma, "Circle", "a positive gamma", lambda n: n > 0)
        self.margin = number(margin, "Circle", "a finite margin", np.isfinite)
        self.remove_diagonal = bool(remove_diagonal)

    def forward(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool = True,
                sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
        if self.reduction in ("none", None):
            raise ArgumentError(f"{self.name}: reduction={self.reduction!r} leaves no number to train with; "
                                f'make the loss with reduction="sum_over_batch_size"')
        d, samples = device.of(y_pred), len(y_pred)
        losses, slopes = self._pairs(np.asarray(y_true), y_pred)
        weights, divisor = self._weights(losses, sample_weight)
        scale = weights / divisor if divisor else np.zeros(samples)
        each = d.put(np.require(losses * scale * samples, y_pred.dtype, ["C", "W"]))
        if not wants_gradient:
            return each, None
        slopes *= scale[:, None]  # of each loss with respect to y_i y_j
        both = d.put(np.require(slopes + slopes.T, y_pred.dtype, ["C", "W"]))
        return each, product(both, d.ready(y_pred))

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if self.reduction not in ("none", None):
            y_pred = np.ascontiguousarray(y_pred, None if np.asarray(y_pred).dtype == np.float64 else np.float32)
            return super().__call__(y_true, y_pred, sample_weight)
        losses = self._pairs(np.asarray(y_true), np.ascontiguousarray(y_pred, np.float32))[0]
        return losses if sample_weight is None else losses * np.asarray(sample_weight)

    def _weights(self, losses: np.ndarray, sample_weight: Any) -> tuple[np.ndarray, float]:
        """Return the weights of the samples, 0 where there is no loss, and what the sum is divided by."""
        counts = losses > 0
        given = np.ones(losses.shape) if sample_weight is None else np.asarray(sample_weight, np.float64).reshape(-1)
        if given.shape != losses.shape:
            raise ArgumentError(f"{self.name}: expected a weight for each of {len(losses)} samples, got "
                                f"{np.shape(sample_weight)}")
        weights = counts * given
        if self.reduction == "sum":
            return weights, 1.0
        return weights, float(weights.sum() if self.reduction == "mean_with_sample_weight" else counts.sum())

    def _pairs(self, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the loss of each sample, and its slope with respect to each similarity y_i y_j."""
        labels = y_true.reshape(-1)
        if y_pred.ndim != 2 or labels.shape != y_pred.shape[:1]:
            raise ArgumentError(f"{self.name}: expected outputs (N, K) and a label for each, got {y_pred.shape} and "
                                f"{y_true.shape}")
        d = device.of(y_pred)
        rows = d.ready(y_pred)
        similar = device.get(product(rows, d.put(np.ascontiguousarray(device.get(rows).T)))).astype(np.float64)
        distance, same = np.maximum(1 - similar, 0), labels[:, None] == labels
        others = same & ~np.eye(len(labels), dtype=bool) if self.remove_diagonal else same
        margin, gamma = self.margin, self.gamma
        p, of_p = _log_sum(gamma * (distance**2 - margin**2), others)
        near = np.maximum(1 + margin - distance, 0)
        n, of_n = _log_sum(gamma * near * (1 - margin - distance), ~same)
        with np.errstate(over="ignore"):
            chance = 1 / (1 + np.exp(-(p + n)))
        slopes = of_p * (2 * gamma * distance) - of_n * (gamma * ((1 - margin - distance) * (near > 0) + near))
        return np.logaddexp(0, p + n), -(chance[:, None] * slopes) * (similar < 1)


def _log_sum(x: np.ndarray, mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the logarithm of the sum of exponentials of each row where the mask is set, and the share of each."""
    inside = np.where(mask, x, -np.inf)
    top = inside.max(axis=1, initial=-np.inf)
    safe = np.where(np.isfinite(top), top, 0.0)
    exponentials = np.exp(inside - safe[:, None])
    total = exponentials.sum(axis=1)
    with np.errstate(divide="ignore"):
        return np.log(total) + safe, exponentials / np.where(total, total, 1.0)[:, None]


def circle(y_true: Any, y_pred: Any, remove_diagonal: bool = True, gamma: float = 80, margin: float = 0.4) -> Any:
    """Return the loss of each sample as `Circle` has it.

    Parameters
    ----------
    y_true, y_pred : arrays
        Labels (N,) and vectors of length 1, (N, K).
    remove_diagonal, gamma, margin : as in `Circle`

    Examples
    --------
    >>> losses.circle([0, 0, 1], np.array([[1, 0], [1, 0], [0, 1]], "float32")).shape
    (3,)
    """
    return Circle(gamma, margin, remove_diagonal, reduction=None)(y_true, y_pred)
