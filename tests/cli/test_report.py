"""The figures of a test: precision, recall, F1, loss and accuracy."""

import numpy as np
import pytest

from fastcnn.cli._report import as_probabilities, measure


def test_measures_are_those_of_the_definitions():
    y = np.array([0, 0, 0, 1, 1, 2])
    called = np.array([0, 0, 1, 1, 0, 0])
    report = measure(np.eye(4)[called] * 0.9 + 0.025, y)
    assert report.accuracy == 0.5
    np.testing.assert_allclose(report.precision, [2 / 4, 1 / 2, np.nan, np.nan])
    np.testing.assert_allclose(report.recall, [2 / 3, 1 / 2, 0, np.nan])
    np.testing.assert_allclose(report.f1, [4 / 7, 1 / 2, 0, np.nan])
    assert report.images.tolist() == [3, 2, 1, 0]
    assert report.loss == pytest.approx(-(3 * np.log(0.925) + 3 * np.log(0.025)) / 6)


def test_measures_agree_with_scikit_learn():
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(0)
    p, y = rng.dirichlet(np.ones(5), 200), rng.integers(0, 5, 200)
    report = measure(p, y)
    expected = metrics.precision_recall_fscore_support(y, p.argmax(1))
    for got, wanted in zip(report[2:], expected, strict=True):
        np.testing.assert_allclose(got, wanted)
    assert report.loss == pytest.approx(metrics.log_loss(y, p))


def test_outputs_that_are_no_probabilities_become_some():
    logits = np.array([[1000.0, 1000.0, -5.0], [0.0, 1.0, 2.0]])
    p = as_probabilities(logits)
    np.testing.assert_allclose(p.sum(1), 1)
    np.testing.assert_allclose(p[0], [0.5, 0.5, 0])
    assert as_probabilities(p) is p
