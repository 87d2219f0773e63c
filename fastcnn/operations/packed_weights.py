"""What kernels packed of weights, kept with the parameter until that changes; and predictions by that alone.

Weights are packed for a kernel and a size. The first prediction after a change does not pack those that a kernel can
read where they lie, since the next step of training may change them again; the second does.
"""

from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.operations.kernel_call import NOTHING, ProductCall
from fastcnn.parameters import Parameter

_PREDICTIONS = 8  # that a parameter keeps

State = tuple[int, int, bool]


def state_of(weights: Parameter, bias: Parameter | None) -> State:
    """Return what packed weights depend on: versions, and whether Winograd's rounding is allowed."""
    return weights.version, 0 if bias is None else bias.version, config.winograd()


def bias_array(weights: Parameter, bias: Parameter | None) -> np.ndarray:
    """Return the bias, or what stands for none."""
    return NOTHING[weights.array.dtype] if bias is None else bias.array


def run_kept(call: ProductCall, y: np.ndarray, x: np.ndarray, weights: Parameter, bias: Parameter | None,
             clamp: np.ndarray, residual: np.ndarray | None = None) -> "Prediction | None":
    """Run a kernel with what is packed for it, and keep what it packs.

    Returns
    -------
    Prediction or None
        What later predictions of the shape need; None if they need more.
    """
    array, start = weights.array, bias_array(weights, bias)
    if call.packed is None or call.unkept is None:
        call.run(y, x, array, start, clamp, residual)
        return None
    state, key = state_of(weights, bias), (call.kernel, call.packed)
    found = weights.derived.get(key)
    if found is None or found[0] != state:
        packed, ready = device.of(x).empty((call.unkept,), x.dtype), 0
    elif found[1].size < call.packed:  # seen before and not packed: weights that stay are worth it
        packed, ready = device.of(x).empty((call.packed,), x.dtype), 0
    else:
        packed, ready = found[1], 1
    call.run(y, x, array, start, clamp, residual, (packed, ready))
    weights.derived[key] = state, packed
    # Two threads must not share memory beside `packed`.
    whole = packed.size == call.packed and call.border is None and call.scratch is None
    return Prediction(call, state, packed, (array, start, clamp), y.shape) if whole and residual is None else None


class Prediction:
    """A product whose kernel, weights and memory are known: what is left to find is y.

    Parameters
    ----------
    call : ProductCall
    state : State
        Of the parameters when the weights were packed.
    packed : array
    operands : (array, array, array)
        Weights, bias, clamp.
    shape : tuple of int
        Of y.
    """

    __slots__ = ("call", "operands", "owners", "packed", "shape", "state")

    def __init__(self, call: ProductCall, state: State, packed: np.ndarray, operands: Any,
                 shape: tuple[int, ...]) -> None:
        self.call, self.state, self.packed, self.operands, self.shape = call, state, (packed, 1), operands, shape
        self.owners: Any = None

    def keep(self, weights: Parameter, key: Any, owners: Any) -> None:
        """Stay with the weights under a key; `owners` are what its addresses are of, and live as long."""
        if len(weights.derived) > _PREDICTIONS:
            weights.derived.clear()
        self.owners = owners
        weights.derived[key] = self

    def run(self, x: np.ndarray) -> np.ndarray:
        """Return y."""
        y = device.of(x).empty(self.shape, x.dtype)
        weights, bias, clamp = self.operands
        self.call.run(y, x, weights, bias, clamp, None, self.packed)
        return y
