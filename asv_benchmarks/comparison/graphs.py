"""VGG-16, ResNet-50 and MobileNet v2 as lists of operations, with Keras's names and padding. Plain Python and NumPy.

peers.py builds onnxruntime's side from these; fastcnn's is its own `applications`, whose parameters get the numbers of
the same names. A convolution's zeros are ((top, bottom), (left, right)), as Keras pads: unequal where a stride of 2
meets an even image.
"""

import zlib
from typing import Any, NamedTuple

import numpy as np

Pads = tuple[tuple[int, int], tuple[int, int]]


class Operation(NamedTuple):
    """One node: its kind (an ONNX operator, or Dense), name, the names of its inputs, and what else it takes."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    given: dict[str, Any]


class Network:
    """A list of operations under construction; each method adds one and returns its name.

    Attributes
    ----------
    operations : list of Operation
    channels : dict
        Channels of each result, by name.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.channels = {"image": 3}

    def _add(self, kind: str, name: str, inputs: tuple[str, ...], channels: int, **given: Any) -> str:
        self.operations.append(Operation(kind, name, inputs, given))
        self.channels[name] = channels
        return name

    def conv(self, x: str, name: str, filters: int, size: int, stride: int = 1, pads: Pads = ((0, 0), (0, 0)),
             bias: bool = True, depthwise: bool = False) -> str:
        """A convolution; depthwise with one filter a channel."""
        c = self.channels[x]
        return self._add("Conv", name, (x,), c if depthwise else filters, size=size, stride=stride, pads=pads,
                         bias=bias, groups=c if depthwise else 1, c=c)

    def norm(self, x: str, name: str, epsilon: float) -> str:
        """Batch normalization with moving statistics."""
        return self._add("BatchNormalization", name, (x,), self.channels[x], epsilon=epsilon)

    def relu(self, x: str, name: str, high: float | None = None) -> str:
        """ReLU, or with `high` clipped there."""
        return self._add("Relu" if high is None else "Clip", name, (x,), self.channels[x], high=high)

    def add(self, a: str, b: str, name: str) -> str:
        """The sum of two."""
        return self._add("Add", name, (a, b), self.channels[a])

    def pool(self, x: str, name: str, size: int, stride: int, pads: Pads = ((0, 0), (0, 0))) -> str:
        """Max pooling; what is beside the image does not count."""
        return self._add("MaxPool", name, (x,), self.channels[x], size=size, stride=stride, pads=pads)

    def average(self, x: str, name: str) -> str:
        """The mean of each channel, a vector."""
        return self.flatten(self._add("GlobalAveragePool", name, (x,), self.channels[x]), f"{name}_flat", 1)

    def flatten(self, x: str, name: str, pixels: int) -> str:
        """An image of so many pixels as one vector."""
        return self._add("Flatten", name, (x,), self.channels[x] * pixels, pixels=pixels, c=self.channels[x])

    def dense(self, x: str, name: str, units: int) -> str:
        """A dense layer without its activation."""
        return self._add("Dense", name, (x,), units, c=self.channels[x])

    def softmax(self, x: str, name: str) -> str:
        """Softmax."""
        return self._add("Softmax", name, (x,), self.channels[x])


_AROUND: Pads = ((1, 1), (1, 1))


def vgg16() -> Network:
    """Simonyan, Zisserman, 2015, column D."""
    net, x = Network(), "image"
    for stage, (count, filters) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        for number in range(1, count + 1):
            name = f"block{stage}_conv{number}"
            x = net.relu(net.conv(x, name, filters, 3, pads=_AROUND), f"{name}_relu")
        x = net.pool(x, f"block{stage}_pool", 2, 2)
    x = net.flatten(x, "flatten", 49)
    for name in ("fc1", "fc2"):
        x = net.relu(net.dense(x, name, 4096), f"{name}_relu")
    net.softmax(net.dense(x, "predictions", 1000), "softmax")
    return net


