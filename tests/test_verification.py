"""Metrics of embeddings beside scikit-learn and beside the rule written out."""

import numpy as np
import pytest
from sklearn import metrics as sklearn_metrics

import fastcnn as fc
from fastcnn.errors import ArgumentError


def _pairs(seed, count=400, digits=8):
    rng = np.random.default_rng(seed)
    same = rng.integers(0, 2, count)
    return same, np.round(rng.normal(1.5 - same, 0.6), digits)


@pytest.mark.parametrize("digits", [8, 1], ids=["distinct", "tied"])
@pytest.mark.parametrize("similarity", [False, True])
def test_the_numbers_are_those_of_scikit_learns_curve(similarity, digits):
    same, distances = _pairs(0, digits=digits)
    outputs = -distances if similarity else distances
    metric = fc.metrics.Verification(far=0.05, similarity=similarity)
    metric.update_state(same[:100], outputs[:100])
    metric.update_state(same[100:, None], outputs[100:, None])
    far, tar, _ = sklearn_metrics.roc_curve(same, -distances, drop_intermediate=False)
    found = metric.results()
    assert found["area"] == pytest.approx(sklearn_metrics.roc_auc_score(same, -distances), abs=1e-12)
    assert found["true_accept_rate"] == pytest.approx(tar[far <= 0.05].max(), abs=1e-12)
    fine = np.linspace(0, len(far) - 1, 400_001)  # along the curve
    x, y = (np.interp(fine, np.arange(len(far)), rates) for rates in (far, tar))
    assert found["equal_error_rate"] == pytest.approx(x[np.argmin(np.abs(x - (1 - y)))], abs=1e-4)
    accepted = outputs >= found["threshold"] if similarity else outputs <= found["threshold"]
    assert found["accuracy"] == pytest.approx((accepted == same).mean(), abs=1e-12)
    best = max(((distances <= t) == same).mean() for t in [-9, *distances])
    assert found["accuracy"] == best == metric.result()


def test_a_threshold_from_others_is_kept():
    same, distances = _pairs(1)
    metric = fc.metrics.Verification(threshold=0.8)
    assert metric(same, distances) == pytest.approx(((distances <= 0.8) == same).mean(), abs=1e-12)
    assert metric.results()["threshold"] == 0.8
    alike = fc.metrics.Verification(threshold=-0.8, similarity=True)
    assert alike(same, -distances) == pytest.approx(metric.result(), abs=1e-12)


def test_pairs_of_one_kind_alone_have_an_accuracy_and_no_rates_and_none_have_nothing():
    found = fc.metrics.Verification()
    found.update_state(np.ones(3), np.array([0.1, 0.5, 0.3]))
    assert found.result() == 1.0
    assert found.results()["threshold"] >= 0.5
    assert np.isnan(found.results()["equal_error_rate"])
    others = fc.metrics.Verification()
    others.update_state(np.zeros(2), np.array([0.4, 0.5]))
    assert (others.result(), others.results()["threshold"] < 0.4) == (1.0, True)
    assert np.isnan(fc.metrics.Verification().result())


@pytest.mark.parametrize("cosine", [False, True])
@pytest.mark.parametrize("k", [1, 3, 40])
def test_recall_at_k_is_that_of_a_sorted_list(k, cosine):
    rng = np.random.default_rng(0)
    classes, x = rng.integers(0, 90, 300), np.round(rng.normal(0, 1, (300, 3)), 1)  # rounded, for equal distances
    metric = fc.metrics.RecallAtK(k, cosine)
    metric.update_state(classes[:130], x[:130])
    metric.update_state(classes[130:], x[130:])
    z = x / np.linalg.norm(x, axis=1, keepdims=True) if cosine else x
    hits = []
    for i in range(300):
        others = [j for j in range(300) if j != i]
        others.sort(key=lambda j: (round(float(((z[i] - z[j]) ** 2).sum()), 12), j))
        if (classes[others] == classes[i]).any():
            hits.append((classes[others[:k]] == classes[i]).any())
    assert metric.result() == pytest.approx(np.mean(hits), abs=0.011 if k < 40 else 0)  # ties by rounding


@pytest.mark.parametrize(("make", "update"), [
    (fc.metrics.Verification, lambda m, part: m.update_state(*(one[part] for one in _pairs(2)))),
    (fc.metrics.RecallAtK, lambda m, part: m.update_state(*(one[part] for one in (
        np.arange(400) % 50, np.random.default_rng(3).normal(0, 1, (400, 2)))))),
])
def test_parts_merge_into_the_bits_of_the_whole(make, update):
    whole, first, second, empty = make(), make(), make(), make()
    update(whole, slice(None))
    update(first, slice(0, 150))
    update(second, slice(150, None))
    first.merge_state([empty, second])
    assert first.result() == whole.result()
    again = make()
    again.set_state(first.get_state())
    assert again.result() == whole.result()
    empty.merge_state([whole])
    assert empty.result() == whole.result()


@pytest.mark.parametrize(("make", "message"), [
    (lambda: fc.metrics.Verification("eer"), "measure: 'eer' is not known"),
    (lambda: fc.metrics.Verification(far=2), "expected far from 0 to 1, got 2"),
    (lambda: fc.metrics.Verification()([1, 2], [0.1, 0.2]), "expected targets of 1 for the same and 0"),
    (lambda: fc.metrics.Verification()([1], [np.nan]), "expected finite outputs"),
    (lambda: fc.metrics.Verification()([1, 0], [0.1]), "expected a target for each output, got 2 for 1"),
    (lambda: fc.metrics.RecallAtK(0), "expected k to be a positive integer, got 0"),
    (lambda: fc.metrics.RecallAtK()([1, 0], [0.1, 0.2]), r"expected embeddings \(N, F\), got \(2,\)"),
])
def test_what_cannot_be_counted_is_said(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
