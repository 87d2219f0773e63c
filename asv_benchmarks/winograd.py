"""kernels/cpu/winograd/: 3x3 and 5x5 convolutions with stride 1, filters transformed inside, and kept."""

from functools import cache, partial
from types import SimpleNamespace
from typing import Any

import numpy as np

from fastcnn import geometry
from fastcnn.kernels import cpu

from .data import REPEAT, normal, written
from .shapes import LAYERS, SMALL, Convolution

BATCH = 8

#: Every distinct one of the published networks that is wide enough, and those of the small ones.
WIDE = {name: s for name, s in (SMALL | {f"{name}.b{BATCH}": s._replace(n=BATCH) for name, s in LAYERS.items()}).items()
        if s.size in (3, 5) and s.stride == s.groups == 1 and min(s.c, s.filters) >= 16}


@cache
def _calls(layer: str) -> SimpleNamespace:
    """Return the kernels as calls without arguments; each has run once."""
    s: Convolution = WIDE[layer]
    g = geometry.conv2d((s.n, s.h, s.w, s.c), s.filters, (s.size, s.size), padding=s.padding)
    oh, ow = int(g[0]["oh"]), int(g[0]["ow"])
    x, dy = normal(s.n, s.h, s.w, s.c), normal(s.n, oh, ow, s.filters)
    kernel, bias = normal(*s.kernel_shape), normal(s.filters)

    bounds = np.array([-np.inf, np.inf], np.float32)

    def memory(name: str, *kinds: str) -> list[np.ndarray]:
        return [written(getattr(cpu, f"winograd_{name}_{kind}")(g, np.dtype(np.float32))) for kind in kinds]

    def once(name: str) -> np.ndarray:
        return written(getattr(cpu, f"winograd_{name}_packed")(g, np.dtype(np.float32), False))

    y, scratch, packed = written(*dy.shape), *memory("forward", "scratch", "packed")
    cpu.winograd_forward(y, scratch, packed, x, kernel, bias, normal(0), bounds, 0, g)
    calls = SimpleNamespace(
        forward=partial(cpu.winograd_forward, y, scratch, once("forward"), x, kernel, bias, normal(0), bounds, 0, g),
        forward_packed=partial(cpu.winograd_forward, y, scratch, packed, x, kernel, bias, normal(0), bounds, 1, g),
        backward_input=partial(cpu.winograd_backward_input, written(*x.shape), *memory("backward_input", "scratch"),
                               once("backward_input"), dy, kernel, normal(0), bounds, 0, g),
        backward_weights=partial(cpu.winograd_backward_weights, written(*kernel.shape), written(s.filters),
                                 *memory("backward_weights", "scratch"), x, dy, g),
        **_joined(s, x, dy, kernel, bias, bounds, g))
    for call in vars(calls).values():
        call()
    return calls


def _joined(s: Any, x: Any, dy: Any, kernel: Any, bias: Any, bounds: Any, g: Any) -> dict[str, Any]:
    """Return the calls of the kernels of two images side by side, each with half of the channels."""
    halves = [np.ascontiguousarray(half) for half in np.split(x, [s.c // 2], 3)]
    one = np.dtype(np.float32)
    return {
        "joined_forward": partial(cpu.joined_winograd_forward, written(*dy.shape),
                                  written(cpu.joined_winograd_forward_scratch(g, one)), *halves, kernel, bias, bounds,
                                  g),
        "joined_backward_input": partial(cpu.joined_winograd_backward_input, *(written(*half.shape) for half in halves),
                                         written(cpu.joined_winograd_backward_input_scratch(g, one)), dy, kernel,
                                         bounds, g),
        "joined_backward_weights": partial(cpu.joined_winograd_backward_weights, written(*kernel.shape),
                                           written(s.filters), written(cpu.winograd_backward_weights_scratch(g, one)),
                                           *halves, dy, g),
    }


class Winograd:
    """The 3x3 and 5x5 convolutions of known networks."""

    params, param_names, repeat = [list(WIDE)], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _calls(layer)

    def time_forward(self, layer):
        self.calls.forward()

    def time_forward_packed(self, layer):
        self.calls.forward_packed()

    def time_backward_input(self, layer):
        self.calls.backward_input()

    def time_backward_weights(self, layer):
        self.calls.backward_weights()

    def time_joined_forward(self, layer):
        self.calls.joined_forward()

    def time_joined_backward_input(self, layer):
        self.calls.joined_backward_input()

    def time_joined_backward_weights(self, layer):
        self.calls.joined_backward_weights()
