"""The cross-entropy that forgives wrong labels."""

from typing import Any

from fastcnn import _hooks
from fastcnn.geometry.arguments import number
from fastcnn.losses.base import Loss
from fastcnn.losses.targets import Takes, check_targets


class CategoricalGeneralizedCrossEntropy(Loss):
    """(1 - p^q) / q of the probability p of the label: near the cross-entropy for a small q, 1 - p for a large one.

    Zhang and Sabuncu, "Generalized cross entropy loss for training deep neural networks with noisy labels", 2018.

    Parameters
    ----------
    q : float
        0 < q < 1.
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> y = np.array([[0.1, 0.7, 0.2], [0.3, 0.6, 0.1]], "float32")
    >>> round(losses.CategoricalGeneralizedCrossEntropy()([1, 0], y), 3)
    0.616
    """

    def __init__(self, q: float = 0.5, reduction: str | None = "sum_over_batch_size",
                 name: str = "categorical_generalized_cross_entropy", dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.q = number(q, "CategoricalGeneralizedCrossEntropy", "0 < q < 1", lambda n: 0 < n < 1)

    def check(self, y_true: Any, outputs: int) -> None:
        """As `Loss.check`: integers, of any type, that there is an output for."""
        check_targets(self.name, y_true, Takes(f"labels from 0 to {outputs - 1}", 0, outputs - 1, whole=True))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Return the loss of each position, of labels (N, ...) or (N, ..., 1)."""
        operation = _hooks.hooks["operation"]
        if y_true.ndim == y_pred.ndim:
            y_true = operation("squeeze")(y_true, -1)
        shares = operation("one_hot")(operation("cast")(y_true, "int32"), y_pred.shape[-1], dtype=y_pred.dtype)
        chance = operation("sum")(y_pred * shares, axis=-1)
        return (1.0 - operation("power")(chance, self.q)) / self.q


def categorical_generalized_cross_entropy(y_true: Any, y_pred: Any, q: float) -> Any:
    """Return the loss of each position as `CategoricalGeneralizedCrossEntropy` has it.

    Parameters
    ----------
    y_true, y_pred : arrays
        Labels and probabilities.
    q : float

    Examples
    --------
    >>> losses.categorical_generalized_cross_entropy([1], np.array([[0.75, 0.25]], "float32"), 0.5)
    array([1.], dtype=float32)
    """
    return CategoricalGeneralizedCrossEntropy(q, reduction=None)(y_true, y_pred)
