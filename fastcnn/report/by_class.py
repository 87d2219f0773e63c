"""How good a network is by class, by label and by group, each figure with its interval."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.report.arguments import classified
from fastcnn.report.intervals import Estimate, estimate, wilson


class ClassScores(NamedTuple):
    """Precision, recall and F1 of each class or label.

    Attributes
    ----------
    names : tuple of str
    precision, recall, f1 : tuple of Estimate
        Precision rests on what was called so, recall on what is so, F1 on both together.
    confusion : (K, K) array of int, or None
        Row k: what the examples of class k were called. None for labels, of which an example may have several.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> fc.report.class_scores(p, np.array([0, 1, 1]), ("no", "yes")).confusion.tolist()
    [[1, 0], [1, 1]]
    """

    names: tuple[str, ...]
    precision: tuple[Estimate, ...]
    recall: tuple[Estimate, ...]
    f1: tuple[Estimate, ...]
    confusion: NDArray[Any] | None

    def confused(self, count: int = 10) -> list[tuple[str, str, int]]:
        """Return the pairs of classes that are confused most: is, was called, how often.

        Parameters
        ----------
        count : int
            Pairs at most.
        """
        if self.confusion is None:
            return []
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        order = np.argsort(-wrong, axis=None, kind="stable")[:count]
        pairs = [divmod(int(one), len(wrong)) for one in order]
        return [(self.names[i], self.names[j], int(wrong[i, j])) for i, j in pairs if wrong[i, j]]


class GroupScore(NamedTuple):
    """The error of the examples of a group.

    Attributes
    ----------
    name : str
    error : Estimate

    Examples
    --------
    >>> fc.report.group_scores(np.array([True, False]), ["north", "south"])[0].name
    'north'
    """

    name: str
    error: Estimate


def class_scores(probabilities: Any, labels: Any, names: Sequence[str]) -> ClassScores:
    """Return precision, recall and F1 of each class, and the confusion matrix.

        precision = right / called so,  recall = right / are so,  F1 = 2 right / (called so + are so)

    The interval of F1 is that of right / (right + missed + wrongly called), a share of examples, carried over.

    Parameters
    ----------
    probabilities : (N, K) array
        Of classes; what is largest is what was called.
    labels : (N,) array of int
    names : sequence of K str

    Raises
    ------
    ArgumentError
        If the shapes do not fit, or a label is no class.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8]])
    >>> fc.report.class_scores(p, np.array([0, 1, 1]), ("no", "yes")).recall[1].value
    0.5
    """
    p, y = classified("class_scores", probabilities, labels, names)
    number = p.shape[1]
    confusion = np.bincount(y * number + p.argmax(axis=1), minlength=number * number).reshape(number, number)
    right, called, are = np.diag(confusion), confusion.sum(axis=0), confusion.sum(axis=1)
    return ClassScores(tuple(names), *_scores(right, called, are), confusion)


def label_scores(probabilities: Any, labels: Any, names: Sequence[str]) -> ClassScores:
    """Return precision, recall and F1 of each of several labels, those that nobody knows left out.

    Parameters
    ----------
    probabilities : (N, K) array
        That each is so; above 1/2 it was called so.
    labels : (N, K) array
        1, 0, or -1 where nobody knows.
    names : sequence of K str

    Examples
    --------
    >>> fc.report.label_scores(np.array([[0.9, 0.2]]), np.array([[1, -1]]), ("sea", "sky")).recall[0].value
    1.0
    """
    p, y = np.asarray(probabilities), np.asarray(labels)
    called, known, are = p > 0.5, y >= 0, y == 1
    right, called_so, are_so = ((part & known).sum(axis=0) for part in (called & are, called, are))
    return ClassScores(tuple(names), *_scores(right, called_so, are_so), None)


def group_scores(errors: Any, groups: Sequence[str], are_shares: bool = False) -> list[GroupScore]:
    """Return the error of each group, the worst first.

    Parameters
    ----------
    errors : (N,) array
        Of each example whether it is wrong, or by how much.
    groups : sequence of N str
        Examples of "" are in no group.
    are_shares : bool
        As `estimate` takes it.

    Examples
    --------
    >>> [one.name for one in fc.report.group_scores(np.array([False, True, True]), ["a", "a", "b"])]
    ['b', 'a']
    """
    found, of = np.asarray(errors), np.asarray(groups, dtype=object).astype(str)
    scores = [GroupScore(str(name), estimate(found[of == name], are_shares)) for name in np.unique(of) if name]
    return sorted(scores, key=lambda one: -one.error.value)


def _scores(right: NDArray[Any], called: NDArray[Any], are: NDArray[Any]) -> tuple[Any, Any, Any]:
    precision = tuple(_share(k, n) for k, n in zip(right.tolist(), called.tolist()))
    recall = tuple(_share(k, n) for k, n in zip(right.tolist(), are.tolist()))
    f1 = []
    for one in (_share(k, n) for k, n in zip(right.tolist(), (called + are - right).tolist())):
        value, low, high = (2 * share / (1 + share) for share in one[:3])
        f1.append(Estimate(value, low, high, one.examples))
    return precision, recall, tuple(f1)


def _share(count: int, total: int) -> Estimate:
    return Estimate(count / total if total else float("nan"), *wilson(count, total), total)
