"""Ctrl-C: a real SIGINT to a real process."""

import json
import os
import shlex
import signal
import subprocess
import sys

import pytest

from fastcnn.cli._interrupt import stop_on_interrupt
from tests.cli.conftest import command, environment


def test_ctrl_c_ends_after_the_step_saves_and_prints_commands_that_work(fastcnn, tmp_path):
    process = subprocess.Popen(
        command("train", "--epochs", 100_000, "--out", "a run"), cwd=tmp_path, env=environment(),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("epoch "):
            break
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == ""
    lines = output.splitlines()
    assert lines[-3].startswith("stopped in epoch ")
    assert (tmp_path / "a run" / "history.jsonl").read_text().count("\n") >= 1
    evaluate, train = (shlex.split(line[line.index("fastcnn") :])[1:] for line in lines[-2:])
    assert evaluate == ["evaluate", "a run", "--part", "dev"]
    assert fastcnn(*evaluate).returncode == 0
    assert train[:3] == ["train", "--from", "a run"]
    assert 99_000 < int(train[-1]) <= 100_000
    assert fastcnn(*train[:-1], "1").returncode == 0
    again = fastcnn("train", "--out", "a run", "--resume", "auto")  # it was begun without, so there is no checkpoint
    assert again.returncode == 2
    assert "stopped in epoch" in again.stderr
    assert f"fastcnn train --from 'a run' --epochs {train[-1]}" in again.stderr
    (tmp_path / "a run" / "stopped.json").write_text("{}")  # damaged: the model is not written over for that
    assert "--from 'a run' --epochs N" in fastcnn("train", "--out", "a run", "--resume", "auto").stderr
    listed = json.loads(fastcnn("runs", "a run", "--json").stdout)
    assert not listed["is_complete"]


def test_the_first_ctrl_c_is_told_and_the_second_raises_at_once():
    told = []

    def press_twice():
        with stop_on_interrupt(told.append) as stop:
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.asked
            assert "Ctrl-C again aborts" in told[0]
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press_twice()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_while_kernels_are_compiled_is_not_lost(tmp_path):
    process = subprocess.Popen(
        command("warmup"), cwd=tmp_path, env=environment(FASTCNN_CACHE_DIR=str(tmp_path), PYTHONUNBUFFERED="1"),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout.readline().startswith("compiling kernels for lenet")
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors.strip() == "fastcnn: interrupted"  # and not: Exception ignored on calling ctypes callback function
    assert "ready" not in output


def test_ctrl_c_before_training_leaves_one_line_and_no_folder(tmp_path):
    code = """
import os, signal, sys
from fastcnn import datasets
from fastcnn.cli import main
datasets.read = lambda *args: os.kill(os.getpid(), signal.SIGINT)
sys.exit(main(["train", "--out", "run"]))
"""
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=60
    )
    assert result.returncode == 130
    assert result.stderr.strip() == "fastcnn: interrupted"
    assert list(tmp_path.iterdir()) == []
