"""Sums, products and extremes: of two values by merge layers, of one with a constant by scale and offset."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import Dim, View, channels_last, laid_out
from fastcnn.onnx.convert.shape import repeated
from fastcnn.symbolic import Tensor

# --- with constants ---------------------------------------------------------------------------------------------------


def scaled(im: Importer, x: View, scale: float, offset: float, node: OnnxNode | None = None) -> View:
    """Return scale x + offset."""
    if scale == 1 and offset == 0:
        return x
    return x.on(im.apply(node, layers.Rescaling, x.tensor, scale, offset))


def affine(im: Importer, x: View, scale: np.ndarray, offset: np.ndarray, node: OnnxNode) -> View:
    """Return scale x + offset for constants.

    Numbers by channel inside a network become a depthwise convolution with a window of one pixel, which trains.

    Raises
    ------
    NotOfferedError
        If they differ within the batch.
    """
    rank = len(x.dims) + 1
    shape = np.broadcast_shapes(scale.shape, offset.shape)
    whole = np.broadcast_shapes(shape, (1, *x.shape)) if len(shape) <= rank else ()
    if not whole or whole[0] != 1:
        raise NotOfferedError(f"a constant of shape {shape} with a value of shape {(None, *x.shape)}")
    if larger := [(k, n) for k, (n, m) in enumerate(zip(whole[1:], x.shape)) if n != m]:
        x = repeated(im, node, x, larger)
    if math.prod(shape) == 1:
        return scaled(im, x, float(scale.reshape(-1)[0]), float(offset.reshape(-1)[0]), node)
    differing = [axis - 1 for axis, n in enumerate((1,) * (rank - len(shape)) + shape) if n != 1]
    last = len(x.sizes) - 1
    if len(differing) == 1 and last not in x.dims[differing[0]] and not _begins(x):
        x = im.in_channels_last(x) if differing == [0] else x
    by_atom = [in_memory(x, v) for v in (scale, offset)]
    sizes = np.broadcast_shapes(*(v.shape for v in by_atom))
    begin = next(at for at, n in enumerate(sizes) if n != 1)
    tail = math.prod(x.sizes[begin:])
    if len(differing) == 1 and sizes[begin:] == x.sizes[begin:] and not _begins(x):
        numbers = [np.broadcast_to(v, sizes).reshape(-1) for v in by_atom]
        rows = x.tensor.shape[1:] if len(x.tensor.shape) == 4 and x.tensor.shape[-1] == tail else (
            x.elements // tail, 1, tail)
        y = im.apply(node, layers.DepthwiseConv2D, im.shaped(x.tensor, rows), 1, depthwise_initializer="zeros",
                     weights=[numbers[0].reshape(1, 1, tail, 1), numbers[1]])
        return x.on(im.shaped(y, x.tensor.shape[1:]))
    return x.on(im.apply(node, layers.Rescaling, im.shaped(x.tensor, x.sizes), *by_atom))


def _begins(x: View) -> bool:
    """Return whether the network begins here: what is done to its input is no part of what it learned."""
    return isinstance(x.tensor.node.layer, layers.InputLayer | layers.Rescaling)


def in_memory(x: View, value: np.ndarray) -> np.ndarray:
    """Return a constant with a dimension for each atom, in the order of memory; 1 where it is the same for all."""
    value = value.reshape((1,) * (len(x.dims) + 1 - value.ndim) + value.shape)[0]
    shape = [x.sizes[atom] if n != 1 else 1 for n, dim in zip(value.shape, x.dims) for atom in dim]
    return value.reshape(shape).transpose(np.argsort(x.order, kind="stable"))


def _with_constant(im: Importer, x: View, c: np.ndarray, node: OnnxNode, reverse: bool) -> View:
    c = c.astype(np.float64)
    one, zero = np.ones(()), np.zeros(())
    if node.operator == "Mul":
        return affine(im, x, c, zero, node)
    if node.operator in ("Add", "Sum"):
        return affine(im, x, one, c, node)
    if node.operator == "Sub":
        return affine(im, x, -one, c, node) if reverse else affine(im, x, one, -c, node)
    return affine(im, x, 1 / c, zero, node)


# --- of two values ----------------------------------------------------------------------------------------------------


def together(im: Importer, views: Sequence[View]) -> tuple[list[Tensor], Any]:
    """Return tensors that a merge layer takes together, and the way from its output to a view.

    They stay as they lie where all lie alike; else all are moved into one order: the file's where none has another, or
    channels-last.
    """
    first = views[0]
    if all(v.sizes == first.sizes and v.dims == first.dims for v in views):
        shape = first.tensor.shape[1:]
        same = [v.tensor if v.tensor.shape[1:] == shape else im.apply(None, layers.Reshape, v.tensor, shape)
                for v in views]
        return same, first.on
    rank = max(len(v.dims) for v in views)
    if any(len(v.dims) != rank for v in views):
        raise NotOfferedError("values of different numbers of dimensions together")
    if rank < 2 or (all(v.is_natural for v in views) and not all(v.is_channels_last for v in views)):
        return [im.arranged(v, v.dims) for v in views], laid_out
    groups: list[list[Dim]] = [[*v.dims[1:], v.dims[0]] for v in views]
    return [im.arranged(v, group) for v, group in zip(views, groups)], channels_last


_LAYERS = {"Add": layers.Add, "Sum": layers.Add, "Sub": layers.Subtract, "Mul": layers.Multiply,
           "Max": layers.Maximum, "Min": layers.Minimum, "Mean": layers.Average}


def _merged(im: Importer, views: Sequence[View], node: OnnxNode) -> View:
    if len(views) == 1:
        return views[0]
    tensors, back = together(im, views)
    return back(im.apply(node, _LAYERS[node.operator], tensors))


@converter("Add", "Sub", "Mul")
def arithmetic(im: Importer, a: Any, b: Any, *, node: OnnxNode, axis: int | None = None, broadcast: int = 0) -> View:
    if isinstance(a, View) and isinstance(b, View):
        return _merged(im, (a, b), node)
    if isinstance(a, View):
        if axis is not None and b.ndim:  # operator sets before 7
            b = b.reshape(*b.shape, *(1,) * (len(a.dims) + 1 - a.axis(axis) - b.ndim))
        return _with_constant(im, a, b, node, False)
    return _with_constant(im, b, a, node, True)


@converter("Sum", "Mean", "Max", "Min")
def many(im: Importer, *values: Any, node: OnnxNode) -> View:
    """Of values first, then with each of the constants."""
    views = [value for value in values if isinstance(value, View)]
    if node.operator == "Mean" and len(views) < len(values):
        raise NotOfferedError("Mean of values and constants")
    y = _merged(im, views, node)
    for c in (value.astype(np.float64) for value in values if not isinstance(value, View)):
        y = affine(im, y, np.ones(()), c, node) if node.operator == "Sum" else _bounded(im, y, c, node)
    return y


def _bounded(im: Importer, x: View, c: np.ndarray, node: OnnxNode) -> View:
    """Return max(x, c) or min(x, c): a clip, moved by c and back where it has several numbers."""
    bounds = lambda bound: (bound, None) if node.operator == "Max" else (None, bound)
    if c.size == 1 and c.ndim <= len(x.dims) + 1:
        bound = plain(c.item())
        kind, given = (layers.ReLU, ()) if bounds(bound) == (0, None) else (layers.Clip, bounds(bound))
        return x.on(im.apply(node, kind, x.tensor, *given))
    moved = affine(im, x, np.ones(()), -c, node)
    return affine(im, moved.on(im.apply(node, layers.Clip, moved.tensor, *bounds(0.0))), np.ones(()), c, node)


def plain(value: float) -> float:
    """Return the shortest decimal number that is the file's float32, 0.2, not 0.20000000298; a float64 as it is."""
    single = np.float32(value)
    return float(str(single)) if float(single) == value else float(value)


@converter("Neg")
def negative(im: Importer, x: View, *, node: OnnxNode) -> View:
    return scaled(im, x, -1.0, 0.0, node)


@converter("Concat")
def concat(im: Importer, *values: Any, node: OnnxNode, axis: int = 1) -> View:
    views = [value for value in values if isinstance(value, View)]
    if len(views) < len(values):
        raise NotOfferedError("values and constants side by side")
    rank = len(views[0].dims)
    along = views[0].axis(axis) - 1
    if along < 0 or any(len(v.dims) != rank for v in views):
        raise NotOfferedError("samples one after the other")
    if rank < 2 or (all(v.is_natural for v in views) and not all(v.is_channels_last for v in views)):
        tensors = [im.arranged(v, v.dims) for v in views]
        return laid_out(im.apply(node, layers.Concatenate, tensors, axis=along + 1))
    tensors = [im.image(v) for v in views]
    return channels_last(im.apply(node, layers.Concatenate, tensors, axis=rank if along == 0 else along))
