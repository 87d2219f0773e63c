"""What a metric is: something counted over an epoch. Three verbs: update_state, result, reset_state.

Outputs that are NaN are wrong: of classes they name none, and they exceed no threshold. Errors of them are NaN.
"""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from fastcnn.auto_names import Names
from fastcnn.metrics import state
from fastcnn.metrics.comparing import pair, position_weights
from fastcnn.metrics.own import OwnVariables, as_number
from fastcnn.metrics.state import count_on
from fastcnn.parameters import Parameter
from fastcnn.unsupported import ExplainsUnsupported, takes

_names = Names()


class Metric(OwnVariables, ExplainsUnsupported):
    """The base of metrics; one of your own has `update_state` and `result`, and variables by `add_weight`.

    Or it counts in attributes, and has a `reset_state` that starts them.

    Parameters
    ----------
    name : str, optional
        Made from the class if absent: ``precision``, ``precision_1``, ...
    dtype : str, dtype or DTypePolicy, optional
        What Keras's metrics count in; these count in float64 whatever it says.

    Examples
    --------
    >>> class Samples(metrics.Metric):
    ...     sums = ("count",)
    ...     def reset_state(self):
    ...         self.count = 0
    ...     def update_state(self, y_true, y_pred, sample_weight=None):
    ...         self.count += len(y_true)
    ...     def result(self):
    ...         return self.count
    ...
    >>> Samples()(np.zeros(3), np.zeros(3))
    3
    """

    unsupported = "metric"

    #: The attributes that hold what was counted, each a sum over all samples: numbers or arrays.
    sums: tuple[str, ...] = ()

    #: The attributes that `variables` shows, where they are others.
    shown: tuple[str, ...] = ()

    #: "up" where more is better, "down" where less is, None where only you can say; callbacks ask in mode "auto".
    direction: str | None = None

    def __init__(self, name: str | None = None, dtype: Any = None) -> None:
        self.dtype = state.dtype_name(dtype, type(self).__name__)
        self.name = name if name is not None else _names.new(type(self).__name__)
        self.begin()

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        """Count a batch.

        Parameters
        ----------
        y_true, y_pred : arrays
            Targets and outputs.
        sample_weight : array, optional
            (N,), or one for each position of a sample: (N, H, W) for outputs (N, H, W, K).
        """
        raise NotImplementedError

    def result(self) -> Any:
        """Return what was counted: a number, or an array of several."""
        raise NotImplementedError

    def merge_state(self, metrics: "Iterable[Metric]") -> None:
        """Count what other metrics have counted, of other parts of the data: the result is that of the whole.

        One of your own has it if its `sums` are told, or writes it itself.

        Parameters
        ----------
        metrics : iterable of Metric
            Of this one's class and arguments; they stay as they are.

        Raises
        ------
        ArgumentError
            If one is another, before anything is counted.
        """
        state.merge(self, list(metrics) if isinstance(metrics, Iterable) else [metrics])

    def get_state(self) -> dict[str, Any]:
        """Return copies of the `sums` by name, or of all attributes that hold numbers where no sums are told."""
        return state.counted(self)

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on with what `get_state` returned, of a metric of this one's class and arguments.

        Parameters
        ----------
        state : dict
        """
        count_on(self, state)

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        """Count a batch and return the result so far."""
        self.update_state(np.asarray(y_true), np.asarray(y_pred), sample_weight)
        return as_number(self.result())

    def get_config(self) -> dict[str, Any]:
        """Return the constructor's arguments."""
        config = {key: value for key, value in vars(self).items()
                  if not key.startswith("_") and not isinstance(value, Parameter)}
        if not takes(type(self), "dtype"):
            config.pop("dtype", None)
        return config

    @property
    def variables(self) -> list[Any]:
        """What was counted so far: `sums`, and what `add_weight` made; each has a value and can be assigned."""
        return [*(state.Counted(self, name) for name in self.shown or self.sums), *self._variables]

    @property
    def non_trainable_variables(self) -> list[Any]:
        """Keras's other name of `variables`."""
        return self.variables

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Metric":
        """Make a metric from `get_config`."""
        return cls(**config)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{k}={v!r}' for k, v in self.get_config().items())})"


class MeanMetric(Metric):
    """The base of metrics that are a weighted mean over samples. One of your own has `values`.

    Parameters
    ----------
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> class Furthest(metrics.MeanMetric):
    ...     def values(self, y_true, y_pred):
    ...         return np.abs(y_true - y_pred).max(-1)
    ...
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> Furthest()(t, y)
    2.0
    """

    sums = ("_total", "_count")

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        """Return one number for each position: (N,), or (N, ...)."""
        raise NotImplementedError

    def update_state(self, y_true: np.ndarray, y_pred: np.ndarray, sample_weight: Any = None) -> None:
        values = np.atleast_1d(self.values(*pair(y_true, y_pred)))
        positions = values.size / max(1, len(values))
        if sample_weight is None:
            # A sample counts once, however many positions it has.
            self._total += float(values.sum(dtype=np.float64)) / max(1, positions)
            self._count += len(values)
            return
        weights = position_weights(self, sample_weight, values.shape)
        self._total += float((values * weights).sum(dtype=np.float64)) / max(1, positions)
        self._count += float(weights.sum(dtype=np.float64)) / max(1, positions)

    def result(self) -> float:
        """Return the mean over all that was counted; 0 before anything was."""
        return self._total / self._count if self._count else 0.0

    def reset_state(self) -> None:
        self._total, self._count = 0.0, 0.0


class Mean(MeanMetric):
    """The mean of numbers: ``update_state(values)``.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> mean = metrics.Mean()
    >>> mean.update_state([1.0, 2.0])
    >>> mean.update_state(6.0)
    >>> mean.result()
    3.0
    """

    def __init__(self, name: str = "mean", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Count numbers.

        Parameters
        ----------
        values : float or array
        sample_weight : array, optional
        """
        values = np.atleast_1d(np.asarray(values, np.float64))
        super().update_state(values, values, None if sample_weight is None else np.atleast_1d(sample_weight))

    def __call__(self, values: Any, sample_weight: Any = None) -> float:  # type: ignore[override]
        self.update_state(values, sample_weight)
        return self.result()

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return y_pred


class MeanMetricWrapper(MeanMetric):
    """The mean of a function of your own.

    Parameters
    ----------
    fn : callable
        (y_true, y_pred) -> (N,) or (N, ...), NumPy arrays.
    name : str, optional
    dtype : as in `Metric`

    Examples
    --------
    >>> distance = metrics.MeanMetricWrapper(lambda t, y: np.abs(t - y).max(-1), name="distance")
    >>> t, y = np.array([[1.0, 2.0]]), np.array([[1.5, 4.0]])
    >>> distance(t, y)
    2.0
    """

    any_arguments = True  # those of the function

    def __init__(self, fn: Callable, name: str | None = None, dtype: Any = None, **kwargs: Any) -> None:
        self._function, self._arguments = fn, kwargs
        super().__init__(name if name is not None else getattr(fn, "__name__", None), dtype)

    def values(self, y_true: np.ndarray, y_pred: np.ndarray) -> np.ndarray:
        return self._function(y_true, y_pred, **self._arguments)

    def get_config(self) -> dict[str, Any]:
        return {"fn": self._function, "name": self.name, **self._arguments}


def forget_names() -> None:
    """Restart the numbers of automatic names.

    Examples
    --------
    >>> metrics.forget_names()
    >>> metrics.Precision().name, metrics.Precision().name
    ('precision', 'precision_1')
    """
    _names.forget()
