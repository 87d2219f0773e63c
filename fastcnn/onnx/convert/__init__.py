"""What makes layers of the file's nodes: a file for each family of operators."""

from fastcnn.onnx.convert import activation, conv, dense, function, merge, norm, parts, pool, reduce, resize, shape

__all__ = ["activation", "conv", "dense", "function", "merge", "norm", "parts", "pool", "reduce", "resize", "shape"]
