"""Pooling over regions of interest: boxes (x1, y1, x2, y2), each to an image of one size."""

import math
from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import check_size, is_float
from fastcnn.onnx.operators._registry import operator


def _check(who: str, x: np.ndarray, rois: np.ndarray, columns: int, images: np.ndarray) -> None:
    if x.ndim != 4 or rois.ndim != 2 or rois.shape[1] != columns or images.shape != rois.shape[:1]:
        raise ModelFileError(f"{who}: expected images (N, C, H, W) and regions (regions, {columns}), "
                             f"got {x.shape} and {rois.shape}")
    if len(rois) and not (images.min() >= 0 and images.max() < len(x)):
        raise ModelFileError(f"{who}: expected regions of images 0 to {len(x) - 1}, got {images.min()} to "
                             f"{images.max()}")


@operator("RoiAlign")
def roi_align(x: np.ndarray, rois: np.ndarray, images: np.ndarray, *, mode: str = "avg", output_height: int = 1,
              output_width: int = 1, sampling_ratio: int = 0, spatial_scale: float = 1.0,
              coordinate_transformation_mode: str | None = None, opset: int = 16) -> np.ndarray:
    """x (N, C, H, W) and boxes (regions, 4) of `images` (regions,) to (regions, C, output_height, output_width).

    A box is cut into as many parts, in each of which lie `sampling_ratio` by `sampling_ratio` points, or, for 0, about
    one a pixel. x at the points is interpolated; the result is their mean, or, as ONNX has it, the largest product of
    a neighbour and its weight. He, Gkioxari, Dollar and Girshick, "Mask R-CNN", 2017, section 3.
    """
    how = coordinate_transformation_mode or ("half_pixel" if opset >= 16 else "output_half_pixel")
    if mode not in ("avg", "max") or how not in ("half_pixel", "output_half_pixel") or min(
            output_height, output_width) < 1 or sampling_ratio < 0:
        raise ModelFileError(f"RoiAlign: expected a mode of avg or max, half_pixel or output_half_pixel and positive "
                             f"sizes, got {mode!r}, {how!r}, {output_height} x {output_width}, {sampling_ratio}")
    _check("RoiAlign", x, rois, 4, images)
    check_size("RoiAlign", (len(rois), x.shape[1], output_height, output_width), x.dtype)
    kind = x.dtype if is_float(x) else np.dtype(np.float32)
    y = np.zeros((len(rois), x.shape[1], output_height, output_width), kind)
    if not x.size:
        return y.astype(x.dtype)
    corners = rois.astype(kind) * kind.type(spatial_scale) - kind.type(0.5 if how == "half_pixel" else 0)
    for out, (x1, y1, x2, y2), image in zip(y, corners, images.tolist()):
        rows, columns = (_points(begin, end, count, n, sampling_ratio, how) for begin, end, count, n in (
            (y1, y2, output_height, x.shape[2]), (x1, x2, output_width, x.shape[3])))
        if rows is None or columns is None:
            continue  # a box of no pixels
        (low, high, up), (left, right, across) = rows, columns
        picture = x[image].astype(kind, copy=False)
        corner = [picture[:, r[:, None], c] * (a[:, None] * b) for r, a in zip((low, high), up)
                  for c, b in zip((left, right), across)]
        shape = len(picture), output_height, -1, output_width, columns[0].size // output_width
        if mode == "avg":
            out[...] = sum(corner).reshape(shape).mean((2, 4))
        else:
            out[...] = np.maximum.reduce(corner).reshape(shape).max((2, 4))
    return y.astype(x.dtype, copy=False)


def _points(begin: Any, end: Any, count: int, n: int, ratio: int, how: str
            ) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]] | None:
    """Return for the points along one side their pixels before and behind, and the weights of both; None for none."""
    length = end - begin if how == "half_pixel" else max(end - begin, type(end)(1))
    each = ratio or math.ceil(length / count) if math.isfinite(length) else 0
    if each <= 0:
        return None
    check_size("RoiAlign", (count, each), np.float64)
    part = length / count
    at = begin + np.repeat(np.arange(count), each) * part + np.tile(np.arange(each) + 0.5, count) * part / each
    at = at.astype(type(end))
    outside = (at < -1) | (at > n)
    at = np.clip(at, 0, n - 1)
    low = np.floor(at).astype(np.int64)
    far = np.where(outside, 0, at - low).astype(at.dtype)
    near = np.where(outside, 0, 1 - (at - low)).astype(at.dtype)
    return low, np.minimum(low + 1, n - 1), (near, far)


@operator("MaxRoiPool")
def max_roi_pool(x: np.ndarray, rois: np.ndarray, *, pooled_shape: list[int], spatial_scale: float = 1.0
                 ) -> np.ndarray:
    """x (N, C, H, W) and rows (image, x1, y1, x2, y2) to (regions, C, *pooled_shape): the largest of each part.

    Both ends of a box belong to it, rounded to pixels. Girshick, "Fast R-CNN", 2015, section 2.1.
    """
    if len(pooled_shape) != 2 or min(pooled_shape) < 1:
        raise ModelFileError(f"MaxRoiPool: expected a pooled_shape of two positive numbers, got {pooled_shape}")
    if rois.ndim != 2 or rois.shape[1] != 5 or not np.isfinite(rois).all():
        raise ModelFileError(f"MaxRoiPool: expected finite regions (regions, 5), got {rois.shape}")
    images = rois[:, 0].astype(np.int64)
    _check("MaxRoiPool", x, rois, 5, images)
    check_size("MaxRoiPool", (len(rois), x.shape[1], *pooled_shape), x.dtype)
    y = np.zeros((len(rois), x.shape[1], *pooled_shape), x.dtype)
    scaled = rois[:, 1:] * rois.dtype.type(spatial_scale)
    corners = np.trunc(scaled + np.copysign(0.5, scaled)).astype(np.int64).tolist()  # halves away from zero
    for out, (x1, y1, x2, y2), image in zip(y, corners, images.tolist()):
        rows = _parts(y1, y2, pooled_shape[0], x.shape[2])
        columns = _parts(x1, x2, pooled_shape[1], x.shape[3])
        for i, row in enumerate(rows):
            for j, column in enumerate(columns):
                part = x[image][:, row, column]
                if part.size:
                    out[:, i, j] = part.max((1, 2))
    return y


def _parts(begin: int, end: int, count: int, n: int) -> list[slice]:
    """Return the pixels of each part of a side, of which neighbours may share one."""
    length = max(end - begin + 1, 1)
    return [slice(min(max(begin + at * length // count, 0), n),
                  min(max(begin - (-(at + 1) * length // count), 0), n)) for at in range(count)]
