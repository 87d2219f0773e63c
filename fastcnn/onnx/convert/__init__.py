"""What makes layers of the file's nodes: a file for each family of operators."""

from fastcnn.onnx.convert import (
    activation,
    conv,
    dense,
    function,
    merge,
    norm,
    padding,
    parts,
    pool,
    reduce,
    resize,
    shape,
    turned,
    vectors,
)

__all__ = ["activation", "conv", "dense", "function", "merge", "norm", "padding", "parts", "pool", "reduce", "resize",
           "shape", "turned", "vectors"]
