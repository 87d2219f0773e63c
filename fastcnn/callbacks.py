"""Callbacks: what happens beside training, with Keras's names and hooks."""

import contextlib
import time
from typing import TYPE_CHECKING, Any

import numpy as np

from fastcnn import unsupported
from fastcnn.parameters import Segment
from fastcnn.unsupported import ExplainsUnsupported

Logs = dict[str, float]

class Callback(ExplainsUnsupported):
    """The base of callbacks: every hook does nothing.

    The hooks are Keras's, for training, evaluation (a validation within `fit`, too) and prediction; `on_gradients` is
    fastcnn's own.

    Attributes
    ----------
    model : Model
        Set before anything runs; ``model.stop_training = True`` ends training after the current step, or epoch, and
        `stop_evaluating` and `stop_predicting` end the others after the current batch.
    params : dict
        epochs, steps (of an epoch), samples, batch_size, initial_epoch, and verbose: 0, 1 or 2. What an iterable does
        not tell is None.

    Examples
    --------
    >>> class Rates(fc.callbacks.Callback):
    ...     def on_epoch_begin(self, epoch, logs):
    ...         self.model.optimizer.learning_rate = 0.1 / (epoch + 1)
    ...
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=4, verbose=0, callbacks=[Rates()])
    >>> model.optimizer.learning_rate
    0.025
    """

    unsupported = "callback"

    model: Any = None
    params: dict[str, Any] = {}  # noqa: RUF012  (replaced for each training, never changed)

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

    def on_gradients(self, segments: list[Segment]) -> None:
        """Look at the gradients of a step, or change them in place, before the optimizer reads them.

        Clipping by the optimizer comes after it. Where gradients are accumulated it is called for the sum, once for
        each update.

        Parameters
        ----------
        segments : list of Segment
            Of the parameters that are trained, in an order that does not change: ``segment.gradients`` is a flat array,
            ``segment.places()`` tells which parameter lies where.
        """

    def on_test_begin(self, logs: Logs) -> None: ...

    def on_test_end(self, logs: Logs) -> None: ...

    def on_test_batch_begin(self, batch: int, logs: Logs) -> None: ...

    def on_test_batch_end(self, batch: int, logs: Logs) -> None: ...

    def on_predict_begin(self, logs: Logs) -> None: ...

    def on_predict_end(self, logs: Logs) -> None: ...

    def on_predict_batch_begin(self, batch: int, logs: Logs) -> None: ...

    def on_predict_batch_end(self, batch: int, logs: dict[str, Any]) -> None: ...


class CallbackList(Callback):
    """Several callbacks as one.

    Parameters
    ----------
    callbacks : list of Callback
    model : Model
    params : dict
        Each of them gets both.

    Examples
    --------
    >>> history = fc.callbacks.History()
    >>> several = fc.callbacks.CallbackList([history], model=None, params={})
    >>> several.on_epoch_end(0, {"loss": 0.5})
    >>> history.history
    {'loss': [0.5]}
    """

    def __init__(self, callbacks: list[Callback], model: Any, params: dict[str, Any]) -> None:
        self.callbacks = callbacks
        for callback in callbacks:
            callback.set_model(model)
            callback.set_params(params)

    def listens(self, hook: str) -> bool:
        """Return whether one of them does something in a hook."""
        return any(hook in vars(callback) or getattr(type(callback), hook) is not getattr(Callback, hook)
                   for callback in self.callbacks)


def _to_each(hook: str) -> Any:
    def call(self: CallbackList, *given: Any) -> None:
        for callback in self.callbacks:
            getattr(callback, hook)(*given)

    return call


for _hook in [name for name in vars(Callback) if name.startswith("on_")]:
    setattr(CallbackList, _hook, _to_each(_hook))


class History(Callback):
    """What `fit` returns: the logs of every epoch.

    Attributes
    ----------
    epoch : list of int
    history : dict of lists
        loss, accuracy, val_loss, ...: one entry an epoch.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), epochs=2, verbose=0)
    >>> [round(loss, 3) for loss in history.history["loss"]]
    [1.0, 0.884]
    """

    def __init__(self) -> None:
        self.epoch: list[int] = []
        self.history: dict[str, list[float]] = {}

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self.epoch.append(epoch)
        for name, value in logs.items():
            self.history.setdefault(name, []).append(value)


class ProgressLine(Callback):
    """Tells how training goes on standard output: a line an epoch, which moves on a terminal.

    Parameters
    ----------
    moving : bool
        Whether the line is written again as training goes on; else there is one line an epoch.

    Examples
    --------
    >>> line = fc.callbacks.ProgressLine(moving=False)
    >>> line.set_params({"epochs": 2, "verbose": 2})
    """

    def __init__(self, moving: bool) -> None:
        self.moving = moving
        self._shown = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._start = time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self._done = batch + 1
        now = time.perf_counter()
        if self.moving and now - self._shown > 0.1:
            self._shown = now
            _write(f"\r{self._text(self._epoch, self._done, logs)}\033[K")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        text = self._text(epoch, self._done, logs)
        _write(f"\r\033[K{text}\n" if self.moving else f"{text}\n")
        self._epoch = epoch + 1

    def on_train_begin(self, logs: Logs) -> None:
        self._epoch = self.params.get("initial_epoch", 0)

    def _text(self, epoch: int, steps: int, logs: Logs) -> str:
        seconds = time.perf_counter() - self._start
        of = "" if self.params["steps"] is None else f"/{self.params['steps']}"
        place = f"epoch {epoch + 1}/{self.params['epochs']} - {steps}{of}"
        return f"{place} - {seconds:.1f} s - {shown(logs)}"


def _write(text: str) -> None:
    """Write to standard output; a process may have none, no reader or a full disk behind it, and trains on."""
    with contextlib.suppress(OSError, ValueError):  # a ValueError: the stream is closed
        print(text, end="", flush=True)


def shown(logs: Logs) -> str:
    """Return logs as text: ``loss: 0.1234 - f1_score: [0.5000, 0.2500]``.

    Parameters
    ----------
    logs : dict of str to float or array

    Examples
    --------
    >>> fc.callbacks.shown({"loss": 0.1234, "f1_score": np.array([0.5, 0.25])})
    'loss: 0.1234 - f1_score: [0.5000, 0.2500]'
    """
    return " - ".join(f"{name}: {_number(value)}" for name, value in logs.items())


def _number(value: Any) -> str:
    return f"[{', '.join(map(_number, value))}]" if np.ndim(value) else f"{value:.4f}"


if not TYPE_CHECKING:  # else type checkers would believe in any name
    __getattr__ = unsupported.names_of("callbacks")
