"""kernels/cpu/conv/: convolution and dense products, with packing of weights inside."""

from functools import cache, partial
from types import SimpleNamespace

import numpy as np

from .data import REPEAT, normal, written
from .shapes import CONVOLUTIONS, DENSE, SMALL

_LAYERS = ["alexnet.conv1", "alexnet.conv2", "vgg16.conv3_1", "vgg16.conv5_1", "resnet50.conv1", "resnet50.conv2_2",
           "resnet50.conv2_3", "resnet50.conv3_2", "resnet50.conv5_5", "mobilenet_v2.block2_expand"]


def _calls(geometry: np.ndarray) -> SimpleNamespace:
    """Return the three kernels as calls without arguments; each has run once."""
    from fastcnn.kernels import cpu

    n, h, w, c, oh, ow, k, kh, kw, *_, groups = (int(field) for field in geometry[0])
    x, kernel, bias, dy = normal(n, h, w, c), normal(kh, kw, c // groups, k), normal(k), normal(n, oh, ow, k)

    bounds = np.array([-np.inf, np.inf], np.float32)

    def scratch(kernel_name: str) -> np.ndarray:
        return written(getattr(cpu, f"{kernel_name}_scratch")(geometry, np.dtype(np.float32)))

    calls = SimpleNamespace(
        forward=partial(cpu.conv2d_forward, written(n, oh, ow, k),
                        written(cpu.conv2d_forward_packed(geometry, np.dtype(np.float32))), x, kernel, bias, normal(0),
                        bounds, 0, geometry),
        backward_input=partial(cpu.conv2d_backward_input, written(n, h, w, c), scratch("conv2d_backward_input"),
                               written(cpu.conv2d_backward_input_packed(geometry, np.dtype(np.float32))), dy, kernel,
                               normal(0), bounds, 0, geometry),
        backward_weights=partial(cpu.conv2d_backward_weights, written(*kernel.shape), written(k),
                                 scratch("conv2d_backward_weights"), x, dy, geometry))
    for call in vars(calls).values():
        call()
    return calls


@cache
def _convolution(layer: str) -> SimpleNamespace:
    from fastcnn import geometry

    s = CONVOLUTIONS[layer]
    return _calls(geometry.conv2d((s.n, s.h, s.w, s.c), s.filters, (s.size, s.size), (s.stride, s.stride), s.padding,
                                  groups=s.groups))


@cache
def _dense(layer: str) -> SimpleNamespace:
    from fastcnn import geometry

    return _calls(geometry.dense(*DENSE[layer]))


@cache
def _few(filters: int, size: int) -> SimpleNamespace:
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    g = geometry.conv2d((1, 128, 128, 32), filters, (size, size), padding="same")
    back = geometry.conv2d((1, 128, 128, filters), 32, (size, size), padding="same")
    narrow = geometry.conv2d((1, 128, 128, 12), filters, (size, size), padding="same")
    bounds, single, x = np.array([-np.inf, np.inf], np.float32), np.dtype(np.float32), normal(1, 128, 128, 32)
    calls = SimpleNamespace(
        forward=partial(cpu.few_filters_forward, written(1, 128, 128, filters),
                        written(cpu.few_filters_forward_packed(g, single)), x, normal(size, size, 32, filters),
                        normal(filters), normal(0), bounds, 0, g),
        backward_input=partial(cpu.few_filters_backward_input, written(1, 128, 128, filters),
                               written(cpu.few_filters_backward_input_packed(back, single)), x,
                               normal(size, size, filters, 32), normal(0), bounds, 0, back),
        backward_weights=partial(cpu.few_filters_backward_weights, written(size, size, 32, filters), written(filters),
                                 written(cpu.few_filters_backward_weights_scratch(g, single)), x,
                                 normal(1, 128, 128, filters), g),
        narrow_weights=partial(cpu.narrow_backward_weights, written(size, size, 12, filters), written(filters),
                               written(cpu.narrow_backward_weights_scratch(narrow, single)), normal(1, 128, 128, 12),
                               normal(1, 128, 128, filters), narrow))
    for call in vars(calls).values():
        call()
    return calls


class FewFilters:
    """The last layers of networks that give pictures or masks: 1 to 3 filters on 128 x 128 pixels of 32 channels.

    Backwards to the input they are turned round: 1 to 3 channels, 32 filters.
    """

    params, param_names, repeat = [[1, 3], [3, 9]], ["filters", "size"], REPEAT

    def setup(self, filters, size):
        self.calls = _few(filters, size)

    def time_forward(self, filters, size):
        self.calls.forward()

    def time_backward_input(self, filters, size):
        self.calls.backward_input()

    def time_backward_weights(self, filters, size):
        self.calls.backward_weights()

    def time_backward_weights_of_12_channels(self, filters, size):
        self.calls.narrow_weights()


class Small:
    """The convolutions of networks that are trained on a CPU, batch 128."""

    params, param_names, repeat = [list(SMALL)], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _convolution(layer)

    def time_forward(self, layer):
        self.calls.forward()

    def time_backward_input(self, layer):
        self.calls.backward_input()

    def time_backward_weights(self, layer):
        self.calls.backward_weights()


class Convolution:
    """Layers of the published networks, one of each sort; layers.py has all of them, and what kernels they choose."""

    params, param_names, repeat = [_LAYERS], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _convolution(f"{layer}.b8")

    def time_forward(self, layer):
        self.calls.forward()

    def time_backward_input(self, layer):
        self.calls.backward_input()

    def time_backward_weights(self, layer):
        self.calls.backward_weights()


class Dense:
    """Dense layers: the same kernels, a 1x1 convolution of one image."""

    params, param_names, repeat = [list(DENSE)], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _dense(layer)

    def time_forward(self, layer):
        self.calls.forward()

    def time_backward_input(self, layer):
        self.calls.backward_input()

    def time_backward_weights(self, layer):
        self.calls.backward_weights()
