"""A trained model is never thrown away: whatever fails after training, it is on disk, and a line says where."""

import errno
import os
import shlex
import signal
import subprocess
import sys

import numpy as np
import pytest

from fastcnn import saving
from fastcnn.cli import _safe_saving
from fastcnn.cli._config import Config, read_config, write_config
from fastcnn.cli._console import Output, make_console
from fastcnn.cli._run import new_run
from fastcnn.cli._safe_saving import keep
from fastcnn.errors import ArgumentError
from tests.cli.conftest import command, environment, only_line


@pytest.fixture(scope="module")
def model():
    from fastcnn import Input, Sequential, layers

    made = Sequential([Input((2, 2, 1)), layers.Flatten(), layers.Dense(3)])
    made.compile("sgd", "mse")
    return made


def config(**changes):
    fields = {"dataset": "digits", "model": "mine", "epochs": 1, "batch_size": 1, "optimizer": "sgd", "seed": 0,
              "learning_rate": 0.1, "cool_down": 1.0, "started": "now", "versions": {}}  # fmt: skip
    return Config(**(fields | changes))


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Make the working folder and the home folders of the test, and return both."""
    for name in ("here", "home"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    return tmp_path / "here", tmp_path / "home"


def writer(model, metadata=None):
    """Return what writes a model, and what is known about it where it is wanted."""
    return lambda path, known: saving.save_model(model, path, metadata=metadata or {} if known else {})


def keep_where_it_fails(model, folder, refuses, metadata=None):
    """Train nothing, then keep; `refuses` says for which paths saving fails. Return the error."""
    save = saving.save_model

    def failing(model, path, metadata=None):
        if refuses(path):
            raise OSError(errno.ENOSPC, "No space left on device")
        save(model, path, metadata=metadata)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(saving, "save_model", failing)
        try:
            with new_run(str(folder), "mine", 0) as made:
                write_config(made, config())
                (made / "history.jsonl").write_text("{}\n")
                keep(writer(model, metadata or {"classes": ["cat"]}), config(), made)
        except (OSError, ArgumentError) as error:
            return error
    raise AssertionError("nothing was told")


def test_a_disk_that_is_full_sends_the_whole_run_somewhere_else(model, places, tmp_path):
    here, _ = places
    error = keep_where_it_fails(model, tmp_path / "run", lambda path: path.parent == tmp_path / "run")
    elsewhere = here / "fastcnn-run"
    assert error.errno == errno.ENOSPC
    assert error.__notes__ == [f"the trained model is saved in {elsewhere}"]
    assert sorted(os.listdir(elsewhere)) == ["config.json", "config.toml", "history.jsonl", "model.safetensors"]
    kept = saving.load_model(elsewhere / "model.safetensors")
    assert all(np.array_equal(a, b) for a, b in zip(kept.get_weights(), model.get_weights(), strict=True))
    assert saving.load_metadata(elsewhere / "model.safetensors") == {"classes": ["cat"]}
    assert not (tmp_path / "run").exists()


def test_the_home_is_next_and_what_failed_leaves_nothing(model, places, tmp_path):
    here, home = places
    error = keep_where_it_fails(model, tmp_path / "run", lambda path: home not in path.parents)
    assert error.__notes__ == [f"the trained model is saved in {home / 'fastcnn-run'}"]
    assert list(here.iterdir()) == []


def test_no_room_for_temporary_files_does_not_end_the_search(model, places, tmp_path, monkeypatch):
    def full():
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(_safe_saving.tempfile, "gettempdir", full)
    error = keep_where_it_fails(model, tmp_path / "run", lambda path: places[1] not in path.parents)
    assert error.__notes__ == [f"the trained model is saved in {places[1] / 'fastcnn-run'}"]


def test_a_home_that_is_not_there_is_not_made(model, places, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "nobody"))
    monkeypatch.setattr(_safe_saving.tempfile, "gettempdir", lambda: str(places[1]))
    error = keep_where_it_fails(model, tmp_path / "run", lambda path: places[1] not in path.parents)
    assert error.__notes__ == [f"the trained model is saved in {places[1] / 'fastcnn-run'}"]
    assert not (tmp_path / "nobody").exists()


def test_a_model_that_can_be_saved_nowhere_is_told_with_where_it_was_tried(model, places, tmp_path, monkeypatch):
    monkeypatch.setattr(_safe_saving.tempfile, "gettempdir", lambda: str(tmp_path))
    error = keep_where_it_fails(model, tmp_path / "run", lambda path: True)
    assert error.__notes__ == [f"nor could the trained model be saved in {', '.join(map(str, (*places, tmp_path)))}"]
    assert all(list(place.iterdir()) == [] for place in places)


def test_what_cannot_be_saved_about_a_model_does_not_cost_the_model(model, tmp_path):
    error = keep_where_it_fails(model, tmp_path / "run", lambda path: False, {"classes": ["caf\udce9"]})
    assert "metadata" in str(error)
    assert error.__notes__ == [f"the trained model is saved in {tmp_path / 'run'}, without its classes"]
    assert saving.load_metadata(tmp_path / "run" / "model.safetensors") == {}
    assert (tmp_path / "run" / "config.json").exists()


def test_a_folder_that_is_gone_is_made_again(model, tmp_path):
    keep(writer(model), config(), tmp_path / "gone" / "run")
    assert sorted(os.listdir(tmp_path / "gone" / "run")) == ["config.json", "config.toml", "model.safetensors"]


def test_ctrl_c_while_the_model_is_saved_waits_until_it_is(model, tmp_path, monkeypatch):
    save = saving.save_model

    def pressed(*args, **kwargs):
        os.kill(os.getpid(), signal.SIGINT)
        save(*args, **kwargs)

    monkeypatch.setattr(saving, "save_model", pressed)
    with pytest.raises(KeyboardInterrupt):
        keep(writer(model), config(), tmp_path)
    assert (tmp_path / "model.safetensors").exists()
    assert (tmp_path / "config.json").exists()


def test_paths_that_are_no_utf_8_come_back_the_same(tmp_path):
    paths = {"dataset": "/data/caf\udce9 %", "data_dir": "/ä/\udcff", "source": "/plain%20"}
    write_config(tmp_path, config(**paths))
    (tmp_path / "config.json").read_text(encoding="utf-8")
    found = read_config(tmp_path)
    assert {name: getattr(found, name) for name in paths} == paths


def test_output_that_is_lost_stops_nothing():
    class Closed:
        encoding = "utf-8"

        def isatty(self):
            return False

        def write(self, text):
            raise BrokenPipeError

        def flush(self):
            raise BrokenPipeError

    for stream, is_lost in ((Closed(), True), (None, False)):
        output = Output(stream)
        make_console(output).print("lost")
        assert output.is_lost == is_lost


def test_a_closed_pipe_and_a_fault_in_the_report_leave_the_run_and_say_where(tmp_path):
    process = subprocess.Popen(command("train", "--epochs", 2, "--out", "a run"), cwd=tmp_path, env=environment(),
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # fmt: skip
    process.stdout.close()
    assert only_line(process.stderr.read()).endswith("; the trained model is saved in 'a run'")
    process.stderr.close()
    assert process.wait(60) == 1
    code = """
import sys
from fastcnn.cli import _report, main
def fail(*args): raise MemoryError("no more")
_report.measure = fail
sys.exit(main(["train", "--epochs", "1", "--out", "two"]))
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True,
                            text=True, timeout=100)  # fmt: skip
    assert result.returncode == 1
    assert only_line(result.stderr).endswith("; the trained model is saved in two")
    for folder in ("a run", "two"):
        assert {"config.json", "model.safetensors"} <= set(os.listdir(tmp_path / folder)), shlex.quote(folder)


def test_an_error_in_the_middle_of_training_keeps_what_was_learned(tmp_path):
    code = """
import sys
from fastcnn.cli import _run_callbacks, main
def fail(self, batch, logs):
    if batch == 20: raise MemoryError("no more")
_run_callbacks.StopWhenDiverged.on_train_batch_end = fail
sys.exit(main(["train", "--epochs", "1", "--out", "run"]))
"""
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True,
                            text=True, timeout=100)  # fmt: skip
    assert result.returncode == 1
    assert only_line(result.stderr).endswith("; the trained model is saved in run")
    assert (tmp_path / "run" / "model.safetensors").exists()
