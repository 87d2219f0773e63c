"""The convolutions of published networks on 224 x 224 images, named, each shape once. Plain Python.

A network is a function that walks its architecture; what two layers share (input, filters, window, stride, groups)
belongs to the first that has it, in the order of `NETWORKS`. Strides and channels are those of torchvision, with two
exceptions: GoogLeNet's 5x5 windows are 5x5, as in its paper, and "same" padding is equal on all sides.
"""

from collections.abc import Callable, Iterator
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

    @property
    def depthwise(self) -> bool:
        return self.groups == self.c > 1

    @property
    def output_shape(self) -> tuple[int, int, int, int]:
        oh, ow = ((length + 2 * self.padding - self.size) // self.stride + 1 for length in (self.h, self.w))
        return self.n, oh, ow, self.filters

    @property
    def multiply_adds(self) -> int:
        n, oh, ow, k = self.output_shape
        return n * oh * ow * k * self.size * self.size * (self.c // self.groups)


Layers = Iterator[tuple[str, Convolution]]


def _square(side: int, c: int, filters: int, size: int, stride: int = 1, groups: int = 1) -> Convolution:
    """A window of odd size with as many zeros as keep the image's size at stride 1."""
    return Convolution(1, side, side, c, filters, size, stride, size // 2, groups)


def alexnet() -> Layers:
    """Krizhevsky: One weird trick for parallelizing convolutional neural networks, 2014."""
    yield "conv1", Convolution(1, 224, 224, 3, 64, 11, stride=4, padding=2)
    yield "conv2", _square(27, 64, 192, 5)
    for number, c, filters in ((3, 192, 384), (4, 384, 256), (5, 256, 256)):
        yield f"conv{number}", _square(13, c, filters, 3)


def vgg16() -> Layers:
    """Simonyan, Zisserman: Very deep convolutional networks for large-scale image recognition, 2015, column D."""
    c, side = 3, 224
    for stage, (layers, filters) in enumerate(((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)), 1):
        for number in range(1, layers + 1):
            yield f"conv{stage}_{number}", _square(side, c, filters, 3)
            c = filters
        side //= 2


def resnet50() -> Layers:
    """He, Zhang, Ren, Sun: Deep residual learning for image recognition, 2016; the 3x3 has the stride ("v1.5").

    convS_1, _2, _3 are the first block of stage S, convS_project its short cut, convS_4 to _6 the second block.
    """
    yield "conv1", _square(224, 3, 64, 7, stride=2)
    c, side = 64, 56
    for stage, blocks in ((2, 3), (3, 4), (4, 6), (5, 3)):
        f = 64 << (stage - 2)
        for block in range(blocks):
            stride = 2 if stage > 2 and block == 0 else 1
            yield f"conv{stage}_{3 * block + 1}", _square(side, c, f, 1)
            yield f"conv{stage}_{3 * block + 2}", _square(side, f, f, 3, stride)
            yield f"conv{stage}_{3 * block + 3}", _square(side // stride, f, 4 * f, 1)
            if block == 0:
                yield f"conv{stage}_project", _square(side, c, 4 * f, 1, stride)
            c, side = 4 * f, side // stride


def googlenet() -> Layers:
    """Szegedy et al.: Going deeper with convolutions, 2015, table 1."""
    yield "conv1", _square(224, 3, 64, 7, stride=2)
    yield "conv2_reduce", _square(56, 64, 64, 1)
    yield "conv2", _square(56, 64, 192, 3)
    for name, side, c, one, reduce3, three, reduce5, five, pool in (
            ("3a", 28, 192, 64, 96, 128, 16, 32, 32), ("3b", 28, 256, 128, 128, 192, 32, 96, 64),
            ("4a", 14, 480, 192, 96, 208, 16, 48, 64), ("4b", 14, 512, 160, 112, 224, 24, 64, 64),
            ("4c", 14, 512, 128, 128, 256, 24, 64, 64), ("4d", 14, 512, 112, 144, 288, 32, 64, 64),
            ("4e", 14, 528, 256, 160, 320, 32, 128, 128), ("5a", 7, 832, 256, 160, 320, 32, 128, 128),
            ("5b", 7, 832, 384, 192, 384, 48, 128, 128)):
        for branch, from_, to, size in (("1x1", c, one, 1), ("3x3_reduce", c, reduce3, 1), ("3x3", reduce3, three, 3),
                                        ("5x5_reduce", c, reduce5, 1), ("5x5", reduce5, five, 5), ("pool", c, pool, 1)):
            yield f"inception{name}_{branch}", _square(side, from_, to, size)


def mobilenet_v2() -> Layers:
    """Sandler et al.: MobileNetV2: Inverted residuals and linear bottlenecks, 2018, table 2."""
    yield "conv1", _square(224, 3, 32, 3, stride=2)
    yield from _inverted_residuals(((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 32, 3, 2, 3), (6, 64, 4, 2, 3),
                                    (6, 96, 3, 1, 3), (6, 160, 3, 2, 3), (6, 320, 1, 1, 3)), squeeze=False)
    yield "conv_last", _square(7, 320, 1280, 1)


def efficientnet_b0() -> Layers:
    """Tan, Le: EfficientNet: Rethinking model scaling for convolutional neural networks, 2019, table 1."""
    yield "conv1", _square(224, 3, 32, 3, stride=2)
    yield from _inverted_residuals(((1, 16, 1, 1, 3), (6, 24, 2, 2, 3), (6, 40, 2, 2, 5), (6, 80, 3, 2, 3),
                                    (6, 112, 3, 1, 5), (6, 192, 4, 2, 5), (6, 320, 1, 1, 3)), squeeze=True)
    yield "conv_last", _square(7, 320, 1280, 1)


def _inverted_residuals(stages: tuple[tuple[int, int, int, int, int], ...], squeeze: bool) -> Layers:
    """Blocks of (expansion, filters, blocks, stride of the first, window); squeezing sees an image of one pixel."""
    c, side, number = 32, 112, 0
    for expansion, filters, blocks, first_stride, size in stages:
        for block in range(blocks):
            number += 1
            wide, stride = expansion * c, first_stride if block == 0 else 1
            if expansion > 1:
                yield f"block{number}_expand", _square(side, c, wide, 1)
            yield f"block{number}_depthwise", _square(side, wide, wide, size, stride, groups=wide)
            side //= stride
            if squeeze:
                yield f"block{number}_squeeze", _square(1, wide, c // 4, 1)
                yield f"block{number}_excite", _square(1, c // 4, wide, 1)
            yield f"block{number}_project", _square(side, wide, filters, 1)
            c = filters


NETWORKS: tuple[Callable[[], Layers], ...] = (alexnet, vgg16, resnet50, googlenet, mobilenet_v2, efficientnet_b0)


def distinct_layers() -> dict[str, Convolution]:
    """Return the layers of all networks by name, for one image; of equal ones the first."""
    names: dict[Convolution, str] = {}
    for network in NETWORKS:
        for name, layer in network():
            names.setdefault(layer, f"{network.__name__}.{name}")
    return {name: layer for layer, name in names.items()}
