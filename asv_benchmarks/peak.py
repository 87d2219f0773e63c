"""kernels/cpu/peak.py: the machine's peak as the package's compiler reaches it; slower here is slower everywhere."""

from functools import cache, partial

import numpy as np

from .data import REPEAT, normal, written


@cache
def _chain(dtype: str) -> partial:
    from fastcnn.kernels import cpu

    kind = np.dtype(dtype).type
    x = normal(2, 768).astype(dtype)
    call = partial(cpu.multiply_add_chain, written(2, 768, dtype=dtype), x, kind(0.5), kind(0.1), 50_000)
    call()
    return call


@cache
def _triad(megabytes: float) -> partial:
    from fastcnn.kernels import cpu

    length = int(megabytes * 1e6 / 24)
    call = partial(cpu.triad, written(2, length), normal(2, length), normal(2, length), np.float32(0.5),
                   max(1, int(64 / megabytes)))
    call()
    return call


class MultiplyAdds:
    """154 million floating-point operations of two tasks."""

    params, param_names, repeat = [["float32", "float64"]], ["type"], REPEAT

    def setup(self, dtype):
        self.call = _chain(dtype)

    def time_chain(self, dtype):
        self.call()


class Memory:
    """Sums of arrays of so many megabytes, 64 megabytes in all."""

    params, param_names, repeat = [[0.5, 4.0, 64.0]], ["megabytes"], REPEAT

    def setup(self, megabytes):
        self.call = _triad(megabytes)

    def time_triad(self, megabytes):
        self.call()
