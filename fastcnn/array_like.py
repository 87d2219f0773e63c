"""What stands for an array that is kept elsewhere: it has a value, does arithmetic, and is an array to NumPy."""

from typing import Any

import numpy as np


class ArrayLike(np.lib.mixins.NDArrayOperatorsMixin):
    """The base of variables as Keras shows them; one has `value`.

    Examples
    --------
    >>> metric = fc.metrics.Mean()
    >>> metric.update_state([1.0, 3.0])
    >>> metric.variables[0] / 2
    np.float64(2.0)
    """

    @property
    def value(self) -> np.ndarray:
        """The value."""
        raise NotImplementedError

    @property
    def shape(self) -> tuple[int, ...]:
        """The value's shape."""
        return self.value.shape

    @property
    def dtype(self) -> np.dtype:
        """The value's type."""
        return self.value.dtype

    def numpy(self) -> np.ndarray:
        """Return a copy of the value."""
        return self.value.copy()

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        return np.array(self.value, dtype)

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        return getattr(ufunc, method)(*(np.asarray(x) if isinstance(x, ArrayLike) else x for x in inputs), **kwargs)

    def __float__(self) -> float:
        return float(self.value)

    def __int__(self) -> int:
        return int(self.value)

    __hash__ = object.__hash__  # operators compare values
