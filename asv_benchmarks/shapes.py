"""Shapes by name, as they occur in known networks. Plain Python: both sides of peers.py and asv's discovery read it."""

from collections.abc import Iterable
from typing import NamedTuple

from .networks import Convolution, distinct_layers, mobilenet_v2, resnet50


class Pool(NamedTuple):
    """A 2D pooling of (n, h, w, c)."""

    n: int
    h: int
    w: int
    c: int
    size: int
    stride: int
    padding: int = 0


#: Every distinct convolution of AlexNet, VGG-16, ResNet-50, GoogLeNet, MobileNet v2 and EfficientNet-B0, one image.
LAYERS = distinct_layers()

#: Networks small enough to be trained on a CPU, batch 128.
SMALL = {
    "lenet5.conv1": Convolution(128, 28, 28, 1, 6, 5, padding=2),
    "lenet5.conv2": Convolution(128, 14, 14, 6, 16, 5),
    "convnet.conv1": Convolution(128, 28, 28, 1, 32, 3),
    "convnet.conv2": Convolution(128, 13, 13, 32, 64, 3),
    "cifar.conv1": Convolution(128, 32, 32, 3, 32, 3, padding=1),
    "cifar.conv2": Convolution(128, 32, 32, 32, 32, 3, padding=1),
    "cifar.conv3": Convolution(128, 16, 16, 32, 64, 3, padding=1),
    "cifar.conv4": Convolution(128, 16, 16, 64, 64, 3, padding=1),
    "cifar.conv5": Convolution(128, 8, 8, 64, 128, 3, padding=1),
    "cifar.conv6": Convolution(128, 8, 8, 128, 128, 3, padding=1),
}

BATCHES = (1, 8)

#: Convolutions by name: the small networks' as they are, the others' with their batch, as in vgg16.conv3_1.b8.
CONVOLUTIONS = SMALL | {f"{name}.b{n}": layer._replace(n=n) for name, layer in LAYERS.items() for n in BATCHES}

#: Twelve of all kinds, four of which ``../shared/facts.md`` names: wide and deep, few positions, strides, depthwise.
MIXED = {name: CONVOLUTIONS[name] for name in (
    "cifar.conv3", "alexnet.conv2.b8", "vgg16.conv3_1.b1", "vgg16.conv5_1.b8", "resnet50.conv1.b8",
    "resnet50.conv2_3.b8", "resnet50.conv3_2.b8", "resnet50.conv5_5.b1", "googlenet.inception3a_3x3_reduce.b8",
    "mobilenet_v2.block2_depthwise.b8", "efficientnet_b0.block5_depthwise.b1")} | {
    "inception.naive_5x5": Convolution(8, 28, 28, 192, 32, 5, padding=2)}

#: (rows, inputs, units)
DENSE = {
    "lenet5.dense1": (128, 400, 120),
    "convnet.dense": (128, 1600, 10),
    "resnet50.dense": (8, 2048, 1000),
}

AVERAGE_POOLS = {
    "lenet5.pool1": Pool(128, 28, 28, 6, 2, 2),
    "lenet5.pool2": Pool(128, 10, 10, 16, 2, 2),
    "cifar.global": Pool(128, 8, 8, 128, 8, 1),
    "resnet50.global": Pool(8, 7, 7, 2048, 7, 1),
}

MAX_POOLS = {
    "convnet.pool1": Pool(128, 26, 26, 32, 2, 2),
    "convnet.pool2": Pool(128, 11, 11, 64, 2, 2),
    "cifar.pool1": Pool(128, 32, 32, 32, 2, 2),
    "alexnet.pool1": Pool(8, 55, 55, 64, 3, 2),
    "vgg16.pool1": Pool(8, 224, 224, 64, 2, 2),
    "resnet50.pool1": Pool(8, 112, 112, 64, 3, 2, padding=1),
    "googlenet.pool3a": Pool(8, 28, 28, 192, 3, 1, padding=1),
}

#: (n, h, w, c): what batch normalization and activations see.
MAPS = {
    "lenet5.conv1": (128, 28, 28, 6),
    "cifar.conv1": (128, 32, 32, 32),
    "cifar.conv5": (128, 8, 8, 128),
    "resnet50.conv1": (8, 112, 112, 64),
    "resnet50.conv5_3": (8, 7, 7, 2048),
    "mobilenet_v2.block2_expand": (8, 112, 112, 96),
}

#: (rows, classes)
CLASSES = {"mnist": (128, 10), "imagenet": (128, 1000), "two of each pixel": (2 * 256 * 256, 2)}


def _normalized(layers: Iterable[tuple[str, Convolution]], *dense: tuple[int, ...]) -> list[tuple[int, ...]]:
    """The shapes of convolutions with batch normalization, and of what comes after them."""
    return [shape for _, s in layers for shape in (s.kernel_shape, (s.filters,), (s.filters,))] + list(dense)


#: The shapes of the trained parameters of whole networks.
PARAMETERS: dict[str, list[tuple[int, ...]]] = {
    "lenet5": [(5, 5, 1, 6), (6,), (5, 5, 6, 16), (16,), (400, 120), (120,), (120, 84), (84,), (84, 10), (10,)],
    "convnet": [(3, 3, 1, 32), (32,), (3, 3, 32, 64), (64,), (1600, 10), (10,)],
    "cifar": _normalized(((name, s) for name, s in SMALL.items() if name.startswith("cifar")), (128, 10), (10,)),
    "mobilenet_v2": _normalized(mobilenet_v2(), (1280, 1000), (1000,)),
    "resnet50": _normalized(resnet50(), (2048, 1000), (1000,)),
}

#: ONNX files that the backend runs, and what those of others are called (`onnx_files`).
FILES = {"pp_lcnet": "", "pfld": "", "fastestdet": "fastestdet_coco", "basic_pitch": "basic_pitch"}
