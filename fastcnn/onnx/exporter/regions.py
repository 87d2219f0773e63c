"""Regions of feature maps, places of a grid and the suppression of boxes, as ONNX writes them.

ONNX has regions of all images in one list, with the image of each; a layer has as many of every image::

    boxes (N, R, 4) --Reshape--> (N R, 4) --------------------------> RoiAlign --Reshape--> (N, R, C, PH, PW)
       --Shape, ConstantOfShape, NonZero, ...--> image of each -------^

`fastcnn.onnx.rewrite.detectors` reads them back.
"""

import math
from typing import Any

import numpy as np
from onnx import TensorProto, helper

from fastcnn.onnx.exporter.writer import FIRST, LAST, ExportedTensor, Writer

_MODES = {"nearest": "nearest", "bilinear": "linear", "bicubic": "cubic"}


def _images(w: Writer, boxes: str) -> str:
    """Return the image of each box, (N R,)."""
    shape = w.node("Shape", [boxes], start=0, end=2)
    ones = w.node("ConstantOfShape", [shape], value=helper.make_tensor("one", TensorProto.INT64, [1], [1]))
    first = w.node("Gather", [w.node("NonZero", [ones]), w.constant([0], "first")])
    name: str = w.node("Reshape", [first, w.constant([-1], "shape")])
    return name


def _list(w: Writer, boxes: str) -> str:
    name: str = w.node("Reshape", [boxes, w.constant([-1, 4], "shape")])
    return name


def _of_each(w: Writer, layer: Any, y: str) -> ExportedTensor:
    """Return regions (N R, C, PH, PW) as those of each image, channels last."""
    _, count, ph, pw, channels = layer.output_shape
    y = w.node("Reshape", [y, w.constant([-1, count, channels, ph, pw], "shape")])
    return w.value(w.node("Transpose", [y], perm=[0, 1, 3, 4, 2]), layer.output_shape, LAST)


def _align(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    boxes = w.get(inputs[1], LAST)
    y = w.node("RoiAlign", [w.get(inputs[0], FIRST), _list(w, boxes), _images(w, boxes)],
               coordinate_transformation_mode="half_pixel" if layer.aligned else "output_half_pixel",
               output_height=layer.output_size[0], output_width=layer.output_size[1],
               sampling_ratio=layer.sampling_ratio, spatial_scale=layer.spatial_scale)
    return _of_each(w, layer, y)


def _pool(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    boxes = w.get(inputs[1], LAST)
    images = w.node("Cast", [_images(w, boxes)], to=helper.np_dtype_to_tensor_dtype(w.dtype))
    rows = w.node("Concat", [w.node("Unsqueeze", [images, w.constant([1], "axes")]), _list(w, boxes)], axis=1)
    y = w.node("MaxRoiPool", [w.get(inputs[0], FIRST), rows], pooled_shape=list(layer.output_size),
               spatial_scale=layer.spatial_scale)
    return _of_each(w, layer, y)


def _sample(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    y = w.node("GridSample", [w.get(inputs[0], FIRST), w.get(inputs[1], LAST)], mode=_MODES[layer.interpolation],
               padding_mode=layer.padding_mode, align_corners=int(layer.align_corners))
    return w.value(y, layer.output_shape, FIRST)


def _suppress(w: Writer, layer: Any, inputs: list[ExportedTensor]) -> ExportedTensor:
    """Write the best boxes of each image: a table of the scores that are left, of which the largest are taken."""
    boxes, scores = w.get(inputs[0], LAST), w.get(inputs[1], FIRST)  # (N, B, 4) and (N, classes, B)
    count, classes = inputs[1].shape[1:]
    most, nothing = layer.max_detections, -math.inf
    limits = [w.constant([count], "most"), w.constant([layer.iou_threshold], "iou", np.float32)]
    if layer.score_threshold is not None:
        limits.append(w.constant([layer.score_threshold], "score", np.float32))
    chosen = w.node("NonMaxSuppression", [boxes, scores, *limits])
    lowest = helper.make_tensor("lowest", helper.np_dtype_to_tensor_dtype(w.dtype), [1], [nothing])
    empty = w.node("ConstantOfShape", [w.node("Shape", [scores])], value=lowest)
    left = w.node("ScatterND", [empty, chosen, w.node("GatherND", [scores, chosen])])
    left = w.node("Reshape", [left, w.constant([0, -1], "shape")])
    if most > count * classes:
        left = w.node("Pad", [left, w.constant([0, 0, 0, most - count * classes], "pads"), w.scalar(nothing)])
    best, at = w.node("TopK", [left, w.constant([most], "k")], outputs=2, axis=1)
    last = w.constant([2], "axes")
    number = w.constant([max(1, count)], "boxes")
    place = w.node("Unsqueeze", [w.node("Mod", [at, number]), last])
    kind = w.node("Cast", [w.node("Div", [at, number])], to=helper.np_dtype_to_tensor_dtype(w.dtype))
    rows = w.node("Concat", [w.node("GatherND", [boxes, place], batch_dims=1), w.node("Unsqueeze", [best, last]),
                             w.node("Unsqueeze", [kind, last])], axis=2)
    is_one = w.node("Unsqueeze", [w.node("Greater", [best, w.scalar(nothing)]), last])
    y = w.node("Where", [is_one, rows, w.constant(np.array([0, 0, 0, 0, 0, -1.0]), "none")])
    return w.value(y, layer.output_shape, LAST)


TABLE: dict[str, Any] = {"GridSample": _sample, "NonMaxSuppression": _suppress, "RoIAlign": _align,
                         "RoIPooling": _pool}
