"""Resize and Upsample: along each dimension a weighted sum of a few neighbours.

For the output position i along a dimension of length n that becomes m, with scale s (m / n, or as given), the position
in the input is, by `coordinate_transformation_mode`,

    half_pixel             (i + 1/2) / s - 1/2
    pytorch_half_pixel     the same, but 0 where m = 1
    half_pixel_symmetric   the same, moved by n / 2 (1 - m / (s n)): both ends lose alike where s n is rounded
    align_corners          i (n - 1) / (s n - 1)
    asymmetric             i / s
    tf_crop_and_resize     from start to end, fractions of n - 1; outside of the image is `extrapolation_value`
"""

from typing import Any

import numpy as np

from fastcnn.errors import ModelFileError
from fastcnn.onnx.operators._memory import check_size, from_front, is_float
from fastcnn.onnx.operators._table import operator

_ROUNDING: dict[str, Any] = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _positions(mode: str, n: int, m: int, scale: float, roi: tuple[float, float]) -> np.ndarray:
    """Return where each output lies along the input."""
    i = np.arange(m, dtype=np.float64)
    half = (i + 0.5) / scale - 0.5
    if mode == "half_pixel":
        return half
    if mode == "pytorch_half_pixel":
        return half if m > 1 else np.zeros(m)
    if mode == "half_pixel_symmetric":
        return n / 2 * (1 - m / (scale * n)) + half
    if mode == "align_corners":
        return i * (n - 1) / (scale * n - 1) if scale * n > 1 else np.zeros(m)
    if mode in ("asymmetric", "tf_half_pixel_for_nn"):
        return i / scale if mode == "asymmetric" else (i + 0.5) / scale
    if mode == "tf_crop_and_resize":
        start, end = roi
        if m == 1:
            return np.full(1, (start + end) / 2 * (n - 1))
        return start * (n - 1) + i * (end - start) * (n - 1) / (m - 1)
    raise ModelFileError(f"Resize: expected a coordinate_transformation_mode of ONNX's, got {mode!r}")


def _linear(distance: np.ndarray, a: float) -> np.ndarray:
    return np.maximum(1 - np.abs(distance), 0)


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """Keys's cubic convolution, 1981, equation 4 with a free coefficient."""
    t = np.abs(distance)
    near = ((a + 2) * t - (a + 3)) * t * t + 1
    far = ((a * t - 5 * a) * t + 8 * a) * t - 4 * a
    return np.where(t <= 1, near, np.where(t < 2, far, 0))


_KERNELS = {"linear": (_linear, 1), "cubic": (_cubic, 2)}


def _neighbours(position: np.ndarray, n: int, mode: str, scale: float, antialias: int, a: float,
                exclude_outside: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which inputs each output is made from, and their weights, (outputs, neighbours) each."""
    kernel, reach = _KERNELS[mode]
    stretch = min(scale, 1.0) if antialias else 1.0  # shrinking, the kernel is as wide as the outputs lie apart
    width = int(np.ceil(reach / stretch))
    first = np.floor(position).astype(np.int64) - width + 1
    places = first[:, None] + np.arange(2 * width)
    weights = kernel((position[:, None] - places) * stretch, a)
    if exclude_outside:
        weights = np.where((places >= 0) & (places < n), weights, 0)
    weights = weights / weights.sum(1, keepdims=True)
    return np.clip(places, 0, n - 1), weights


def _along(x: np.ndarray, axis: int, places: np.ndarray, weights: np.ndarray) -> np.ndarray:
    z = np.moveaxis(x, axis, -1)
    total = sum(z[..., places[:, t]] * weights[:, t].astype(x.dtype) for t in range(places.shape[1]))
    return np.moveaxis(np.asarray(total), -1, axis)


def _sizes(x: np.ndarray, axes: list[int], scales: Any, sizes: Any, policy: str) -> tuple[list[int], list[float]]:
    """Return the new lengths and the scales along the axes."""
    lengths = [x.shape[axis] for axis in axes]
    if sizes is None:
        return [int(np.floor(n * np.float32(s))) for n, s in zip(lengths, scales)], [float(s) for s in scales]
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
    lengths, factors = _sizes(x, over, scales, sizes, keep_aspect_ratio_policy)
    shape = list(x.shape)
    for axis, m in zip(over, lengths):
        shape[axis] = m
    check_size("Resize", shape, x.dtype)
    y = x if is_float(x) or mode == "nearest" else x.astype(np.float32)
    outside = np.zeros([1] * x.ndim, bool)
    for at, (axis, m, scale) in enumerate(zip(over, lengths, factors)):
        n, whole = x.shape[axis], coordinate_transformation_mode != "tf_crop_and_resize"
        if m == n and scale == 1 and whole:
            continue
        part = (0.0, 1.0) if whole or roi is None else (float(roi[at]), float(roi[at + len(over)]))
        position = _positions(coordinate_transformation_mode, n, m, scale, part)
        if mode == "nearest":
            if nearest_mode not in _ROUNDING:
                raise ModelFileError(f"Resize: expected a nearest_mode of {', '.join(_ROUNDING)}, got {nearest_mode!r}")
            place = np.clip(_ROUNDING[nearest_mode](position), 0, n - 1).astype(np.int64)
            y = np.take(y, place, axis)
        elif mode in _KERNELS:
            y = _along(y, axis, *_neighbours(position, n, mode, scale, antialias, cubic_coeff_a, exclude_outside))
        else:
            raise ModelFileError(f"Resize: expected a mode of nearest, linear or cubic, got {mode!r}")
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
