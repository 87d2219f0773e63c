"""kernels/cpu/pooling/max.py and average.py: max and average pooling, forward and backward."""

from functools import cache, partial
from types import SimpleNamespace

from .data import REPEAT, normal, written
from .shapes import AVERAGE_POOLS, MAX_POOLS


@cache
def _max(layer: str) -> SimpleNamespace:
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    s = MAX_POOLS[layer]
    g = geometry.pool2d((s.n, s.h, s.w, s.c), (s.size, s.size), (s.stride, s.stride), s.padding)
    shape = s.n, int(g[0]["oh"]), int(g[0]["ow"]), s.c
    x, argmax = normal(s.n, s.h, s.w, s.c), written(*shape, dtype=cpu.max_pool2d_index_type(g))
    calls = SimpleNamespace(forward=partial(cpu.max_pool2d_forward, written(*shape), argmax, x, g),
                            backward=partial(cpu.max_pool2d_backward, written(*x.shape), normal(*shape), argmax, g))
    calls.forward()
    calls.backward()
    return calls


@cache
def _average(layer: str) -> SimpleNamespace:
    from fastcnn import geometry
    from fastcnn.kernels import cpu

    s = AVERAGE_POOLS[layer]
    g = geometry.pool2d((s.n, s.h, s.w, s.c), (s.size, s.size), (s.stride, s.stride), s.padding)
    shape = s.n, int(g[0]["oh"]), int(g[0]["ow"]), s.c
    x = normal(s.n, s.h, s.w, s.c)
    calls = SimpleNamespace(forward=partial(cpu.average_pool2d_forward, written(*shape), x, g),
                            backward=partial(cpu.average_pool2d_backward, written(*x.shape), normal(*shape), g))
    calls.forward()
    calls.backward()
    return calls


class Max:
    """Max pooling."""

    params, param_names, repeat = [list(MAX_POOLS)], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _max(layer)

    def time_forward(self, layer):
        self.calls.forward()

    def time_backward(self, layer):
        self.calls.backward()


class Average:
    """Average pooling; global pooling is a window of the whole image."""

    params, param_names, repeat = [list(AVERAGE_POOLS)], ["layer"], REPEAT

    def setup(self, layer):
        self.calls = _average(layer)

    def time_forward(self, layer):
        self.calls.forward()

    def time_backward(self, layer):
        self.calls.backward()
