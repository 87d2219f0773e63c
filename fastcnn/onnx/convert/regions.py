"""Layers of regions, of places of a grid, and of detections."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, channels_last, laid_out

_MODES = {"linear": "bilinear", "cubic": "bicubic"}


@converter("GridSample")
def grid_sample(im: Importer, x: View, grid: View, *, node: OnnxNode, align_corners: int = 0, mode: str = "linear",
                padding_mode: str = "zeros") -> View:
    if not isinstance(grid, View) or not isinstance(x, View):
        raise NotOfferedError("GridSample of a constant")
    if len(grid.dims) != 3:
        raise NotOfferedError(f"GridSample in {len(grid.dims) - 1} dimensions")
    images, places = im.image(x, 2), im.arranged(grid, grid.dims)
    return channels_last(im.apply(node, layers.GridSample, [images, places], _MODES.get(mode, mode), padding_mode,
                                  bool(align_corners)))


@converter("RegionsAlign")
def regions_align(im: Importer, x: View, boxes: View, *, node: OnnxNode, opset: int, sizes: list[int],
                  output_height: int = 1, output_width: int = 1, mode: str = "avg", sampling_ratio: int = 0,
                  spatial_scale: float = 1.0, coordinate_transformation_mode: str | None = None) -> View:
    """No operator of ONNX, but what `fastcnn.onnx.rewrite.detectors` finds several of them to be."""
    if mode != "avg":
        raise NotOfferedError(f'RoiAlign with mode="{mode}"')
    how = coordinate_transformation_mode or ("half_pixel" if opset >= 16 else "output_half_pixel")
    return _regions(im, x, boxes, node, layers.RoIAlign, sizes, (output_height, output_width), spatial_scale,
                    sampling_ratio=sampling_ratio, aligned=how == "half_pixel")


@converter("RegionsPool")
def regions_pool(im: Importer, x: View, boxes: View, *, node: OnnxNode, sizes: list[int], pooled_shape: list[int],
                 spatial_scale: float = 1.0) -> View:
    """As `regions_align`, of MaxRoiPool."""
    return _regions(im, x, boxes, node, layers.RoIPooling, sizes, tuple(pooled_shape), spatial_scale)


def _regions(im: Importer, x: View, boxes: View, node: OnnxNode, kind: Any, sizes: list[int],
             output_size: tuple[int, ...], scale: float, **more: Any) -> View:
    features, corners = _pair(im, im.image(x, 2), boxes, node)
    y = im.apply(node, kind, [features, corners], output_size, _as_written(scale), **more)
    if y.shape[1:] != (sizes[0], *sizes[2:], sizes[1]):
        raise NotOfferedError(f"{node.operator} of {y.shape[1:]} as {sizes}")
    return laid_out(y, [0, 3, 1, 2])


def _pair(im: Importer, first: Any, boxes: Any, node: OnnxNode) -> tuple[Any, Any]:
    """Return a tensor, and boxes (N, regions, 4)."""
    if not isinstance(boxes, View) or len(boxes.dims) != 2:
        raise NotOfferedError("regions that are not those of each image, (N, regions, 4)")
    return first, im.arranged(boxes, boxes.dims)


@converter("Detections")
def detections(im: Importer, boxes: View, scores: View, *, node: OnnxNode, most: int, iou: float, boxes_count: int = 0,
               score: float | None = None) -> View:
    """No operator of ONNX, but what `fastcnn.onnx.rewrite.detectors` finds several of them to be."""
    if not isinstance(scores, View) or len(scores.dims) != 2:
        raise NotOfferedError("scores that are not those of each image, (N, classes, boxes)")
    by_box = im.arranged(scores, (scores.dims[1], scores.dims[0]))
    by_box, corners = _pair(im, by_box, boxes, node)
    if boxes_count and corners.shape[1] != boxes_count:
        raise NotOfferedError(f"numbers of {boxes_count} boxes among {corners.shape[1]}")
    return laid_out(im.apply(node, layers.NonMaxSuppression, [corners, by_box], most, _as_written(iou),
                             None if score is None else _as_written(score)))


def _as_written(value: float) -> float:
    """Return a number that the file has in single precision as it was told: 0.1, not 0.10000000149."""
    return float(str(np.float32(value)))


@converter("MaxRoiPool", "NonMaxSuppression", "RoiAlign")
def of_any_number(im: Importer, *inputs: Any, node: OnnxNode, center_point_box: Any = None, mode: Any = None,
                  coordinate_transformation_mode: Any = None, output_height: Any = None, output_width: Any = None,
                  pooled_shape: Any = None, sampling_ratio: Any = None, spatial_scale: Any = None) -> View:
    raise NotOfferedError(f"{node.operator} whose boxes are not as many of each image, which a model cannot have")
