"""kernels/cpu/elementwise/merge.py: sums and products of two arrays, with and without broadcasting."""

from functools import cache, partial
from types import SimpleNamespace

from .data import REPEAT, normal, written


@cache
def _calls() -> SimpleNamespace:
    from fastcnn.kernels import codes, cpu

    a, b = normal(1, 1, 8 * 56 * 56 * 256), normal(1, 1, 8 * 56 * 56 * 256)
    image, gate, none = normal(8, 3136, 144), normal(8, 1, 144), written(0, 0, 0)
    scratch = written(cpu.merge_backward_scratch(image.shape, image.shape, gate.shape, image.dtype))
    wide, narrow = normal(6272, 256), normal(6272, 32)
    calls = SimpleNamespace(
        add=partial(cpu.merge_forward, written(*a.shape), a, b, codes.SUM, 1.0, 1.0, 1),
        gate=partial(cpu.merge_forward, written(*image.shape), image, gate, codes.PRODUCT, 1.0, 1.0, 0),
        gate_backward=partial(cpu.merge_backward, written(*image.shape), written(*gate.shape), scratch,
                              normal(*image.shape), image, gate, codes.PRODUCT, 1.0, 1.0),
        sum_backward=partial(cpu.merge_backward, none, written(*gate.shape), scratch, image, image, gate, codes.SUM,
                             1.0, 1.0),
        columns=partial(cpu.copy_columns, written(6272, 288), 256, narrow, 0, 32),
        wide_columns=partial(cpu.copy_columns, written(6272, 288), 0, wide, 0, 256))
    for call in vars(calls).values():
        call()
    return calls


class Merge:
    """The residual sum of ResNet-50's second stage, EfficientNet-B0's gate, DenseNet's concatenation, batch 8."""

    repeat = REPEAT

    def setup(self):
        self.calls = _calls()

    def time_add_relu(self):
        self.calls.add()

    def time_gate(self):
        self.calls.gate()

    def time_gate_backward(self):
        self.calls.gate_backward()

    def time_sum_backward(self):
        self.calls.sum_backward()

    def time_concatenate(self):
        self.calls.wide_columns()
        self.calls.columns()
