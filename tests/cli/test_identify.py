"""``fastcnn identify``: a name and a distance, or "not recognized"; and what it refuses in a line."""

import json

import numpy as np
import pytest

import fastcnn as fc
from fastcnn import layers
from fastcnn.datasets.rgb import read_rgb, write_picture
from fastcnn.vision import identity
from tests.cli.conftest import only_line

pytest.importorskip("PIL.Image", reason="needs the extra fastcnn[image]")


def _write(path, value, height=6, width=6):
    path.parent.mkdir(parents=True, exist_ok=True)
    write_picture(path, np.full((height, width, 3), value, np.uint8))


@pytest.fixture
def known(tmp_path):
    """Write a recognizer of grey pictures, two known persons, and two new pictures."""
    model = fc.Sequential([fc.Input((2, 2, 1)), layers.Rescaling(1 / 255), layers.Flatten()])
    identity.Recognizer(model, 0.5).save(tmp_path / "greys.safetensors")
    for name, value in (("known/ann/1.png", 250), ("known/ann/2.png", 240), ("known/bob_1.jpg", 10)):
        _write(tmp_path / name, value)
    _write(tmp_path / "white.png", 255, 40, 90)
    _write(tmp_path / "grey.png", 128)
    return tmp_path


def test_a_name_and_a_distance_or_not_recognized_stand_in_a_line_for_each_picture(fastcnn, known):
    result = fastcnn("identify", "greys.safetensors", "--gallery", "known", "white.png", "grey.png")
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines() == [
        "white.png   ann   distance 0.0015", "grey.png   not recognized   distance 0.7716 to ann"]
    assert only_line(result.stderr) == "2 persons known by 3 pictures; recognized up to a distance of 0.5"


def test_json_and_a_threshold_and_a_picture_of_the_answers(fastcnn, known):
    result = fastcnn("identify", "greys.safetensors", "--gallery", "known", "grey.png", "--threshold", 0.8, "--json",
                     "--out", "answers.png")
    assert (result.returncode, result.stderr) == (0, "")
    assert json.loads(result.stdout) == [{"image": "grey.png", "name": "ann", "recognized": True, "nearest": "ann",
                                          "distance": pytest.approx(0.7716, abs=1e-4), "threshold": 0.8}]
    assert read_rgb(known / "answers.png").shape == (148, 240, 3)


def test_a_picture_that_cannot_be_read_does_not_stop_the_others(fastcnn, known):
    (known / "broken.png").write_bytes((known / "white.png").read_bytes()[:40])
    result = fastcnn("identify", "greys.safetensors", "--gallery", "known", "broken.png", "white.png", "--json")
    assert result.returncode == 3
    broken, white = json.loads(result.stdout)
    assert "broken.png" in broken["error"]
    assert white["name"] == "ann"
    result = fastcnn("identify", "greys.safetensors", "--gallery", "known", "broken.png", "--out", "answers.png")
    assert (result.returncode, result.stdout) == (3, "")
    assert not (known / "answers.png").exists()


def test_what_cannot_be_is_told_in_a_line(fastcnn, known, run):
    (known / "empty").mkdir()
    (known / "torn").mkdir()
    (known / "torn" / "eve.png").write_bytes(b"no picture")
    for args, code, told in (
            (("greys.safetensors", "white.png"), 2, "--gallery"),
            (("greys.safetensors", "white.png", "--gallery", "nowhere"), 3, "got nothing there"),
            (("greys.safetensors", "white.png", "--gallery", "empty"), 3, "a folder for each person"),
            (("greys.safetensors", "white.png", "--gallery", "torn"), 3, "eve.png"),
            (("nothing", "white.png", "--gallery", "known"), 2, "got nothing there"),
            ((run, "white.png", "--gallery", "known"), 3, "train --model siamese"),
            (("greys.safetensors", "white.png", "--gallery", "known", "--threshold", "-1"), 2, "number from 0"),
            (("greys.safetensors", "white.png", "--gallery", "known", "--out", "a.txt"), 2, "a picture's name"),
            (("greys.safetensors", "white.png", "--gallery", "known", "--out", "no/a.png"), 2, "make the folder")):
        result = fastcnn("identify", *args)
        assert (result.returncode, result.stdout) == (code, ""), args
        assert told in only_line(result.stderr)
