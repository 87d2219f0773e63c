"""Parts of a value, and borders around it."""

import itertools
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._arranging import NotOfferedError
from fastcnn.onnx._graph import Node
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._view import View, laid_out
from fastcnn.onnx.convert.shape import as_shape
from fastcnn.onnx.operators.arrays import integers
from fastcnn.onnx.operators.parts import bounds_along, split_sizes


def _part(im: Importer, x: View, node: Node, axis: int, start: int, stop: int, step: int) -> View:
    """Return start:stop:step along a dimension of the file."""
    n = x.shape[axis]
    start, stop, step = slice(start, stop, step).indices(n)
    if step < 1 or stop <= start:
        raise NotOfferedError("a part that is empty or in the other order")
    if (start, stop, step) == (0, n, 1):
        return x
    if len(x.dims[axis]) == 1 and x.tensor.shape[1:] == x.sizes:
        place = x.dims[axis][0]
        y = im.apply(node, layers.Slice, x.tensor, start, stop, step, axis=place + 1)
        return View(y, *_with_size(x, place, y.shape[place + 1]))
    groups = x.dims if x.is_natural or len(x.dims) < 2 else (*x.dims[1:], x.dims[0])
    tensor = im.arranged(x, groups)
    natural = groups == x.dims
    place = axis if natural else (axis - 1) % len(x.dims)
    y = im.apply(node, layers.Slice, tensor, start, stop, step, axis=place + 1)
    return laid_out(y, None if natural else [len(x.dims) - 1, *range(len(x.dims) - 1)])


def _with_size(x: View, atom: int, n: int) -> tuple[tuple[int, ...], tuple[tuple[int, ...], ...]]:
    """Return sizes and dimensions of a view with another size of an atom, which goes if that is 1."""
    if n != 1:
        return (*x.sizes[:atom], n, *x.sizes[atom + 1 :]), x.dims
    return (*x.sizes[:atom], *x.sizes[atom + 1 :]), tuple(
        tuple(a - (a > atom) for a in dim if a != atom) for dim in x.dims)


@converter("Slice")
def slice_(im: Importer, x: View, starts_in: Any = None, ends_in: Any = None, axes_in: Any = None, steps_in: Any = None,
           *, node: Node, starts: Any = None, ends: Any = None, axes: Any = None) -> View:
    given = (starts_in, starts), (ends_in, ends), (axes_in, axes), (steps_in, None)
    bounds = [default if value is None else im.constant(value, "a part's bound") for value, default in given]
    for begin, end, axis, step in bounds_along(len(x.dims) + 1, *bounds):
        if axis == 0:
            if (begin, step) != (0, 1) or end < im.batch:
                raise NotOfferedError("a part of the batch")
            continue
        x = _part(im, x, node, axis - 1, begin, end, step)
    return x


@converter("Split")
def split(im: Importer, x: View, sizes: Any = None, *, node: Node, split: Any = None, axis: int = 0,
          num_outputs: int | None = None, outputs: int) -> tuple[View, ...]:
    axis = x.axis(axis) - 1
    if axis < 0:
        raise NotOfferedError("parts of the batch")
    given = split if sizes is None else im.constant(sizes, "a part's size")
    ends = np.cumsum([0, *split_sizes(x.shape[axis], given, num_outputs, outputs)]).tolist()
    return tuple(_part(im, x, node, axis, begin, end, 1) for begin, end in itertools.pairwise(ends))


@converter("Gather")
def gather(im: Importer, x: Any, indices: Any, *, node: Node, axis: int = 0) -> View:
    at = im.constant(indices, "an index")
    if not isinstance(x, View) or x.axis(axis) == 0:
        raise NotOfferedError("samples picked by index")
    axis = x.axis(axis) - 1
    places = [n + x.shape[axis] if n < 0 else n for n in integers(at)]
    if any(not 0 <= n < x.shape[axis] for n in places):
        raise NotOfferedError(f"the indices {integers(at)[:8]} into a dimension of {x.shape[axis]}")
    if not places or places != list(range(places[0], places[0] + len(places))) or at.ndim > 1:
        raise NotOfferedError("numbers picked by index in another order")
    y = _part(im, x, node, axis, places[0], places[-1] + 1, 1)
    return y if at.ndim else as_shape(im, y, tuple(n for k, n in enumerate(y.shape) if k != axis))


