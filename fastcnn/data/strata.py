"""What is dealt out evenly, so that each part is like the whole: classes, tenths of a number, the rarest of labels."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

_BINS = 10  # of float targets


def strata(y: ArrayLike) -> NDArray[Any]:
    """Return the stratum of each example: examples of one stratum are dealt to all parts.

    Parameters
    ----------
    y : (N,) or (N, K) array
        A column (N, 1) is taken as (N,). Classes are their own strata. Of floats, each tenth is one; of several columns
        of them, each tenth of the mean rank. Of several labels of yes and no (1, 0, and -1 or NaN where nobody knows),
        an example belongs to the rarest that it has, K if it has none.

    Returns
    -------
    strata : (N,) array
        Of int for all but classes.

    Examples
    --------
    >>> import numpy as np
    >>> strata(np.array([[1, 0], [1, 1], [1, -1], [0, 0]]))
    array([0, 1, 0, 2])
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2:
        return _of_labels(y) if are_labels(y) else _tenths(sum(_ranks(column) for column in y.T))
    return _tenths(y) if y.dtype.kind == "f" else y


def are_labels(y: NDArray[Any]) -> bool:
    """Return whether (N, K) numbers are labels of yes and no, each 1, 0, or -1 or NaN where nobody knows."""
    return bool((np.isin(y, (-1, 0, 1)) | (y != y)).all())


def _of_labels(y: NDArray[Any]) -> NDArray[np.int64]:
    has = y == 1
    order = np.argsort(has.sum(axis=0), kind="stable")
    return np.where(has.any(axis=1), order[has[:, order].argmax(axis=1)], y.shape[1])


def _tenths(y: Any) -> NDArray[np.int64]:
    return np.minimum(_BINS, max(1, len(y) // _BINS)) * _ranks(y) // len(y)


def _ranks(y: NDArray[Any]) -> NDArray[np.int64]:
    """Return the rank of each number; of equal ones, the first has the lowest."""
    ranks = np.empty(len(y), np.int64)
    ranks[np.argsort(y, kind="stable")] = np.arange(len(y))
    return ranks
