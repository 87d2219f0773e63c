"""Successive halving: all trials train a little, the better part of them goes on from its checkpoints, and so forth."""

from collections.abc import Sequence
from typing import NamedTuple

from fastcnn.errors import ArgumentError


class Rung(NamedTuple):
    """A stage of successive halving.

    Attributes
    ----------
    trials : int
        That reach it.
    epoch : int or None
        Until which they train; None is the end.
    """

    trials: int
    epoch: int | None


def rungs(trials: int, epochs: int, factor: int) -> list[Rung]:
    """Return the stages of successive halving.

    Parameters
    ----------
    trials, epochs : int
    factor : int
        One of so many goes on, and trains so many times as long.

    Raises
    ------
    ArgumentError
        A factor below 2.

    References
    ----------
    Jamieson, Talwalkar: Non-stochastic best arm identification and hyperparameter optimization, AISTATS 2016.

    Examples
    --------
    >>> fc.tuning.rungs(27, 9, 3)
    [Rung(trials=27, epoch=1), Rung(trials=9, epoch=3), Rung(trials=3, epoch=None)]
    """
    if factor < 2:
        raise ArgumentError(f"halving: expected a factor of at least 2, got {factor}")
    found = [Rung(trials, None)]
    epoch = epochs
    while trials // factor ** len(found) >= 2 and epoch // factor >= 1:  # one alone would have no rival at the end
        epoch //= factor
        found = [Rung(trials, epoch), *(Rung(trials // factor ** (k + 1), one.epoch)
                                        for k, one in enumerate(found))]
    return found


def best(scores: Sequence[tuple[int, float | None]], count: int, is_maximized: bool) -> list[int]:
    """Return the numbers of the best trials, the lower number first where two are alike; failures are never among them.

    Parameters
    ----------
    scores : sequence of (number, score or None)
    count : int
    is_maximized : bool
    """
    told = [(-score if is_maximized else score, number) for number, score in scores if score is not None]
    return sorted(number for _, number in sorted(told)[:count])
