"""Small predictions on a device that works by itself: launches are captured once, and launched together from then on.

A launch takes the host some microseconds, and so many layers of one image take a card no longer. The second prediction
of a shape runs once more in memory of its own, and its launches are written down there (a CUDA graph); replays copy the
input in and the output out. A graph is valid while weights and settings stay as they are. What it may capture is what
the CPU's replay may (`fastcnn.graph.node.is_replayable`), and like that it is tested once before it is used.
"""

import operator
import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.errors import ArgumentError

Infer = Callable[[Sequence[Any]], list[Any]]

_LARGEST_BATCH = 8
_SHAPES = 4  # graphs that a model keeps
_VERSION = operator.attrgetter("version")


class DeviceGraph:
    """The launches of one prediction.

    Parameters
    ----------
    d : Device
    infer : callable
        xs -> ys, by kernels and views alone.
    xs : sequence of array
        Of the device.
    """

    def __init__(self, d: Any, infer: Infer, xs: Sequence[Any]) -> None:
        self._device = d
        with d.memory_of_its_own() as self._memory:
            self._xs = [d.empty(x.shape, x.dtype) for x in xs]
            self._take(xs)
            ys = infer(self._xs)  # takes all memory and loads all kernels
            expected = list(map(d.get, ys))
            del ys
            self._replay = d.captured(lambda: self._keep(infer(self._xs)))
        for y in self._ys:
            d.fill(y, np.nan)  # so that an element no launch writes is noticed
        if not all(np.array_equal(d.get(a), b, equal_nan=True) for a, b in zip(self(xs), expected, strict=True)):
            raise ArgumentError("predict: expected layers that do nothing but call kernels, got one that does "
                                "something else, too; a layer that does may not say replayable = True")

    def _keep(self, ys: list[Any]) -> None:
        self._ys = ys

    def _take(self, xs: Sequence[Any]) -> None:
        for own, x in zip(self._xs, xs, strict=True):
            self._device.copy(own, x)

    def __call__(self, xs: Sequence[Any]) -> list[Any]:
        """Return the outputs for arrays of the device or of the host, in memory of their own."""
        d, found = self._device, []
        self._take(xs)
        self._replay()
        for y in self._ys:
            out = d.empty(y.shape, y.dtype)
            d.copy(out, y)
            found.append(out)
        return found


class DeviceGraphs:
    """The captured predictions of a model, by the shapes of its inputs.

    Parameters
    ----------
    d : Device
    infer : callable
    weights : list of Parameter
    is_replayable : callable
        Batch -> whether all that runs for it only calls kernels.
    """

    def __init__(self, d: Any, infer: Infer, weights: Sequence[Any], is_replayable: Callable[[int], bool]) -> None:
        self._device, self._infer, self._weights, self._is_replayable = d, infer, weights, is_replayable
        self._state: Any = None
        self._known: dict[Any, DeviceGraph | None] = {}  # None: seen once
        self._one_at_a_time = threading.Lock()

    def __call__(self, xs: Sequence[Any], entered: Callable[[Sequence[Any]], list[Any]]) -> list[Any]:
        """Return the outputs.

        Parameters
        ----------
        xs : sequence of array
        entered : callable
            Makes them arrays of the device.
        """
        if len(xs[0]) > _LARGEST_BATCH:
            return self._infer(entered(xs))
        with self._one_at_a_time:
            state = config.state(), tuple(map(_VERSION, self._weights))
            if state != self._state or len(self._known) > _SHAPES:
                self._state, self._known = state, {}
            key = tuple([(x.shape, x.dtype) for x in xs])
            graph = self._known.get(key)
            if graph is not None:
                return graph(xs)
            if key in self._known and self._is_replayable(len(xs[0])):
                graph = self._known[key] = DeviceGraph(self._device, self._infer, entered(xs))
                return graph(xs)
            self._known[key] = None
        return self._infer(entered(xs))


def graphs_of(d: "device.Device", infer: Infer, weights: Sequence[Any], is_replayable: Callable[[int], bool]
              ) -> DeviceGraphs | None:
    """Return what captures predictions on a device; None where it captures nothing.

    Parameters
    ----------
    d, infer, weights, is_replayable : as `DeviceGraphs`
    """
    return DeviceGraphs(d, infer, weights, is_replayable) if d.is_asynchronous else None
