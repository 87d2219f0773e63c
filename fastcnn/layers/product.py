"""What convolution and dense layers share: the product, its activation, and the way back.

Which kernels compute it is a function of the shape, found once for a geometry (`plan_of`): another algorithm is a few
lines there.
"""

import functools
from typing import Any, NamedTuple

import numpy as np

from fastcnn import config, device
from fastcnn.geometry import CONV2D
from fastcnn.kernels import codes
from fastcnn.layers.activation import Elementwise, apply, apply_only
from fastcnn.layers.base import Backward
from fastcnn.layers.kept import NO_BIAS, Kept, arrays_of, place, state_of

_LINEAR, RELU = (-np.inf, np.inf), (0.0, np.inf)  # bounds of results
_SHAPES = 8  # of input that a layer remembers
_FEW = 64  # output positions of a batch
_ADDING = ("conv2d_forward", "winograd_forward")  # kernels that take an addend


class Step(NamedTuple):
    """A kernel, and how many elements of memory it wants beside its arrays; None: not in its signature.

    `once` is what `packed` has where packed weights are not kept.
    """

    kernel: str
    scratch: int | None = None
    packed: int | None = None
    once: int | None = None


class Plan(NamedTuple):
    """The kernels of a geometry, and its arrays as they see them.

    Where `padded` is not None the forward pass sees the image with its border of zeros, above and on the left so many.
    """

    x_shape: tuple[int, int, int, int]
    y_shape: tuple[int, int, int, int]
    bank_shape: tuple[int, int, int, int]
    forward: Step
    backward_weights: Step
    backward_input: Step
    padded: np.ndarray | None
    corner: tuple[int, int]


@functools.lru_cache(maxsize=4096)
def plan_of(fields: bytes, dtype: np.dtype, winograd: bool, kept: bool) -> Plan:
    """Choose for a geometry; `winograd` allows its rounding, `kept` says that packed weights are kept."""
    g, kernels = np.frombuffer(fields, CONV2D).copy(), device.cpu.kernels
    n, h, w, c, oh, ow, k = (int(g[0][name]) for name in ("n", "h", "w", "c", "oh", "ow", "k"))
    bank = int(g[0]["kh"]), int(g[0]["kw"]), c // int(g[0]["groups"]), k
    winograd = winograd and dtype == np.float32  # double precision is for those who look at the last bits

    def step(name: str, *memory: str) -> Step:
        return Step(name, **{kind: getattr(kernels, f"{name}_{kind}")(g, dtype) for kind in memory})

    padded = None
    if c > 1 and g[0]["groups"] == c == k:
        forward = step("depthwise2d_forward", "scratch")
        weights = step("depthwise2d_backward_weights", "scratch")
        inputs = step("depthwise2d_backward_input", "scratch")
    else:
        padded = _padded(g)
        seen = g if padded is None else padded
        forward = Step("conv2d_forward", packed=kernels.conv2d_forward_packed(seen, dtype),
                       once=kernels.conv2d_forward_packed(seen, dtype, False))
        weights = step("conv2d_backward_weights", "scratch")
        inputs = step("conv2d_backward_input", "scratch", "packed")
    if winograd and kernels.winograd_forward_suits(g, kept):
        padded = None
        forward = step("winograd_forward", "scratch", "packed")
        forward = forward._replace(once=kernels.winograd_forward_packed(g, dtype, False))
    if winograd and kernels.winograd_backward_weights_suits(g):
        weights = step("winograd_backward_weights", "scratch")
    if winograd and kernels.winograd_backward_input_suits(g, kept):
        inputs = step("winograd_backward_input", "scratch", "packed")
        inputs = inputs._replace(once=kernels.winograd_backward_input_packed(g, dtype, False))
    corner = int(g[0]["top"]), int(g[0]["left"])
    return Plan((n, h, w, c), (n, oh, ow, k), bank, forward, weights, inputs, padded, corner)


