"""How a run decides: thresholds and a temperature chosen on dev, groups, and limits that are to be kept."""

import csv
import json
import shutil

import numpy as np
import pytest

from fastcnn.cli import main
from fastcnn.report import rates_at
from fastcnn.saving import load_metadata, load_model
from tests.cli.conftest import only_line


@pytest.fixture(scope="module")
def tumours(tmp_path_factory):
    """Return the folder of a run of two classes, trained on a table with a column of hospitals."""
    folder = tmp_path_factory.mktemp("tumours")
    draw = np.random.default_rng(0)
    with (folder / "tumours.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["a", "b", "label", "hospital"])
        for _ in range(300):
            a, b = draw.standard_normal(2)
            is_so = a + 0.5 * b + 0.6 * draw.standard_normal() > 0.8
            rows.writerow([f"{a:.4f}", f"{b:.4f}", "malignant" if is_so else "benign",
                           f"clinic {draw.integers(3)}"])
    assert main(["train", "--dataset", str(folder / "tumours.csv"), "--ignore", "hospital", "--epochs", "8", "--seed",
                 "1", "--out", str(folder / "run"), "--quiet", "--no-report"]) == 0
    return folder


@pytest.fixture
def copied(tumours, tmp_path, monkeypatch):
    """Return a copy of the run, in the folder in which a test works."""
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tumours / "run", tmp_path / "run")
    return tmp_path / "run"


