"""``export-onnx``, ``import-onnx``, and ``summary`` of an ONNX file, as a user calls them."""

import os

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
    (["import-onnx", "none.onnx", "m.safetensors"], 2, "none.onnx: expected an ONNX file, got nothing there"),
    (["summary", "SAVED.onnx"], 2, "no run or file"),
    (["summary", "SAVED", "--input-shape", "1,2,2"], 2, "expected an .onnx file"),
])  # fmt: skip
def test_a_mistake_is_one_line_and_leaves_nothing(fastcnn, saved, tmp_path, args, code, text):
    places = {"SAVED": saved}
    result = fastcnn(*(str(places.get(arg, arg)).replace("SAVED", str(saved)) for arg in args), cwd=tmp_path)
    assert (result.returncode, list(tmp_path.iterdir())) == (code, [])
    assert text in only_line(result.stderr)


def free_sizes(path):
    """Write a file whose rows and columns are open."""
    value = lambda name, *shape: onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, shape)
    nodes = [onnx.helper.make_node("GlobalAveragePool", ["x"], ["y"])]
    graph = onnx.helper.make_graph(nodes, "g", [value("x", "n", 3, "h", "w")], [value("y", "n", 3, 1, 1)])
    onnx.save(onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8), path)


def test_open_sizes_are_given_and_the_home_folder_is_known(fastcnn, tmp_path):
    free_sizes(tmp_path / "free.onnx")
    home = {"HOME": str(tmp_path)}
    result = fastcnn("import-onnx", "~/free.onnx", "~/m.safetensors", "--input-shape", "3,8,6", **home)
    assert result.returncode == 0, result.stderr
    assert "x (N, 8, 6, 3)" in only_line(result.stdout)
    assert fastcnn("export-onnx", "~/m.safetensors", "~/m.onnx", **home).returncode == 0
    assert sorted(os.listdir(tmp_path)) == ["free.onnx", "m.onnx", "m.safetensors"]
    result = fastcnn("import-onnx", "~/free.onnx", "~/open.safetensors", **home)
    assert result.returncode == 0, result.stderr
    assert "x (N, None, None, 3)" in only_line(result.stdout)  # they may stay open
    result = fastcnn("summary", "~/free.onnx", "--input-shape", "x=3,8,6", **home)
    assert "(N, 8, 6, 3)" in result.stdout, result.stderr


def test_a_file_that_is_there_stays_unless_overwriting_is_allowed(fastcnn, saved, tmp_path):
    path = tmp_path / "m.onnx"
    path.write_text("mine")
    result = fastcnn("export-onnx", saved, path)
    assert (result.returncode, path.read_text()) == (2, "mine")
    assert fastcnn("export-onnx", saved, path, "--overwrite").returncode == 0


def test_a_summary_tells_what_is_fused_and_why_not(fastcnn):
    result = fastcnn("summary", "lenet5", "--fusions", "--batch-size", 64)
    assert result.returncode == 0, result.stderr
    assert "training, in batches of 64\n" in result.stdout
    assert "-> BatchInterleaved (1)\n    conv2d + average_pooling2d + conv2d_1 + average_pooling2d_1\n" in result.stdout
    few = fastcnn("summary", "lenet5", "--fusions", "--batch-size", 1)
    assert "conv2d: the batch has fewer images than a vector has lanes\n" in few.stdout
    assert "in batches of" not in fastcnn("summary", "lenet5").stdout