@converter("Pad")
def pad(im: Importer, x: View, pads_in: Any = None, value_in: Any = None, axes_in: Any = None, *, node: Node,
        pads: Any = None, paddings: Any = None, mode: str = "constant", value: float = 0.0) -> View:
    rank = len(x.dims) + 1
    given: Any = pads or paddings or ()
    amounts = integers(im.constant(pads_in, "a border")) if pads_in is not None else list(given)
    axes = [x.axis(a) for a in integers(im.constant(axes_in, "axes"))] if axes_in is not None else list(range(rank))
    if len(amounts) != 2 * len(axes):
        raise NotOfferedError(f"Pad of {len(axes)} dimensions by {len(amounts)} amounts")
    fill = value if value_in is None else float(im.constant(value_in, "a border's value").reshape(-1)[0])
    border = [(0, 0)] * rank
    for axis, before, after in zip(axes, amounts[: len(axes)], amounts[len(axes) :]):
        border[axis] = before, after
    if not any(map(any, border)):
        return x
    if any(border[0]):
        raise NotOfferedError("Pad of the batch")
    modes = {"constant": "zero", "edge": "edge", "reflect": "reflect"}
    sides = border[2:]
    if mode in modes and (mode != "constant" or fill == 0) and (y := _padded_in_place(im, x, node, border[1:],
                                                                                      modes[mode])) is not None:
        return y
    if any(border[1]) or not 1 <= len(sides) <= 3 or mode not in modes or (
            mode == "constant" and fill != 0):
        raise NotOfferedError(f"Pad of channels, with {fill}, or mode {mode!r}")
    tensor, which = im.image(x), len(sides) - 1
    cut = tuple((max(-b, 0), max(-a, 0)) for b, a in sides)
    if any(map(any, cut)):
        tensor = im.apply(None, (layers.Cropping1D, layers.Cropping2D, layers.Cropping3D)[which], tensor,
                          cut if which else cut[0])
    grown = tuple((max(b, 0), max(a, 0)) for b, a in sides)
    given = grown if which else grown[0]
    if mode == "constant":
        kinds: Any = layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D
        tensor = im.apply(node, kinds[which], tensor, given)
    else:
        kinds = layers.Padding1D, layers.Padding2D, layers.Padding3D
        tensor = im.apply(node, kinds[which], tensor, given, modes[mode])
    return laid_out(tensor, [len(sides), *range(len(sides))])


def _padded_in_place(im: Importer, x: View, node: Node, border: list[tuple[int, int]], mode: str) -> View | None:
    """Return the border around the axes of memory but the last, or None where it is none of these."""
    sides = {dim[0]: pair for dim, pair in zip(x.dims, border) if len(dim) == 1}
    axes = len(x.sizes) - 1
    alone = all(len(dim) == 1 or not any(pair) for dim, pair in zip(x.dims, border))
    if not alone or x.tensor.shape[1:] != x.sizes or not 1 <= axes <= 3 or any(sides.get(axes, ())) or min(
            min(pair) for pair in sides.values()) < 0:
        return None
    given: Any = tuple(sides.get(atom, (0, 0)) for atom in range(axes))
    kind = (layers.Padding1D, layers.Padding2D, layers.Padding3D)[axes - 1]
    zero = (layers.ZeroPadding1D, layers.ZeroPadding2D, layers.ZeroPadding3D)[axes - 1]
    given = given if axes > 1 else given[0]
    y = im.apply(node, zero, x.tensor, given) if mode == "zero" else im.apply(node, kind, x.tensor, given, mode)
    return View(y, y.shape[1:], x.dims)
