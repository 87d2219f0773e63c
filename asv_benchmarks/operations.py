"""Operations of fastcnn.ops: quotients, reductions along rows, and the gradient of a function of a network's output."""

from functools import cache, partial
from types import SimpleNamespace

from .data import REPEAT, normal, written


@cache
def _calls() -> SimpleNamespace:
    import fastcnn as fc
    from fastcnn import ops
    from fastcnn.kernels import cpu, tensor_codes

    a, b = normal(8 * 56 * 56 * 256), normal(8 * 56 * 56 * 256)
    rows, images = normal(25088, 144), normal(1, 64, 64, 3)
    model = fc.Sequential([fc.Input((64, 64, 3)), fc.layers.Conv2D(32, 3, activation="relu"),
                           fc.layers.Conv2D(32, 3, activation="relu"), fc.layers.GlobalAveragePooling2D()])
    calls = SimpleNamespace(
        divide=partial(cpu.binary_forward, written(a.size), a, b, tensor_codes.QUOTIENT),
        row_maximum=partial(cpu.reduce_rows_forward, written(len(rows)), rows, tensor_codes.LARGEST),
        mean=partial(ops.mean, rows, axis=-1),
        input_gradient=partial(fc.gradients, lambda x: ops.mean(model(x)[:, 3]), images))
    for call in vars(calls).values():
        call()
    return calls


class Operations:
    """The second stage of ResNet-50, batch 8; rows of 144; 64 x 64 pixels that a network of two convolutions sees."""

    repeat = REPEAT

    def setup(self):
        self.calls = _calls()

    def time_divide(self):
        self.calls.divide()

    def time_row_maximum(self):
        self.calls.row_maximum()

    def time_mean(self):
        self.calls.mean()

    def time_input_gradient(self):
        self.calls.input_gradient()
