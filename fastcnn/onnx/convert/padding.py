"""Borders around a value, along any of its dimensions but the batch."""

import math
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, channels_last
from fastcnn.onnx.convert.slicing import part, picked
from fastcnn.onnx.operators._memory import check_size
from fastcnn.onnx.operators.arrays import integers

Sides = tuple[tuple[int, int], ...]

_MODES = {"constant": "zero", "edge": "edge", "reflect": "reflect", "wrap": "wrap"}
_PADDING = layers.Padding1D, layers.Padding2D, layers.Padding3D
_ZEROS = layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D


@converter("Pad")
def pad(im: Importer, x: View, pads_in: Any = None, value_in: Any = None, axes_in: Any = None, *, node: OnnxNode,
        pads: Any = None, paddings: Any = None, mode: str = "constant", value: float = 0.0) -> View:
    rank = len(x.dims) + 1
    given: Any = pads or paddings or ()
    amounts = integers(im.constant(pads_in, "a border")) if pads_in is not None else list(given)
    axes = [x.axis(a) for a in integers(im.constant(axes_in, "axes"))] if axes_in is not None else list(range(rank))
    if len(amounts) != 2 * len(axes):
        raise NotOfferedError(f"Pad of {len(axes)} dimensions by {len(amounts)} amounts")
    if mode not in _MODES:
        raise NotOfferedError(f"Pad with mode {mode!r}")
    fill = value if value_in is None or not value_in.size else float(im.constant(value_in, "a border's value").item())
    border = [(0, 0)] * rank
    for axis, before, after in zip(axes, amounts[: len(axes)], amounts[len(axes) :]):
        border[axis] = before, after
    if any(border[0]):
        raise NotOfferedError("Pad of the batch")
    check_size("Pad", [max(n, n + before + after) for n, (before, after) in zip(x.shape, border[1:])], im.dtype)
    x = _cropped(im, x, node, tuple(border[1:]))
    sides = tuple((max(b, 0), max(a, 0)) for b, a in border[1:])
    if not any(map(any, sides)):
        return x
    if mode == "reflect" and any(max(pair) >= n for pair, n in zip(sides, x.shape)):
        return _mirrored(im, x, node, sides)
    how: dict[str, Any] = {"mode": _MODES[mode]} if mode != "constant" or not fill else {
        "mode": "constant", "value": fill}
    return _around(im, x, node, sides, how)


def _cropped(im: Importer, x: View, node: OnnxNode, border: Sides) -> View:
    for axis, (before, after) in enumerate(border):
        x = part(im, x, node, axis, max(-before, 0), x.shape[axis] + min(after, 0), 1)
    return x


def _mirrored(im: Importer, x: View, node: OnnxNode, sides: Sides) -> View:
    """Return borders as wide as the image or wider, mirrored again and again."""
    for axis, pair in enumerate(sides):
        if any(pair):
            x = picked(im, x, node, axis, np.pad(np.arange(x.shape[axis]), pair, "reflect"))
    return x


def _around(im: Importer, x: View, node: OnnxNode, sides: Sides, how: dict[str, Any]) -> View:
    """Return the border around all dimensions at once where memory has them first, else around one after the other."""
    axes = {dim[0]: pair for dim, pair in zip(x.dims, sides) if len(dim) == 1}
    last = len(x.sizes) - 1
    alone = all(len(dim) == 1 or not any(pair) for dim, pair in zip(x.dims, sides))
    if alone and x.tensor.shape[1:] == x.sizes and 1 <= last <= 3 and not any(axes.get(last, ())):
        y = _padded(im, node, x.tensor, tuple(axes.get(atom, (0, 0)) for atom in range(last)), how)
        return View(y, y.shape[1:], x.dims)
    if 2 <= len(x.dims) <= 4 and x.is_channels_last and not any(sides[0]):
        return channels_last(_padded(im, node, im.image(x), sides[1:], how))
    for axis, pair in enumerate(sides):
        if any(pair):
            tensor, at, back = im.exposed(x, axis)
            x = back(_along(im, node, tensor, at, pair, how))
    return x


def _along(im: Importer, node: OnnxNode, tensor: Any, axis: int, pair: tuple[int, int], how: dict[str, Any]) -> Any:
    """Return a tensor with a border along one axis; what lies behind that are channels."""
    shape, place = tensor.shape[1:], axis - 1
    rows = shape if axis < len(shape) else (*shape, 1)
    if len(rows) > 4:
        rows, place = (math.prod(shape[:place]), shape[place], math.prod(shape[axis:])), 1
    sides = tuple(pair if k == place else (0, 0) for k in range(len(rows) - 1))
    y = _padded(im, node, im.shaped(tensor, rows), sides, how)
    return im.shaped(y, (*shape[:axis - 1], y.shape[place + 1], *shape[axis:]))


def _padded(im: Importer, node: OnnxNode, tensor: Any, sides: Sides, how: dict[str, Any]) -> Any:
    which = len(sides) - 1
    given: Any = sides if which else sides[0]
    if how == {"mode": "zero"}:
        return im.apply(node, _ZEROS[which], tensor, given)
    return im.apply(node, _PADDING[which], tensor, given, **how)
