"""The comparison with others: the shapes it is over, and the goals its works are grouped under."""

import math
import re
from pathlib import Path

import numpy as np
import onnx
import pytest

import fastcnn as fc
from asv_benchmarks import networks
from asv_benchmarks.comparison import channels_first, goals, works
from asv_benchmarks.shapes import LAYERS, PARAMETERS
from fastcnn import layers
from fastcnn.kernels import cpu as _kernels  # noqa: F401  (fills the registry)
from fastcnn.kernels.cpu.compile.policy import registry
from fastcnn.onnx import backend


# Millions of multiply-adds in convolutions for one image of 224 x 224, as published or told by torchvision.
@pytest.mark.parametrize(("network", "millions"), [
    ("alexnet", 656), ("vgg16", 15_347), ("resnet50", 4_087), ("googlenet", 1_582), ("mobilenet_v2", 299),
    ("efficientnet_b0", 385)])  # fmt: skip
def test_the_convolutions_of_a_network_multiply_as_often_as_is_known(network, millions):
    total = sum(layer.multiply_adds for _, layer in getattr(networks, network)())
    assert round(total / 1e6) == pytest.approx(millions, abs=1)


@pytest.mark.parametrize(("network", "count"), [
    ("lenet5", 61_706), ("convnet", 34_826), ("mobilenet_v2", 3_504_872), ("resnet50", 25_557_032)])  # fmt: skip
def test_a_network_has_as_many_parameters_as_is_known(network, count):
    assert sum(map(math.prod, PARAMETERS[network])) == count


def test_every_layer_is_there_once_and_under_the_first_network_that_has_it():
    assert len(set(LAYERS.values())) == len(LAYERS)
    assert LAYERS["resnet50.conv3_2"] == (1, 56, 56, 128, 128, 3, 2, 1, 1)
    assert LAYERS["vgg16.conv3_1"] == (1, 56, 56, 128, 256, 3, 1, 1, 1)
    assert "googlenet.conv1" not in LAYERS, "ResNet-50 has it"
    shapes = {layer for network in networks.NETWORKS for _, layer in network()}
    assert shapes == set(LAYERS.values())


def test_every_kernel_has_a_benchmark_that_names_it():
    text = "".join(path.read_text() for path in Path(networks.__file__).parent.rglob("*.py"))
    ours = [name for name, kernel in registry.items() if kernel.py_func.__module__.startswith("fastcnn.")]
    assert [name for name in ours if not re.search(rf"\b{name.rpartition('.')[2]}\b", text)] == []


def test_every_goal_has_works_and_every_name_finds_some():
    for goal in goals.GOALS.values():
        assert any(map(goal.holds, [*works.WORKS, *works.ALONE])), goal.name
    assert {work.name for work in goals.select(["conv3_2"])[0]} > {"forward.resnet50.conv3_2.b8"}
    assert goals.select(["memory"]) == ([], ["memory"])
    with pytest.raises(ValueError, match="got 'lenet6'"):
        goals.select(["lenet6"])


def row(name, ratio, sure=True):
    return {"name": name, "ratio": ratio, "sure": sure}


def test_a_goal_is_reached_by_its_mean_and_by_its_least():
    names = [name for name in works.WORKS if goals.GOALS["forward"].holds(name)]

    def summary(ratios, sure=True):
        rows = [row(name, ratio, sure) for name, ratio in zip(names, ratios, strict=True)]
        return next(one for one in goals.summaries(rows) if one["name"] == "forward")

    good = [1.4] * len(names)
    assert summary(good)["reached"] is True
    assert summary([0.7, *good[1:]])["reached"] is False
    assert summary([0.7, *good[1:]])["least_work"] == names[0]
    assert summary([1.2] * len(names))["reached"] is False
    assert summary(good, sure=False)["reached"] is None
    (part,) = [one for one in goals.summaries([row(names[0], 2.0)]) if one["name"] == "forward"]
    assert (part["whole"], part["reached"], part["works"]) == (False, None, 1)
    (alone,) = goals.summaries([row("direct.avx2", 0.75)])
    assert (alone["mean"], alone["reached"]) == (0.75, True)


def test_of_two_peers_the_faster_one_counts():
    rows = [row(f"{peer}.unet.b{n}", ratio) for peer, n, ratio in
            (("onnx", 1, 1.5), ("openvino", 1, 1.8), ("onnx", 8, 2.0), ("openvino", 8, 1.7))]  # fmt: skip
    (found,) = [one for one in goals.summaries(rows) if one["name"] == "faster.unet"]
    assert (found["works"], found["least"], found["least_work"]) == (2, 1.5, "onnx.unet.b1")
    assert found["mean"] == pytest.approx((1.5 * 1.7) ** 0.5)
    assert (found["whole"], found["reached"]) == (True, False)
    assert not any(one["whole"] for one in goals.summaries(rows[1:])), "without one of the two nobody knows the faster"


def test_a_goal_of_one_core_is_judged_on_one_core_alone():
    rows = [row(f"openvino.{name}.b1", 1.1, sure=False) for name in ("resnet50", "efficientnet_b0", "inception_v3")]
    assert "core.openvino" not in {one["name"] for one in goals.summaries(rows)}
    (found,) = [one for one in goals.summaries(rows, one_core=True) if one["name"] == "core.openvino"]
    assert found["reached"] is True


def test_a_work_that_needs_a_unit_says_so():
    needs = {name: work.needs for name, work in works.WORKS.items()}
    assert all(("bf16" in needed) == name.startswith("bf16.") for name, needed in needs.items())
    assert needs["bf16.compiled.lenet5"] == {"bf16", "compiler"}


def test_an_exported_network_is_freed_of_detours_and_computes_what_it_did(tmp_path):
    fc.utils.set_random_seed(0)
    x = fc.Input((9, 9, 3))
    y = layers.Rescaling(0.5)(x)
    y = layers.Conv2D(4, 3, strides=2, activation="relu")(layers.ZeroPadding2D(((0, 1), (0, 1)))(y))
    y = layers.MaxPooling2D(2)(layers.ZeroPadding2D(1)(y))
    gate = layers.Conv2D(4, 1, activation="sigmoid")(layers.Reshape((1, 1, 4))(layers.GlobalAveragePooling2D()(y)))
    model = fc.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(layers.Multiply()([y, gate]))))
    fc.onnx.export(model, tmp_path / "model.onnx")
    before = onnx.load(tmp_path / "model.onnx")
    assert {"Pad", "Transpose", "Reshape"} <= {node.op_type for node in before.graph.node}
    after = channels_first.channels_first(before)
    onnx.checker.check_model(after, full_check=True)
    assert not {"Pad", "Transpose", "Reshape"} & {node.op_type for node in after.graph.node}
    images = np.random.default_rng(0).standard_normal((2, 9, 9, 3), dtype=np.float32)
    (found,) = backend.prepare(after).run([images.transpose(0, 3, 1, 2)])
    np.testing.assert_allclose(found, model.predict(images, verbose=0), rtol=1e-5, atol=1e-6)
