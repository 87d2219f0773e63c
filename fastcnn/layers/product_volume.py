"""Convolutions of volumes, and transposed ones, as convolutions of images whose channels are windows in depth.

Slices pass in chunks: those of the input that a chunk of output slices sees are unfolded into channels
(`fastcnn.kernels.cpu.depth`), and the kernels of 2D convolution do the rest; which ones, `product.plan_of` says. What
is unfolded for the gradients is unfolded again, so that no copy of the volume is ever kept.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.geometry.dimensions import CONV3D, slices
from fastcnn.layers.activation import apply
from fastcnn.layers.base import Backward
from fastcnn.layers.kept import NO_BIAS, arrays_of, state_of
from fastcnn.layers.product import RELU, Plan, Step, is_relu, last_of, memory_of, plan_of, with_border
from fastcnn.layers.product_transpose import add_bias_gradient

CHUNK = 1 << 20  #: elements of unfolded slices that pass together, 4 MB of float32; more, where filters are larger


class _Bank:
    """The filters as 2D convolution wants them, (KH, KW, KD C, K), and what its kernels packed of them."""

    def __init__(self, layer: Any, g: np.ndarray) -> None:
        self.kernel, self.state = layer.kernel.array, state_of(layer)
        kd, kh, kw, c, k = self.kernel.shape
        self.array = device.of(self.kernel).empty((kh, kw, kd * c, k), self.kernel.dtype)
        self.array.reshape(kh, kw, kd, c, k)[...] = self.kernel.transpose(1, 2, 0, 3, 4)
        self._packed: dict[Any, np.ndarray] = {}

    def run(self, step: Step, y: np.ndarray, x: np.ndarray, bias: np.ndarray, relu: bool, g: np.ndarray) -> None:
        """Run the kernel of a step, which packs the filters if no earlier one did."""
        d, dtype, key = device.of(y), self.array.dtype, (step.kernel, step.packed)
        run, last = getattr(d.kernels, step.kernel), last_of(step, self.array, bias, RELU if relu else None)
        scratch = () if step.scratch is None else (d.empty((step.scratch,), dtype),)
        if step.packed is None:
            run(y, *scratch, x, *last, g)
            return
        found = self._packed.get(key)
        packed = d.empty((step.packed,), dtype) if found is None else found
        run(y, *scratch, packed, x, *last, int(found is not None), g)
        self._packed[key] = packed  # now: other threads take what they find for packed


def _bank(layer: Any, g: np.ndarray, keep: bool) -> _Bank:
    if not keep:
        layer.kernel.derived.clear()
        return _Bank(layer, g)
    found = layer.kernel.derived.get("bank")
    if found is None or found.state != state_of(layer) or found.kernel is not layer.kernel.array:
        found = layer.kernel.derived["bank"] = _Bank(layer, g)
    return found


class _Chunk:
    """Some slices of the output: which ones, and the convolution of images that they are."""

    def __init__(self, g: np.ndarray, images: np.ndarray, plan: Plan, first: int, unfolded: np.ndarray) -> None:
        self.volume, self.geometry, self.plan, self.first, self.unfolded = g, images, plan, first, unfolded
        self.slices = slice(first, first + len(unfolded))

    def unfold(self, x: np.ndarray) -> np.ndarray:
        """Return what the slices see of x."""
        device.of(x).kernels.unfold_depth(self.unfolded, x, self.first, self.volume)
        return self.unfolded

    def forward(self, y: np.ndarray, seen: np.ndarray, bank: _Bank, bias: np.ndarray, relu: bool) -> None:
        """Write the chunk's slices of y, those of a convolution."""
        seen, g = with_border(self.plan, seen, self.geometry)
        bank.run(self.plan.forward, y[self.slices], seen, bias, relu, g)

    def backward_input(self, dx: np.ndarray, dy: np.ndarray, bank: _Bank, bias: np.ndarray, relu: bool) -> None:
        """Add to dx what the chunk's slices of dy have for it, bias and ReLU once: `dy` are slices."""
        bank.run(self.plan.backward_input, self.unfolded, dy[self.slices], NO_BIAS[dy.dtype], False, self.geometry)
        device.of(dx).kernels.fold_depth(dx, self.unfolded, bias, int(relu), self.first, self.volume)

    def backward_weights(self, dbank: np.ndarray, dbias: np.ndarray, seen: np.ndarray, dy: np.ndarray) -> None:
        """Add to the gradients of the bank and of the bias."""
        d, step = device.of(dy), self.plan.backward_weights
        getattr(d.kernels, step.kernel)(dbank.reshape(self.plan.bank_shape), dbias, *memory_of(step, d, dy.dtype), seen,
                                        dy[self.slices], self.geometry)


