"""The goals that peers.py holds ratios against, each over works of its own. To add a goal: a row in `GOALS`."""

from collections.abc import Callable
from math import exp, log
from typing import Any, NamedTuple

from asv_benchmarks.comparison.works import ALONE, WORKS, Work
from asv_benchmarks.shapes import CONVOLUTIONS


class Goal(NamedTuple):
    """A row of the table of goals.

    Attributes
    ----------
    name, what : str
        For the command line, and for people.
    mean : float
        What the geometric mean of the works' ratios has to reach.
    holds : function
        Tells whether a work counts, by its name.
    least : float or None
        What every single ratio has to reach.
    """

    name: str
    what: str
    mean: float
    holds: Callable[[str], bool]
    least: float | None = None


def _one(name: str) -> Callable[[str], bool]:
    return lambda work: work == name


def _published(kind: str) -> Callable[[str], bool]:
    return lambda work: work.startswith(f"{kind}.") and work.endswith((".b1", ".b8"))


def _depthwise(kind: str) -> Callable[[str], bool]:
    return lambda work: work.startswith(f"{kind}.") and CONVOLUTIONS[work.partition(".")[2]].depthwise


def _layer(kind: str, part: str) -> Callable[[str], bool]:
    return lambda work: work.startswith(f"{kind}.") and work.endswith(part)


_KINDS = {"max_pool": "max pooling", "average_pool": "average pooling", "batch_norm": "batch normalization",
          "relu": "ReLU", "softmax_loss": "softmax with loss"}

GOALS = {goal.name: goal for goal in (
    Goal("lenet5", "LeNet-5, training step, batch 128, Adam", 4.0, _one("lenet5")),
    Goal("convnet", "Keras's MNIST convnet, training step", 3.0, _one("convnet")),
    Goal("cifar", "CIFAR network of six convolutions, training step", 2.0, _one("cifar")),
    *(Goal(name, f"{what}, training step", 2.0, _layer(name, "")) for name, what in (
        ("yolo", "YOLO of 0.35 million parameters, 288 x 384"), ("unet", "U-Net of 12 filters, 256 x 256"))),
    Goal("forward", "convolution forward, packing inside", 1.3, _published("forward"), 0.8),
    Goal("packed", "convolution forward, packed ahead", 1.3, _published("packed"), 0.8),
    Goal("gradients", "convolution forward with both gradients", 1.3, _published("gradients"), 0.8),
    Goal("winograd", "VGG-16's 3x3 layers, forward, batch 8", 1.6,
         lambda work: work.startswith("forward.vgg16.") and work.endswith(".b8")),
    Goal("depthwise.forward", "depthwise layers, forward", 1.5, _depthwise("forward")),
    Goal("depthwise.gradients", "depthwise layers, forward with gradients", 1.5, _depthwise("gradients")),
    *(Goal(f"{kind}.{part}", f"{what}, {words}", 1.5, _layer(kind, part)) for kind, what in _KINDS.items()
      for part, words in (("forward", "forward"), ("whole", "forward and backward"))),
    Goal("adam", "Adam, one step of all parameters", 1.5, _layer("adam", "")),
    *(Goal(f"bf16.{name}", f"{what}, training step in bf16, where there is a unit", goal, _one(f"bf16.{name}"))
      for name, what, goal in (("lenet5", "LeNet-5", 2.5), ("convnet", "Keras's MNIST convnet", 3.0),
                               ("cifar", "CIFAR network", 1.5))),
    Goal("bf16.forward", "ResNet-50's convolutions forward in bf16, where there is a unit", 1.2,
         _published("bf16.forward")),
    Goal("predict", "LeNet-5, prediction of one image", 3.0, _one("predict")),
    Goal("onnx", "VGG-16, ResNet-50, MobileNet v2 beside onnxruntime", 1.2,
         lambda work: work.startswith("onnx."), 1.0),
    Goal("openvino", "VGG-16, ResNet-50, MobileNet v2 beside OpenVINO in float32", 1.0,
         lambda work: work.startswith("openvino."), 0.9),
    Goal("int8.onnxruntime", "ResNet-50, MobileNet v2 in 8 bits beside onnxruntime", 1.2,
         lambda work: work.startswith("int8.onnxruntime."), 1.2),
    Goal("int8.openvino", "ResNet-50, MobileNet v2 in 8 bits beside OpenVINO", 0.7,
         lambda work: work.startswith("int8.openvino."), 0.7),
    Goal("backend", "ONNX files run by the backend beside onnxruntime", 0.67,
         lambda work: work.startswith("backend."), 0.67),
    Goal("nms", "suppression of 5,000 boxes", 2.0, lambda work: work.startswith("nms."), 2.0),
    Goal("roi_align", "256 regions of a map of 256 channels", 1.5, lambda work: work.startswith("roi_align."), 1.0),
    Goal("memory", "peak memory of training the convnet", 1.5, _one("memory")),
    Goal("peak.resnet50", "peak memory of predicting ResNet-50 beside onnxruntime", 1.0,
         lambda work: work.startswith("peak.resnet50."), 1.0),
    Goal("start.resnet50", "process start to ResNet-50's first prediction", 1.0, _layer("start.resnet50", "")),
    Goal("direct.float32", "direct 3x3 of ResNet-50, batch 8, of the peak", 0.8, _one("direct.float32")),
    Goal("direct.avx2", "the same with AVX2 alone", 0.7, _one("direct.avx2")),
    Goal("direct.float64", "the same in float64", 0.7, _one("direct.float64")),
)}


def select(names: list[str]) -> tuple[list[Work], list[str]]:
    """Return the works that the names stand for, and those of `ALONE`.

    A name is a goal's, which stands for its works, a work's, or a part of one between dots (conv2_2, vgg16, forward).
    No names stand for everything that a goal counts.

    Raises
    ------
    ValueError
        If a name stands for none.
    """
    found: dict[str, Work] = {}
    alone: list[str] = []
    for name in names or list(GOALS):
        goal = GOALS.get(name)
        some = [work for work in WORKS.values() if (goal.holds(work.name) if goal else f".{name}." in f".{work.name}.")]
        others = [one for one in ALONE if f".{name}." in f".{one}."]
        if not some and not others:
            raise ValueError(f"expected a goal's or a work's name or a part of one, got {name!r}; the goals are "
                             f"{', '.join(GOALS)}; --list prints the works")
        found |= {work.name: work for work in some}
        alone += others
    return list(found.values()), list(dict.fromkeys(alone))


def summaries(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a row for each goal of which something was measured: works, mean, least, and whether it is reached.

    Reached is None where a work is missing, or was disturbed by other processes.
    """
    found = []
    for goal in GOALS.values():
        mine = [row for row in rows if goal.holds(row["name"])]
        if not mine:
            continue
        mean = exp(sum(log(row["ratio"]) for row in mine) / len(mine))
        worst = min(mine, key=lambda row: row["ratio"])
        whole = len(mine) == max(1, sum(goal.holds(name) for name in WORKS))
        reached = mean >= goal.mean and (goal.least is None or worst["ratio"] >= goal.least)
        sure = whole and all(row["sure"] for row in mine)
        found.append({"name": goal.name, "what": goal.what, "goal": goal.mean, "least_goal": goal.least, "mean": mean,
                      "least": worst["ratio"], "least_work": worst["name"], "works": len(mine), "whole": whole,
                      "reached": reached if sure else None})
    return found
