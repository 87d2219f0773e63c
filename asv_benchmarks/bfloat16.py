"""kernels/cpu/amx/: convolutions in bfloat16 on tiles, by the machine's unit, or else by plain vector code."""

from functools import cache, partial
from types import SimpleNamespace

import numpy as np

from .data import REPEAT, normal, written
from .shapes import CONVOLUTIONS

_LAYERS = ["resnet50.conv2_2", "resnet50.conv3_2", "resnet50.conv5_5"]


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
