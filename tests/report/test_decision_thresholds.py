"""Thresholds, beside all that could have been chosen."""

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError, DataError
from fastcnn.report import choose_threshold, rates_at


def _cases():
    draw = np.random.default_rng(0)
    for _ in range(60):
        count = draw.integers(5, 40)
        p = draw.integers(0, 12, count) / 12  # with ties
        so = draw.random(count) < p
        if so.any() and not so.all():
            candidates = np.concatenate([np.unique(p), np.nextafter(np.unique(p), 2), [0.0]])
            yield p, so, [rates_at(p, so, one) for one in candidates]


def test_rates_are_counted():
    found = rates_at(np.array([0.9, 0.8, 0.6, 0.4, 0.3]), np.array([True, False, True, True, False]), 0.5)
    assert found == pytest.approx((0.5, 2 / 3, 2 / 3, 2 / 3, 1 / 2, 3 / 5))


@pytest.mark.parametrize(("rule", "worth"), [
    ("f1", lambda one: one.f1), ("accuracy", lambda one: one.accuracy),
    ("youden", lambda one: one.recall - one.false_positive_rate)])
def test_no_threshold_is_better_than_the_one_that_is_chosen(rule, worth):
    for p, so, others in _cases():
        found = choose_threshold(p, so, rule)
        assert worth(found) == pytest.approx(max(map(worth, others)))
        assert rates_at(p, so, found.threshold) == found


@pytest.mark.parametrize(("rule", "keeps", "worth"), [
    ("false_positive_rate<=0.2", lambda one: one.false_positive_rate <= 0.2, lambda one: one.recall),
    ("recall>=0.8", lambda one: one.recall >= 0.8, lambda one: -one.false_positive_rate),
    ("precision>=0.6", lambda one: one.precision >= 0.6 and one.recall, lambda one: one.recall)])
def test_of_those_that_keep_a_bound_the_best_is_chosen(rule, keeps, worth):
    for p, so, others in _cases():
        if not any(keeps(one) for one in others):
            with pytest.raises(DataError, match="ask for less"):
                choose_threshold(p, so, rule)
            continue
        found = choose_threshold(p, so, rule)
        assert keeps(found)
        assert worth(found) == pytest.approx(max(worth(one) for one in others if keeps(one)))


def test_what_cannot_be_chosen_is_told():
    p, so = np.array([0.2, 0.7]), np.array([False, True])
    for rule, text in (("ff1", "did you mean 'f1'"), ("recall<=0.5", "recall>= and a number from 0 to 1"),
                       ("recall>=2", "a number from 0 to 1"), ("specificity>=0.5", "measure: 'specificity'"),
                       ("precision>=.", "a number from 0 to 1")):  # fmt: skip
        with pytest.raises(ArgumentError, match=text):
            choose_threshold(p, so, rule)
    with pytest.raises(DataError, match="a threshold needs both"):
        choose_threshold(p, np.array([True, True]))
    with pytest.raises(ArgumentError, match="finite probabilities"):
        choose_threshold(np.array([0.2, np.nan]), so)
    assert fc.report.choose_threshold(p, so).threshold == pytest.approx(0.45)
