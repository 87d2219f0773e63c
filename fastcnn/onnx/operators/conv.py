"""Convolution: of floats along up to three dimensions by the layers, of other types by a sum over the window."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import channels_first, channels_last, check_size, is_float
from fastcnn.onnx.operators._registry import operator
from fastcnn.onnx.operators._windows import Ints, WindowGrid, padded, taps, windows

_CONV = layers.Conv1D, layers.Conv2D, layers.Conv3D
_TRANSPOSE = layers.Conv1DTranspose, layers.Conv2DTranspose, layers.Conv3DTranspose


def check_bank(who: str, shape: Any, w: np.ndarray, group: int, kernel_shape: Ints) -> None:
    """Raise unless a filter bank fits an input of some shape, and the window that the node names.

    Parameters
    ----------
    who : str
        The operator.
    shape : tuple of int
        The input's, (N, C, ...).
    w : ndarray
        (K, C / group, ...), or (C, K / group, ...) if transposed.
    group, kernel_shape
        The node's attributes.
    """
    if len(shape) < 3 or w.ndim != len(shape) or group < 1 or w.shape[0] % group or shape[1] != (
            w.shape[0] if who == "ConvTranspose" else w.shape[1] * group):
        raise ModelFileError(f"{who}: expected a filter bank for an input (N, C, ...) = {tuple(shape)} in {group} "
                             f"groups, got {w.shape}")
    if list(kernel_shape or w.shape[2:]) != list(w.shape[2:]):
        raise ModelFileError(f"{who}: expected a filter bank with windows of {kernel_shape}, got {w.shape}")


@operator("Conv")
def conv(x: np.ndarray, w: np.ndarray, bias: np.ndarray | None = None, *, auto_pad: str = "NOTSET",
         dilations: Ints = None, group: int = 1, kernel_shape: Ints = None, pads: Ints = None, strides: Ints = None,
         kept: dict[Any, Any]) -> np.ndarray:
    """x (N, C, ...) and filters (K, C / group, ...) to (N, K, ...)."""
    check_bank("Conv", x.shape, w, group, kernel_shape)
    lie = windows("Conv", x.shape[2:], w.shape[2:], strides, pads, dilations, auto_pad)
    if min(lie.before + lie.after) < 0:
        raise ModelFileError(f"Conv: expected pads of at least 0, got {pads}")
    check_size("Conv", (x.shape[0], w.shape[0], *lie.outputs), x.dtype)
    if x.ndim > 5 or not is_float(x):
        return _conv_by_taps(x, w, bias, lie, group)
    return _by_layer(_CONV[x.ndim - 3], x, w, bias, lie, group, kept, filters=w.shape[0])


def _by_layer(make: Any, x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, lie: WindowGrid, group: int,
              kept: dict[Any, Any], **more: Any) -> np.ndarray:
    """Return what a layer predicts, which is kept with its packed weights for the next images of that size."""
    images = channels_last(x)
    key = images.shape[1:]
    layer, *made_from = kept.get(key, (None, None, None))
    if layer is None or made_from[0] is not w or made_from[1] is not bias:
        layer = make(kernel_size=lie.kernel, strides=lie.strides, dilation_rate=lie.dilations,
                     padding=tuple(zip(lie.before, lie.after)), groups=group, use_bias=bias is not None,
                     dtype=x.dtype.name, name="conv", kernel_initializer="zeros", **more)
        layer.build((None, *key))
        bank = w.transpose(*range(2, w.ndim), 1, 0)
        layer.set_weights([bank] if bias is None else [bank, bias])
        kept.clear()
        kept[key] = layer, w, bias
    return channels_first(layer.predict(images))


def _with_bias(y: np.ndarray, bias: np.ndarray | None, dtype: np.dtype) -> np.ndarray:
    if bias is not None:
        y = y + bias.reshape(-1, *(1,) * (y.ndim - 2))
    return y.astype(dtype, copy=False)


def _conv_by_taps(x: np.ndarray, w: np.ndarray, bias: np.ndarray | None, lie: WindowGrid, group: int) -> np.ndarray:
    kind = x.dtype if is_float(x) else np.dtype(np.float32)
    n, c = x.shape[:2]
    k = w.shape[0]
    images = padded(x, lie, 0).astype(kind, copy=False)
    y = np.zeros((group, k // group, n, *lie.outputs), kind)
    for tap, where in taps(lie):
        part = images[:, :, *where].reshape(n, group, c // group, -1).transpose(1, 2, 0, 3)
        bank = w[:, :, *tap].reshape(group, k // group, c // group).astype(kind, copy=False)
        y += (bank @ part.reshape(group, c // group, -1)).reshape(y.shape)
    return _with_bias(np.moveaxis(y.reshape(k, n, *lie.outputs), 0, 1), bias, x.dtype)


@operator("ConvTranspose")
def conv_transpose(x: np.ndarray, w: np.ndarray, bias: np.ndarray | None = None, *, auto_pad: str = "NOTSET",
                   dilations: Ints = None, group: int = 1, kernel_shape: Ints = None, output_padding: Ints = None,
                   output_shape: Ints = None, pads: Ints = None, strides: Ints = None,
                   kept: dict[Any, Any]) -> np.ndarray:
    """x (N, C, ...) and filters (C, K / group, ...) to (N, K, ...): the gradient of a convolution's input."""
    check_bank("ConvTranspose", x.shape, w, group, kernel_shape)
    rank = x.ndim - 2
    lie, output_shape, more = transposed_windows(x.shape[2:], w.shape[2:], strides, dilations, auto_pad, pads,
                                                 output_padding, output_shape)
    check_size("ConvTranspose", (*x.shape[:1], w.shape[1] * group, *output_shape), x.dtype)
    suits = min(lie.before + lie.after) >= 0 and all(0 <= m < s for m, s in zip(more, lie.strides))
    if rank <= 3 and is_float(x) and suits:
        return _by_layer(_TRANSPOSE[rank - 1], x, w, bias, lie, group, kept, filters=w.shape[1] * group,
                         output_padding=more)
    return _with_bias(_transpose_by_taps(x, w, lie, output_shape, group), bias, x.dtype)


