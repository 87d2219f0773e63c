"""What convolution and dense layers share: the product, its activation, and the way back.

Which kernels compute it is a function of the shape, found once for a geometry (`_plan`): another algorithm is a few
lines there.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from fastcnn import config, device
from fastcnn.geometry import CONV2D
from fastcnn.kernels import codes
from fastcnn.layers.activation import Elementwise, apply
from fastcnn.layers.base import Backward

_NO_BIAS = {np.dtype(kind): np.empty(0, kind) for kind in (np.float32, np.float64)}


class _Step(NamedTuple):
    """A kernel, and how many elements of memory it wants beside its arrays; None: not in its signature."""

    kernel: str
    scratch: int | None = None
    packed: int | None = None


class _Plan(NamedTuple):
    """The kernels of a geometry, and its arrays as they see them."""

    x_shape: tuple[int, int, int, int]
    y_shape: tuple[int, int, int, int]
    bank_shape: tuple[int, int, int, int]
    forward: _Step
    backward_weights: _Step
    backward_input: _Step


@functools.lru_cache(maxsize=4096)
def _plan(fields: bytes, dtype: np.dtype, winograd: bool, kept: bool) -> _Plan:
    """Choose for a geometry; `winograd` allows its rounding, `kept` says that packed weights are kept."""
    g, kernels = np.frombuffer(fields, CONV2D).copy(), device.cpu.kernels
    n, h, w, c, oh, ow, k = (int(g[0][name]) for name in ("n", "h", "w", "c", "oh", "ow", "k"))
    bank = int(g[0]["kh"]), int(g[0]["kw"]), c // int(g[0]["groups"]), k
    winograd = winograd and dtype == np.float32  # double precision is for those who look at the last bits

    def step(name: str, *memory: str) -> _Step:
        return _Step(name, **{kind: getattr(kernels, f"{name}_{kind}")(g, dtype) for kind in memory})

    if c > 1 and g[0]["groups"] == c == k:
        forward = step("depthwise2d_forward", "scratch")
        weights = step("depthwise2d_backward_weights", "scratch")
        inputs = step("depthwise2d_backward_input", "scratch")
    else:
        forward = step("conv2d_forward", "packed")
        weights = step("conv2d_backward_weights", "scratch")
        inputs = step("conv2d_backward_input", "scratch")
    if winograd and kernels.winograd_forward_suits(g, kept):
        forward = step("winograd_forward", "scratch", "packed")
    if winograd and kernels.winograd_backward_weights_suits(g):
        weights = step("winograd_backward_weights", "scratch")
    if winograd and kernels.winograd_backward_input_suits(g, False):
        inputs = step("winograd_backward_input", "scratch", "packed")
    return _Plan((n, h, w, c), (n, oh, ow, k), bank, forward, weights, inputs)


def convolve(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return y of `shape` and the backward pass of the activation; ReLU happens inside the convolution."""
    layer.kernel.derived.clear()  # training changes the weights: what was packed for prediction would only take memory
    y, relu = _product(layer, x, shape, g, keep=False)
    if relu:
        return y, layer.activation.backward(y)
    return apply(layer.activation, y)


def convolve_only(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray) -> np.ndarray:
    """Return y as `convolve` does, and keep the packed weights until the parameters change."""
    y, relu = _product(layer, x, shape, g, keep=True)
    return y if relu or layer.activation is None else apply(layer.activation, y)[0]


def _product(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray, keep: bool) -> tuple[np.ndarray, bool]:
    """Return the product, and whether it went through ReLU already."""
    d = device.of(x)
    plan = _plan(g.tobytes(), x.dtype, config.winograd(), keep)
    step, y = plan.forward, d.empty(shape, x.dtype)
    relu = isinstance(layer.activation, Elementwise) and layer.activation.code == codes.RELU
    bias = _NO_BIAS[x.dtype] if layer.bias is None else layer.bias.array
    memory = [] if step.scratch is None else [d.empty((step.scratch,), x.dtype)]
    kept: Any = None
    ready: tuple[int, ...] = ()
    if step.packed is not None:
        versions = (layer.kernel.version, 0 if layer.bias is None else layer.bias.version)
        kept = layer.kernel.derived.get(step.kernel) if keep else None
        if kept is None or kept[0] != versions:
            kept, ready = (versions, d.empty((step.packed,), x.dtype)), (0,)
        else:
            ready = (1,)
        memory.append(kept[1])
    getattr(d.kernels, step.kernel)(y.reshape(plan.y_shape), *memory, x.reshape(plan.x_shape),
                                    layer.kernel.array.reshape(plan.bank_shape), bias, int(relu), *ready, g)
    if keep and kept is not None:
        layer.kernel.derived[step.kernel] = kept
    return y, relu


def convolve_backward(layer: Any, x: np.ndarray, dz: np.ndarray, g: np.ndarray, wants_dx: bool) -> np.ndarray | None:
    """Add to the gradients of kernel and bias, and return dx if it is wanted."""
    d = device.of(x)
    plan = _plan(g.tobytes(), x.dtype, config.winograd(), False)
    images, gradients = x.reshape(plan.x_shape), dz.reshape(plan.y_shape)

    def memory(step: _Step) -> list[np.ndarray]:
        return [d.empty((size,), x.dtype) for size in (step.scratch, step.packed) if size is not None]

    if layer.trainable:
        step = plan.backward_weights
        getattr(d.kernels, step.kernel)(
            layer.kernel.gradient.reshape(plan.bank_shape),
            _NO_BIAS[x.dtype] if layer.bias is None else layer.bias.gradient, *memory(step), images, gradients, g)
    if not wants_dx:
        return None
    step, dx = plan.backward_input, d.empty(x.shape, x.dtype)
    ready = () if step.packed is None else (0,)
    getattr(d.kernels, step.kernel)(dx.reshape(plan.x_shape), *memory(step), gradients,
                                    layer.kernel.array.reshape(plan.bank_shape), *ready, g)
    return dx
