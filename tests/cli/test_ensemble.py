"""``fastcnn evaluate`` of several runs: each alone, all together, as one file, and over views of an image."""

import json

import numpy as np
import pytest

from fastcnn.cli import main
from fastcnn.cli._views import mean_prediction, views
from tests.cli.conftest import only_line


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Return a folder with two runs of one split and a third of another."""
    folder = tmp_path_factory.mktemp("runs")
    for name, seed, model in (("one", 1, "lenet"), ("two", 1, "mlp(hidden_units=[32])"), ("other", 2, "lenet")):
        assert main(["train", "--seed", str(seed), "--model", model, "--epochs", "2", "--quiet", "--out",
                     str(folder / name)]) == 0
    return folder


def evaluated(capsys, *words):
    assert main(["evaluate", *map(str, words)]) == 0
    return capsys.readouterr().out.splitlines()


def test_an_ensemble_is_told_beside_its_members_and_is_the_same_as_one_file(runs, capsys, tmp_path):
    file = tmp_path / "both.safetensors"
    lines = evaluated(capsys, runs / "one", runs / "two", "--part", "dev", "--save", file)
    alone = [line for line in lines if line.startswith("alone")]
    assert len(alone) == 2
    assert all("ms an image" in line for line in alone)
    together = json.loads(evaluated(capsys, runs / "one", runs / "two", "--json")[-1])
    saved = json.loads(evaluated(capsys, file, "--dataset", "digits", "--json")[-1])
    assert saved["accuracy"] == together["accuracy"]
    assert saved["loss"] == pytest.approx(together["loss"], rel=1e-5)  # a mean of probabilities in float32


def test_runs_of_other_parts_are_no_ensemble_on_dev(runs, capsys):
    assert main(["evaluate", str(runs / "one"), str(runs / "other"), "--part", "dev"]) == 2
    assert "expected runs with one split.csv" in only_line(capsys.readouterr().err)
    evaluated(capsys, runs / "one", runs / "other")  # nobody has trained on the test images


def test_what_is_saved_takes_the_pixels_of_the_first(runs, capsys, tmp_path):
    file = tmp_path / "mixed.safetensors"  # other training images have other means
    together = json.loads(evaluated(capsys, runs / "other", runs / "one", "--json", "--save", file)[-1])
    saved = json.loads(evaluated(capsys, file, "--dataset", "digits", "--json")[-1])
    assert saved["accuracy"] == together["accuracy"]
    assert saved["loss"] == pytest.approx(together["loss"], rel=1e-4)


def test_one_run_has_no_ensemble_to_save(runs, capsys):
    assert main(["evaluate", str(runs / "one"), "--save", "x.safetensors"]) == 2
    assert "--save: expected several runs" in only_line(capsys.readouterr().err)


def test_ten_crops_are_the_corners_and_the_middle_and_their_mirror_images():
    x = np.arange(2 * 16 * 16).reshape(2, 16, 16, 1).astype(np.float32)
    found = list(views(x, "10crop"))
    assert len(found) == 10
    assert all(view.shape == x.shape for view in found)
    assert (found[8] == x).all()  # the middle
    assert (found[9] == x[:, :, ::-1]).all()
    assert (found[0][:, 2:, 2:] == x[:, :-2, :-2]).all()  # an eighth of 16 pixels further
    assert (found[6][:, :-2, :-2] == x[:, 2:, 2:]).all()
    assert len({view.tobytes() for view in found}) == 10


def test_the_mean_over_views_does_not_depend_on_how_many_images_are_taken_at_once():
    x = np.random.default_rng(0).normal(size=(5, 8, 8, 1)).astype(np.float32)
    predict = lambda some: some.reshape(len(some), -1)[:, :3]
    one, other = (mean_prediction(predict, x, "mirror", rows) for rows in (2, 1024))
    assert (one == other).all()
    np.testing.assert_allclose(one, (predict(x) + predict(x[:, :, ::-1])) / 2, atol=1e-7)


def test_views_are_averaged_on_the_command_line(runs, capsys):
    words = runs / "one", "--part", "dev", "--json"
    assert evaluated(capsys, *words) != evaluated(capsys, *words, "--tta", "10crop")
