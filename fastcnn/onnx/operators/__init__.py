"""ONNX's operators on NumPy arrays, in ONNX's own semantics: a file for each family, a table of all.

The backend runs graphs by it, and the importer computes by it whatever a file leaves constant.
"""

from fastcnn.onnx.operators import (
    activations,
    arithmetic,
    arrays,
    control,
    conv,
    indexing,
    losses,
    matmul,
    norm,
    pool,
    quantized,
    reduce,
    regions,
    resize,
    sampling,
    slicing,
    training,
    vision,
)
from fastcnn.onnx.operators._registry import TRAINING, Operator, find, known

__all__ = ["TRAINING", "Operator", "activations", "arithmetic", "arrays", "control", "conv", "find", "indexing",
           "known", "losses", "matmul", "norm", "pool", "quantized", "reduce", "regions", "resize", "sampling",
           "slicing", "training", "vision"]
