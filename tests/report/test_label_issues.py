"""Labels that are probably wrong are found: wrong ones that were put in, and few others."""

import numpy as np
import pytest

from fastcnn import report
from fastcnn.errors import ArgumentError


def crossed(n, classes, share, seed):
    """Return labels of which a share is wrong, which those are, and probabilities of a network that is right mostly."""
    draw = np.random.default_rng(seed)
    truth = draw.integers(0, classes, n)
    given = truth.copy()
    wrong = draw.permutation(n)[: round(share * n)]
    given[wrong] = (given[wrong] + draw.integers(1, classes, len(wrong))) % classes
    logits = draw.standard_normal((n, classes)) + 5 * np.eye(classes)[truth]
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    return given, np.isin(np.arange(n), wrong), truth, p


@pytest.mark.parametrize(("classes", "share"), [(3, 0.1), (10, 0.05), (10, 0.2)])
def test_wrong_labels_that_were_put_in_are_found(classes, share):
    given, is_wrong, truth, p = crossed(3000, classes, share, seed=1)
    found = report.label_issues(given, p)
    assert is_wrong[found.examples].mean() > 0.9
    assert is_wrong[found.examples].sum() > 0.9 * is_wrong.sum()
    assert (found.suggested[is_wrong[found.examples]] == truth[found.examples][is_wrong[found.examples]]).mean() > 0.95
    assert found.share == pytest.approx(share, abs=0.02)
    assert (np.diff(found.margin) <= 0).all()
    assert found.joint.sum() == pytest.approx(1)


def test_labels_that_are_right_stay_untouched():
    given, _, _, p = crossed(1000, 5, 0.0, seed=2)
    assert len(report.label_issues(given, p).examples) < 15


def test_a_class_without_labels_and_no_example_at_all_are_no_error():
    given, _, _, p = crossed(200, 4, 0.05, seed=3)
    found = report.label_issues(np.where(given == 3, 2, given), p)
    assert (found.suggested != 3).all()
    nothing = report.label_issues(np.zeros(0, int), np.zeros((0, 3)))
    assert (len(nothing.examples), nothing.share) == (0, 0.0)


def test_equal_probabilities_blame_nobody():
    assert len(report.label_issues(np.arange(6) % 3, np.full((6, 3), 1 / 3)).examples) == 0


def test_nan_is_told():
    with pytest.raises(ArgumentError, match="the network has diverged"):
        report.label_issues(np.array([0]), np.array([[np.nan, 1.0]]))
