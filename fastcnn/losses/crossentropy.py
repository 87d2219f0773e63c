"""Cross-entropies, what is made of them, and the Kullback-Leibler divergence."""

import functools
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.positions import spread, trimmed
from fastcnn.kernels import loss_codes as codes
from fastcnn.losses.base import NONE, Loss
from fastcnn.losses.regression import _Elementwise
from fastcnn.losses.targets import DISTRIBUTIONS, SHARES, Takes, check, odd_sum

_NO_ROWS = {kind: array.reshape(0, 0) for kind, array in NONE.items()}

# What a loss does with probabilities; one derived that does it otherwise is not what the softmax kernel computes.
_VERBS = ("forward", "run", "kernel", "from_probabilities")


def _smoothing(who: Loss, value: float) -> float:
    if not 0 <= value <= 1:
        raise ArgumentError(f"{type(who).__name__}: expected 0 <= label_smoothing <= 1, got {value!r}")
    return float(value)


def _axis(who: Loss, value: int) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)):
        raise ArgumentError(f"{type(who).__name__}: expected axis to be an integer, got {value!r}")
    return int(value)


def _doubt(who: Loss, y_true: np.ndarray, axis: int) -> str | None:
    """Return a sentence about rows that are no distributions."""
    found = odd_sum(y_true, axis) if y_true.ndim > 1 else None
    return None if found is None else (f"{who.name}: expected rows of targets that sum to 1, got one that sums to "
                                       f"{found:.4g}; classes that do not exclude each other ask for a sigmoid and "
                                       f"binary cross-entropy")


