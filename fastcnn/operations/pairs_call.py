"""Calls of kernels that multiply pairs of bfloat16: who calls gives and takes float32, or bfloat16 as it lies.

A training that stores in 16 bits gives each array to several kernels; `operand` rounds it once for all of them.
"""

import numpy as np

from fastcnn.bfloat16 import is_bfloat16
from fastcnn.device import Device
from fastcnn.operations.bfloat16 import NarrowSaving, bits, even_narrowed, narrowed, no_array, widened
from fastcnn.operations.kernel_call import Arguments, GradientCall, ProductCall
from fastcnn.operations.saved import saving_now


class PairsCall(ProductCall):
    """A kernel that makes y of x and weights, where x is read in pairs of channels.

    x may lie in float32, and is rounded on a copy then; an odd number of channels is copied with one more, of zeros.
    y lies in float32, or in bfloat16, to which its sums are rounded once; a residual is of y's type.
    """

    __slots__ = ()

    def run(self, d: Device, y: np.ndarray, x: np.ndarray, arguments: Arguments) -> None:
        """As of `ProductCall`."""
        channels = self.shapes[2][2]
        words = (even_narrowed(x, channels) if channels % 2 else _narrow(x)).view(np.uint32)
        if is_bfloat16(y.dtype):
            between, (bank, bias, *adding, clamp, ready, g) = arguments
            adding = [bits(addend) if addend.size else no_array(y) for addend in adding]
            arguments = between, (bank, bias, *adding, clamp, ready, g)
        super().run(d, bits(y), words, arguments)


class PairsGradientCall(GradientCall):
    """A kernel that adds the gradients of weights and bias, of x and dy in bfloat16; of float32 they are rounded."""

    __slots__ = ()

    def run(self, d: Device, dweights: np.ndarray, dbias: np.ndarray, x: np.ndarray, dy: np.ndarray) -> None:
        """As of `GradientCall`."""
        dy_shape, x_shape, weights_shape = self.shapes
        kernel = self.kernel if d.recorder is None else d.recorder.of(self.kernel)
        kernel(dweights.reshape(weights_shape), dbias, d.empty((self.scratch,), dweights.dtype),
               bits(_narrow(x)).reshape(x_shape), bits(_narrow(dy)).reshape(dy_shape),
               self.geometry)


class WideGradientCall(PairsGradientCall):
    """A kernel of float32 that does so, of numbers that are widened: Winograd's is faster than that of pairs."""

    __slots__ = ()

    def run(self, d: Device, dweights: np.ndarray, dbias: np.ndarray, x: np.ndarray, dy: np.ndarray) -> None:
        """As of `GradientCall`."""
        x, dy = (widened(one) if is_bfloat16(one.dtype) else one for one in (x, dy))
        GradientCall.run(self, d, dweights, dbias, x, dy)


def operand(x: np.ndarray, *calls: ProductCall | GradientCall) -> np.ndarray:
    """Return an array as some calls read it: in 16 bits where all of them multiply pairs, what is saved if it is.

    Parameters
    ----------
    x : array
        Of float32 or bfloat16.
    calls : ProductCall or GradientCall
    """
    if is_bfloat16(x.dtype) or not are_of_pairs(*calls):
        return x
    saving = saving_now()
    return saving.narrow(x) if isinstance(saving, NarrowSaving) else narrowed(x)


def are_of_pairs(*calls: ProductCall | GradientCall) -> bool:
    """Return whether calls multiply pairs of bfloat16.

    Parameters
    ----------
    calls : ProductCall or GradientCall
    """
    return all(isinstance(call, (PairsCall, PairsGradientCall)) for call in calls)


def _narrow(x: np.ndarray) -> np.ndarray:
    return x if is_bfloat16(x.dtype) else narrowed(x)
