"""``fastcnn report``, and the report that a training ends in."""

import json
import os
import shutil

import numpy as np
import pytest

from fastcnn.cli import main
from tests.cli.conftest import only_line

pytest.importorskip("jinja2", reason="needs the extra fastcnn[report]")


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Return a .csv with a number to learn, and a group."""
    draw = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("table") / "rents.csv"
    rows = [f"{a:.3f},{b:.3f},{2 * a + b:.3f},{'north' if a > 0 else 'south'}{k % 4}"
            for k, (a, b) in enumerate(draw.standard_normal((240, 2)))]
    path.write_text("\n".join(["size,age,rent,town", *rows]) + "\n")
    return path


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Let `main` run in the test's folder, with trainings that end without a page."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FASTCNN_REPORT", "0")
    return tmp_path


def test_a_run_gets_its_page_and_a_sentence(run, here, capsys):
    assert main(["report", str(run), "--out", "page.html", "--human-error", "0.005"]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == "report in page.html"
    assert "points lie between" in told[-2] or "No gap is larger" in told[-2]
    text = (here / "page.html").read_text()
    assert 'id="sight"' in text
    assert "The test part was not looked at" in text
    assert not (run / "looks.jsonl").exists()


def test_programs_get_errors_and_gaps_and_a_look_at_test_is_counted(run, here, capsys):
    shutil.copytree(run, here / "run")
    for count in (1, 2):
        assert main(["report", "run", "--test", "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        assert len((here / "run" / "looks.jsonl").read_text().splitlines()) == count
    assert list(told["errors"]) == ["train", "dev", "test"]
    assert told["errors"]["dev"]["low"] <= told["errors"]["dev"]["value"] <= told["errors"]["dev"]["high"]
    assert [gap["name"] for gap in told["gaps"]] == ["avoidable bias", "variance", "overfitting to dev"]
    assert told["bytes"] == os.path.getsize(here / "run" / "report.html")
    assert main(["evaluate", "run"]) == 0
    accuracy = float(capsys.readouterr().out.split()[-1])
    assert told["errors"]["test"]["value"] == pytest.approx(1 - accuracy, abs=1e-4)


def test_a_training_ends_in_its_report_without_another_bit(run, fastcnn, tmp_path):
    result = fastcnn("train", "--epochs", 3, "--seed", 1, "--out", "again", FASTCNN_REPORT="1")
    assert result.returncode == 0, result.stderr
    assert "what to do next again/report.html" in result.stdout
    assert (tmp_path / "again" / "report.html").stat().st_size > 50_000
    assert (tmp_path / "again" / "model.safetensors").read_bytes() == (run / "model.safetensors").read_bytes()


def test_corrections_and_tags_come_back_into_the_figures(run, here, capsys):
    main(["report", str(run), "--out", "page.html", "--json"])
    before = json.loads(capsys.readouterr().out)["errors"]["dev"]
    rows = [line.split(",") for line in (run / "split.csv").read_text().splitlines()[1:]]
    part, name, label, *_ = next(row for row in rows if row[0] == "dev")
    (here / "c.csv").write_text(f"example,label,correct\n{name},{label},{(int(label) + 1) % 10}\n")
    (here / "t.json").write_text(json.dumps({"tags": ["blurry"], "examples": {name: ["blurry"]}}))
    assert main(["report", str(run), "--out", "page.html", "--corrections", "c.csv", "--tags", "t.json"]) == 0
    told = capsys.readouterr().out
    assert "Labels were corrected: 0 of train, 1 of dev, 0 of test. None of test" in told
    text = (here / "page.html").read_text()
    assert ">blurry</th>" in text
    main(["report", str(run), "--out", "page.html", "--corrections", "c.csv", "--json"])
    after = json.loads(capsys.readouterr().out)["errors"]["dev"]
    assert round(abs(after["value"] - before["value"]) * after["examples"]) == 1
    assert part == "dev"


def test_folds_give_every_example_an_answer_of_a_network_that_has_not_seen_it(here, capsys):
    assert main(["train", "--folds", "2", "--epochs", "1", "--seed", "1", "--quiet", "--out", "folds"]) == 0
    capsys.readouterr()
    assert main(["report", "folds", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    rows = (here / "folds" / "fold-1" / "split.csv").read_text().splitlines()[1:]
    assert told["errors"]["dev"]["examples"] == sum(not row.startswith("test") for row in rows)
    assert "Cross-fitted:" in (here / "folds" / "report.html").read_text()


def test_a_table_with_numbers_to_learn_and_groups_has_its_report(table, here, capsys):
    assert main(["train", "--dataset", str(table), "--label", "rent", "--ignore", "town", "--group-by", "town",
                 "--epochs", "2", "--seed", "1", "--quiet", "--out", "rents"]) == 0
    assert main(["report", "rents"]) == 0
    text = (here / "rents" / "report.html").read_text()
    assert "rent: told against true" in text
    assert "deviations" in capsys.readouterr().out
    os.rename(table, here / "gone.csv")
    try:
        assert main(["report", "rents"]) == 3
        assert f"expected the data of the run in {table}, got nothing there" in only_line(capsys.readouterr().err)
    finally:
        os.rename(here / "gone.csv", table)


def test_a_run_that_trains_has_its_curves_and_with_a_checkpoint_its_figures(run, here, capsys):
    shutil.copytree(run, here / "run")
    os.remove(here / "run" / "model.safetensors")
    with (here / "run" / "history.jsonl").open("ab") as file:
        file.write(b'{"epoch":4,"los')  # as it is while a line is written
    assert main(["report", "run"]) == 0
    assert "This run has no model yet: 3 of 3 epochs are over." in capsys.readouterr().out
    assert 'id="curves"' in (here / "run" / "report.html").read_text()


@pytest.mark.parametrize(("args", "code", "told"), [
    (("nothing",), 2, "expected a run, got nothing there"), (("RUN/model.safetensors.gone",), 2, "expected a run"),
    (("RUN", "--out", "no/page.html"), 2, "a file in a folder that is there"),
    (("RUN", "--tags", "none.json"), 3, "expected tags"), (("RUN", "--corrections", "none.csv"), 3, "corrections"),
    (("RUN", "--human-error", "-1"), 2, "-1"), ((".",), 5, "expected a run with model.safetensors")])
def test_what_cannot_be_is_told_in_a_line(run, here, capsys, args, code, told):
    assert main(["report", *(one.replace("RUN", str(run)) for one in args)]) == code
    assert told in only_line(capsys.readouterr().err)
    assert list(here.iterdir()) == []


def test_a_checkpoint_gives_figures_before_there_is_a_model(here, capsys):
    assert main(["train", "--epochs", "2", "--seed", "1", "--quiet", "--out", "run", "--resume", "auto"]) == 0
    from fastcnn.callbacks.checkpoint_files import CheckpointFiles
    from fastcnn.saving import load_model

    model = load_model("run/model.safetensors")
    (here / "run" / "checkpoints").mkdir()
    CheckpointFiles(here / "run" / "checkpoints").write({"epoch": 1, "batch": 3, "model": {
        "weights": model.get_weights()}}, {})  # what a report reads of a checkpoint
    main(["report", "run", "--json", "--out", "a.html"])
    os.remove("run/model.safetensors")
    capsys.readouterr()
    assert main(["report", "run", "--json", "--out", "b.html"]) == 0
    assert json.loads(capsys.readouterr().out)["errors"]["dev"]["examples"] > 300
    assert "of a checkpoint within epoch 2" in (here / "b.html").read_text()
