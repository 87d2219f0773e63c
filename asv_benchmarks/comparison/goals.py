"""The goals that peers.py holds ratios against, each over works of its own. To add a goal: a row in `GOALS`."""

from collections.abc import Callable
from math import exp, log
from typing import Any, NamedTuple

from asv_benchmarks.comparison.works import ALONE, WORKS, Work
from asv_benchmarks.shapes import CONVOLUTIONS, MIXED


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
    counted_as : function
        Names the works that count once, with the peer that is faster.
    one_core : bool
        Whether it is asked of single cores by CPU time, not of all by the clock.
    """

    name: str
    what: str
    mean: float
    holds: Callable[[str], bool]
    least: float | None = None
    counted_as: Callable[[str], str] = str
    one_core: bool = False


def _one(name: str) -> Callable[[str], bool]:
    return lambda work: work == name


def _published(kind: str) -> Callable[[str], bool]:
    return lambda work: work.startswith(f"{kind}.") and work.endswith((".b1", ".b8"))


def _depthwise(kind: str) -> Callable[[str], bool]:
    names = {name for name, s in CONVOLUTIONS.items() if s.depthwise}
    return lambda work: work.startswith(f"{kind}.") and work.partition(".")[2] in names


def _layer(kind: str, part: str) -> Callable[[str], bool]:
    return lambda work: work.startswith(f"{kind}.") and work.endswith(part)


def _predicts(*networks: str) -> Callable[[str], bool]:
    """Works beside onnxruntime or OpenVINO."""
    return lambda work: work.startswith(("onnx.", "openvino.")) and work.split(".")[1] in networks


def _without_peer(work: str) -> str:
    return work.partition(".")[2]


def _eager_or_compiled(name: str) -> Callable[[str], bool]:
    return lambda work: work in (f"bf16.{name}", f"bf16.compiled.{name}")


def _mixed(kind: str) -> Callable[[str], bool]:
    return lambda work: work.startswith(f"{kind}.") and work.removeprefix(f"{kind}.") in MIXED


_KINDS = {"max_pool": "max pooling", "average_pool": "average pooling", "batch_norm": "batch normalization",
          "relu": "ReLU", "softmax_loss": "softmax with loss"}

GOALS = {goal.name: goal for goal in (
    Goal("lenet5", "LeNet-5, training step, batch 128, Adam", 4.0, _one("lenet5")),
    Goal("convnet", "Keras's MNIST convnet, training step", 4.0, _one("convnet")),
    Goal("cifar", "CIFAR network of six convolutions, training step", 2.2, _one("cifar")),
    *(Goal(name, f"{what}, training step", 2.0, _layer(name, "")) for name, what in (
        ("yolo", "YOLO of 0.35 million parameters, 288 x 384"), ("unet", "U-Net of 12 filters, 256 x 256"))),
    *(Goal(f"train.{name}", f"{what}, training step", goal, _layer(f"train.{name}", "")) for name, what, goal in (
        ("resnet50", "ResNet-50, batch 16", 1.5), ("mobilenet_v2", "MobileNet v2, batch 16", 1.6),
        ("unet", "U-Net of 64 filters, 256 x 256, batch 2", 2.0))),
    Goal("mixed.forward", "twelve mixed convolutions, forward", 1.3, _mixed("forward"), 0.9),
    Goal("mixed.gradients", "twelve mixed convolutions with gradients", 1.6, _mixed("gradients"), 1.0),
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
    *(Goal(f"bf16.{name}", f"{what}, training step in bf16", goal, _eager_or_compiled(name),
           counted_as=lambda work: work.replace(".compiled", ""))
      for name, what, goal in (
          ("lenet5", "LeNet-5", 2.5), ("convnet", "Keras's MNIST convnet", 3.0), ("cifar", "CIFAR network", 1.5),
          ("train.resnet50.b16", "ResNet-50", 1.2), ("train.mobilenet_v2.b16", "MobileNet v2", 1.5),
          ("train.unet.b2", "U-Net", 1.2))),
    Goal("bf16.forward", "ResNet-50's convolutions forward in bf16", 1.2, _published("bf16.forward.resnet50")),
    Goal("bf16.mixed", "twelve mixed convolutions forward in bf16", 1.2, _mixed("bf16.forward")),
    Goal("bf16.openvino", "six networks in bf16 beside OpenVINO's default", 0.7, _layer("bf16.openvino", ""), 0.7),
    Goal("bf16.float32", "ResNet-50's predictions in bf16 beside float32", 1.6, _layer("bf16.float32.resnet50", "")),
    Goal("predict", "LeNet-5, prediction of one image", 3.0, _one("predict")),
    Goal("onnx.resnet50", "ResNet-50 beside onnxruntime", 1.15, _layer("onnx.resnet50", ""), 1.15),
    Goal("onnx.mobilenet_v2.b1", "MobileNet v2, one image, beside onnxruntime", 1.15, _one("onnx.mobilenet_v2.b1")),
    Goal("onnx.mobilenet_v2.b8", "MobileNet v2, eight images, beside onnxruntime", 1.4, _one("onnx.mobilenet_v2.b8")),
    *(Goal(name, f"{what}: the faster of two", goal, _predicts(*networks), goal, _without_peer)
      for name, what, goal, networks in (
          ("faster", "Inception, DenseNet, EfficientNet", 1.1, ("inception_v3", "densenet121", "efficientnet_b0")),
          ("faster.unet", "U-Net", 1.6, ("unet",)), ("faster.vgg16", "VGG-16", 1.5, ("vgg16",)))),
    Goal("core.openvino", "ResNet-50, EfficientNet-B0, Inception beside OpenVINO", 1.0,
         lambda work: work in {f"openvino.{name}.b1" for name in ("resnet50", "efficientnet_b0", "inception_v3")}, 1.0,
         one_core=True),
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
    Goal("peak.train.resnet50", "peak memory of training ResNet-50, batch 16", 1.0, _layer("peak.train.resnet50", "")),
    Goal("start.resnet50", "start to ResNet-50's first prediction, PyTorch's", 1.0, _layer("start.resnet50", "")),
    Goal("start.empty.resnet50", "the same with no kernel compiled: 8 s over it", 1.0,
         _layer("start.empty.resnet50", "")),
    Goal("second.resnet50", "ResNet-50's second call: a later one over it", 0.5, _layer("second.resnet50", "")),
    Goal("direct.float32", "direct 3x3 of ResNet-50, batch 8, of the peak", 0.85, _one("direct.float32")),
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


def summaries(rows: list[dict[str, Any]], one_core: bool = False) -> list[dict[str, Any]]:
    """Return a row for each goal of which something was measured: works, mean, least, and whether it is reached.

    Reached is None where a work is missing, was disturbed by other processes, or was measured on one core where the
    goal is not.
    """
    found = []
    for goal in GOALS.values():
        mine = [row for row in rows if goal.holds(row["name"])]
        if not mine or (goal.one_core and not one_core):
            continue
        faster: dict[str, dict[str, Any]] = {}  # where a work has two peers, beside the one that is faster
        for row in sorted(mine, key=lambda row: -row["ratio"]):
            faster[goal.counted_as(row["name"])] = row
        mean = exp(sum(log(row["ratio"]) for row in faster.values()) / len(faster))
        worst = min(faster.values(), key=lambda row: row["ratio"])
        whole = len(mine) == max(1, sum(goal.holds(name) for name in WORKS))
        reached = mean >= goal.mean and (goal.least is None or worst["ratio"] >= goal.least)
        sure = whole and (goal.one_core or all(row["sure"] for row in mine))
        found.append({"name": goal.name, "what": goal.what, "goal": goal.mean, "least_goal": goal.least, "mean": mean,
                      "least": worst["ratio"], "least_work": worst["name"], "works": len(faster), "whole": whole,
                      "reached": reached if sure else None})
    return found
