"""Layers of images of another size."""

from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.geometry.interpolation import Interpolation, scaled_length
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import Dim, View
from fastcnn.onnx.operators.resize import new_sizes

_WHOLE = layers.UpSampling1D, layers.UpSampling2D, layers.UpSampling3D
_HALF = "half_pixel", "pytorch_half_pixel", "half_pixel_symmetric"


@converter("Resize")
def resize(im: Importer, x: View, roi: Any = None, scales: Any = None, sizes: Any = None, *, node: OnnxNode,
           antialias: int = 0, axes: Any = None, coordinate_transformation_mode: str = "half_pixel",
           cubic_coeff_a: float = -0.75, exclude_outside: int = 0, extrapolation_value: float = 0.0,
           keep_aspect_ratio_policy: str = "stretch", mode: str = "nearest", nearest_mode: str = "round_prefer_floor",
           opset: int) -> View:
    if opset < 11:
        scales, coordinate_transformation_mode, nearest_mode = roi, "asymmetric", "floor"
    if coordinate_transformation_mode == "tf_crop_and_resize":
        raise NotOfferedError("Resize of a region (tf_crop_and_resize)")
    by_size = sizes is not None and np.size(sizes) > 0
    given = im.constant(sizes, "a size") if by_size else im.constant(scales, "a scale")
    rank = len(x.dims) + 1
    over = list(range(rank)) if axes is None else [x.axis(axis) for axis in axes]
    if given.size != len(over):
        raise NotOfferedError(f"Resize of {len(over)} dimensions by {given.size} numbers")
    old = im.batch, *x.shape
    lengths, factors = new_sizes([old[axis] for axis in over], None if by_size else given, given if by_size else None,
                                 keep_aspect_ratio_policy)
    moves = {axis: (n, f) for axis, n, f in zip(over, lengths, factors) if n != old[axis] or f != 1}
    if 0 in moves:
        raise NotOfferedError("Resize of the batch")
    if any(n < 1 for n, _ in moves.values()):
        raise NotOfferedError(f"Resize of {[None, *x.shape]} to nothing")
    how = Interpolation(mode, coordinate_transformation_mode, nearest_mode, cubic_coeff_a, bool(antialias),
                        bool(exclude_outside))
    return _resized(im, x, node, {axis - 1: move for axis, move in moves.items()}, how)


@converter("Upsample")
def upsample(im: Importer, x: View, scales_in: Any = None, *, node: OnnxNode, scales: Any = None, mode: str = "nearest",
             height_scale: float | None = None, width_scale: float | None = None) -> View:
    """As `resize` of an operator set before 11."""
    given = scales if scales_in is None else im.constant(scales_in, "a scale").tolist()
    factors = np.asarray([1, 1, height_scale, width_scale] if given is None else given, np.float32)
    return resize(im, x, factors, node=node, mode={"bilinear": "linear"}.get(mode, mode), opset=10)


def _resized(im: Importer, x: View, node: OnnxNode, moves: dict[int, tuple[int, float]], how: Interpolation) -> View:
    """Return the view with other lengths of some dimensions, {dimension: (length, scale)}.

    They come first in memory, in the file's order, and all others after them, as channels.
    """
    if not moves:
        return x
    along = sorted(moves)
    if len(along) > 3:
        raise NotOfferedError(f"Resize of {len(along)} dimensions at once")
    moved = {atom for axis in along for atom in x.dims[axis]}
    rest = tuple(atom for atom in range(len(x.sizes)) if atom not in moved)
    groups: list[Dim] = [*(x.dims[axis] for axis in along), rest]
    if x.is_channels_last and 0 not in along and len(x.dims) in (3, 4):  # an image or a volume, whole
        along = list(range(1, len(x.dims)))
        groups = [*x.dims[1:], x.dims[0]]
    tensor = im.arranged(x, groups)
    old = tensor.shape[1:-1]
    pairs = [moves.get(axis, (n, 1.0)) for axis, n in zip(along, old)]
    y = _layer(im, node, tensor, old, [n for n, _ in pairs], [f for _, f in pairs], how)
    return _with_channels_after(x, y, along, groups)


def _with_channels_after(x: View, y: Any, along: list[int], groups: list[Dim]) -> View:
    """Return the view of a tensor of the dimensions `along` and the atoms of all others."""
    lengths = y.shape[1:-1]
    place: dict[int, Dim] = {}
    sizes: list[int] = []
    for axis, n in zip(along, lengths):
        place[axis] = (len(sizes),) if n != 1 else ()
        sizes += [n] if n != 1 else []
    atoms = {atom: len(sizes) + k for k, atom in enumerate(groups[-1])}
    dims = [place[axis] if axis in place else tuple(atoms[atom] for atom in dim) for axis, dim in enumerate(x.dims)]
    return View(y, (*sizes, *(x.sizes[atom] for atom in groups[-1])), tuple(dims))


def _layer(im: Importer, node: OnnxNode, tensor: Any, old: tuple[int, ...], lengths: list[int], factors: list[float],
           how: Interpolation) -> Any:
    """Return the images of other lengths: by the layer of whole factors where it does the same."""
    whole = [round(f) for f in factors]
    # By a whole factor every rule of the nearest takes the same pixel, but those that round up or hold the corners.
    repeats = how.mode == "nearest" and ((how.coordinates in _HALF and how.rounding.startswith("round")) or (
        how.coordinates == "asymmetric" and how.rounding == "floor"))
    smooth = len(old) == 2 and how.coordinates in _HALF and not how.exclude_outside and (
        how.mode == "linear" or (how.mode == "cubic" and abs(how.a + 0.75) < 1e-6))
    if (repeats or smooth) and all(k and m == n * k and abs(f - k) <= 1e-6 * k
                                   for n, m, k, f in zip(old, lengths, whole, factors)):
        more: dict[str, Any] = {"interpolation": "bi" + how.mode} if smooth else {}
        return im.apply(node, _WHOLE[len(old) - 1], tensor, tuple(whole) if len(old) > 1 else whole[0], **more)
    attributes: dict[str, Any] = {
        "interpolation": how.mode, "coordinate_transformation_mode": how.coordinates, "nearest_mode": how.rounding,
        "cubic_coeff_a": how.a, "antialias": how.antialias, "exclude_outside": how.exclude_outside}
    plain = Interpolation(how.mode)
    names = dict(zip(attributes, how._fields))
    attributes = {name: value for name, value in attributes.items()
                  if value != getattr(plain, names[name]) or name == "interpolation"}
    by_scale = all(scaled_length(n, f) == m for n, f, m in zip(old, factors, lengths))
    by_size = all(f == m / n for n, f, m in zip(old, factors, lengths))
    if by_size or not by_scale:
        attributes["size"] = tuple(lengths)
    if not by_size:
        attributes["scale"] = tuple(factors)
    return im.apply(node, layers.Resize, tensor, **attributes)
