"""kernels/cpu/amx/ and bf16/: convolutions in bfloat16 on tiles and in pairs, by a unit or by plain code."""

from functools import cache, partial
from types import SimpleNamespace

import numpy as np

from .data import REPEAT, normal, written
from .shapes import CONVOLUTIONS

_LAYERS = ["resnet50.conv2_2.b8", "resnet50.conv3_2.b8", "resnet50.conv5_5.b8"]


@cache
def _calls(layer: str) -> SimpleNamespace:
    """Return the kernels as calls without arguments; each has run once."""
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    s, single = CONVOLUTIONS[layer], np.dtype(np.float32)
    cpu.bfloat16_conv2d_suits(g := geometry.conv2d((s.n, s.h, s.w, s.c), s.filters, (s.size, s.size),
                                                   (s.stride, s.stride), s.padding))  # which takes the unit into use
    n, h, w, c, oh, ow, k, kh, kw, *_ = (int(field) for field in g[0])
    kernel, none, bounds = normal(kh, kw, c, k), normal(0), np.array([-np.inf, np.inf], np.float32)
    calls = SimpleNamespace(
        forward=partial(
            cpu.bfloat16_conv2d_forward, written(n, oh, ow, k), written(cpu.bfloat16_conv2d_forward_scratch(g, single)),
            written(cpu.bfloat16_conv2d_forward_packed(g, single)), normal(n, h, w, c), kernel, none, none, bounds, 0,
            g),
        backward_input=partial(
            cpu.bfloat16_conv2d_backward_input, written(n, h, w, c),
            written(cpu.bfloat16_conv2d_backward_input_scratch(g, single)),
            written(cpu.bfloat16_conv2d_backward_input_packed(g, single)), normal(n, oh, ow, k), kernel, none, bounds,
            0, g),
        backward_weights=partial(
            cpu.bfloat16_conv2d_backward_weights, written(*kernel.shape), written(k),
            written(cpu.bfloat16_conv2d_backward_weights_scratch(g, single)), normal(n, h, w, c), normal(n, oh, ow, k),
            g))
    for call in vars(calls).values():
        call()
    return calls


@cache
def _pairs_calls(layer: str) -> SimpleNamespace:
    """As `_calls`, of the kernels on pairs, whose maps lie in 16 bits."""
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    s, single = CONVOLUTIONS[layer], np.dtype(np.float32)
    g = geometry.conv2d((s.n, s.h, s.w, s.c), s.filters, (s.size, s.size), (s.stride, s.stride), s.padding)
    n, h, w, c, oh, ow, k, kh, kw, *_ = (int(field) for field in g[0])
    kernel, none, bounds = normal(kh, kw, c, k), normal(0), np.array([-np.inf, np.inf], np.float32)
    x, dy = (np.full(shape, 0x3F80, np.uint16) for shape in ((n, h, w, c), (n, oh, ow, k)))  # ones
    of_x, of_dy = g.copy(), g.copy()
    of_x["c"] //= 2
    of_dy["k"] //= 2
    calls = SimpleNamespace(
        forward=partial(
            cpu.pairs_conv2d_forward, dy.copy(), written(cpu.pairs_conv2d_forward_packed(of_x, single)),
            x.view(np.uint32), kernel, none, dy[:0].reshape(-1), bounds, 0, of_x),
        backward_input=partial(
            cpu.pairs_conv2d_backward_input, x.copy(), written(cpu.pairs_conv2d_backward_input_scratch(of_dy, single)),
            written(cpu.pairs_conv2d_backward_input_packed(of_dy, single)), dy.view(np.uint32), kernel, none, bounds, 0,
            of_dy),
        backward_weights=partial(
            cpu.pairs_conv2d_backward_weights, written(*kernel.shape), written(k),
            written(cpu.pairs_conv2d_backward_weights_scratch(g, single)), x, dy, g))
    for call in vars(calls).values():
        call()
    return calls


class Bfloat16:
    """Layers of ResNet-50, with packing of filters inside."""

    params, param_names, repeat = _LAYERS, ("layer",), REPEAT

    def setup(self, layer):
        self.calls = _calls(layer)

    def time_forward(self, layer):
        self.calls.forward()

    def time_backward_input(self, layer):
        self.calls.backward_input()

    def time_backward_weights(self, layer):
        self.calls.backward_weights()


class Bfloat16Pairs(Bfloat16):
    """The same on pairs of numbers in the lanes of vectors."""

    def setup(self, layer):
        self.calls = _pairs_calls(layer)


class Bfloat16Maps:
    """Passes over maps in 16 bits: sums, ReLU's gradient, channels of zeros, products; 6 million numbers."""

    repeat = REPEAT

    def setup(self):
        from fastcnn.kernels import cpu

        self.cpu = cpu
        self.y, self.a, self.b = (np.full(6 << 20, 0x3F80, np.uint16) for _ in range(3))
        self.sums = np.zeros(3 << 20, np.float32)
        self.pixels, self.wider = self.a[:3 << 20].reshape(-1, 3), self.y[:4 << 20].reshape(-1, 4)
        for call in (self.time_sum, self.time_relu_backward, self.time_pixels, self.time_products):
            call()

    def time_sum(self):
        self.cpu.add_bfloat16(self.y, self.a, self.b)

    def time_relu_backward(self):
        self.cpu.relu_backward_bfloat16(self.y, self.a, self.b)

    def time_pixels(self):
        self.cpu.pad_short_pixels(self.wider, self.pixels)

    def time_products(self):
        self.cpu.add_products_of_pairs(self.sums, self.a.view(np.uint32), self.b.view(np.uint32))
