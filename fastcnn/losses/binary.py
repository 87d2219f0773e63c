"""Binary cross-entropies: of a label that is so or not, of several labels a sample, also where some are unknown."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import number
from fastcnn.geometry.positions import broadcast_weights
from fastcnn.kernels import loss_codes as codes
from fastcnn.losses.regression import _Logarithmic
from fastcnn.losses.settings import axis_of, gamma_of, smoothing_of
from fastcnn.losses.targets import SHARES, check_targets


class BinaryCrossentropy(_Logarithmic):
    """-(t log p + (1 - t) log(1 - p)), the mean over the last axis.

    Parameters
    ----------
    from_logits : bool
        Whether outputs are logits, whose sigmoid is taken in the same pass, in place of probabilities.
    label_smoothing : float
        Targets become t (1 - s) + s / 2.
    axis : int
        The axis of the mean.
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[1, 0]], "float32"), np.array([[0.9, 0.2]], "float32")
    >>> round(losses.BinaryCrossentropy()(t, y), 3)
    0.164
    """

    takes = SHARES

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str = "binary_crossentropy",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), axis_of(self, axis)
        self.label_smoothing = smoothing_of(self, label_smoothing)

    @property
    def axes(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.axis,)

    @property
    def code(self) -> int:  # type: ignore[override]
        return codes.BINARY_LOGITS if self.from_logits else codes.BINARY

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        rows, s = super().targets(y_true, y_pred), self.label_smoothing
        return rows * rows.dtype.type(1 - s) + rows.dtype.type(s / 2) if s else rows


class BinaryFocalCrossentropy(BinaryCrossentropy):
    """(1 - p_t)^gamma times the binary cross-entropy, with p_t = t p + (1 - t)(1 - p); Lin et al., 2017, equation 5.

    Parameters
    ----------
    apply_class_balancing : bool
        Whether ones are multiplied by alpha and zeros by 1 - alpha.
    alpha, gamma : float
    from_logits : bool
        Whether outputs are logits, whose sigmoid is taken in the same pass, in place of probabilities.
    label_smoothing, axis, reduction, name, dtype : as in `BinaryCrossentropy`

    Examples
    --------
    >>> t, y = np.array([[1, 0]], "float32"), np.array([[0.9, 0.2]], "float32")
    >>> round(losses.BinaryFocalCrossentropy()(t, y), 3)
    0.005
    """

    def __init__(self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
                 from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str = "binary_focal_crossentropy",
                 dtype: Any = None) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.apply_class_balancing = bool(apply_class_balancing)
        self.alpha = number(alpha, "BinaryFocalCrossentropy", "a number for alpha")
        self.gamma = gamma_of(self, gamma)

    @property
    def code(self) -> int:  # type: ignore[override]
        return codes.FOCAL_LOGITS if self.from_logits else codes.FOCAL

    @property
    def settings(self) -> tuple[float, float, float]:  # type: ignore[override]
        if self.apply_class_balancing:
            return self.gamma, 1 - self.alpha, 2 * self.alpha - 1
        return self.gamma, 1.0, 0.0


class MaskedBinaryCrossentropy(BinaryCrossentropy):
    """Binary cross-entropy of several labels for each sample, some unknown: the mean over the *known* ones.

    Each image has several yes-or-no labels, and some are missing. A missing label has neither loss nor gradient. With
    the weight w of the sample, v = 1 at known labels and 0 elsewhere, and the positive weights b,

        L = sum w v (-b t log p - (1 - t) log(1 - p)) / sum v

    Parameters
    ----------
    mask_value : float
        The label that means unknown, such as -1 or NaN.
    positive_weight : float or list of float, optional
        b: how many times more a 1 counts than a 0, for all labels or for each. The number of zeros over that of ones
        balances a label.
    from_logits : bool
        Whether outputs are logits, whose sigmoid is taken in the same pass, in place of probabilities.
    label_smoothing, reduction, name, dtype : as in `BinaryCrossentropy`

    Examples
    --------
    >>> t, y = np.array([[1, -1]], "float32"), np.array([[0.9, 0.2]], "float32")
    >>> round(losses.MaskedBinaryCrossentropy()(t, y), 3)
    0.105
    """

    def __init__(self, mask_value: float = -1, positive_weight: Any = None, from_logits: bool = False,
                 label_smoothing: float = 0.0, reduction: str | None = "sum_over_batch_size",
                 name: str = "masked_binary_crossentropy", dtype: Any = None) -> None:
        super().__init__(from_logits, label_smoothing, -1, reduction, name, dtype)
        self.mask_value = float(mask_value)
        single = positive_weight is None or isinstance(positive_weight, (int, float))
        self.positive_weight = positive_weight if single else [float(w) for w in positive_weight]
        if self.positive_weight is not None and not np.all(np.asarray(self.positive_weight) >= 0):
            raise ArgumentError(f"{name}: expected positive_weight of at least 0, got {positive_weight!r}")
        if reduction in ("none", None):
            raise ArgumentError(f"{name}: reduction={reduction!r} is not offered: positions have means of their own")

    def get_config(self) -> dict[str, Any]:
        return {key: value for key, value in super().get_config().items() if key != "axis"}

    def share(self, columns: int) -> float:
        return 1.0

    def _known(self, y_true: np.ndarray) -> np.ndarray:
        return ~np.isnan(y_true) if np.isnan(self.mask_value) else y_true != self.mask_value

    def has_unknown(self, y_true: np.ndarray) -> bool:
        """Return whether some labels are unknown."""
        return not bool(self._known(y_true).all())

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        """As `Loss.check`, but for labels that are unknown."""
        check_targets(self.name, y_true, SHARES, lambda labels: ~self._known(labels))

    def _parts(self, y_true: np.ndarray, y_pred: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return targets and weights of all elements: -b t log p - (1 - t) log(1 - p) is a cross-entropy, weighted."""
        y_true = y_true.astype(y_pred.dtype, copy=False)
        y_true = y_true.reshape(y_pred.shape) if y_true.size == y_pred.size else y_true
        known = self._known(y_true)
        rows = super().targets(np.where(known, y_true, y_true.dtype.type(0)), y_pred)
        known = known.reshape(rows.shape)
        if self.positive_weight is None:
            return rows, known.astype(rows.dtype)
        b = np.asarray(self.positive_weight, rows.dtype)
        if b.ndim and b.shape != rows.shape[1:]:
            raise ArgumentError(f"{self.name}: expected a positive_weight for each of {rows.shape[1]} tasks, "
                                f"got {b.size}")
        weights = b * rows + (1 - rows)
        return b * rows / np.where(weights > 0, weights, rows.dtype.type(1)), np.where(known, weights, 0)

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return self._parts(y_true, y_pred)[0]

    def weights(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any) -> tuple[np.ndarray, float]:
        known = self._known(y_true).reshape(y_pred.shape)
        own = self._parts(y_true, y_pred)[1]
        if sample_weight is not None:
            samples = broadcast_weights(sample_weight, self.positions(y_pred), y_pred.dtype, self.name)[..., None]
            own = own * samples.reshape(-1, 1)
        if self.reduction == "sum":
            divisor = 1.0
        elif self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            divisor = float((samples * known).sum(dtype=np.float64))
        else:
            divisor = float(np.count_nonzero(known))
        return np.ascontiguousarray(own, y_pred.dtype).reshape(-1), divisor
