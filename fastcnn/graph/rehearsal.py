"""A rehearsal: the calls of kernels of a prediction are written down, but none is made, and no array takes memory.

A prediction that is recorded as it runs holds all its arrays at once, hundreds of megabytes for eight images through
ResNet-50, of which 80 are needed at any moment. Here each array has pages of its own that nobody touches, so that the
system never gives memory for them.
"""

import math
import mmap
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from fastcnn import device
from fastcnn.kernel_recorder import Recorder, standing_in

Calls = list[tuple[Any, tuple[Any, ...]]]


@contextmanager
def rehearsing(d: device.Device) -> Iterator[tuple[Calls, list[np.ndarray]]]:
    """Write down the calls of kernels that the calling thread would make, as `Device.recording` does.

    Yields the calls, and the blocks that stand for the memory of arrays, one for each. What is read of an array is 0.

    Parameters
    ----------
    d : Device
    """
    calls, blocks = Calls(), list[np.ndarray]()
    with standing_in(_RehearsingDevice(d, Recorder(d.kernels, calls, runs=False), blocks)):
        yield calls, blocks


class _RehearsingDevice(device.RecordingDevice):
    runs = False

    def __init__(self, d: device.Device, recorder: Recorder, blocks: list[np.ndarray]) -> None:
        super().__init__(d, recorder)
        self._blocks = blocks

    def empty(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        pages = mmap.mmap(-1, max(1, math.prod(shape) * np.dtype(dtype).itemsize))
        self._blocks.append(np.frombuffer(pages, np.uint8))
        return np.ndarray(shape, dtype, self._blocks[-1])

    def lasting(self, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
        return self.empty(shape, dtype)
