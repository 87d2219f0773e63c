"""What an epoch reports where a model takes steps of its own: what the last step returned, as in Keras."""

from typing import Any

from fastcnn.metrics.own import as_number
from fastcnn.objective import RunningMeans


class StepLogs:
    """Stands in the place of `RunningMeans` where steps return their logs: metrics of theirs count over the epoch.

    Parameters
    ----------
    metrics : list of Metric
        Begin anew.
    """

    def __init__(self, metrics: list[Any]) -> None:
        self.metrics, self.count = metrics, 0
        self._logs: dict[str, Any] = {}
        for metric in metrics:
            metric.reset_state()

    def took(self, logs: dict[str, Any], samples: int) -> None:
        """Note what a step returned.

        Parameters
        ----------
        logs : dict
        samples : int
        """
        self.count += samples
        self._logs = {}
        for name, value in logs.items():
            inner = as_number(value)
            self._logs |= inner if isinstance(inner, dict) else {name: inner}

    def result(self) -> dict[str, Any]:
        """Return what the last step returned, as numbers."""
        return dict(self._logs)

    def get_state(self) -> dict[str, Any]:
        """Return copies of what was counted."""
        return {"count": self.count, "logs": self.result(), "metrics": [one.get_state() for one in self.metrics]}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with what `get_state` returned.

        Parameters
        ----------
        state : dict
        """
        self.count, self._logs = state["count"], dict(state["logs"])
        for metric, one in zip(self.metrics, state["metrics"], strict=True):
            metric.set_state(one)


def running(model: Any, own_step: Any) -> Any:
    """Return what adds up an epoch: of steps of a model's own, or of its objective.

    Parameters
    ----------
    model : Trainable
    own_step : callable, optional
    """
    return RunningMeans(model.objective) if own_step is None else StepLogs(model.counted_metrics)
