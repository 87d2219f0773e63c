"""``bench``: the machine's peak, and layers beside it and beside PyTorch."""

import importlib.util
import json

import pytest

from tests.cli.conftest import only_line

QUICK = ("--rounds", 1, "--seconds", 0.001, "--batch-size", 4)

@pytest.fixture
def hidden(tmp_path):
    """Return an environment in which a module of a name is not installed."""

    def hide(module):
        folder = tmp_path / "hiding"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(f"import sys\nsys.modules[{module!r}] = None\n")
        return {"PYTHONPATH": f"{folder}:{importlib.util.find_spec('fastcnn').submodule_search_locations[0]}/.."}

    return hide


def test_without_a_model_the_machine_alone_is_measured(fastcnn):
    result = fastcnn("bench")
    assert result.returncode == 0, result.stderr
    assert "float32" in result.stdout
    found = json.loads(fastcnn("bench", "--json").stdout)
    assert found["model"] is None
    machine = found["machine"]
    assert machine["flops"]["float32"] > machine["flops"]["float64"] > 1e8
    assert [level["name"] for level in machine["memory"]] == ["L2", "L3", "memory"]
    assert all(level["bytes_per_second"] > 1e8 for level in machine["memory"])


def test_every_layer_has_its_operations_bytes_and_part_of_the_roofline(fastcnn):
    result = fastcnn("bench", "convnet", *QUICK, "--json")
    assert result.returncode == 0, result.stderr
    model = json.loads(result.stdout)["model"]
    assert (model["name"], model["batch"], model["dtype"]) == ("convnet", 4, "float32")
    assert [layer["class"] for layer in model["layers"]] == [
        "Conv2D", "MaxPooling2D", "Conv2D", "MaxPooling2D", "Flatten", "Dropout", "Dense"]  # fmt: skip
    first, second, flatten = model["layers"][0], model["layers"][2], model["layers"][4]
    products = 2 * 4 * 26 * 26 * 32 * 9
    assert first["forward"]["operations"] == products
    assert first["backward"]["operations"] == products, "nobody needs the gradient of the images"
    assert second["backward"]["operations"] == 2 * second["forward"]["operations"]
    assert first["forward"]["bytes"] == 4 * (4 * 28 * 28 + 4 * 26 * 26 * 32 + 9 * 32 + 32)
    assert flatten["forward"]["bytes"] == 0
    assert flatten["forward"]["roofline"] is None
    for layer in model["layers"]:
        for one in (layer["forward"], layer["backward"]):
            assert one["seconds"] > 0
            assert one["torch_seconds"] is None
            assert one["roofline"] is None or 0 < one["roofline"] < 5, "Winograd multiplies less"
    assert set(model["whole"]) == {"step", "prediction"}


def test_a_network_with_shortcuts_is_timed_layer_by_layer(fastcnn):
    result = fastcnn("bench", "resnet20", *QUICK, "--json")
    assert result.returncode == 0, result.stderr
    layers = {layer["name"]: layer for layer in json.loads(result.stdout)["model"]["layers"]}
    add = layers["conv2_block1_add"]
    assert (add["class"], add["forward"]["operations"]) == ("Add", 0)
    assert add["forward"]["bytes"] == 3 * 4 * 4 * 32 * 32 * 16, "two inputs and an output of floats, four images"
    assert layers["conv3_block1_0_columns"]["forward"]["bytes"] == 0, "a view"
    assert len(layers) == 19 + 19 + 19 + 9 + 2 * 4 + 2, "convolutions, normalizations, ReLUs, sums, halvings, the top"


def test_a_saved_run_is_timed_and_its_roofline_drawn(fastcnn, run, tmp_path):
    result = fastcnn("bench", run, *QUICK, "--plot", "roof.png")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "roof.png").read_bytes().startswith(b"\x89PNG")
    assert "conv2d" in result.stdout
    assert "the whole step" in result.stdout


def test_a_missing_peer_is_told_in_one_sentence(fastcnn, hidden):
    result = fastcnn("bench", "lenet5", "--vs", "torch", **hidden("torch"))
    assert result.returncode == 2
    assert 'pip install "fastcnn[judges]"' in only_line(result.stderr)


def test_a_missing_matplotlib_is_told_before_anything_is_measured(fastcnn, hidden):
    result = fastcnn("bench", "lenet5", "--plot", "roof.png", **hidden("matplotlib"))
    assert result.returncode == 2
    assert 'pip install "fastcnn[plot]"' in only_line(result.stderr)
    assert result.stdout == ""


@pytest.mark.parametrize(("args", "told"), [
    (("lenet6",), "did you mean 'lenet"), (("--vs", "torch"), "expected a model"), (("--plot", "x.png"), "expected a"),
    (("lenet5", "--batch-size", 0), "batch-size"), (("lenet5", "--plot", "roof.nonsense"), "such as .png"),
    (("lenet5", "--plot", "nowhere/roof.png"), "a folder that is there"),
])  # fmt: skip
def test_wrong_usage_is_one_line_and_exit_code_2(fastcnn, args, told):
    result = fastcnn("bench", *args)
    assert result.returncode == 2, result.stderr
    assert told in only_line(result.stderr)
