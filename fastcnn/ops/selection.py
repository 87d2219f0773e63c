"""Entries by their index, repeated or sorted, and the largest ones."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.geometry.tensor_shapes import from_front
from fastcnn.operations import selection
from fastcnn.ops import types
from fastcnn.ops.casting import meet
from fastcnn.ops.primitive import is_floating, on_host, primitive, same
from fastcnn.ops.shaping import ravel, reshape

_FEW = 4096  # places that stand in the graph; more of them are an operand


def _taken(shape: Any, *, places: Any, axis: int) -> Any:
    n = shape[axis]
    strange = [k for k in places if n is not None and not -n <= k < n]
    if strange:
        raise ArgumentError(f"ops.take: expected places among the {n} along axis {axis}, got {strange[0]}")
    return *shape[:axis], len(places), *shape[axis + 1:]


@primitive(_taken, same, onnx=lambda w, names, shapes, places, axis: w.node(
    "Gather", [names[0], w.constant(np.asarray(places, np.int64), "places")], axis=axis))
def _take(x: Any, places: Any, axis: int) -> Any:
    _taken(x.shape, places=places, axis=axis)
    if not is_floating(x) or not places:
        return on_host(lambda a: np.take(a, np.asarray(places, np.int64), axis), x), None
    y, back = selection.take(x, tuple(places), axis)
    return y, lambda dy: (back(dy),)


@primitive(lambda shape, at, axis: (*shape[:axis], *at, *shape[axis + 1:]), lambda kind, _, **__: kind,
           onnx=lambda w, names, shapes, axis: w.node("Gather", names, axis=axis))
def _gather(x: Any, at: Any, axis: int) -> Any:
    old = x.shape

    def backward(dy: Any) -> Any:
        def add_up(g: np.ndarray, places: np.ndarray) -> np.ndarray:
            dx = np.zeros(old, g.dtype)
            rows = np.moveaxis(g.reshape(*old[:axis], places.size, *old[axis + 1:]), axis, 0)
            np.add.at(np.moveaxis(dx, axis, 0), places.reshape(-1), rows)
            return dx

        return on_host(add_up, dy, at), None

    return on_host(lambda a, places: np.take(a, places, axis), x, at), backward if is_floating(x) else None


@primitive(lambda shape, at, axis: (*at[:axis], at[axis], *at[axis + 1:]), lambda kind, _, **__: kind,
           onnx=lambda w, names, shapes, axis: w.node("GatherElements", names, axis=axis))
def _take_along_axis(x: Any, at: Any, axis: int) -> Any:
    old = x.shape

    def backward(dy: Any) -> Any:
        def add_up(g: np.ndarray, places: np.ndarray) -> np.ndarray:
            dx = np.zeros(old, g.dtype)
            grid = list(np.ogrid[tuple(slice(n) for n in places.shape)])
            grid[axis] = places
            np.add.at(dx, tuple(grid), g)
            return dx

        return on_host(add_up, dy, at), None

    return (on_host(lambda a, places: np.take_along_axis(a, places, axis), x, at),
            backward if is_floating(x) else None)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return entries along an axis by their index, negative ones counted from its end.

    Parameters
    ----------
    x : array or tensor
    indices : int, or array or tensor of integers
        The axis becomes those of the indices.
    axis : int, optional
        None counts through all numbers.

    Examples
    --------
    >>> fc.ops.take([10, 20, 30], [2, 0])
    array([30, 10], dtype=int32)
    """
    (x,), (at,) = meet("ops.take", x), meet("ops.take", indices)
    if types.dtype_of(at).kind not in "iu":
        raise ArgumentError(f"ops.take: expected indices that are integers, got {types.dtype_of(at)}")
    if axis is None:
        x, axis = ravel(x), 0
    axis = from_front(axis, x.ndim, "ops.take")
    if types.is_tensor(at) or at.size > _FEW:
        return _gather(x, at, axis=axis)
    at = device.get(at)
    found = _take(x, places=at.reshape(-1).tolist(), axis=axis)
    return found if at.ndim == 1 else reshape(found, (*x.shape[:axis], *at.shape, *x.shape[axis + 1:]))


