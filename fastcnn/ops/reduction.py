"""Numbers made of all those along some axes: sums, means, extremes, truth of all, places."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.errors import ArgumentError
from fastcnn.geometry.tensor_shapes import axes_from_front, from_front, reduced
from fastcnn.kernels import tensor_codes
from fastcnn.operations import reduction
from fastcnn.ops import types
from fastcnn.ops.casting import cast, floating, meet
from fastcnn.ops.primitive import is_floating, on_host, primitive, same, truth
from fastcnn.ops.shaping import reshape

_NUMPY: dict[str, Callable[..., Any]] = {"sum": np.sum, "max": np.max, "min": np.min, "prod": np.prod, "any": np.any,
                                         "all": np.all, "argmax": np.argmax, "argmin": np.argmin}
_CODES = {"max": tensor_codes.LARGEST, "min": tensor_codes.SMALLEST, "prod": tensor_codes.ROW_PRODUCT}
_ONNX = {"sum": "ReduceSum", "mean": "ReduceMean", "max": "ReduceMax", "min": "ReduceMin", "prod": "ReduceProd"}


def _shape(shape: Any, *, axis: Any, keepdims: bool, **_: Any) -> Any:
    return reduced(shape, axis, keepdims)


def _onnx_reduce(writer: Any, names: Any, shapes: Any, *, how: str, axis: Any, keepdims: bool) -> str:
    axes = writer.constant(np.asarray(axis, np.int64), "axes")
    return str(writer.node(_ONNX[how], [names[0], axes], keepdims=int(keepdims), noop_with_empty_axes=1))


@primitive(_shape, same, onnx=_onnx_reduce)
def _reduce(x: Any, how: str, axis: Any, keepdims: bool) -> Any:
    axes, shape = tuple(axis), reduced(x.shape, axis, keepdims)
    if not is_floating(x):
        kind = x.dtype
        return on_host(lambda a: _NUMPY[how](a, axis=axes).reshape(shape).astype(kind), x), None
    if how in ("sum", "mean"):
        y, back = reduction.total(x, axes, how == "mean")
    else:
        if how != "prod" and not math.prod(x.shape[k] for k in axes):
            raise ArgumentError(f"ops.{how}: expected a number at least along axis {axes}, got {x.shape}")
        y, back = reduction.extreme(x, axes, _CODES[how])
    whole = y.shape
    return y.reshape(shape), lambda dy: (back(dy.reshape(whole)),)


@primitive(_shape, truth)
def _truth(x: Any, how: str, axis: Any, keepdims: bool) -> Any:
    shape = reduced(x.shape, axis, keepdims)
    return on_host(lambda a: _NUMPY[how](a, axis=tuple(axis)).reshape(shape), x), None


def _onnx_place(writer: Any, names: Any, shapes: Any, *, how: str, axis: int, keepdims: bool) -> str:
    found = writer.node("ArgMax" if how == "argmax" else "ArgMin", names, axis=axis, keepdims=int(keepdims))
    return str(writer.node("Cast", [found], to=6))  # int32


@primitive(lambda shape, axis, keepdims, how: reduced(shape, [axis], keepdims), lambda kind, **_: types.INT32,
           onnx=_onnx_place)
def _place(x: Any, how: str, axis: int, keepdims: bool) -> Any:
    return on_host(lambda a: _NUMPY[how](a, axis=axis, keepdims=keepdims).astype(np.int32), x), None


def _applied(row: Any, how: str, x: Any, axis: Any, keepdims: bool) -> Any:
    return row(x, how=how, axis=axes_from_front(axis, x.ndim, f"ops.{how}"), keepdims=bool(keepdims))


def sum(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the sum along axes, of all numbers if no axis is told.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.

    Examples
    --------
    >>> fc.ops.sum([[1.0, 2.0], [3.0, 4.0]], axis=1)
    array([3., 7.], dtype=float32)
    """
    (x,) = meet("ops.sum", x)
    return _applied(_reduce, "sum", cast(x, "int32") if types.dtype_of(x) == types.BOOL else x, axis, keepdims)


