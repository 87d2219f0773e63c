"""Plans: the prediction of a small batch, as a list of kernel calls that is made once.

For one small image a model spends most of its time finding out what to do: shapes, geometry, memory, which kernel. All
of that is the same at every call. So the second prediction of a shape writes down the calls of kernels, on memory that
the plan keeps, and later ones only make them::

    layers:   check, geometry, memory, kernel | check, geometry, memory, kernel | ...
    plan:     copy x in,  kernel, kernel, ...,  copy y out

A plan holds as long as no parameter changes its version or its place; packed weights are part of it.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn.parameters import Parameter

_LARGEST_BATCH = 8
_MEMORY = 1 << 25  # bytes that a plan may keep: beyond, what it saves is nothing beside the arithmetic
_SHAPES = 4  # plans that a model keeps


class Plan:
    """The kernel calls of one prediction.

    Parameters
    ----------
    infer : callable
        x -> y, by kernels and views alone.
    x : (N, ...) array
    """

    def __init__(self, infer: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> None:
        self.device = device.of(x)
        self.x = self.device.empty(x.shape, x.dtype)
        self.x[...] = x
        infer(self.x)  # so that weights are packed, and the calls say so
        with self.device.recording() as calls:
            self.y = infer(self.x)
        self.calls = calls

    @property
    def bytes(self) -> int:
        """Memory that the plan keeps, parameters included."""
        arrays = {id(a): a for _, args in self.calls for a in args if isinstance(a, np.ndarray)}
        return sum(a.nbytes for a in arrays.values())

    def __call__(self, x: np.ndarray) -> np.ndarray:
        self.x[...] = x
        for kernel, args in self.calls:
            kernel(*args)
        y = self.device.empty(self.y.shape, self.y.dtype)
        y[...] = self.y
        return y


class Plans:
    """The plans of a model, by the shape of the batch.

    Parameters
    ----------
    infer : callable
        x -> y, by kernels and views alone.
    parameters : list of Parameter, or None
        Whose versions the plans depend on; None for a model with a layer that may do more than call kernels.
    """

    def __init__(self, infer: Callable[[np.ndarray], np.ndarray], parameters: Sequence[Parameter] | None) -> None:
        self.infer, self.parameters = infer, list(parameters or ())
        self._largest = _LARGEST_BATCH if parameters is not None else -1
        self._state: Any = None
        self._plans: dict[tuple[int, ...], Plan | None] = {}
        self._seen: tuple[int, ...] | None = None
        self._busy = threading.Lock()

    def __call__(self, x: np.ndarray) -> np.ndarray:
        """Return the prediction: by a plan if there is one, and making one when a shape comes twice in a row."""
        if len(x) > self._largest or not self._busy.acquire(blocking=False):  # another thread is in the plan's memory
            return self.infer(x)
        try:
            state = (config.fusion(), config.winograd(), [p.version for p in self.parameters])
            if state != self._state:
                self._state, self._seen = state, None
                self._plans.clear()
            plan = self._plans.get(x.shape)
            if plan is not None:
                return plan(x)
            if self._seen != x.shape or x.shape in self._plans:
                self._seen = x.shape
                return self.infer(x)
            if len(self._plans) == _SHAPES:
                self._plans.clear()
            plan = Plan(self.infer, x)
            self._plans[x.shape] = plan if plan.bytes <= _MEMORY else None
            return plan(x)
        finally:
            self._busy.release()
