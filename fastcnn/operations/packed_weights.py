"""Packed weights, kept with the parameter until its value changes, and predictions that reuse them.

Weights are packed for a kernel and a size. The first prediction after a change does not pack those that a kernel can
also read unpacked, nor does the first one of a model that is trained, since the next step may change them again. The
second one does.
"""

from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.device import Device
from fastcnn.operations.bfloat16 import multiplied
from fastcnn.operations.kernel_call import NOTHING, Arguments, ProductCall
from fastcnn.parameters import Parameter

_PREDICTIONS = 8  # how many a parameter keeps

State = tuple[int, int, tuple[Any, ...]]


def state_of(weights: Parameter, bias: Parameter | None) -> State:
    """Return what packed weights depend on: versions, and the switches by which algorithms are chosen."""
    return weights.version, 0 if bias is None else bias.version, config.switches.state


def bias_array(weights: Parameter, bias: Parameter | None) -> np.ndarray:
    """Return the bias, or what stands for none."""
    return NOTHING[weights.dtype] if bias is None else bias.array


def run_kept(call: ProductCall, d: Device, y: np.ndarray, x: np.ndarray, weights: Parameter, bias: Parameter | None,
             clamp: np.ndarray, residual: np.ndarray | None = None) -> "Prediction | None":
    """Run a kernel with weights packed before, or pack them and keep them.

    Parameters
    ----------
    call : ProductCall
    y : array
        Written.
    residual : array, optional
        Lies as y does; added before the clamp.

    Returns
    -------
    Prediction or None
        All that later predictions of this shape need; None if they need memory of their own beside it.
    """
    start = bias_array(weights, bias)
    if call.packed is None or call.unkept is None:  # a kernel that packs nothing
        call.run(d, y, x, call.arguments(d, multiplied(weights, call), start, clamp, residual))
        return None
    state, key = state_of(weights, bias), (call.kernel, call.packed)
    found = weights.derived.get(key)
    if found is None and not weights.trains:  # nothing tells that they change
        packed, ready = d.lasting((call.packed,), clamp.dtype), 0
    elif found is None or found[0] != state:  # the first prediction since the weights changed
        packed, ready = d.empty((call.unkept,), clamp.dtype), 0
    elif found[1].size < call.packed:  # the second prediction with these weights: now packing pays off
        packed, ready = d.empty((call.packed,), clamp.dtype), 0
    else:
        packed, ready = found[1], 1
    # A plan that holds the packed weights need not hold the others, too.
    array = None if ready and d.replays else multiplied(weights, call)
    call.run(d, y, x, call.arguments(d, array, start, clamp, residual, (packed, ready)))
    if not ready and not d.runs:
        return None
    weights.derived[key] = state, packed
    if packed.size < call.packed:
        return None
    array = None if d.replays else array
    if array is None:
        weights.let_go()
    # A `Prediction` runs in several threads at once, which must share no memory but the packed weights.
    if residual is not None or call.border is not None or call.scratch is not None:
        return None
    return Prediction(call, state, call.arguments(d, array, start, clamp, None, (packed, 1)), y.shape)


class Prediction:
    """A convolution whose kernel, weights and memory are chosen already: only y is left to compute.

    Parameters
    ----------
    call : ProductCall
    state : State
        Of the parameters when the weights were packed.
    arguments : (tuple, tuple)
        The kernel's, without x and y.
    shape : tuple of int
        Of y.
    """

    __slots__ = ("arguments", "call", "owners", "shape", "state")

    def __init__(self, call: ProductCall, state: State, arguments: Arguments, shape: tuple[int, ...]) -> None:
        self.call, self.state, self.arguments, self.shape = call, state, arguments, shape
        self.owners: Any = None

    def keep(self, weights: Parameter, key: Any, owners: Any) -> None:
        """Let the weights keep it under a key. `owners` are the objects whose ids are in the key: they live as long."""
        # Many shapes came: starting again is simpler than finding the oldest.
        if len(weights.derived) > _PREDICTIONS:
            weights.derived.clear()
        self.owners = owners
        weights.derived[key] = self

    def run(self, x: np.ndarray) -> np.ndarray:
        """Return y."""
        d = device.of(x)
        y = d.empty(self.shape, x.dtype)
        self.call.run(d, y, x, self.arguments)
        return y
