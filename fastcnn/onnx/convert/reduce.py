"""Reductions over dimensions of a sample: global pooling with those as the image's, the others as channels.

The largest numbers, and where they stand, are `layers.TopK`.
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np

from fastcnn import layers
from fastcnn.onnx._graph import OnnxNode
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._layout import NotOfferedError
from fastcnn.onnx._layout_view import View
from fastcnn.onnx.convert.merge import scaled, together
from fastcnn.onnx.operators.arrays import integers

_OF_IMAGES = {layers.GlobalAveragePooling1D: layers.GlobalAveragePooling2D,
              layers.GlobalMaxPooling1D: layers.GlobalMaxPooling2D,
              layers.GlobalMinPooling1D: layers.GlobalMinPooling2D, layers.GlobalL2Pooling1D: layers.GlobalL2Pooling2D}


def _over(im: Importer, x: View, given: Any, axes: Any) -> list[int]:
    """Return the file's axes that go, all if none are named."""
    over = integers(im.constant(given, "axes")) if given is not None else axes
    over = sorted(x.axis(axis) for axis in (over or range(len(x.dims) + 1)))
    if 0 in over:
        raise NotOfferedError("a reduction over the batch")
    return over


def _reduced(im: Importer, x: View, node: OnnxNode, kind: Any, given: Any, axes: Any, keepdims: int) -> View:
    over = _over(im, x, given, axes)
    gone = tuple(atom for axis in over for atom in x.dims[axis - 1])
    gone = tuple(sorted(gone))
    kept = tuple(atom for atom in range(len(x.sizes)) if atom not in gone)
    if len(x.tensor.shape) == 4 and (*gone, *kept) == tuple(range(len(x.sizes))) and math.prod(
            x.tensor.shape[1:3]) == math.prod(x.sizes[atom] for atom in gone):
        tensor = im.apply(node, _OF_IMAGES[kind], x.tensor)
    else:
        tensor = im.apply(node, kind, im.arranged(x, (gone, kept)))
    place = {atom: at for at, atom in enumerate(kept)}
    dims = [() if axis + 1 in over else tuple(place[atom] for atom in dim) for axis, dim in enumerate(x.dims)
            if keepdims or axis + 1 not in over]
    return View(tensor, tuple(x.sizes[atom] for atom in kept), tuple(dims))


def _reduction(name: str, kind: Any) -> None:
    """Let an operator become the pooling layer that takes all of an image."""

    def convert(im: Importer, x: View, given: Any = None, *, node: OnnxNode, axes: Any = None, keepdims: int = 1,
                noop_with_empty_axes: int = 0) -> View:
        if noop_with_empty_axes and not np.size(given if given is not None else axes or ()):
            return x
        return _reduced(im, x, node, kind, given, axes, keepdims)

    converter(name)(convert)


for _name, _kind in (("ReduceMean", layers.GlobalAveragePooling1D), ("ReduceMax", layers.GlobalMaxPooling1D),
                     ("ReduceMin", layers.GlobalMinPooling1D), ("ReduceL2", layers.GlobalL2Pooling1D)):
    _reduction(_name, _kind)


def _summed(im: Importer, x: View, node: OnnxNode, given: Any, axes: Any, keepdims: int) -> View:
    y = _reduced(im, x, node, layers.GlobalAveragePooling1D, given, axes, keepdims)
    return scaled(im, y, math.prod(x.sizes) / math.prod(y.sizes), 0.0)


@converter("ReduceSum", "ReduceL1", "ReduceSumSquare", "ReduceLogSum")
def total(im: Importer, x: View, given: Any = None, *, node: OnnxNode, axes: Any = None, keepdims: int = 1,
          noop_with_empty_axes: int = 0) -> View:
    """The sum, of magnitudes or squares, or its logarithm."""
    if noop_with_empty_axes and not np.size(given if given is not None else axes or ()):
        raise NotOfferedError(f"{node.operator} of no axes")
    if node.operator == "ReduceL1":
        x = x.on(im.apply(node, layers.Abs, x.tensor))
    elif node.operator == "ReduceSumSquare":
        x = x.on(im.apply(node, layers.Multiply, [x.tensor, x.tensor]))
    y = _summed(im, x, node, given, axes, keepdims)
    return y.on(im.apply(node, layers.Log, y.tensor)) if node.operator == "ReduceLogSum" else y


@converter("ReduceLogSumExp")
def log_sum_exp(im: Importer, x: View, given: Any = None, *, node: OnnxNode, axes: Any = None, keepdims: int = 1,
                noop_with_empty_axes: int = 0) -> View:
    """max(x) - max(log softmax(x)): nothing overflows, and the gradient is the softmax."""
    over = _over(im, x, given, axes)
    gone = tuple(sorted(atom for axis in over for atom in x.dims[axis - 1]))
    kept = tuple(atom for atom in range(len(x.sizes)) if atom not in gone)
    logarithms = im.apply(node, layers.LogSoftmax, im.arranged(x, (gone, kept)), axis=1)
    whole = [_reduced(im, v, node, layers.GlobalMaxPooling1D, None, over, keepdims)
             for v in (x, im.moved_as(x, logarithms, (gone, kept)))]
    tensors, back = together(im, whole)
    return back(im.apply(node, layers.Subtract, tensors))


# --- the largest of a dimension ---------------------------------------------------------------------------------------


def _largest(im: Importer, x: View, node: OnnxNode, axis: int, k: int, largest: bool, indices: bool) -> View:
    """Return the k largest or smallest numbers along a dimension, or their indices."""
    axis = x.axis(axis) - 1
    if axis < 0:
        raise NotOfferedError(f"{node.operator} over the batch")
    x = x if largest else scaled(im, x, -1.0, 0.0)
    others = tuple(atom for atom in range(len(x.sizes)) if atom not in x.dims[axis])
    y = im.apply(node, layers.TopK, im.with_last(x, axis)[0], k, indices=indices)
    place = {atom: at for at, atom in enumerate(others)}
    sizes = tuple(x.sizes[atom] for atom in others) + (k,) * (k > 1)
    dims = [tuple(place[atom] for atom in dim) for at, dim in enumerate(x.dims) if at != axis]
    dims.insert(axis, (len(others),) if k > 1 else ())
    view = View(y, sizes, tuple(dims))
    return view if largest or indices else scaled(im, view, -1.0, 0.0)


@converter("ArgMax", "ArgMin")
def index_of_largest(im: Importer, x: View, *, node: OnnxNode, axis: int = 0, keepdims: int = 1,
                     select_last_index: int = 0) -> View:
    """Whole numbers, which a tensor of floats holds exactly up to 2^24."""
    if select_last_index:
        raise NotOfferedError(f"{node.operator} with select_last_index")
    y = _largest(im, x, node, axis, 1, node.operator == "ArgMax", True)
    return y if keepdims else replace(y, dims=tuple(d for at, d in enumerate(y.dims) if at != x.axis(axis) - 1))


@converter("TopK")
def top(im: Importer, x: View, given: Any = None, *, node: OnnxNode, k: int | None = None, axis: int = -1,
        largest: int = 1, sorted: int = 1, outputs: int) -> tuple[View | None, ...]:
    """As many of the outputs as something reads; in order, whether the file asks for that or not."""
    count = k if given is None else int(im.constant(given, "a number of the largest").reshape(-1)[0])
    if count is None or count < 1:
        raise NotOfferedError(f"TopK of {count}")
    return tuple(_largest(im, x, node, axis, count, bool(largest), indices) if im.is_wanted(name) else None
                 for name, indices in zip(node.outputs, (False, True)))