class _Categorical(Loss):
    """What the cross-entropies of several classes share: whether a softmax comes before them or is theirs."""

    softmax_kernel = ""
    from_logits: bool
    axis: int

    @property
    def axes(self) -> tuple[int, ...]:  # type: ignore[override]
        return (self.axis,)

    @property
    def follows_softmax(self) -> bool:  # type: ignore[override]
        kind = type(self)
        base = next(one for one in kind.__mro__ if "softmax_kernel" in vars(one))  # whose loss the kernel computes
        same = all(getattr(kind, verb) is getattr(base, verb) for verb in _VERBS)
        return same and not self.from_logits and self.axis == -1

    def forward_from_logits(self, y_true: np.ndarray, logits: np.ndarray, wants_probabilities: bool = True,
                            sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """As `Loss.forward_from_logits`."""
        if logits.ndim < 2:
            raise ArgumentError(f"{self.name}: expected logits (N, ..., classes), got {logits.shape}")
        if self.reduction in ("none", None):
            return self.run(y_true, logits, True, sample_weight)  # type: ignore[return-value]  # which refuses
        d, x = device.of(logits), self.rows(logits, logits.dtype)
        targets = self.targets(y_true, logits)
        weights, divisor = self.weights(y_true, logits, sample_weight)
        values, gradient = d.empty(x.shape[:1], x.dtype), d.empty(x.shape, x.dtype)
        probabilities = d.empty(x.shape, x.dtype) if wants_probabilities else None
        getattr(d.kernels, self.softmax_kernel)(
            values, gradient, _NO_ROWS[x.dtype] if probabilities is None else probabilities, x, targets, weights,
            1.0 / divisor if divisor else 0.0)
        return (self.folded(values, len(logits), divisor), gradient.reshape(logits.shape),
                None if probabilities is None else probabilities.reshape(logits.shape))

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        dx = gradient if wants_gradient else _NO_ROWS[x.dtype]
        if self.from_logits:
            getattr(d.kernels, self.softmax_kernel)(losses, dx, _NO_ROWS[x.dtype], x, targets, weights, scale)
        else:
            self.from_probabilities(d, losses, dx, x, targets, weights, scale)

    def from_probabilities(self, d, losses, dx, x, targets, weights, scale):
        """Call the kernel for probabilities."""
        raise NotImplementedError


@functools.cache
def _labels(outputs: int) -> Takes:
    return Takes(f"labels 0..{outputs - 1} for {outputs} outputs", 0, outputs - 1,
                 "make the last layer as wide as there are classes", whole=True)


class SparseCategoricalCrossentropy(_Categorical):
    """-log p[label], for integer labels (N,) or (N, 1), or (N, H, W) or (N, H, W, 1) for outputs (N, H, W, classes).

    ONNX: SoftmaxCrossEntropyLoss, NegativeLogLikelihoodLoss.

    Parameters
    ----------
    from_logits : bool
        Whether outputs are logits, whose softmax is taken in the same pass, or probabilities.
    ignore_class : int, optional
        A label, also one outside of the classes such as 255 or -1, whose positions do not count: they have neither
        loss nor gradient, and means are taken over the others.
    reduction : str
        As in `Loss`.
    axis : int
        Where the classes are.
    name, dtype : as in `Loss`
    """

    softmax_kernel = "softmax_sparse_categorical_crossentropy"

    def __init__(self, from_logits: bool = False, ignore_class: int | None = None,
                 reduction: str | None = "sum_over_batch_size", axis: int = -1,
                 name: str = "sparse_categorical_crossentropy", dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), _axis(self, axis)
        self.ignore_class = None if ignore_class is None else int(ignore_class)

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(self._labels(y_true, y_pred), np.int64).reshape(-1)

    def _labels(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        shape = self.positions(y_pred)
        if trimmed(y_true.shape) != trimmed(shape) or y_pred.ndim < 2:
            wanted = "(N,)" if len(shape) == 1 else f"(N, {', '.join(map(str, shape[1:]))})"
            raise ArgumentError(f"{self.name}: expected labels {wanted} for outputs (N, ..., classes), "
                                f"got {y_true.shape} for {y_pred.shape}")
        return y_true.reshape(shape)

    def counted(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray | None:
        return None if self.ignore_class is None else self._labels(y_true, y_pred) != self.ignore_class

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        """As `Loss.check`: integers, of any type, that there is an output for."""
        ignored = self.ignore_class
        check(self.name, y_true, _labels(outputs), None if ignored is None else lambda labels: labels == ignored)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """As `Loss.__call__`; a label that there is no output for is refused."""
        if np.ndim(y_pred):
            self.check(np.atleast_1d(y_true), np.shape(y_pred)[self.axis])
        return super().__call__(y_true, y_pred, sample_weight)

    def from_probabilities(self, d, losses, dx, x, targets, weights, scale):
        d.kernels.sparse_categorical_crossentropy(losses, dx, x, targets, weights, scale)


class CategoricalCrossentropy(_Categorical):
    """-sum_k t[k] log p[k], for targets (N, ..., classes) such as `fc.utils.to_categorical` makes.

    Parameters
    ----------
    from_logits : bool
        Whether outputs are logits, whose softmax is taken in the same pass, or probabilities.
    label_smoothing : float
        This part of the targets is given to all classes alike: t (1 - s) + s / classes; Szegedy et al., 2016.
    axis : int
        Where the classes are.
    reduction, name, dtype : as in `Loss`
    """

    softmax_kernel, takes = "softmax_categorical_crossentropy", DISTRIBUTIONS

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str = "categorical_crossentropy",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), _axis(self, axis)
        self.label_smoothing = _smoothing(self, label_smoothing)

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        rows, s = super().targets(y_true, y_pred), self.label_smoothing
        return rows * rows.dtype.type(1 - s) + rows.dtype.type(s / rows.shape[1]) if s else rows

    def doubt(self, y_true: np.ndarray) -> str | None:
        return _doubt(self, y_true, self.axis)

    def from_probabilities(self, d, losses, dx, x, targets, weights, scale):
        d.kernels.categorical_crossentropy(losses, dx, x, targets, weights, 0.0, scale)


class CategoricalFocalCrossentropy(CategoricalCrossentropy):
    """-sum_k alpha t[k] (1 - p[k])^gamma log p[k]: cross-entropy of what is still uncertain; Lin et al., 2017.

    Parameters
    ----------
    alpha : float or list of float
        For all classes, or one for each.
    gamma : float
        At least 0.
    from_logits : bool
        Whether outputs are logits, whose softmax is taken first, or probabilities.
    label_smoothing, axis, reduction, name, dtype : as in `CategoricalCrossentropy`
    """

    def __init__(self, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
                 axis: int = -1, reduction: str | None = "sum_over_batch_size",
                 name: str = "categorical_focal_crossentropy", dtype: Any = None) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.alpha = alpha if isinstance(alpha, (int, float)) else [float(a) for a in alpha]
        self.gamma = _gamma(self, gamma)

    def forward_from_logits(self, y_true: np.ndarray, logits: np.ndarray, wants_probabilities: bool = True,
                            sample_weight: Any = None) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        raise NotImplementedError

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        rows, alpha = super().targets(y_true, y_pred), np.asarray(self.alpha, y_pred.dtype)
        if alpha.ndim and alpha.shape != rows.shape[1:]:
            raise ArgumentError(f"{self.name}: expected an alpha for each of {rows.shape[1]} classes, "
                                f"got {alpha.size}")
        return rows * alpha

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        dx = gradient if wants_gradient else _NO_ROWS[x.dtype]
        if not self.from_logits:
            d.kernels.categorical_crossentropy(losses, dx, x, targets, weights, self.gamma, scale)
            return
        p = d.empty(x.shape, x.dtype)
        d.kernels.softmax_forward(p, x, False)
        dp = d.empty(x.shape, x.dtype) if wants_gradient else dx
        d.kernels.categorical_crossentropy(losses, dp, p, targets, weights, self.gamma, scale)
        if wants_gradient:
            d.kernels.softmax_backward(dx, dp, p, False)


def _gamma(who: Loss, value: float) -> float:
    if not value >= 0:
        raise ArgumentError(f"{type(who).__name__}: expected gamma of at least 0, got {value!r}")
    return float(value)


class BinaryCrossentropy(_Elementwise):
    """-(t log p + (1 - t) log(1 - p)), the mean over the last axis.

    Parameters
    ----------
    from_logits : bool
        Whether outputs are logits, whose sigmoid is taken in the same pass, or probabilities.
    label_smoothing : float
        Targets become t (1 - s) + s / 2.
    axis : int
        Over which the mean is taken.
    reduction, name, dtype : as in `Loss`
    """

    kernel_name, takes = "binary_loss", SHARES

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str = "binary_crossentropy",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), _axis(self, axis)
        self.label_smoothing = _smoothing(self, label_smoothing)

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
    """(1 - p_t)^gamma times the binary cross-entropy, p_t = t p + (1 - t)(1 - p); Lin et al., 2017, equation 5.

    Parameters
    ----------
    apply_class_balancing : bool
        Whether ones are multiplied by alpha and zeros by 1 - alpha.
    alpha, gamma : float
    from_logits : bool
        Whether outputs are logits, whose sigmoid is taken in the same pass, or probabilities.
    label_smoothing, axis, reduction, name, dtype : as in `BinaryCrossentropy`
    """

    def __init__(self, apply_class_balancing: bool = False, alpha: float = 0.25, gamma: float = 2.0,
                 from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str = "binary_focal_crossentropy",
                 dtype: Any = None) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.apply_class_balancing, self.alpha = bool(apply_class_balancing), float(alpha)
        self.gamma = _gamma(self, gamma)

    @property
    def code(self) -> int:  # type: ignore[override]
        return codes.FOCAL_LOGITS if self.from_logits else codes.FOCAL

    @property
    def settings(self) -> tuple[float, float, float]:  # type: ignore[override]
        if self.apply_class_balancing:
            return self.gamma, 1 - self.alpha, 2 * self.alpha - 1
        return self.gamma, 1.0, 0.0


class MaskedBinaryCrossentropy(BinaryCrossentropy):
    """Binary cross-entropy of several labels a sample, some unknown: the mean over the *known* labels of the batch.

    One image, several questions, not all of them answered. An unknown label has neither loss nor gradient; with w the
    sample's weight, v 1 at known labels and 0 elsewhere, and b the positive weights,

        L = sum w v (-b t log p - (1 - t) log(1 - p)) / sum v

    Parameters
    ----------
    mask_value : float
        What an unknown label is: -1, say, or NaN.
    positive_weight : float or list of float, optional
        b: what a label of 1 counts more than one of 0, for all tasks or for each. Zeros over ones of a task balance it.
    from_logits : bool
        Whether outputs are logits, whose sigmoid is taken in the same pass, or probabilities.
    label_smoothing, reduction, name, dtype : as in `BinaryCrossentropy`
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

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        """As `Loss.check`, but for labels that are unknown."""
        check(self.name, y_true, SHARES, lambda labels: ~self._known(labels))

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
            samples = spread(sample_weight, self.positions(y_pred), y_pred.dtype, self.name)[..., None]
            own = own * samples.reshape(-1, 1)
        if self.reduction == "sum":
            divisor = 1.0
        elif self.reduction == "mean_with_sample_weight" and sample_weight is not None:
            divisor = float((samples * known).sum(dtype=np.float64))
        else:
            divisor = float(np.count_nonzero(known))
        return np.ascontiguousarray(own, y_pred.dtype).reshape(-1), divisor


class KLDivergence(_Elementwise):
    """sum_k t[k] log(t[k] / p[k]), both clipped to [1e-7, 1]; Kullback and Leibler, 1951.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`
    """

    code, kernel_name, takes = codes.KL_DIVERGENCE, "binary_loss", DISTRIBUTIONS

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "kl_divergence",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)

    def doubt(self, y_true: np.ndarray) -> str | None:
        return _doubt(self, y_true, -1)

    def share(self, columns: int) -> float:
        return 1.0
