"""``train --snapshots``: the models at the ends of cycles, as runs that `evaluate` puts together."""

import json
import re
import tomllib

import pytest

from fastcnn import saving
from fastcnn.cli import main
from tests.cli.conftest import only_line

PLAN = ("train", "--model", "mlp(hidden_units=[16])", "--seed", "3", "--optimizer", "momentum", "--lr", "0.1")


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    folder = tmp_path_factory.mktemp("snapshots")
    assert main([*PLAN, "--epochs", "3", "--snapshots", "2", "--out", str(folder / "run {1}")]) == 0
    return folder / "run {1}"


def test_each_is_a_run_and_all_together_are_told_as_evaluate_does(trained, capsys, tmp_path):
    runs = [trained / "snapshot-1", trained / "snapshot-2"]
    assert sorted(path.name for path in trained.iterdir() if path.is_dir()) == ["snapshot-1", "snapshot-2"]
    for run in runs:
        assert (run / "split.csv").read_bytes() == (trained / "split.csv").read_bytes()
    first, last, model = ([w.numpy().tolist() for w in saving.load_model(run / "model.safetensors").weights]
                          for run in (*runs, trained))  # fmt: skip
    assert first != last == model
    assert main(["train", "--config", str(trained / "config.toml"), "--out", str(tmp_path / "again")]) == 0
    output = capsys.readouterr().out
    *alone, together = re.search(r"cycles dev accuracy of each: ([\d.]+), ([\d.]+); of all together ([\d.]+)",
                                 output).groups()  # fmt: skip
    assert "momentum, learning rate 0.1 (cosine), 2 cycles with a snapshot each, seed 3" in output
    assert (tmp_path / "again" / "snapshot-1" / "model.safetensors").read_bytes() == (
        runs[0] / "model.safetensors").read_bytes()  # fmt: skip
    one_model = tmp_path / "ensemble.safetensors"
    assert main(["evaluate", *map(str, runs), "--part", "dev", "--save", str(one_model)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert re.findall(r"accuracy ([\d.]+)", "\n".join(line for line in lines if line.startswith("alone"))) == alone
    assert lines[-1] == f"dev accuracy {together}"
    assert main(["export-onnx", str(one_model), str(tmp_path / "ensemble.onnx")]) in (0, 2)  # 2: without the extra


def test_the_file_says_cycles_and_no_schedule(trained):
    told = tomllib.loads((trained / "config.toml").read_text())
    assert told["snapshots"] == 2
    assert not {"lr-schedule", "warmup"} & set(told)
    assert json.loads((trained / "config.json").read_text())["snapshots"] == 2


@pytest.mark.parametrize(("words", "message"), [
    (("--lr-schedule", "linear"), "--snapshots and --lr-schedule exclude one another"),
    (("--warmup", "0.1"), "--snapshots and --warmup exclude one another"),
    (("--ema", "0.9"), "--snapshots: expected no --ema, which keeps other weights than those at the end of a cycle"),
    (("--patience", "2"), "--snapshots: expected no --patience"),
    (("--snapshots", "1"), "1 is not in the range x>=2")])
def test_what_does_not_go_with_cycles_is_told(words, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*PLAN, "--epochs", "1", "--snapshots", "2", *words, "--out", "new"]) == 2
    assert message in only_line(capsys.readouterr().err)
    assert not list(tmp_path.iterdir())


def test_more_cycles_than_steps_are_told(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main([*PLAN, "--steps", "3", "--snapshots", "5", "--out", "new"]) == 2
    assert "Snapshots: expected at least a step for each of 5 cycles, got 3" in only_line(capsys.readouterr().err)