def take_along_axis(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Return for each index the number at its place along an axis.

    Parameters
    ----------
    x : array or tensor
    indices : array or tensor of integers
        Of the shape of `x`, but for the axis.
    axis : int, optional
        None counts through all numbers.

    Examples
    --------
    >>> fc.ops.take_along_axis([[10, 20], [30, 40]], [[1], [0]], axis=1)
    array([[20],
           [30]], dtype=int32)
    """
    (x,), (at,) = meet("ops.take_along_axis", x), meet("ops.take_along_axis", indices)
    if axis is None:
        x, at, axis = ravel(x), ravel(at), 0
    if at.ndim != x.ndim or types.dtype_of(at).kind not in "iu":
        raise ArgumentError(f"ops.take_along_axis: expected integers of {x.ndim} dimensions, got {types.dtype_of(at)} "
                            f"of {tuple(at.shape)}")
    return _take_along_axis(x, at, axis=from_front(axis, x.ndim, "ops.take_along_axis"))


def repeat(x: Any, repeats: Any, axis: int | None = None) -> Any:
    """Return a tensor with each entry along an axis several times.

    Parameters
    ----------
    x : array or tensor
    repeats : int or sequence of int
        For all entries, or each.
    axis : int, optional
        None counts through all numbers.

    Examples
    --------
    >>> fc.ops.repeat([1, 2], 2)
    array([1, 1, 2, 2], dtype=int32)
    """
    (x,) = meet("ops.repeat", x)
    if axis is None:
        x, axis = ravel(x), 0
    n = _length("repeat", x, axis)
    return take(x, np.repeat(np.arange(n, dtype=np.int32), repeats), axis)


def tile(x: Any, repeats: Any) -> Any:
    """Return a tensor several times side by side, along each of its axes.

    Parameters
    ----------
    x : array or tensor
    repeats : int or sequence of int
        Of the last axes.

    Examples
    --------
    >>> fc.ops.tile([1, 2], 2)
    array([1, 2, 1, 2], dtype=int32)
    """
    (x,) = meet("ops.tile", x)
    times = [int(repeats)] if is_integer(repeats) else [int(n) for n in repeats]
    if len(times) > x.ndim:
        x = reshape(x, (1,) * (len(times) - x.ndim) + tuple(x.shape))
    for axis, count in enumerate([1] * (x.ndim - len(times)) + times):
        if count != 1:
            x = take(x, np.tile(np.arange(_length("tile", x, axis), dtype=np.int32), count), axis)
    return x


def roll(x: Any, shift: Any, axis: Any = None) -> Any:
    """Return a tensor whose entries moved along axes; those that leave at the end come in at the front.

    Parameters
    ----------
    x : array or tensor
    shift : int or tuple of int
    axis : int or tuple of int, optional
        None counts through all numbers.

    Examples
    --------
    >>> fc.ops.roll([1, 2, 3], 1)
    array([3, 1, 2], dtype=int32)
    """
    (x,) = meet("ops.roll", x)
    if axis is None:
        return reshape(roll(ravel(x), shift, 0), tuple(x.shape))
    steps, axes = (list(one) if isinstance(one, (tuple, list)) else [one] for one in (shift, axis))
    for step, at in zip(steps * (len(axes) if len(steps) == 1 else 1), axes, strict=True):
        x = take(x, np.roll(np.arange(_length("roll", x, at), dtype=np.int32), step), at)
    return x


def _length(who: str, x: Any, axis: int) -> int:
    n = x.shape[from_front(axis, x.ndim, f"ops.{who}")]
    if n is None:
        raise ArgumentError(f"ops.{who}: expected an axis of known length, got axis {axis} of {tuple(x.shape)}, "
                            f"the batch")
    return int(n)
