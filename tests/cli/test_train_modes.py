"""What ``train`` does in the place of training, and what it prints for programs: --dry-run, --overfit-batch, --json."""

import json
import re
import tomllib

import numpy as np
import pytest

from fastcnn.cli import main
from tests.cli.conftest import only_line


def test_a_dry_run_tells_what_training_takes_and_leaves_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    asked = ["--epochs", "7", "--batch-size", "100", "--augment", "digits", "--out", "x"]
    assert main(["train", "--dry-run", *asked]) == 0
    output = capsys.readouterr().out
    assert "(N, 8, 8, 32)" in output
    assert re.search(r"^step   100 images, .* ms: .* images/s, measured on \d+ steps$", output, re.M)
    assert "epoch  11 steps, " in output
    assert re.search(r"^in all 7 epochs, \d+ s: begun now it would end on \w+day \d\d:\d\d$", output, re.M)
    assert main(["train", "--dry-run", "--folds", "3", "--json"]) == 0
    assert json.loads(only_line(capsys.readouterr().out))["steps_per_epoch"] == 31  # two thirds of what is not test
    assert list(tmp_path.iterdir()) == []


def test_a_batch_is_learned_by_heart_or_not(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--overfit-batch", "--augment", "strong", "--label-smoothing", "0.2"]) == 0
    assert re.match(r"32 images are learned by heart after \d+ steps", capsys.readouterr().out)
    assert main(["train", "--overfit-batch", "--lr", "1e-7"]) == 4
    told = only_line(capsys.readouterr().err)
    assert "expected 32 images to be learned by heart within 500 steps, got a loss" in told
    assert list(tmp_path.iterdir()) == []


def test_programs_get_lines_of_json_and_the_quiet_the_last_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["train", "--epochs", "1", "--folds", "2", "--limit", "64", "--seed", "1", "--out", "folds",
                 "--json"]) == 0  # fmt: skip
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(line["fold"], line["epoch"]) for line in lines[:-1]] == [(1, 1), (2, 1)]
    accuracy = np.mean([line["val_accuracy"] for line in lines[:-1]])
    assert lines[-1] == {"run": "folds", "is_complete": True, "dev_accuracy": pytest.approx(accuracy)}
    assert tomllib.loads((tmp_path / "folds" / "config.toml").read_text())["folds"] == 2
    assert main(["train", "--config", "folds/config.toml", "--out", "again", "--quiet"]) == 0
    assert capsys.readouterr().out == f"dev accuracy {accuracy:.4f}\n"
    for fold in ("fold-1", "fold-2"):
        first, again = (tmp_path / name / fold / "model.safetensors" for name in ("folds", "again"))
        assert first.read_bytes() == again.read_bytes()


@pytest.mark.parametrize(
    "args", [("--json", "--quiet"), ("--dry-run", "--print-config"), ("--folds", "3", "--dev", "0")])
def test_what_excludes_one_another_is_refused(args, capsys):
    assert main(["train", *args]) == 2
    assert "exclude one another" in only_line(capsys.readouterr().err)
