"""Parameters whose values stay in the file that they were loaded from, until somebody asks for them.

A prediction asks once, packs what it got for its kernels, and lets it go again (`Parameter.let_go`). What is trained or
assigned to is in memory from then on. A file that was written to in place is an error for whoever asks.
"""

import math
import os
import threading

import numpy as np

from fastcnn import device
from fastcnn.formats.tensors import StoredArray
from fastcnn.parameters import Parameter

_OF_THE_HOST = np.empty(0)
_changing = threading.RLock()  # around what decides whether a value is in memory


def assign_stored(parameter: Parameter, value: StoredArray) -> None:
    """Set a parameter to what a file has, of its shape and type; it stays there until somebody asks for it.

    Parameters
    ----------
    parameter : Parameter
    value : StoredArray
    """
    if type(parameter) not in (Parameter, _Stored) or parameter.block is not None:
        return parameter.assign(value)
    if type(parameter) is Parameter and type(parameter.array) is not np.ndarray:  # on a device with other memory
        return parameter.assign(value)
    with _changing:
        parameter.version += 1
        parameter.stored = _InFile(value, parameter.version)
        parameter.stored.let_go(parameter)


class _InFile:
    """What a file has of a parameter.

    Parameters
    ----------
    value : StoredArray
    version : int
        That of the parameter for as long as this is its value.
    """

    def __init__(self, value: StoredArray, version: int) -> None:
        self.value, self.version = value, version

    def let_go(self, parameter: Parameter) -> None:
        """Forget the value that is in memory, if it is this one; whoever uses the array keeps it."""
        with _changing:
            if parameter.stored is self and parameter.version == self.version and parameter.block is None:
                parameter.__dict__.pop("array", None)
                parameter.__class__ = _Stored

    def hold(self, parameter: Parameter) -> None:
        """Have the value in memory alone."""
        with _changing:
            if parameter.stored is self:
                parameter.array  # noqa: B018  # read, if it is not there
                parameter.stored = None


class _Stored(Parameter):
    """A parameter whose value is not in memory. It becomes a `Parameter` when somebody asks for it.

    It has a class of its own, since a property would slow down each step of each training.
    """

    @property
    def array(self) -> np.ndarray:
        """The value for kernels."""
        with _changing:
            if type(self) is not _Stored:  # another thread asked, too
                return self.array
            array = device.host_empty(self.shape, self.dtype)
            self.stored.value.read_into(array)
            self.array = array
            return array

    @array.setter
    def array(self, value: np.ndarray) -> None:
        self.__class__ = Parameter  # type: ignore[assignment]
        self.array = value

    @property
    def home(self) -> device.Device:
        """The device on which it lives."""
        return device.of(_OF_THE_HOST)

    def fetched(self, memory: np.ndarray) -> np.ndarray:
        """Return the value on the host, to read: `memory` with what the file has."""
        stored = self.stored
        if stored is None or type(self) is not _Stored:  # another thread asked for the value
            return device.get(self.array)
        stored.value.read_into(memory)
        return memory

    @property
    def shape(self) -> tuple[int, ...]:
        """The value's shape."""
        shape: tuple[int, ...] = self.stored.value.shape
        return shape

    @property
    def dtype(self) -> np.dtype:
        """The value's type."""
        dtype: np.dtype = self.stored.value.dtype
        return dtype

    @property
    def size(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    @property
    def ndim(self) -> int:
        """How many dimensions it has."""
        return len(self.shape)


def _after_fork() -> None:
    """Have a lock that nobody holds: a thread that held it is not in the child."""
    global _changing
    _changing = threading.RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
