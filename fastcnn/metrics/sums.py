"""A sum of numbers as a metric."""

from typing import Any

import numpy as np

from fastcnn.metrics.base import Metric


class Sum(Metric):
    """The sum of numbers: ``update_state(values)``.

    Parameters
    ----------
    name : str
    dtype : as in `Metric`

    Examples
    --------
    >>> total = metrics.Sum()
    >>> total.update_state([1.0, 2.0], sample_weight=[1, 0])
    >>> total.update_state(6.0)
    >>> total.result()
    7.0
    """

    sums = ("_total",)

    def __init__(self, name: str = "sum", dtype: Any = None) -> None:
        super().__init__(name, dtype)

    def reset_state(self) -> None:
        self._total = 0.0

    def update_state(self, values: Any, sample_weight: Any = None) -> None:  # type: ignore[override]
        """Count numbers.

        Parameters
        ----------
        values : float or array
        sample_weight : array, optional
            Of as many dimensions, or fewer: those of the samples first.
        """
        values = np.asarray(values, np.float64)
        if sample_weight is not None:
            weights = np.asarray(sample_weight, np.float64)
            values = values * weights.reshape(*weights.shape, *(1,) * (values.ndim - weights.ndim))
        self._total += float(values.sum())

    def __call__(self, values: Any, sample_weight: Any = None) -> float:  # type: ignore[override]
        self.update_state(values, sample_weight)
        return self.result()

    def result(self) -> float:
        return self._total
