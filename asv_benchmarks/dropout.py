"""kernels/cpu/elementwise/dropout.py: the mask is computed in the same pass, so forward and backward are one kernel."""

from functools import cache, partial

from .data import REPEAT, normal, written

_SIZES = {"convnet.dropout": 128 * 1600, "alexnet.dropout": 128 * 9216}


@cache
def _call(layer: str) -> partial:
    from fastcnn.kernels import cpu

    call = partial(cpu.dropout, written(_SIZES[layer]), normal(_SIZES[layer]), 0.5, 7, 1)
    call()
    return call


class Dropout:
    """Dropout of a batch."""

    params, param_names, repeat = [list(_SIZES)], ["layer"], REPEAT

    def setup(self, layer):
        self.call = _call(layer)

    def time_forward(self, layer):
        self.call()
