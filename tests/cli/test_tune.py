"""``fastcnn tune`` and ``fastcnn runs``: trainings as trials, killed and gone on with; what differs between runs."""

import contextlib
import csv
import io
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from fastcnn.cli import main
from fastcnn.cli._runs import FoundRun
from fastcnn.cli._runs_table import show
from tests.cli.conftest import command, environment, only_line

SPACE = """dataset = "digits"
epochs = 2
limit = 200
seed = 1
[space]
lr = {low = 1e-4, high = 1e-1, scale = "log"}
batch-size = [16, 32]
"""


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Return the folder of a search, and its process."""
    folder = tmp_path_factory.mktemp("searched")
    (folder / "space.toml").write_text(SPACE)
    process = subprocess.run(command("tune", "space.toml", "--trials", 3, "--out", "study"), cwd=folder,
                             env=environment(), capture_output=True, text=True)
    return folder, process


def test_a_search_tells_the_best_trial_and_by_how_much_it_is_better(searched):
    folder, process = searched
    assert process.returncode == 0, process.stderr
    last = process.stdout.splitlines()[-1]
    assert last.startswith("best trial ")
    rows = list(csv.DictReader(io.StringIO((folder / "study" / "trials.csv").read_text())))
    assert [row["is_feasible"] for row in rows] == ["1"] * 3
    assert f"dev {float(rows[0]['score']):.4f}" in last
    assert {row["batch-size"] for row in rows if row["trial"] != "0"} <= {"16", "32"}
    if rows[0]["trial"] != "0":
        assert "McNemar's p" in last


def test_a_search_that_is_over_says_the_same_again_and_trains_nothing(searched):
    folder, process = searched
    before = (folder / "study" / "trials.csv").read_bytes()
    again = subprocess.run(command("tune", "space.toml", "--trials", 3, "--out", "study", "--quiet"), cwd=folder,
                           env=environment(), capture_output=True, text=True)
    assert again.stdout.splitlines() == process.stdout.splitlines()[-1:]
    assert (folder / "study" / "trials.csv").read_bytes() == before


def test_runs_are_listed_the_best_first_with_what_differs(searched, capsys, monkeypatch):
    monkeypatch.chdir(searched[0])
    assert main(["runs", "study", "--json"]) == 0
    entries = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["dev"] for one in entries] == sorted((one["dev"] for one in entries), reverse=True)
    assert main(["runs", "study"]) == 0
    shown = capsys.readouterr().out
    assert "batch-size" in shown
    assert "dataset" not in shown
    assert shown.splitlines()[-1] == "3 runs"
    assert main(["runs", "study", "--where", f"lr={entries[0]['options']['lr']}", "--best", "1"]) == 0
    assert entries[0]["run"] in capsys.readouterr().out
    assert main(["runs", "study/trial-0000", "study/trial-0001", "--compare"]) == 0
    assert capsys.readouterr().out.startswith("dev accuracy of study/trial-0001 beside study/trial-0000: ")


def test_runs_of_many_options_are_read_on_a_narrow_terminal_and_are_a_line_each_in_a_pipe():
    runs = [FoundRun(Path(f"runs/run-{k}"), {"dev": None, "lr": 10.0**-k, "seed": k * 10**9, "batch-size": 32 + k // 3,
                                             "optimizer": "sgd(momentum=0.9, nesterov=True)" if k == 1 else "adam"},
                     "accuracy", 0.9, 2, 3.0, True) for k in range(1, 4)]  # fmt: skip

    def shown(width, is_terminal):
        text = io.StringIO()
        show(Console(file=text, force_terminal=is_terminal, width=width, color_system=None, soft_wrap=True), runs)
        return text.getvalue().splitlines()

    narrow = [" ".join(line.split()) for line in shown(60, True)]
    assert max(map(len, shown(60, True))) <= 60
    assert [line for line in narrow if "run-" in line] == [f"0.9000 2 3 runs/run-{k}" for k in range(1, 4)]
    together = " ".join(narrow)
    assert "run-1 --lr=0.1 --optimizer='sgd(momentum=0.9, nesterov=True)' --seed=1000000000" in together
    assert "run-3 --lr=0.001 --batch-size=33 --seed=3000000000" in together, "what sets a run apart stands below it"
    assert narrow[-1] == "where nothing else is said: --batch-size=32 --optimizer=adam", "said once"
    for lines in (shown(60, False), shown(200, True)):
        assert [line.split() for line in lines if "run-2" in line] == [
            ["runs/run-2", "0.9000", "2", "3", "0.01", "32", "adam", "2000000000"]]


@pytest.mark.parametrize(("text", "told"), [
    ('lrr = [1.0]', "line 3: key: 'lrr' is not known; did you mean 'lr'?"),
    ('lr = [-1.0]', "line 3: lr: expected a finite number above 0, got -1.0"),
    ('epochs = [1, 2]', "expected epochs once, got it beside [space] too"),
    ('seed = [1, 2]', "expected seed to be the same in all trials"),
    ('lr = {low = 2.0, high = 1.0}', "lr: expected low < high"),
    ('', "expected names with ranges or choices, got none"),
])
def test_a_space_that_cannot_be_is_one_line_and_leaves_no_folder(tmp_path, monkeypatch, capsys, text, told):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "space.toml").write_text(f"epochs = 1\n[space]\n{text}\n")
    assert main(["tune", "space.toml"]) == 2
    assert told in only_line(capsys.readouterr().err)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["space.toml"]


def test_what_is_no_run_is_one_line(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for words, told in ((["runs"], "expected a folder of runs, got nothing there"), (["runs", "."], "got none"),
                        (["tune", "none.toml"], "none.toml: expected a file of TOML, got nothing there")):
        assert main(words) == 2
        assert told in only_line(capsys.readouterr().err)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_a_search_killed_twenty_times_ends_with_the_same_table(tmp_path):
    (tmp_path / "space.toml").write_text(SPACE)
    words = command("tune", "space.toml", "--trials", 9, "--quiet", "--out")
    run = lambda out: subprocess.run([*words, out], cwd=tmp_path, env=environment(), capture_output=True, text=True)
    whole = run("whole")
    assert whole.returncode == 0, whole.stderr
    draw, kills = random.Random(1), 0
    while kills < 20:
        process = subprocess.Popen([*words, "study"], cwd=tmp_path, env=environment(), stdout=subprocess.DEVNULL)
        time.sleep(draw.uniform(0.2, 4))
        assert process.poll() is None, f"it was over after {kills} kills"
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        kills += 1
        for child in children if draw.random() < 0.6 else ():  # else it trains on, and the next one waits for it
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), signal.SIGKILL)
    last = run("study")
    assert last.returncode == 0, last.stderr
    tables = [(tmp_path / name / "trials.csv").read_bytes() for name in ("study", "whole")]
    assert tables[0] == tables[1]
    assert last.stdout == whole.stdout
