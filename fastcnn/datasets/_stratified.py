"""The split of data that comes unsplit, by position alone."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from fastcnn.data.strata import strata
from fastcnn.errors import ArgumentError


def stratified_split(y: ArrayLike, every: int = 5) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Split data into training and test by position alone: every fifth example of each class is a test example.

    Of numbers and of several labels, whose strata `fastcnn.data.split` tells, it is every fifth in the order of these.

    Parameters
    ----------
    y : array, (N,) or (N, K)
        Labels, numbers, or several of them.
    every : int
        Of each class, the examples number `every`, 2 `every`, ... in order of appearance go to the test set.

    Returns
    -------
    train_index, test_index : ndarray of int64
        Ascending indices that together are 0 .. N - 1.

    Raises
    ------
    ArgumentError
        `every` below 2, or labels that are not (N,) or (N, K).

    Examples
    --------
    >>> train, test = fc.datasets.stratified_split([0, 0, 0, 1, 1, 1], every=3)
    >>> test
    array([2, 5])
    """
    y = np.asarray(y)
    if y.ndim not in (1, 2) or every < 2:
        raise ArgumentError(
            f"stratified_split: expected labels (N,) or (N, K) and every of at least 2, got {y.shape} and {every}"
        )
    order, start = np.argsort(strata(y), kind="stable"), np.zeros(len(y), np.int64)
    if y.size == len(y) and y.dtype.kind != "f":  # classes, each of which is counted anew
        _, starts, counts = np.unique(y.reshape(-1)[order], return_index=True, return_counts=True)
        start = np.repeat(starts, counts)
    position = np.empty(len(y), np.int64)
    position[order] = np.arange(len(y)) - start
    is_test = position % every == every - 1
    return np.flatnonzero(~is_test), np.flatnonzero(is_test)
