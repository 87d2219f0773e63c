"""The works that peers.py compares, by name, and the goals they are grouped under. Plain Python.

To add a work: a row in `WORKS`. To add a kind: a function of its name in peer_fastcnn*.py and in its peer's files,
which takes what the work is of and returns a `peer_data.Job`. To add a goal: a row in `GOALS`.
"""

from collections.abc import Callable
from math import exp, log
from typing import Any, NamedTuple

from asv_benchmarks.graphs import GRAPHS
from asv_benchmarks.shapes import AVERAGE_POOLS, BATCHES, CLASSES, CONVOLUTIONS, FILES, MAPS, MAX_POOLS, PARAMETERS


class Work(NamedTuple):
    """A row of the table.

    Attributes
    ----------
    name : str
        Dotted; peers.py takes any whole part of it.
    kind : str
        The function of each side that makes the job.
    of : str
        A network or a layer.
    tolerance : float
        By how much results may differ, relative to the largest of the array.
    brief : bool
        One layer, of which there are hundreds: timed for a third of the seconds.
    peer : str
        The other side, of `peer_process.PEERS`.
    """

    name: str
    kind: str
    of: str
    tolerance: float
    brief: bool = True
    peer: str = "torch"


# Sums in another order differ by a few units in the last place, 6e-8, times the root of their length; the gradient of
# the weights sums over all positions of a batch. Winograd's transforms of a 3x3 window at stride 1 are allowed 5e-5.
# Adam divides a gradient by its own size, so that after three steps the differences of the smallest gradients show in
# the loss; batch normalization divides once more.
_FORWARD, _WINOGRAD, _GRADIENTS, _THREE_STEPS = 1e-5, 5e-5, 1e-4, 1e-4
_BFLOAT16 = 2e-2  # 8 significant bits; PyTorch's outputs are rounded to them, too

_BYTES = 5e-2  # a sum at the middle between two bytes goes to either, and so does what comes of it


def _forward_tolerance(layer: str) -> float:
    s = CONVOLUTIONS[layer]
    return _WINOGRAD if (s.size, s.stride, s.groups) == (3, 1, 1) else _FORWARD


def _layer_works() -> list[Work]:
    """Pooling, normalization, ReLU, softmax with loss, Adam; forward is inference, whole is training with gradients."""
    sizes = {"max_pool": MAX_POOLS, "average_pool": AVERAGE_POOLS, "batch_norm": MAPS, "relu": MAPS,
             "softmax_loss": CLASSES}
    works = [Work(f"{kind}.{of}.{part}", f"{kind}_{part}", of, _GRADIENTS if kind == "batch_norm" else _FORWARD)
             for kind, names in sizes.items() for of in names for part in ("forward", "whole")]
    return works + [Work(f"adam.{of}", "adam", of, _FORWARD) for of in PARAMETERS]


#: Networks that see, with the images of a batch.
_SEEING = {"yolo": (4, 16), "unet": (2, 8)}

_ALL = [
    Work("lenet5", "training_step", "lenet5", _THREE_STEPS, brief=False),
    Work("convnet", "training_step", "convnet", _THREE_STEPS, brief=False),
    Work("cifar", "training_step", "cifar", 1e-3, brief=False),
    *(Work(f"{name}.b{n}", f"{name}_step", str(n), 1e-3, brief=False)
      for name, sizes in _SEEING.items() for n in sizes),
    Work("predict", "prediction", "lenet5", _FORWARD, brief=False),
    *(Work(f"onnx.{name}.b{n}", "network_prediction", f"{name}.b{n}", 1e-4, brief=False, peer="onnxruntime")
      for name in GRAPHS for n in BATCHES),
    *(Work(f"openvino.{name}.b{n}", "network_prediction", f"{name}.b{n}", 1e-4, brief=False, peer="openvino")
      for name in GRAPHS for n in BATCHES),
    *(Work(f"backend.{name}", "file_prediction", name, _FORWARD, brief=False, peer="onnxruntime") for name in FILES),
    *(Work(f"forward.{name}", "convolution_forward", name, _forward_tolerance(name)) for name in CONVOLUTIONS),
    *(Work(f"packed.{name}", "convolution_packed", name, _forward_tolerance(name)) for name in CONVOLUTIONS),
    *(Work(f"gradients.{name}", "convolution_gradients", name, _GRADIENTS) for name in CONVOLUTIONS),
    *_layer_works(),
    *(Work(f"bf16.{name}", "bf16_step", name, _BFLOAT16, brief=False) for name in ("lenet5", "convnet", "cifar")),
    *(Work(f"bf16.forward.{name}", "bf16_forward", name, _BFLOAT16) for name in CONVOLUTIONS
      if name.startswith("resnet50.")),
    *(Work(f"int8.{peer}.{name}.b{n}", "quantized_prediction", f"{name}.b{n}", _BYTES, brief=False, peer=peer)
      for peer in ("onnxruntime", "openvino") for name in ("resnet50", "mobilenet_v2") for n in BATCHES),
    *(Work(f"nms.5000.{peer}", "non_max_suppression", "5000", 0.0, peer=peer) for peer in ("onnxruntime", "numpy")),
    *(Work(f"roi_align.256.{peer}", "roi_align", "256", _GRADIENTS, peer=peer) for peer in ("onnxruntime", "numpy")),
]

WORKS = {work.name: work for work in _ALL}

#: Measured beside the works, each in processes of their own: goals' names.
ALONE = ("memory", "peak.resnet50.b1", "peak.resnet50.b8", "start.resnet50.b1", "direct.float32",
         "direct.avx2", "direct.float64")


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
        some = [work for work in _ALL if (goal.holds(work.name) if goal else f".{name}." in f".{work.name}.")]
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
