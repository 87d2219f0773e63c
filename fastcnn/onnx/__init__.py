"""ONNX: models from elsewhere (extra ``onnx``).

import fastcnn as fc
fc.onnx.backend.prepare("model.onnx").run([images])      any graph, in the file's own order of dimensions
"""

import importlib
from typing import TYPE_CHECKING, Any

from fastcnn.errors import ArgumentError

__all__ = ["backend"]

if TYPE_CHECKING:
    from fastcnn.onnx import backend


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'fastcnn.onnx' has no attribute {name!r}")
    try:
        importlib.import_module("onnx")
    except ImportError as error:
        raise ArgumentError(f"fastcnn.onnx: expected the package onnx, got: {error}; "
                            "install it with pip install 'fastcnn[onnx]'") from error
    return importlib.import_module("fastcnn.onnx.backend")


def __dir__() -> list[str]:
    return sorted(__all__)
