"""Upsampling layers."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._arranging import NotOfferedError
from fastcnn.onnx._graph import Node
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._view import View, channels_last

_NEAREST = layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D


def _enlarged(im: Importer, x: View, node: Node, factors: list[float], interpolation: str) -> View:
    """Return the image with each dimension so many times as long."""
    whole = [round(f) for f in factors]
    rank = len(x.dims) - 1
    if any(abs(f - n) > 1e-6 * f or n < 1 for f, n in zip(factors, whole)) or len(whole) != rank or not 1 <= rank <= 3:
        raise NotOfferedError(f"Resize by {[round(f, 4) for f in factors]}")
    if all(n == 1 for n in whole):
        return x
    if interpolation == "nearest":
        size: Any = whole[0] if rank == 1 else tuple(whole)
        return channels_last(im.apply(node, _NEAREST[rank - 1], im.image(x), size))
    if rank != 2:
        raise NotOfferedError(f"{interpolation} Resize of {rank} dimensions")
    return channels_last(im.apply(node, layers.UpSampling2D, im.image(x), tuple(whole), interpolation=interpolation))


@converter("Resize")
def resize(im: Importer, x: View, roi: Any = None, scales: Any = None, sizes: Any = None, *, node: Node,
           antialias: int = 0, axes: Any = None, coordinate_transformation_mode: str = "half_pixel",
           cubic_coeff_a: float = -0.75, exclude_outside: int = 0, extrapolation_value: float = 0.0,
           keep_aspect_ratio_policy: str = "stretch", mode: str = "nearest", nearest_mode: str = "round_prefer_floor",
           opset: int) -> View:
    if opset < 11:
        roi, scales, coordinate_transformation_mode, nearest_mode = None, roi, "asymmetric", "floor"
    rank = len(x.dims) + 1
    over = list(range(rank)) if axes is None else [x.axis(axis) for axis in axes]
    factors = np.ones(rank)
    if sizes is not None and np.size(sizes):
        old = (im.batch, *x.shape)
        if keep_aspect_ratio_policy != "stretch":
            raise NotOfferedError(f"Resize with keep_aspect_ratio_policy={keep_aspect_ratio_policy!r}")
        for axis, n in zip(over, im.constant(sizes, "a size").tolist()):
            factors[axis] = n / old[axis]
    else:
        for axis, factor in zip(over, im.constant(scales, "a scale").tolist()):
            factors[axis] = factor
    if factors[0] != 1 or factors[1] != 1:
        raise NotOfferedError("Resize of batch or channels")
    # By a whole factor every rule of the nearest takes the same pixel, but those that round up or hold the corners.
    half = coordinate_transformation_mode in ("half_pixel", "pytorch_half_pixel", "half_pixel_symmetric")
    nearest = mode == "nearest" and ((half and nearest_mode.startswith("round")) or (
        coordinate_transformation_mode == "asymmetric" and nearest_mode == "floor"))
    smooth = mode in ("linear", "cubic") and half and (mode == "linear" or abs(cubic_coeff_a + 0.75) < 1e-6)
    if (not nearest and not smooth) or exclude_outside:
        raise NotOfferedError(f"Resize with {mode}, {coordinate_transformation_mode}, {nearest_mode}")
    return _enlarged(im, x, node, factors[2:].tolist(), "nearest" if nearest else "bi" + mode)


@converter("Upsample")
def upsample(im: Importer, x: View, scales_in: Any = None, *, node: Node, scales: Any = None, mode: str = "nearest",
             height_scale: float | None = None, width_scale: float | None = None) -> View:
    given = scales if scales_in is None else im.constant(scales_in, "a scale").tolist()
    factors: list[Any] = [1, 1, height_scale, width_scale] if given is None else list(given)
    if mode != "nearest" or factors[:2] != [1, 1]:
        raise NotOfferedError(f"Upsample with {mode} by {factors}")
    return _enlarged(im, x, node, [float(f) for f in factors[2:]], "nearest")
