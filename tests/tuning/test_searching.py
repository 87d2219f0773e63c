"""Searches with a function of one's own: spaces, samplers, limits, and what a killed one goes on with."""

import itertools
import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn.errors import ArgumentError
from fastcnn.tuning import Range, TuningTrial, around, compare, limit_of, rungs, search, space_of, values_of
from fastcnn.tuning.journal import NAME, Journal, alone_in

SPACE = {"space": {"rate": {"low": 1e-4, "high": 1.0, "scale": "log"}, "size": {"low": 1, "high": 9},
                   "kind": ["a", "b"]}}


def objective(values):
    return -abs(np.log10(values["rate"]) + 2) - 0.1 * abs(values["size"] - 5) - (values["kind"] == "a")


def test_the_estimator_finds_what_random_trials_do_not():
    best = [search(SPACE, objective, trials=40, seed=3, sampler=sampler).best.score for sampler in ("tpe", "random")]
    assert best[0] > best[1]
    assert best[0] > -0.5


def test_values_depend_on_seed_number_and_what_is_known_alone():
    space = space_of(SPACE["space"])
    known = [TuningTrial(k, values_of(space, 1, k, []), float(k), {}, {}) for k in range(1, 14)]
    assert values_of(space, 1, 14, known) == values_of(space, 1, 14, known[::-1])
    assert values_of(space, 1, 14, known) != values_of(space, 1, 15, known)
    assert values_of(space, 1, 14, known) != values_of(space, 2, 14, known)


def test_a_search_that_is_stopped_goes_on_with_the_trials_that_it_would_have_had(tmp_path):
    whole = search(SPACE, objective, trials=14, seed=1, out=tmp_path / "whole")

    for stop in (3, 7):
        def interrupted(values, stop=stop, done=[0]):  # noqa: B006  (counts its calls)
            done[0] += 1
            if done[0] > stop:
                raise KeyboardInterrupt
            return objective(values)

        with pytest.raises(KeyboardInterrupt):
            search(SPACE, interrupted, trials=14, seed=1, out=tmp_path / "cut")
        with (tmp_path / "cut" / NAME).open("ab") as file:
            file.write(b'{"op_code": 4, "worker')  # as a kill leaves it
    again = search(SPACE, objective, trials=14, seed=1, out=tmp_path / "cut")
    assert again.trials == whole.trials
    assert again.table() == whole.table()


def test_of_two_searches_in_one_folder_the_second_is_refused(tmp_path):
    with alone_in(tmp_path), pytest.raises(ArgumentError, match="another process makes now"):
        search(SPACE, objective, trials=2, out=tmp_path)


