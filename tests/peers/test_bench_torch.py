"""What times fastcnn beside PyTorch, run once: `fastcnn bench --vs torch`, and the table of goals."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import run_in

torch = pytest.importorskip("torch")

pytestmark = pytest.mark.peers

ROOT = Path(__file__).parents[2]
QUICK = ("--rounds", 1, "--seconds", 0.001, "--batch-size", 4)


@pytest.fixture
def fastcnn(tmp_path):
    """Run ``fastcnn ARGS`` in the test's folder."""
    return lambda *args: run_in(tmp_path, *args)


def test_pytorch_is_timed_beside_every_layer_of_lenet5(fastcnn):
    result = fastcnn("bench", "lenet5", *QUICK, "--vs", "torch", "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    assert found["torch"].startswith("PyTorch")
    for layer in found["model"]["layers"]:
        assert layer["forward"]["torch_seconds"] > 0, layer["name"]
        assert layer["backward"]["torch_seconds"] > 0, layer["name"]
    assert all(one["torch_seconds"] > 0 for one in found["model"]["whole"].values())


def test_layers_of_every_common_kind_agree_with_pytorch_before_they_are_timed(fastcnn, tmp_path):
    from fastcnn import Input, Sequential, layers

    model = Sequential([
        Input((12, 12, 3)), layers.ZeroPadding2D(1), layers.Conv2D(8, 3, strides=2, padding="same", activation="relu"),
        layers.BatchNormalization(), layers.ReLU(), layers.Conv2D(8, 3, padding="same", groups=8, use_bias=False),
        layers.DepthwiseConv2D(3, padding="same", depth_multiplier=2),
        layers.Activation("gelu"), layers.AveragePooling2D(2), layers.GlobalAveragePooling2D(), layers.Dropout(0.2),
        layers.Dense(5, activation="tanh"), layers.Reshape((5,))])  # fmt: skip
    model.save(tmp_path / "many.safetensors")
    result = fastcnn("bench", "many.safetensors", *QUICK, "--vs", "torch", "--json")
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)["model"]["layers"]
    kinds = {layer["class"]: layer["forward"]["torch_seconds"] for layer in found}
    assert kinds.pop("Reshape") is None, "PyTorch has no such layer"
    assert all(kinds.values()), kinds


def test_one_run_compares_a_work_of_every_kind():
    names = ["forward.efficientnet_b0.block2_squeeze.b1", "packed.googlenet.inception5a_5x5_reduce.b1",
             "gradients.googlenet.inception5a_5x5.b1", "gradients.mobilenet_v2.block15_depthwise.b1",
             "max_pool.convnet.pool2", "average_pool.lenet5.pool2", "batch_norm.cifar.conv5", "relu.cifar.conv5",
             "softmax_loss.mnist", "adam.lenet5", "lenet5", "cifar", "predict"]  # fmt: skip
    command = [sys.executable, "asv_benchmarks/peers.py", "--one-core", "--rounds", "1", "--seconds", "0.001", "--json"]
    done = subprocess.run([*command, *names], cwd=ROOT, capture_output=True, text=True, timeout=600,
                          env=os.environ | {"PYTHONPATH": str(ROOT)})
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {one["name"].split(".")[0] for one in found["works"]} == {name.split(".")[0] for name in names}
    assert all(one["difference"] <= one["tolerance"] and one["fastcnn"] > 0 for one in found["works"])
    assert {"predict", "adam", "max_pool.whole"} <= {goal["name"] for goal in found["goals"]}
