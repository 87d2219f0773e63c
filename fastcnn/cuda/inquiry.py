"""A device without memory that calls no kernel: it finds which of them a layer would want and are not there."""

from collections.abc import Callable
from typing import Any

import numpy as np

from fastcnn.cuda.array import DeviceArray
from fastcnn.host_device import Device
from fastcnn.kernels.cuda.compile.kernel import launchers


class InquiryArray(DeviceArray):
    """An array of no memory."""

    __slots__ = ()

    def reshape(self, *shape: Any) -> "InquiryArray":
        """As `DeviceArray.reshape`."""
        return _asked(super().reshape(*shape))

    def __getitem__(self, key: slice) -> "InquiryArray":
        return _asked(super().__getitem__(key))


def _asked(array: DeviceArray) -> InquiryArray:
    return InquiryArray(0, array.shape, array.dtype, array.size, None)


class _Kernels:
    """The device's namespace, whose kernels do nothing and whose sizes are told.

    Attributes
    ----------
    hosts : list of array
        Arrays of the host that kernels were given, where geometry and bounds alone may be.
    """

    def __init__(self, kernels: Any) -> None:
        self._kernels, self._launchers = kernels, {name.rpartition(".")[2] for name in launchers}
        self.hosts: list[np.ndarray] = []

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._kernels, name)  # which says what is missing
        if name in self._launchers:
            found = _nothing_like(found, self.hosts)
        setattr(self, name, found)
        return found


def _nothing_like(kernel: Any, hosts: list[np.ndarray]) -> Callable[..., None]:
    def nothing(*args: Any) -> None:
        hosts.extend(one for one in args if isinstance(one, np.ndarray) and one.dtype.names is None and one.size > 2)

    nothing.__name__ = kernel.__name__
    nothing.in_place = kernel.in_place  # type: ignore[attr-defined]
    return nothing


class InquiryDevice(Device):
    """Stands in for a device.

    Parameters
    ----------
    device : Device
    """

    replays = False

    def __init__(self, device: Device) -> None:
        super().__init__(device.name, _Kernels(device.kernels))  # type: ignore[arg-type]

    def empty(self, shape: tuple[int, ...], dtype: Any) -> Any:
        """Return an array of no memory."""
        return InquiryArray(0, tuple(shape), np.dtype(dtype), int(np.prod(shape, dtype=np.int64)), None)

    def put(self, x: Any) -> Any:
        """As `empty`, of the shape and type of `x`."""
        return self.empty(x.shape, x.dtype)

    constant = ready = lend = put  # type: ignore[assignment]

    def get(self, array: Any) -> np.ndarray:
        """Return zeros."""
        return np.zeros(array.shape, array.dtype)

    def fill(self, array: Any, value: float) -> None:
        """Do nothing, nor does any other that writes."""

    def copy(self, out: Any, x: Any) -> None:
        """Do nothing."""

    def read(self, out: Any, x: Any, at: tuple[slice, ...]) -> None:
        """Do nothing."""

    def write(self, out: Any, at: tuple[slice, ...], x: Any) -> None:
        """Do nothing."""
