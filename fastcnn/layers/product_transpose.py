"""Transposed convolutions on the kernels of convolutions: what goes forward there goes backward here.

With g the geometry of the convolution from the output y to the input x: y is its gradient of the input, for x; dx is
its output, for dy; and dkernel is its gradient of the filters, with x and dy exchanged.
"""

from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.layers.activation import apply_only
from fastcnn.layers.base import Backward
from fastcnn.layers.kept import NO_BIAS
from fastcnn.layers.product import activated, last_of, memory_of, plan_of, product, with_border


def convolve(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return y of `shape` and the backward pass of the activation, as `product.convolve`."""
    layer.kernel.derived.clear()
    return activated(layer.activation, *product(layer, x, shape, g, keep=False, transposed=True))


def convolve_only(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray) -> np.ndarray:
    """Return y as `convolve` does, and keep the packed weights until the parameters change."""
    y, done = product(layer, x, shape, g, keep=True, transposed=True)
    return y if done else apply_only(layer.activation, y)


def convolve_backward(layer: Any, x: np.ndarray, dz: np.ndarray, g: np.ndarray, wants_dx: bool) -> np.ndarray | None:
    """Add to the gradients of kernel and bias, and return dx if it is wanted."""
    d = device.of(x)
    plan = plan_of(g.tobytes(), x.dtype, config.winograd(), False)
    images, gradients = x.reshape(plan.y_shape), dz.reshape(plan.x_shape)
    if layer.trainable:
        step = plan.backward_weights
        getattr(d.kernels, step.kernel)(
            layer.kernel.gradient.reshape(plan.bank_shape), NO_BIAS[x.dtype], *memory_of(step, d, x.dtype), gradients,
            images, g)
        add_bias_gradient(layer, dz)
    if not wants_dx:
        return None
    step, dx = plan.forward, d.empty(x.shape, x.dtype)
    ready = () if step.packed is None else (0,)
    gradients, g = with_border(plan, gradients, g)
    getattr(d.kernels, step.kernel)(dx.reshape(plan.y_shape), *memory_of(step, d, x.dtype), gradients,
                                    *last_of(step, layer.kernel.array.reshape(plan.bank_shape), NO_BIAS[x.dtype]),
                                    *ready, g)
    return dx


def add_bias_gradient(layer: Any, dz: np.ndarray) -> None:
    """Add the sums of dz to the gradient of the bias, if there is one."""
    if layer.bias is not None:
        d, rows = device.of(dz), (dz.size // dz.shape[-1], dz.shape[-1])
        scratch = d.empty((d.kernels.bias_backward_scratch(rows, dz.dtype),), dz.dtype)
        d.kernels.bias_backward(layer.bias.gradient, scratch, dz.reshape(rows))
