"""The largest numbers, numbers in order, and running sums."""

from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.geometry.tensor_shapes import from_front
from fastcnn.operations import selection
from fastcnn.ops import types
from fastcnn.ops.casting import cast, meet
from fastcnn.ops.elementary import negative
from fastcnn.ops.parts import get_item
from fastcnn.ops.primitive import is_floating, on_host, primitive, same
from fastcnn.ops.selection import take_along_axis
from fastcnn.ops.shaping import ravel


@primitive(lambda shape, k: (*shape[:-1], k), same, replayable=True, onnx=lambda w, names, shapes, k: w.node(
    "TopK", [names[0], w.constant(np.asarray([k], np.int64), "k")], 2)[0])
def _top_values(x: Any, k: int) -> Any:
    y, back = selection.top_k(x, k, x.ndim - 1)
    return y, lambda dy: (back(dy),)


@primitive(lambda shape, k: (*shape[:-1], k), lambda kind, **_: types.INT32)
def _top_places(x: Any, k: int) -> Any:
    return on_host(lambda at: at.astype(np.int32), selection.top_k(x, k, x.ndim - 1, indices=True)[0]), None


@primitive(lambda shape, axis: shape, lambda kind, **_: types.INT32)
def _argsort(x: Any, axis: int) -> Any:
    return on_host(lambda a: np.argsort(a, axis, kind="stable").astype(np.int32), x), None


@primitive(lambda shape, axis: shape, same,
           onnx=lambda w, names, shapes, axis: w.node("CumSum", [
               names[0], w.constant(np.asarray(axis, np.int64), "axis")]))
def _cumsum(x: Any, axis: int) -> Any:
    kind = x.dtype

    def backward(dy: Any) -> Any:
        return (on_host(lambda g: np.flip(np.cumsum(np.flip(g, axis), axis, dtype=kind), axis), dy),)

    return on_host(lambda a: np.cumsum(a, axis, dtype=kind), x), backward if is_floating(x) else None


def top_k(x: Any, k: int, sorted: bool = True) -> tuple[Any, Any]:
    """Return the k largest numbers along the last axis, the largest first, and their places.

    Parameters
    ----------
    x : array or tensor
    k : int
    sorted : bool
        They are in any case.

    Examples
    --------
    >>> fc.ops.top_k([1.0, 3.0, 2.0], 2)
    (array([3., 2.], dtype=float32), array([1, 2], dtype=int32))
    """
    (x,) = meet("ops.top_k", x)
    if not x.ndim or not is_integer(k) or not 1 <= k <= x.shape[-1]:
        raise ArgumentError(f"ops.top_k: expected 1 <= k <= the last axis of {tuple(x.shape)}, got {k!r}")
    if types.dtype_of(x) not in types.FLOATS:
        at = get_item(argsort(negative(x)), (..., slice(int(k))))
        return take_along_axis(x, at, -1), at
    return _top_values(x, k=int(k)), _top_places(x, k=int(k))


def argsort(x: Any, axis: int = -1) -> Any:
    """Return the places of numbers in rising order; equal ones stay in their order.

    Parameters
    ----------
    x : array or tensor
    axis : int, optional
        None counts through all numbers.

    Examples
    --------
    >>> fc.ops.argsort([3, 1, 2])
    array([1, 2, 0], dtype=int32)
    """
    (x,) = meet("ops.argsort", x)
    if axis is None:
        x, axis = ravel(x), 0
    return _argsort(x, axis=from_front(axis, x.ndim, "ops.argsort"))


def sort(x: Any, axis: int = -1) -> Any:
    """Return numbers in rising order along an axis.

    Parameters
    ----------
    x : array or tensor
    axis : int

    Examples
    --------
    >>> fc.ops.sort([3, 1, 2])
    array([1, 2, 3], dtype=int32)
    """
    return take_along_axis(x, argsort(x, axis), axis)


def cumsum(x: Any, axis: int | None = None, dtype: Any = None) -> Any:
    """Return the sums of each number and all before it along an axis.

    Parameters
    ----------
    x : array or tensor
    axis : int, optional
        None counts through all numbers.
    dtype : str, optional
        What `x` is cast to first.

    Examples
    --------
    >>> fc.ops.cumsum([1.0, 2.0, 3.0])
    array([1., 3., 6.], dtype=float32)
    """
    (x,) = meet("ops.cumsum", x) if dtype is None else (cast(x, dtype),)
    if axis is None:
        x, axis = ravel(x), 0
    return _cumsum(x, axis=from_front(axis, x.ndim, "ops.cumsum"))
