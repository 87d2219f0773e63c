"""Tensors of another shape: reshaped, transposed, joined, cut, padded, repeated."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry import tensor_shapes
from fastcnn.geometry.arguments import is_integer
from fastcnn.geometry.tensor_shapes import from_front
from fastcnn.operations import division, layout
from fastcnn.ops import types
from fastcnn.ops.casting import meet
from fastcnn.ops.primitive import is_floating, on_host, primitive, same
from fastcnn.symbolic import Tensor


class UnknownLength:
    """The length of a batch before there is one, as `shape` tells it: for `reshape`, `ones`, ...; times an integer.

    Parameters
    ----------
    tensor : Tensor
        Whose first dimension it is.
    axis : int
    factor : int
    """

    def __init__(self, tensor: Tensor, axis: int, factor: int = 1) -> None:
        self.tensor, self.axis, self.factor = tensor, axis, factor

    def __mul__(self, other: Any) -> "UnknownLength":
        return UnknownLength(self.tensor, self.axis, self.factor * int(other)) if is_integer(other) else NotImplemented

    __rmul__ = __mul__

    def __index__(self) -> int:
        raise ArgumentError(f"ops.shape: expected no number of a batch before there is one, of {self.tensor!r}; give "
                            f"it to ops.reshape, ops.ones or ops.zeros as it is")

    def __repr__(self) -> str:
        return "batch" if self.factor == 1 else f"{self.factor} * batch"


def shape(x: Any) -> tuple[Any, ...]:
    """Return the shape; the batch of a symbolic tensor is a `UnknownLength`, which `reshape` and `ones` take.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.shape(np.zeros((2, 3)))
    (2, 3)
    """
    if isinstance(x, Tensor):
        return tuple(UnknownLength(x, k) if n is None else n for k, n in enumerate(x.shape))
    return tuple(np.shape(x)) if not types.is_tensor(x) else tuple(x.shape)


def ndim(x: Any) -> int:
    """Return how many dimensions a tensor has.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.ndim(np.zeros((2, 3)))
    2
    """
    return len(shape(x))


def size(x: Any) -> int:
    """Return how many numbers an array has.

    Parameters
    ----------
    x : array

    Examples
    --------
    >>> fc.ops.size(np.zeros((2, 3)))
    6
    """
    return math.prod(int(n) for n in shape(x))


def _onnx_reshape(writer: Any, names: Any, shapes: Any, *, shape: Any) -> str:
    lengths = [-1 if n is None else n for n in tensor_shapes.reshaped(shapes[0], shape, "ops.reshape")]
    return str(writer.node("Reshape", [names[0], writer.constant(np.asarray(lengths, np.int64), "shape")]))


@primitive(lambda old, shape: tensor_shapes.reshaped(old, shape, "ops.reshape"), same, replayable=True,
           onnx=_onnx_reshape)
def _reshape(x: Any, shape: Any) -> Any:
    old = x.shape
    return x.reshape(tensor_shapes.reshaped(old, shape, "ops.reshape")), lambda dy: (dy.reshape(old),)


@primitive(lambda shape, axes: tuple(shape[k] for k in axes), same, replayable=True,
           onnx=lambda w, names, shapes, axes: w.node("Transpose", names, perm=axes))
def _transpose(x: Any, axes: Any) -> Any:
    if not is_floating(x):
        return on_host(lambda a: np.transpose(a, axes), x), None
    y, back = layout.transpose(x, tuple(axes), "ops.transpose")
    return y, lambda dy: (back(dy),)


def _shape_of(wanted: Any) -> list[Any]:
    """Return a shape that may hold lengths of a batch, None, as a list: one multiple of it is whatever is left."""
    given = [wanted] if is_integer(wanted) else list(wanted)
    return [(None if n.factor == 1 else -1) if isinstance(n, UnknownLength) else None if n is None else int(n)
            for n in given]


@primitive(lambda old, shape: tensor_shapes.together((old, tuple(shape)), "ops.broadcast_to"), same,
           onnx=lambda w, names, shapes, shape: w.node("Expand", [names[0], w.constant(
               np.asarray([1 if n is None else n for n in shape], np.int64), "shape")]))
def _broadcast_to(x: Any, shape: Any) -> Any:
    old = x.shape
    whole = tensor_shapes.together((old, tuple(1 if n is None else n for n in shape)), "ops.broadcast_to")
    if not is_floating(x):
        return on_host(lambda a: np.broadcast_to(a, whole), x), None
    return division.broadcast_to(x, whole), lambda dy: (division.reduced_to(dy, old),)


def reshape(x: Any, newshape: Any) -> Any:
    """Return a tensor of another shape with the same numbers.

    Parameters
    ----------
    x : array or tensor
    newshape : tuple of int
        -1 stands for what is left.

    Examples
    --------
    >>> fc.ops.reshape([1, 2, 3, 4], (2, -1))
    array([[1, 2],
           [3, 4]], dtype=int32)
    """
    return _reshape(*meet("ops.reshape", x), shape=_shape_of(newshape))


def ravel(x: Any) -> Any:
    """Return all numbers in one dimension.

    Parameters
    ----------
    x : array or tensor

    Examples
    --------
    >>> fc.ops.ravel([[1, 2], [3, 4]])
    array([1, 2, 3, 4], dtype=int32)
    """
    return reshape(x, (-1,))


def transpose(x: Any, axes: Sequence[int] | None = None) -> Any:
    """Return a tensor with its axes in another order.

    Parameters
    ----------
    x : array or tensor
    axes : sequence of int, optional
        The reverse order if absent.

    Examples
    --------
    >>> fc.ops.transpose([[1, 2], [3, 4]])
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    (x,) = meet("ops.transpose", x)
    order = list(reversed(range(x.ndim))) if axes is None else [from_front(k, x.ndim, "ops.transpose") for k in axes]
    if sorted(order) != list(range(x.ndim)):
        raise ArgumentError(f"ops.transpose: expected a permutation of {x.ndim} axes, got {axes!r}")
    return _transpose(x, axes=order)


