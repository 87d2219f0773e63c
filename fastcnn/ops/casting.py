"""Other types: casts, arrays of what users give, and operands that are brought to one type."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.ops import types
from fastcnn.ops.primitive import on_host, primitive, unchanged
from fastcnn.parameters import Parameter
from fastcnn.symbolic import Tensor

_NO_TRUTH = ("subtract", "power", "mod", "floor_divide")  # of truth values they are integers


def _onnx_cast(writer: Any, names: Any, shapes: Any, *, dtype: str) -> str:
    from onnx import helper

    name: str = writer.node("Cast", names, to=helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
    return name


@primitive(unchanged, lambda kind, dtype: np.dtype(dtype), onnx=_onnx_cast)
def _cast(x: Any, dtype: str) -> Any:
    kind, old = np.dtype(dtype), x.dtype
    if kind == old:
        return x, lambda dy: (dy,)
    y = on_host(lambda a: _to(a, kind), x)
    return y, (lambda dy: (on_host(lambda g: g.astype(old), dy),)) if old.kind == kind.kind == "f" else None


def _to(a: np.ndarray, kind: np.dtype) -> np.ndarray:
    with np.errstate(invalid="ignore"):
        return a.astype(kind)


@primitive(unchanged, lambda kind: kind, replayable=True, onnx=lambda w, names, shapes: w.node("Identity", names))
def _stop_gradient(x: Any) -> Any:
    return x, None


def cast(x: Any, dtype: Any) -> Any:
    """Return a tensor of another type. Gradients pass between floating types alone.

    Parameters
    ----------
    x : array or tensor
    dtype : str
        "float32", "float64", "int32", "bool", ...

    Examples
    --------
    >>> fc.ops.cast([0.4, 2.6], "int32")
    array([0, 2], dtype=int32)
    """
    kind = types.named(dtype, "ops.cast")
    x = x if types.is_tensor(x) else types.array(x, "ops.cast")
    return x if isinstance(x, Tensor) and x.dtype == kind else _cast(x, dtype=kind.name)


def meet(who: str, *operands: Any, floating: bool = False) -> list[Any]:
    """Return operands of one type, that which all of them meet in: arrays, tensors and parameters.

    Parameters
    ----------
    who : str
    *operands : Tensor, Parameter, array or number
    floating : bool
        Whether integers become float32.
    """
    given = [types.operand(x, who) for x in operands]
    kind = types.common(given, floating)
    if kind == types.BOOL and not floating and who.rpartition(".")[2] in _NO_TRUTH:
        kind = types.INT32
    return [np.asarray(x, kind) if types.is_weak(x) else x if types.dtype_of(x) == kind else cast(x, kind)
            for x in given]


def floating(x: Any, who: str) -> Any:
    """Return an operand of a floating type, integers as float32.

    Parameters
    ----------
    x : Tensor, Parameter, array or number
    who : str
    """
    return meet(who, x, floating=True)[0]


def convert_to_tensor(x: Any, dtype: Any = None) -> Any:
    """Return an array of what is given; a tensor as it is, or cast.

    Parameters
    ----------
    x : array, tensor, list or number
    dtype : str, optional

    Examples
    --------
    >>> fc.ops.convert_to_tensor([1, 2.5])
    array([1. , 2.5], dtype=float32)
    """
    if dtype is not None:
        return cast(x, dtype)
    if isinstance(x, Parameter):
        return _cast(x, dtype=x.dtype.name)
    return x if isinstance(x, Tensor) else types.array(x, "ops.convert_to_tensor")


def convert_to_numpy(x: Any) -> np.ndarray:
    """Return an array of NumPy's of what is given.

    Parameters
    ----------
    x : array, parameter, list or number

    Examples
    --------
    >>> fc.ops.convert_to_numpy([1, 2])
    array([1, 2], dtype=int32)
    """
    return x.numpy() if isinstance(x, Parameter) else device.get(types.array(x, "ops.convert_to_numpy"))


def stop_gradient(variable: Any) -> Any:
    """Return a tensor as it is, through which no gradient passes.

    Parameters
    ----------
    variable : array or tensor

    Examples
    --------
    >>> fc.gradients(lambda x: x * fc.ops.stop_gradient(x), np.array([3.0], "float32"))[1]
    array([3.], dtype=float32)
    """
    return _stop_gradient(variable)


def is_tensor(x: Any) -> bool:
    """Return whether something is an array, a symbolic tensor or a parameter.

    Parameters
    ----------
    x : object

    Examples
    --------
    >>> fc.ops.is_tensor([1, 2]), fc.ops.is_tensor(np.zeros(2))
    (False, True)
    """
    return types.is_tensor(x) or device.is_array(x)
