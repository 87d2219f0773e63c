"""``evaluate``, ``predict`` and ``summary`` of what was trained."""

import json
import re
import shutil

import numpy as np
import pytest

from fastcnn import datasets
from tests.cli.conftest import only_line


@pytest.fixture
def picture(tmp_path):
    """Return a picture of a digit, black on white and larger than the model's input, and its label."""
    image = pytest.importorskip("PIL.Image")
    data = datasets.load("digits")
    pixels = 255 - (data.x_test[0, :, :, 0] / 16 * 255).astype(np.uint8)
    path = tmp_path / "digit.png"
    image.fromarray(pixels.repeat(20, 0).repeat(20, 1)).save(path)
    return path, data.classes[data.y_test[0]]


def test_evaluate_agrees_with_the_training_that_made_the_run(fastcnn, trained):
    folder, process = trained
    for saved in (folder, folder / "model.safetensors"):
        result = fastcnn("evaluate", saved, "--part", "dev")
        assert result.returncode == 0, result.stderr
        assert result.stdout.splitlines()[-1] == process.stdout.splitlines()[-1]
        assert re.search(r"^dev loss \d\.\d{4}$", result.stdout, re.M)


def test_a_file_without_its_run_needs_a_data_set(fastcnn, run, tmp_path):
    shutil.copy(run / "model.safetensors", tmp_path / "moved.safetensors")
    result = fastcnn("evaluate", "moved.safetensors")
    assert result.returncode == 2
    assert "expected --dataset" in only_line(result.stderr)
    assert fastcnn("evaluate", "moved.safetensors", "--dataset", "digits").returncode == 0


def test_predict_names_classes_probabilities_and_what_it_did(fastcnn, run, picture):
    path, label = picture
    result = fastcnn("predict", run, path)
    assert result.returncode == 0, result.stderr
    first, second = result.stdout.splitlines()
    assert re.fullmatch(rf"{re.escape(str(path))}   {label} \d+\.\d%(   \d \d+\.\d%){{2}}", first)
    assert "inverted (light background)" in second
    assert "resized to" in second


def test_predict_gives_json_with_as_many_classes_as_asked_for(fastcnn, run, picture):
    path, label = picture
    result = fastcnn("predict", run, path, "--json", "--top", 10)
    (one,) = json.loads(result.stdout)
    assert one["image"] == str(path)
    assert one["predictions"][0]["class"] == label
    assert len(one["predictions"]) == 10
    # Probabilities are rounded to six digits.
    assert sum(each["probability"] for each in one["predictions"]) == pytest.approx(1, abs=1e-5)
    assert any(step.startswith("resized") for step in one["steps"])


def test_one_bad_picture_does_not_stop_the_others_and_ends_with_3(fastcnn, run, picture, tmp_path):
    path, label = picture
    (tmp_path / "bad.png").write_text("no picture")
    result = fastcnn("predict", run, "bad.png", "missing.png", path)
    assert result.returncode == 3
    assert [line.split(":")[1] for line in result.stderr.splitlines()] == [" bad.png", " missing.png"]
    assert f"{path}   {label} " in result.stdout
    as_json = fastcnn("predict", run, "bad.png", path, "--json")
    assert as_json.returncode == 3
    bad, good = json.loads(as_json.stdout)
    assert "expected a picture" in bad["error"]
    assert good["predictions"][0]["class"] == label


def test_predict_without_pillow_says_how_to_install_it(fastcnn, run, tmp_path):
    hidden = tmp_path / "hidden" / "PIL"
    hidden.mkdir(parents=True)
    (hidden / "__init__.py").write_text("raise ImportError('hidden by a test')")
    from tests.cli.conftest import ROOT

    result = fastcnn("predict", run, "digit.png", PYTHONPATH=f"{hidden.parent}:{ROOT}")
    assert result.returncode == 2
    assert 'pip install "fastcnn[image]"' in only_line(result.stderr)


@pytest.mark.parametrize(("name", "parameters"), [("lenet5", "61,706"), ("convnet", "34,826"),
                                                  ("VGG-16", "138,357,544")])
def test_summary_knows_models_by_name(fastcnn, name, parameters):
    result = fastcnn("summary", name)
    assert result.returncode == 0, result.stderr
    assert parameters in result.stdout
    assert re.search(r"^parameters  [\d,]+ trained, 0 others: [\d,]+ bytes of float32$", result.stdout, re.M)
    assert re.search(r"^outputs     [\d,]+ bytes a sample$", result.stdout, re.M)


def test_summary_reads_a_run_and_a_file(fastcnn, run):
    outputs = [fastcnn("summary", saved) for saved in (run, run / "model.safetensors")]
    assert [result.returncode for result in outputs] == [0, 0]
    assert outputs[0].stdout == outputs[1].stdout
    assert "lenet" in outputs[0].stdout
