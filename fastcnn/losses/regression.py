"""Losses of regression and of margins: means over the last axis of something an element."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.kernels import loss_codes as codes
from fastcnn.losses.base import _MEANS, NONE, Loss


class _Elementwise(Loss):
    """The mean over the last axis of f(y, t), which is a code of `kernel_name`."""

    code, kernel_name, settings = -1, "elementwise_loss", (0.0, 0.0, 0.0)

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        getattr(d.kernels, self.kernel_name)(losses, gradient, x, targets, weights, self.code, *self.settings,
                                             self.share(x.shape[1]), scale, wants_gradient)

    def share(self, columns: int) -> float:
        """Return the factor of the sum over a row."""
        return 1.0 / max(1, columns)


class MeanSquaredError(_Elementwise):
    """(y - t)^2, the mean over the last axis.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code = codes.SQUARED

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class MeanAbsoluteError(_Elementwise):
    """|y - t|, the mean over the last axis; where both are equal the slope is taken as 0.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code = codes.ABSOLUTE

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "mean_absolute_error",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class MeanAbsolutePercentageError(_Elementwise):
    """100 |y - t| / max(|t|, 1e-7), the mean over the last axis.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code = codes.PERCENTAGE

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "mean_absolute_percentage_error",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class MeanSquaredLogarithmicError(_Elementwise):
    """(log(1 + max(y, 1e-7)) - log(1 + max(t, 1e-7)))^2, the mean over the last axis.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code = codes.SQUARED_LOGARITHMIC

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_logarithmic_error",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class RootMeanSquaredError(_Elementwise):
    """sqrt(mean((y - t)^2)), the mean over *all* outputs of the batch, weighted: what Keras's metric of this name is.

    It is no sum over samples, so that the loss of a sample is its share: its mean squared error over the root.

    Parameters
    ----------
    reduction : str
        One of the means.
    name, dtype : as in `Loss`
    """

    code = codes.SQUARED

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "root_mean_squared_error",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        if reduction not in _MEANS:
            raise ArgumentError(f"RootMeanSquaredError: reduction={reduction!r} is not offered; "
                                f"a root of a mean has one of {', '.join(map(repr, _MEANS))}")

    def forward(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool = True,
                sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
        """As `Loss.forward`."""
        values, _, divisor = self.run(y_true, y_pred, False, sample_weight)
        total = float(values.sum(dtype=np.float64))
        root = (total / divisor) ** 0.5 if divisor else 0.0
        gradient = None
        if wants_gradient:
            d, x = device.of(y_pred), self.rows(y_pred, y_pred.dtype)
            weights, _ = self.weights(y_true, y_pred, sample_weight)
            gradient = d.empty(x.shape, x.dtype)
            self.kernel(d, values, gradient, x, self.targets(y_true, y_pred), weights,
                        0.5 / (root * divisor) if total else 0.0, True)
            gradient = gradient.reshape(y_pred.shape)
        losses = self.folded(values, len(y_pred), divisor * root if total else divisor)
        return losses, gradient


class Huber(_Elementwise):
    """e^2 / 2 where e = |y - t| <= delta, else delta e - delta^2 / 2, the mean over the last axis; Huber, 1964.

    Parameters
    ----------
    delta : float
        Where the square becomes a line; positive.
    reduction, name, dtype : as in `Loss`
    """

    code = codes.HUBER

    def __init__(self, delta: float = 1.0, reduction: str | None = "sum_over_batch_size", name: str = "huber_loss",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        if not delta > 0:
            raise ArgumentError(f"Huber: expected a positive delta, got {delta!r}")
        self.delta = float(delta)

    @property
    def settings(self) -> tuple[float, float, float]:  # type: ignore[override]
        return self.delta, 0.0, 0.0


class LogCosh(_Elementwise):
    """log(cosh(y - t)), the mean over the last axis: a smooth absolute error.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code = codes.LOG_COSH

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "log_cosh",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class Poisson(_Elementwise):
    """y - t log(y + 1e-7), the mean over the last axis: for counts t and rates y.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code, kernel_name = codes.POISSON, "binary_loss"

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "poisson",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class _Hinge(_Elementwise):
    """Targets of a batch that are all 0 or 1 become -1 and 1, as in Keras."""

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        rows = super().targets(y_true, y_pred)
        return 2 * rows - 1 if np.logical_or(rows == 0, rows == 1).all() else rows


class Hinge(_Hinge):
    """max(1 - t y, 0), the mean over the last axis, for targets of -1 and 1 (or 0 and 1).

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code = codes.HINGE

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class SquaredHinge(_Hinge):
    """max(1 - t y, 0)^2, the mean over the last axis, for targets of -1 and 1 (or 0 and 1).

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code = codes.SQUARED_HINGE

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "squared_hinge",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class _Rows(Loss):
    """A loss of a row as a whole."""

    code, settings = -1, (0.0, 0.0, 0.0)

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        dx = gradient if wants_gradient else NONE[x.dtype].reshape(0, 0)
        d.kernels.row_loss(losses, dx, x, targets, weights, self.code, *self.settings, scale)


class CategoricalHinge(_Rows):
    """max(1 + max_k (1 - t_k) y_k - sum_k t_k y_k, 0), for targets of one one and zeros.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code = codes.CATEGORICAL_HINGE

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "categorical_hinge",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class CosineSimilarity(_Rows):
    """-sum(t y) / (|t| |y|) over an axis: -1 for the same direction, 1 for the opposite one.

    Parameters
    ----------
    axis : int
    reduction, name, dtype : as in `Loss`
    """

    code = codes.COSINE

    def __init__(self, axis: int = -1, reduction: str | None = "sum_over_batch_size", name: str = "cosine_similarity",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.axis = int(axis)

    @property
    def axes(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.axis,)


class Tversky(_Rows):
    """1 - I / (I + alpha (T - I) + beta (P - I)), I = sum(t y), T = sum(t), P = sum(y); Salehi et al., 2017.

    Parameters
    ----------
    alpha, beta : float
        What a missed and a wrongly claimed element weigh.
    reduction, name, dtype : as in `Loss`
    axis : tuple of int, optional
        The axes of the sums, such as (1, 2, 3) for a loss of each image; None for all of the batch at once, in which
        case every sample has the same loss.
    """

    code = codes.TVERSKY

    def __init__(self, alpha: float = 0.5, beta: float = 0.5, reduction: str | None = "sum_over_batch_size",
                 name: str = "tversky", axis: Any = None, dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.alpha, self.beta = float(alpha), float(beta)
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
        return whole(np.asarray(y_true)[None], np.asarray(y_pred)[None], sample_weight)

    def forward(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool = True,
                sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray | None]:
        """As `Loss.forward`."""
        if self.axis is not None:
            return super().forward(y_true, y_pred, wants_gradient, sample_weight)
        if sample_weight is not None:
            raise ArgumentError(f"{self.name}: sample_weight is not offered with axis=None, where samples have no "
                                f"losses of their own; give axis={tuple(range(1, y_pred.ndim))}")
        whole = type(self)(**{**self.get_config(), "axis": tuple(range(1, y_pred.ndim + 1)), "reduction": "sum"})
        value, gradient = whole.forward(y_true[None], y_pred[None], wants_gradient)
        losses = device.of(y_pred).empty((len(y_pred),), y_pred.dtype)
        losses[...] = value
        return losses, None if gradient is None else gradient[0]


class Dice(Tversky):
    """1 - 2 I / (T + P + 1e-7), I = sum(t y), T = sum(t), P = sum(y): for masks.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    axis : tuple of int, optional : as in `Tversky`
    """

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "dice", axis: Any = None,
                 dtype: Any = None) -> None:
        super().__init__(0.5, 0.5, reduction, name, axis, dtype)

    @property
    def settings(self) -> tuple[float, float, float]:  # type: ignore[override]
        return 0.5, 0.5, 0.5e-7

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key not in ("alpha", "beta")}
