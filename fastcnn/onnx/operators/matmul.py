"""Matrix products: two-dimensional floats by the kernels of dense layers, the rest by NumPy."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx.operators._memory import dense, is_float
from fastcnn.onnx.operators._registry import operator


def _product(a: np.ndarray, b: np.ndarray, bias: np.ndarray | None, kept: dict[Any, Any]) -> np.ndarray:
    """Return a b + bias for a (rows, inputs), b (inputs, units) and a bias of units, or none."""
    layer, *made_from = kept.get("layer", (None, None, None))
    if layer is None or made_from[0] is not b or made_from[1] is not bias or layer.input_shape[-1] != a.shape[-1]:
        layer = layers.Dense(b.shape[1], use_bias=bias is not None, name="matmul", dtype=a.dtype.name,
                             kernel_initializer="zeros")
        layer.build((None, a.shape[1]))
        layer.set_weights([b] if bias is None else [b, bias])
        kept["layer"] = layer, b, bias
    return layer.predict(dense(a))


def _turned(b: np.ndarray, kept: dict[Any, Any]) -> np.ndarray:
    """Return the transpose, the same object for the same array, so that packed weights are found again."""
    if kept.get("b") is not b:
        kept["b"], kept["turned"] = b, b.T
    return kept["turned"]


@operator("Gemm")
def gemm(a: np.ndarray, b: np.ndarray, c: np.ndarray | None = None, *, alpha: float = 1.0, beta: float = 1.0,
         transA: int = 0, transB: int = 0, broadcast: int = 0, kept: dict[Any, Any]) -> np.ndarray:
    """alpha a b + beta c, a or b turned before."""
    left = a.T if transA else a
    right = _turned(b, kept) if transB else b
    if is_float(a) and a.size and b.size:
        units = right.shape[1]
        inside = alpha == beta == 1 and c is not None and c.shape in ((units,), (1, units))
        if inside:
            row = c.reshape(-1) if c.ndim > 1 else c  # type: ignore[union-attr]
            return _product(left, right, row if c.ndim == 1 else _same(row, c, kept), kept)  # type: ignore[arg-type, union-attr]
        y = _product(left, right, None, kept)
    else:
        y = left @ right
    y = y if alpha == 1 else y * np.asarray(alpha, y.dtype)
    if c is None or beta == 0:
        return y
    return y + (c if beta == 1 else c * np.asarray(beta, c.dtype))


def _same(row: np.ndarray, c: np.ndarray, kept: dict[Any, Any]) -> np.ndarray:
    if kept.get("c") is not c:
        kept["c"], kept["row"] = c, row
    return kept["row"]


@operator("MatMul")
def matmul(a: np.ndarray, b: np.ndarray, *, kept: dict[Any, Any]) -> np.ndarray:
    """NumPy's matmul; a stack of matrices times one matrix is one product of all their rows."""
    if b.ndim == 2 and a.ndim >= 2 and is_float(a) and a.size and b.size:
        y = _product(a.reshape(-1, a.shape[-1]), b, None, kept)
        return y.reshape(*a.shape[:-1], b.shape[1])
    if a.dtype.itemsize == 2 and a.dtype.kind not in "iu":  # half precision: sums in single, rounded once
        return np.matmul(a.astype(np.float32), b.astype(np.float32)).astype(a.dtype)
    return np.matmul(a, b)


@operator("Einsum")
def einsum(*arrays: np.ndarray, equation: str) -> np.ndarray:
    kind = arrays[0].dtype
    wide = arrays if kind.itemsize > 2 else [a.astype(np.float32) for a in arrays]
    return np.einsum(equation.replace(" ", ""), *wide).astype(kind)


@operator("Det")
def det(x: np.ndarray) -> np.ndarray:
    return np.linalg.det(x).astype(x.dtype)
