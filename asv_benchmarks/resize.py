"""kernels/cpu/layout/resize.py and padding.py: images twice as large, and images with a border."""

from functools import cache, partial
from types import SimpleNamespace

from .data import REPEAT, normal, written


@cache
def _calls() -> SimpleNamespace:
    from fastcnn.geometry.interpolation import LINEAR, interpolation_taps
    from fastcnn.geometry.resize import pad3d
    from fastcnn.kernels import cpu

    x, larger = normal(8, 56, 56, 64), normal(8, 112, 112, 64)
    there, back = interpolation_taps(56, 112, 2.0, LINEAR, "float32")
    g = pad3d((8, 1, 56, 56, 64), ((0, 0), (1, 1), (1, 1)), "reflect")
    volumes, padded = x.reshape(8, 1, 56, 56, 64), normal(8, 1, 58, 58, 64)
    calls = SimpleNamespace(
        bilinear=partial(cpu.resize2d, written(8, 112, 112, 64), x, *there, *there),
        bilinear_backward=partial(cpu.resize2d, written(8, 56, 56, 64), larger, *back, *back),
        reflect=partial(cpu.pad3d_forward, written(8, 1, 58, 58, 64), volumes, g),
        reflect_backward=partial(cpu.pad3d_backward, written(8, 1, 56, 56, 64), padded, g))
    for call in vars(calls).values():
        call()
    return calls


class Resize:
    """Maps of ResNet-50's second stage, batch 8: to twice their size, and with mirrored edges."""

    repeat = REPEAT

    def setup(self):
        self.calls = _calls()

    def time_bilinear(self):
        self.calls.bilinear()

    def time_bilinear_backward(self):
        self.calls.bilinear_backward()

    def time_reflect(self):
        self.calls.reflect()

    def time_reflect_backward(self):
        self.calls.reflect_backward()