def swapaxes(x: Any, axis1: int, axis2: int) -> Any:
    """Return a tensor with two axes in one another's places.

    Parameters
    ----------
    x : array or tensor
    axis1, axis2 : int

    Examples
    --------
    >>> fc.ops.swapaxes(np.zeros((2, 3, 4)), 0, 2).shape
    (4, 3, 2)
    """
    (x,) = meet("ops.swapaxes", x)
    order = list(range(x.ndim))
    a, b = (from_front(k, x.ndim, "ops.swapaxes") for k in (axis1, axis2))
    order[a], order[b] = order[b], order[a]
    return _transpose(x, axes=order)


def moveaxis(x: Any, source: Any, destination: Any) -> Any:
    """Return a tensor with axes at other places; the others stay in their order.

    Parameters
    ----------
    x : array or tensor
    source, destination : int or sequence of int

    Examples
    --------
    >>> fc.ops.moveaxis(np.zeros((2, 3, 4)), -1, 0).shape
    (4, 2, 3)
    """
    (x,) = meet("ops.moveaxis", x)
    of, to = ([from_front(k, x.ndim, "ops.moveaxis") for k in (one if isinstance(one, (tuple, list)) else [one])]
              for one in (source, destination))
    if len(of) != len(to) or len(set(of)) < len(of) or len(set(to)) < len(to):
        raise ArgumentError(f"ops.moveaxis: expected as many different axes, got {source!r} and {destination!r}")
    order = [k for k in range(x.ndim) if k not in of]
    for place, axis in sorted(zip(to, of, strict=True)):
        order.insert(place, axis)
    return _transpose(x, axes=order)


def expand_dims(x: Any, axis: Any) -> Any:
    """Return a tensor with new dimensions of length 1.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int
        Where they are in the result.

    Examples
    --------
    >>> fc.ops.expand_dims([1, 2], -1).shape
    (2, 1)
    """
    (x,) = meet("ops.expand_dims", x)
    many = axis if isinstance(axis, (tuple, list)) else (axis,)
    at = tensor_shapes.axes_from_front(tuple(many), x.ndim + len(many), "ops.expand_dims")
    lengths = iter(range(x.ndim))
    part = [[tensor_shapes.NEW] if k in at else [tensor_shapes.PART, None, None, None, next(lengths)][:4]
            for k in range(x.ndim + len(many))]
    wanted = tensor_shapes.parted(part, tuple(x.shape), "ops.expand_dims")
    return _reshape(x, shape=list(wanted))


def squeeze(x: Any, axis: Any = None) -> Any:
    """Return a tensor without dimensions of length 1.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
        All of them if absent.

    Examples
    --------
    >>> fc.ops.squeeze(np.zeros((2, 1, 3, 1))).shape
    (2, 3)
    """
    (x,) = meet("ops.squeeze", x)
    at = [k for k, n in enumerate(x.shape) if n == 1] if axis is None else tensor_shapes.axes_from_front(
        axis, x.ndim, "ops.squeeze")
    strange = [k for k in at if x.shape[k] != 1]
    if strange:
        raise ArgumentError(f"ops.squeeze: expected an axis of length 1, got axis {strange[0]} of {tuple(x.shape)}")
    return _reshape(x, shape=[n for k, n in enumerate(x.shape) if k not in at])


def broadcast_to(x: Any, shape: Any) -> Any:
    """Return a tensor with its numbers repeated to a shape.

    Parameters
    ----------
    x : array or tensor
    shape : tuple of int

    Examples
    --------
    >>> fc.ops.broadcast_to([1, 2], (2, 2))
    array([[1, 2],
           [1, 2]], dtype=int32)
    """
    (x,) = meet("ops.broadcast_to", x)
    wanted = [None if n == -1 else n for n in _shape_of(shape)]
    whole = tensor_shapes.together((tuple(x.shape), tuple(wanted)), "ops.broadcast_to")
    if len(whole) != len(wanted) or any(n not in (m, None) for n, m in zip(wanted, whole, strict=True)):
        raise ArgumentError(f"ops.broadcast_to: expected a shape that {tuple(x.shape)} repeats to, got {tuple(wanted)}")
    return _broadcast_to(x, shape=wanted)
