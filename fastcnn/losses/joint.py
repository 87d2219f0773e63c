"""A loss that sees all outputs of a model and all targets at once, as detectors want it."""

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from fastcnn import _hooks, symbolic
from fastcnn.errors import ArgumentError
from fastcnn.losses import own
from fastcnn.losses.base import Loss


class JointLoss(Loss):
    """The base of losses that take all outputs of a model and all targets: `compile(loss=...)` takes it alone.

    One of your own has ``call(self, y_true, y_pred)``, as of `Loss`, with a list of tensors for each; or `forward`,
    which computes with arrays. Targets are one array (or `fastcnn.data.RaggedRows`) for all outputs, or one for each
    output; a class that has `target_names` takes as many as there are names. Weights are of the samples, and one array.

    Parameters
    ----------
    name, reduction, dtype : as in `Loss`

    Attributes
    ----------
    target_names : tuple of str, optional
        What targets are called, where they are not one for each output.

    Examples
    --------
    >>> class BoxWhereThereIsOne(losses.JointLoss):
    ...     def call(self, y_true, y_pred):
    ...         (there, box), (told, sides) = y_true, y_pred
    ...         return (there - told) ** 2 + there * fc.ops.sum((box - sides) ** 2, axis=-1, keepdims=True)
    ...
    >>> there, box = np.array([[1.0], [0.0]]), np.zeros((2, 4))
    >>> BoxWhereThereIsOne()([there, box], [np.array([[0.5], [0.0]]), np.ones((2, 4))])
    2.125
    """

    joint = True
    target_names: tuple[str, ...] | None = None

    def forward(self, y_true: Sequence[np.ndarray], y_pred: Sequence[np.ndarray],  # type: ignore[override]
                wants_gradient: bool = True, sample_weight: Any = None) -> tuple[np.ndarray, list[Any] | None]:
        """Return the loss of each sample (N,), whose mean is the reported value, and the gradient of each output.

        Parameters
        ----------
        y_true : list of arrays
            The targets.
        y_pred : list of (N, ...) float arrays
            The outputs.
        wants_gradient : bool
            Else None stands for the gradients.
        sample_weight : (N,) array, optional

        Returns
        -------
        losses : (N,) array
        gradients : list of arrays
            Of that mean, one of each output's shape; None for an output that the loss does not look at.

        Raises
        ------
        ArgumentError
            If numbers or shapes do not agree.
        """
        return own.forward_of_all(self, y_true, y_pred, wants_gradient, sample_weight)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Return the loss of a batch, a number; of symbolic tensors it is one.

        Parameters
        ----------
        y_true, y_pred : list of arrays or tensors
            One array is a list of one.
        sample_weight : (N,) array, optional
        """
        trues, preds = listed(y_true), listed(y_pred)
        weights = [] if sample_weight is None else [sample_weight]
        if symbolic.is_symbolic([*trues, *preds]):
            return _hooks.hooks["primitive"]("joint_loss")(*trues, *preds, *weights, loss=self, targets=len(trues),
                                                           outputs=len(preds))
        preds = [one if one.dtype in own.FLOATS else one.astype(np.float32) for one in map(np.asarray, preds)]
        values, _ = self.forward(list(map(np.asarray, trues)), preds, False, sample_weight)
        return float(values.mean(dtype=np.float64)) if values.size else 0.0

    def check(self, y_true: Any, outputs: Any) -> None:
        """Raise DataError for targets that the loss does not take; called before anything is trained.

        Parameters
        ----------
        y_true : list of arrays or RaggedRows
            Of all samples.
        outputs : list of tuple
            The shapes of the outputs.
        """

    def doubt(self, y_true: Any) -> str | None:
        """Return a sentence about targets that are taken, but are hardly meant so; None if there is nothing to say."""
        return None

    def require_training(self, who: str) -> None:
        """Raise ArgumentError where there is no number to train with.

        Parameters
        ----------
        who : str
        """
        if self.reduction in ("none", None):
            raise ArgumentError(f"{who}: {self.name} with reduction={self.reduction!r} leaves no number to train "
                                f'with; make the loss with reduction="sum_over_batch_size"')


def listed(given: Any) -> list[Any]:
    """Return what was given as a list: of a dict its values."""
    return cast("list[Any]", list(given.values()) if isinstance(given, dict) else
                list(given) if isinstance(given, (list, tuple)) else [given])
