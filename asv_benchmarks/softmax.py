"""kernels/cpu/elementwise/softmax.py: softmax over classes, forward and backward."""

from functools import cache, partial
from types import SimpleNamespace

from .data import REPEAT, normal, written
from .shapes import CLASSES


@cache
def _calls(classes: str) -> SimpleNamespace:
    from fastcnn.kernels import cpu

    shape = CLASSES[classes]
    y = written(*shape)
    calls = SimpleNamespace(forward=partial(cpu.softmax_forward, y, normal(*shape), False),
                            backward=partial(cpu.softmax_backward, written(*shape), normal(*shape), y, False))
    calls.forward()
    calls.backward()
    return calls


class Softmax:
    """Softmax of a batch."""

    params, param_names, repeat = [list(CLASSES)], ["classes"], REPEAT

    def setup(self, classes):
        self.calls = _calls(classes)

    def time_forward(self, classes):
        self.calls.forward()

    def time_backward(self, classes):
        self.calls.backward()
