"""The commands on folders of pictures as people have them: one treatment for training, evaluation and prediction."""

import json
import os
import re
import signal
import sys
import tomllib

import click
import numpy as np
import pytest

from fastcnn import saving
from fastcnn.cli import _in_memory, _options, main
from tests.cli.conftest import only_line
from tests.cli.test_resume import stopped

Image = pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


@pytest.fixture
def folder(tmp_path):
    """Return a folder of dark and light pictures of 12 bits in several sizes, with a damaged one and names of bytes."""
    rng = np.random.default_rng(0)
    names = (b"caf\xe9", b"plain") if sys.platform == "linux" else (b"first", b"plain")
    for label, name in enumerate(names):
        inside = os.path.join(os.fsencode(tmp_path), b"mine", name)
        os.makedirs(inside)
        for i in range(10):
            pixels = rng.integers(0, 1000, (12 + i, 20), dtype=np.uint16) + 3000 * label
            Image.fromarray(pixels).save(os.fsdecode(os.path.join(inside, b"%d.png" % i)))
    (tmp_path / "mine" / "plain" / "bad.png").write_text("no picture")
    return tmp_path / "mine"


def test_a_run_keeps_how_pictures_were_read_and_all_commands_read_them_so(fastcnn, folder, tmp_path):
    options = ["--size", "16x12", "--fit", "pad", "--skip-damaged", "--model", "lenet", "--epochs", 3]
    result = fastcnn("train", "--dataset=~/mine", "--out=~/run", *options, HOME=str(tmp_path))
    assert result.returncode == 0, result.stderr
    notes = re.findall(r"^note   (.*)$", result.stdout, re.M)
    assert notes[0] == "1 of 21 files skipped, as they cannot be read: plain/bad.png"
    assert re.match(r"all pictures brought to 16x12 \(width x height\)|19 of 20 pictures brought", notes[1])
    assert notes[2] == "pictures of 16 bits scaled by the 12 that they use: white is 4095"
    known = saving.load_metadata(tmp_path / "run" / "model.safetensors")
    assert known["pictures"] == {"fit": "pad", "white": 4095}
    config = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (config["image_size"], config["fit"], config["skip_damaged"]) == ([12, 16], "pad", True)

    again = fastcnn("evaluate", "run", "--part", "dev")
    assert again.returncode == 0, again.stderr
    assert again.stdout.splitlines()[-1] == result.stdout.splitlines()[-1]
    assert [line for line in again.stdout.splitlines() if line.startswith("note ")] == [f"note   {n}" for n in notes]

    path = folder / "plain" / "9.png"
    (one,) = json.loads(fastcnn("predict", "--json", "run", path).stdout)
    assert one["predictions"][0]["class"] == "plain"
    assert one["steps"] == ["resized to 11x12", "padded to 16x12 with black", "12 of 16 bits made 8"]

    refused = fastcnn("train", "--from", "run", "--size", 20, "--out", "on")
    assert refused.returncode == 2
    assert "was trained on pictures of 16x12 (pad)" in only_line(refused.stderr)


@pytest.fixture
def pictures(tmp_path):
    """Return a folder of 48 pictures in colour, of three sizes."""
    draw = np.random.default_rng(1)
    for label, name in enumerate(("cat", "dog")):
        (tmp_path / "mine" / name).mkdir(parents=True)
        for i in range(24):
            pixels = draw.integers(0, 150, (9 + i % 3, 10, 3)).astype("uint8") + np.uint8(90 * label)
            Image.fromarray(pixels).save(tmp_path / "mine" / name / f"{i}.png")
    return tmp_path / "mine"


PLAN = ("--size", 8, "--model", "lenet", "--batch-size", 8, "--seed", 3)


def test_pictures_that_stay_files_train_the_same_bits_also_in_a_run_that_goes_on(fastcnn, pictures, tmp_path):
    whole = ("train", "--dataset", pictures, *PLAN, "--epochs", 60, "--augment", "crop")
    assert fastcnn(*whole, "--out", "arrays").returncode == 0
    code, _, errors = stopped(tmp_path / "files", signal.SIGINT, *whole, "--from-files", "--resume", "auto", "--out")
    assert (code, errors) == (130, "")
    assert not json.loads((tmp_path / "files" / "config.json").read_text())["in_memory"]
    refused = fastcnn("train", "--out", "files", "--resume", "auto", "--in-memory")
    assert refused.returncode == 2
    assert "--in-memory True: expected False, as the run to go on with was begun" in only_line(refused.stderr)
    done = fastcnn("train", "--out", "files", "--resume", "auto")
    assert done.returncode == 0, done.stderr
    models = [(tmp_path / run / "model.safetensors").read_bytes() for run in ("arrays", "files")]
    assert models[0] == models[1]
    settled = [tomllib.loads((tmp_path / run / "config.toml").read_text()) for run in ("arrays", "files")]
    assert settled[1] == {**settled[0], "in-memory": False}


def test_pictures_stay_files_where_there_is_no_memory_for_them_and_a_note_says_so(monkeypatch, pictures, capsys):
    def told(there, *words):
        monkeypatch.setattr(_in_memory, "available_memory", lambda: there)
        assert main([*words]) == 0
        return capsys.readouterr().out

    monkeypatch.chdir(pictures.parent)
    pixels = 48 * 8 * 8 * 3
    note = "note   the pictures stay files, which are decoded when a batch asks for them: 48 of 8x8 would need"
    train = ("train", "--dataset", "mine", *map(str, PLAN), "--epochs", "1")
    assert note in told(6 * pixels - 1, *train, "--out", "run")
    assert note in told(6 * pixels - 1, "evaluate", "run", "--part", "dev")
    changed = "--augment", "mirror"
    for there, more, stay in ((6 * pixels, (), False), (2 * pixels, (), True), (2 * pixels, changed, False),
                              (1, changed, True), (1, ("--in-memory",), False), (None, (), False)):
        assert ("in-memory = false" in told(there, *train, *more, "--print-config")) == stay


def test_options_of_pictures_with_other_data_are_refused(fastcnn):
    for option in (["--size", 8], ["--fit", "crop"], ["--skip-damaged"], ["--from-files"]):
        result = fastcnn("train", *option)
        assert result.returncode == 2
        assert only_line(result.stderr).startswith(f"fastcnn: {option[0]}: expected a folder of pictures")


def test_a_size_is_width_x_height_or_one_number_for_both():
    read = lambda text: _options.Size().convert(text, None, None)
    assert read("64x48") == (48, 64)
    assert read("64X48") == (48, 64)
    assert read("64") == (64, 64)
    for wrong in ("", "x", "64x", "x48", "0x4", "-3", "6.5", "64x48x3"):
        with pytest.raises(click.BadParameter, match="width x height in pixels"):
            read(wrong)


def test_the_home_is_expanded_in_paths_and_names_are_left_alone(monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    assert _options.UserPath().convert("~/x", None, None) == "/home/me/x"
    assert _options.NameOrPath(("mnist",)).convert("~/x", None, None) == "/home/me/x"
    assert _options.NameOrPath(("mnist",)).convert("mnist", None, None) == "mnist"
    assert _options.UserPath().convert("~nobody-of-that-name/x", None, None) == "~nobody-of-that-name/x"


def test_no_command_takes_a_path_without_the_home():
    import importlib

    from fastcnn.cli import COMMANDS

    for name in COMMANDS:
        for parameter in importlib.import_module(f"fastcnn.cli.{name.replace('-', '_')}").command.params:
            is_path = isinstance(parameter.type, click.Path)
            assert not is_path or isinstance(parameter.type, _options.UserPath), f"{name} {parameter.name}"
