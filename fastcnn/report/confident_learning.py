"""Labels that are probably wrong, by confident learning."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from fastcnn.errors import ArgumentError
from fastcnn.report.arguments import classified


class LabelIssues(NamedTuple):
    """Examples whose label is probably wrong, the surest first.

    Attributes
    ----------
    examples : (M,) array of int
        Which ones.
    suggested : (M,) array of int
        The class that each more probably is.
    margin : (M,) array
        By how much the suggested class is more probable than the given one, -1 to 1.
    joint : (K, K) array
        Row i, column j: the estimated share of all examples that are labelled i and are j.

    Examples
    --------
    >>> p = np.array([[0.9, 0.1], [0.8, 0.2], [0.1, 0.9], [0.95, 0.05]])
    >>> fc.report.label_issues(np.array([0, 0, 1, 1]), p).examples.tolist()
    [3]
    """

    examples: NDArray[Any]
    suggested: NDArray[Any]
    margin: NDArray[Any]
    joint: NDArray[Any]

    @property
    def share(self) -> float:
        """The estimated share of wrong labels."""
        return float(1 - np.trace(self.joint)) if self.joint.any() else 0.0


def label_issues(labels: Any, probabilities: Any) -> LabelIssues:
    """Find labels that are probably wrong, given what a network says that was not trained on them.

    How many there are tells the confident joint: an example counts as of class j where its probability of j reaches the
    mean that examples labelled j have, and j is the most probable of such classes. Which ones tells the margin: so many
    are found as are estimated, of those that are told otherwise the ones that are told so most surely.

    Parameters
    ----------
    labels : (N,) array of int
        As they were given.
    probabilities : (N, K) array
        Of networks that have not seen the example: of a dev part, or cross-fitted, each fold by the network that was
        trained on the others (``fastcnn train --folds 5``).

    Returns
    -------
    LabelIssues

    Raises
    ------
    ArgumentError
        If the shapes do not fit, a label is no class, or a probability is NaN.

    References
    ----------
    Northcutt, Jiang, Chuang: Confident learning: estimating uncertainty in dataset labels, 2021, section 3.

    Examples
    --------
    >>> draw = np.random.default_rng(0)
    >>> truth = draw.integers(0, 3, 300)
    >>> p = 0.9 * np.eye(3)[truth] + 0.1 / 3
    >>> given = truth.copy()
    >>> given[:15] = (given[:15] + 1) % 3
    >>> sorted(fc.report.label_issues(given, p).examples.tolist()) == list(range(15))
    True
    """
    p, y = classified("label_issues", probabilities, labels)
    if np.isnan(p).any():
        raise ArgumentError("label_issues: expected probabilities, got NaN among them; the network has diverged")
    number, rows = p.shape[1], np.arange(len(y))
    counts = np.bincount(y, minlength=number)
    own = np.bincount(y, p[rows, y], number)
    # A class that nothing is labelled with has no threshold, so nothing reaches it.
    thresholds = np.where(counts > 0, own / np.maximum(counts, 1), np.inf)
    reaches = p >= thresholds - 1e-12  # of equal probabilities the mean may be one rounding above all
    counted = reaches.any(axis=1)
    sure = np.where(reaches, p, -1.0).argmax(axis=1)
    joint = np.bincount((y * number + sure)[counted], minlength=number * number).reshape(number, number).astype(float)
    with np.errstate(invalid="ignore", divide="ignore"):  # each row counts as many as are labelled so
        joint = np.where(counts[:, None] > 0, joint / joint.sum(axis=1, keepdims=True) * counts[:, None], 0.0)
    joint = np.nan_to_num(joint) / max(len(y), 1)
    told = np.where(counts > 0, p, -1.0).argmax(axis=1)
    margin = p[rows, told] - p[rows, y]
    number = round(float(joint.sum() - np.trace(joint)) * len(y))
    order = np.argsort(-margin, kind="stable")[:number]
    found = order[margin[order] > 0]
    return LabelIssues(found, told[found], margin[found], joint)
