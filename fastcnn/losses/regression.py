"""Losses of regression and of margins: means over the last axis of something an element."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.kernels import loss_codes as codes
from fastcnn.losses.base import _MEANS, Loss
from fastcnn.losses.targets import COUNTS, FINITE, MARGINS, Takes


class _Elementwise(Loss):
    """The mean over the last axis of f(y, t), which is a code of a kernel."""

    code, settings = -1, (0.0, 0.0, 0.0)
    takes: Takes | None = FINITE

    @staticmethod
    def compiled(d: device.Device) -> Any:
        """Return the kernel that knows the code."""
        return d.kernels.elementwise_loss

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        self.compiled(d)(losses, gradient, x, targets, weights, self.code, *self.settings, self.share(x.shape[1]),
                         scale, wants_gradient)

    def share(self, columns: int) -> float:
        """Return the factor of the sum over a row."""
        return 1.0 / max(1, columns)


class _Logarithmic(_Elementwise):
    """As `_Elementwise`, with logarithms in the formula."""

    @staticmethod
    def compiled(d: device.Device) -> Any:
        return d.kernels.binary_loss


class MeanSquaredError(_Elementwise):
    """(y - t)^2, the mean over the last axis.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[1, 2]], "float32"), np.array([[1.5, 4]], "float32")
    >>> round(losses.MeanSquaredError()(t, y), 3)
    2.125
    """

    code = codes.SQUARED

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_error",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class MeanAbsoluteError(_Elementwise):
    """|y - t|, the mean over the last axis. Where both are equal, the slope is taken as 0.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[1, 2]], "float32"), np.array([[1.5, 4]], "float32")
    >>> round(losses.MeanAbsoluteError()(t, y), 3)
    1.25
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

    Examples
    --------
    >>> t, y = np.array([[1, 2]], "float32"), np.array([[1.5, 4]], "float32")
    >>> round(losses.MeanAbsolutePercentageError()(t, y), 3)
    75.0
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

    Examples
    --------
    >>> t, y = np.array([[1, 2]], "float32"), np.array([[1.5, 4]], "float32")
    >>> round(losses.MeanSquaredLogarithmicError()(t, y), 3)
    0.155
    """

    code = codes.SQUARED_LOGARITHMIC

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "mean_squared_logarithmic_error",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class RootMeanSquaredError(_Elementwise):
    """sqrt(mean((y - t)^2)), with one weighted mean over *all* outputs of the batch, as Keras's metric of this name.

    It is not a sum over samples. The loss of a sample is its share: its mean squared error divided by the root.

    Parameters
    ----------
    reduction : str
        As in `Loss`, but only the means.
    name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[1, 2]], "float32"), np.array([[1.5, 4]], "float32")
    >>> round(losses.RootMeanSquaredError()(t, y), 3)
    1.458
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
        d = device.of(y_pred)
        total = float(d.get(values).sum(dtype=np.float64))
        root = (total / divisor) ** 0.5 if divisor else 0.0
        gradient = None
        if wants_gradient:
            x = self.output_rows(y_pred)
            targets, weights, _ = self.prepared(d, y_true, y_pred, sample_weight)
            gradient = d.empty(x.shape, x.dtype)
            self.kernel(d, values, gradient, x, targets, weights,
                        0.5 / (root * divisor) if total else 0.0, True)
            gradient = gradient.reshape(y_pred.shape)
        losses = self.folded(values, len(y_pred), divisor * root if total else divisor)
        return losses, gradient

    def of_vector(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any) -> float:
        """As `Loss.of_vector`, but weights are those of the elements, as everywhere in this loss."""
        return self(y_true.reshape(-1, 1), y_pred.reshape(-1, 1), sample_weight)


class Huber(_Elementwise):
    """e^2 / 2 where e = |y - t| <= delta, else delta e - delta^2 / 2; the mean over the last axis. Huber, 1964.

    Parameters
    ----------
    delta : float
        Where the parabola becomes a line. It is positive.
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[1, 2]], "float32"), np.array([[1.5, 4]], "float32")
    >>> round(losses.Huber()(t, y), 3)
    0.812
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

    Examples
    --------
    >>> t, y = np.array([[1, 2]], "float32"), np.array([[1.5, 4]], "float32")
    >>> round(losses.LogCosh()(t, y), 3)
    0.723
    """

    code = codes.LOG_COSH

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "log_cosh",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class Poisson(_Logarithmic):
    """y - t log(y + 1e-7), the mean over the last axis: for counts t and rates y.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[1, 2]], "float32"), np.array([[1.5, 4]], "float32")
    >>> round(losses.Poisson()(t, y), 3)
    1.161
    """

    code, takes = codes.POISSON, COUNTS

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "poisson",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class _Hinge(_Elementwise):
    """Targets of a batch that are all 0 or 1 become -1 and 1, as in Keras."""

    takes = MARGINS

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        rows = super().targets(y_true, y_pred)
        return 2 * rows - 1 if np.logical_or(rows == 0, rows == 1).all() else rows


class Hinge(_Hinge):
    """max(1 - t y, 0), the mean over the last axis, for targets of -1 and 1 (or 0 and 1).

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[1, 0]], "float32"), np.array([[0.5, -2]], "float32")
    >>> round(losses.Hinge()(t, y), 3)
    0.25
    """

    code = codes.HINGE

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "hinge", dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)


class SquaredHinge(_Hinge):
    """max(1 - t y, 0)^2, the mean over the last axis, for targets of -1 and 1 (or 0 and 1).

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[1, 0]], "float32"), np.array([[0.5, -2]], "float32")
    >>> round(losses.SquaredHinge()(t, y), 3)
    0.125
    """

    code = codes.SQUARED_HINGE

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "squared_hinge",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
