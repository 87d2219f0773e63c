"""kernels/cpu/elementwise/activation.py: element-wise activations, forward and backward."""

from functools import cache, partial
from math import prod
from types import SimpleNamespace

from .data import REPEAT, normal, written
from .shapes import MAPS


@cache
def _calls(name: str, maps: str) -> SimpleNamespace:
    from fastcnn.kernels import codes, cpu

    x, code = normal(prod(MAPS[maps])), getattr(codes, name.upper())
    y = written(x.size)
    calls = SimpleNamespace(forward=partial(cpu.activation_forward, y, x, code, 1.0, 0.0))
    calls.forward()
    saved = x if codes.saves_input(code) else y
    calls.backward = partial(cpu.activation_backward, written(x.size), normal(x.size), saved, code, 1.0, 0.0)
    calls.backward()
    return calls


class Activation:
    """The activations by name, on the first maps of a small and of a large network."""

    params = (("relu", "tanh", "sigmoid", "elu", "silu", "gelu"), ("lenet5.conv1", "resnet50.conv1"))
    param_names, repeat = ("activation", "maps"), REPEAT

    def setup(self, activation, maps):
        self.calls = _calls(activation, maps)

    def time_forward(self, activation, maps):
        self.calls.forward()

    def time_backward(self, activation, maps):
        self.calls.backward()
