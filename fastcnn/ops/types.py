"""Types of what operations take and return, as Keras's rules have them.

A number of Python's takes the type of what it meets. Of two floating types the wider one stays; an integer beside a
floating type becomes that; of integers NumPy's rule decides. Where a result must be floating, integers are float32.
"""

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from fastcnn import device, dtype_policies
from fastcnn.bfloat16 import is_bfloat16
from fastcnn.errors import ArgumentError
from fastcnn.parameters import Parameter
from fastcnn.symbolic import Tensor

BOOL, INT32 = np.dtype(bool), np.dtype(np.int32)
FLOATS = (np.dtype(np.float32), np.dtype(np.float64))


def floatx() -> np.dtype:
    """Return the floating type where nothing tells another: that of `fastcnn.config.dtype_policy`."""
    return dtype_policies.get(None, "ops").array_dtype


def is_weak(x: Any) -> bool:
    """Return whether something is a number of Python's, which takes the type of what it meets."""
    return isinstance(x, numbers.Real) and not isinstance(x, np.generic)


def array(x: Any, who: str = "ops") -> Any:
    """Return what a user gives as an array: numbers and lists of Python's as float32, int32 or bool.

    Raises
    ------
    ArgumentError
        If there are other things than numbers.
    """
    if device.is_array(x) and not isinstance(x, np.ndarray):
        return x
    try:
        found = np.asarray(x)
    except ValueError:  # lists of different lengths
        found = np.empty(0, object)
    if is_bfloat16(found.dtype):
        return found.astype(np.float32)
    if found.dtype.kind not in "buif":
        raise ArgumentError(f"{who}: expected numbers or tensors, got {type(x).__name__} of {found.dtype}")
    if found.dtype == np.float16:
        return found.astype(np.float32)
    if not isinstance(x, (np.ndarray, np.generic)) and found.dtype.itemsize == 8:
        holds = [isinstance(one, (np.ndarray, np.generic)) for one in _leaves(x)]
        if not any(holds):  # Python's own numbers
            return found.astype(floatx() if found.dtype.kind == "f" else np.int32)
    return found


def _leaves(x: Any) -> list[Any]:
    return [leaf for one in x for leaf in _leaves(one)] if isinstance(x, (list, tuple)) else [x]


def dtype_of(x: Any) -> np.dtype:
    """Return the type of a tensor, parameter or array."""
    return np.dtype(x.dtype)


def common(operands: Sequence[Any], floating: bool = False) -> np.dtype:
    """Return the type that operands meet in.

    Parameters
    ----------
    operands : sequence of Tensor, Parameter, array or number
    floating : bool
        Whether integers become float32.
    """
    strong = [dtype_of(x) for x in operands if not is_weak(x)]
    weak = [x for x in operands if is_weak(x)]
    wanted = np.result_type(*strong) if strong else None
    floats = [kind for kind in strong if kind.kind == "f"]
    if floats:
        return max(floats, key=lambda kind: kind.itemsize)
    if floating or any(isinstance(x, float) for x in weak):
        return floatx() if not strong else FLOATS[0]
    if wanted is None:
        return BOOL if all(isinstance(x, bool) for x in weak) else INT32
    return INT32 if wanted == BOOL and any(not isinstance(x, bool) for x in weak) else wanted


def is_tensor(x: Any) -> bool:
    """Return whether something is a symbolic tensor or a parameter."""
    return isinstance(x, (Tensor, Parameter))


def operand(x: Any, who: str) -> Any:
    """Return a tensor, a parameter or a number as it is, anything else as an array."""
    return x if is_tensor(x) or is_weak(x) else array(x, who)


def named(dtype: Any, who: str = "ops") -> np.dtype:
    """Return a type for its name: "float32", "int32", "bool", ...

    Raises
    ------
    ArgumentError
        If there is no such type of numbers.
    """
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = np.dtype(object)
    if found.kind not in "buif" or found == np.float16:
        raise ArgumentError(f"{who}: expected a dtype such as 'float32', 'int32' or 'bool', got {dtype!r}")
    return found
