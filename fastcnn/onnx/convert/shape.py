"""Shapes: reshapes and transposes are noted and move nothing; what a file asks of a shape is answered."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, transposed
from fastcnn.onnx._moved_batch import Turned, placed, regrouped
from fastcnn.onnx._types import FLOAT, INTEGER, TRUTH, type_of_cast
from fastcnn.onnx.operators._memory import from_front
from fastcnn.onnx.operators.arrays import integers


@converter("Shape")
def shape(im: Importer, x: View, *, node: OnnxNode, start: int = 0, end: int | None = None) -> np.ndarray:
    return im.of_batch(node, lambda batch: np.array((batch, *x.shape)[start:end], np.int64))


@converter("Size")
def size(im: Importer, x: View, *, node: OnnxNode) -> np.ndarray:
    return im.of_batch(node, lambda batch: np.array(batch * x.elements, np.int64))


@converter("Identity")
def identity(im: Importer, x: View) -> View:
    return x


@converter("Cast")
def cast(im: Importer, x: View, *, node: OnnxNode, to: int, saturate: int = 1, round_mode: str = "up") -> View:
    """Integers and truths are floats here, too: cut to whole numbers, or 1 where they are not 0."""
    if to not in (*range(1, 8), *range(9, 14), 16):
        raise NotOfferedError(f"Cast to the type {to}, which is none of numbers")
    before, after = im.types.get(node.inputs[0], FLOAT), type_of_cast(to)
    if after in (FLOAT, before) or (before, after) == (TRUTH, INTEGER):
        return x
    if after == TRUTH:
        none = im.apply(node, layers.IsZero, x.tensor)
        return x.on(im.apply(node, layers.IsZero, none))
    whole = im.apply(node, layers.Floor, im.apply(node, layers.Abs, x.tensor))
    return x.on(im.apply(node, layers.Multiply, [im.apply(node, layers.Sign, x.tensor), whole]))


def as_shape(im: Importer, x: View, sizes: tuple[int, ...]) -> View:
    """Return the view with other dimensions; in memory of the file's order where they cut across what there is."""
    return im.regrouped(x, sizes)


def resolved(old: Sequence[int], wanted: Sequence[int], allowzero: int) -> list[int]:
    """Return the dimensions that a Reshape's numbers ask for: 0 is the old one, -1 what is left."""
    sizes = [old[at] if n == 0 and not allowzero and at < len(old) else n for at, n in enumerate(wanted)]
    known = math.prod(n for n in sizes if n != -1)
    if sizes.count(-1) > 1 or known <= 0 or math.prod(old) % known:
        raise NotOfferedError(f"Reshape of {[None, *old[1:]]} to {list(wanted)}")
    sizes = [math.prod(old) // known if n == -1 else n for n in sizes]
    if math.prod(sizes) != math.prod(old):
        raise NotOfferedError(f"Reshape of {[None, *old[1:]]} to {list(wanted)}")
    return sizes


@converter("Reshape")
def reshape(im: Importer, x: View, given: Any = None, *, node: OnnxNode, shape: Any = None,
            allowzero: int = 0) -> View | Turned:
    wanted = integers(im.constant(given, "a shape")) if given is not None else list(shape)
    sizes = resolved((im.batch, *x.shape), wanted, allowzero)
    cause = f"Reshape of {[None, *x.shape]} to {wanted}, which mixes the samples of a batch"
    return regrouped(im, im.batch, x, 0, sizes, cause, node)


@converter("Flatten")
def flatten(im: Importer, x: View, *, axis: int = 1) -> View:
    axis = x.axis(axis) if axis != len(x.dims) + 1 else 0
    if math.prod(x.shape[: axis - 1]) != 1 or axis == 0:
        raise NotOfferedError("Flatten that mixes the samples of a batch")
    return as_shape(im, x, (x.elements,))


@converter("Squeeze")
def squeeze(im: Importer, x: View, given: Any = None, *, axes: Any = None) -> View:
    over = integers(im.constant(given, "axes")) if given is not None else axes
    gone = {x.axis(axis) for axis in over} if over is not None else {at + 1 for at, n in enumerate(x.shape) if n == 1}
    if 0 in gone or (over is None and im.batch == 1):
        raise NotOfferedError("Squeeze of the batch")
    if any(x.shape[axis - 1] != 1 for axis in gone):
        raise NotOfferedError(f"Squeeze of {[None, *x.shape]} along {sorted(gone)}")
    return as_shape(im, x, tuple(n for at, n in enumerate(x.shape) if at + 1 not in gone))


@converter("Unsqueeze")
def unsqueeze(im: Importer, x: View, given: Any = None, *, axes: Any = None) -> View:
    over = integers(im.constant(given, "axes")) if given is not None else axes
    rank = len(x.dims) + 1 + len(over)
    new = {from_front(axis, rank) for axis in over}
    if len(new) < len(over):
        raise NotOfferedError(f"the same new dimension twice, {over}")
    if 0 in new:
        raise NotOfferedError("a new dimension before the batch")
    left = iter(x.shape)
    return as_shape(im, x, tuple(1 if at in new else next(left) for at in range(1, rank)))


@converter("Transpose")
def transpose(im: Importer, x: View, *, node: OnnxNode, perm: Any = None) -> View | Turned:
    perm = list(range(len(x.dims) + 1))[::-1] if perm is None else perm
    if sorted(perm) != list(range(len(x.dims) + 1)):
        raise NotOfferedError(f"Transpose of {len(x.dims) + 1} dimensions by {perm}")
    return placed(transposed(x, [axis - 1 for axis in perm if axis]), perm.index(0), "Transpose of the batch", node)


@converter("Expand")
def expand(im: Importer, x: View, given: Any, *, node: OnnxNode) -> View:
    """Numbers are repeated, but where all that reads them broadcasts anyway."""
    wanted = integers(im.constant(given, "a shape"))
    whole = np.broadcast_shapes((im.batch, *x.shape), tuple(wanted))
    if len(whole) != len(x.dims) + 1 or whole[0] != im.batch:
        raise NotOfferedError(f"Expand of {[None, *x.shape]} to {wanted}, which repeats samples")
    larger = [(k, n) for k, (n, m) in enumerate(zip(whole[1:], x.shape)) if n != m]
    return x if not larger or _all_broadcast(im, node, larger) else repeated(im, node, x, larger)


def repeated(im: Importer, node: OnnxNode, x: View, larger: list[tuple[int, int]]) -> View:
    """Return a view with dimensions of 1, (dimension, size), as large as that; they stand first in memory."""
    tensor = im.apply(node, layers.RepeatVector, im.flat(x), math.prod(n for _, n in larger))
    dims = [tuple(atom + len(larger) for atom in dim) for dim in x.dims]
    for atom, (k, _) in enumerate(larger):
        dims[k] = (atom,)
    return View(tensor, (*(n for _, n in larger), *x.sizes), tuple(dims))


_BROADCAST = {"Add", "Div", "Max", "Mean", "Min", "Mul", "Sub", "Sum"}


def _all_broadcast(im: Importer, node: OnnxNode, larger: list[tuple[int, int]]) -> bool:
    """Return whether each reader has another input that is as large in these dimensions."""
    name = node.outputs[0]
    if name in im.results:
        return False
    for reader in im.readers[name]:
        others = [im.values.get(other) for other in reader.inputs if other != name]
        fits = any(isinstance(v, View) and len(v.dims) > max(k for k, _ in larger) and all(
            v.shape[k] == n for k, n in larger) for v in others)
        if reader.domain or reader.operator not in _BROADCAST or not fits:
            return False
    return True


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
