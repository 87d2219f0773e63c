"""Quantized layers in the form that runtimes look for (QDQ): numbers, quantized and dequantized around each operator.

    x -> QuantizeLinear -> DequantizeLinear -> Conv -> Relu -> QuantizeLinear -> DequantizeLinear -> ..
                 filters of int8 -> DequantizeLinear ^       bias of int32 -> DequantizeLinear, the third input of Conv

A runtime puts an operator on integers in the place of each such group. The bias's scale is that of the input times that
of the filter, so that the bias is a sum's beginning.
"""

from typing import Any

import numpy as np

from fastcnn.onnx.exporter.convolutions import borders, padded
from fastcnn.onnx.exporter.elements import activated
from fastcnn.onnx.exporter.writer import FIRST, LAST, ExportedTensor, Writer
from fastcnn.operations.quantized_product import integer_bias


def _quantize_dequantize(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    (value,), (scale, zero) = inputs, layer.quantization
    order = FIRST if value.rank == 4 else value.order
    told = [w.constant(np.float32(scale), "scale", np.float32), w.constant(np.uint8(zero), "zero_point", np.uint8)]
    name = w.node("DequantizeLinear", [w.node("QuantizeLinear", [w.get(value, order), *told]), *told])
    w.scales[name] = scale
    return w.value(name, value.shape, order)


def _dequantized(w: Writer, integers: np.ndarray, scale: np.ndarray, axis: int, hint: str) -> str:
    """Write constants of integers as numbers, with a scale for each of an axis; return the name of the numbers."""
    zeros = w.constant(np.zeros(scale.shape, integers.dtype), f"{hint}_zero_point", integers.dtype)
    told = [w.constant(integers, hint, integers.dtype), w.constant(scale, f"{hint}_scale", np.float32), zeros]
    name: str = w.node("DequantizeLinear", told, axis=axis)
    return name


def _bias(w: Writer, layer: Any, x: str, scale: np.ndarray) -> list[str]:
    """Write the bias as integers of 32 bits where the input's scale is known, else as numbers."""
    if layer.bias is None:
        return []
    if x not in w.scales:
        return [w.constant(layer.bias.numpy(), "bias", np.float32)]
    step = np.float32(w.scales[x]) * scale
    return [_dequantized(w, integer_bias(layer.bias.numpy().astype(np.float64), step), step, 0, "bias")]


def _conv(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, scale = w.get(inputs[0], FIRST), layer.scale.numpy().astype(np.float32)
    kernel = _dequantized(w, np.moveaxis(layer.integers.numpy(), (-1, -2), (0, 1)), scale, 0, "kernel")
    y = w.node("Conv", [x, kernel, *_bias(w, layer, x, scale)], group=layer.groups,
               **padded(borders(layer, layer.kernel_size)), kernel_shape=list(layer.kernel_size),
               strides=list(layer.strides), dilations=list(layer.dilation_rate))
    return activated(w, layer.activation, w.value(y, layer.output_shape, FIRST))


def _dense(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, scale = w.get(inputs[0], LAST), layer.scale.numpy().astype(np.float32)
    kernel = _dequantized(w, layer.integers.numpy(), scale, 1, "kernel")
    if inputs[0].rank == 2:
        y = w.node("Gemm", [x, kernel, *_bias(w, layer, x, scale)])
    else:
        y = w.node("MatMul", [x, kernel])
        if layer.bias is not None:
            y = w.node("Add", [y, w.constant(layer.bias.numpy(), "bias", np.float32)])
    return activated(w, layer.activation, w.value(y, layer.output_shape, LAST))


TABLE = {"QuantizeDequantize": _quantize_dequantize, "QuantizedConv2D": _conv, "QuantizedDense": _dense}
