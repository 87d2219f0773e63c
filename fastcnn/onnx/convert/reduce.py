"""Reductions over dimensions of a sample: global pooling with those as the image's, the others as channels."""

import math
from typing import Any

from fastcnn import layers
from fastcnn.onnx._arranging import NotOfferedError
from fastcnn.onnx._graph import Node
from fastcnn.onnx._importer import Importer, converter
from fastcnn.onnx._view import View
from fastcnn.onnx.convert.merge import scaled
from fastcnn.onnx.operators.arrays import integers

_OF_IMAGES = {layers.GlobalAveragePooling1D: layers.GlobalAveragePooling2D,
              layers.GlobalMaxPooling1D: layers.GlobalMaxPooling2D,
              layers.GlobalMinPooling1D: layers.GlobalMinPooling2D, layers.GlobalL2Pooling1D: layers.GlobalL2Pooling2D}


def _reduced(im: Importer, x: View, node: Node, kind: Any, given: Any, axes: Any, keepdims: int) -> View:
    rank = len(x.dims) + 1
    over = integers(im.constant(given, "axes")) if given is not None else axes
    over = sorted(x.axis(axis) for axis in (over or range(rank)))
    if 0 in over:
        raise NotOfferedError("a reduction over the batch")
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


@converter("ReduceMean")
def mean(im: Importer, x: View, given: Any = None, *, node: Node, axes: Any = None, keepdims: int = 1,
         noop_with_empty_axes: int = 0) -> View:
    return _reduced(im, x, node, layers.GlobalAveragePooling1D, given, axes, keepdims)


@converter("ReduceMax")
def maximum(im: Importer, x: View, given: Any = None, *, node: Node, axes: Any = None, keepdims: int = 1,
            noop_with_empty_axes: int = 0) -> View:
    return _reduced(im, x, node, layers.GlobalMaxPooling1D, given, axes, keepdims)


@converter("ReduceMin")
def minimum(im: Importer, x: View, given: Any = None, *, node: Node, axes: Any = None, keepdims: int = 1,
            noop_with_empty_axes: int = 0) -> View:
    return _reduced(im, x, node, layers.GlobalMinPooling1D, given, axes, keepdims)


@converter("ReduceL2")
def norm(im: Importer, x: View, given: Any = None, *, node: Node, axes: Any = None, keepdims: int = 1,
         noop_with_empty_axes: int = 0) -> View:
    return _reduced(im, x, node, layers.GlobalL2Pooling1D, given, axes, keepdims)


@converter("ReduceSum")
def total(im: Importer, x: View, given: Any = None, *, node: Node, axes: Any = None, keepdims: int = 1,
          noop_with_empty_axes: int = 0) -> View:
    y = _reduced(im, x, node, layers.GlobalAveragePooling1D, given, axes, keepdims)
    return scaled(im, y, math.prod(x.sizes) / math.prod(y.sizes), 0.0)
