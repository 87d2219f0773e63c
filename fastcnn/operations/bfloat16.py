"""Numbers of bfloat16 in arrays of float32: what is multiplied is rounded to them, and so is what layers hand on.

A product of two such numbers is exact in float32, and products are summed in float32. So the kernels of float32
compute what a unit for bfloat16 does, up to the order of a sum, on every machine. Between layers, and for the way back,
the numbers lie in 16 bits: `narrowed` and `widened`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.bfloat16 import bfloat16, is_bfloat16
from fastcnn.operations import Backward
from fastcnn.operations.kernel_call import NOTHING, ProductCall
from fastcnn.operations.merge import weighted_sum
from fastcnn.operations.saved import Saved, saving_now
from fastcnn.parameters import Parameter

_KEY = "bfloat16"  # in what is derived from a parameter
_NO_BITS = np.empty(0, np.uint16)


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


def even_narrowed(x: np.ndarray, channels: int) -> np.ndarray:
    """Return pixels of an odd number of channels as bfloat16, with a channel of zeros behind them.

    Parameters
    ----------
    x : array
        Of float32 or bfloat16.
    channels : int
    """
    x = x if is_bfloat16(x.dtype) else narrowed(x)
    d, pixels = device.of(x), x.size // channels
    y = d.empty((pixels, channels + 1), x.dtype)
    d.kernels.pad_short_pixels(bits(y), bits(x).reshape(pixels, channels))
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


def bits(x: np.ndarray) -> np.ndarray:
    """Return an array as kernels take it: of bfloat16 its bits, any other as it is."""
    return x.view(np.uint16) if is_bfloat16(x.dtype) else x


def number_type(x: np.ndarray) -> np.dtype:
    """Return the type in which kernels compute with an array: float32 where it lies in bfloat16."""
    return np.dtype(np.float32) if is_bfloat16(x.dtype) else x.dtype


def no_array(x: np.ndarray) -> np.ndarray:
    """Return what kernels take for an absent array of the type of x, as `bits` of one."""
    return _NO_BITS if is_bfloat16(x.dtype) else NOTHING[x.dtype]


def summed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return the sum of two arrays of one shape, in bfloat16 if both are, else in float32 where one of them is.

    Parameters
    ----------
    a, b : array
    """
    if not (is_bfloat16(a.dtype) and is_bfloat16(b.dtype)):
        a, b = (widened(one) if is_bfloat16(one.dtype) else one for one in (a, b))
        return weighted_sum([a, b], [1.0, 1.0])[0]
    d = device.of(a)
    y = d.empty(a.shape, a.dtype)
    d.kernels.add_bfloat16(*(bits(one).reshape(-1) for one in (y, a, b)))
    return y


def through_activation(activation: Any, y: np.ndarray, dy: np.ndarray) -> np.ndarray:
    """Return the gradient of what an activation was given, which is told by what it returned.

    Parameters
    ----------
    activation : Elementwise
    y, dy : array
        Both of bfloat16, or neither.
    """
    if not is_bfloat16(dy.dtype):
        found: np.ndarray = activation.backward(y)(dy)
        return found
    if activation.clamp != (0.0, np.inf):
        return narrowed(activation.backward(widened(y))(widened(dy)))
    d = device.of(dy)
    dx = d.empty(dy.shape, dy.dtype)
    d.kernels.relu_backward_bfloat16(*(bits(one).reshape(-1) for one in (dx, dy, y)))
    return dx


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


def in_float32(run: Callable[..., tuple[np.ndarray, Backward]], *arguments: Any) -> tuple[np.ndarray, Backward]:
    """Return y and dy -> dx of an operation whose kernels take float32, of arrays that may be of bfloat16.

    If the last argument is, y and the gradients are so, too.

    Parameters
    ----------
    run : callable
        Returns y and its backward pass.
    arguments : object
        Its own; arrays of bfloat16 among them are widened.
    """
    if not is_bfloat16(arguments[-1].dtype):
        return run(*arguments)
    y, back = run(*map(_widened_operand, arguments))

    def backward(dy: np.ndarray) -> Any:
        dx = back(widened(dy))
        if isinstance(dx, tuple):
            return tuple(one if one is None else narrowed(one) for one in dx)
        return dx if dx is None else narrowed(dx)

    return narrowed(y), backward


def _widened_operand(x: Any) -> Any:
    """Return an array of bfloat16 in float32, anything else as it is; what is saved of it is not narrowed anew."""
    if not isinstance(x, np.ndarray) or not is_bfloat16(x.dtype):
        return x
    wide, saving = widened(x), saving_now()
    if isinstance(saving, NarrowSaving):
        saving.know(wide, x)
    return wide


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