def _padded(g: np.ndarray) -> np.ndarray | None:
    """Return the geometry on an image with its border of zeros, if that is the faster way, else None.

    The direct kernel never multiplies zeros, but cuts an image into runs of positions that see the same part of the
    window. A large window on one small image makes many short runs: 25 on 7x7 pixels with 5x5.
    """
    top, bottom, left, right = (int(g[0][side]) for side in ("top", "bottom", "left", "right"))
    few = g[0]["n"] * g[0]["oh"] * g[0]["ow"] <= _FEW and g[0]["kh"] * g[0]["kw"] > 9
    if not few or min(top, bottom, left, right) < 0 or top + bottom + left + right == 0:
        return None
    padded = g.copy()
    padded["h"] += top + bottom
    padded["w"] += left + right
    for side in ("top", "bottom", "left", "right"):
        padded[side] = 0
    return padded


def memory_of(step: Step, d: device.Device, dtype: Any) -> list[np.ndarray]:
    """Return the memory that a kernel wants for one call: scratch, and packed weights that are not kept."""
    packed = step.packed if step.once is None else step.once
    return [d.empty((size,), dtype) for size in (step.scratch, packed) if size is not None]


def with_border(plan: Plan, images: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return images and geometry as the forward kernel of a plan wants them: with zeros around, where it does."""
    if plan.padded is None:
        return images, g
    d, g = device.of(images), plan.padded
    padded = d.empty((images.shape[0], int(g[0]["h"]), int(g[0]["w"]), images.shape[3]), images.dtype)
    d.kernels.pad2d(padded, images, *plan.corner)
    return padded, g


def last_of(step: Step, kernel: np.ndarray, bias: np.ndarray, bounds: tuple[float, float] | None = None,
            addend: np.ndarray | None = None) -> tuple[np.ndarray, ...]:
    """Return what a kernel that makes an output takes after its input: filters, bias, addend if it takes one, bounds.

    An addend is flat; None stands for none, and for no bounds.
    """
    adding = () if step.kernel not in _ADDING else (NO_BIAS[kernel.dtype] if addend is None else addend,)
    return kernel, bias, *adding, bounds_array(_LINEAR if bounds is None else bounds, kernel.dtype)


def convolve(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray) -> tuple[np.ndarray, Backward]:
    """Return y of `shape` and the backward pass of the activation; ReLU happens inside the convolution."""
    layer.kernel.derived.clear()  # training changes the weights: what was packed for prediction would only take memory
    return activated(layer.activation, *product(layer, x, shape, g, keep=False))


def activated(activation: Any, y: np.ndarray, done: bool) -> tuple[np.ndarray, Backward]:
    """Return the output of a product's activation and the way back, where `done` tells that y went through it."""
    return (y, activation.backward(y)) if done and activation is not None else apply(activation, y)


def convolve_added(layer: Any, x: np.ndarray, addend: np.ndarray, shape: tuple[int, ...], g: np.ndarray
                   ) -> np.ndarray:
    """Return y as `convolve_only` does, where the addend is added before the activation."""
    if plan_of(g.tobytes(), x.dtype, config.winograd(), True).forward.kernel not in _ADDING:
        linear = object.__new__(type(layer))
        linear.__dict__.update(layer.__dict__, activation=None)
        y, d = convolve_only(linear, x, shape, g), device.of(x)
        z = d.empty(shape, x.dtype)
        d.kernels.add(z.reshape(-1), y.reshape(-1), addend.reshape(-1))
        return apply_only(layer.activation, z)
    y, done = product(layer, x, shape, g, keep=True, addend=addend.reshape(-1))
    return y if done else apply_only(layer.activation, y)


def convolve_only(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray) -> np.ndarray:
    """Return y as `convolve` does, and keep the packed weights until the parameters change."""
    y, done = product(layer, x, shape, g, keep=True)
    return y if done else apply_only(layer.activation, y)


def is_relu(activation: Any) -> bool:
    """Return whether an activation is ReLU, which kernels end in."""
    return isinstance(activation, Elementwise) and activation.code == codes.RELU


def bounds_of(activation: Any) -> tuple[float, float] | None:
    """Return the lowest and the highest result if an activation does nothing else than to keep results between them."""
    if activation is None:
        return _LINEAR
    if is_relu(activation):
        return RELU
    if isinstance(activation, Elementwise) and activation.code == codes.CLIP:
        return activation.beta, activation.alpha
    return None


@functools.lru_cache(maxsize=256)
def bounds_array(bounds: tuple[float, float], dtype: np.dtype) -> np.ndarray:
    """Return two bounds as kernels take them."""
    return np.array(bounds, dtype)


def product(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray, keep: bool,
            transposed: bool = False, addend: np.ndarray | None = None) -> tuple[np.ndarray, bool]:
    """Return the product of `shape`, or with `transposed` that of the convolution from `shape` to x, transposed.

    The second result tells whether it went through the activation already, which those do that are bounds. An addend,
    flat, is added before; only the kernels of `_ADDING` take one.
    """
    d = device.of(x)
    plan = plan_of(g.tobytes(), x.dtype, config.winograd(), keep)
    step, y_shape, x_shape = plan.forward, plan.y_shape, plan.x_shape
    if transposed:
        step, y_shape, x_shape = plan.backward_input, x_shape, y_shape
    y, bounds = d.empty(shape, x.dtype), bounds_of(layer.activation)
    memory: tuple[np.ndarray, ...] = () if step.scratch is None else (d.empty((step.scratch,), x.dtype),)
    kernel, bias = source = arrays_of(layer)
    last = last_of(step, kernel.reshape(plan.bank_shape), bias, bounds, addend)
    derived, state = layer.kernel.derived, state_of(layer)
    if step.packed is None:
        ready: tuple[int, ...] = ()
    else:
        found = derived.get((step.kernel, step.packed)) if keep else None
        if found is None or found[0] != state:
            ready, packed = (0,), d.empty((step.packed if step.once is None else step.once,), x.dtype)
        elif found[1].size < step.packed:  # seen before and not packed: weights that stay are worth it
            ready, packed = (0,), d.empty((step.packed,), x.dtype)
        else:
            ready, packed = (1,), found[1]
        memory = (*memory, packed)
    images = x.reshape(x_shape)
    if not transposed:
        images, g = with_border(plan, images, g)
    getattr(d.kernels, step.kernel)(y.reshape(y_shape), *memory, images, *last, *ready, g)
    if keep and step.packed is not None:
        derived[step.kernel, step.packed] = (state, packed)
        # Two threads must not share memory beside `packed`.
        whole = packed.size == step.packed and plan.padded is None and addend is None
        if step.scratch is None and whole and bounds is not None:
            if len(derived) > _SHAPES:
                derived.clear()
            derived[place(layer, x.shape)] = Kept(
                (state, packed), step.kernel, (shape, y_shape, x_shape), last, g, source, layer.activation)
    return y, bounds is not None


def convolve_backward(layer: Any, x: np.ndarray, dz: np.ndarray, g: np.ndarray, wants_dx: bool) -> np.ndarray | None:
    """Add to the gradients of kernel and bias, and return dx if it is wanted."""
    d = device.of(x)
    plan = plan_of(g.tobytes(), x.dtype, config.winograd(), False)
    images, gradients = x.reshape(plan.x_shape), dz.reshape(plan.y_shape)
    if layer.trainable:
        step = plan.backward_weights
        getattr(d.kernels, step.kernel)(
            layer.kernel.gradient.reshape(plan.bank_shape),
            NO_BIAS[x.dtype] if layer.bias is None else layer.bias.gradient, *memory_of(step, d, x.dtype), images,
            gradients, g)
    if not wants_dx:
        return None
    step, dx = plan.backward_input, d.empty(x.shape, x.dtype)
    ready = () if step.packed is None else (0,)
    getattr(d.kernels, step.kernel)(dx.reshape(plan.x_shape), *memory_of(step, d, x.dtype), gradients,
                                    *last_of(step, layer.kernel.array.reshape(plan.bank_shape), NO_BIAS[x.dtype]),
                                    *ready, g)
    return dx
