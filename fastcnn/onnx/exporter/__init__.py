"""From a model to an ONNX file: each layer is written by a function of its class's name, or by itself."""

import os
from pathlib import Path
from typing import Any

import onnx

from fastcnn.errors import ArgumentError
from fastcnn.formats.files import user_path, write_atomically
from fastcnn.graph.trace import opened
from fastcnn.layers import Layer
from fastcnn.models import Model
from fastcnn.onnx.exporter import (
    convolutions,
    elements,
    fitting,
    functions,
    normalizations,
    open_sizes,
    operations,
    poolings,
    quantized,
    regions,
    shapes,
)
from fastcnn.onnx.exporter.writer import FIRST, LAST, ExportedTensor, Writer, to_first
from fastcnn.symbolic import as_shapes

_OLDEST, _NEWEST, _USUAL = 20, 23, 21
_LARGEST = 2**31 - 1  # bytes of a protobuf message

#: (writer, layer, inputs) -> outputs, by the name of the layer's class.
TABLE: dict[str, Any] = {
    **convolutions.TABLE, **elements.TABLE, **fitting.TABLE, **functions.TABLE, **normalizations.TABLE,
    **operations.TABLE, **poolings.TABLE, **quantized.TABLE, **regions.TABLE, **shapes.TABLE}


def export(model: Any, path: str | os.PathLike[str], *, opset: int = _USUAL, layout: str = "channels_last",
           overwrite: bool = True) -> Path:
    """Write a built model as an ONNX file that predicts as the model does. Dropout and noise are left out.

    Sizes that the model leaves open are open in the file, too.

    Parameters
    ----------
    model : Model
    path : path-like
        Ends in ``.onnx``; its folder exists.
    opset : int
        The version of ONNX's operators, 20 to 23.
    layout : str
        "channels_last": the file takes and gives what ``model.predict`` does, (N, H, W, C). "channels_first": it takes
        and gives (N, C, H, W), as most files of other programs.
    overwrite : bool
        Whether a file that is there may be replaced.

    Returns
    -------
    Path
        The file. Inputs and outputs have the names of the model's (`model.input_names`, `model.output_names`).

    Raises
    ------
    ArgumentError
        If the model is not built, an argument is not offered, a layer is none of fastcnn's and has no
        ``write_onnx`` (all are named), an output
        has the name of an input that it is not, or the file would be larger than 2 GiB.
    OSError
        The system refuses: a full disk, no permission, no such folder.
    """
    path = user_path(path, "onnx.export")
    if path.suffix.lower() != ".onnx":
        raise ArgumentError(f"{path}: expected a path that ends in .onnx, got {path.suffix or 'no suffix'}; "
                            f"export to {path.stem or 'model'}.onnx")
    if path.exists() and not overwrite:
        raise ArgumentError(f"{path}: expected a new file, got one that exists; choose another, or replace "
                            f"it with overwrite=True or --overwrite")
    made = model_proto(model, opset, layout)
    if made.ByteSize() > _LARGEST:
        raise ArgumentError(f"{model}: expected a file of at most 2 GiB, which ONNX allows, got {made.ByteSize():,} "
                            f"bytes; save it with model.save instead")
    onnx.checker.check_model(made, full_check=True)
    write_atomically(path, made.SerializeToString())
    return path


