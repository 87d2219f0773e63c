"""How sure a figure is: intervals of shares, of means, and of their differences."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError

Z = 1.959964  # a normal variable is within so many deviations in 95 of 100 draws


class Estimate(NamedTuple):
    """A figure with its 95 % interval.

    Attributes
    ----------
    value, low, high : float
        NaN where there is nothing to measure.
    examples : int
        That it rests on; 0 for what is known without.

    Examples
    --------
    >>> fc.report.Estimate(0.02, 0.01, 0.04, 357).value
    0.02
    """

    value: float
    low: float
    high: float
    examples: int

    def __sub__(self, other: "Estimate") -> "Estimate":
        """Return the difference of two figures of different examples.

            d - sqrt((a - low_a)^2 + (high_b - b)^2)  to  d + sqrt((high_a - a)^2 + (b - low_b)^2)

        References
        ----------
        Newcombe: Interval estimation for the difference between independent proportions, 1998, method 10.
        """
        difference = self.value - other.value
        below = float(np.hypot(self.value - self.low, other.high - other.value))
        above = float(np.hypot(self.high - self.value, other.value - other.low))
        return Estimate(difference, difference - below, difference + above, min(self.examples, other.examples))


def wilson(count: Any, total: Any, z: float = Z) -> tuple[Any, Any]:
    """Return Wilson's interval of shares, (low, high).

        (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    It stays within 0 and 1, and holds for few examples and for shares of 0, too.

    Parameters
    ----------
    count, total : int or array
        Of `total` examples `count` are so. Counts need not be whole.
    z : float
        1.96 for 95 %.

    Returns
    -------
    low, high : float or array
        NaN where there is no example.

    Raises
    ------
    ArgumentError
        If a count is below 0 or above its total.

    References
    ----------
    Wilson: Probable inference, the law of succession, and statistical inference, 1927.

    Examples
    --------
    >>> low, high = fc.report.wilson(2, 100)
    >>> round(low, 4), round(high, 4)
    (0.0055, 0.07)
    """
    k, n = np.asarray(count, np.float64), np.asarray(total, np.float64)
    if (k < 0).any() or (k > n).any():
        raise ArgumentError(f"wilson: expected counts from 0 to their totals, got {count} of {total}")
    with np.errstate(divide="ignore", invalid="ignore"):
        p, square = k / n, z * z / n
        middle, half = p + square / 2, np.sqrt(p * (1 - p) * square + square * square / 4)
        low, high = np.maximum(middle - half, 0) / (1 + square), np.minimum((middle + half) / (1 + square), 1)
    low, high = np.where(k == 0, np.where(n > 0, 0.0, np.nan), low), np.where((k == n) & (n > 0), 1.0, high)
    return (float(low), float(high)) if low.ndim == 0 else (low, high)


def estimate(errors: Any, are_shares: bool = False) -> Estimate:
    """Return the mean of the errors of examples, with its interval.

    Parameters
    ----------
    errors : (N,) array
        Of bool, whether each is wrong: Wilson's interval; of numbers: mean -+ 1.96 deviations of the mean.
    are_shares : bool
        Whether numbers are from 0 to 1: then the interval is Wilson's for so many examples as have the variance that
        these and one 0 and one 1 have, so that no example with an error is not taken for certainty.

    Raises
    ------
    ArgumentError
        If it is no row of numbers.

    Examples
    --------
    >>> fc.report.estimate(np.array([True, False, False, False])).value
    0.25
    """
    found: NDArray[Any] = np.asarray(errors)
    if found.ndim != 1 or found.dtype.kind not in "buif":
        raise ArgumentError(f"estimate: expected an error of each example (N,), got {found.dtype} {found.shape}")
    if not found.size:
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    mean = float(found.mean(dtype=np.float64))
    if found.dtype == bool:
        return Estimate(mean, *wilson(int(found.sum()), found.size), found.size)
    if are_shares and found.min() >= 0 and found.max() <= 1:
        more = np.append(found, (0, 1)).astype(np.float64)
        number = found.size * float(more.mean() * (1 - more.mean()) / more.var())
        return Estimate(mean, *wilson(mean * number, number), found.size)
    half = Z * float(found.std(ddof=1, dtype=np.float64)) / found.size**0.5 if found.size > 1 else float("inf")
    return Estimate(mean, max(mean - half, 0.0) if found.min() >= 0 else mean - half, mean + half, found.size)


def exact(value: float) -> Estimate:
    """Return a figure that is given, not measured."""
    return Estimate(value, value, value, 0)
