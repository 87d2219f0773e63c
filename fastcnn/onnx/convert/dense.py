"""Dense layers: products of vectors, or of the last dimension, with a matrix of the file."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, laid_out
from fastcnn.onnx.convert.conv import times
from fastcnn.onnx.convert.quantized import integers_of


def _dense(im: Importer, x: View, kernel: np.ndarray, bias: np.ndarray | None, node: OnnxNode,
           known: tuple[np.ndarray, np.ndarray] | None = None) -> View:
    """Return the dense layer on the last dimension of the file, its rows in the order of memory.

    `known` are the kernel's integers of 8 bits and their scales, where it is made of such.
    """
    if kernel.ndim != 2 or kernel.shape[0] != x.shape[-1]:
        raise NotOfferedError(f"a product of {(None, *x.shape)} with a constant of shape {kernel.shape}")
    units = kernel.shape[1]
    rank = len(x.dims) + 1
    if known is None:
        scale, offset, later = im.affine_after(node, rank, units, rank - 1)
    else:
        scale, offset, later = np.ones(units), np.zeros(units), (node.outputs[0], ())
        kernel = known[0]
    use_bias = bias is not None or bool(offset.any())
    b = (np.zeros(units) if bias is None else np.broadcast_to(bias.reshape(-1), (units,))) * scale + offset
    kernel = times(kernel, scale)
    if len(x.dims) == 1:  # what was flattened stays as it lies in memory, and the rows follow
        tensor = im.flat(x)
        if not x.is_natural:
            rows = np.arange(x.elements).reshape([x.sizes[atom] for atom in x.dims[0]])
            kernel = kernel[rows.transpose(np.argsort(x.dims[0])).reshape(-1)]
    else:
        tensor = im.arranged(x, x.dims)
    if known is None:
        y = im.apply(node, layers.Dense, tensor, units, use_bias=use_bias, weights=[kernel] + [b] * use_bias)
    else:
        y = im.apply(node, layers.QuantizedDense, tensor, units, use_bias=use_bias,
                     weights=[kernel, known[1]] + [b] * use_bias)
    return im.also(node, later, laid_out(y))


@converter("Gemm")
def gemm(im: Importer, a: Any, b: Any, c: Any = None, *, node: OnnxNode, alpha: float = 1.0, beta: float = 1.0,
         transA: int = 0, transB: int = 0, broadcast: int = 0) -> View:
    kernel = im.constant(b, "a matrix")
    if transA or not isinstance(a, View) or len(a.dims) != 1:
        raise NotOfferedError("a product whose left side is no batch of vectors")
    bias = None if c is None else im.constant(c, "an addend of a product").astype(np.float64) * beta
    if bias is not None and bias.ndim > 1 and bias.shape[0] != 1:
        raise NotOfferedError("an addend that differs within the batch")
    known = integers_of(im, node.inputs[1], 0 if transB else 1) if alpha == 1 else None
    if known is not None and transB:
        known = known[0].T, known[1]
    return _dense(im, a, times(kernel.T if transB else kernel, alpha), bias, node, known)


@converter("MatMul")
def matmul(im: Importer, a: Any, b: Any, *, node: OnnxNode) -> View:
    kernel = im.constant(b, "a matrix")
    if not isinstance(a, View) or not a.dims:
        raise NotOfferedError("a product other than of vectors with a matrix")
    return _dense(im, a, kernel, None, node, integers_of(im, node.inputs[1], 1) if kernel.ndim == 2 else None)
