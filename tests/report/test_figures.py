"""Intervals, gaps, classes, calibration, tags and corrections: beside SciPy and scikit-learn, and in cases known."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from sklearn import metrics

import fastcnn as fc
from fastcnn import report
from fastcnn.errors import ArgumentError, DataError


def answers(n=300, classes=4, seed=0, sharpness=2.0):
    """Return probabilities and labels that fit them more or less."""
    draw = np.random.default_rng(seed)
    logits = draw.standard_normal((n, classes)) * sharpness
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    noisy = logits + draw.gumbel(size=logits.shape)
    return p, noisy.argmax(axis=1)


@given(st.integers(0, 60), st.integers(1, 60))
def test_wilsons_interval_is_scipys(count, total):
    count = min(count, total)
    found = stats.binomtest(count, total).proportion_ci(0.95, "wilson")
    # scipy has the quantile in full, we have seven digits of it.
    np.testing.assert_allclose(report.wilson(count, total), (found.low, found.high), rtol=1e-6, atol=1e-9)


def test_no_example_has_no_interval_and_impossible_counts_are_refused():
    assert np.isnan(report.wilson(0, 0)).all()
    assert np.isnan(report.estimate(np.zeros(0, bool)).value)
    with pytest.raises(ArgumentError, match="counts from 0 to their totals, got 3 of 2"):
        report.wilson(3, 2)
    with pytest.raises(ArgumentError, match="an error of each example"):
        report.estimate(np.zeros((2, 2)))


def test_an_interval_holds_in_95_of_100_draws_of_shares_and_of_means():
    draw = np.random.default_rng(0)
    for true, rows in ((0.1, draw.random((2000, 80)) < 0.1), (1.0, draw.exponential(size=(2000, 80)))):
        held = np.mean([low <= true <= high for _, low, high, _ in map(report.estimate, rows)])
        assert 0.92 < held < 0.975


def test_shares_without_an_error_are_not_certain_and_those_that_vary_are_nearly_as_by_their_variance():
    np.testing.assert_allclose(report.estimate(np.zeros(30), True)[:3], report.estimate(np.zeros(30, bool))[:3])
    shares = np.random.default_rng(0).random(400)
    np.testing.assert_allclose(report.estimate(shares, True)[:3], report.estimate(shares)[:3], atol=2e-3)
    assert report.gaps({"train": np.zeros(30), "dev": np.zeros(30)}).errors["dev"].high > 0.1


def test_the_interval_of_a_difference_is_newcombes():
    """Table II of his paper, case (a): 56 of 70 and 48 of 80, method 10."""
    first = report.estimate(np.arange(70) < 56) - report.estimate(np.arange(80) < 48)
    np.testing.assert_allclose(first[:3], (0.2, 0.0524, 0.3339), atol=5e-5)


@pytest.mark.parametrize(("rates", "human", "name"), [
    ({"train": 0.15, "dev": 0.16}, 0.01, "avoidable bias"), ({"train": 0.01, "dev": 0.11}, 0.0, "variance"),
    ({"train": 0.01, "train_dev": 0.015, "dev": 0.10}, 0.0, "data mismatch"),
    ({"train": 0.01, "train_dev": 0.09, "dev": 0.10}, 0.0, "variance"),
    ({"train": 0.05, "dev": 0.06, "test": 0.20}, 0.04, "overfitting to dev")])
def test_the_largest_gap_is_named_with_its_knobs(rates, human, name):
    found = report.gaps({part: np.arange(2000) < 2000 * rate for part, rate in rates.items()}, human)
    assert found.largest.name == name
    assert name in found.sentence
    assert report.KNOBS[name] in found.sentence
    assert list(found.errors) == ["human", *rates]


def test_a_gap_that_may_be_chance_is_not_blamed():
    found = report.gaps({"train": np.arange(40) < 1, "dev": np.arange(40) < 2}, human=0.02)
    assert found.largest is None
    assert found.sentence.startswith("No gap is larger than chance")


def test_a_human_error_that_nobody_told_is_not_taken_for_one():
    found = report.gaps({"train": np.arange(100) < 30, "dev": np.arange(100) < 31})
    assert "unless people make as many mistakes (--human-error tells)" in found.sentence


def test_gaps_of_distances_have_their_unit_and_a_part_alone_says_so():
    found = report.gaps({"train": np.full(50, 0.1), "dev": np.linspace(0.5, 0.7, 50)}, unit="deviations")
    assert "0.5 deviations lie between train" in found.sentence
    assert "nothing to compare" in report.gaps({"dev": np.zeros(4, bool)}).sentence
    with pytest.raises(ArgumentError, match="part: 'val' is not known"):
        report.gaps({"val": np.zeros(4, bool)})
    with pytest.raises(ArgumentError, match="a part at least"):
        report.gaps({})


def test_precision_recall_and_f1_are_scikit_learns_and_the_interval_of_f1_holds_it():
    p, y = answers()
    found = report.class_scores(p, y, "abcd")
    told = metrics.precision_recall_fscore_support(y, p.argmax(axis=1))
    for own, other in zip((found.precision, found.recall, found.f1), told):
        np.testing.assert_allclose([one.value for one in own], other)
        assert all(one.low < one.value < one.high for one in own)
    np.testing.assert_array_equal(found.confusion, metrics.confusion_matrix(y, p.argmax(axis=1)))
    for was, called, count in found.confused(3):
        assert count == found.confusion["abcd".index(was)]["abcd".index(called)]
    wrong = found.confusion - np.diag(np.diag(found.confusion))
    assert [count for *_, count in found.confused(3)] == sorted(wrong.ravel(), reverse=True)[:3]


def test_labels_that_nobody_knows_are_left_out_of_scores():
    p = np.array([[0.9, 0.9], [0.8, 0.2], [0.1, 0.7]])
    found = report.label_scores(p, np.array([[1, -1], [0, 1], [-1, 1]]), ("sea", "sky"))
    assert [one.value for one in found.precision] == [0.5, 1.0]
    assert [one.examples for one in found.recall] == [1, 2]
    assert found.confusion is None


def test_shapes_and_labels_that_do_not_fit_are_told():
    p, y = answers(5)
    for labels, names, told in ((y[:4], "abcd", "one for each row"), (y + 9, "abcd", "labels from 0 to 3"),
                                (y, "abc", "expected 4 names")):
        with pytest.raises(ArgumentError, match=told):
            report.class_scores(p, labels, names)


def test_calibration_is_that_of_the_metric_and_a_temperature_finds_how_sharp_answers_are():
    p, y = answers(4000, sharpness=1.5)
    metric = fc.metrics.ExpectedCalibrationError(num_bins=10)
    found = report.calibration(p, y)
    metric.update_state(y, p)
    assert found.ece == pytest.approx(float(metric.result()), abs=1e-6)
    assert found.ece < 0.03
    assert report.fit_temperature(p, y) == pytest.approx(1, abs=0.08)
    sharp = report.with_temperature(p, 0.5)
    temperature = report.fit_temperature(sharp, y)

    def loss(t):
        return -np.log(report.with_temperature(sharp, t)[np.arange(len(y)), y]).mean()

    assert temperature == pytest.approx(optimize.minimize_scalar(loss, bounds=(0.1, 10), method="bounded").x, rel=1e-3)
    assert report.calibration(sharp, y).ece > 4 * report.calibration(report.with_temperature(sharp, temperature), y).ece
    np.testing.assert_array_equal(report.with_temperature(p, 3.0).argmax(axis=1), p.argmax(axis=1))


def test_nothing_to_calibrate_is_no_error():
    p, y = np.zeros((0, 3)), np.zeros(0, int)
    assert report.calibration(p, y).ece == 0
    assert report.fit_temperature(p, y) == 1
    one = report.calibration(np.array([[1.0, 0.0]]), np.array([1]))
    assert (one.ece, one.counts[-1]) == (1, 1)
    with pytest.raises(ArgumentError, match="temperature above 0"):
        report.with_temperature(p, 0)


def test_groups_are_told_the_worst_first_and_those_of_none_left_out():
    found = report.group_scores(np.array([True, False, False, True]), ["a", "a", "b", ""])
    assert [(one.name, one.error.value) for one in found] == [("a", 0.5), ("b", 0.0)]


def test_mistakes_are_picked_by_confidence_or_drawn_the_same_for_a_seed():
    p, y = answers()
    found = report.confident_mistakes(p, y, 10)
    assert (p[found].argmax(axis=1) != y[found]).all()
    assert (np.diff(p[found].max(axis=1)) <= 0).all()
    wrong = p.argmax(axis=1) != y
    drawn = report.sample(wrong, 20)
    np.testing.assert_array_equal(drawn, report.sample(wrong, 20))
    assert len(set(drawn)) == 20
    assert wrong[drawn].all()
    assert report.sample(wrong, 10_000).tolist() == np.flatnonzero(wrong).tolist()


def test_tags_have_shares_and_ceilings_and_come_back_from_their_file(tmp_path):
    path = tmp_path / "tags.json"
    path.write_text('{"tags": ["new"], "examples": {"a": ["dog"], "b": ["dog", "blurry"], "c": [], "d": []}}')
    tags = report.read_tags(path)
    assert tags.tags == ["new", "dog", "blurry"]
    found = report.tag_shares(tags, 0.2)
    assert [(one.tag, one.number) for one in found] == [("dog", 2), ("blurry", 1), ("new", 0)]
    np.testing.assert_allclose([one.ceiling for one in found], [0.1, 0.15, 0.2])
    assert report.tag_shares(report.Tags(["x"]), 0.2)[0].share.value == 0


@pytest.mark.parametrize("text", ["", "[]", '{"tags": 1}', '{"examples": {"a": "b"}}', "\xff"])
def test_a_file_that_has_no_tags_is_refused(tmp_path, text):
    path = tmp_path / "tags.json"
    path.write_text(text, "latin-1")
    with pytest.raises(DataError, match="expected tags as the page of a report saves them"):
        report.read_tags(path)


def test_corrections_change_labels_and_not_what_was_given(tmp_path):
    path = tmp_path / "corrections.csv"
    report.write_corrections(path, [('b, "2"', "cat", "dog"), ("c", "dog", "")])
    given = np.array([0, 0, 1])
    found = report.corrected(given, ["a", 'b, "2"', "c"], ("cat", "dog"), report.read_corrections(path))
    assert (found.tolist(), given.tolist()) == ([0, 1, 1], [0, 0, 1])


@pytest.mark.parametrize(("text", "told"), [
    ("a,b\n", "the columns example,label,correct"), ("", "got nothing"), ("example,label,correct\na,b\n", "line 2"),
    ("example,label,correct\na,cat,dog\na,cat,dog\n", "got a twice")])
def test_a_file_of_corrections_that_is_none_is_refused(tmp_path, text, told):
    path = tmp_path / "corrections.csv"
    path.write_text(text)
    with pytest.raises(DataError, match=told):
        report.read_corrections(path)


def test_corrections_of_other_data_are_refused():
    with pytest.raises(DataError, match="expected a to be labelled dog, got cat"):
        report.corrected(np.array([0]), ["a"], ("cat", "dog"), {"a": ("dog", "cat")})
    with pytest.raises(DataError, match="class: 'dig' is not known; did you mean 'dog'"):
        report.corrected(np.array([0]), ["a"], ("cat", "dog"), {"a": ("cat", "dig")})


def test_curves_name_overfitting_plateaus_and_divergence():
    up = [0.5, 0.3, 0.2, 0.25, 0.3, 0.4]
    assert "least in epoch 3 of 6 and has risen since, by 100 %" in report.curves(
        {"loss": [1, 0.5, 0.3, 0.2, 0.1, 0.05], "val_loss": up}).notes[0]
    assert "stands still" in report.curves({"loss": [2.3, 2.3, 2.3]}).notes[0]
    assert "diverged" in report.curves({"loss": [2.3, np.nan, np.nan]}).notes[0]
    falling = np.linspace(2, 1, 10).tolist()
    assert "still falls at the end" in report.curves({"loss": falling, "val_loss": falling}).notes[0]
    assert report.curves([{"epoch": 1, "loss": 1.0, "seconds": 2.0}]).curves[0].dev is None


def test_a_smoothed_curve_begins_at_its_first_value_and_follows():
    found = report.smoothed([4.0, *[1.0] * 40])
    assert found[0] == pytest.approx(4)
    assert found[-1] == pytest.approx(1, abs=1e-4)


def test_parts_that_differ_are_told_and_those_that_do_not_are_not():
    draw = np.random.default_rng(0)
    wrong = 0
    for _ in range(100):
        train, dev = draw.random((40, 4, 4, 3)), draw.random((30, 4, 4, 3))
        wrong += any(one.is_clear for one in report.differences(train, dev))
    assert wrong <= 10  # 5 are expected
    dark = dev * [0.8, 0.8, 0.3]
    found = {one.name: one for one in report.differences(train, dark)}
    assert found["share of blue"].is_clear
    assert found["share of blue"].size < -2
    table = report.differences(draw.random((50, 2)), draw.random((50, 2)) + np.array([0, 1]), ["age", "rent"])
    assert (table[0].name, table[0].is_clear, table[1].is_clear) == ("rent", True, False)
    assert report.differences(np.zeros((3, 2)), np.zeros((3, 2)))[0].size == 0
    assert report.differences(np.zeros((1, 2)), np.zeros((3, 2))) == []
    with pytest.raises(ArgumentError, match="of one shape"):
        report.differences(np.zeros((2, 8, 8, 1)), np.zeros((2, 9, 8, 1)))
