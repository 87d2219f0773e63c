"""A target: what one output of a model is compared with, and by which names its metrics go."""

import itertools
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from fastcnn import metrics
from fastcnn.errors import ArgumentError
from fastcnn.losses import Loss
from fastcnn.metrics import Metric


class Target(NamedTuple):
    """One output of a model: its name, its loss with a weight, and its metrics, without and with sample weights.

    Attributes
    ----------
    name : str
    loss : Loss or None
    weight : float
        What the loss is multiplied by in the sum over all outputs.
    metrics, weighted_metrics : list of Metric
        The latter take sample weights.
    """

    name: str
    loss: Loss | None
    weight: float
    metrics: list[Metric]
    weighted_metrics: list[Metric]

    @property
    def asks(self) -> bool:
        """Whether something is to be compared with targets."""
        return bool(self.loss is not None or self.metrics or self.weighted_metrics)

    def check_shapes(self, y_true: np.ndarray, y_pred: np.ndarray, more: dict[str, Any]) -> None:
        """Raise ArgumentError for what its loss or metrics cannot take, with no kernel where it can be told so."""
        loss = self.loss
        if loss is not None and type(loss).forward is not Loss.forward:
            loss.forward(y_true, y_pred, wants_gradient=False, **more)
        elif loss is not None:
            loss.targets(y_true, y_pred)
            loss.weights(y_true, y_pred, more.get("sample_weight"))
        for metric in self.metrics:
            metrics.check(metric, y_true, y_pred)
        for metric in self.weighted_metrics:
            metrics.check(metric, y_true, y_pred, **more)


def named(targets: Sequence[Target], who: str) -> dict[str, Metric]:
    """Return the metrics by name, each another one: mae, mae_1; of weighted ones mae, weighted_mae, weighted_mae_1.

    Raises
    ------
    ArgumentError
        If one metric is there twice.
    """
    found: dict[str, Metric] = {}
    prefixes = [f"{target.name}_" if len(targets) > 1 else "" for target in targets]
    taken = {"loss", *(f"{prefix}loss" for prefix in prefixes)}
    plain = [("", prefix, one) for prefix, target in zip(prefixes, targets, strict=True) for one in target.metrics]
    weighted = [("weighted_", prefix, one) for prefix, target in zip(prefixes, targets, strict=True)
                for one in target.weighted_metrics]
    for word, prefix, metric in plain + weighted:
        if any(metric is other for other in found.values()):
            raise ArgumentError(f"{who}: expected {metric.name} for one output, got it twice; make another "
                                f"{type(metric).__name__}")
        name = prefix + metric.name
        if name in taken:
            name = prefix + word + metric.name
        numbered = (f"{name}_{number}" for number in itertools.count(1))
        name = name if name not in taken else next(one for one in numbered if one not in taken)
        found[name] = metric
        taken.add(name)
    return found
