"""Numbers of bfloat16 in arrays of float32: what is multiplied is rounded to them, and so is what layers hand on.

A product of two such numbers is exact in float32, and products are summed in float32. So the kernels of float32
compute what a unit for bfloat16 does, up to the order of a sum, on every machine. Between layers, and for the way back,
the numbers lie in 16 bits: `narrowed` and `widened`.
"""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.bfloat16 import bfloat16
from fastcnn.operations.kernel_call import ProductCall
from fastcnn.operations.saved import Saved
from fastcnn.parameters import Parameter

_KEY = "bfloat16"  # in what is derived from a parameter


def rounded(x: np.ndarray) -> np.ndarray:
    """Return an array of numbers rounded to bfloat16; x stays as it is.

    Parameters
    ----------
    x : float32 array
    """
    d = device.of(x)
    x = d.ready(x)
    y = d.empty(x.shape, x.dtype)
    d.kernels.round_bfloat16(y.reshape(-1), x.reshape(-1))
    return y


def round_in_place(x: np.ndarray) -> None:
    """Round the numbers of an array, which nobody reads as they were.

    Parameters
    ----------
    x : float32 array
        C-contiguous.
    """
    flat = x.reshape(-1)
    device.of(x).kernels.round_bfloat16(flat, flat)


def narrowed(x: np.ndarray) -> np.ndarray:
    """Return an array of bfloat16 with the numbers of x, rounded.

    Parameters
    ----------
    x : float32 array
    """
    d = device.of(x)
    x = d.ready(x)
    y = d.empty(x.shape, bfloat16())
    d.kernels.narrow_bfloat16(y.view(np.uint16).reshape(-1), x.reshape(-1))
    return y


def widened(x: np.ndarray) -> np.ndarray:
    """Return an array of float32 with the numbers of x.

    Parameters
    ----------
    x : bfloat16 array
        C-contiguous.
    """
    d = device.of(x)
    y = d.empty(x.shape, np.dtype(np.float32))
    d.kernels.widen_bfloat16(y.reshape(-1), x.view(np.uint16).reshape(-1))
    return y


class NarrowSaving:
    """Saves arrays of float32 in 16 bits, each once: what several parts of a layer save, or a layer and the next one.

    It is for one forward pass of one layer (`fastcnn.operations.saved`). The way back sees the numbers rounded.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[int, int], tuple[np.ndarray, np.ndarray]] = {}  # the arrays, so that addresses stay

    def know(self, wide: np.ndarray, narrow: np.ndarray) -> None:
        """Note that `narrow` has the numbers of `wide`."""
        self._known[_place(wide)] = wide, narrow

    def narrow(self, x: np.ndarray) -> np.ndarray:
        """Return an array in 16 bits: what is known of this memory, or a new one."""
        if not x.flags.c_contiguous:  # its address and size may be those of another array
            return narrowed(x)
        if _place(x) not in self._known:
            self.know(x, narrowed(x))
        return self._known[_place(x)][1].reshape(x.shape)

    def __call__(self, x: np.ndarray) -> Saved:
        """Return what gives x again, as `fastcnn.operations.saved.saved`."""
        if x.dtype != np.float32 or not x.flags.c_contiguous:
            return lambda: x
        narrow = self.narrow(x)
        return lambda: widened(narrow)


def _place(x: np.ndarray) -> tuple[int, int]:
    return x.__array_interface__["data"][0], x.size


def multiplied(weights: Parameter, call: ProductCall | None = None, trains: bool = False) -> Any:
    """Return the values of a parameter as products take them: rounded, if its layer computes in bfloat16.

    Rounded ones are kept until the value changes, or what is derived from it is dropped; not in training, where each
    step changes all values.

    Parameters
    ----------
    weights : Parameter
    call : ProductCall, optional
        What multiplies: it may round by itself.
    trains : bool
    """
    if not weights.rounds or (call is not None and call.rounds):
        return weights.array
    if trains:
        return rounded(weights.array)
    known = weights.derived.get(_KEY)
    if known is None or known[0] != weights.version:
        known = weights.version, rounded(weights.array)
        if device.of(known[1]).runs:  # else it is only planned what will run
            weights.derived[_KEY] = known
    return known[1]
