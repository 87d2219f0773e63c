"""A metric of the targets that are known."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.metrics.base import Metric
from fastcnn.metrics.comparing import like, position_weights


class Masked(Metric):
    """Another metric over the targets that are known, each of which counts as a sample of its own.

    It goes with `losses.MaskedBinaryCrossentropy`: of several labels of yes and no, those that nobody knows are no
    mistakes of the network.

    Parameters
    ----------
    metric : Metric
        What takes targets (M, 1) and outputs (M, 1): `BinaryAccuracy`, `Precision`, `Recall`, `AUC`,
        `BinaryCrossentropy` ...
    mask_value : float
        The target that means unknown, such as -1 or NaN.
    name : str, optional
        That of the metric behind ``masked_``.
    dtype : as in `Metric`

    Raises
    ------
    ArgumentError
        If `metric` is none.

    Examples
    --------
    >>> t, y = np.array([[1, -1], [0, 1]], "float32"), np.array([[0.9, 0.2], [0.6, 0.7]], "float32")
    >>> round(metrics.Masked(metrics.BinaryAccuracy())(t, y), 3)
    0.667
    """

    def __init__(self, metric: Metric, mask_value: float = -1, name: str | None = None, dtype: Any = None) -> None:
        if not isinstance(metric, Metric):
            raise ArgumentError(f"Masked: expected a metric such as metrics.AUC(), got {metric!r}")
        self.metric, self.mask_value = metric, float(mask_value)
        super().__init__(name if name is not None else f"masked_{metric.name}", dtype)

    @property
    def direction(self) -> str | None:  # type: ignore[override]
        """As of the metric."""
        return self.metric.direction

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        y_true, y_pred = np.asarray(y_true), np.asarray(y_pred)
        y_true = like(self, y_true, y_pred.shape)
        known = ~np.isnan(y_true) if np.isnan(self.mask_value) else y_true != self.mask_value
        if sample_weight is not None:
            weights = position_weights(self, sample_weight, y_pred.shape[:-1])[..., None]
            sample_weight = np.broadcast_to(weights, y_pred.shape)[known]
        self.metric.update_state(y_true[known][:, None], y_pred[known][:, None], sample_weight)

    def result(self) -> Any:
        """Return what the metric has counted."""
        return self.metric.result()

    def reset_state(self) -> None:
        self.metric.reset_state()

    def merge_state(self, metrics: "Iterable[Metric]") -> None:
        others: list[Any] = list(metrics) if isinstance(metrics, Iterable) else [metrics]
        for other in others:
            if not isinstance(other, Masked) or repr(other.mask_value) != repr(self.mask_value):  # NaN is one value
                raise ArgumentError(f"{self.name}: expected metrics like {self!r} to merge, got {other!r}")
        self.metric.merge_state([other.metric for other in others])

    def get_state(self) -> dict[str, Any]:
        """Return that of the metric."""
        return self.metric.get_state()

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with what `get_state` returned.

        Parameters
        ----------
        state : dict
        """
        self.metric.set_state(state)

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments, the metric as `metrics.serialize` gives it."""
        return {"metric": {"class_name": type(self.metric).__name__, "config": self.metric.get_config()},
                "mask_value": self.mask_value, "name": self.name}
