"""Shapes by name, as they occur in known networks. Plain Python: both sides of peers.py and asv's discovery read it."""

from typing import NamedTuple


class Convolution(NamedTuple):
    """A 2D convolution: input (n, h, w, c), `filters` windows of `size` x `size`, zeros on all sides."""

    n: int
    h: int
    w: int
    c: int
    filters: int
    size: int
    stride: int = 1
    padding: int = 0
    groups: int = 1

    @property
    def kernel_shape(self) -> tuple[int, int, int, int]:
        return self.size, self.size, self.c // self.groups, self.filters


class Pool(NamedTuple):
    """A 2D pooling of (n, h, w, c)."""

    n: int
    h: int
    w: int
    c: int
    size: int
    stride: int
    padding: int = 0


#: Batch 128 where a network is small enough to be trained so on a CPU, else 8.
CONVOLUTIONS = {
    "lenet5.conv1": Convolution(128, 28, 28, 1, 6, 5, padding=2),
    "lenet5.conv2": Convolution(128, 14, 14, 6, 16, 5),
    "convnet.conv1": Convolution(128, 28, 28, 1, 32, 3),
    "convnet.conv2": Convolution(128, 13, 13, 32, 64, 3),
    "alexnet.conv2": Convolution(8, 27, 27, 64, 192, 5, padding=2),
    "vgg16.conv3_1": Convolution(8, 56, 56, 128, 256, 3, padding=1),
    "vgg16.conv5_1": Convolution(8, 14, 14, 512, 512, 3, padding=1),
    "resnet50.conv1": Convolution(8, 224, 224, 3, 64, 7, stride=2, padding=3),
    "resnet50.conv2_2": Convolution(8, 56, 56, 64, 64, 3, padding=1),
    "resnet50.conv2_3": Convolution(8, 56, 56, 64, 256, 1),
    "resnet50.conv3_2": Convolution(8, 56, 56, 128, 128, 3, stride=2, padding=1),
    "resnet50.conv5_2": Convolution(8, 7, 7, 512, 512, 3, padding=1),
    "mobilenet_v2.depthwise3": Convolution(8, 56, 56, 144, 144, 3, padding=1, groups=144),
}

#: (rows, inputs, units)
DENSE = {
    "lenet5.dense1": (128, 400, 120),
    "convnet.dense": (128, 1600, 10),
    "resnet50.dense": (8, 2048, 1000),
}

AVERAGE_POOLS = {
    "lenet5.pool1": Pool(128, 28, 28, 6, 2, 2),
    "lenet5.pool2": Pool(128, 10, 10, 16, 2, 2),
    "resnet50.global": Pool(8, 7, 7, 2048, 7, 1),
}

MAX_POOLS = {
    "convnet.pool1": Pool(128, 26, 26, 32, 2, 2),
    "resnet50.pool1": Pool(8, 112, 112, 64, 3, 2, padding=1),
    "googlenet.pool3a": Pool(8, 28, 28, 192, 3, 1, padding=1),
}

#: (rows, channels): what batch normalization and activations see of (N, H, W, C)
MAPS = {
    "lenet5.conv1": (128 * 28 * 28, 6),
    "cifar.conv1": (128 * 32 * 32, 32),
    "resnet50.conv1": (8 * 112 * 112, 64),
    "resnet50.conv5_3": (8 * 7 * 7, 2048),
}

#: (rows, classes)
CLASSES = {"mnist": (128, 10), "imagenet": (128, 1000)}

#: Parameters of whole networks.
PARAMETERS = {"lenet5": 61_706, "convnet": 34_826, "mobilenet_v2": 3_504_872}
