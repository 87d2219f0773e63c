"""Convolutions and dense layers as ONNX writes them."""

from typing import Any

import numpy as np

from fastcnn.geometry import dimensions
from fastcnn.onnx.exporter import open_sizes
from fastcnn.onnx.exporter.elements import activated
from fastcnn.onnx.exporter.writer import FIRST, LAST, ExportedTensor, Writer


def pads_of(sides: Any) -> list[int]:
    """Return ((before, after), ...) as ONNX orders it: all befores, then all afters."""
    return [int(pair[k]) for k in (0, 1) for pair in sides]


def borders(layer: Any, window: Any) -> Any:
    """Return ((before, after), ...) of a layer with windows; None where it is "same", and depends on an open size."""
    return open_sizes.for_all_sizes(layer, lambda size: dimensions.padding_of(
        layer.padding, size, window, layer.strides, layer.dilation_rate, str(layer)))


def padded(sides: Any) -> dict[str, Any]:
    """Return the attribute that tells borders."""
    return {"auto_pad": "SAME_UPPER"} if sides is None else {"pads": pads_of(sides)}


def _windows(layer: Any) -> dict[str, Any]:
    return {"kernel_shape": list(layer.kernel_size), "strides": list(layer.strides),
            "dilations": list(layer.dilation_rate)}


def _bias(w: Writer, layer: Any) -> list[str]:
    return [] if layer.bias is None else [w.parameter(layer.bias, layer.bias.array, "bias")]


def _conv(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    kernel = np.moveaxis(layer.kernel.array, (-1, -2), (0, 1))
    weights = w.parameter(layer.kernel, kernel, "kernel")
    y = w.node("Conv", [w.get(inputs[0], FIRST), weights, *_bias(w, layer)], group=layer.groups,
               **padded(borders(layer, layer.kernel_size)), **_windows(layer))
    return activated(w, layer.activation, w.value(y, layer.output_shape, FIRST))


def _depthwise_kernel(array: np.ndarray) -> np.ndarray:
    """Return (.., C, M) as (C M, 1, ..)."""
    rows = np.moveaxis(array, (-2, -1), (0, 1))
    return rows.reshape(-1, 1, *array.shape[:-2])


def _depthwise(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    weights = w.parameter(layer.kernel, _depthwise_kernel(layer.kernel.array), "kernel")
    y = w.node("Conv", [w.get(inputs[0], FIRST), weights, *_bias(w, layer)], group=layer.input_shape[-1],
               **padded(borders(layer, layer.kernel_size)), **_windows(layer))
    return activated(w, layer.activation, w.value(y, layer.output_shape, FIRST))


def _separable(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    depthwise = w.parameter(layer.depthwise_kernel, _depthwise_kernel(layer.depthwise_kernel.array), "depthwise_kernel")
    z = w.node("Conv", [w.get(inputs[0], FIRST), depthwise], group=layer.input_shape[-1],
               **padded(borders(layer, layer.kernel_size)), **_windows(layer))
    kernel = np.moveaxis(layer.pointwise_kernel.array, (-1, -2), (0, 1))
    pointwise = w.parameter(layer.pointwise_kernel, kernel, "pointwise_kernel")
    y = w.node("Conv", [z, pointwise, *_bias(w, layer)])
    return activated(w, layer.activation, w.value(y, layer.output_shape, FIRST))


def _around(layer: Any, size: tuple[int, ...]) -> tuple[Any, Any]:
    """Return what a transposed convolution cuts off at each side, and how much longer its output is after that."""
    outputs, sides = dimensions.transposed_lengths(size, layer.kernel_size, layer.strides, layer.padding,
                                                   layer.output_padding, layer.dilation_rate, str(layer))
    pads = [(max(0, a), max(0, b)) for a, b in sides]
    longer = [out - ((i - 1) * s + (k - 1) * d + 1 - a - b) for out, i, s, k, d, (a, b) in zip(
        outputs, size, layer.strides, layer.kernel_size, layer.dilation_rate, pads, strict=True)]
    return pads, longer


def _transposed(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    around = open_sizes.for_all_sizes(layer, lambda size: _around(layer, size))
    if around is None:
        raise open_sizes.not_offered(layer)
    pads, longer = around
    kernel = np.moveaxis(layer.kernel.array, (-1, -2), (0, 1))  # (.., filters / groups, C) to (C, filters / groups, ..)
    weights = w.parameter(layer.kernel, kernel, "kernel")
    # output_padding is for what no stride or dilation covers; the rest of a longer output is zeros and bias.
    rest = [max(0, n - (max(s, d) - 1)) for n, s, d in zip(longer, layer.strides, layer.dilation_rate, strict=True)]
    padding = [n - r for n, r in zip(longer, rest, strict=True)]
    more = [] if any(rest) else _bias(w, layer)
    y = w.node("ConvTranspose", [w.get(inputs[0], FIRST), weights, *more], pads=pads_of(pads), group=layer.groups,
               output_padding=padding, **_windows(layer))
    if any(rest):
        y = w.node("Pad", [y, w.constant([0, 0, *(0 for _ in rest), 0, 0, *rest], "pads")])
    value = w.value(y, layer.output_shape, FIRST)
    if any(rest) and layer.bias is not None:
        value = w.elementwise("Add", value, w.per_channel(layer.bias.array, value, "bias"))
    return activated(w, layer.activation, value)


def _dense(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    weights = w.parameter(layer.kernel, layer.kernel.array, "kernel")
    x = w.get(inputs[0], LAST)
    if inputs[0].rank == 2:
        y = w.node("Gemm", [x, weights, *_bias(w, layer)])
    else:
        y = w.node("MatMul", [x, weights])
        y = w.node("Add", [y, *_bias(w, layer)]) if layer.bias is not None else y
    return activated(w, layer.activation, w.value(y, layer.output_shape, LAST))


TABLE = {
    "Dense": _dense, "DepthwiseConv1D": _depthwise, "DepthwiseConv2D": _depthwise, "SeparableConv1D": _separable,
    "SeparableConv2D": _separable,
} | {f"Conv{n}D": _conv for n in (1, 2, 3)} | {f"Conv{n}DTranspose": _transposed for n in (1, 2, 3)}
