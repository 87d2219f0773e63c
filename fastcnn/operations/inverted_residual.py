"""An inverted residual in one kernel call: expansion, depthwise window and projection, and the sum after them.

    y = f(g(h(x * expand) * window) * project + residual)          f, g, h: clamps, or functions such as silu

Sandler et al., MobileNetV2, 2018. Intermediate results stay in the cache of the core that computes them. Without a
projection y is what the window makes, since something stands between the two: squeeze and excitation in
EfficientNet and MobileNetV3.

Of bfloat16 both products are of pairs: x, a residual and y lie in 16 bits, and so does what the projection reads.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.bfloat16 import is_bfloat16
from fastcnn.kernels.codes import LINEAR as IDENTITY
from fastcnn.operations.activation import Function, ends_of
from fastcnn.operations.bfloat16 import bits, multiplied, no_array, number_type
from fastcnn.operations.kernel_call import NOTHING
from fastcnn.operations.packed_weights import bias_array
from fastcnn.parameters import Parameter

_NO_FILTERS = {np.dtype(kind): np.empty((1, 1, 0, 0), kind) for kind in (np.float32, np.float64)}

Weights = tuple[Parameter, Parameter | None]  # kernel and bias


def block_geometry(expand: np.ndarray | None, window: np.ndarray, project: np.ndarray | None,
                   channels: int) -> np.ndarray:
    """Return the geometry of a block from three CONV2D; without an expansion, `channels` are the input's.

    Parameters
    ----------
    expand, window, project : CONV2D
        The first and the last are None where there is none.
    channels : int
    """
    return np.concatenate([_absent(window, channels) if expand is None else expand, window,
                           _absent(window, int(window[0]["c"])) if project is None else project])


def _absent(window: np.ndarray, channels: int) -> np.ndarray:
    """Return the geometry of a convolution of pixels that is not there, which has no filters."""
    g = window.copy()
    for field, value in {"c": channels, "k": 0, "groups": 1, "kh": 1, "kw": 1, "sh": 1, "sw": 1}.items():
        g[field] = value
    return g


def block_ends(activations: Sequence[Function | None], d: device.Device, g: np.ndarray,
               dtype: np.dtype) -> np.ndarray | None:
    """Return what the kernel takes as `bounds`: in what each convolution ends; None if one ends in something else.

    Parameters
    ----------
    activations : three times Function, optional
    d : Device
    g : (3,) CONV2D
    dtype : dtype
    """
    ends = [ends_of(activation, d, g[i:i + 1], dtype) for i, activation in enumerate(activations)]
    return None if None in ends else np.array([(*one, IDENTITY)[:3] for one in ends if one], dtype).reshape(-1)


def block_call(x: np.ndarray, g: np.ndarray, activations: Sequence[Function | None]
               ) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the geometry that the kernel wants for arrays of the type of x, and its ends; None if parts are faster.

    Parameters
    ----------
    x : array
    g : (3,) CONV2D
        As `block_geometry` returns it.
    activations : three times Function, optional
    """
    d, short = device.of(x), is_bfloat16(x.dtype)
    ends = block_ends(activations, d, g, number_type(x))
    if ends is None or (short and ends[-1] != IDENTITY):  # 16 bits of y are of sums alone
        return None
    if not (d.kernels.pairs_inverted_residual_suits(g) if short else d.kernels.inverted_residual_suits(g)):
        return None
    if short:
        g = g.copy()
        g["c"][[0, 2]] //= 2
    return g, ends


class InvertedResidualCall:
    """The kernel of one block and the weights it packed, for batches of any size."""

    def __init__(self) -> None:
        self._packed: Any = None

    def run(self, x: np.ndarray, weights: Sequence[Weights | None], residual: np.ndarray | None, g: np.ndarray,
            ends: np.ndarray, shape: tuple[int, ...], versions: list[int]) -> np.ndarray:
        """Return y of `shape`.

        Parameters
        ----------
        x : (N, H, W, C) array
            Of bfloat16, if the weights are rounded to it.
        weights : three times (kernel, bias)
            Of expansion, window and projection; None for the first or the last where it is absent.
        residual : array, optional
            Lies as y does.
        g, ends : array
            As `block_call` returns them.
        shape : tuple of int
        versions : list of int
            Of the parameters; packed weights are valid while they stay the same.
        """
        d, short, dtype = device.of(x), is_bfloat16(x.dtype), number_type(x)
        k = d.kernels
        forward, size, room = (
            (k.pairs_inverted_residual_forward, k.pairs_inverted_residual_forward_scratch,
             k.pairs_inverted_residual_forward_packed) if short else
            (k.inverted_residual_forward, k.inverted_residual_forward_scratch, k.inverted_residual_forward_packed))
        state = versions, config.state(), short
        packed, ready = self._packed, 1
        if packed is None or packed[0] != state:
            memory = d.empty((room(g, dtype),), dtype)
            packed, ready = (state, memory), 0
        expand, (window, window_bias), project = (
            (_NO_FILTERS[dtype], NOTHING[dtype]) if one is None else (multiplied(one[0]), bias_array(*one))
            for one in weights)
        y = d.empty(shape, x.dtype)
        forward(bits(y), d.empty((size(g, dtype),), dtype), packed[1], x.view(np.uint32) if short else x, *expand,
                window.reshape(*window.shape[:2], 1, -1), window_bias, *project,
                no_array(y) if residual is None else bits(residual).reshape(-1), ends, ready, g)
        if ready or d.runs:
            self._packed = packed  # only now, since other threads take what they find here for packed
        return y
