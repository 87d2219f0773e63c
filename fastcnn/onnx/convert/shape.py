"""Shapes: reshapes and transposes are noted and move nothing; what a file asks of a shape is answered."""

import itertools
import math
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._arranging import NotOfferedError
from fastcnn.onnx._graph import Node
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._view import View, laid_out, reshaped, transposed
from fastcnn.onnx.operators.arrays import integers


@converter("Shape")
def shape(im: Importer, x: View, *, start: int = 0, end: int | None = None) -> np.ndarray:
    return np.array((im.batch, *x.shape)[start:end], np.int64)


@converter("Size")
def size(im: Importer, x: View) -> np.ndarray:
    return np.array(im.batch * x.elements, np.int64)


@converter("Identity")
def identity(im: Importer, x: View) -> View:
    return x


@converter("Cast")
def cast(im: Importer, x: View, *, to: int, saturate: int = 1, round_mode: str = "up") -> View:
    if to not in (1, 10, 11, 16):  # the floats of 32, 16 and 64 bits, and bfloat16
        raise NotOfferedError("Cast to another type than floats")
    return x


def as_shape(im: Importer, x: View, sizes: tuple[int, ...]) -> View:
    """Return the view with other dimensions; in memory of the file's order where they cut across what there is."""
    found = reshaped(x, sizes)
    if found is not None:
        return found
    return laid_out(im.arranged(x, x.dims, sizes))


