"""Equal examples become one with the sum of their weights, so that a weight of 3 is the same as three copies."""

import hashlib
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray


class Merged(NamedTuple):
    """Examples without equal ones.

    Attributes
    ----------
    rows : (M,) array of int
        Where they were, in an order that their bytes alone decide.
    weights : (M,) array
        The sums of their weights, scaled so that their mean is 1.
    """

    rows: NDArray[Any]
    weights: NDArray[Any]

    @property
    def are_equal(self) -> bool:
        """Whether each counts as much as the others."""
        return bool((self.weights == self.weights[0]).all())


def merged(x: NDArray[Any], y: NDArray[Any], weights: NDArray[Any] | None) -> Merged:
    """Return examples without those of weight 0, and equal ones once.

    What is trained then depends neither on the order of the examples nor on whether one is repeated or weighted.

    Parameters
    ----------
    x : (N, ...) array
    y : (N,) or (N, K) array
    weights : (N,) array, optional

    Examples
    --------
    >>> from fastcnn.sklearn.merging import merged
    >>> some = merged(np.array([[1.0], [2.0], [1.0]]), np.array([0, 1, 0]), None)
    >>> sorted(some.weights.round(3).tolist())
    [0.667, 1.333]
    """
    weights = np.ones(len(x)) if weights is None else weights.astype(np.float64)
    kept = np.flatnonzero(weights)
    x, y = np.ascontiguousarray(x), np.ascontiguousarray(y)
    keys = np.array([hashlib.blake2b(x[k].tobytes() + y[k].tobytes(), digest_size=16).digest() for k in kept], "S16")
    _, first, which = np.unique(keys, return_index=True, return_inverse=True)
    sums = np.bincount(which.reshape(-1), weights[kept], len(first))
    return Merged(kept[first], sums * (len(sums) / sums.sum()))
