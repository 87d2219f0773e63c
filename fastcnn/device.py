"""The only door to kernels and memory: which device an array lives on, its kernels, and memory that is used again.

Above this module an array has a shape, a dtype, a size, a length, `reshape` and contiguous slices of its first axis,
and nothing more: its numbers may be out of reach. Who wants them asks its device::

    put, constant   numbers of the host become an array        get    an array's numbers, on the host, to read
    copy, fill      write to an array                          ready  an array as kernels take it

What is small and describes a call stays on the host on every device: geometry, and the two bounds of a clamp.

Parameters
----------
array, x : array
    Of a device that is known here; of anything else it is said that it is none.
"""

import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from fastcnn import _hooks
from fastcnn.errors import ArgumentError
from fastcnn.host_device import Device, RecordingDevice
from fastcnn.kernel_recorder import recording_devices
from fastcnn.kernels import cpu as _cpu_kernels
from fastcnn.kernels.cpu.compile import ahead
from fastcnn.kernels.cpu.compile.ahead import compile_missing

__all__ = ["Device", "RecordingDevice", "choose", "compile_missing", "cpu", "current", "expect", "get", "host_empty",
           "is_array", "named", "of", "register", "release", "use"]

cpu = Device("cpu", _cpu_kernels)
"""The CPU, where everything lives that is not moved."""
cpu.quantizes = cpu.reads_short = True

#: The devices by the type of their arrays; NumPy's are asked for first.
_devices: dict[type, Device] = {}
_current: ContextVar[Device | None] = ContextVar("device", default=None)
_chosen: list[Device] = []  # by `choose`, or by FASTCNN_DEVICE


def of(array: Any) -> Device:
    """Return the device an array lives on.

    Raises
    ------
    ArgumentError
        If it is no array of a known device.
    """
    if isinstance(array, np.ndarray):
        return recording_devices.get(threading.get_ident(), cpu) if recording_devices else cpu
    found = _devices.get(type(array))
    if found is not None:
        return found
    raise ArgumentError(f"device: expected a NumPy array, got {type(array).__name__}; convert it with numpy.asarray")


def expect(array: Any, describe: ahead.Describe) -> None:
    """Tell the device of an array what begins, for which its kernels may be compiled by several processes.

    Parameters
    ----------
    array : array
    describe : callable
        As of `fastcnn.kernels.cpu.compile.ahead.expect`.
    """
    if of(array) is cpu:
        ahead.expect(describe)


def get(array: Any) -> np.ndarray:
    """Return the numbers of an array of any device, on the host, to be read before the array is written again."""
    return of(array).get(array)


def is_array(x: Any) -> bool:
    """Return whether something is an array of a known device."""
    return isinstance(x, np.ndarray) or type(x) in _devices


def register(kind: type, device: Device) -> None:
    """Make `of` return a device for arrays of a type.

    Parameters
    ----------
    kind : type
    device : Device
    """
    _devices[kind] = device


def named(name: str) -> Device:
    """Return a device by its name; a card is opened, and used from then on.

    Parameters
    ----------
    name : str
        ``cpu``, ``cuda``, ``cuda:1``. CUDA counts cards; CUDA_VISIBLE_DEVICES chooses which it sees.

    Raises
    ------
    ArgumentError
        If it is no name of a device.
    DeviceError
        If the device is not there, or cannot be used; nothing takes its place.

    Examples
    --------
    >>> fc.device.named("cpu").name
    'cpu'
    """
    if name == "cpu":
        return cpu
    found = re.fullmatch(r"cuda(?::(\d{1,3}))?", name) if isinstance(name, str) else None
    if found is None:
        raise ArgumentError(f"device: expected cpu, cuda or cuda:0, got {name!r}")
    opened: Device = _hooks.hooks["card"](int(found[1] or 0))
    return opened


def choose(name: str) -> None:
    """Make new parameters on a device from now on; `fastcnn.config.set_device` is the public face.

    Parameters
    ----------
    name : str
        As of `named`.
    """
    _chosen[:] = [named(name)]


def current() -> Device:
    """Return the device of new parameters, and of models without parameters.

    It is what `use` set, else what `fastcnn.config.set_device` did, else FASTCNN_DEVICE, else the CPU.
    """
    found = _current.get()
    if found is not None:
        return found
    if not _chosen:
        choose(os.environ.get("FASTCNN_DEVICE") or "cpu")
    return _chosen[0]


@contextmanager
def use(device: Device) -> Iterator[None]:
    """Make new parameters on a device, within a ``with`` statement.

    Parameters
    ----------
    device : Device
    """
    before = _current.set(device)
    try:
        yield
    finally:
        _current.reset(before)


def host_empty(shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """Return an array of the host as `Device.empty`, which no recording sees: for numbers that come from a file.

    Parameters
    ----------
    shape : tuple of int
    dtype : dtype
    """
    return cpu.empty(shape, dtype)


def release() -> None:
    """Give memory of the calling thread that nobody uses back to the system, on every device."""
    for device in {id(one): one for one in (cpu, *_devices.values())}.values():
        device.release()
