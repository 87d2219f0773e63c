"""Who goes into which part: shares of every class, without and with groups that must stay together."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def deal(classes: NDArray[Any], shares: Sequence[float], draw: np.random.Generator) -> NDArray[np.int64]:
    """Return the part of each example: every class by the shares, to within one example, and so the whole.

    What rounding gives to a part in one class it takes away in the next, so that a part of many small classes has its
    size too. A class of at least as many examples as parts has one in each.

    Parameters
    ----------
    classes : (N,) array of int
        Numbered from 0.
    shares : sequence of float
        Together 1.
    draw : Generator
    """
    parts, owed = np.empty(len(classes), np.int64), np.zeros(len(shares))
    order = np.argsort(classes, kind="stable")
    for own in np.split(order, np.cumsum(np.bincount(classes))[:-1]):
        owed += np.asarray(shares) * len(own)
        counts = _rounded(owed, len(own))
        owed -= counts
        parts[draw.permutation(own)] = np.repeat(np.arange(len(shares)), counts)
    return parts


def _rounded(owed: NDArray[Any], total: int) -> NDArray[np.int64]:
    """Return whole numbers of one sum near some numbers: the largest remainders are rounded up."""
    counts: NDArray[np.int64] = np.maximum(np.floor(owed), 0).astype(np.int64)
    if total >= len(counts):
        counts = np.maximum(counts, 1)
    while counts.sum() != total:
        step = 1 if counts.sum() < total else -1
        gap = step * (owed - counts)
        if step < 0:
            gap[counts <= (1 if total >= len(counts) else 0)] = -np.inf
        counts[np.argmax(gap)] += step
    return counts


def deal_groups(
    classes: NDArray[Any], groups: NDArray[Any], shares: Sequence[float], draw: np.random.Generator
) -> NDArray[np.int64]:
    """Return the part of each example so that no group is in two: the largest groups first, each where it lacks most.

    Parameters
    ----------
    classes, groups : (N,) arrays of int
        Numbered from 0.
    shares : sequence of float
        Together 1.
    draw : Generator
        Decides among groups of one size.

    Notes
    -----
    A group goes into the part that leaves the least sum of squares of what the parts lack of each class, relative to
    what they want of it. A part that lacks a whole class which the group has is served first.
    """
    held = np.zeros((groups.max() + 1, classes.max() + 1))
    np.add.at(held, (groups, classes), 1)
    wanted = np.outer(shares, np.bincount(classes)).astype(float)
    got, of_group = np.zeros_like(wanted), np.empty(len(held), np.int64)
    order = draw.permutation(len(held))
    for group in order[np.argsort(-held[order].sum(axis=1), kind="stable")]:
        fresh = ((got == 0) & (held[group] > 0)).sum(axis=1)  # classes that a part would see for the first time
        over = (((got + held[group]) / wanted - 1) ** 2 - (got / wanted - 1) ** 2).sum(axis=1)
        of_group[group] = np.lexsort((over, -fresh * (got.sum(axis=1) < wanted.sum(axis=1))))[0]
        got[of_group[group]] += held[group]
    return of_group[groups]
