"""``train --precision``: the policy of the network's layers, recorded, and kept by what is trained on."""

import json
import tomllib

import pytest

import fastcnn as fc
from tests.cli.conftest import only_line

pytest.importorskip("ml_dtypes")


def _policies(run):
    model = fc.saving.load_model(run / "model.safetensors")
    return {layer.dtype_policy.name for layer in model.layers if layer.weights}


def test_a_run_in_bf16_says_so_and_what_is_trained_on_is_in_it_unless_another_is_asked_for(fastcnn, tmp_path):
    short = ("--epochs", 1, "--limit", 64, "--seed", 1, "--quiet")
    first = fastcnn("train", "--precision", "bf16", *short, "--out", "a", "--dropout", 0.2)
    assert first.returncode == 0, first.stderr
    assert json.loads((tmp_path / "a" / "config.json").read_text())["precision"] == "bf16"
    assert tomllib.loads((tmp_path / "a" / "config.toml").read_text())["precision"] == "bf16"
    assert _policies(tmp_path / "a") == {"mixed_bfloat16"}
    for more, name in (((), "mixed_bfloat16"), (("--precision", "float32"), "float32")):
        out = f"b{len(more)}"
        assert fastcnn("train", "--from", "a", *short, "--out", out, *more).returncode == 0
        assert _policies(tmp_path / out) == {name}
    # Of a file alone the layers tell.
    (tmp_path / "a" / "model.safetensors").rename(tmp_path / "alone.safetensors")
    assert fastcnn("train", "--from", "alone.safetensors", "--dataset", "digits", *short, "--out", "c").returncode == 0
    assert _policies(tmp_path / "c") == {"mixed_bfloat16"}
    again = fastcnn("train", "--config", "a/config.toml", "--print-config")
    assert tomllib.loads(again.stdout)["precision"] == "bf16"


def test_a_precision_that_there_is_not_and_a_recipe_without_one_are_refused(fastcnn):
    assert "'float32', 'bf16'" in fastcnn("train", "--precision", "fp8").stderr
    process = fastcnn("train", "--model", "yolo", "--precision", "bf16")
    assert only_line(process.stderr) == (
        "fastcnn: --precision: expected none for yolo, in which no recipe was measured; leave it out")
