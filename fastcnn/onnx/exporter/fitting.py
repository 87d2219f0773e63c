"""Borders up to a multiple, and the cut back, as ONNX writes them: numbers where sizes are known, else of the sizes."""

from typing import Any

from fastcnn.layers.open_sizes import is_open
from fastcnn.onnx.exporter.convolutions import pads_of
from fastcnn.onnx.exporter.writer import FIRST, ExportedTensor, Writer

_ROWS = 2  # of (N, C, H, W)


def _padded(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, mode = w.get(inputs[0], FIRST), {"zero": "constant"}.get(layer.mode, layer.mode)
    if is_open(layer.input_shape):
        # -n mod m, which has the sign of m: what is missing to a multiple of m
        missing = w.node("Mod", [w.node("Neg", [_size(w, x)]), w.constant([layer.multiple], "multiple")])
        pads = w.node("Concat", [w.constant([0] * 6, "before"), missing], axis=0)
    else:
        pads = w.constant(pads_of([(0, 0), (0, 0), *layer.border]), "pads")
    return w.value(w.node("Pad", [x, pads], mode=mode), layer.output_shape, FIRST)


def _cropped(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    x, like = (w.get(one, FIRST) for one in inputs)
    ends = _size(w, like) if is_open(layer.input_shape) else w.constant(list(layer.output_shape[1:3]), "end")
    y = w.node("Slice", [x, w.constant([0, 0], "begin"), ends, w.constant([_ROWS, _ROWS + 1], "axes")])
    return w.value(y, layer.output_shape, FIRST)


def _size(w: Writer, x: str) -> str:
    """Write what gives rows and columns of images, and return its name."""
    return w.node("Slice", [w.node("Shape", [x]), *(w.constant([k], name) for k, name in ((2, "begin"), (4, "end")))])


TABLE: dict[str, Any] = {"CropLike": _cropped, "PadToMultiple": _padded}
