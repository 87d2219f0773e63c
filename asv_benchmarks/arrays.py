"""kernels/cpu/layout/arrays.py: the batch that training gathers, sums, zero padding."""

from functools import cache, partial
from types import SimpleNamespace

import numpy as np

from .data import REPEAT, normal, written


@cache
def _calls() -> SimpleNamespace:
    from fastcnn.kernels import cpu

    images = np.random.default_rng(0).integers(0, 256, (10_000, 784), dtype=np.uint8)
    index = np.random.default_rng(1).permutation(10_000)[:128]
    x = normal(8, 56, 56, 64)
    calls = SimpleNamespace(
        gather=partial(cpu.gather, written(128, 784), images, index),
        add=partial(cpu.add, written(x.size), x.reshape(-1), normal(x.size)),
        pad2d=partial(cpu.pad2d, written(8, 58, 58, 64), x, 1, 1))
    for call in vars(calls).values():
        call()
    return calls


class Arrays:
    """A batch of MNIST from bytes; maps of ResNet-50's second stage, batch 8."""

    repeat = REPEAT

    def setup(self):
        self.calls = _calls()

    def time_gather_mnist(self):
        self.calls.gather()

    def time_add(self):
        self.calls.add()

    def time_pad2d(self):
        self.calls.pad2d()