@converter("Reshape")
def reshape(im: Importer, x: View, given: Any = None, *, shape: Any = None, allowzero: int = 0) -> View:
    wanted = integers(im.constant(given, "a shape")) if given is not None else list(shape)
    old = (im.batch, *x.shape)
    sizes = [old[at] if n == 0 and not allowzero and at < len(old) else n for at, n in enumerate(wanted)]
    known = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) > 1 or known <= 0 or math.prod(old) % known:
        raise NotOfferedError(f"Reshape of {[None, *x.shape]} to {wanted}")
    sizes = [math.prod(old) // known if n == -1 else n for n in sizes]
    if math.prod(sizes) != math.prod(old) or not sizes or sizes[0] != im.batch:
        raise NotOfferedError(f"Reshape of {[None, *x.shape]} to {wanted}, which mixes the samples of a batch")
    return as_shape(im, x, tuple(sizes[1:]))


@converter("Flatten")
def flatten(im: Importer, x: View, *, axis: int = 1) -> View:
    axis = axis % (len(x.dims) + 1)
    if math.prod(x.shape[: axis - 1]) != 1 or axis == 0:
        raise NotOfferedError("Flatten that mixes the samples of a batch")
    return as_shape(im, x, (x.elements,))


@converter("Squeeze")
def squeeze(im: Importer, x: View, given: Any = None, *, axes: Any = None) -> View:
    over = integers(im.constant(given, "axes")) if given is not None else axes
    rank = len(x.dims) + 1
    gone = {axis % rank for axis in over} if over is not None else {at + 1 for at, n in enumerate(x.shape) if n == 1}
    if 0 in gone or (over is None and im.batch == 1):
        raise NotOfferedError("Squeeze of the batch")
    if any(x.shape[axis - 1] != 1 for axis in gone):
        raise NotOfferedError(f"Squeeze of {[None, *x.shape]} along {sorted(gone)}")
    return as_shape(im, x, tuple(n for at, n in enumerate(x.shape) if at + 1 not in gone))


@converter("Unsqueeze")
def unsqueeze(im: Importer, x: View, given: Any = None, *, axes: Any = None) -> View:
    over = integers(im.constant(given, "axes")) if given is not None else axes
    rank = len(x.dims) + 1 + len(over)
    new = {axis % rank for axis in over}
    if 0 in new:
        raise NotOfferedError("a new dimension before the batch")
    left = iter(x.shape)
    return as_shape(im, x, tuple(1 if at in new else next(left) for at in range(1, rank)))


@converter("Transpose")
def transpose(im: Importer, x: View, *, perm: Any = None) -> View:
    perm = list(range(len(x.dims) + 1))[::-1] if perm is None else perm
    if perm[0] != 0:
        raise NotOfferedError("Transpose of the batch")
    return transposed(x, [axis - 1 for axis in perm[1:]])


@converter("Expand")
def expand(im: Importer, x: View, given: Any) -> View:
    wanted = integers(im.constant(given, "a shape"))
    if np.broadcast_shapes((im.batch, *x.shape), tuple(wanted)) != (im.batch, *x.shape):
        raise NotOfferedError("Expand that repeats numbers")
    return x


@converter("DepthToSpace")
def depth_to_space(im: Importer, x: View, *, blocksize: int, mode: str = "DCR") -> View:
    (c, h, w), b = _image(x), blocksize
    if mode == "CRD":
        y = transposed(as_shape(im, x, (c // b**2, b, b, h, w)), (0, 3, 1, 4, 2))
    else:
        y = transposed(as_shape(im, x, (b, b, c // b**2, h, w)), (2, 3, 0, 4, 1))
    return as_shape(im, y, (c // b**2, h * b, w * b))


@converter("SpaceToDepth")
def space_to_depth(im: Importer, x: View, *, blocksize: int, mode: str = "DCR") -> View:
    (c, h, w), b = _image(x), blocksize
    parts = as_shape(im, x, (c, h // b, b, w // b, b))
    y = transposed(parts, (0, 2, 4, 1, 3) if mode == "CRD" else (2, 4, 0, 1, 3))
    return as_shape(im, y, (c * b * b, h // b, w // b))


def _image(x: View) -> tuple[int, ...]:
    if len(x.dims) != 3:
        raise NotOfferedError(f"an input of {len(x.dims) + 1} dimensions")
    return x.shape


# --- parts ------------------------------------------------------------------------------------------------------------


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
    bounds: list[Any] = [default if value is None else integers(im.constant(value, "a part's bound"))
                         for value, default in given]
    first, last, along, steps = bounds
    along = list(range(len(first))) if along is None else along
    for begin, end, axis, step in zip(first, last, along, steps or [1] * len(first)):
        axis = axis % (len(x.dims) + 1)
        if axis == 0:
            if (begin, step) != (0, 1) or end < im.batch:
                raise NotOfferedError("a part of the batch")
            continue
        x = _part(im, x, node, axis - 1, begin, end, step)
    return x


@converter("Split")
def split(im: Importer, x: View, sizes: Any = None, *, node: Node, split: Any = None, axis: int = 0,
          num_outputs: int | None = None, outputs: int) -> tuple[View, ...]:
    axis = axis % (len(x.dims) + 1) - 1
    if axis < 0:
        raise NotOfferedError("parts of the batch")
    parts = integers(im.constant(sizes, "a part's size")) if sizes is not None else split
    if parts is None:
        count = num_outputs or outputs
        each = -(-x.shape[axis] // count)
        parts = [min(each, x.shape[axis] - at * each) for at in range(count)]
    ends = np.cumsum([0, *parts]).tolist()
    return tuple(_part(im, x, node, axis, begin, end, 1) for begin, end in itertools.pairwise(ends))


@converter("Gather")
def gather(im: Importer, x: Any, indices: Any, *, node: Node, axis: int = 0) -> View:
    at = im.constant(indices, "an index")
    if not isinstance(x, View) or axis % (len(x.dims) + 1) == 0:
        raise NotOfferedError("samples picked by index")
    axis = axis % (len(x.dims) + 1) - 1
    places = [n + x.shape[axis] if n < 0 else n for n in integers(at)]
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
    axes = [a % rank for a in integers(im.constant(axes_in, "axes"))] if axes_in is not None else list(range(rank))
    fill = value if value_in is None else float(im.constant(value_in, "a border's value").reshape(-1)[0])
    border = [(0, 0)] * rank
    for axis, before, after in zip(axes, amounts[: len(axes)], amounts[len(axes) :]):
        border[axis] = before, after
    if not any(map(any, border)):
        return x
    modes = {"constant": "zero", "edge": "edge", "reflect": "reflect"}
    sides = border[2:]
    if mode in modes and (mode != "constant" or fill == 0) and (y := _padded_in_place(im, x, node, border[1:],
                                                                                      modes[mode])) is not None:
        return y
    if any(border[0]) or any(border[1]) or not 1 <= len(sides) <= 3 or mode not in modes or (
            mode == "constant" and fill != 0):
        raise NotOfferedError(f"Pad of batch or channels, with {fill}, or mode {mode!r}")
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
