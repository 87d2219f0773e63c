"""Tensors joined and cut: side by side, in equal parts, and what brackets say."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry import tensor_shapes
from fastcnn.geometry.arguments import is_integer
from fastcnn.geometry.tensor_shapes import from_front
from fastcnn.operations import layout
from fastcnn.ops.casting import meet
from fastcnn.ops.primitive import is_floating, on_host, primitive, same
from fastcnn.ops.shaping import UnknownLength, expand_dims


@primitive(lambda *shapes, axis: tensor_shapes.concatenated(shapes, axis, "ops.concatenate"), same, replayable=True,
           onnx=lambda w, names, shapes, axis: w.node("Concat", names, axis=axis))
def _concatenate(*arrays: Any, axis: int) -> Any:
    if not is_floating(arrays[0]):
        return on_host(lambda *each: np.concatenate(each, axis), *arrays), None
    return layout.concatenate(arrays, axis)


def _onnx_get_item(writer: Any, names: Any, shapes: Any, *, part: Any) -> str:
    rank, limit = len(shapes[0]), 2**31 - 1
    starts, ends, steps = [], [], []
    for at in tensor_shapes.slices_of(part, shapes[0], "ops.get_item"):
        step = 1 if at.step is None else at.step
        starts.append((0 if step > 0 else limit) if at.start is None else at.start)
        ends.append((limit if step > 0 else -limit) if at.stop is None else at.stop)
        steps.append(step)
    told = [writer.constant(np.asarray(one, np.int64), "part") for one in (starts, ends, range(rank), steps)]
    found = writer.node("Slice", [names[0], *told])
    wanted = [-1 if n is None else n for n in tensor_shapes.parted(part, shapes[0], "ops.get_item")]
    return str(writer.node("Reshape", [found, writer.constant(np.asarray(wanted, np.int64), "shape")]))


@primitive(lambda shape, part: tensor_shapes.parted(part, shape, "ops.get_item"), same, onnx=_onnx_get_item)
def _get_item(x: Any, part: Any) -> Any:
    d, old = device.of(x), x.shape
    at = tensor_shapes.slices_of(part, old, "ops.get_item")
    lengths = tuple(len(range(*one.indices(n))) for one, n in zip(at, old, strict=True))
    y = d.empty(lengths, x.dtype)
    d.read(y, x, at)
    found = tensor_shapes.parted(part, old, "ops.get_item")

    def backward(dy: Any) -> Any:
        dx = d.zeros(old, dy.dtype)
        d.write(dx, at, dy.reshape(lengths))
        return (dx,)

    return y.reshape(found), backward if is_floating(x) else None


def concatenate(xs: Sequence[Any], axis: int = 0) -> Any:
    """Return tensors side by side along an axis.

    Parameters
    ----------
    xs : sequence of arrays or tensors
    axis : int

    Examples
    --------
    >>> fc.ops.concatenate([[1, 2], [3]])
    array([1, 2, 3], dtype=int32)
    """
    xs = _several("concatenate", xs)
    return _concatenate(*xs, axis=from_front(axis, xs[0].ndim, "ops.concatenate"))


def stack(x: Sequence[Any], axis: int = 0) -> Any:
    """Return tensors of one shape side by side along a new axis.

    Parameters
    ----------
    x : sequence of arrays or tensors
    axis : int

    Examples
    --------
    >>> fc.ops.stack([[1, 2], [3, 4]], axis=1)
    array([[1, 3],
           [2, 4]], dtype=int32)
    """
    xs = _several("stack", x)
    return concatenate([expand_dims(one, from_front(axis, one.ndim + 1, "ops.stack")) for one in xs],
                       from_front(axis, xs[0].ndim + 1, "ops.stack"))


def _several(who: str, xs: Any) -> list[Any]:
    if not isinstance(xs, (list, tuple)) and not (isinstance(xs, np.ndarray) and xs.ndim):
        raise ArgumentError(f"ops.{who}: expected a list of tensors, got {type(xs).__name__}")
    if not len(xs):
        raise ArgumentError(f"ops.{who}: expected a tensor at least, got none")
    found = meet(f"ops.{who}", *xs)
    if not all(one.ndim == found[0].ndim for one in found):
        raise ArgumentError(f"ops.{who}: expected tensors of as many dimensions, got "
                            f"{' and '.join(str(tuple(one.shape)) for one in found)}")
    return found


def split(x: Any, indices_or_sections: Any, axis: int = 0) -> list[Any]:
    """Return parts of a tensor along an axis: so many equal ones, or those between places.

    Parameters
    ----------
    x : array or tensor
    indices_or_sections : int or sequence of int
    axis : int

    Examples
    --------
    >>> fc.ops.split([1, 2, 3, 4], 2)
    [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    """
    (x,) = meet("ops.split", x)
    at = from_front(axis, x.ndim, "ops.split")
    n = x.shape[at]
    if is_integer(indices_or_sections):
        if n is None or indices_or_sections < 1 or n % indices_or_sections:
            raise ArgumentError(f"ops.split: expected axis {at} of {tuple(x.shape)} to be divided into equal parts, "
                                f"got {indices_or_sections}")
        ends = [k * n // indices_or_sections for k in range(1, indices_or_sections)]
    else:
        ends = [int(k) for k in indices_or_sections]
    return [get_item(x, (slice(None),) * at + (slice(a, b),))
            for a, b in zip([0, *ends], [*ends, None], strict=True)]


def unstack(x: Any, num: int | None = None, axis: int = 0) -> list[Any]:
    """Return the entries along an axis, each without it.

    Parameters
    ----------
    x : array or tensor
    num : int, optional
        How many there are; known from the shape.
    axis : int

    Examples
    --------
    >>> fc.ops.unstack([[1, 2], [3, 4]])
    [array([1, 2], dtype=int32), array([3, 4], dtype=int32)]
    """
    (x,) = meet("ops.unstack", x)
    at = from_front(axis, x.ndim, "ops.unstack")
    n = x.shape[at] if num is None else num
    if n is None or x.shape[at] not in (None, n):
        raise ArgumentError(f"ops.unstack: expected an axis of known length, got axis {at} of {tuple(x.shape)} and "
                            f"num={num!r}")
    return [get_item(x, (slice(None),) * at + (k,)) for k in range(n)]


def get_item(x: Any, key: Any) -> Any:
    """Return a part of a tensor, as brackets do: ``x[:, 0]``, ``x[..., None]``, ``x[:, ::-1]``.

    Parameters
    ----------
    x : array or tensor
    key : int, slice, None, Ellipsis, or a tuple of them

    Examples
    --------
    >>> fc.ops.get_item([[1, 2], [3, 4]], (slice(None), 0))
    array([1, 3], dtype=int32)
    """
    (x,) = meet("ops.get_item", x)
    part = tensor_shapes.part_of(key, x.ndim, "ops.get_item")
    return _get_item(x, part=part)


def slice_(inputs: Any, start_indices: Any, shape: Any) -> Any:
    """Return a part of a tensor that begins at a place and has a shape.

    Parameters
    ----------
    inputs : array or tensor
    start_indices, shape : sequence of int
        A length of -1 is the rest.

    Examples
    --------
    >>> fc.ops.slice([[1, 2, 3], [4, 5, 6]], (0, 1), (2, 2))
    array([[2, 3],
           [5, 6]], dtype=int32)
    """
    return get_item(inputs, tuple(slice(int(a), None if isinstance(n, UnknownLength) or n == -1 else int(a) + int(n))
                                  for a, n in zip(start_indices, shape, strict=True)))


def flip(x: Any, axis: Any = None) -> Any:
    """Return a tensor with the entries along axes in reverse order.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
        All of them if absent.

    Examples
    --------
    >>> fc.ops.flip([1, 2, 3])
    array([3, 2, 1], dtype=int32)
    """
    (x,) = meet("ops.flip", x)
    at = tensor_shapes.axes_from_front(axis, x.ndim, "ops.flip")
    return get_item(x, tuple(slice(None, None, -1) if k in at else slice(None) for k in range(x.ndim)))
