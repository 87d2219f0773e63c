"""Metrics: what is counted over an epoch. Three verbs: update_state, result, reset_state."""

from collections.abc import Callable

import numpy as np

from fastcnn.errors import ArgumentError, unknown


class Metric:
    """A mean over samples: a metric says what each sample is worth."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.reset_state()

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return one number for each sample."""
        raise NotImplementedError

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray) -> None:
        """Count a batch."""
        values = self.values(y_true, y_pred)
        self._total += float(values.sum(dtype=np.float64))
        self._count += values.size

    def result(self) -> float:
        """Return the mean over all that was counted; 0 before anything was."""
        return self._total / self._count if self._count else 0.0

    def reset_state(self) -> None:
        """Start counting anew."""
        self._total, self._count = 0.0, 0


class SparseCategoricalAccuracy(Metric):
    """How often the largest output is the integer label."""

    def __init__(self, name: str = "sparse_categorical_accuracy") -> None:
        super().__init__(name)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return y_pred.argmax(-1) == y_true.reshape(y_pred.shape[:-1])


class CategoricalAccuracy(Metric):
    """How often the largest output is where the largest target is."""

    def __init__(self, name: str = "categorical_accuracy") -> None:
        super().__init__(name)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return y_pred.argmax(-1) == y_true.argmax(-1)


class BinaryAccuracy(Metric):
    """How often an output lies on the same side of `threshold` as its target.

    Parameters
    ----------
    threshold : float
    """

    def __init__(self, name: str = "binary_accuracy", threshold: float = 0.5) -> None:
        self.threshold = threshold
        super().__init__(name)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return (y_pred > self.threshold) == (y_true.reshape(y_pred.shape) > 0.5)


_NAMES: dict[str, Callable[..., Metric]] = {
    "sparse_categorical_accuracy": SparseCategoricalAccuracy,
    "categorical_accuracy": CategoricalAccuracy,
    "binary_accuracy": BinaryAccuracy,
}


def get(metric: str | Metric, loss: str, outputs: int) -> Metric:
    """Return the metric for a name, or a metric itself.

    Parameters
    ----------
    metric : str or Metric
        "accuracy" ("acc") is the one that suits the loss and the number of outputs, as in Keras.
    loss : str
        The loss's name.
    outputs : int
        The model's outputs a sample.

    Raises
    ------
    ArgumentError
        If the name is not known.
    """
    if isinstance(metric, Metric):
        return metric
    if metric in ("accuracy", "acc"):
        if loss.startswith("sparse"):
            return SparseCategoricalAccuracy(metric)
        return BinaryAccuracy(metric) if loss.startswith("binary") or outputs == 1 else CategoricalAccuracy(metric)
    if metric in _NAMES:
        return _NAMES[metric]()
    raise ArgumentError(unknown("metric", metric, ["accuracy", *_NAMES]))
