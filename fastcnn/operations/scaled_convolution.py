"""A 1x1 convolution of an image whose channels are scaled first, in one kernel call, in prediction.

    y = activation(f(scale x + offset) * weights + bias + residual)        f: ReLU, or nothing

What follows the scale needs no array of its own: a normalization and ReLU before a convolution, or a gate.
"""

import functools
from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

from fastcnn import device
from fastcnn.device import Device
from fastcnn.geometry import CONV2D
from fastcnn.operations.activation import LINEAR, Function, clamp_array, ends_of
from fastcnn.operations.kernel_call import Arguments, ProductCall
from fastcnn.operations.packed_weights import run_kept
from fastcnn.parameters import Parameter


class ChannelScale(NamedTuple):
    """What happens to the channels first.

    Attributes
    ----------
    scale : (1, C) or (N, C) array
    offset : (C,) or (0,) array
        None for a scale alone.
    relu : bool
        Whether ReLU follows; not after a scale alone.
    """

    scale: np.ndarray
    offset: np.ndarray
    relu: bool


def suits(g: np.ndarray, d: Device) -> bool:
    """Return whether one call can do both, and faster than two."""
    return bool(d.kernels.scaled_conv2d_suits(g))


def predict_scaled_convolution(x: np.ndarray, first: ChannelScale, weights: Parameter, bias: Parameter | None,
                               activation: Function | None, g: np.ndarray, shape: tuple[int, ...],
                               residual: np.ndarray | None = None) -> np.ndarray | None:
    """Return y of `shape`, and keep the packed weights; None where the kernel has no such activation.

    Parameters
    ----------
    x : (N, H, W, C) array
    first : ChannelScale
    weights, bias, activation, g, shape, residual
        As of `fastcnn.operations.convolution.predict_convolution`.
    """
    d = device.of(x)
    ends = ends_of(activation, d, g, x.dtype)
    if ends is None:
        return None
    y = d.empty(shape, x.dtype)
    call = _ScaledCall(_call(g.tobytes(), d.library, x.dtype), first)
    run_kept(call, d, y, x, weights, bias, clamp_array(ends or LINEAR, x.dtype), residual)
    return y


@functools.lru_cache(maxsize=1024)
def _call(fields: bytes, k: ModuleType, dtype: np.dtype) -> ProductCall:
    g = np.frombuffer(fields, CONV2D).copy()
    n, h, w, c, filters = (int(g[0][name]) for name in ("n", "h", "w", "c", "k"))
    return ProductCall(k.scaled_conv2d_forward, g, ((n * h * w, filters), (n * h * w, c), (1, 1, c, filters)),
                       k.scaled_conv2d_forward_scratch(g, dtype), k.scaled_conv2d_forward_packed(g, dtype), adds=True)


class _ScaledCall(ProductCall):
    """A call with what happens to the channels: the kernel takes scale and offset behind x, and the ReLU later."""

    __slots__ = ("_first",)

    def __init__(self, call: ProductCall, first: ChannelScale) -> None:
        super().__init__(call.kernel, call.geometry, call.shapes, call.scratch, call.packed, adds=True)
        self._first = first

    def arguments(self, d: Device, *args: Any, **kwargs: Any) -> Arguments:
        """As `ProductCall.arguments`."""
        between, (*after, ready, geometry) = super().arguments(d, *args, **kwargs)
        scale, offset, relu = self._first
        return between, (scale, offset, *after, int(relu), ready, geometry)
