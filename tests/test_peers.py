"""The comparison with PyTorch: the shapes it is over, and the goals its works are grouped under."""

import math
import re
from pathlib import Path

import pytest

from asv_benchmarks import networks
from asv_benchmarks.comparison import goals, works
from asv_benchmarks.shapes import LAYERS, PARAMETERS
from fastcnn.kernels import cpu as _kernels  # noqa: F401  (fills the registry)
from fastcnn.kernels.cpu.compile.policy import registry


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
