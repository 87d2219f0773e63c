"""Losses, with Keras's names: the value of each sample and, in the same pass, the gradient of their mean."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError, DataError, unknown

_EMPTY = {np.dtype(kind): np.empty((0, 0), kind) for kind in (np.float32, np.float64)}


class Loss:
    """The base of losses: `forward` for training, a call for the value alone."""

    name = "loss"

    #: Whether the loss takes the probabilities of a softmax, so that `forward_from_logits` may stand for both.
    follows_softmax = False

    def forward(self, y_true: np.ndarray, y_pred: np.ndarray, wants_gradient: bool = True
                ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the loss of each sample (N,), and the gradient of their mean with respect to `y_pred`.

        Parameters
        ----------
        y_true : array
            Targets, as the loss wants them.
        y_pred : (N, ...) float array
            Outputs of the model.
        wants_gradient : bool
            Else the gradient is None.

        Raises
        ------
        ArgumentError
            If the shapes do not agree.
        """
        d = device.of(y_pred)
        rows = y_pred.reshape(y_pred.shape[0], -1)
        targets = self.targets(y_true, y_pred)
        losses = d.empty(rows.shape[:1], y_pred.dtype)
        gradient = d.empty(y_pred.shape, y_pred.dtype) if wants_gradient else None
        out = _EMPTY[y_pred.dtype] if gradient is None else gradient.reshape(rows.shape)
        self.kernel(d, losses, out, rows, targets, 1.0 / max(1, rows.shape[0]))
        return losses, gradient

    def forward_from_logits(self, y_true: np.ndarray, logits: np.ndarray, wants_probabilities: bool = True
                            ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """Return the losses (N,) of softmax(logits), the gradient of their mean with respect to the *logits*, and it.

        One kernel, for a loss that `follows_softmax` and a model whose last step is a softmax over (N, classes). It is
        exact where `forward` clips probabilities to [1e-7, 1 - 1e-7] and then passes no gradient; Keras does the same
        when it finds the logits of a softmax.

        Parameters
        ----------
        y_true : array
            Targets, as the loss wants them.
        logits : (N, classes) float array
        wants_probabilities : bool
            Else None stands for softmax(logits).

        Raises
        ------
        ArgumentError
            If the shapes do not agree.
        """
        raise NotImplementedError

    def __call__(self, y_true: Any, y_pred: np.ndarray) -> float:
        """Return the mean loss of a batch."""
        losses, _ = self.forward(np.asarray(y_true), y_pred, wants_gradient=False)
        return float(losses.mean(dtype=np.float64))

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return the targets as the kernel wants them: rows of the outputs' shape and type."""
        shape = (y_pred.shape[0], int(np.prod(y_pred.shape[1:])))
        if y_true.size != y_pred.size:
            raise ArgumentError(f"{self.name}: expected targets of the outputs' shape {y_pred.shape}, "
                                f"got {y_true.shape}")
        return np.ascontiguousarray(y_true, y_pred.dtype).reshape(shape)

    def kernel(self, d: Any, losses: np.ndarray, gradient: np.ndarray, x: np.ndarray, targets: np.ndarray,
               scale: float) -> None:
        """Call the kernel of the loss."""
        raise NotImplementedError

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        """Raise DataError for targets that no batch of them could satisfy; called once, before training."""


class _Categorical(Loss):
    """What the cross-entropies of several classes share: whether a softmax comes before them or is theirs."""

    softmax_kernel = ""

    def __init__(self, from_logits: bool = False) -> None:
        self.from_logits = from_logits
        self.follows_softmax = not from_logits

    def forward_from_logits(self, y_true: np.ndarray, logits: np.ndarray, wants_probabilities: bool = True
                            ) -> tuple[np.ndarray, np.ndarray, np.ndarray | None]:
        """As `Loss.forward_from_logits`."""
        if logits.ndim != 2:
            raise ArgumentError(f"{self.name}: expected logits (N, classes), got {logits.shape}")
        d, targets = device.of(logits), self.targets(y_true, logits)
        losses, gradient = d.empty(logits.shape[:1], logits.dtype), d.empty(logits.shape, logits.dtype)
        probabilities = d.empty(logits.shape, logits.dtype) if wants_probabilities else None
        getattr(d.kernels, self.softmax_kernel)(
            losses, gradient, _EMPTY[logits.dtype] if probabilities is None else probabilities, logits, targets,
            1.0 / max(1, logits.shape[0]))
        return losses, gradient, probabilities

    def kernel(self, d, losses, gradient, x, targets, scale):
        if self.from_logits:
            getattr(d.kernels, self.softmax_kernel)(losses, gradient, _EMPTY[x.dtype], x, targets, scale)
        else:
            getattr(d.kernels, self.name)(losses, gradient, x, targets, scale)


class SparseCategoricalCrossentropy(_Categorical):
    """-log p[label], for integer labels (N,) or (N, 1). ONNX: SoftmaxCrossEntropyLoss.

    Parameters
    ----------
    from_logits : bool
        Whether outputs are logits, whose softmax is taken in the same pass, or probabilities.
    """

    name, softmax_kernel = "sparse_categorical_crossentropy", "softmax_sparse_categorical_crossentropy"

    def targets(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        if y_true.size != y_pred.shape[0] or y_pred.ndim != 2:
            raise ArgumentError(f"{self.name}: expected labels (N,) for outputs (N, classes), "
                                f"got {y_true.shape} for {y_pred.shape}")
        return np.ascontiguousarray(y_true, np.int64).reshape(-1)

    def check(self, y_true: np.ndarray, outputs: int) -> None:
        if y_true.size and (y_true.min() < 0 or y_true.max() >= outputs):
            raise DataError(f"{self.name}: expected labels 0..{outputs - 1} for {outputs} outputs, "
                            f"got {y_true.min()}..{y_true.max()}; make the last layer as wide as there are classes")


class CategoricalCrossentropy(_Categorical):
    """-sum_k t[k] log p[k], for targets (N, classes) such as `fc.utils.to_categorical` makes.

    Parameters
    ----------
    from_logits : bool
        Whether outputs are logits, whose softmax is taken in the same pass, or probabilities.
    """

    name, softmax_kernel = "categorical_crossentropy", "softmax_categorical_crossentropy"


class BinaryCrossentropy(Loss):
    """-(t log p + (1 - t) log(1 - p)), the mean over a sample's outputs.

    Parameters
    ----------
    from_logits : bool
        Whether outputs are logits, whose sigmoid is taken in the same pass, or probabilities.
    """

    name = "binary_crossentropy"

    def __init__(self, from_logits: bool = False) -> None:
        self.from_logits = from_logits

    def kernel(self, d, losses, gradient, x, targets, scale):
        d.kernels.binary_crossentropy(losses, gradient, x, targets, self.from_logits, scale)


class MeanSquaredError(Loss):
    """(y - t)^2, the mean over a sample's outputs."""

    name = "mean_squared_error"

    def kernel(self, d, losses, gradient, x, targets, scale):
        d.kernels.mean_squared_error(losses, gradient, x, targets, scale)


_NAMES: dict[str, Callable[[], Loss]] = {
    c.name: c for c in (SparseCategoricalCrossentropy, CategoricalCrossentropy, BinaryCrossentropy, MeanSquaredError)
}
_NAMES["mse"] = MeanSquaredError


def get(loss: str | Loss) -> Loss:
    """Return the loss for a name, or a loss itself.

    Raises
    ------
    ArgumentError
        If the name is not known.
    """
    if isinstance(loss, Loss):
        return loss
    if isinstance(loss, str) and loss in _NAMES:
        return _NAMES[loss]()
    raise ArgumentError(unknown("loss", loss, _NAMES))
