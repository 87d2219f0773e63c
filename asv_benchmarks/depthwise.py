"""kernels/cpu/depthwise/: the depthwise convolutions of MobileNet v2 and EfficientNet-B0."""

from functools import cache, partial
from types import SimpleNamespace

import numpy as np

from .data import normal, written
from .shapes import BATCHES, CONVOLUTIONS, LAYERS


@cache
def _calls(layer: str) -> SimpleNamespace:
    """Return the three kernels as calls without arguments; each has run once."""
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    s = CONVOLUTIONS[layer]
    g = geometry.conv2d((s.n, s.h, s.w, s.c), s.filters, (s.size, s.size), (s.stride, s.stride), s.padding,
                        groups=s.groups)
    kind, bounds = np.dtype(np.float32), np.array([-np.inf, np.inf], np.float32)
    x, kernel, bias, dy = normal(s.n, s.h, s.w, s.c), normal(*s.kernel_shape), normal(s.c), normal(*s.output_shape)
    calls = SimpleNamespace(
        forward=partial(cpu.depthwise2d_forward, written(*s.output_shape),
                        written(cpu.depthwise2d_forward_scratch(g, kind)), x, kernel, bias, bounds, g),
        backward_input=partial(cpu.depthwise2d_backward_input, written(s.n, s.h, s.w, s.c),
                               written(cpu.depthwise2d_backward_input_scratch(g, kind)), dy, kernel, normal(0),
                               bounds, g),
        backward_weights=partial(cpu.depthwise2d_backward_weights, written(*s.kernel_shape), written(s.c),
                                 written(cpu.depthwise2d_backward_weights_scratch(g, kind)), x, dy, g))
    for call in vars(calls).values():
        call()
    return calls


class Depthwise:
    """Every distinct depthwise convolution of the published networks."""

    params, param_names = [[name for name, layer in LAYERS.items() if layer.depthwise], BATCHES], ["layer", "batch"]
    repeat, timeout = (3, 50, 0.3), 300

    def setup(self, layer, batch):
        self.calls = _calls(f"{layer}.b{batch}")

    def time_forward(self, layer, batch):
        self.calls.forward()

    def time_backward_input(self, layer, batch):
        self.calls.backward_input()

    def time_backward_weights(self, layer, batch):
        self.calls.backward_weights()
