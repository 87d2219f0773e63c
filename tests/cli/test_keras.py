"""Whole models of Keras on the command line, known by their content."""

import json

import numpy as np
import pytest

from fastcnn import saving
from fastcnn.cli import main
from tests.cli.conftest import only_line
from tests.saving.keras_files import entry, image, sequential, values, write_h5_model

pytest.importorskip("h5py")


@pytest.fixture
def digits(tmp_path):
    """A file, with no suffix, of a model for the digits that knows nothing."""
    kernel, bias = values((64, 10), (10,))
    config = sequential(image(shape=(None, 8, 8, 1)), entry("Flatten", "f"),
                        entry("Dense", "d", units=10, activation="softmax"), name="linear")  # fmt: skip
    training = {"loss": "my_own_loss", "metrics": [], "optimizer_config": {"class_name": "Adam", "config": {}}}
    groups = {"f": {}, "d": {"d/kernel:0": kernel, "d/bias:0": bias}}
    return write_h5_model(tmp_path / "digits", config, groups, training=training)


def test_summary_shows_a_model_of_keras_whatever_its_name(fastcnn, digits):
    result = fastcnn("summary", digits)
    assert result.returncode == 0, result.stderr
    assert "linear" in result.stdout
    assert "parameters  650 trained" in result.stdout


def test_predict_says_what_pixels_it_takes_the_model_for(fastcnn, digits, tmp_path):
    pil = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    pil.fromarray(pixels).save(tmp_path / "d.png")
    found = {}
    for white, note in ((None, "note   digits does not tell what pixels the model takes: 0 to 1 here; --white 255"),
                        (255, None)):  # fmt: skip
        option = () if white is None else ("--white", white)
        result = fastcnn("predict", "digits", "d.png", "--json", "--top", 10, *option)
        assert result.returncode == 0, result.stderr
        assert only_line(result.stderr).startswith(note) if note else not result.stderr
        (one,) = json.loads(result.stdout)
        found[white] = {each["class"]: each["probability"] for each in one["predictions"]}
    (layer,) = [layer for layer in saving.load_model(digits, compile=False).layers if layer.weights]
    kernel, bias = layer.get_weights()
    logits = pixels.reshape(64) / 1.0 @ kernel.astype(float) + bias
    expected = np.exp(logits - logits.max())
    np.testing.assert_allclose([found[255][str(i)] for i in range(10)], expected / expected.sum(), atol=2e-6)
    assert found[None] != found[255]


def test_mean_and_deviation_of_pixels_are_said_where_a_file_does_not_tell_them(digits, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    pil = pytest.importorskip("PIL.Image")
    pixels = np.random.default_rng(0).integers(0, 256, (8, 8), np.uint8)
    pil.fromarray(pixels).save(tmp_path / "d.png")

    def told(*words):
        code = main([*words])
        return code, *capsys.readouterr()

    code, output, errors = told("predict", "digits", "d.png", "--json", "--top", "10", "--mean", "0.5", "--std", "0.25")
    assert (code, errors) == (0, "")
    found = {each["class"]: each["probability"] for each in json.loads(output)[0]["predictions"]}
    kernel, bias = saving.load_model(digits, compile=False).get_weights()
    logits = (pixels.reshape(64) / 255 - 0.5) / 0.25 @ kernel.astype(float) + bias
    expected = np.exp(logits - logits.max())
    np.testing.assert_allclose([found[str(i)] for i in range(10)], expected / expected.sum(), atol=2e-6)
    same = [told("evaluate", "digits", "--dataset", "digits", "--quiet", *words)
            for words in (("--white", "16"), ("--mean", "0", "--std", "0.0625"))]
    assert same[0] == same[1]
    assert same[0][0] == 0
    for words, sentence in ((("--mean", "0.5"), "--mean: expected --std with it"),
                            (("--std", "0.5"), "--std: expected --mean with it"),
                            (("--mean", "0", "--std", "1", "--white", "1"), "--white and --mean exclude one another"),
                            (("--mean", "0,0,0", "--std", "1"), "a number for each of the 1 channels"),
                            (("--mean", "0", "--std", "0"), "expected numbers above 0")):
        for verb in (("predict", "digits", "d.png"), ("evaluate", "digits", "--dataset", "digits")):
            code, _, errors = told(*verb, *words)
            assert (code, sentence in errors) == (2, True), errors


def test_training_goes_on_from_a_model_of_keras_and_its_run_knows_the_pixels(fastcnn, digits):
    result = fastcnn("train", "--from", "digits", "--dataset", "digits", "--epochs", 1, "--white", 16, "--out", "run")
    assert result.returncode == 0, result.stderr
    assert saving.load_metadata(digits.with_name("run") / "model.safetensors")["std"] == [1 / 16]
    evaluated = fastcnn("evaluate", "run", "--part", "dev")
    assert evaluated.stdout.splitlines()[-1] == result.stdout.splitlines()[-1]
    refused = fastcnn("evaluate", "run", "--white", 255)
    assert refused.returncode == 2
    assert "expected no --white, since the file tells what pixels the model takes" in only_line(refused.stderr)


def test_what_is_no_whole_model_and_an_option_without_its_use_are_told(fastcnn, digits):
    path = write_h5_model(digits.with_name("w.weights.h5"), None, {"d": {"d/kernel:0": np.zeros(2)}})
    result = fastcnn("summary", path)
    assert result.returncode == 5
    assert "got weights without the structure of a model" in only_line(result.stderr)
    result = fastcnn("train", "--white", 255)
    assert result.returncode == 2
    assert "--white is for the model of --from" in only_line(result.stderr)
