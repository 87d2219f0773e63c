"""Mean 0 and variance 1, of weighted examples."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

_ROWS = 1024  # are computed at a time: float64 needs eight times the memory of pixels


class Scale(NamedTuple):
    """What is subtracted from each feature or channel, and what it is divided by."""

    mean: NDArray[Any]
    std: NDArray[Any]

    @classmethod
    def of(cls, x: NDArray[Any], weights: NDArray[Any]) -> "Scale":
        """Return that of some examples, over all axes but the last; what does not vary is divided by 1.

        Parameters
        ----------
        x : (N, ..., C) array
        weights : (N,) array
            Their mean is 1.
        """
        count = x[0].size // x.shape[-1]
        total, squares = np.zeros(x.shape[-1]), np.zeros(x.shape[-1])
        for rows in _pieces(len(x)):
            total += weights[rows] @ x[rows].reshape(-1, count, x.shape[-1]).sum(axis=1, dtype=np.float64)
        mean = total / (len(x) * count)
        for rows in _pieces(len(x)):
            squares += weights[rows] @ np.square(x[rows].reshape(-1, count, x.shape[-1]) - mean).sum(axis=1)
        std = np.sqrt(squares / (len(x) * count))
        return cls(mean, np.where(std > 1e-10 * np.abs(mean), std, 1.0))

    @classmethod
    def none(cls, x: NDArray[Any]) -> "Scale":
        """Return one that changes nothing."""
        return cls(np.zeros(x.shape[-1]), np.ones(x.shape[-1]))

    def scaled(self, x: NDArray[Any]) -> NDArray[np.float32]:
        """Return examples of mean 0 and variance 1. They are computed in float64: years have many digits."""
        found = np.empty(x.shape, np.float32)
        for rows in _pieces(len(x)):
            found[rows] = (x[rows] - self.mean) / self.std
        return found

    def unscaled(self, x: NDArray[Any]) -> NDArray[Any]:
        """Return the inverse of `scaled`, float64."""
        return x.astype(np.float64) * self.std + self.mean


def _pieces(count: int) -> list[slice]:
    return [slice(begin, begin + _ROWS) for begin in range(0, count, _ROWS)]
