"""Callbacks that look at one of the numbers an epoch reports."""

import contextlib
import math
from collections.abc import Collection
from typing import Any

import numpy as np

from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.errors import ArgumentError, unknown

_MODES = ("auto", "min", "max")


class Monitor(Callback):
    """The base of callbacks that look at one of the numbers an epoch reports.

    Parameters
    ----------
    monitor : str
        Its name in the logs: "val_loss", "accuracy", ...
    mode : str
        "min" if less is better, "max" if more is; "auto" asks the loss or metric of that name.
    min_delta : float
        By how much a value must be better to count.

    Attributes
    ----------
    best : float or None
        The best value so far.

    Examples
    --------
    >>> class Tell(fc.callbacks.Monitor):
    ...     def on_epoch_end(self, epoch, logs):
    ...         if self.improves(logs[self.monitor], self.best):
    ...             self.best = logs[self.monitor]
    ...             print(f"the best until epoch {epoch}")
    ...
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer=optimizers.SGD(0.0), loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=2, verbose=0, callbacks=Tell("loss", mode="min"))
    the best until epoch 0
    """

    _run: Any = None

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        self.monitor, self.mode, self.min_delta = monitor, mode, abs(min_delta)
        self.best: float | None = None
        self._rises = mode == "max"
        if mode not in _MODES:
            raise ArgumentError(unknown(f"{type(self).__name__}: mode", mode, _MODES))

    def set_run(self, run: Any) -> None:
        self._run = run

    def as_validated(self) -> contextlib.AbstractContextManager[None]:
        """Return a context in which the model is what validations see: with averages for weights, if there are any."""
        return contextlib.nullcontext() if self._run is None else self._run.as_validated()

    def check(self, names: Collection[str]) -> None:
        who = type(self).__name__
        if self.monitor not in names:
            hint = "; give fit validation_data" if self.monitor.removeprefix("val_") in names else ""
            raise ArgumentError(f"{unknown(f'{who}: monitor', self.monitor, names)}{hint}")
        if self.mode == "auto":
            name, objective = self.monitor.removeprefix("val_"), self.model.objective
            direction = objective.direction(name) if name in objective.names else None
            if direction is None:
                raise ArgumentError(f"{who}: expected mode='min' or mode='max' for monitor={self.monitor!r}, which "
                                    f"does not say itself whether more is better, got 'auto'")
            self._rises = direction == "up"

    def value(self, logs: Logs) -> float | None:
        """Return what is looked at, None after an epoch that does not report it, such as one without validation."""
        value: Any = logs.get(self.monitor)
        if value is not None and np.ndim(value):
            raise ArgumentError(f"{type(self).__name__}: expected monitor={self.monitor!r} to be one number, got an "
                                f"array of shape {np.shape(value)}; monitor another metric")
        return value

    def improves(self, value: float, on: float | None) -> bool:
        """Return whether a value is better than another; a number is better than none, NaN than nothing."""
        if math.isnan(value):
            return False
        if on is None or math.isnan(on):
            return True
        return value - self.min_delta > on if self._rises else value + self.min_delta < on
