"""What may stand between a turn of the batch and the turn back (`fastcnn.onnx._moved_batch`)."""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, of_turned
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View, transposed
from fastcnn.onnx._moved_batch import Turned, placed, regrouped
from fastcnn.onnx.convert.shape import resolved
from fastcnn.onnx.convert.slicing import picked, slice_bounds, sliced
from fastcnn.onnx.operators.arrays import integers


@of_turned("Identity")
def identity(im: Importer, x: Turned) -> Turned:
    return x


@of_turned("Shape")
def shape_of(im: Importer, x: Turned, *, node: OnnxNode, start: int = 0, end: int | None = None) -> np.ndarray:
    return im.of_batch(node, lambda batch: np.array(x.shape(batch)[start:end], np.int64))


@of_turned("Transpose")
def transpose(im: Importer, x: Turned, *, node: OnnxNode, perm: Any = None) -> View | Turned:
    rank = len(x.shape(im.batch))
    perm = list(range(rank))[::-1] if perm is None else perm
    if sorted(perm) != list(range(rank)):
        raise NotOfferedError(f"Transpose of {rank} dimensions by {perm}")
    if x.is_merged:
        return replace(x, view=transposed(x.view, perm), at=perm.index(x.at))
    view = transposed(x.view, [x.axis_of_view(axis) for axis in perm if axis != x.at])
    return placed(view, None if x.at is None else perm.index(x.at), x.cause, x.node)


@of_turned("Reshape")
def reshape(im: Importer, x: Turned, given: Any = None, *, node: OnnxNode, shape: Any = None,
            allowzero: int = 0) -> View | Turned:
    name = node.inputs[1] if given is not None else ""
    wanted = integers(im.constant(given, "a shape")) if given is not None else list(shape)
    other = im.other.get(name)
    if other is not None and sum(a != b for a, b in zip(wanted, integers(other), strict=True)) > 1:
        raise NotOfferedError(f"{node.operator} with a number that is computed from the batch")
    return _regrouped(im, x, resolved(x.shape(im.batch), wanted, allowzero))


def _regrouped(im: Importer, x: Turned, sizes: list[int]) -> View | Turned:
    return regrouped(im, im.batch, x.view, x.at, sizes, x.cause, x.node)


@of_turned("Gather")
def gather(im: Importer, x: Turned, indices: Any, *, node: OnnxNode, axis: int = 0) -> View | Turned:
    at = im.constant(indices, "an index")
    shape = x.shape(im.batch)
    if x.is_merged:  # all numbers in their order are another shape of them
        other = im.other.get(node.inputs[1], at)
        whole = all(np.array_equal(one.reshape(-1), np.arange(one.size)) for one in (at, other))
        if whole and axis in (0, -len(shape)) and at.size == shape[0]:
            return _regrouped(im, x, [*at.shape, *shape[1:]])
        raise NotOfferedError(x.cause, x.node)
    im.require_any_batch(node)
    axis = x.axis_of_view(axis)
    moved = at.ndim - 1 if x.at is not None and axis < x.at else 0
    return placed(picked(im, x.view, node, axis, at), None if x.at is None else x.at + moved, x.cause, x.node)


@of_turned("Slice")
def slice_(im: Importer, x: Turned, starts_in: Any = None, ends_in: Any = None, axes_in: Any = None,
           steps_in: Any = None, *, node: OnnxNode, starts: Any = None, ends: Any = None, axes: Any = None) -> Turned:
    if x.is_merged:
        raise NotOfferedError(x.cause, x.node)
    im.require_any_batch(node)
    bounds = slice_bounds(im, len(x.shape(im.batch)), (starts_in, starts), (ends_in, ends), (axes_in, axes), steps_in)
    return replace(x, view=sliced(im, x.view, node, [(begin, end, x.axis_of_view(axis), step)
                                                     for begin, end, axis, step in bounds]))


@of_turned("Squeeze")
def squeeze(im: Importer, x: Turned, given: Any = None, *, node: OnnxNode, axes: Any = None) -> View | Turned:
    over = integers(im.constant(given, "axes")) if given is not None else axes
    shape = x.shape(im.batch)
    if x.is_merged or over is None:
        raise NotOfferedError(x.cause, x.node)
    gone = {axis % len(shape) for axis in over}
    if any(shape[axis] != 1 for axis in gone) or x.at in gone:
        raise NotOfferedError(f"Squeeze of {list(shape)} along {sorted(gone)}")
    at = None if x.at is None else x.at - sum(axis < x.at for axis in gone)
    kept = [n for axis, n in enumerate(shape) if axis not in gone and axis != x.at]
    return placed(im.regrouped(x.view, kept), at, x.cause, x.node)


@of_turned("GatherND")
def gather_nd(im: Importer, x: Turned, indices: Any, *, node: OnnxNode, batch_dims: int = 0) -> View | Turned:
    """Numbers by their index along the first dimensions: along each by itself where the indices are a grid."""
    im.require_any_batch(node)
    at = im.constant(indices, "an index")
    count = at.shape[-1]
    if batch_dims or x.is_merged or (x.at is not None and x.at < count):
        raise NotOfferedError("samples picked by index")
    view, shape = x.view, x.view.shape
    at = np.where(at < 0, at + np.array(shape[:count]), at)
    is_grid = at.ndim - 1 == count
    rows = [np.moveaxis(at[..., k], k, 0).reshape(at.shape[k], -1) for k in range(count)] if is_grid else []
    if rows and all((row == row[:, :1]).all() for row in rows):
        for axis, row in enumerate(rows):
            view = picked(im, view, node, axis, row[:, 0])
    else:
        flat = im.regrouped(view, (math.prod(shape[:count]), *shape[count:]))
        view = picked(im, flat, node, 0, np.ravel_multi_index(tuple(np.moveaxis(at, -1, 0)), shape[:count]))
    return placed(view, None if x.at is None else x.at - count + at.ndim - 1, x.cause, x.node)