def test_the_best_keeps_its_limits_and_the_first_of_two_alike_is_first():
    def figures(values):
        return {"score": values["x"] // 4, "cost": values["x"]}

    study = search({"space": {"x": {"low": 0, "high": 19}}}, figures, trials=25, seed=1, subject_to=["cost<=10"])
    assert study.best.figures["cost"] <= 10
    assert study.best.score == 2
    same = [one.number for one in study.trials if one.score == 2 and one.is_feasible]
    assert study.best.number == same[0]
    with pytest.raises(ArgumentError, match="got none of 5; allow more, or widen the space"):
        _ = search({"space": {"x": [1, 2]}}, figures, trials=5, seed=1, subject_to=["cost<=0"]).best


def test_a_loss_that_is_not_finite_fails_one_trial_and_another_error_ends_the_search(tmp_path):
    def sometimes(values):
        if values["x"] == 1:
            raise FloatingPointError("the loss is nan")
        return values["x"]

    study = search({"space": {"x": [1, 2, 3]}}, sometimes, trials=12, seed=1, out=tmp_path / "a")
    assert {one.failure for one in study.trials} == {"", "the loss is nan"}
    assert study.best.score == 3
    assert Journal(tmp_path / "a", study.space, is_maximized=True).trials() == study.trials
    with pytest.raises(KeyError):
        search({"space": {"x": [1, 2]}}, lambda values: values["y"], trials=3)


def test_importances_name_what_decides():
    study = search({"space": {"a": {"low": 0.0, "high": 1.0}, "b": {"low": 0.0, "high": 1.0}}},
                   lambda values: values["a"] + 0.01 * values["b"], trials=40, seed=1, sampler="random")
    found = study.importances()
    assert found["a"] > 0.8
    assert sum(found.values()) == pytest.approx(1)


def test_the_half_around_a_value_is_on_the_scale_of_its_range():
    fine = around(space_of({"m": {"low": 0.9, "high": 0.9999, "scale": "one-minus-log"}, "n": {"low": 1, "high": 9},
                            "k": ["a", "b"]}), {"m": 0.99, "n": 2, "k": "b"})
    assert 1 - fine["m"].low == pytest.approx(0.01 * 10**0.75, rel=1e-6)
    assert 1 - fine["m"].high == pytest.approx(0.01 / 10**0.75, rel=1e-6)
    assert fine["n"] == Range(1, 4)
    assert fine["k"].values == ("a", "b")
    with pytest.raises(ArgumentError, match="expected n between 1 and 9, got 20"):
        around(space_of({"n": {"low": 1, "high": 9}}), {"n": 20})


def test_momentum_is_drawn_on_the_scale_of_what_it_leaves():
    space = space_of({"m": {"low": 0.9, "high": 0.999, "scale": "one-minus-log"}})
    drawn = np.array([values_of(space, 1, k, [], "random")["m"] for k in range(60)])
    assert ((drawn >= 0.9) & (drawn <= 0.999)).all()
    assert 20 < (drawn > 0.99).sum() < 40


def test_halving_keeps_two_rivals_at_the_end_at_least():
    for trials in range(1, 60):
        found = rungs(trials, 81, 3)
        assert found[0].trials == trials
        assert found[-1].epoch is None
        assert len(found) == 1 or found[-1].trials >= 2
        assert all(a.trials > b.trials for a, b in itertools.pairwise(found))


@pytest.mark.parametrize(("given", "told"), [
    ({}, "expected names with ranges or choices, got none"),
    ({"x": []}, "expected at least one choice"),
    ({"x": 3}, "expected a list of choices, or low and high, got 3"),
    ({"x": {"low": 1}}, "expected a list of choices, or low and high"),
    ({"x": {"low": 2, "high": 1}}, "expected low < high"),
    ({"x": {"low": 0, "high": 1, "scale": "log"}}, "expected low > 0 on a logarithmic scale"),
    ({"x": {"low": 0.5, "high": 1.0, "scale": "one-minus-log"}}, "expected numbers from 0 to below 1"),
    ({"x": {"low": 0, "high": 1, "scale": "lag"}}, "did you mean 'log'"),
    ({"x": {"low": 0, "hihg": 1}}, "did you mean 'high'"),
    ({"x": {"low": "a", "high": 1}}, "expected numbers as low and high, got 'a'"),
])
def test_a_space_that_cannot_be_is_one_sentence(given, told):
    with pytest.raises(ArgumentError, match=told):
        space_of(given)


def test_what_cannot_be_searched_is_one_sentence_before_anything_is_trained(tmp_path):
    for more, told in (({"trials": 0}, "trials to be a positive integer"), ({"sampler": "grid"}, "sampler: 'grid'"),
                       ({"subject_to": ["fast"]}, "expected a figure, <= or >="), ({"halving": 2}, "expected neither")):
        with pytest.raises(ArgumentError, match=told):
            search(SPACE, objective, **{"trials": 2, **more})
    with pytest.raises(ArgumentError, match="expected a folder for the trainings"):
        search(SPACE, trials=2)
    with pytest.raises(ArgumentError, match="latency_ms, memory_mb, parameters, megabytes, false_positive_rate"):
        search(SPACE, trials=2, out=tmp_path, subject_to=["speed<=2"])
    with pytest.raises(ArgumentError, match="expected a configuration with a threshold, at which it is counted"):
        search(SPACE, trials=2, out=tmp_path, subject_to=["recall>=0.9"])
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ArgumentError, match="expected epochs in the configuration"):
        search(SPACE, trials=9, out=tmp_path / "a", halving=3)
    (tmp_path / "letter.txt").write_text("mine")
    with pytest.raises(ArgumentError, match="holds a, letter"):
        search(SPACE, trials=2, out=tmp_path)


