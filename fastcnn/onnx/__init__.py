"""ONNX: models from elsewhere (extra ``onnx``).

Models come in as layers, go out as files, and any file runs as it is::

    import fastcnn as fc
    model = fc.onnx.load("model.onnx")                       the layers that a file of another program stands for
    fc.onnx.export(model, "model.onnx")                      what a model predicts, for every other program
    fc.onnx.backend.prepare("model.onnx").run([images])      any graph, in the file's own order of dimensions
"""

import importlib
from typing import TYPE_CHECKING, Any

from fastcnn.errors import ArgumentError

__all__ = ["backend", "export", "load"]

_PLACES = {"export": "exporter", "load": "_load"}

if TYPE_CHECKING:
    from fastcnn.onnx import backend
    from fastcnn.onnx._load import load
    from fastcnn.onnx.exporter import export


if not TYPE_CHECKING:  # else type checkers would believe in any name
    def __getattr__(name: str) -> Any:
        if name not in __all__:
            raise AttributeError(f"module 'fastcnn.onnx' has no attribute {name!r}")
        try:
            importlib.import_module("onnx")
        except ImportError as error:
            raise ArgumentError(f"fastcnn.onnx: expected the package onnx, got: {error}; "
                                "install it with pip install 'fastcnn[onnx]'") from error
        if name in _PLACES:
            return getattr(importlib.import_module(f"fastcnn.onnx.{_PLACES[name]}"), name)
        return importlib.import_module(f"fastcnn.onnx.{name}")


def __dir__() -> list[str]:
    return sorted(__all__)
