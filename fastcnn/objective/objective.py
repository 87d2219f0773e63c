"""The losses and metrics of all outputs of a model."""

import math
import numbers
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from fastcnn import losses
from fastcnn._warnings import warn
from fastcnn.data.ragged_rows import RaggedRows
from fastcnn.errors import ArgumentError, DataError
from fastcnn.losses import JointLoss, Loss, MaskedBinaryCrossentropy
from fastcnn.losses.targets import Takes, check_targets
from fastcnn.metrics import Masked, Metric
from fastcnn.metrics.class_numbers import suiting
from fastcnn.objective.outputs import loss_of, metrics_of, per_output
from fastcnn.objective.target import Target, named
from fastcnn.operations.broadcasting import scaled

WEIGHTS, TRAINING = Takes("finite weights"), Takes("finite weights of at least 0", 0)
_PADDED = 64  # samples of ragged rows that are looked at together
KINDS = 1000  # of targets that are remembered as checked


class Objective:
    """The losses and metrics of all outputs.

    Parameters
    ----------
    names : list of str
        Of the outputs.
    shapes : list of tuple
        Of the outputs.
    loss, loss_weights, metrics, weighted_metrics : as `Model.compile` takes them
    who : str
        For errors.
    needs_loss : bool
        Whether it is an error if no output has a loss.

    Raises
    ------
    ArgumentError
        If a name is not known, there are more or fewer entries than outputs, a loss is no number, or one metric is
        asked to count for two outputs.

    Attributes
    ----------
    targets : list of Target
    named : dict of Metric
        All metrics, by the names that logs have for them.
    joint : JointLoss or None
        The loss over all outputs, in the place of one for each.
    """

    joint: JointLoss | None = None

    def __init__(self, names: Sequence[str], shapes: Sequence[Any], loss: Any, loss_weights: Any = None,
                 metrics: Any = None, weighted_metrics: Any = None, who: str = "compile", needs_loss: bool = True
                 ) -> None:
        told = [None if one is None else loss_of(one) for one in per_output(loss, names, f"{who}: loss")]
        self._checked: set[Any] = set()  # shapes and types of targets and weights that are known to be right
        self._suiting = {k for k, one in enumerate(told) if isinstance(one, str)}
        each = [_suiting(s, s) if isinstance(one, str) else one for one, s in zip(told, shapes, strict=True)]
        if needs_loss and all(one is None for one in each):
            raise ArgumentError(f"{who}: expected a loss for at least one output, got none")
        for one in each:
            if one is not None and one.reduction in ("none", None):
                raise ArgumentError(f"{who}: {one.name} with reduction={one.reduction!r} leaves no number to train "
                                    f'with; make the loss with reduction="sum_over_batch_size"')
        weights = per_output(loss_weights, names, f"{who}: loss_weights")
        plain, weighted = (metrics_of(m, names, f"{who}: {word}")
                           for m, word in ((metrics, "metrics"), (weighted_metrics, "weighted_metrics")))
        for weight in weights:
            if weight is not None and not (isinstance(weight, numbers.Real) and math.isfinite(weight)):
                raise ArgumentError(f"{who}: expected numbers for loss_weights, got {weight!r}; "
                                    f"metrics are given as metrics=[...]")
        self.targets = [
            Target(name, one, 1.0 if weight is None else float(weight), m, wm)
            for name, one, weight, m, wm in zip(names, each, weights, plain, weighted, strict=True)]
        self.named = named(self.targets, who)

    @property
    def after_softmax(self) -> tuple[int, ...]:
        """The outputs whose loss is one kernel with a softmax before it."""
        return tuple(k for k, target in enumerate(self.targets)
                     if target.loss is not None and target.loss.follows_softmax)

    @property
    def losses(self) -> list[tuple[Loss | None, float]]:
        """The losses with their weights."""
        return [(target.loss, target.weight) for target in self.targets]

    def of_outputs(self, given: Sequence[Any]) -> Sequence[Any]:
        """Return the targets, or weights, of each output, for metrics."""
        return given

    @property
    def metrics(self) -> list[Metric]:
        """All metrics, weighted ones last."""
        return list(self.named.values())

    @property
    def names(self) -> list[str]:
        """The names of what an epoch reports: the loss, that of each output where there are several, metrics."""
        each = [f"{target.name}_loss" for target in self.targets if len(self.targets) > 1 and target.loss is not None]
        return ["loss", *each, *self.named]

    def direction(self, name: str) -> str | None:
        """Return "down" where less of one of `names` is better, "up" where more is, None where nobody has said."""
        return self.named[name].direction if name in self.named else "down"

    def check(self, ys: Sequence[Any], weights: Sequence[Any] | None, shapes: Sequence[Any], dtype: np.dtype, who: str,
              trains: bool = False, one_batch: bool = False) -> None:
        """Raise an error for targets and weights that losses and metrics cannot take, before anything is trained.

        Parameters
        ----------
        ys, weights : sequences of arrays
            Of all samples; the first tells the shapes.
        shapes : sequence of tuple
            Of the outputs.
        dtype : dtype
            The model's.
        who : str
        trains : bool
            Whether negative weights are refused: along them a loss would grow without end.
        one_batch : bool
            Whether others of the kind follow: doubts are told at the first of them alone.

        Raises
        ------
        ArgumentError
            For shapes.
        DataError
            For targets that a loss does not take, such as labels that no output is for, and for weights.
        """
        for k, (target, y, shape) in enumerate(zip(self.targets, ys, shapes, strict=True)):
            if y is None:
                continue
            if k in self._suiting:
                target = self.targets[k] = target._replace(loss=_suiting(y.shape, shape))
            of_weights = None if weights is None or weights[k] is None else weights[k].shape[1:]
            kind = k, shape, y.shape[1:], y.dtype, of_weights
            if kind not in self._checked:
                try:
                    target.check_shapes(y[:1], np.zeros((1, *shape[1:]), dtype), more_of(weights, k, slice(1)))
                except ArgumentError as error:
                    raise ArgumentError(f"{who}: for the first sample, {error}") from None
            told, loss = one_batch and kind in self._checked, target.loss
            if len(self._checked) >= KINDS:  # images of ever other sizes
                self._checked.clear()
            self._checked.add(kind)
            if weights is not None and weights[k] is not None:
                check_targets(f"{who}: sample_weight", weights[k], TRAINING if trains else WEIGHTS)
            if loss is None:
                continue
            try:
                for part in _parts(y):
                    loss.check(part, shape[-1 if (axis := loss.axes[0]) is None else axis])
            except DataError as error:
                raise DataError(f"{who}: {error}") from None
            if told or isinstance(y, RaggedRows):
                continue
            whole = (len(y), *shape[1:])  # (N, K, 1) is (N, K)
            doubt = loss.doubt(y.reshape(whole) if y.size == math.prod(whole) else y)
            if doubt is None:
                doubt = _unseen(target, y)
            if doubt is not None:
                warn(f"{who}: {doubt}")

    def forward(self, ys: Sequence[Any], outputs: Sequence[np.ndarray], weights: Sequence[Any] | None,
                wants_gradient: bool = True, skip: Sequence[int] = (), draw: tuple[int, int] = (0, 0)
                ) -> tuple[list[Any], list[Any]]:
        """Return the losses of the samples and the gradient of their weighted mean, for each output that has a loss.

        Parameters
        ----------
        ys, outputs : sequence of arrays
            One for each output.
        weights : sequence of arrays, optional
            Of the samples, one for each output or None.
        wants_gradient : bool
        skip : sequence of int
            Outputs that are left out.
        draw : (int, int)
            Seed and step, for losses that draw what they count.
        """
        values: list[Any] = []
        gradients: list[Any] = []
        for k, (target, y, output) in enumerate(zip(self.targets, ys, outputs, strict=True)):
            value = gradient = None
            if target.loss is not None and k not in skip:
                more = more_of(weights, k) | ({"draw": draw} if target.loss.draws else {})
                value, gradient = target.loss.forward(y, output, wants_gradient=wants_gradient, **more)
                gradient = self.scaled(target, gradient)
            values.append(value)
            gradients.append(gradient)
        return values, gradients

    @staticmethod
    def scaled(target: Target, gradient: Any) -> Any:
        """Return the gradient of an output's loss times the loss's weight; None for none."""
        return None if gradient is None else scaled(gradient, target.weight)


