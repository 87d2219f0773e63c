"""Ctrl-C, or SIGTERM, during training: the first ends it after the current step, the second at once."""

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator

from fastcnn.callbacks import BackupAndRestore, Callback, Logs


class StopAfterStep(Callback):
    """Ends training after the current step once `asked`.

    Attributes
    ----------
    asked : bool
        Whether Ctrl-C was pressed, or SIGTERM came.
    backup : BackupAndRestore or None
        What writes a checkpoint first, where there is one; then training ends by KeyboardInterrupt.
    epoch, step : int
        Where training is, from 0: epochs begun before this one, steps of this epoch that are done.
    """

    def __init__(self) -> None:
        self.asked = False
        self.backup: BackupAndRestore | None = None
        self.epoch = self.step = 0

    @property
    def is_stopped(self) -> bool:
        """Whether training ended before its end for that reason."""
        return self.asked if self.backup is None else self.backup.is_paused

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self.epoch, self.step = epoch, 0

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self.step = batch + 1
        if self.asked and self.backup is not None:
            self.backup.pause()
        elif self.asked:
            self.model.stop_training = True


@contextlib.contextmanager
def stop_on_interrupt(tell: Callable[[str], None]) -> Iterator[StopAfterStep]:
    """Give a callback that ends training softly at the first SIGINT or SIGTERM; the second one ends it at once.

    Parameters
    ----------
    tell : function of a str
        Is called in the signal's handler, to say that the first was heard.
    """
    stop = StopAfterStep()

    def handle(number: int, frame: object) -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        stop.asked = True
        with contextlib.suppress(RuntimeError):  # the signal came while a line was being written
            tell("stopping after this step, then saving; Ctrl-C again aborts at once")

    if threading.current_thread() is not threading.main_thread():  # only the main thread may set handlers
        yield stop
        return
    before = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
