"""What makes layers of the file's nodes: a file for each family of operators."""

from fastcnn.onnx.convert import (
    activation,
    conv,
    dense,
    function,
    merge,
    moved_batch,
    norm,
    padding,
    pool,
    quantized,
    reduce,
    regions,
    resize,
    shape,
    slicing,
    vectors,
)

__all__ = ["activation", "conv", "dense", "function", "merge", "moved_batch", "norm", "padding", "pool", "quantized",
           "reduce", "regions", "resize", "shape", "slicing", "vectors"]
