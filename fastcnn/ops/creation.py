"""New arrays: of one number, of numbers in a row, and labels as rows of 0 and 1."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.errors import ArgumentError
from fastcnn.geometry.arguments import is_integer
from fastcnn.geometry.tensor_shapes import from_front
from fastcnn.ops import types
from fastcnn.ops.casting import cast, meet
from fastcnn.ops.primitive import on_host, primitive
from fastcnn.ops.shaping import UnknownLength
from fastcnn.symbolic import Tensor


def _filled_shape(like: Any, *, shape: Any, batch: int, factor: int, **_: Any) -> Any:
    return tuple((None if like[batch] is None else factor * like[batch]) if n is None else n for n in shape)


@primitive(_filled_shape, lambda kind, dtype, **_: np.dtype(dtype))
def _filled(x: Any, shape: Any, batch: int, factor: int, value: float, dtype: str) -> Any:
    """Return an array of one number; an entry of the shape that is None is a multiple of a length of x."""
    return device.of(x).full(_filled_shape(x.shape, shape=shape, batch=batch, factor=factor), np.dtype(dtype),
                             value), None


def full(shape: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return an array of one number.

    Parameters
    ----------
    shape : int or tuple of int
    fill_value : number
    dtype : str, optional
        That of the number if absent.

    Examples
    --------
    >>> fc.ops.full((2,), 3)
    array([3, 3], dtype=int32)
    """
    value = types.array(fill_value, "ops.full")
    kind = value.dtype if dtype is None else types.named(dtype, "ops.full")
    lengths = [shape] if is_integer(shape) or isinstance(shape, UnknownLength) else list(shape)
    open_ = next((n for n in lengths if isinstance(n, UnknownLength)), None)
    if open_ is None:
        return np.full([int(n) for n in lengths], value, kind)
    return _filled(open_.tensor, shape=[None if isinstance(n, UnknownLength) else int(n) for n in lengths],
                   batch=open_.axis, factor=open_.factor, value=value.item(), dtype=kind.name)


def zeros(shape: Any, dtype: Any = None) -> Any:
    """Return an array of zeros.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : str, optional
        "float32" if absent.

    Examples
    --------
    >>> fc.ops.zeros((2,))
    array([0., 0.], dtype=float32)
    """
    return full(shape, 0.0, types.floatx() if dtype is None else dtype)


def ones(shape: Any, dtype: Any = None) -> Any:
    """Return an array of ones.

    Parameters
    ----------
    shape : int or tuple of int
    dtype : str, optional
        "float32" if absent.

    Examples
    --------
    >>> fc.ops.ones((2,))
    array([1., 1.], dtype=float32)
    """
    return full(shape, 1.0, types.floatx() if dtype is None else dtype)


def full_like(x: Any, fill_value: Any, dtype: Any = None) -> Any:
    """Return a tensor of the shape of another, of one number.

    Parameters
    ----------
    x : array or tensor
    fill_value : number
    dtype : str, optional
        That of `x` if absent.

    Examples
    --------
    >>> fc.ops.full_like([1, 2], 7)
    array([7, 7], dtype=int32)
    """
    (x,) = meet("ops.full_like", x)
    kind = types.dtype_of(x) if dtype is None else types.named(dtype, "ops.full_like")
    if not isinstance(x, Tensor) or None not in x.shape:
        return np.full(tuple(x.shape), fill_value, kind)
    return _filled(x, shape=list(x.shape), batch=x.shape.index(None), factor=1, value=fill_value, dtype=kind.name)


def zeros_like(x: Any, dtype: Any = None) -> Any:
    """Return a tensor of zeros of the shape of another.

    Parameters
    ----------
    x : array or tensor
    dtype : str, optional
        That of `x` if absent.

    Examples
    --------
    >>> fc.ops.zeros_like([1.5, 2])
    array([0., 0.], dtype=float32)
    """
    return full_like(x, 0, dtype)


def ones_like(x: Any, dtype: Any = None) -> Any:
    """Return a tensor of ones of the shape of another.

    Parameters
    ----------
    x : array or tensor
    dtype : str, optional
        That of `x` if absent.

    Examples
    --------
    >>> fc.ops.ones_like([1.5, 2])
    array([1., 1.], dtype=float32)
    """
    return full_like(x, 1, dtype)


def arange(start: Any, stop: Any = None, step: Any = None, dtype: Any = None) -> Any:
    """Return the numbers from start to stop, which is left out.

    Parameters
    ----------
    start : number
        The end, if no `stop` is told.
    stop, step : number, optional
    dtype : str, optional

    Examples
    --------
    >>> fc.ops.arange(3)
    array([0, 1, 2], dtype=int32)
    """
    told = [n for n in (start, stop, step) if n is not None]
    kind = types.common([types.operand(n, "ops.arange") for n in told]) if dtype is None else types.named(dtype)
    first, end = (0, start) if stop is None else (start, stop)
    return np.arange(first, end, 1 if step is None else step).astype(kind)


def linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, retstep: bool = False, dtype: Any = None,
             axis: int = 0) -> Any:
    """Return so many numbers at equal distances.

    Parameters
    ----------
    start, stop : number or array
    num : int
    endpoint : bool
        Whether `stop` is the last of them.
    retstep : bool
        Whether (numbers, their distance) is returned.
    dtype : str, optional
        "float32" if absent.
    axis : int
        Along which they lie where start and stop are arrays.

    Examples
    --------
    >>> fc.ops.linspace(0, 1, 3)
    array([0. , 0.5, 1. ], dtype=float32)
    """
    kind = types.common([types.operand(n, "ops.linspace") for n in (start, stop)], True) if dtype is None else (
        types.named(dtype))
    found, step = np.linspace(start, stop, num, endpoint, retstep=True, axis=axis)
    return (found.astype(kind), step) if retstep else found.astype(kind)


def eye(N: int, M: int | None = None, k: int = 0, dtype: Any = None) -> Any:
    """Return a matrix of zeros with ones on a diagonal.

    Parameters
    ----------
    N : int
    M : int, optional
        Columns; as many as rows if absent.
    k : int
        Which diagonal.
    dtype : str, optional
        "float32" if absent.

    Examples
    --------
    >>> fc.ops.eye(2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return np.eye(N, M, k, types.floatx() if dtype is None else types.named(dtype))


def identity(n: int, dtype: Any = None) -> Any:
    """Return a square matrix of zeros with ones on its diagonal.

    Parameters
    ----------
    n : int
    dtype : str, optional
        "float32" if absent.

    Examples
    --------
    >>> fc.ops.identity(2)
    array([[1., 0.],
           [0., 1.]], dtype=float32)
    """
    return eye(n, dtype=dtype)


def meshgrid(*x: Any, indexing: str = "xy") -> list[Any]:
    """Return the coordinates of a grid's points.

    Parameters
    ----------
    *x : vectors
    indexing : str
        "xy" (columns first) or "ij".

    Examples
    --------
    >>> fc.ops.meshgrid([1, 2], [3])
    [array([[1, 2]], dtype=int32), array([[3, 3]], dtype=int32)]
    """
    return list(np.meshgrid(*(types.array(one, "ops.meshgrid") for one in x), indexing=indexing))  # type: ignore


def _row_shape(shape: Any, *, classes: int, axis: int, **_: Any) -> Any:
    return *shape[:axis], classes, *shape[axis:]


def _onnx_rows(writer: Any, names: Any, shapes: Any, *, classes: int, axis: int, dtype: str) -> str:
    values = writer.constant(np.asarray([0, 1]), "values", np.dtype(dtype))
    return str(writer.node("OneHot", [names[0], writer.constant(np.asarray(classes, np.int64), "classes"), values],
                           axis=axis))


@primitive(_row_shape, lambda kind, dtype, **_: np.dtype(dtype), onnx=_onnx_rows)
def _one_hot(x: Any, classes: int, axis: int, dtype: str) -> Any:
    def rows(labels: np.ndarray) -> np.ndarray:
        places = np.arange(classes).reshape([-1 if k == axis else 1 for k in range(labels.ndim + 1)])
        found: np.ndarray = (np.expand_dims(labels, axis) == places).astype(dtype)
        return found

    return on_host(rows, x), None


def one_hot(x: Any, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False) -> Any:
    """Return labels as rows with a 1 at the place of each, or zeros for one that is no class.

    Parameters
    ----------
    x : array or tensor of integers, of a floating type too
    num_classes : int
    axis : int
        Where the classes lie in the result.
    dtype : str, optional
        "float32" if absent.
    sparse : bool
        True is not offered.

    Examples
    --------
    >>> fc.ops.one_hot([1, 0], 3)
    array([[0., 1., 0.],
           [1., 0., 0.]], dtype=float32)
    """
    (x,) = meet("ops.one_hot", x)
    if sparse:
        raise ArgumentError("ops.one_hot: sparse=True is not offered; tensors are dense")
    if types.dtype_of(x).kind not in "iu":
        if types.dtype_of(x).kind == "b" or (device.is_array(x) and not np.array_equal(x, np.rint(x))):
            raise ArgumentError(f"ops.one_hot: expected labels that are integers, got {types.dtype_of(x)}; "
                                f"ops.cast(x, 'int32') makes them so")
        x = cast(x, "int32")
    kind = types.floatx() if dtype is None else types.named(dtype, "ops.one_hot")
    return _one_hot(x, classes=int(num_classes), axis=from_front(axis, x.ndim + 1, "ops.one_hot"), dtype=kind.name)
