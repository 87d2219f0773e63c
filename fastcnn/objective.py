"""What training lowers: a loss for each output of a model, and what is told about it while training goes on."""

import math
import numbers
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn import losses, metrics
from fastcnn.errors import ArgumentError
from fastcnn.losses import Loss
from fastcnn.metrics import Metric


class Target(NamedTuple):
    """One output of a model: its name, its loss and that one's weight, its metrics, plain ones and weighted ones."""

    name: str
    loss: Loss | None
    weight: float
    metrics: list[Metric]
    weighted_metrics: list[Metric]


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

    Raises
    ------
    ArgumentError
        If a name is not known, or there are more or fewer entries than outputs.
    """

    def __init__(self, names: Sequence[str], shapes: Sequence[Any], loss: Any, loss_weights: Any = None,
                 metrics: Any = None, weighted_metrics: Any = None, who: str = "compile") -> None:
        each = [None if one is None else losses.get(one) for one in spread(loss, names, f"{who}: loss")]
        if all(one is None for one in each):
            raise ArgumentError(f"{who}: expected a loss for at least one output, got none")
        weights = spread(loss_weights, names, f"{who}: loss_weights")
        plain, weighted = (_of_outputs(m, names, f"{who}: {word}")
                           for m, word in ((metrics, "metrics"), (weighted_metrics, "weighted_metrics")))
        for weight in weights:
            if weight is not None and not (isinstance(weight, numbers.Real) and math.isfinite(weight)):
                raise ArgumentError(f"{who}: expected numbers for loss_weights, got {weight!r}; "
                                    f"metrics are given as metrics=[...]")
        self.targets = [
            Target(name, one, 1.0 if weight is None else float(weight), _made(m, one, shape), _made(wm, one, shape))
            for name, one, weight, m, wm, shape in zip(names, each, weights, plain, weighted, shapes, strict=True)]

    @property
    def metrics(self) -> list[Metric]:
        """All metrics, output by output."""
        return [m for target in self.targets for m in (*target.metrics, *target.weighted_metrics)]

    def check(self, ys: Sequence[Any], shapes: Sequence[Any]) -> None:
        """Raise DataError for targets that no batch of them could satisfy; called once, before training."""
        for target, y, shape in zip(self.targets, ys, shapes, strict=True):
            if target.loss is not None:
                target.loss.check(y, shape[-1])

    def forward(self, ys: Sequence[Any], outputs: Sequence[np.ndarray], weights: Sequence[Any] | None,
                wants_gradient: bool = True, skip: Sequence[int] = ()) -> tuple[list[Any], list[Any]]:
        """Return for each output the loss of each sample, and the gradient of the weighted mean; None without a loss.

        Parameters
        ----------
        ys, outputs : sequence of arrays
            One for each output.
        weights : sequence of arrays, optional
            Of the samples, one for each output or None.
        wants_gradient : bool
        skip : sequence of int
            Outputs that are left out.
        """
        values: list[Any] = []
        gradients: list[Any] = []
        for k, (target, y, output) in enumerate(zip(self.targets, ys, outputs, strict=True)):
            value = gradient = None
            if target.loss is not None and k not in skip:
                more = {} if weights is None or weights[k] is None else {"sample_weight": weights[k]}
                value, gradient = target.loss.forward(y, output, wants_gradient=wants_gradient, **more)
                self.scale(target, gradient)
            values.append(value)
            gradients.append(gradient)
        return values, gradients

    @staticmethod
    def scale(target: Target, gradient: Any) -> None:
        """Multiply the gradient of an output's loss by the loss's weight."""
        if gradient is not None and target.weight != 1.0:
            gradient *= target.weight


class Running:
    """The running means of an epoch: the loss, that of each output where there are several, and the metrics."""

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.totals = [0.0] * len(objective.targets)
        self.penalty = 0.0
        self.count = 0
        for metric in objective.metrics:
            metric.reset_state()

    def update(self, values: Sequence[Any], ys: Sequence[Any], outputs: Sequence[np.ndarray],
               weights: Sequence[Any] | None = None, penalty: float = 0.0) -> None:
        """Take in one batch."""
        samples = len(outputs[0])
        self.count += samples
        self.penalty += penalty * samples
        for k, (target, value) in enumerate(zip(self.objective.targets, values, strict=True)):
            if value is not None:
                self.totals[k] += float(value.sum(dtype=np.float64))
            for metric in target.metrics:
                metric.update_state(ys[k], outputs[k])
            for metric in target.weighted_metrics:
                weight = None if weights is None else weights[k]
                metric.update_state(ys[k], outputs[k], *(() if weight is None else (weight,)))

    def result(self) -> dict[str, float]:
        """Return the means by name."""
        if not self.count:
            return {"loss": math.nan} | {m.name: m.result() for m in self.objective.metrics}
        means = [total / self.count for total in self.totals]
        targets = self.objective.targets
        logs = {"loss": sum(t.weight * mean for t, mean in zip(targets, means, strict=True))
                + self.penalty / self.count}
        alone = len(targets) == 1
        for target, mean in zip(targets, means, strict=True):
            if not alone and target.loss is not None:
                logs[f"{target.name}_loss"] = mean
        for target in targets:
            for metric in (*target.metrics, *target.weighted_metrics):
                logs[metric.name if alone else f"{target.name}_{metric.name}"] = metric.result()
        return logs


def spread(value: Any, names: Sequence[str], who: str) -> list[Any]:
    """Return one entry for each output, from one for the only one or for all, a list, or a dict by name.

    Raises
    ------
    ArgumentError
        If a list has another length, or a dict another name.
    """
    if isinstance(value, dict):
        strange = set(value) - set(names)
        if strange:
            raise ArgumentError(f"{who}: expected the names {', '.join(names)}, got {', '.join(map(str, strange))}")
        return [value.get(name) for name in names]
    if isinstance(value, (list, tuple)):
        if len(value) != len(names):
            raise ArgumentError(f"{who}: expected {len(names)} entries, for {', '.join(names)}, got {len(value)}")
        return list(value)
    return [value] * len(names)


def _of_outputs(wanted: Any, names: Sequence[str], who: str) -> list[list[Any]]:
    """Return the metrics wanted of each output: Keras takes a list of them, a list of lists, or a dict by name."""
    if wanted is None:
        return [[] for _ in names]
    if isinstance(wanted, dict):
        return [_listed(one) for one in spread(wanted, names, who)]
    wanted = _listed(wanted)
    if len(names) == 1 and not any(isinstance(one, (list, tuple)) for one in wanted):
        return [wanted]
    return [_listed(one) for one in spread(wanted, names, who)]


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, Iterable) and not isinstance(value, str) else [value]


def _made(wanted: list[Any], loss: Loss | None, shape: Any) -> list[Metric]:
    return [metrics.get(m, "" if loss is None else loss.name, shape[-1]) for m in wanted]