def resnet50() -> Network:
    """He et al., 2015, as Keras has it: the stride in a block's first 1x1, a bias beside each normalization."""
    net, epsilon = Network(), 1.001e-5

    def conv_norm(x: str, name: str, *shape: Any, **given: Any) -> str:
        return net.norm(net.conv(x, f"{name}_conv", *shape, **given), f"{name}_bn", epsilon)

    x = net.relu(conv_norm("image", "conv1", 64, 7, 2, ((3, 3), (3, 3))), "conv1_relu")
    x = net.pool(x, "pool1_pool", 3, 2, _AROUND)
    for stage, (blocks, filters) in enumerate(((3, 64), (4, 128), (6, 256), (3, 512)), 2):
        for number in range(1, blocks + 1):
            name = f"conv{stage}_block{number}"
            stride = 2 if number == 1 and stage > 2 else 1
            short = conv_norm(x, f"{name}_0", 4 * filters, 1, stride) if number == 1 else x
            x = net.relu(conv_norm(x, f"{name}_1", filters, 1, stride), f"{name}_1_relu")
            x = net.relu(conv_norm(x, f"{name}_2", filters, 3, 1, _AROUND), f"{name}_2_relu")
            x = net.add(short, conv_norm(x, f"{name}_3", 4 * filters, 1), f"{name}_add")
            x = net.relu(x, f"{name}_out")
    net.softmax(net.dense(net.average(x, "avg_pool"), "predictions", 1000), "softmax")
    return net


def mobilenet_v2() -> Network:
    """Sandler et al., 2018, table 2, as Keras has it."""
    net, epsilon = Network(), 1e-3
    down: Pads = ((0, 1), (0, 1))

    def normed(x: str, name: str, relu: str | None) -> str:
        x = net.norm(x, name, epsilon)
        return x if relu is None else net.relu(x, relu, 6.0)

    x = normed(net.conv("image", "Conv1", 32, 3, 2, down, bias=False), "bn_Conv1", "Conv1_relu")
    number = 0
    for expansion, filters, blocks, first in ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1),
                                              (6, 160, 3, 2), (6, 320, 1, 1)):
        for block in range(blocks):
            name, before, stride = f"block_{number}_" if number else "expanded_conv_", x, first if block == 0 else 1
            if expansion > 1:
                x = net.conv(x, f"{name}expand", expansion * net.channels[x], 1, bias=False)
                x = normed(x, f"{name}expand_BN", f"{name}expand_relu")
            x = net.conv(x, f"{name}depthwise", 0, 3, stride, _AROUND if stride == 1 else down, bias=False,
                         depthwise=True)
            x = normed(x, f"{name}depthwise_BN", f"{name}depthwise_relu")
            x = normed(net.conv(x, f"{name}project", filters, 1, bias=False), f"{name}project_BN", None)
            if block > 0:
                x = net.add(before, x, f"{name}add")
            number += 1
    x = normed(net.conv(x, "Conv_1", 1280, 1, bias=False), "Conv_1_bn", "out_relu")
    net.softmax(net.dense(net.average(x, "global_average_pooling2d"), "predictions", 1000), "softmax")
    return net


GRAPHS = {"vgg16": vgg16, "resnet50": resnet50, "mobilenet_v2": mobilenet_v2}


def value(layer: str, parameter: str, shape: tuple[int, ...]) -> np.ndarray:
    """Return the numbers of a parameter, in Keras's layout: drawn by its name, and such that no layer's output fades.

    Parameters
    ----------
    layer, parameter : str
        Keras's names: ``conv1_conv`` and ``kernel``, say.
    shape : tuple of int
    """
    draw = np.random.default_rng(zlib.crc32(f"{layer}/{parameter}".encode()))
    if parameter in ("gamma", "moving_variance"):
        return draw.uniform(0.5, 1.0, shape).astype(np.float32)
    if parameter not in ("kernel", "depthwise_kernel"):
        return draw.uniform(-0.1, 0.1, shape).astype(np.float32)
    terms = int(np.prod(shape[:-1] if parameter == "kernel" else shape[:2]))
    scale = 0.1 / terms**0.5 if layer == "predictions" else (2 / terms) ** 0.5
    return draw.standard_normal(shape, dtype=np.float32) * np.float32(scale)


def image(n: int) -> np.ndarray:
    """Return a batch of images (n, 224, 224, 3)."""
    return np.random.default_rng(7).standard_normal((n, 224, 224, 3), dtype=np.float32)
