"""Cross-entropies of classes that exclude one another, what is made of them, and the Kullback-Leibler divergence."""

import functools
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.positions import trimmed
from fastcnn.kernels import loss_codes as codes
from fastcnn.losses.base import NONE, Loss
from fastcnn.losses.regression import _Logarithmic
from fastcnn.losses.settings import axis_of, gamma_of, smoothing_of
from fastcnn.losses.targets import DISTRIBUTIONS, Takes, check_targets, odd_sum

_NO_ROWS = {kind: array.reshape(0, 0) for kind, array in NONE.items()}

# What a loss does with probabilities; one derived that does it otherwise is not what the softmax kernel computes.
_VERBS = ("forward", "run", "kernel", "from_probabilities")


def _doubt(who: Loss, y_true: np.ndarray, axis: int) -> str | None:
    """Return a sentence about rows that are no distributions."""
    found = odd_sum(y_true, axis) if y_true.ndim > 1 else None
    return None if found is None else (f"{who.name}: expected rows of targets that sum to 1, got one that sums to "
                                       f"{found:.4g}; classes that do not exclude each other ask for a sigmoid and "
                                       f"binary cross-entropy")


class _Categorical(Loss):
    """What the cross-entropies of several classes share: whether a softmax comes before them or is theirs."""

    from_logits: bool
    axis: int

    @staticmethod
    def softmax_kernel(d: device.Device) -> Any:
        """Return the kernel that computes the softmax and the loss in one pass."""
        raise NotImplementedError

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
        d, x = device.of(logits), self.output_rows(logits)
        targets, weights, divisor = self.prepared(d, y_true, logits, sample_weight)
        values, gradient = d.empty(x.shape[:1], x.dtype), d.empty(x.shape, x.dtype)
        probabilities = d.empty(x.shape, x.dtype) if wants_probabilities else None
        self.softmax_kernel(d)(
            values, gradient, _NO_ROWS[x.dtype] if probabilities is None else probabilities, x, targets, weights,
            1.0 / divisor if divisor else 0.0)
        return (self.folded(values, len(logits), divisor), gradient.reshape(logits.shape),
                None if probabilities is None else probabilities.reshape(logits.shape))

    def kernel(self, d, losses, gradient, x, targets, weights, scale, wants_gradient):
        dx = gradient if wants_gradient else _NO_ROWS[x.dtype]
        if self.from_logits:
            self.softmax_kernel(d)(losses, dx, _NO_ROWS[x.dtype], x, targets, weights, scale)
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
        Whether outputs are logits, whose softmax is taken in the same pass, in place of probabilities.
    ignore_class : int, optional
        Positions with this label do not count: they have neither loss nor gradient, and means are taken over the
        others. It may lie outside the classes, such as 255 or -1.
    reduction : str
        As in `Loss`.
    axis : int
        The axis of the classes.
    name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([1]), np.array([[0.1, 0.7, 0.2]], "float32")
    >>> round(losses.SparseCategoricalCrossentropy()(t, y), 3)
    0.357
    """

    def __init__(self, from_logits: bool = False, ignore_class: int | None = None,
                 reduction: str | None = "sum_over_batch_size", axis: int = -1,
                 name: str = "sparse_categorical_crossentropy", dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), axis_of(self, axis)
        self.ignore_class = None if ignore_class is None else int(ignore_class)

    @staticmethod
    def softmax_kernel(d: device.Device) -> Any:
        return d.kernels.softmax_sparse_categorical_crossentropy

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
        check_targets(self.name, y_true, _labels(outputs),
                      None if ignored is None else lambda labels: labels == ignored)

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
        Whether outputs are logits, whose softmax is taken in the same pass, in place of probabilities.
    label_smoothing : float
        This fraction of the targets is shared by all classes: t (1 - s) + s / classes; Szegedy et al., 2016.
    axis : int
        The axis of the classes.
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0]], "float32"), np.array([[0.1, 0.7, 0.2]], "float32")
    >>> round(losses.CategoricalCrossentropy()(t, y), 3)
    0.357
    """

    takes = DISTRIBUTIONS

    def __init__(self, from_logits: bool = False, label_smoothing: float = 0.0, axis: int = -1,
                 reduction: str | None = "sum_over_batch_size", name: str = "categorical_crossentropy",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)
        self.from_logits, self.axis = bool(from_logits), axis_of(self, axis)
        self.label_smoothing = smoothing_of(self, label_smoothing)

    @staticmethod
    def softmax_kernel(d: device.Device) -> Any:
        return d.kernels.softmax_categorical_crossentropy

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        rows, s = super().targets(y_true, y_pred), self.label_smoothing
        return rows * rows.dtype.type(1 - s) + rows.dtype.type(s / rows.shape[1]) if s else rows

    def doubt(self, y_true: np.ndarray) -> str | None:
        return _doubt(self, y_true, self.axis)

    def from_probabilities(self, d, losses, dx, x, targets, weights, scale):
        d.kernels.categorical_crossentropy(losses, dx, x, targets, weights, 0.0, scale)


class CategoricalFocalCrossentropy(CategoricalCrossentropy):
    """-sum_k alpha t[k] (1 - p[k])^gamma log p[k]: cross-entropy that counts what is still uncertain; Lin et al., 2017.

    Parameters
    ----------
    alpha : float or list of float
        For all classes, or one for each.
    gamma : float
        At least 0.
    from_logits : bool
        Whether outputs are logits, whose softmax is taken first, in place of probabilities.
    label_smoothing, axis, reduction, name, dtype : as in `CategoricalCrossentropy`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0]], "float32"), np.array([[0.1, 0.7, 0.2]], "float32")
    >>> round(losses.CategoricalFocalCrossentropy()(t, y), 3)
    0.008
    """

    def __init__(self, alpha: Any = 0.25, gamma: float = 2.0, from_logits: bool = False, label_smoothing: float = 0.0,
                 axis: int = -1, reduction: str | None = "sum_over_batch_size",
                 name: str = "categorical_focal_crossentropy", dtype: Any = None) -> None:
        super().__init__(from_logits, label_smoothing, axis, reduction, name, dtype)
        self.alpha = alpha if isinstance(alpha, (int, float)) else [float(a) for a in alpha]
        self.gamma = gamma_of(self, gamma)

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


class KLDivergence(_Logarithmic):
    """sum_k t[k] log(t[k] / p[k]), both clipped to [1e-7, 1]; Kullback and Leibler, 1951.

    Parameters
    ----------
    reduction, name, dtype : as in `Loss`

    Examples
    --------
    >>> t, y = np.array([[0, 1, 0]], "float32"), np.array([[0.1, 0.7, 0.2]], "float32")
    >>> round(losses.KLDivergence()(t, y), 3)
    0.357
    """

    code, takes = codes.KL_DIVERGENCE, DISTRIBUTIONS

    def __init__(self, reduction: str | None = "sum_over_batch_size", name: str = "kl_divergence",
                 dtype: Any = None) -> None:
        super().__init__(name, reduction, dtype)

    def doubt(self, y_true: np.ndarray) -> str | None:
        return _doubt(self, y_true, -1)

    def share(self, columns: int) -> float:
        return 1.0
