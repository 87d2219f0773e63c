"""The command line on a card, in the simulator: a training there, a look at it here."""

import json
import os

import pytest

from fastcnn import cli
from fastcnn.kernels.cuda.compile.simulator import grid


def test_the_digits_are_trained_for_two_steps_there_and_read_here(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(grid, "looks_for_races", False)
    monkeypatch.setenv("FASTCNN_REPORT", "0")
    monkeypatch.delenv("FASTCNN_DEVICE", raising=False)
    run = tmp_path / "run"
    losses = []
    for device in ("cuda", "cpu"):
        assert cli.main(["train", "--device", device, "--limit", "10", "--batch-size", "5", "--epochs", "1", "--dev",
                         "0", "--seed", "1", "--quiet", "--out", str(run / device)]) == 0
        assert "FASTCNN_DEVICE" not in os.environ
        losses.append(json.loads((run / device / "history.jsonl").read_text().splitlines()[-1])["loss"])
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)
    assert cli.main(["summary", str(run / "cuda")]) == 0
    assert "cuda" not in (run / "cuda" / "config.toml").read_text()
    assert "18,474" in capsys.readouterr().out


def test_layers_are_timed_there_beside_what_the_card_can_do(monkeypatch, capsys):
    monkeypatch.setattr(grid, "looks_for_races", False)
    monkeypatch.setattr("fastcnn.bench.card._BYTES", 1 << 12)
    monkeypatch.setattr("fastcnn.bench.card.bandwidth.__defaults__", (1 << 12,))
    short = ["--batch-size", "1", "--rounds", "1", "--seconds", "1e-6"]
    assert cli.main(["bench", "logistic_regression", "--device", "cuda", *short, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["machine"]["cpu"], found["machine"]["vectors"]) == ("the simulator", "sm_90")
    assert [level["name"] for level in found["machine"]["memory"]] == ["memory"]
    assert all(layer["forward"]["seconds"] > 0 for layer in found["model"]["layers"])
    assert found["model"]["whole"]["step"]["seconds"] > 0
