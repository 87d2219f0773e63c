"""A device without memory that calls no kernel: it finds which of them a layer would want and are not there."""

from typing import Any

import numpy as np

from fastcnn.cuda.array import DeviceArray
from fastcnn.host_device import Device
from fastcnn.kernel_recorder import Recorder


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


class _Kernels(Recorder):
    """The device's namespace, whose kernels are written down and not called, and whose sizes are told.

    Parameters
    ----------
    kernels : CudaKernels
        Which says what is missing.
    """

    def __init__(self, kernels: Any) -> None:
        super().__init__(kernels, [], runs=False)

    def hosts(self) -> list[np.ndarray]:
        """Return arrays of the host that kernels were given, where geometry and bounds alone may be."""
        return [one for kernel, args in self._calls if hasattr(kernel, "in_place") for one in args
                if isinstance(one, np.ndarray) and one.dtype.names is None and one.size > 2]

    def forget(self) -> None:
        """Forget what was written down."""
        self._calls.clear()


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
