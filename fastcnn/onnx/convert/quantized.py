"""Quantized tensors: a pair of QuantizeLinear and DequantizeLinear is a layer, weights of 8 bits are a quantized one's.

Between the two nodes of a pair a tensor is there as the numbers that its integers stand for. What moves integers, or
takes the largest of them, does the same to these.
"""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View
from fastcnn.operations.quantized import Quantization

#: Operators whose outputs are integers of their inputs.
_MOVES = {"Concat", "Flatten", "GlobalMaxPool", "Identity", "MaxPool", "Reshape", "Slice", "Squeeze", "Transpose",
          "Unsqueeze"}
_BYTES = {np.dtype(np.uint8): 0, np.dtype(np.int8): 128}


def _quantization(im: Importer, scale: Any, zero: Any) -> Quantization:
    """Return what the bytes of a tensor stand for; signed ones are as good as those without a sign, 128 higher."""
    scale = im.constant(scale, "a scale")
    zero = np.zeros((), np.uint8) if zero is None else im.constant(zero, "a zero point")
    if scale.size != 1 or zero.size != 1:
        raise NotOfferedError("a tensor with a scale for each channel")
    if zero.dtype not in _BYTES:
        raise NotOfferedError(f"a tensor quantized to {zero.dtype}")
    return Quantization(float(np.float32(scale.reshape(-1)[0])), int(zero.reshape(-1)[0]) + _BYTES[zero.dtype])


def _sources(im: Importer, name: str) -> set[Quantization]:
    """Return what made the integers of a name."""
    left, seen, found = [name], {name}, set[Quantization]()
    while left:
        node = im.makers.get(left.pop())
        if node is None or node.domain or node.operator not in _MOVES | {"QuantizeLinear"}:
            raise NotOfferedError("DequantizeLinear of integers that no QuantizeLinear makes")
        if node.operator == "QuantizeLinear":
            found.add(_quantization(im, *(im.values.get(one) if one else None for one in (*node.inputs, "")[1:3])))
            continue
        read = node.inputs if node.operator == "Concat" else node.inputs[:1]
        left += [one for one in read if one not in seen]
        seen.update(read)
    return found


@converter("QuantizeLinear")
def quantize(im: Importer, x: View, scale: Any, zero_point: Any = None, *, node: OnnxNode, axis: int = 1,
             saturate: int = 1, block_size: int = 0, output_dtype: int = 0, precision: int = 0) -> View:
    if zero_point is None and output_dtype not in (0, 2):
        raise NotOfferedError(f"QuantizeLinear to the type {output_dtype}")
    known = _quantization(im, scale, zero_point)
    return x.on(im.apply(node, layers.QuantizeDequantize, x.tensor, *known))


@converter("DequantizeLinear")
def dequantize(im: Importer, x: View, scale: Any, zero_point: Any = None, *, node: OnnxNode, axis: int = 1,
               block_size: int = 0, output_dtype: int = 0) -> View:
    if _sources(im, node.inputs[0]) != {_quantization(im, scale, zero_point)}:
        raise NotOfferedError("DequantizeLinear with another scale or zero point than the tensor was quantized with")
    return x


def integers_of(im: Importer, name: str, axis: int) -> tuple[np.ndarray, np.ndarray] | None:
    """Return weights as int8 and the scale of each along an axis, where a constant is such weights as numbers.

    Parameters
    ----------
    im : Importer
    name : str
        Of the numbers.
    axis : int
    """
    node = im.makers.get(name)
    if node is None or node.domain or node.operator != "DequantizeLinear" or node.attributes.get("block_size"):
        return None
    integers, scale, zero = (im.values.get(one) if one else None for one in (*node.inputs, "")[:3])
    if not isinstance(integers, np.ndarray) or not isinstance(scale, np.ndarray) or integers.dtype not in _BYTES:
        return None
    if scale.size > 1 and node.attributes.get("axis", 1) % integers.ndim != axis % integers.ndim:
        return None
    shift = 0 if integers.dtype == np.int8 else 128
    middle = shift * np.ones(1, int) if zero is None and shift == 0 else np.zeros(1, int) if zero is None else zero
    if np.any(middle.astype(int) != shift):
        return None  # products with weights that are not symmetric need another sum
    signed = (integers.astype(int) - shift).astype(np.int8)
    return signed, np.broadcast_to(scale.reshape(-1), (integers.shape[axis],)).astype(np.float32)