def _chunks(g: np.ndarray, dtype: Any) -> Iterator[_Chunk]:
    """Yield chunks of nearly one size, which share their memory."""
    field = {name: int(g[0][name]) for name in CONV3D.names or ()}
    pixels, channels = field["h"] * field["w"], field["kd"] * field["c"]
    weights = field["kh"] * field["kw"] * channels // field["groups"] * field["k"]
    slice_count = field["n"] * field["od"]
    most = max(1, max(CHUNK, 2 * weights) // (pixels * channels))
    parts = -(-slice_count // most)
    size = -(-slice_count // max(1, parts))
    unfolded = device.cpu.empty((size, field["h"], field["w"], channels), dtype)
    for first in range(0, slice_count, max(1, size)):
        count = min(size, slice_count - first)
        images = slices(g.tobytes(), count)
        plan = plan_of(images.tobytes(), np.dtype(dtype), config.winograd(), parts > 1)
        yield _Chunk(g, images, plan, first, unfolded[:count])


def _as_slices(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, *array.shape[2:])


def _forward(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray, bank: _Bank) -> tuple[np.ndarray, bool]:
    y, relu, bias = device.of(x).empty(shape, x.dtype), is_relu(layer.activation), arrays_of(layer)[1]
    for chunk in _chunks(g, x.dtype):
        chunk.forward(_as_slices(y), chunk.unfold(x), bank, bias, relu)
    return y, relu


def _transposed(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray,
                bank: _Bank) -> tuple[np.ndarray, bool]:
    y, relu, bias = device.of(x).empty(shape, x.dtype), is_relu(layer.activation), arrays_of(layer)[1]
    for chunk in _chunks(g, x.dtype):
        chunk.backward_input(y, _as_slices(x), bank, bias, relu)
    return y, relu


def convolve(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray,
             transposed: bool = False) -> tuple[np.ndarray, Backward]:
    """Return y of `shape` and the backward pass of the activation, as `product.convolve`."""
    y, relu = (_transposed if transposed else _forward)(layer, x, shape, g, _bank(layer, g, keep=False))
    if relu:
        return y, layer.activation.backward(y)
    return apply(layer.activation, y)


def convolve_only(layer: Any, x: np.ndarray, shape: tuple[int, ...], g: np.ndarray,
                  transposed: bool = False) -> np.ndarray:
    """Return y as `convolve` does, and keep the packed weights until the parameters change."""
    y, relu = (_transposed if transposed else _forward)(layer, x, shape, g, _bank(layer, g, keep=True))
    return y if relu or layer.activation is None else apply(layer.activation, y)[0]


def convolve_backward(layer: Any, x: np.ndarray, dz: np.ndarray, g: np.ndarray, wants_dx: bool,
                      transposed: bool = False) -> np.ndarray | None:
    """Add to the gradients of kernel and bias, and return dx if it is wanted."""
    d, none, bank = device.of(x), NO_BIAS[x.dtype], _Bank(layer, g)
    dx = d.empty(x.shape, x.dtype) if wants_dx else None
    dbank = d.zeros(bank.array.shape, x.dtype) if layer.trainable else None
    dbias = none if layer.bias is None or transposed or dbank is None else layer.bias.gradient
    volume, images = (dz, _as_slices(x)) if transposed else (x, _as_slices(dz))
    for chunk in _chunks(g, x.dtype):
        seen = chunk.unfold(volume) if dbank is not None or (transposed and wants_dx) else none
        if dbank is not None:
            chunk.backward_weights(dbank, dbias, seen, images)
        if dx is not None and transposed:
            chunk.forward(_as_slices(dx), seen, bank, none, False)
        elif dx is not None:
            chunk.backward_input(dx, images, bank, none, False)
    if dbank is not None:
        _add_to_kernel(layer.kernel, dbank)
        if transposed:
            add_bias_gradient(layer, dz)
    return dx


def _add_to_kernel(kernel: Any, dbank: np.ndarray) -> None:
    d, (kd, kh, kw, c, k) = device.of(dbank), kernel.shape
    ordered = d.empty(kernel.shape, dbank.dtype)
    ordered[...] = dbank.reshape(kh, kw, kd, c, k).transpose(2, 0, 1, 3, 4)
    total = kernel.gradient.reshape(-1)
    d.kernels.add(total, total, ordered.reshape(-1))
