"""Numbers of bfloat16 in arrays of float32: what is multiplied is rounded to them, and so is what layers hand on.

A product of two such numbers is exact in float32, and products are summed in float32. So the kernels of float32
compute what a unit for bfloat16 does, up to the order of a sum, on every machine.
"""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.operations.kernel_call import ProductCall
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


def multiplied(weights: Parameter, call: ProductCall | None = None) -> Any:
    """Return the values of a parameter as products take them: rounded, if its layer computes in bfloat16.

    Rounded ones are kept until the value changes, or what is derived from it is dropped.

    Parameters
    ----------
    weights : Parameter
    call : ProductCall, optional
        What multiplies: it may round by itself.
    """
    if not weights.rounds or (call is not None and call.rounds):
        return weights.array
    known = weights.derived.get(_KEY)
    if known is None or known[0] != weights.version:
        known = weights.version, rounded(weights.array)
        if device.of(known[1]).runs:  # else it is only planned what will run
            weights.derived[_KEY] = known
    return known[1]