def test_constraints_tell_by_how_much_they_are_broken():
    assert limit_of("latency_ms <= 2").excess({"latency_ms": 3}) == 1
    assert limit_of("recall>=0.9").excess({"recall": 0.95}) == pytest.approx(-0.05)
    assert limit_of("n<2").excess({"n": 2}) > 0
    assert limit_of("recall>=0.5").excess({"dev_recall": 0.75}) == -0.25  # as trainings call it
    with pytest.raises(ArgumentError, match="'size' is not known"):
        limit_of("size<2").excess({"n": 2})


def test_mcnemars_test_and_its_interval_are_those_of_the_literature():
    # 2 x 2 counts by hand: P(X <= 2 or X >= 10) of 12 tosses, 2 (1 + 12 + 66) / 4096.
    first = np.r_[np.ones(50), np.ones(2), np.zeros(10)].astype(bool)
    second = np.r_[np.ones(50), np.zeros(2), np.ones(10)].astype(bool)
    found = compare(first, second)
    assert (found.first_alone, found.second_alone) == (2, 10)
    assert found.p_value == pytest.approx(2 * 79 / 4096)
    assert found.low < found.difference < found.high
    assert compare(first, first).p_value == 1
    assert compare([True, False], [False, True]).p_value == 1


def test_the_interval_of_a_paired_difference_covers_it_as_often_as_it_says():
    rng = np.random.default_rng(0)
    covered = 0
    for _ in range(400):
        kind = rng.choice(4, 150, p=[0.7, 0.05, 0.12, 0.13])
        found = compare(np.isin(kind, (0, 1)), np.isin(kind, (0, 2)))
        covered += found.low <= 0.07 <= found.high
    assert 0.92 <= covered / 400 <= 0.98  # two standard deviations of 400 draws are 0.022


def test_a_study_is_drawn_and_written(tmp_path):
    from fastcnn.tuning.drawing import draw

    study = search(SPACE, objective, trials=6, seed=1)
    draw(study, tmp_path / "study.svg")
    assert "<svg" in (tmp_path / "study.svg").read_text()
    study.save_table(tmp_path / "trials.csv")
    lines = (tmp_path / "trials.csv").read_text().splitlines()
    assert lines[0] == "trial,score,is_feasible,epochs,rate,size,kind,score,failure"
    assert float(lines[1].split(",")[1]) == study.best.score


def test_what_is_told_of_a_trial_can_be_written_as_json():
    heard = []
    search(SPACE, objective, trials=2, seed=1, tell=lambda trial: heard.append(json.dumps(trial._asdict())))
    assert len(heard) == 2
    assert fc.tuning.search is search


def test_costs_are_those_of_the_file_and_a_network_of_any_size_has_no_time(tmp_path):
    from fastcnn import Input, Sequential, layers
    from fastcnn.tuning.measuring import COSTS, costs

    model = Sequential([Input((8, 8, 1)), layers.Flatten(), layers.Dense(4)])
    model.save(tmp_path / "model.safetensors")
    found = costs(tmp_path, set(COSTS))
    assert found["parameters"] == 260
    assert found["megabytes"] * 1e6 == (tmp_path / "model.safetensors").stat().st_size
    assert found["memory_mb"] * 1e6 == pytest.approx(260 * 4 + model.planned_bytes())
    assert found["latency_ms"] > 0
    assert costs(tmp_path / "model.safetensors", {"parameters"}) == {"parameters": 260}
    Sequential([Input((None, None, 1)), layers.Conv2D(2, 3)]).save(tmp_path / "open.safetensors")
    assert set(costs(tmp_path / "open.safetensors", set(COSTS))) == {"megabytes", "parameters"}
