"""From which probability on a network says yes: a threshold chosen on dev, for what its users want of it."""

import re
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError, DataError, unknown

_BEST = ("f1", "youden", "accuracy")
_FORM = re.compile(r"\s*(\w+)\s*(<=|>=)\s*([-+.\deE]+)\s*")
#: By what may be bounded: the relation that makes sense, and which of two thresholds that keep it is better.
_BOUNDED = {"false_positive_rate": ("<=", "recall"), "recall": (">=", "specificity"), "precision": (">=", "recall")}


class ThresholdRates(NamedTuple):
    """What comes of a threshold, on some examples.

    Attributes
    ----------
    threshold : float
        Yes is said from this probability on.
    f1, precision, recall : float
        Of those that are so; the precision is 1 where yes is never said.
    false_positive_rate : float
        Of those that are not so, the share to which yes is said.
    accuracy : float
        The share that is told rightly.

    Examples
    --------
    >>> fc.report.rates_at(np.array([0.9, 0.6, 0.2]), np.array([True, False, False]), 0.5).false_positive_rate
    0.5
    """

    threshold: float
    f1: float
    precision: float
    recall: float
    false_positive_rate: float
    accuracy: float


def rates_at(probabilities: Any, is_so: Any, threshold: float = 0.5) -> ThresholdRates:
    """Return what comes of a threshold.

        recall = right yes / are so,  precision = right yes / said yes,  false positive rate = wrong yes / are not so

    Parameters
    ----------
    probabilities : (N,) array
        That each is so.
    is_so : (N,) array of bool
    threshold : float

    Raises
    ------
    ArgumentError
        If the shapes do not fit.
    DataError
        If all are so, or none is.

    Examples
    --------
    >>> fc.report.rates_at(np.array([0.9, 0.6, 0.2]), np.array([True, False, False]), 0.7).f1
    1.0
    """
    p, so = _checked("rates_at", probabilities, is_so)
    yes, no = (np.array([(some >= threshold).sum()]) for some in (p[so], p[~so]))
    return _rates(np.array([threshold]), yes, no, int(so.sum()), int((~so).sum()))[0]


def choose_threshold(probabilities: Any, is_so: Any, rule: str = "f1") -> ThresholdRates:
    """Return the threshold that serves a wish best, and what comes of it; choose it on dev.

    Parameters
    ----------
    probabilities : (N,) array
        That each is so.
    is_so : (N,) array of bool
    rule : str
        "f1", "accuracy" or "youden" (recall - false positive rate) is made as large as can be.
        "false_positive_rate<=0.01": the largest recall that keeps it. "recall>=0.95": the smallest false positive rate.
        "precision>=0.9": the largest recall. Of equal ones the highest threshold is taken.

    Returns
    -------
    ThresholdRates

    Raises
    ------
    ArgumentError
        Another rule; shapes that do not fit.
    DataError
        If all are so, or none is; if no threshold keeps the bound.

    References
    ----------
    Youden: Index for rating diagnostic tests, Cancer 3, 1950.

    Examples
    --------
    >>> p, so = np.array([0.9, 0.8, 0.6, 0.3]), np.array([True, True, False, True])
    >>> fc.report.choose_threshold(p, so, "false_positive_rate<=0").recall
    0.6666666666666666
    >>> fc.report.choose_threshold(p, so, "recall>=1").threshold
    0.15
    """
    name, relation, bound = read_rule(rule)
    p, so = _checked("choose_threshold", probabilities, is_so)
    values = np.unique(p)[::-1]  # yes to none, then to one value after the other
    middle = np.append((values[:-1] + values[1:]) / 2, values[-1] / 2)
    thresholds = np.append(np.nextafter(max(values[0], 1.0), 2.0), middle)
    yes, no = (np.append(0, np.cumsum(np.histogram(some, np.append(values[::-1], np.inf))[0][::-1]))
               for some in (p[so], p[~so]))
    found = _rates(thresholds, yes, no, int(so.sum()), int((~so).sum()))
    if relation is None:
        return max(found, key=lambda one: _worth(one, name))
    kept = [one for one in found if (getattr(one, name) <= bound if relation == "<=" else getattr(one, name) >= bound)
            and not (name == "precision" and one.recall == 0)]
    if not kept:
        best = max(getattr(one, name) for one in found if one.recall)
        raise DataError(f"choose_threshold: expected a threshold with {rule}, got at most {best:.4g}; ask for less")
    return max(kept, key=lambda one: _worth(one, _BOUNDED[name][1]))


def read_rule(rule: str) -> tuple[str, str | None, float]:
    """Return what a rule is about, its relation or None, and its bound.

    Raises
    ------
    ArgumentError
        If it is none.
    """
    if rule in _BEST:
        return rule, None, 0.0
    form = _FORM.fullmatch(rule)
    if form is None:
        raise ArgumentError(f"{unknown('threshold: rule', rule, _BEST)}; or a bound, 'false_positive_rate<=0.01', "
                            "'recall>=0.95', 'precision>=0.9'")
    name, relation, text = form.groups()
    if name not in _BOUNDED:
        raise ArgumentError(unknown(f"threshold: rule {rule}: measure", name, _BOUNDED))
    try:
        bound = float(text)
    except ValueError:
        bound = -1.0
    if relation != _BOUNDED[name][0] or not 0 <= bound <= 1:
        raise ArgumentError(f"threshold: expected {name}{_BOUNDED[name][0]} and a number from 0 to 1, got {rule!r}")
    return name, relation, bound


def _worth(one: ThresholdRates, name: str) -> float:
    if name == "youden":
        return one.recall - one.false_positive_rate
    return 1 - one.false_positive_rate if name == "specificity" else float(getattr(one, name))


def _rates(thresholds: NDArray[Any], yes: NDArray[Any], no: NDArray[Any], positives: int,
           negatives: int) -> list[ThresholdRates]:
    """Return what comes of thresholds, by how many of those that are so, and are not, they say yes to."""
    precision = np.where(yes + no > 0, yes / np.maximum(yes + no, 1), 1.0)
    columns = (thresholds, 2 * yes / (yes + no + positives), precision, yes / positives, no / negatives,
               (yes + negatives - no) / (positives + negatives))
    return [ThresholdRates(*(float(value) for value in row)) for row in zip(*columns, strict=True)]


def _checked(who: str, probabilities: Any, is_so: Any) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    p, so = np.asarray(probabilities, np.float64), np.asarray(is_so)
    if p.ndim != 1 or p.shape != so.shape or so.dtype != bool or not np.isfinite(p).all():
        raise ArgumentError(f"{who}: expected finite probabilities (N,) and as many bools, got {p.shape} and "
                            f"{so.dtype} {so.shape}")
    if so.all() or not so.any():
        raise DataError(f"{who}: expected examples that are so and examples that are not, got {int(so.sum())} of "
                        f"{len(so)} that are; a threshold needs both")
    return p, so
