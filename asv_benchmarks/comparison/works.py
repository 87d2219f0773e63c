"""The works that peers.py compares, by name. Plain Python.

To add a work: a row in `WORKS`. To add a kind: a function of its name in by_fastcnn/ and in its peer's side, which
takes what the work is of and returns a `jobs.Job`.
"""

from typing import NamedTuple

from asv_benchmarks.comparison.published import NETWORKS
from asv_benchmarks.shapes import (
    AVERAGE_POOLS,
    BATCHES,
    CLASSES,
    CONVOLUTIONS,
    FILES,
    MAPS,
    MAX_POOLS,
    MIXED,
    PARAMETERS,
)


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
        The other side, of `sides.PEERS`.
    needs : frozenset of str
        What the machine must have: "bf16", a unit that multiplies such numbers; "compiler", of C++.
    """

    name: str
    kind: str
    of: str
    tolerance: float
    brief: bool = True
    peer: str = "torch"
    needs: frozenset[str] = frozenset()


# Sums in another order differ by a few units in the last place, 6e-8, times the root of their length; the gradient of
# the weights sums over all positions of a batch. Winograd's transforms, of 3x3 and 5x5 windows at stride 1, are allowed
# 5e-5.
# Adam divides a gradient by its own size, so that after three steps the differences of the smallest gradients show in
# the loss; batch normalization divides once more.
_FORWARD, _WINOGRAD, _GRADIENTS, _THREE_STEPS = 1e-5, 5e-5, 1e-4, 1e-4
_BFLOAT16 = 2e-2  # 8 significant bits; PyTorch's outputs are rounded to them, too
_BFLOAT16_NETWORK = 1e-1  # of a hundred layers, one after the other

_BYTES = 5e-2  # a sum at the middle between two bytes goes to either, and so does what comes of it


def _forward_tolerance(layer: str) -> float:
    s = (CONVOLUTIONS | MIXED)[layer]
    return _WINOGRAD if s.size in (3, 5) and (s.stride, s.groups) == (1, 1) else _FORWARD


def _layer_works() -> list[Work]:
    """Pooling, normalization, ReLU, softmax with loss, Adam; forward is inference, whole is training with gradients."""
    sizes = {"max_pool": MAX_POOLS, "average_pool": AVERAGE_POOLS, "batch_norm": MAPS, "relu": MAPS,
             "softmax_loss": CLASSES}
    works = [Work(f"{kind}.{of}.{part}", f"{kind}_{part}", of, _GRADIENTS if kind == "batch_norm" else _FORWARD)
             for kind, names in sizes.items() for of in names for part in ("forward", "whole")]
    return works + [Work(f"adam.{of}", "adam", of, _FORWARD) for of in PARAMETERS]


def _bf16_works() -> list[Work]:
    """Steps beside PyTorch's autocast, eager and compiled; convolutions; predictions beside OpenVINO's; float32."""
    unit, compiler = frozenset({"bf16"}), frozenset({"bf16", "compiler"})
    small = [(name, "step", name) for name in ("lenet5", "convnet", "cifar")]
    large = [(f"train.{of}", "published_step", of) for of in _TRAINED]
    layers = dict.fromkeys([name for name in CONVOLUTIONS if name.startswith("resnet50.")] + list(MIXED))
    return [
        *(Work(f"bf16.{name}", f"bf16_{kind}", of, _BFLOAT16, brief=False, needs=unit)
          for name, kind, of in small + large),
        *(Work(f"bf16.compiled.{name}", f"bf16_compiled_{kind}", of, _BFLOAT16, brief=False, needs=compiler)
          for name, kind, of in small + large),
        *(Work(f"bf16.forward.{name}", "bf16_forward", name, _BFLOAT16, needs=unit) for name in layers),
        *(Work(f"bf16.openvino.{name}.b{n}", "bf16_network_prediction", f"{name}.b{n}", _BFLOAT16_NETWORK, brief=False,
               peer="openvino", needs=unit)
          for name in NETWORKS if name != "vgg16" for n in BATCHES),
        *(Work(f"bf16.float32.resnet50.b{n}", "bf16_network_prediction", f"resnet50.b{n}", _BFLOAT16_NETWORK,
               brief=False, peer="float32", needs=unit) for n in BATCHES),
        *(Work(f"bf16.float32.train.{of}", "bf16_published_step", of, _BFLOAT16, brief=False, peer="float32",
               needs=unit) for of in _TRAINED),
    ]


#: Published networks that are trained, with the images of a batch.
_TRAINED = ("resnet50.b16", "mobilenet_v2.b16", "unet.b2")

#: Networks that see, with the images of a batch.
_SEEING = {"yolo": (4, 16), "unet": (2, 8)}

_ALL = [
    Work("lenet5", "training_step", "lenet5", _THREE_STEPS, brief=False),
    Work("convnet", "training_step", "convnet", _THREE_STEPS, brief=False),
    Work("cifar", "training_step", "cifar", 1e-3, brief=False),
    *(Work(f"{name}.b{n}", f"{name}_step", str(n), 1e-3, brief=False)
      for name, sizes in _SEEING.items() for n in sizes),
    *(Work(f"train.{of}", "published_step", of, 2e-2, brief=False)
      for of in _TRAINED),
    Work("predict", "prediction", "lenet5", _FORWARD, brief=False),
    *(Work(f"onnx.{name}.b{n}", "network_prediction", f"{name}.b{n}", 1e-4, brief=False, peer="onnxruntime")
      for name in NETWORKS for n in BATCHES),
    *(Work(f"openvino.{name}.b{n}", "network_prediction", f"{name}.b{n}", 1e-4, brief=False, peer="openvino")
      for name in NETWORKS for n in BATCHES),
    *(Work(f"backend.{name}", "file_prediction", name, _FORWARD, brief=False, peer="onnxruntime") for name in FILES),
    *(Work(f"forward.{name}", "convolution_forward", name, _forward_tolerance(name))
      for name in CONVOLUTIONS | MIXED),
    *(Work(f"packed.{name}", "convolution_packed", name, _forward_tolerance(name)) for name in CONVOLUTIONS),
    *(Work(f"gradients.{name}", "convolution_gradients", name, _GRADIENTS)
      for name in CONVOLUTIONS | MIXED),
    *_layer_works(),
    *_bf16_works(),
    *(Work(f"int8.{peer}.{name}.b{n}", "quantized_prediction", f"{name}.b{n}", _BYTES, brief=False, peer=peer)
      for peer in ("onnxruntime", "openvino") for name in ("resnet50", "mobilenet_v2") for n in BATCHES),
    *(Work(f"nms.5000.{peer}", "non_max_suppression", "5000", 0.0, peer=peer) for peer in ("onnxruntime", "numpy")),
    *(Work(f"roi_align.256.{peer}", "roi_align", "256", _GRADIENTS, peer=peer) for peer in ("onnxruntime", "numpy")),
]

WORKS = {work.name: work for work in _ALL}

#: Measured beside the works, each in processes of their own: goals' names, and what must be installed.
ALONE: dict[str, tuple[str, ...]] = {
    "memory": ("torch",),
    "peak.resnet50.b1": ("onnxruntime",),
    "peak.resnet50.b8": ("onnxruntime",),
    "peak.train.resnet50.b16": ("torch",),
    "start.resnet50.b1": ("onnxruntime", "torch"),
    "start.empty.resnet50.b1": (),
    "second.resnet50.b1": (),
    "direct.float32": (),
    "direct.avx2": (),
    "direct.float64": (),
}
