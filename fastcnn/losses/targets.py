"""What targets a loss takes, and the sentence about those it does not: checked over whole arrays, before training.

Minimum and maximum tell nearly all of it, and NaN too, which both hand on: two passes, with no memory of their own.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from fastcnn import finite
from fastcnn.errors import DataError

_BLOCK = 1 << 18  # elements that are looked at together, where something of their size is made
_LARGEST = sys.float_info.max


class Takes(NamedTuple):
    """What targets may be: numbers from `lowest` to `highest`, which are finite.

    Attributes
    ----------
    what : str
        What they are, for the message.
    lowest, highest : float
    hint : str
        What to do with others.
    whole : bool
        Whether fractions are refused.
    """

    what: str = "finite targets"
    lowest: float = -_LARGEST
    highest: float = _LARGEST
    hint: str = ""
    whole: bool = False


FINITE = Takes()
SHARES = Takes("targets from 0 to 1", 0, 1, "divide masks of 0 and 255 by 255, and make labels -1 and 1 to 0 and 1")
DISTRIBUTIONS = Takes("targets from 0 to 1", 0, 1, "fc.utils.to_categorical(labels, classes) makes rows of labels")
LABELS = Takes("integer labels", whole=True)
COUNTS = Takes("targets of at least 0, counts", 0)
MARGINS = Takes("targets from -1 to 1", -1, 1, "give the two classes -1 and 1, or 0 and 1")


def check_targets(who: str, y: np.ndarray, takes: Takes,
                  left_out: Callable[[np.ndarray], np.ndarray] | None = None) -> None:
    """Raise DataError for numbers that are not taken.

    Parameters
    ----------
    who : str
        Whose numbers they are, for the message.
    y : array
    takes : Takes
    left_out : callable, optional
        Tells of an array which numbers may be anything.
    """
    if not y.size or (y.dtype.kind != "f" and takes.highest == -takes.lowest == _LARGEST):
        return
    low, high = _extremes(y, left_out)
    if not takes.lowest <= low <= high <= takes.highest:  # as it is with NaN
        got = "NaN among them" if low != low else f"{low}..{high}"
        if not finite.are_finite(np.array([low, high])):
            got += f": {finite.told(y, spared=left_out)}"
        raise DataError(f"{who}: expected {takes.what}, got {got}{'; ' * bool(takes.hint)}{takes.hint}")
    if takes.whole and y.dtype.kind == "f":
        for part in _parts(y, left_out):
            fractions = part[part != np.rint(part)]
            if fractions.size:
                raise DataError(f"{who}: expected {takes.what}, whole numbers, got {fractions[0]} among them")


def odd_sum(y: np.ndarray, axis: int) -> float | None:
    """Return a sum along an axis that is not 1, the first; None if all are, to a thousandth."""
    for part in _blocks(y):
        sums = part.sum(axis, dtype=np.float32)
        odd = sums[np.abs(sums - 1) > 1e-3]
        if odd.size:
            return float(odd[0])
    return None


def _extremes(y: np.ndarray, left_out: Any) -> tuple[float, float]:
    """Return minimum and maximum, of NaN NaN; 0 and 0 if all is left out."""
    if left_out is None:
        return np.minimum.reduce(y, axis=None).item(), np.maximum.reduce(y, axis=None).item()
    ends = [_extremes(part, None) for part in _parts(y, left_out) if part.size] or [(0, 0)]
    lows, highs = zip(*ends, strict=True)
    return _extremes(np.array(lows), None)[0], _extremes(np.array(highs), None)[1]


def _parts(y: np.ndarray, left_out: Any) -> Iterator[np.ndarray]:
    """Yield the numbers that count, part by part."""
    for part in _blocks(y):
        yield part if left_out is None else part[~left_out(part)]


def _blocks(y: np.ndarray) -> Iterator[np.ndarray]:
    samples = max(1, _BLOCK * len(y) // max(1, y.size))
    for begin in range(0, len(y), samples):
        yield y[begin:begin + samples]
