"""What convolution and dense layers share: the product, its activation, and the way back."""

from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.kernels import codes
from fastcnn.layers.activation import Elementwise, apply
from fastcnn.layers.base import Backward

_NO_BIAS = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}


def convolve(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return y of `shape` and the backward pass of the activation; ReLU happens inside the convolution."""
    d = device.of(x)
    y = d.empty(shape, x.dtype)
    relu = isinstance(layer.activation, Elementwise) and layer.activation.code == codes.RELU
    bias = _NO_BIAS[x.dtype] if layer.bias is None else layer.bias.array
    images, outputs, bank = _image4(x, g, "h", "w", "c"), _image4(y, g, "oh", "ow", "k"), _bank(layer.kernel.array)
    if _may_round(x) and d.kernels.winograd_forward_suits(g, False):
        scratch = d.empty((d.kernels.winograd_forward_scratch(g, x.dtype),), x.dtype)
        packed = d.empty((d.kernels.winograd_forward_packed(g, x.dtype),), x.dtype)
        d.kernels.winograd_forward(outputs, scratch, packed, images, bank, bias, int(relu), 0, g)
    else:
        kernel, wanted = ((d.kernels.depthwise2d_forward, d.kernels.depthwise2d_forward_scratch) if is_depthwise(g)
                          else (d.kernels.conv2d_forward, d.kernels.conv2d_forward_scratch))
        kernel(outputs, d.empty((wanted(g, x.dtype),), x.dtype), images, bank, bias, int(relu), g)
    if relu:
        return y, layer.activation.backward(y)
    return apply(layer.activation, y)


def convolve_backward(layer: Any, x: np.ndarray, dz: np.ndarray, g: np.ndarray, wants_dx: bool) -> np.ndarray | None:
    """Add to the gradients of kernel and bias, and return dx if it is wanted."""
    d = device.of(x)
    images, gradients = _image4(x, g, "h", "w", "c"), _image4(dz, g, "oh", "ow", "k")
    if layer.trainable:
        kernel, wanted = ((d.kernels.depthwise2d_backward_weights, d.kernels.depthwise2d_backward_weights_scratch)
                          if is_depthwise(g) else
                          (d.kernels.winograd_backward_weights, d.kernels.winograd_backward_weights_scratch)
                          if _may_round(x) and d.kernels.winograd_backward_weights_suits(g) else
                          (d.kernels.conv2d_backward_weights, d.kernels.conv2d_backward_weights_scratch))
        scratch = d.empty((wanted(g, x.dtype),), x.dtype)
        kernel(_bank(layer.kernel.gradient), _NO_BIAS[x.dtype] if layer.bias is None else layer.bias.gradient, scratch,
               images, gradients, g)
    if not wants_dx:
        return None
    dx = d.empty(x.shape, x.dtype)
    out, bank = _image4(dx, g, "h", "w", "c"), _bank(layer.kernel.array)
    if _may_round(x) and d.kernels.winograd_backward_input_suits(g, False):
        scratch = d.empty((d.kernels.winograd_backward_input_scratch(g, x.dtype),), x.dtype)
        packed = d.empty((d.kernels.winograd_backward_input_packed(g, x.dtype),), x.dtype)
        d.kernels.winograd_backward_input(out, scratch, packed, gradients, bank, 0, g)
    else:
        kernel, wanted = ((d.kernels.depthwise2d_backward_input, d.kernels.depthwise2d_backward_input_scratch)
                          if is_depthwise(g) else
                          (d.kernels.conv2d_backward_input, d.kernels.conv2d_backward_input_scratch))
        kernel(out, d.empty((wanted(g, x.dtype),), x.dtype), gradients, bank, g)
    return dx


def is_depthwise(g: np.ndarray) -> bool:
    """Whether every channel has a window of its own."""
    one = g[0]
    return bool(one["c"] > 1 and one["groups"] == one["c"] == one["k"])


def _may_round(x: np.ndarray) -> bool:
    """Whether Winograd's rounding is allowed: double precision is for those who look at the last bits."""
    return x.dtype == np.float32 and config.winograd()


def _image4(array: np.ndarray, g: np.ndarray, height: str, width: str, channels: str) -> np.ndarray:
    if array.ndim == 4 and g[0]["n"] == array.shape[0]:
        return array
    return array.reshape(g[0]["n"], g[0][height], g[0][width], g[0][channels])


def _bank(kernel: np.ndarray) -> np.ndarray:
    return kernel if kernel.ndim == 4 else kernel.reshape(1, 1, *kernel.shape)
