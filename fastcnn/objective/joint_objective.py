"""The objective of a model whose loss sees all outputs and all targets at once."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import metrics as metrics_room
from fastcnn._warnings import warn
from fastcnn.errors import ArgumentError, DataError
from fastcnn.losses import JointLoss, Loss
from fastcnn.losses.targets import check_targets
from fastcnn.objective.objective import KINDS, TRAINING, WEIGHTS, Objective, more_of


class JointObjective(Objective):
    """As `Objective`, of one loss over all outputs; metrics are of single outputs.

    Where there is one target, the metrics of every output compare with it.

    Parameters
    ----------
    names, shapes, loss, loss_weights, metrics, weighted_metrics, who, needs_loss
        As `Objective`; `loss` is a `fastcnn.losses.JointLoss`.

    Raises
    ------
    ArgumentError
        If a weight is given, or a metric where targets are not those of outputs, or the loss is no number.
    """

    def __init__(self, names: Sequence[str], shapes: Sequence[Any], loss: JointLoss, loss_weights: Any = None,
                 metrics: Any = None, weighted_metrics: Any = None, who: str = "compile", needs_loss: bool = True
                 ) -> None:
        if loss_weights is not None:
            raise ArgumentError(f"{who}: expected no loss_weights beside {loss.name}, which takes all outputs and "
                                f"weighs its parts itself, got {loss_weights!r}")
        loss.require_training(who)
        super().__init__(names, shapes, None, None, metrics, weighted_metrics, who, needs_loss=False)
        self.joint: JointLoss = loss
        told = loss.target_names
        if told is not None and len(told) > 1 and self.named:
            raise ArgumentError(f"{who}: expected no metrics beside {loss.name}, whose targets "
                                f"{', '.join(told)} are not those of outputs, got {', '.join(self.named)}")

    @property
    def losses(self) -> list[tuple[Loss | None, float]]:
        """As `Objective.losses`."""
        return [(self.joint, 1.0)]

    def of_outputs(self, given: Sequence[Any]) -> Sequence[Any]:
        """As `Objective.of_outputs`: one target is for all outputs."""
        return list(given) * len(self.targets) if len(given) == 1 else given

    def check(self, ys: Sequence[Any], weights: Sequence[Any] | None, shapes: Sequence[Any], dtype: np.dtype, who: str,
              trains: bool = False, one_batch: bool = False) -> None:
        """As `Objective.check`."""
        loss = self.joint
        kind = (tuple(shapes), tuple((y.shape[1:], y.dtype) for y in ys),
                None if weights is None else weights[0].shape[1:])
        told = one_batch and kind in self._checked
        if kind not in self._checked:
            self._try(ys, weights, shapes, dtype, who)
        if len(self._checked) >= KINDS:
            self._checked.clear()
        self._checked.add(kind)
        if weights is not None:
            check_targets(f"{who}: sample_weight", weights[0], TRAINING if trains else WEIGHTS)
        try:
            loss.check(ys, shapes)
        except DataError as error:
            raise DataError(f"{who}: {error}") from None
        doubt = None if told else loss.doubt(ys)
        if doubt is not None:
            warn(f"{who}: {doubt}")

    def _try(self, ys: Sequence[Any], weights: Sequence[Any] | None, shapes: Sequence[Any], dtype: np.dtype, who: str
             ) -> None:
        first, outputs = [y[:1] for y in ys], [np.zeros((1, *shape[1:]), dtype) for shape in shapes]
        try:
            self.joint.forward(first, outputs, False, **more_of(weights, 0, slice(1)))
            for target, y, output in zip(self.targets, self.of_outputs(first), outputs, strict=False):
                for metric in target.metrics:
                    metrics_room.check(metric, y, output)
                for metric in target.weighted_metrics:
                    metrics_room.check(metric, y, output, **more_of(weights, 0, slice(1)))
        except ArgumentError as error:
            raise ArgumentError(f"{who}: for the first sample, {error}") from None

    def forward(self, ys: Sequence[Any], outputs: Sequence[np.ndarray], weights: Sequence[Any] | None,
                wants_gradient: bool = True, skip: Sequence[int] = (), draw: tuple[int, int] = (0, 0)
                ) -> tuple[list[Any], list[Any]]:
        """As `Objective.forward`; the losses of the samples stand first, and None for all other outputs."""
        more = more_of(weights, 0) | ({"draw": draw} if self.joint.draws else {})
        values, gradients = self.joint.forward(ys, outputs, wants_gradient, **more)
        rest: list[Any] = [None] * (len(outputs) - 1)
        return [values, *rest], [None, *rest] if gradients is None else gradients


def objective_of(names: Sequence[str], shapes: Sequence[Any], loss: Any, loss_weights: Any = None, metrics: Any = None,
                 weighted_metrics: Any = None, who: str = "compile", needs_loss: bool = True) -> Objective:
    """Return the objective of a model for what `compile` was given.

    Parameters
    ----------
    names, shapes, loss, loss_weights, metrics, weighted_metrics, who, needs_loss
        As `Objective`.

    Raises
    ------
    ArgumentError
        As `Objective` and `JointObjective`; a loss over all outputs among others.
    """
    given = list(loss.values()) if isinstance(loss, dict) else loss if isinstance(loss, (list, tuple)) else []
    for one in given:
        if isinstance(one, JointLoss):
            raise ArgumentError(f"{who}: expected {one.name} alone, loss={type(one).__name__}(...), since it takes all "
                                f"outputs, got it among {len(given)} losses")
    kind: Any = JointObjective if isinstance(loss, JointLoss) else Objective
    made: Objective = kind(names, shapes, loss, loss_weights, metrics, weighted_metrics, who, needs_loss)
    return made