def mean(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return the mean along axes, of all numbers if no axis is told.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.

    Examples
    --------
    >>> fc.ops.mean([[1, 2], [3, 5]], axis=0)
    array([2. , 3.5], dtype=float32)
    """
    return _applied(_reduce, "mean", floating(x, "ops.mean"), axis, keepdims)


def max(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the largest number along axes; where several are it, they share the gradient.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.
    initial : None
        Not offered.

    Examples
    --------
    >>> fc.ops.max([[1, 2], [3, 4]], axis=1)
    array([2, 4], dtype=int32)
    """
    _no_initial("max", initial)
    return _applied(_reduce, "max", meet("ops.max", x)[0], axis, keepdims)


def min(x: Any, axis: Any = None, keepdims: bool = False, initial: Any = None) -> Any:
    """Return the smallest number along axes; where several are it, they share the gradient.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.
    initial : None
        Not offered.

    Examples
    --------
    >>> fc.ops.min([[1, 2], [3, 4]], axis=1)
    array([1, 3], dtype=int32)
    """
    _no_initial("min", initial)
    return _applied(_reduce, "min", meet("ops.min", x)[0], axis, keepdims)


def _no_initial(who: str, initial: Any) -> None:
    if initial is not None:
        raise ArgumentError(f"ops.{who}: initial={initial!r} is not offered; use ops.{who}imum with it")


def prod(x: Any, axis: Any = None, keepdims: bool = False, dtype: Any = None) -> Any:
    """Return the product of the numbers along axes.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.
    dtype : str, optional
        What `x` is cast to first.

    Examples
    --------
    >>> fc.ops.prod([[1.0, 2.0], [3.0, 4.0]], axis=1)
    array([ 2., 12.], dtype=float32)
    """
    (x,) = meet("ops.prod", x) if dtype is None else (cast(x, dtype),)
    return _applied(_reduce, "prod", cast(x, "int32") if types.dtype_of(x) == types.BOOL else x, axis, keepdims)


def any(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether a number along axes is other than 0.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.

    Examples
    --------
    >>> fc.ops.any([[True, False], [False, False]], axis=1)
    array([ True, False])
    """
    return _applied(_truth, "any", cast(x, "bool"), axis, keepdims)


def all(x: Any, axis: Any = None, keepdims: bool = False) -> Any:
    """Return whether all numbers along axes are other than 0.

    Parameters
    ----------
    x : array or tensor
    axis : int or tuple of int, optional
    keepdims : bool
        Whether the axes stay, with length 1.

    Examples
    --------
    >>> fc.ops.all([[True, False], [True, True]], axis=1)
    array([False,  True])
    """
    return _applied(_truth, "all", cast(x, "bool"), axis, keepdims)


def _placed(how: str, x: Any, axis: Any, keepdims: bool) -> Any:
    (x,) = meet(f"ops.{how}", x)
    if axis is not None:
        return _place(x, how=how, axis=from_front(axis, x.ndim, f"ops.{how}"), keepdims=bool(keepdims))
    found = _place(reshape(x, (-1,)), how=how, axis=0, keepdims=False)
    return reshape(found, (1,) * x.ndim) if keepdims else found


def argmax(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the largest number along an axis stands, the first of equal ones; no derivative.

    Parameters
    ----------
    x : array or tensor
    axis : int, optional
        None counts through all numbers.
    keepdims : bool
        Whether the axis stays, with length 1.

    Examples
    --------
    >>> fc.ops.argmax([[1, 3, 2]], axis=1)
    array([1], dtype=int32)
    """
    return _placed("argmax", x, axis, keepdims)


def argmin(x: Any, axis: int | None = None, keepdims: bool = False) -> Any:
    """Return where the smallest number along an axis stands, the first of equal ones; no derivative.

    Parameters
    ----------
    x : array or tensor
    axis : int, optional
        None counts through all numbers.
    keepdims : bool
        Whether the axis stays, with length 1.

    Examples
    --------
    >>> fc.ops.argmin([[1, 3, 2]], axis=1)
    array([0], dtype=int32)
    """
    return _placed("argmin", x, axis, keepdims)


amax, amin = max, min
