"""Metrics beside scikit-learn: batches counted one after the other, and its function of all of them."""

import numpy as np
import pytest

import fastcnn as fc

theirs = pytest.importorskip("sklearn.metrics")

pytestmark = pytest.mark.peers

draw = np.random.default_rng(3)
LABELS = draw.integers(0, 5, 300)
LOGITS = draw.standard_normal((300, 5)) + 1.5 * np.eye(5)[LABELS]
CLASSES = (np.exp(LOGITS) / np.exp(LOGITS).sum(-1, keepdims=True)).astype("float32")
YES = draw.integers(0, 2, 300)
ANSWERS = np.clip(0.6 * draw.random(300) + 0.3 * YES, 0, 1).astype("float32")
REAL, GUESSES = 30 + 4 * draw.standard_normal((300, 3)), 30 + 4 * draw.standard_normal((300, 3))
GUESSES[:, 1] = REAL[:, 1] + 0.5 * draw.standard_normal(300)
WEIGHTS = draw.random(300)


def counted(metric, y, p, weights):
    for part in np.split(np.arange(300), [7, 100, 101, 250]):
        metric.update_state(y[part], p[part], None if weights is None else weights[part])
    return metric.result()


def calibration_error(y, p, weights, bins):
    """sum over the bins of |mean confidence - share of right ones| weight, from scikit-learn's curve of each bin."""
    from sklearn.calibration import calibration_curve

    assert weights is None
    right, confidence = calibration_curve(y, p, n_bins=bins)
    counts = np.bincount(np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], p))
    return float((np.abs(right - confidence) * counts[counts > 0]).sum() / len(y))


CALLED = CLASSES.argmax(-1)
CASES = {
    "confusion matrix": (lambda: fc.metrics.ConfusionMatrix(), LABELS, CLASSES,
                         lambda w: theirs.confusion_matrix(LABELS, CALLED, sample_weight=w)),
    **{f"confusion matrix by {by}": (lambda by=by: fc.metrics.ConfusionMatrix(normalize=by), LABELS, CLASSES,
                                     lambda w, by=by: theirs.confusion_matrix(LABELS, CALLED, sample_weight=w,
                                                                              normalize=by))
       for by in ("true", "pred", "all")},
    "confusion matrix of answers": (lambda: fc.metrics.ConfusionMatrix(threshold=0.4), YES, ANSWERS,
                                    lambda w: theirs.confusion_matrix(YES, ANSWERS > 0.4, sample_weight=w)),
    "correlation": (lambda: fc.metrics.MatthewsCorrelation(), LABELS, CLASSES,
                    lambda w: theirs.matthews_corrcoef(LABELS, CALLED, sample_weight=w)),
    "correlation of answers": (lambda: fc.metrics.MatthewsCorrelation(), YES, ANSWERS,
                               lambda w: theirs.matthews_corrcoef(YES, ANSWERS > 0.5, sample_weight=w)),
    "R2": (lambda: fc.metrics.R2Score(), REAL, GUESSES,
           lambda w: theirs.r2_score(REAL, GUESSES, sample_weight=w)),
    "R2 of each": (lambda: fc.metrics.R2Score(None), REAL, GUESSES,
                   lambda w: theirs.r2_score(REAL, GUESSES, sample_weight=w, multioutput="raw_values")),
    "R2 by variance": (lambda: fc.metrics.R2Score("variance_weighted_average"), REAL, GUESSES,
                       lambda w: theirs.r2_score(REAL, GUESSES, sample_weight=w, multioutput="variance_weighted")),
    "log loss": (lambda: fc.metrics.get("log_loss"), LABELS, CLASSES,
                 lambda w: theirs.log_loss(LABELS, CLASSES.astype("float64") / CLASSES.sum(-1, keepdims=True,
                                                                                          dtype="float64"),
                                           sample_weight=w)),
    "log loss of answers": (lambda: fc.metrics.get("log_loss"), YES[:, None], ANSWERS[:, None],
                            lambda w: theirs.log_loss(YES, ANSWERS, sample_weight=w)),
}


@pytest.mark.parametrize("weights", [None, WEIGHTS], ids=["plain", "weighted"])
@pytest.mark.parametrize("case", CASES)
def test_a_metric_is_that_of_scikit_learn(case, weights):
    make, y, p, reference = CASES[case]
    np.testing.assert_allclose(counted(make(), y, p, weights), reference(weights), rtol=1e-6)


@pytest.mark.parametrize("bins", [4, 15])
def test_the_calibration_error_is_that_of_the_curve(bins):
    found = counted(fc.metrics.ExpectedCalibrationError(bins), YES, ANSWERS, None)
    assert found == pytest.approx(calibration_error(YES, ANSWERS, None, bins), rel=1e-6)
    right, confidence = (CALLED == LABELS).astype(int), CLASSES.max(-1)
    found = counted(fc.metrics.ExpectedCalibrationError(bins), LABELS, CLASSES, None)
    assert found == pytest.approx(calibration_error(right, confidence, None, bins), rel=1e-6)
    logits = counted(fc.metrics.ExpectedCalibrationError(bins, from_logits=True), LABELS, LOGITS, None)
    assert logits == pytest.approx(found, rel=1e-5)
    twice = np.repeat(np.arange(300), 1 + YES)
    weighted = counted(fc.metrics.ExpectedCalibrationError(bins), YES, ANSWERS, 1 + YES)
    assert weighted == pytest.approx(calibration_error(YES[twice], ANSWERS[twice], None, bins), rel=1e-6)
