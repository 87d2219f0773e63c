"""``export-onnx``, ``import-onnx``, and ``summary`` of an ONNX file, as a user calls them."""

import numpy as np
import pytest

import fastcnn as fc
from tests.cli.conftest import only_line

onnx = pytest.importorskip("onnx")


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    fc.utils.set_random_seed(1)
    path = tmp_path_factory.mktemp("onnx") / "m.safetensors"
    fc.applications.LeNet5().save(path)
    return path


def test_a_model_goes_to_onnx_and_back(fastcnn, saved, tmp_path):
    there, back = tmp_path / "m.onnx", tmp_path / "again.safetensors"
    result = fastcnn("export-onnx", saved, there)
    assert result.returncode == 0, result.stderr
    assert "(N, 28, 28, 1)" in only_line(result.stdout)
    onnx.checker.check_model(str(there))
    result = fastcnn("import-onnx", there, back)
    assert result.returncode == 0, result.stderr
    assert "61,706 parameters" in only_line(result.stdout)
    x = np.random.default_rng(0).random((2, 28, 28, 1), dtype=np.float32)
    np.testing.assert_allclose(fc.saving.load_model(back).predict(x), fc.saving.load_model(saved).predict(x), atol=1e-6)
    result = fastcnn("summary", there)
    assert result.returncode == 0, result.stderr
    assert "61,706" in result.stdout


@pytest.mark.parametrize(("args", "code", "text"), [
    (["export-onnx", "SAVED", "m.pb"], 2, "ends in .onnx"),
    (["export-onnx", "nothing", "m.onnx"], 2, "nothing there"),
    (["export-onnx", "SAVED", "none/m.onnx"], 3, "make the folder first"),
    (["export-onnx", "SAVED", "m.onnx", "--opset", "7"], 2, "20<=x<=23"),
    (["import-onnx", "SAVED", "m.safetensors"], 5, "ONNX"),
    (["import-onnx", "none.onnx", "m.safetensors"], 5, "none.onnx"),
    (["summary", "SAVED.onnx"], 2, "no run or file"),
])  # fmt: skip
def test_a_mistake_is_one_line_and_leaves_nothing(fastcnn, saved, tmp_path, args, code, text):
    result = fastcnn(*(str(arg).replace("SAVED", str(saved)) for arg in args), cwd=tmp_path)
    assert (result.returncode, list(tmp_path.iterdir())) == (code, [])
    assert text in only_line(result.stderr)


def test_a_file_that_is_there_stays_unless_overwriting_is_allowed(fastcnn, saved, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_text("mine")
    result = fastcnn("export-onnx", saved, path)
    assert (result.returncode, path.read_text()) == (2, "mine")
    assert fastcnn("export-onnx", saved, path, "--overwrite").returncode == 0
