"""``fastcnn train``: what it prints, what it leaves, and that it can be gone on from."""

import json
import os
import re
import subprocess
import time

import numpy as np
import pytest

from fastcnn import datasets
from tests.cli.conftest import command, environment


def accuracy_of(output):
    """Return the number in the last line, which scripts read."""
    return float(re.fullmatch(r"(?:dev|test) accuracy (\d\.\d{4})", output.splitlines()[-1])[1])


def history_of(run):
    return [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]


def test_it_ends_with_a_table_the_place_of_the_run_and_the_accuracy(trained):
    folder, process = trained
    assert process.returncode == 0
    assert process.stderr == ""
    assert accuracy_of(process.stdout) > 0.5
    lines = process.stdout.splitlines()
    assert f"run saved in {folder}" in lines
    head = next(line for line in lines if "precision" in line)
    assert head.split() == ["class", "precision", "recall", "F1", "images"]
    rows = [line.split() for line in lines if re.match(r" \d  ", line)]
    assert [row[0] for row in rows] == list("0123456789")
    assert sum(int(row[-1]) for row in rows) == 359  # a fifth of 1,797


def test_without_a_terminal_it_prints_plain_lines(trained):
    _, process = trained
    assert "\x1b" not in process.stdout
    assert "\r" not in process.stdout
    value = r"\d+\.\d{4}"
    epochs = re.findall(rf"^epoch (\d)/3  loss {value}  accuracy {value}  val_loss {value}  val_accuracy {value}  "
                        r"[\d,]+ images/s$", process.stdout, re.M)  # fmt: skip
    assert epochs == ["1", "2", "3"]


def test_a_run_holds_model_history_and_configuration(run):
    assert sorted(path.name for path in run.iterdir()) == ["config.json", "config.toml", "history.jsonl",
                                                           "model.safetensors", "split.csv"]
    history = history_of(run)
    assert [line["epoch"] for line in history] == [1, 2, 3]
    assert {"loss", "accuracy", "val_loss", "val_accuracy", "seconds", "cpu_seconds", "steps"} <= history[0].keys()
    assert history[2]["loss"] < history[0]["loss"]
    config = json.loads((run / "config.json").read_text())
    assert (config["dataset"], config["model"], config["epochs"], config["seed"]) == ("digits", "lenet", 3, 1)
    assert {"fastcnn", "numpy", "numba", "python"} <= config["versions"].keys()


def test_the_model_knows_classes_scale_ground_and_data_set(run):
    from fastcnn import saving

    known = saving.load_metadata(run / "model.safetensors")
    mean, std = known.pop("mean"), known.pop("std")
    assert known == {
        "dataset": "digits", "classes": list("0123456789"), "scale": 16.0, "background": "dark", "ink_box": 1.0
    }  # fmt: skip
    rows = (run / "split.csv").read_text().splitlines()
    train = [int(re.search(r"x_train\[(\d+)\]", row)[1]) for row in rows if row.startswith("train,")]
    x = datasets.load("digits").x_train[train] / 16
    assert (mean, std) == (pytest.approx([x.mean()]), pytest.approx([x.std()]))


def test_the_same_seed_gives_the_same_file_and_another_seed_another(fastcnn, run, tmp_path):
    for name, seed in (("again", 1), ("other", 2)):
        assert fastcnn("train", "--epochs", 3, "--seed", seed, "--out", name).returncode == 0
    files = [(folder / "model.safetensors").read_bytes() for folder in (run, tmp_path / "again", tmp_path / "other")]
    assert files[0] == files[1]
    assert files[0] != files[2]


def test_a_seed_is_drawn_and_recorded_and_the_folder_is_named_by_time_and_model(fastcnn, tmp_path):
    result = fastcnn("train", "--epochs", 1)
    assert result.returncode == 0
    (folder,) = (tmp_path / "runs").iterdir()
    assert re.fullmatch(r"\d{8}-\d{6}-lenet", folder.name)
    seed = json.loads((folder / "config.json").read_text())["seed"]
    assert f"seed {seed}\n" in result.stdout


