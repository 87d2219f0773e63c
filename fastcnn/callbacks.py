"""Callbacks: what happens beside training, with Keras's names and hooks."""

import contextlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import absent
from fastcnn.absent import Absent
from fastcnn.errors import ArgumentError

Logs = dict[str, float]

_NOT_OFFERED = tuple(f"on_{what}_{when}" for what in ("test", "predict", "test_batch", "predict_batch")
                     for when in ("begin", "end"))


class Callback(Absent):
    """The base of callbacks: every hook does nothing.

    The hooks are those of training; Keras's on_test_... and on_predict_... are refused, since nobody would call them.

    Attributes
    ----------
    model : Model
        Set before training; ``model.stop_training = True`` ends it after the current step, or epoch.
    params : dict
        epochs, steps (of an epoch), samples, batch_size, initial_epoch, and verbose: 0, 1 or 2.
    """

    absent = "callback"

    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012  (replaced for each training, never changed)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        for hook in _NOT_OFFERED:
            if hook in dir(cls):
                raise ArgumentError(f"{cls.__name__}: {hook} is not offered; use on_epoch_end, whose logs have what "
                                    f"validation found")

    def set_model(self, model: Any) -> None:
        self.model = model

    def set_params(self, params: dict[str, Any]) -> None:
        self.params = params

    def on_train_begin(self, logs: Logs) -> None: ...

    def on_train_end(self, logs: Logs) -> None: ...

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None: ...

    def on_epoch_end(self, epoch: int, logs: Logs) -> None: ...

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        self.on_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self.on_batch_end(batch, logs)

    def on_batch_begin(self, batch: int, logs: Logs) -> None: ...

    def on_batch_end(self, batch: int, logs: Logs) -> None: ...


class CallbackList(Callback):
    """Several callbacks as one."""

    def __init__(self, callbacks: list[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = callbacks
        for callback in callbacks:
            callback.set_model(model)
            callback.set_params(params)

    def on_train_begin(self, logs: Logs) -> None:
        for callback in self.callbacks:
            callback.on_train_begin(logs)

    def on_train_end(self, logs: Logs) -> None:
        for callback in self.callbacks:
            callback.on_train_end(logs)

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        for callback in self.callbacks:
            callback.on_epoch_begin(epoch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        for callback in self.callbacks:
            callback.on_epoch_end(epoch, logs)

    def on_train_batch_begin(self, batch: int, logs: Logs) -> None:
        for callback in self.callbacks:
            callback.on_train_batch_begin(batch, logs)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        for callback in self.callbacks:
            callback.on_train_batch_end(batch, logs)


class History(Callback):
    """What `fit` returns: the logs of every epoch.

    Attributes
    ----------
    epoch : list of int
    history : dict of lists
        loss, accuracy, val_loss, ...: one entry an epoch.
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)


class ProgressLine(Callback):
    """Tells how training goes on standard output: a line an epoch, which moves on a terminal."""

    def __init__(self, moving: bool) -> None:
        self.moving = moving
        self._shown = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        now = time.perf_counter()
        if self.moving and now - self._shown > 0.1:
            self._shown = now
            _write(f"\r{self._text(self._epoch, batch + 1, logs)}\033[K")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        _write(f"\r\033[K{self._text(epoch, self.params['steps'], logs)}\n" if self.moving
               else f"{self._text(epoch, self.params['steps'], logs)}\n")
        self._epoch = epoch + 1

    def on_train_begin(self, logs: Logs) -> None:
        self._epoch = self.params.get("initial_epoch", 0)

    def _text(self, epoch: int, steps: int, logs: Logs) -> str:
        seconds = time.perf_counter() - self._start
        place = f"epoch {epoch + 1}/{self.params['epochs']} - {steps}/{self.params['steps']}"
        return f"{place} - {seconds:.1f} s - {shown(logs)}"


def _write(text: str) -> None:
    """Write to standard output; a process may have none, no reader or a full disk behind it, and trains on."""
    with contextlib.suppress(OSError, ValueError):  # a ValueError: the stream is closed
        print(text, end="", flush=True)


def shown(logs: Logs) -> str:
    """Return logs as text: ``loss: 0.1234 - f1_score: [0.5000, 0.2500]``."""
    return " - ".join(f"{name}: {_number(value)}" for name, value in logs.items())


def _number(value: Any) -> str:
    return f"[{', '.join(map(_number, value))}]" if np.ndim(value) else f"{value:.4f}"


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = absent.names_of("callbacks")
