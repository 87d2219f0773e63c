"""Operations of `fastcnn.ops` as ONNX writes them: each primitive says how."""

from typing import Any

from fastcnn.errors import ArgumentError
from fastcnn.onnx.exporter.writer import LAST, ExportedTensor, Writer
from fastcnn.parameters import Parameter


def _operation(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    write = layer.primitive.onnx
    if write is None:
        raise ArgumentError(f"{layer}: expected an operation that ONNX has to export, got {layer.operation!r}")
    given, names, shapes = iter(inputs), [], []
    for one in layer.operands:
        if isinstance(one, str):
            value = next(given)
            names.append(w.get(value, LAST))
            shapes.append(value.shape)
            continue
        names.append(w.parameter(one, one.value, one.name) if isinstance(one, Parameter) else
                     w.constant(one, "constant", one.dtype))
        shapes.append(one.shape)
    return w.value(write(w, names, shapes, **layer.arguments), layer.output_shape, LAST)


#: As that of `fastcnn.onnx.exporter`.
TABLE: dict[str, Any] = {"Operation": _operation}
