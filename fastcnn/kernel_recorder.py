"""Calls of kernels, written down as they are made."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

#: The devices of the threads that record, by their numbers.
recording_devices: dict[int, Any] = {}


@contextmanager
def standing_in(device: Any) -> Iterator[None]:
    """Let the calling thread find a device that records in the place of its own, within a ``with`` statement.

    Parameters
    ----------
    device : Device
    """
    me = threading.get_ident()
    before = recording_devices.get(me)
    recording_devices[me] = device
    try:
        yield
    finally:
        if before is None:
            del recording_devices[me]
        else:
            recording_devices[me] = before


class Recorder:
    """Stands in for a namespace of kernels and writes down their calls.

    Attributes
    ----------
    runs : bool
        Whether the calls are made, too. If not, what they would have written must not be kept.
    """

    def __init__(self, kernels: Any, calls: list[tuple[Any, tuple[Any, ...]]], runs: bool = True) -> None:
        self._kernels, self._calls, self.runs = kernels, calls, runs

    def of(self, kernel: Callable[..., Any]) -> Callable[..., Any]:
        """Return what calls a kernel and writes that down."""
        def call(*args: Any) -> Any:
            # What is no kernel tells a size, or which kernel suits.
            writes = hasattr(kernel, "in_place") or kernel is np.copyto
            result = None if writes and not self.runs else kernel(*args)
            if result is None:
                self._calls.append((kernel, args))
            return result

        return call

    def __getattr__(self, name: str) -> Any:
        return self.of(getattr(self._kernels, name))