def more_of(weights: Sequence[Any] | None, k: int, samples: slice = slice(None)) -> dict[str, Any]:
    """Return the weights of an output's samples as an argument, or none."""
    return {} if weights is None or weights[k] is None else {"sample_weight": weights[k][samples]}


def _parts(y: Any) -> Iterator[Any]:
    """Yield targets as losses read them: ragged rows some samples at a time, since padding makes all long."""
    if not isinstance(y, RaggedRows):
        yield y
        return
    for begin in range(0, len(y), _PADDED):
        yield y[begin : begin + _PADDED]


def _unseen(target: Target, y: Any) -> str | None:
    """Return a sentence about metrics that would take unknown labels for mistakes; None if there are none."""
    if not isinstance(target.loss, MaskedBinaryCrossentropy) or not target.loss.has_unknown(y):
        return None
    blind = next((m for m in (*target.metrics, *target.weighted_metrics)
                  if type(m).__module__.startswith("fastcnn.") and not isinstance(m, Masked)), None)  # fmt: skip
    if blind is None:
        return None
    value = target.loss.mask_value
    return (f"expected metrics that leave out unknown labels, {value:g}, as the loss does, got {blind.name}; "
            f"metrics.Masked(..., {value:g}) does it")


def _suiting(y_true: Any, y_pred: Any) -> Loss:
    return losses.get(f"{suiting(y_true, y_pred)}_crossentropy")
