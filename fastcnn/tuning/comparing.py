"""Two models on the same examples: how much better one is, and whether that may be chance."""

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from fastcnn.errors import ArgumentError

_Z = 1.959964  # of the middle 95 % of a normal distribution


class PairedDifference(NamedTuple):
    """By how much the second is better.

    Attributes
    ----------
    examples : int
    first_alone, second_alone : int
        How many examples one of them has right and the other has not.
    difference : float
        Of the accuracies, the second's less the first's.
    low, high : float
        Its 95 % interval.
    p_value : float
        How probable a split as uneven would be if both were equally good: the exact test of McNemar.
    """

    examples: int
    first_alone: int
    second_alone: int
    difference: float
    low: float
    high: float
    p_value: float

    def __str__(self) -> str:
        points, low, high = (100 * one for one in (self.difference, self.low, self.high))
        return (f"{points:+.2f} points (95 %: {low:+.2f} to {high:+.2f}; McNemar's p {self.p_value:.2g}; "
                f"{self.examples:,} examples, right by one alone: {self.first_alone} and {self.second_alone})")


def compare(first: ArrayLike, second: ArrayLike) -> PairedDifference:
    """Compare which examples two models have right.

    Parameters
    ----------
    first, second : (N,) arrays of bool
        Of the same examples in one order.

    Raises
    ------
    ArgumentError
        Arrays of other shapes, or without an example.

    References
    ----------
    McNemar: Note on the sampling error of the difference between correlated proportions or percentages, Psychometrika
    12, 1947. Bonett, Price: Adjusted Wald confidence interval for a difference of binomial proportions based on paired
    data, Journal of Educational and Behavioral Statistics 37, 2012.

    Examples
    --------
    >>> found = fc.tuning.compare([True] * 80 + [False] * 20, [True] * 75 + [False] * 5 + [True] * 20)
    >>> found.difference, round(found.p_value, 4)
    (0.15, 0.0041)
    """
    a, b = np.asarray(first, bool), np.asarray(second, bool)
    if a.ndim != 1 or a.shape != b.shape or not len(a):
        raise ArgumentError(f"compare: expected two arrays (N,) of the same examples, got {a.shape} and {b.shape}")
    one, other, n = int((a & ~b).sum()), int((b & ~a).sum()), len(a)
    low, high = ((x + 1) / (n + 2) for x in (one, other))
    middle, spread = high - low, math.sqrt((high + low - (high - low) ** 2) / (n + 2))
    return PairedDifference(n, one, other, (other - one) / n, middle - _Z * spread, middle + _Z * spread,
                            _two_sided(min(one, other), one + other))


def _two_sided(fewer: int, count: int) -> float:
    """Return the probability of a split as uneven as this one of tosses of a coin."""
    if 2 * fewer >= count - (count % 2 == 0 and 2 * fewer == count):
        return 1.0
    tail: Any = sum(math.comb(count, k) for k in range(fewer + 1))
    return min(1.0, float(2 * tail / 2**count))