def transposed_windows(size: Sequence[int], kernel: Sequence[int], strides: Ints, dilations: Ints, auto_pad: str,
                       pads: Ints, output_padding: Ints, output_shape: Ints
                       ) -> tuple[WindowGrid, list[int], tuple[int, ...]]:
    """Return how the windows of a transposed convolution lie, its output's size, and what stands behind each end.

    A size that the node names, or that auto_pad means, is cut out of the whole, the larger half in front unless it is
    SAME_UPPER; where nothing is cut, zeros stand behind.
    """
    rank = len(size)
    steps, gaps = tuple(strides or [1] * rank), tuple(dilations or [1] * rank)
    if auto_pad.startswith("SAME") and output_shape is None:
        output_shape = [n * s for n, s in zip(size, steps)]
    full = transposed_size(size, kernel, steps, gaps, output_padding or [0] * rank)
    if output_shape is not None:
        output_shape = list(output_shape)[-rank:]
        cut = [max(f - o, 0) for f, o in zip(full, output_shape)]
        before = [c // 2 if auto_pad == "SAME_UPPER" else c - c // 2 for c in cut]
        after = [c - b for c, b in zip(cut, before)]
    else:
        borders = [0] * (2 * rank) if auto_pad == "VALID" or pads is None else list(pads)
        before, after = borders[:rank], borders[rank:]
        output_shape = [f - b - a for f, b, a in zip(full, before, after)]
    if min(output_shape) < 1:
        raise ModelFileError(f"ConvTranspose: expected pads that leave some pixels, got {before} and {after} on {full}")
    check_size("ConvTranspose", list(map(max, full, output_shape)), np.float32)
    lie = WindowGrid(tuple(kernel), steps, gaps, tuple(before), tuple(after), tuple(size))
    more = tuple(o + b + a - s * (n - 1) - e for o, b, a, s, n, e in
                 zip(output_shape, before, after, steps, size, lie.extent))
    return lie, output_shape, more


def transposed_size(size: Sequence[int], kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int],
                    output_padding: Sequence[int]) -> list[int]:
    """Return the size of a transposed convolution's output before its borders are cut off."""
    if not len(strides) == len(dilations) == len(output_padding) == len(size) or min(*strides, *dilations) < 1:
        raise ModelFileError(f"ConvTranspose: expected {len(size)} positive strides and dilations and as many "
                             f"output_padding, got {list(strides)}, {list(dilations)} and {list(output_padding)}")
    full = [s * (n - 1) + (k - 1) * d + 1 + extra
            for n, s, k, d, extra in zip(size, strides, kernel, dilations, output_padding)]
    check_size("ConvTranspose", full, np.float32)
    return full


def _transpose_by_taps(x: np.ndarray, w: np.ndarray, lie: WindowGrid, outputs: list[int], group: int) -> np.ndarray:
    kind = x.dtype if is_float(x) else np.dtype(np.float32)
    n, c = x.shape[:2]
    k = w.shape[1]
    room = [max((n - 1) * s + e, b + o) for n, s, e, b, o in
            zip(lie.outputs, lie.strides, lie.extent, lie.before, outputs)]
    y = np.zeros((n, group * k, *room), kind)
    images = x.astype(kind, copy=False).reshape(n, group, c // group, -1)
    for tap, where in taps(lie):
        bank = w[:, :, *tap].reshape(group, c // group, k).astype(kind, copy=False)
        part = np.matmul(bank.transpose(0, 2, 1), images)
        y[:, :, *where] += part.reshape(n, group * k, *lie.outputs)
    inside = tuple(slice(b, b + o) for b, o in zip(lie.before, outputs))
    return y[:, :, *inside]
