"""Trials of one-shot recognition among the persons of a part: who decides on them leaves published runs alone."""

from typing import Any, NamedTuple

import numpy as np


class Trial(NamedTuple):
    """One picture of each of some persons to know them by, and another one of each to name.

    Attributes
    ----------
    examples, queries : (K,) int64 array
        Rows of pictures, the same person in the same place.
    """

    examples: np.ndarray
    queries: np.ndarray


def one_shot_trials(labels: Any, ways: int = 20, trials: int = 20, seed: int = 0) -> list[Trial]:
    """Return trials among the persons that have two pictures; none where there are not two of them.

    Parameters
    ----------
    labels : (N,) array of int
        Who is on each picture.
    ways : int
        Persons of a trial, at most.
    trials : int
    seed : int
    """
    labels, draw = np.asarray(labels), np.random.default_rng(seed)
    rows = [some for person in np.unique(labels) if len(some := np.flatnonzero(labels == person)) > 1]
    if len(rows) < 2:
        return []
    found = []
    for _ in range(trials):
        persons = draw.permutation(len(rows))[:ways]
        pairs = np.array([draw.permutation(rows[person])[:2] for person in persons])
        found.append(Trial(pairs[:, 0], pairs[:, 1]))
    return found
