"""Resize and Upsample: along each dimension a mixture of a few neighbours (`fastcnn.geometry.interpolation`).

Of its own has tf_crop_and_resize the places: from start to end, fractions of n - 1; outside of the image is
`extrapolation_value`.
"""

from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.geometry.interpolation import (
    COORDINATES,
    MODES,
    ROUNDING,
    Interpolation,
    coordinates,
    mixture,
    nearest,
    scaled_length,
)
from fastcnn.onnx.operators._memory import check_size, from_front, is_float
from fastcnn.onnx.operators._registry import operator


def _positions(mode: str, n: int, m: int, scale: float, roi: tuple[float, float]) -> np.ndarray:
    """Return where each output lies along the input."""
    if mode != "tf_crop_and_resize":
        return coordinates(mode, n, m, scale)
    start, end = roi
    if m == 1:
        return np.full(1, (start + end) / 2 * (n - 1))
    return start * (n - 1) + np.arange(m) * (end - start) * (n - 1) / (m - 1)


def _along(x: np.ndarray, axis: int, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    z = np.moveaxis(x, axis, -1)
    total = sum(z[..., places[:, t]] * weights[:, t].astype(x.dtype) for t in range(places.shape[1]))
    return np.moveaxis(np.asarray(total), -1, axis)


def new_sizes(lengths: list[int], scales: Any, sizes: Any, policy: str) -> tuple[list[int], list[float]]:
    """Return the new lengths of some dimensions, and their scales, as a Resize node gives the one or the other."""
    if sizes is None:
        return [scaled_length(n, s) for n, s in zip(lengths, scales)], [float(s) for s in scales]
    if policy == "stretch":
        return [int(m) for m in sizes], [int(m) / n for m, n in zip(sizes, lengths)]
    choose = min if policy == "not_larger" else max
    scale = choose(int(m) / n for m, n in zip(sizes, lengths))
    return [int(np.floor(n * scale + 0.5)) for n in lengths], [scale] * len(lengths)


@operator("Resize")
def resize(x: np.ndarray, roi: np.ndarray | None = None, scales: np.ndarray | None = None,
           sizes: np.ndarray | None = None, *, antialias: int = 0, axes: Any = None,
           coordinate_transformation_mode: str = "half_pixel", cubic_coeff_a: float = -0.75, exclude_outside: int = 0,
           extrapolation_value: float = 0.0, keep_aspect_ratio_policy: str = "stretch", mode: str = "nearest",
           nearest_mode: str = "round_prefer_floor", opset: int = 13) -> np.ndarray:
    """x with other lengths along its dimensions (or `axes`): by the nearest pixel, linear or cubic interpolation."""
    if opset < 11:  # two inputs, x and scales, and the positions of Upsample
        roi, scales = None, roi
        coordinate_transformation_mode, nearest_mode = "asymmetric", "floor"
    scales = None if scales is None or not scales.size else scales
    sizes = None if sizes is None or not sizes.size else sizes
    if (scales is None) == (sizes is None):
        raise ModelFileError("Resize: expected either scales or sizes")
    over = list(range(x.ndim)) if axes is None else [from_front(a, x.ndim) for a in axes]
    lengths, factors = new_sizes([x.shape[a] for a in over], scales, sizes, keep_aspect_ratio_policy)
    shape = list(x.shape)
    for axis, m in zip(over, lengths):
        shape[axis] = m
    check_size("Resize", shape, x.dtype)
    for what, name, known in (("mode", mode, MODES), ("nearest_mode", nearest_mode, ROUNDING),
                              ("coordinate_transformation_mode", coordinate_transformation_mode,
                               (*COORDINATES, "tf_crop_and_resize"))):
        if name not in known:
            raise ModelFileError(f"Resize: expected a {what} of {', '.join(known)}, got {name!r}")
    how = Interpolation(mode, "", nearest_mode, cubic_coeff_a, bool(antialias), bool(exclude_outside))
    y = x if is_float(x) or mode == "nearest" else x.astype(np.float32)
    outside = np.zeros([1] * x.ndim, bool)
    for at, (axis, m, scale) in enumerate(zip(over, lengths, factors)):
        n, whole = x.shape[axis], coordinate_transformation_mode != "tf_crop_and_resize"
        if m == n and scale == 1 and whole:
            continue
        part = (0.0, 1.0) if whole or roi is None else (float(roi[at]), float(roi[at + len(over)]))
        position = _positions(coordinate_transformation_mode, n, m, scale, part)
        if mode == "nearest":
            y = np.take(y, nearest(position, n, nearest_mode), axis)
        else:
            y = _along(y, axis, *mixture(position, n, scale, how))
        if not whole:
            beyond = (position < 0) | (position > n - 1)
            outside = outside | beyond.reshape([-1 if a == axis else 1 for a in range(x.ndim)])
    if outside.any():
        y = np.where(outside, extrapolation_value, y)
    if np.issubdtype(x.dtype, np.integer) and y.dtype != x.dtype:
        y = np.clip(np.rint(y), np.iinfo(x.dtype).min, np.iinfo(x.dtype).max)
    return y.astype(x.dtype, copy=False)


@operator("Upsample")
def upsample(x: np.ndarray, scales_in: np.ndarray | None = None, *, scales: Any = None, mode: str = "nearest",
             height_scale: float | None = None, width_scale: float | None = None) -> np.ndarray:
    """x made larger by whole or broken factors, as `resize` with asymmetric positions rounded down."""
    if scales_in is None:
        scales_in = np.asarray(scales if scales is not None else [1, 1, height_scale, width_scale], np.float32)
    return resize(x, None, scales_in, mode={"bilinear": "linear"}.get(mode, mode),
                  coordinate_transformation_mode="asymmetric", nearest_mode="floor")
