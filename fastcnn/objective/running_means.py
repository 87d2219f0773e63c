"""The running means of an epoch."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.metrics.own import as_number
from fastcnn.objective.objective import Objective, more_of


class RunningMeans:
    """The running means of an epoch: the loss, that of each output if there are several, and the metrics.

    Parameters
    ----------
    objective : Objective
        Its metrics begin anew.
    """

    def __init__(self, objective: Objective) -> None:
        self.objective = objective
        self.totals = [0.0] * len(objective.targets)
        self.penalty = 0.0
        self.count = 0
        for metric in objective.metrics:
            metric.reset_state()

    def update(self, values: Sequence[Any], ys: Sequence[Any], outputs: Sequence[np.ndarray],
               weights: Sequence[Any] | None = None, penalty: float = 0.0) -> None:
        """Count one batch."""
        samples, objective = len(outputs[0]), self.objective
        ys, weights = objective.of_outputs(ys), None if weights is None else objective.of_outputs(weights)
        self.count += samples
        self.penalty += penalty * samples
        for k, (target, value) in enumerate(zip(objective.targets, values, strict=True)):
            if value is not None:
                self.totals[k] += float(device.get(value).sum(dtype=np.float64))
            if not target.metrics and not target.weighted_metrics:
                continue
            output = device.get(outputs[k])
            for metric in target.metrics:
                metric.update_state(ys[k], output)
            for metric in target.weighted_metrics:
                metric.update_state(ys[k], output, **more_of(weights, k))

    def get_state(self) -> dict[str, Any]:
        """Return copies of the sums, those of the metrics among them."""
        return {"totals": list(self.totals), "penalty": self.penalty, "count": self.count,
                "metrics": [metric.get_state() for metric in self.objective.metrics]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with what `get_state` returned.

        Parameters
        ----------
        state : dict
        """
        self.totals, self.penalty, self.count = list(state["totals"]), state["penalty"], state["count"]
        for metric, one in zip(self.objective.metrics, state["metrics"], strict=True):
            metric.set_state(one)

    def result(self) -> dict[str, float]:
        """Return the means by name."""
        count = self.count or math.nan
        targets, means = self.objective.targets, [total / count for total in self.totals]
        logs = {"loss": sum(t.weight * mean for t, mean in zip(targets, means, strict=True)) + self.penalty / count}
        for target, mean in zip(targets, means, strict=True):
            if len(targets) > 1 and target.loss is not None:
                logs[f"{target.name}_loss"] = mean
        return logs | {name: as_number(metric.result()) for name, metric in self.objective.named.items()}
