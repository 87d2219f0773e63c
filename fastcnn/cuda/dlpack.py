"""Arrays that other libraries lend, and those that are lent to them, by DLPack: the same memory, no copy.

Whoever takes an array may read it at once: what writes to it is waited for first. A capsule that nobody took gives its
array back when it is deleted; one that was taken is given back by the deleter of its taker.
"""

import ctypes
import math
from typing import Any

import numpy as np

from fastcnn.cuda.array import DeviceArray
from fastcnn.errors import ArgumentError

#: The kinds of DLPack's devices: memory of the host, and of a card.
HOST, CARD = 1, 2

_INT, _UINT, _FLOAT, _BOOL = 0, 1, 2, 6
_CODES = {"i": _INT, "u": _UINT, "f": _FLOAT, "b": _BOOL}


class _Tensor(ctypes.Structure):
    _fields_ = (("data", ctypes.c_void_p), ("device_type", ctypes.c_int32), ("device_id", ctypes.c_int32),
                ("ndim", ctypes.c_int32), ("code", ctypes.c_uint8), ("bits", ctypes.c_uint8),
                ("lanes", ctypes.c_uint16),
                ("shape", ctypes.POINTER(ctypes.c_int64)), ("strides", ctypes.POINTER(ctypes.c_int64)),
                ("byte_offset", ctypes.c_uint64))


class _Managed(ctypes.Structure):
    _fields_ = (("tensor", _Tensor), ("context", ctypes.c_void_p), ("deleter", ctypes.c_void_p))


_DELETER = ctypes.CFUNCTYPE(None, ctypes.c_void_p)
_api = ctypes.pythonapi
_new = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)(
    ("PyCapsule_New", _api))
_is_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_IsValid", _api))
_pointer = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))
_set_name = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.py_object, ctypes.c_char_p)(("PyCapsule_SetName", _api))
_of_dying = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_GetPointer", _api))
_is_dying_valid = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_char_p)(("PyCapsule_IsValid", _api))

_WHOLE, _TAKEN = b"dltensor", b"used_dltensor"  # names that capsules keep pointers to
_lent: dict[int, Any] = {}  # by the address of what was lent: all that keeps it


@_DELETER
def _give_back(address: int) -> None:
    _lent.pop(address, None)


@_DELETER
def _forget(capsule: int) -> None:
    """Give back the array of a capsule that dies without having been taken."""
    if _is_dying_valid(capsule, _WHOLE):
        _lent.pop(_of_dying(capsule, _WHOLE), None)


def lent(array: DeviceArray, place: tuple[int, int]) -> Any:
    """Return a capsule of DLPack's.

    Parameters
    ----------
    array : DeviceArray
    place : (int, int)
        HOST or CARD, and which.
    """
    code = _CODES.get(array.dtype.kind)
    if code is None:
        raise ArgumentError(f"dlpack: expected numbers, got {array.dtype.name}")
    shape = (ctypes.c_int64 * max(1, array.ndim))(*array.shape)
    tensor = _Tensor(array.pointer, *place, array.ndim, code, 8 * array.dtype.itemsize, 1, shape, None, 0)
    managed = _Managed(tensor, None, ctypes.cast(_give_back, ctypes.c_void_p))
    address = ctypes.addressof(managed)
    _lent[address] = managed, shape, array
    capsule: Any = _new(address, _WHOLE, ctypes.cast(_forget, ctypes.c_void_p))
    return capsule


class _Loan:
    """Memory of another library, which is given back when no array refers to it."""

    def __init__(self, address: int, deleter: int | None) -> None:
        self._address, self._deleter = address, deleter

    def __del__(self) -> None:
        if self._deleter:
            _DELETER(self._deleter)(self._address)


def taken(x: Any, place: tuple[int, int], stream: int | None) -> DeviceArray:
    """Return the array of another library, on its memory.

    Parameters
    ----------
    x : object
        With ``__dlpack__`` and ``__dlpack_device__``.
    place : (int, int)
        HOST or CARD, and which: where it has to lie.
    stream : int, optional
        The stream that will read it.

    Raises
    ------
    ArgumentError
        If it lies elsewhere, is no array of numbers, or is not C-contiguous.
    """
    where = tuple(map(int, x.__dlpack_device__()))
    if where != place:
        raise ArgumentError(f"dlpack: expected an array on device {place}, got one on {where}; bring it there first")
    capsule = x.__dlpack__() if stream is None else x.__dlpack__(stream=stream)
    if not _is_valid(capsule, _WHOLE):
        raise ArgumentError("dlpack: expected a capsule that nobody has taken, got another")
    address = _pointer(capsule, _WHOLE)
    managed = _Managed.from_address(address)
    _set_name(capsule, _TAKEN)
    loan, tensor = _Loan(address, managed.deleter), managed.tensor
    shape = tuple(tensor.shape[:tensor.ndim])
    kinds = {code: letter for letter, code in _CODES.items()}
    if tensor.code not in kinds or tensor.lanes != 1 or tensor.bits % 8:
        raise ArgumentError(f"dlpack: expected numbers of NumPy's types, got type {tensor.code} of {tensor.bits} bits")
    if tensor.strides and not _is_contiguous(shape, tensor.strides[:tensor.ndim]):
        raise ArgumentError(f"dlpack: expected a C-contiguous array {shape}, got other strides; make it contiguous")
    dtype = np.dtype(f"{kinds[tensor.code]}{tensor.bits // 8}")
    return DeviceArray((tensor.data or 0) + tensor.byte_offset, shape, dtype, math.prod(shape), loan)


def _is_contiguous(shape: tuple[int, ...], strides: list[int]) -> bool:
    step = 1
    for length, stride in zip(reversed(shape), reversed(strides), strict=True):
        if length > 1 and stride != step:
            return False
        step *= length
    return True
