"""kernels/cpu/loss.py: losses with their gradients, one pass."""

from collections.abc import Callable
from functools import cache, partial

from .data import REPEAT, labels, normal, written
from .shapes import CLASSES


@cache
def _call(loss: str, classes: str) -> Callable[[], None]:
    from fastcnn.kernels import cpu

    shape = CLASSES[classes]
    rows = shape[0]
    losses, dx, x, scale = written(rows), written(*shape), normal(*shape), 1 / rows
    targets = abs(normal(*shape))
    targets /= targets.sum(1, keepdims=True)
    call = {
        "sparse_categorical_crossentropy": partial(cpu.sparse_categorical_crossentropy, losses, dx, x, labels(*shape),
                                                   True, scale),
        "categorical_crossentropy": partial(cpu.categorical_crossentropy, losses, dx, x, targets, True, scale),
        "binary_crossentropy": partial(cpu.binary_crossentropy, losses, dx, x, targets, True, scale),
        "mean_squared_error": partial(cpu.mean_squared_error, losses, dx, x, targets, scale),
    }[loss]
    call()
    return call


class Loss:
    """Losses by name, from logits."""

    params = (("sparse_categorical_crossentropy", "categorical_crossentropy", "binary_crossentropy",
               "mean_squared_error"), tuple(CLASSES))
    param_names, repeat = ("loss", "classes"), REPEAT

    def setup(self, loss, classes):
        self.call = _call(loss, classes)

    def time_with_gradient(self, loss, classes):
        self.call()
