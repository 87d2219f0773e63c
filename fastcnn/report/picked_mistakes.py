"""Which mistakes to look at: the surest ones, and a fair sample."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fastcnn.report.arguments import classified


def confident_mistakes(probabilities: Any, labels: Any, count: int = 24) -> NDArray[Any]:
    """Return the examples that are told wrongly with the greatest probability, the surest first, (M,) of int.

    Parameters
    ----------
    probabilities : (N, K) array
    labels : (N,) array of int
    count : int
        At most.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> fc.report.confident_mistakes(p, np.array([1, 1, 1])).tolist()
    [0, 1]
    """
    p, y = classified("confident_mistakes", probabilities, labels)
    wrong = np.flatnonzero(p.argmax(axis=1) != y)
    found: NDArray[Any] = wrong[np.argsort(-p[wrong].max(axis=1), kind="stable")][:count]
    return found


def worst(errors: Any, count: int = 24) -> NDArray[Any]:
    """Return the examples with the largest errors, the largest first, (M,) of int; those without any are left out.

    Parameters
    ----------
    errors : (N,) array
    count : int
        At most.

    Examples
    --------
    >>> fc.report.worst(np.array([0.0, 0.2, 3.0])).tolist()
    [2, 1]
    """
    found = np.asarray(errors, np.float64)
    order: NDArray[Any] = np.argsort(-found, kind="stable")[:count]
    return order[found[order] > 0]


def sample(mask: Any, count: int = 100, seed: int = 0) -> NDArray[Any]:
    """Return examples drawn from those that are so, in their order, (M,) of int: the same ones for the same seed.

    Parameters
    ----------
    mask : (N,) array of bool
        Which examples may be drawn: those that are wrong, say.
    count : int
        At most.
    seed : int

    Examples
    --------
    >>> fc.report.sample(np.array([True, False, True])).tolist()
    [0, 2]
    """
    found = np.flatnonzero(np.asarray(mask, bool))
    if len(found) > count:
        found = np.sort(np.random.default_rng(seed).choice(found, count, replace=False))
    return found
