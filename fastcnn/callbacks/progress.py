"""How training goes, on standard output."""

import time

from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.output import shown, write


class ProgressLine(Callback):
    """Shows the progress of a training on standard output: one line for each epoch.

    Parameters
    ----------
    moving : bool
        Whether the line is updated during the epoch, as on a terminal.

    Examples
    --------
    >>> line = fc.callbacks.ProgressLine(moving=False)
    >>> line.set_params({"epochs": 2, "verbose": 2})
    """

    def __init__(self, moving: bool) -> None:
        self.moving = moving
        self._shown = 0.0

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._start, self._done = time.perf_counter(), 0

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self._done = batch + 1
        now = time.perf_counter()
        if self.moving and now - self._shown > 0.1:
            self._shown = now
            write(f"\r{self._text(self._epoch, self._done, logs)}\033[K")

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        text = self._text(epoch, self._done, logs)
        write(f"\r\033[K{text}\n" if self.moving else f"{text}\n")
        self._epoch = epoch + 1

    def on_train_begin(self, logs: Logs) -> None:
        self._epoch = self.params.get("initial_epoch", 0)

    def _text(self, epoch: int, steps: int, logs: Logs) -> str:
        seconds = time.perf_counter() - self._start
        of = "" if self.params["steps"] is None else f"/{self.params['steps']}"
        place = f"epoch {epoch + 1}/{self.params['epochs']} - {steps}{of}"
        return f"{place} - {seconds:.1f} s - {shown(logs)}"
