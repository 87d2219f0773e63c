"""`fastcnn.onnx.load`: a file becomes a model of layers, which trains, is saved and summarized as any other."""

import os
from dataclasses import replace
from typing import Any

import numpy as np
import onnx

from fastcnn.errors import ArgumentError, unknown
from fastcnn.models import Model
from fastcnn.onnx import convert as _convert  # noqa: F401  (enters the converters)
from fastcnn.onnx._executor import alive
from fastcnn.onnx._file import read
from fastcnn.onnx._graph import graph_of
from fastcnn.onnx._importer import Importer
from fastcnn.onnx._open_sizes import any_size, open_inputs
from fastcnn.onnx._simplify import simplified
from fastcnn.onnx.rewrite.quantized import unpacked


def load(path: str | os.PathLike[str] | onnx.ModelProto, *, input_shapes: Any = None,
         layout: str = "channels_last", name: str | None = None) -> Model:
    """Make a model of the layers that a file's nodes stand for, with the file's weights.

    Images are (N, C, H, W) in most files, and (N, H, W, C) in the model, at its inputs and outputs too: transpose data
    with ``numpy.moveaxis(x, 1, -1)``. (A file that turns its images itself, as those from TensorFlow do, takes them
    channels-last already; so does the model.) Vectors (N, F) are as in the file. Transposes and reshapes inside move
    nothing where they can be folded away, and the batch may be of any size whatever the file says.

    Parameters
    ----------
    path : path or ModelProto
    input_shapes : tuple, or dict of them by the inputs' names, optional
        Without the batch and in the file's order, (3, 224, 224), for sizes that the file leaves open. If they are
        absent, the model leaves them open, too, where its layers do not depend on them.
    layout : str
        "channels_last", or "channels_first": inputs and outputs in the file's order.
    name : str, optional
        The model's.

    Raises
    ------
    ModelFileError
        Damage, or nodes that no layer stands for: all of them in one message.
    ArgumentError
        If a size is missing, or an argument is not what it should be.
    """
    if layout not in ("channels_last", "channels_first"):
        raise ArgumentError(unknown("load: layout", layout, ["channels_last", "channels_first"]))
    proto, source = read(path)
    graph = graph_of(proto, source)
    graph = simplified(unpacked(replace(graph, nodes=tuple(alive(graph)))))
    names = [value.name for value in graph.inputs]
    if input_shapes is not None and not isinstance(input_shapes, dict):
        if len(names) != 1:
            raise ArgumentError(f"load: expected input_shapes for {names} by name, got {input_shapes!r}")
        input_shapes = {names[0]: input_shapes}
    for given, shape in (input_shapes or {}).items():
        if given not in names:
            raise ArgumentError(unknown("load: input", given, names))
        if not isinstance(shape, (tuple, list)) or not shape or not all(
                isinstance(n, (int, np.integer)) and n > 0 for n in shape):
            raise ArgumentError("load: expected input_shapes of positive integers such as (3, 224, 224), "
                                f"got {shape!r}")
    known = dict(input_shapes or {})

    def made(shapes: dict[str, Any]) -> Model:
        inputs, outputs = Importer(graph, source.name, known | shapes, layout == "channels_first").run()
        return Model(inputs[0] if len(inputs) == 1 else inputs, outputs[0] if len(outputs) == 1 else outputs, name=name)

    wanted = open_inputs(graph, known)
    found = any_size(made, wanted) if wanted else None
    return made({}) if found is None else found  # which asks for sizes that are missing
