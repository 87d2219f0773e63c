"""``fastcnn quantize``, as a user calls it."""

import json
import shutil

import pytest


def test_a_run_is_quantized_evaluated_and_predicts(fastcnn, run, tmp_path):
    result = fastcnn("quantize", run, "--out", "int8.safetensors", "--images", 200, "--table")
    assert result.returncode == 0, result.stderr
    assert "same class of" in result.stdout
    assert "error" in result.stdout
    size, before = (tmp_path / "int8.safetensors").stat().st_size, (run / "model.safetensors").stat().st_size
    assert size < 0.5 * before
    figures, copy = [], shutil.copytree(run, tmp_path / "copy")  # where looks at test images are counted
    for saved in (copy, "int8.safetensors"):
        result = fastcnn("evaluate", saved, "--dataset", "digits", "--json")
        assert result.returncode == 0, result.stderr
        figures.append(json.loads(result.stdout)["accuracy"])
    assert abs(figures[0] - figures[1]) < 0.02


def test_a_run_is_quantized_for_other_runtimes(fastcnn, run, tmp_path):
    onnx = pytest.importorskip("onnx")
    result = fastcnn("quantize", run, "--out", "int8.onnx", "--images", 50, "--method", "minmax")
    assert result.returncode == 0, result.stderr
    assert "QuantizeLinear" in {node.op_type for node in onnx.load(tmp_path / "int8.onnx").graph.node}


@pytest.mark.parametrize(("args", "code", "text"), [
    (["--out", "int8.pb"], 2, "ends in .safetensors or .onnx"), ([], 2, "--out"),
    (["--out", "a.safetensors", "--keep", "nothing"], 2, "nothing"),
    (["--out", "none/a.safetensors"], 3, "make the folder first"),
])
def test_a_mistake_is_one_line_and_leaves_nothing(fastcnn, run, tmp_path, args, code, text):
    result = fastcnn("quantize", run, *args)
    assert result.returncode == code
    assert text in result.stderr
    assert list(tmp_path.iterdir()) == []