def _json(capsys, *args):
    capsys.readouterr()
    assert main([*args, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_threshold_is_chosen_on_dev_kept_with_the_model_and_gone_by(copied, tumours, capsys):
    before = _json(capsys, "evaluate", "run", "--part", "dev")
    weights = load_model(copied / "model.safetensors").get_weights()
    found = _json(capsys, "evaluate", "run", "--part", "dev", "--threshold", "recall>=0.9")
    rates = found["decision"]["of"]["malignant"]
    assert found["recall"] == rates["recall"] >= 0.9
    assert found["false_positive_rate"] == rates["false_positive_rate"]
    assert found["loss"] == before["loss"]
    assert found["accuracy"] == rates["accuracy"]
    assert load_metadata(copied / "model.safetensors")["decision"] == {"rule": "recall>=0.9", "of": {
        "malignant": rates}}
    for a, b in zip(load_model(copied / "model.safetensors").get_weights(), weights, strict=True):
        np.testing.assert_array_equal(a, b)
    assert _json(capsys, "evaluate", "run", "--part", "dev")["recall"] == rates["recall"]
    assert not (copied / "looks.jsonl").exists()
    answers = _json(capsys, "predict", "run", str(tumours / "tumours.csv"), "--top", "2")
    for one in answers:
        p = {own["class"]: own["probability"] for own in one["predictions"]}
        assert one["predictions"][0]["class"] == ("malignant" if p["malignant"] >= rates["threshold"] else "benign")
    assert len({tuple(own["class"] for own in one["predictions"]) for one in answers}) == 2


def test_a_threshold_is_of_a_single_run_and_not_of_an_ensemble(copied, capsys):
    plain = _json(capsys, "evaluate", "run", "--part", "dev")
    _json(capsys, "evaluate", "run", "--part", "dev", "--threshold", "recall>=0.9", "--calibrate")
    both = _json(capsys, "evaluate", "run", "run", "--part", "dev", "--save", "both.safetensors")
    assert both["accuracy"] == plain["accuracy"]
    assert not {"decision", "temperature"} & set(load_metadata("both.safetensors"))


def test_the_class_that_a_threshold_is_of_can_be_named(copied, capsys):
    found = _json(capsys, "evaluate", "run", "--part", "dev", "--threshold", "youden", "--positive", "benign")
    assert list(found["decision"]["of"]) == ["benign"]


def test_a_temperature_is_fitted_and_kept_and_a_threshold_is_one_of_what_is_told(copied, capsys):
    before = _json(capsys, "evaluate", "run", "--part", "dev", "--threshold", "f1")
    after = _json(capsys, "evaluate", "run", "--part", "dev", "--calibrate")
    assert after["decision"]["temperature"] != 1
    assert after["loss"] < before["loss"]
    assert after["decision"]["rule"] == "f1"
    assert after["f1"] == before["f1"]  # the same examples are called so
    assert after["decision"]["of"]["malignant"]["threshold"] != before["decision"]["of"]["malignant"]["threshold"]


def test_groups_have_their_figure_their_mean_and_the_worst(copied, tumours, capsys):
    found = _json(capsys, "evaluate", "run", "--part", "dev", "--by", "hospital")["by_group"]
    assert sorted(found["groups"]) == ["clinic 0", "clinic 1", "clinic 2"]
    assert found["worst"] == min(found["groups"].values()) == found["groups"][found["worst_group"]]
    assert found["mean"] == pytest.approx(np.mean(list(found["groups"].values())))
    assert main(["evaluate", "run", "--part", "dev", "--by", "hospital"]) == 0
    assert "accuracy by hospital: mean over 3 groups" in capsys.readouterr().out
    for by, text in (("town", "no column of label, hospital is called so"), ("(", "expected one of the columns")):
        assert main(["evaluate", "run", "--part", "dev", "--by", by]) in (2, 3)
        assert text in only_line(capsys.readouterr().err)


def test_limits_are_measured_and_told(copied, capsys):
    found = _json(capsys, "evaluate", "run", "--part", "dev", "--subject-to", "latency_ms<=10000", "--subject-to",
                  "false_positive_rate<=-1", "--subject-to", "memory_mb<=1", "--subject-to", "accuracy>=0.1")
    assert [one["is_kept"] for one in found["limits"]] == [True, False, True, True]
    assert 0 <= found["limits"][1]["value"] <= 1
    assert main(["evaluate", "run", "--part", "dev", "--subject-to", "latency<=1"]) == 2
    assert "did you mean 'latency_ms'" in only_line(capsys.readouterr().err)
    assert main(["runs", "run", "--where", "memory_mb<=1", "--where", "latency_ms<=10000"]) == 0
    assert "1 run" in capsys.readouterr().out
    assert main(["runs", "run", "--where", "false_positive_rate<=1"]) == 0
    assert "0 runs" in capsys.readouterr().out  # no threshold was chosen yet
    assert main(["evaluate", "run", "--part", "dev", "--threshold", "f1", "--quiet"]) == 0
    assert main(["runs", "run", "--where", "false_positive_rate<=1"]) == 0
    assert "1 run" in capsys.readouterr().out


def test_the_report_tells_of_groups_and_that_a_threshold_was_chosen(copied, capsys):
    pytest.importorskip("jinja2", reason="needs the extra fastcnn[report]")
    assert main(["evaluate", "run", "--part", "dev", "--threshold", "f1", "--quiet"]) == 0
    assert main(["report", "run", "--by", "hospital", "--out", "page.html"]) == 0
    assert "chosen on dev for f1" in capsys.readouterr().out
    text = (copied.parent / "page.html").read_text()
    assert "clinic 2" in text
    assert "the worst is" in text


@pytest.mark.parametrize(("args", "text"), [
    (("--threshold", "f1"), "--threshold: expected --part dev, on which one decides, got test"),
    (("--part", "dev", "--calibrate", "--tta", "mirror"), "expected no --tta"),
    (("--part", "dev", "--threshold", "ff1"), "did you mean 'f1'"),
    (("--part", "dev", "--threshold", "f1", "--positive", "x"), "--positive: 'x' is not known"),
    (("--part", "dev", "--positive", "benign"), "--positive: expected --threshold"),
    (("run", "--part", "dev", "--threshold", "f1"), "--threshold: expected one run, got 2"),
])
def test_what_cannot_be_decided_is_refused_and_nothing_is_written(copied, capsys, args, text):
    before = (copied / "model.safetensors").read_bytes()
    assert main(["evaluate", "run", *args]) == 2
    assert text in only_line(capsys.readouterr().err)
    assert (copied / "model.safetensors").read_bytes() == before


def test_without_a_dev_part_or_with_ten_classes_nothing_is_chosen(run, tumours, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", str(run), "--part", "dev", "--threshold", "f1"]) == 2
    assert "expected a network of two classes, or of labels, got 10 classes" in only_line(capsys.readouterr().err)
    assert main(["train", "--dataset", str(tumours / "tumours.csv"), "--ignore", "hospital", "--out", "all", "--epochs",
                 "1", "--dev", "0", "--quiet", "--no-report"]) == 0
    assert main(["evaluate", "all", "--part", "dev", "--threshold", "f1"]) == 2
    assert "expected a part dev" in only_line(capsys.readouterr().err)


def test_each_of_several_labels_has_a_threshold(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    a = draw.standard_normal((200, 2))
    sea, sky = (a[:, k] + 0.7 * draw.standard_normal(200) > 0.9 for k in range(2))
    rows = [f"{x:.3f},{y:.3f},{int(p)},{int(q)}" for (x, y), p, q in zip(a, sea, sky, strict=True)]
    (tmp_path / "shore.csv").write_text("\n".join(["x,y,label_sea,label_sky", *rows]) + "\n")
    assert main(["train", "--dataset", "shore.csv", "--out", "run", "--epochs", "5", "--seed", "1", "--quiet",
                 "--no-report"]) == 0
    capsys.readouterr()
    found = _json(capsys, "evaluate", "run", "--part", "dev", "--threshold", "false_positive_rate<=0.1")
    assert set(found["decision"]["of"]) == {"label_sea", "label_sky"}
    assert found["false_positive_rate"] == max(
        one["false_positive_rate"] for one in found["decision"]["of"].values()) <= 0.1
    told = _json(capsys, "predict", "run", "shore.csv")
    for one in told[:50]:
        for label in one["predictions"]:
            threshold = found["decision"]["of"][label["label"]]["threshold"]
            assert label["is_so"] == (label["probability"] >= threshold) or label["probability"] == pytest.approx(
                threshold, abs=1e-6)
    assert main(["evaluate", "run", "--part", "dev", "--calibrate"]) == 2
    assert "whose probabilities have one temperature" in only_line(capsys.readouterr().err)
    assert rates_at(np.array([0.1, 0.9]), np.array([False, True])).f1 == 1


def _asked(tumours, *more):
    return ("train", "--dataset", str(tumours / "tumours.csv"), "--ignore", "hospital", "--epochs", "8", "--seed", "1",
            "--no-report", *more)


def test_training_chooses_a_threshold_at_its_end_the_same_as_evaluate_does(copied, tumours, capsys):
    capsys.readouterr()
    assert main([*_asked(tumours, "--threshold", "f1", "--out", "own"), "--json"]) == 0
    last = json.loads(capsys.readouterr().out.splitlines()[-1])
    found = _json(capsys, "evaluate", "run", "--part", "dev", "--threshold", "f1")
    assert last["dev_f1"] == found["f1"]
    assert last["dev_accuracy"] == found["accuracy"]
    assert list(last)[-1] == "dev_accuracy"
    own, other = (copied.parent / "own" / "model.safetensors"), copied / "model.safetensors"
    assert load_metadata(own) == load_metadata(other)
    before = own.read_bytes()
    assert main([*_asked(tumours, "--threshold", "f1", "--out", "own"), "--resume", "auto", "--quiet"]) == 0
    assert own.read_bytes() == before
    assert "threshold = \"f1\"" in (copied.parent / "own" / "config.toml").read_text()


@pytest.mark.parametrize(("args", "text"), [
    (("--threshold", "f1", "--dev", "0"), "--threshold: expected a dev part, on which it is chosen, got --dev 0"),
    (("--threshold", "recall>=2"), "a number from 0 to 1"),
    (("--positive", "benign"), "--positive: expected --threshold"),
])
def test_training_refuses_a_threshold_that_cannot_be_before_it_begins(copied, tumours, capsys, args, text):
    capsys.readouterr()
    assert main([*_asked(tumours, *args, "--out", "own")]) == 2
    assert text in only_line(capsys.readouterr().err)
    assert not (copied.parent / "own").exists()