def test_from_goes_on_with_the_weights_the_model_and_the_data_of_a_run(fastcnn, run, tmp_path):
    result = fastcnn("train", "--from", run, "--epochs", 1, "--lr", "5e-4", "--out", "on")
    assert result.returncode == 0
    assert history_of(tmp_path / "on")[0]["loss"] < history_of(run)[-1]["loss"] * 1.1
    config = json.loads((tmp_path / "on" / "config.json").read_text())
    assert (config["dataset"], config["model"], config["learning_rate"]) == ("digits", "lenet", 5e-4)
    assert config["from"] == str(run)


def test_own_data_train_with_options_of_every_kind(fastcnn, tmp_path):
    rng = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = np.full((60, 12, 12, 3), 40, np.uint8) + rng.integers(0, 20, (60, 12, 12, 3), dtype=np.uint8)
    x[np.arange(60), :, :, y] += 150
    np.savez(tmp_path / "colours.npz", x=x, y=y, classes=np.array(["red [r]", "green", ":smile:"]))
    result = fastcnn("train", "--dataset", "colours.npz", "--model", "lenet", "--epochs", 4, "--batch-size", 7,
                     "--optimizer", "momentum", "--lr", 0.05, "--out", "mine")  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert "red [r]" in result.stdout
    assert ":smile:" in result.stdout
    assert accuracy_of(result.stdout) == 1
    # The configuration holds the absolute path, so that another folder will do.
    away = fastcnn("evaluate", tmp_path / "mine", cwd="/")
    assert away.returncode == 0, away.stderr
    assert accuracy_of(away.stdout) == 1


def test_on_a_terminal_a_bar_moves_under_the_lines(tmp_path):
    pty = pytest.importorskip("pty")  # not on Windows
    main, side = pty.openpty()
    process = subprocess.Popen(
        command("train", "--epochs", 12, "--out", "run"), cwd=tmp_path, stdout=side, stderr=side, stdin=side,
        env=environment(TERM="xterm-256color", COLUMNS="100"),
    )  # fmt: skip
    os.close(side)
    output = b""
    while True:
        try:
            chunk = os.read(main, 65536)
        except OSError:  # Linux's way to say that the other side is closed
            break
        if not chunk:
            break
        output += chunk
    os.close(main)
    assert process.wait(60) == 0
    text = output.decode()
    assert re.search(r"epoch \d+/12 .*━.* images/s  0:\d\d left", text)
    assert "\x1b[?25h" in text  # the cursor is back
    assert re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text).rstrip().splitlines()[-1].startswith("dev accuracy 0.")


def test_a_history_that_cannot_be_written_costs_a_warning_not_the_run(tmp_path):
    from fastcnn.cli._run_callbacks import HistoryFile

    history = HistoryFile(tmp_path / "missing" / "history.jsonl")
    history.on_epoch_begin(0, {})
    history.on_train_batch_end(0, {})
    with pytest.warns(UserWarning, match=r"history could not be written \(No such file or directory\)"):
        history.on_epoch_end(0, {"loss": 1.0})
    history.on_epoch_end(1, {"loss": 1.0})  # says nothing more
    history.path.parent.mkdir()
    history.on_epoch_end(2, {"loss": 1.0})
    assert history.path.read_text().count('{"epoch":') == 3, "all lines are there once it can be written"


def test_an_epoch_counts_the_cpu_seconds_of_the_processes_that_began_it(tmp_path):
    from fastcnn.cli._run_callbacks import HistoryFile

    def history_that_did_one_batch(state):
        history = HistoryFile(tmp_path / "history.jsonl")
        history.on_epoch_begin(1, {})
        if state is not None:  # as a checkpoint gives it back, once all callbacks have begun
            history.set_state(state)
        begin = time.process_time()
        sum(range(100_000))
        worked = time.process_time() - begin
        history.on_train_batch_end(0, {})
        return history, worked

    first, earlier = history_that_did_one_batch(None)
    second, later = history_that_did_one_batch(first.get_state())
    second.on_epoch_end(1, {})
    line = json.loads((tmp_path / "history.jsonl").read_text())
    assert earlier + later <= line["cpu_seconds"] + 2e-6  # rounded