def model_proto(model: Any, opset: int = _USUAL, layout: str = "channels_last") -> onnx.ModelProto:
    """Return what `export` writes, in memory; arguments and errors are its own.

    Parameters
    ----------
    model : Model
    opset : int
    layout : str
    """
    if not isinstance(model, Model):
        raise ArgumentError(f"export: expected a model, got {model!r}")
    if model.traced is None:
        raise ArgumentError(f"{model}: expected a built model to export; begin with fc.Input(shape)")
    if not isinstance(opset, int) or not _OLDEST <= opset <= _NEWEST:
        raise ArgumentError(f"export: expected an opset of {_OLDEST} to {_NEWEST}, got {opset!r}")
    if layout not in ("channels_last", "channels_first"):
        raise ArgumentError(f'export: expected layout "channels_last" or "channels_first", got {layout!r}')
    steps = opened(model.traced)
    strange = sorted({type(s.node).__name__ for s in steps.steps if _writer_of(s.node) is None})
    if strange:
        raise ArgumentError(f"{model}: expected layers of fastcnn to export, or layers with write_onnx(self, writer, "
                            f"inputs), got {', '.join(strange)}; put such layers together of fastcnn's own, in call")
    order = LAST if layout == "channels_last" else FIRST
    w = Writer(opset, model.array_dtype, [*model.input_names, *model.output_names], _written)
    values: list[Any] = [None] * steps.slots
    inputs = []
    for slot, name, shape in zip(steps.inputs, model.input_names, model.input_shapes, strict=True):
        values[slot] = w.value(name, shape, order)
        inputs.append((values[slot].names[order], _turned(open_sizes.dimensions(name, shape), order)))
    for step in steps.steps:
        w.prefix = step.node.name
        written = _written(w, step.node, [values[slot] for slot in step.inputs])
        for slot, value in zip(step.outputs, written, strict=True):
            values[slot] = value
    w.prefix = ""
    outputs = []
    for slot, name, shape in zip(steps.outputs, model.output_names, model.output_shapes, strict=True):
        value = values[slot]
        assert value.shape[1:] == tuple(shape)[1:], (name, value.shape, shape)
        found = w.get(value, order)
        if found != name and name in model.input_names:
            raise ArgumentError(f"{model}: expected outputs of other names than the inputs, got {name!r} twice; "
                                f"rename one of them")
        if found != name:  # else it is an input as it came
            w.node_named("Identity", found, name)
        outputs.append((name, _turned(open_sizes.dimensions(name, shape), order)))
    return w.model(inputs, outputs, model.name)


def _writer_of(layer: Any) -> Any:
    """Return what writes a layer, (writer, layer, inputs) -> outputs; None if nothing does."""
    if type(layer).__module__.startswith("fastcnn."):
        return TABLE.get(type(layer).__name__)
    return _by_itself if type(layer).write_onnx is not Layer.write_onnx else None


def _written(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> list[ExportedTensor]:
    """Write a layer, and return its outputs."""
    write = _writer_of(layer)
    if write is None:
        raise ArgumentError(f"{layer}: expected a layer of fastcnn to export, or one with write_onnx(self, writer, "
                            f"inputs), got {type(layer).__name__}")
    open_sizes.check(layer)
    found = write(w, layer, inputs)
    return found if isinstance(found, list) else [found]


def _wrapped(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> list[ExportedTensor]:
    """Write the layer that a wrapper runs."""
    return _written(w, layer.layer, inputs)


def _of_each(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    """Write a layer that runs on each thing of a sample: the things go into the batch, and come back."""
    things, inner, after = inputs[0].shape[1], as_shapes(layer.layer.input_shape)[0], layer.output_shape
    folded = w.node("Reshape", [w.get(inputs[0], LAST), w.constant([-1, *inner[1:]], "folded")])
    y = w.node("Reshape", [w.layer(layer.layer, folded), w.constant([-1, things, *after[2:]], "unfolded")])
    return w.value(y, after, LAST)


TABLE["SpectralNormalization"] = _wrapped
TABLE["TimeDistributed"] = _of_each


def _by_itself(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> list[ExportedTensor]:
    """Let a layer of a user's own write itself, of tensors that lie as its `forward` gets them."""
    names = [w.get(value, LAST) for value in inputs]
    found = layer.write_onnx(w, names if layer.many_inputs else names[0])
    outputs = list(found) if isinstance(found, (list, tuple)) else [found]
    shapes = as_shapes(layer.output_shape)
    if len(outputs) != len(shapes) or not all(isinstance(name, str) for name in outputs):
        raise ArgumentError(f"{layer}: expected write_onnx to return the name of its output, or {len(shapes)} of them, "
                            f"got {found!r}")
    return [w.value(name, shape, LAST) for name, shape in zip(outputs, shapes, strict=True)]


def _turned(shape: Any, order: str) -> tuple[Any, ...]:
    return tuple(shape[k] for k in to_first(len(shape))) if order == FIRST and len(shape) > 2 else tuple(shape)

