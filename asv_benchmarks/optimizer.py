"""kernels/cpu/optimizers: one step over the flat parameters of whole networks, and a bound of norms."""

from collections.abc import Callable
from functools import cache, partial
from math import prod

from .data import REPEAT, normal, written
from .shapes import PARAMETERS


@cache
def _call(optimizer: str, network: str) -> Callable[[], None]:
    from fastcnn.kernels import cpu

    size = sum(map(prod, PARAMETERS[network]))
    values, gradients = normal(size), normal(size)
    call = {
        "sgd": partial(cpu.sgd, values, written(0), gradients, 1e-3, 0.0, False, 0.0, False),
        "nesterov": partial(cpu.sgd, values, written(size), gradients, 1e-3, 0.9, True, 0.0, False),
        "adam": partial(cpu.adam, values, written(size), written(size), written(0), gradients, 1e-3, 0.9, 0.999,
                        1e-7, 1, 0.0, False),
    }[optimizer]
    call()
    return call


class Optimizer:
    """One step."""

    params, param_names, repeat = [["sgd", "nesterov", "adam"], list(PARAMETERS)], ["optimizer", "network"], REPEAT

    def setup(self, optimizer, network):
        self.call = _call(optimizer, network)

    def time_step(self, optimizer, network):
        self.call()


class BoundNorms:
    """The filters of a convolution brought to a length of at most 2."""

    repeat = REPEAT

    def setup(self):
        from fastcnn.kernels import cpu

        self.kernel, self.scratch = normal(1, 9 * 256, 256), written(256)
        self.call = partial(cpu.bound_norms, self.kernel, self.scratch, 0.0, 2.0, 1.0, 1e-7)
        self.call()

    def time_filters(self):
        self.call()


class FactoredStep:
    """The second moments of rows and columns of a large dense layer."""

    repeat = REPEAT

    def setup(self):
        from fastcnn.kernels import cpu

        shape = 1, 2048, 1024
        self.call = partial(cpu.factored_step, written(*shape), written(*shape), written(1024, dtype="float64"),
                            normal(*shape), 0.9, 1e-30)
        self.call()

    def time_dense(self):
        self.call()
