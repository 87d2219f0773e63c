"""kernels/cpu/losses/: losses with their gradients, one pass."""

from collections.abc import Callable
from functools import cache, partial

from .data import REPEAT, labels, normal, written
from .shapes import CLASSES


@cache
def _call(loss: str, classes: str) -> Callable[[], None]:
    from fastcnn.kernels import cpu, loss_codes

    shape = CLASSES[classes]
    rows = shape[0]
    losses, dx, x, scale = written(rows), written(*shape), normal(*shape), 1 / rows
    none = x.reshape(-1)[:0]
    probabilities = written(*shape)
    targets = abs(normal(*shape))
    targets /= targets.sum(1, keepdims=True)
    call = {
        "softmax_sparse_categorical_crossentropy": partial(
            cpu.softmax_sparse_categorical_crossentropy, losses, dx, probabilities, x, labels(*shape), none, scale),
        "softmax_categorical_crossentropy": partial(
            cpu.softmax_categorical_crossentropy, losses, dx, probabilities, x, targets, none, scale),
        "binary_crossentropy": partial(
            cpu.binary_loss, losses, dx, x, targets, none, loss_codes.BINARY_LOGITS, 0.0, 0.0, 0.0,
            1 / shape[1], scale, True),
        "mean_squared_error": partial(
            cpu.elementwise_loss, losses, dx, x, targets, none, loss_codes.SQUARED, 0.0, 0.0, 0.0, 1 / shape[1],
            scale, True),
    }[loss]
    call()
    return call


class Loss:
    """Losses by name, from logits, with gradients and probabilities."""

    params = (("softmax_sparse_categorical_crossentropy", "softmax_categorical_crossentropy", "binary_crossentropy",
               "mean_squared_error"), tuple(CLASSES))
    param_names, repeat = ("loss", "classes"), REPEAT

    def setup(self, loss, classes):
        self.call = _call(loss, classes)

    def time_with_gradient(self, loss, classes):
        self.call()


class Triplets:
    """The triplet loss of 128 embeddings of 32 classes, by which triplets count."""

    params = ("ALL_TRIPLETS", "SEMI_HARD", "HARD")
    param_names, repeat = ("mining",), REPEAT

    def setup(self, mining):
        import numpy as np

        from fastcnn.kernels import cpu, loss_codes

        scratch = np.empty((2, 128, 128))
        self.call = partial(cpu.triplet_loss, written(128), written(128, 64), scratch[0], scratch[1], normal(128, 64),
                            np.repeat(np.arange(32), 4), getattr(loss_codes, mining), 0.3)
        self.call()

    def time_with_gradient(self, mining):
        self.call()
