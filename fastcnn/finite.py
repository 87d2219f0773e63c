"""Numbers that are finite: a look at arrays that takes no memory, and the words about those that are not."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError

_BLOCK = 1 << 16  # numbers that are looked at together: the second look finds them in the cache


def are_finite(x: np.ndarray, dtype: Any = None) -> bool:
    """Return whether all numbers of an array are finite, and stay so in another type.

    The extremes tell it: both hand NaN on. That is 30 times as fast as a step of the smallest network.

    Parameters
    ----------
    x : array of any type
    dtype : dtype, optional
        Of floats; that of the array if absent.
    """
    if x.dtype.kind != "f" or not x.size:
        return True
    largest = _largest(x, dtype)
    return all(-largest <= np.minimum.reduce(part, axis=None) and np.maximum.reduce(part, axis=None) <= largest
               for _, part in _parts(x))


def told(x: np.ndarray, dtype: Any = None, *, what: str = "sample", rows: Sequence[int] | None = None,
         spared: Callable[[np.ndarray], np.ndarray] | None = None) -> str:
    """Return which numbers of an array are not finite, how many rows have some, and where the first of them is.

    Parameters
    ----------
    x : (N, ...) array
        Of which `are_finite` is false.
    dtype : dtype, optional
        As `are_finite`.
    what : str
        What a row is.
    rows : sequence of int, optional
        What the rows are numbered by, if not from 0.
    spared : callable, optional
        Tells of an array which numbers may be anything.

    Examples
    --------
    >>> fc.finite.told(np.array([[1.0, 2.0], [3.0, np.nan]]))
    'NaN in 1 of 2 samples, first in sample 1, column 1'
    """
    count, first, kinds = 0, (), dict[str, None]()
    for begin, part in _parts(x):
        bad = ~(np.abs(part) <= _largest(x, dtype))
        if spared is not None:
            bad &= ~spared(part)
        places = np.argwhere(bad)
        if not len(places):
            continue
        if not first:
            first = (begin + places[0][0], *places[0][1:])
        count += len(np.unique(places[:, 0]))
        kinds |= dict.fromkeys(_kind(value, dtype) for value in part[bad].tolist())
    number, *at = map(int, first)
    within = f", column {at[0]}" if len(at) == 1 else f", at {tuple(at)}" if at else ""
    names = sorted(kinds)[:2]
    return (f"{' and '.join(names)} in {count:,} of {len(x):,} {what}s, first in {what} "
            f"{number if rows is None else rows[number]}{within}")


def _kind(value: float, dtype: Any) -> str:
    if value != value:
        return "NaN"
    return "infinity" if abs(value) == np.inf else f"{value:g}, too large for {np.dtype(dtype).name}"


def _largest(x: np.ndarray, dtype: Any) -> Any:
    """Return the largest finite number of both types, in that of the array."""
    own = np.finfo(x.dtype)
    return own.max if dtype is None or np.finfo(dtype).max >= own.max else x.dtype.type(np.finfo(dtype).max)


def _parts(x: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
    """Yield some rows after the other, and the number of their first."""
    rows = max(1, _BLOCK * len(x) // x.size)
    for begin in range(0, len(x), rows):
        yield begin, x[begin:begin + rows]


def whole_numbers(x: np.ndarray, dtype: Any, who: str) -> np.ndarray:
    """Return numbers as integers of a type.

    Parameters
    ----------
    x : array
    dtype : dtype
        Of integers.
    who : str
        For the message.

    Raises
    ------
    ArgumentError
        If one is no integer, or the type does not hold it.

    Examples
    --------
    >>> fc.finite.whole_numbers(np.array([1.0, -2.0]), np.dtype("int8"), "x")
    array([ 1, -2], dtype=int8)
    """
    limits = np.iinfo(dtype)
    if not np.all((x == np.rint(x)) & (x >= limits.min) & (x <= limits.max)):
        raise ArgumentError(f"{who}: expected integers from {limits.min} to {limits.max}, got other numbers; quantize "
                            f"them first")
    return x.astype(dtype)
