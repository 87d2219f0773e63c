"""Losses that look at a row as a whole: directions, margins between classes, and masks."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number
from fastcnn.kernels import loss_codes as codes
from fastcnn.losses.base import NONE, Loss
from fastcnn.losses.targets import DISTRIBUTIONS, FINITE, SHARES, Takes


class _RowLoss(Loss):
    """A loss of a row as a whole."""

    code, settings = -1, (0.0, 0.0, 0.0)
    takes: Takes | None = SHARES

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        dx = gradient if wants_gradient else NONE[x.dtype].reshape(0, 0)
        d.kernels.row_loss(losses, dx, x, targets, weights, self.code, *self.settings, scale)


class CategoricalHinge(_RowLoss):
    """max(1 + max_k (1 - t_k) y_k - sum_k t_k y_k, 0), for one-hot targets.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0]], "float32"), np.array([[0.1, 0.7, 0.2]], "float32")
    >>> round(losses.CategoricalHinge()(t, y), 3)
    0.5
    """

    code, takes = codes.CATEGORICAL_HINGE, DISTRIBUTIONS

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "categorical_hinge",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class CosineSimilarity(_RowLoss):
    """-sum(t y) / (|t| |y|) over an axis: -1 for the same direction, 1 for opposite directions.

    Parameters
    ----------
    axis : int
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0]], "float32"), np.array([[0.1, 0.7, 0.2]], "float32")
    >>> round(losses.CosineSimilarity()(t, y), 3)
    -0.953
    """

    code, takes = codes.COSINE, FINITE

    def __init__(self, axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str = "cosine_similarity",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = int(axis)

    @property
    def axes(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.axis,)


class Tversky(_RowLoss):
    """1 - I / (I + alpha (T - I) + beta (P - I)), with I = sum(t y), T = sum(t), P = sum(y); Salehi et al., 2017.

    Parameters
    ----------
    alpha, beta : float
        The weights of false negatives and of false positives, as in Keras 3.15; 3.16 and the paper have them the other
        way round.
    reduction, name, dtype : as in `Loss`
    axis : tuple of int, optional
        The axes of the sums, such as (1, 2, 3) for a loss of each image. None means one sum over the whole batch; then
        every sample has the same loss.

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0]], "float32"), np.array([[0.1, 0.7, 0.2]], "float32")
    >>> round(losses.Tversky()(t, y), 3)
    0.3
    """

    code = codes.TVERSKY

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, reduction: str | None = "sum_over_batch_size",
                 name: str = "tversky", axis: Any = None, dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha, self.beta = (number(n, "Tversky", "numbers for alpha and beta") for n in (alpha, beta))
        self.axis = tuple(axis) if isinstance(axis, (tuple, list)) else axis

    @property
    def settings(self) -> tuple[float, float, float]:  # type: ignore[override]
        return self.alpha, self.beta, 1e-7

    @property
    def axes(self) -> tuple[int, ...]:  # type: ignore[override]
        return self.axis if isinstance(self.axis, tuple) else (self.axis,)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        if self.axis is not None:
            return super().__call__(y_true, y_pred, sample_weight)
        whole = type(self)(**{**self.get_config(), "axis": tuple(range(1, np.ndim(y_pred) + 1)), "reduction": "sum"})
        return self.weighted(whole(np.asarray(y_true)[None], np.asarray(y_pred)[None]), sample_weight)

    def forward(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool = True,
                sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
        """As `Loss.forward`."""
        if self.axis is not None:
            return super().forward(y_true, y_pred, wants_gradient, sample_weight)
        if sample_weight is not None:
            raise ArgumentError(f"{self.name}: sample_weight is not offered with axis=None, where samples have no "
                                f"losses of their own; give axis={tuple(range(1, y_pred.ndim))}")
        whole = type(self)(**{**self.get_config(), "axis": tuple(range(1, y_pred.ndim + 1)), "reduction": "sum"})
        value, gradient = whole.forward(y_true[None], y_pred.reshape(1, *y_pred.shape), wants_gradient)
        d = device.of(y_pred)
        losses = d.empty((len(y_pred),), y_pred.dtype)
        d.copy(losses, value)
        return losses, None if gradient is None else gradient.reshape(y_pred.shape)


class Dice(Tversky):
    """1 - 2 I / (T + P + 1e-7), with I = sum(t y), T = sum(t), P = sum(y), for masks.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    axis : as in `Tversky`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0]], "float32"), np.array([[0.1, 0.7, 0.2]], "float32")
    >>> round(losses.Dice()(t, y), 3)
    0.3
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "dice", axis: Any = None,
                 dtype: Any = None) -> None:
        super().__init__(0.5, 0.5, reduction, name, axis, dtype)

    @property
    def settings(self) -> tuple[float, float, float]:  # type: ignore[override]
        return 0.5, 0.5, 0.5e-7

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key not in ("alpha", "beta")}
