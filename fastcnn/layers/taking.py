"""What a layer that is called takes: whatever NumPy can make an array of, as Keras's do; `forward` stays strict."""

from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.bfloat16 import is_bfloat16
from fastcnn.errors import ArgumentError, DataError, UnknownArgumentError, unknown
from fastcnn.operations.bfloat16 import rounded


def named(layer: Any, x: Any, given: dict[str, Any]) -> Any:
    """Return what a layer was called with by Keras's name, ``inputs=``.

    Parameters
    ----------
    layer : Layer
    x : object
        What was given by position; None if nothing was.
    given : dict

    Raises
    ------
    UnknownArgumentError, ArgumentError
        If there are other names, or nothing is given.
    """
    others = {name: value for name, value in given.items() if name != "mask" or value is not None}
    if x is None and "inputs" in others:
        x = others.pop("inputs")
    if "mask" in others:
        raise UnknownArgumentError(f"{layer}: mask is not offered, since arrays have none; multiply by it")
    if others:
        raise UnknownArgumentError(unknown(f"{layer}: argument", next(iter(others)), ["x", "inputs", "training"]))
    if x is None:
        raise ArgumentError(f"{layer}: expected an array or a tensor to be called with, got None")
    return x


def taken(layer: Any, x: Any, training: Any) -> Any:
    """Return what a layer was called with as arrays of its compute type; what is of it already comes as it is.

    Parameters
    ----------
    layer : Layer
    x : array, number, list or tuple of them
        A list or tuple of arrays where the layer has several inputs.
    training : bool or None
        What else it was called with.

    Raises
    ------
    ArgumentError, DataError
        If NumPy can make no numbers of it.
    """
    if training is not None and not isinstance(training, (bool, np.bool_, int)):
        raise ArgumentError(f"{layer}: expected training to be True, False or None, got {type(training).__name__}; "
                            f"several inputs are a list, as in layer([a, b]), and arrays have no masks")
    if type(x) is np.ndarray and x.dtype == layer.array_dtype:  # as nearly always
        return rounded(x) if layer._policy.rounds and layer.rounds else x
    several = layer.many_inputs or (layer.has_call and _are_arrays(x))
    if several and isinstance(x, (list, tuple)):
        return type(x)(_array(layer, one) for one in x)
    if isinstance(x, (list, tuple)) and len(x) > 1 and _are_arrays(x):
        raise ArgumentError(f"{layer}: expected one array, got {len(x)}; join them first, with numpy.stack for example")
    return _array(layer, x)


def _are_arrays(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and len(x) > 0 and all(isinstance(one, np.ndarray) and one.ndim for one in x)


def _array(layer: Any, x: Any) -> Any:
    if device.is_array(x) and type(x) is not np.ndarray:  # of another device: as it is
        return x
    if isinstance(x, dict) or callable(x):
        raise ArgumentError(f"{layer}: expected an array of {layer.array_dtype.name}, got {type(x).__name__}; "
                            f"convert it with numpy.array(x, {layer.array_dtype.name!r})")
    try:
        array = np.asarray(x)
    except ValueError:
        array = np.empty(0, object)
    if is_bfloat16(array.dtype):
        array = array.astype(np.float32)
    if array.dtype.kind not in "buif":
        raise DataError(f"{layer}: expected numbers, or lists of them that are of one length, got {_told(x, array)}")
    array = array if array.dtype == layer.array_dtype else array.astype(layer.array_dtype)
    return rounded(array) if layer.rounds else array


def returned(layer: Any, y: Any) -> Any:
    """Return what a layer under a mixed policy answers its caller: arrays of bfloat16, if its outputs are such numbers.

    Parameters
    ----------
    layer : Layer
    y : array, or tuple of them
        In float32.
    """
    if isinstance(y, tuple):
        return tuple(returned(layer, one) for one in y)
    return y.astype(layer.compute_dtype) if type(y) is np.ndarray and layer.rounds else y


def _told(x: Any, array: np.ndarray) -> str:
    return f"an array of {array.dtype}" if isinstance(x, np.ndarray) else type(x).__name__
