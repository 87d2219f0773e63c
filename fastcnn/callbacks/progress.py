"""How training goes, for who watches."""

import sys
import time
from typing import Any

from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.progress_views import LinesView, MovingLineView, ProgressView, Status, TableView
from fastcnn.errors import ArgumentError, unknown

_VIEWS: dict[str, type[ProgressView]] = {"line": MovingLineView, "lines": LinesView, "table": TableView}


class Progress(Callback):
    """Shows how training goes, as it suits the place: `fit` adds one unless ``verbose=0``.

    A terminal has a line that moves and says how much time is left, and keeps a line an epoch. A file or a pipe gets
    the latter alone. A notebook has a table with a row an epoch, which grows while training goes on and is one clean
    table when it is saved; it needs no widgets.

    Parameters
    ----------
    style : str
        "line" (moves), "lines", "table", or "auto".

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=fc.callbacks.Progress("lines"))
    epoch 1/1 - 1/1 - ... s - loss: 1.0000
    """

    def __init__(self, style: str = "auto") -> None:
        if style not in (*_VIEWS, "auto"):
            raise ArgumentError(unknown("Progress: style", style, [*_VIEWS, "auto"]))
        self.style = style

    def on_train_begin(self, logs: Logs) -> None:
        self._view = _VIEWS[suiting_style() if self.style == "auto" else self.style]()
        self._epoch = self.params.get("initial_epoch", 0)
        self._done, self._first_step_end, self._shown, self._step = 0, 0.0, 0.0, 0

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._epoch, self._step, self._start = epoch, 0, time.perf_counter()

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self._step = batch + 1
        self._done += 1
        now = time.perf_counter()
        if self._done == 1:
            self._first_step_end = now  # it waited for kernels to be compiled, and says nothing of those that follow
        if self._view.interval is not None and now - self._shown >= self._view.interval:
            self._shown = now
            self._view.during(self._status(now, logs))

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self._view.after(self._status(time.perf_counter(), logs))

    def on_train_end(self, logs: Logs) -> None:
        self._view.end()

    def on_train_interrupted(self, error: BaseException) -> None:
        if hasattr(self, "_view"):
            self._view.end()

    def _status(self, now: float, logs: Logs) -> Status:
        epochs, steps = self.params["epochs"], self.params["steps"]
        left = None
        if steps is not None and self._done > 1:
            rest = (epochs - self._epoch) * steps - self._step
            left = rest * (now - self._first_step_end) / (self._done - 1)
        return Status(self._epoch, epochs, self._step, steps, now - self._start, left, logs)


class ProgressLine(Progress):
    """A `Progress` in lines, wherever it is.

    Parameters
    ----------
    moving : bool
        Whether a line is written again as training goes on; else there is one line an epoch.

    Examples
    --------
    >>> line = fc.callbacks.ProgressLine(moving=False)
    >>> line.style
    'lines'
    """

    def __init__(self, moving: bool) -> None:
        super().__init__("line" if moving else "lines")


def suiting_style() -> str:
    """Return "table" in a notebook, "line" on a terminal, else "lines"."""
    ipython: Any = sys.modules.get("IPython")  # who is in a notebook has imported it
    shell = None if ipython is None else ipython.get_ipython()
    if getattr(shell, "kernel", None) is not None:
        return "table"
    is_terminal = sys.stdout is not None and not sys.stdout.closed and sys.stdout.isatty()
    return "line" if is_terminal else "lines"
