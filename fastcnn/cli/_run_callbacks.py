"""Two callbacks of a run: its history on disk, and the end of a training that diverges."""

import math
import time
import warnings
from pathlib import Path
from typing import Any

import msgspec

from fastcnn.callbacks import Callback, Logs
from fastcnn.cli._console import Record, not_told
from fastcnn.errors import DivergedError
from fastcnn.formats.files import write_atomically


class HistoryFile(Callback):
    """Writes a JSON line an epoch as soon as it is over, so that a run that ends early has it.

    Its ``seconds`` are those by the clock, in the process that ended the epoch; its ``cpu_seconds`` those of all CPUs
    that worked for it, in the processes before, too.

    Parameters
    ----------
    path : Path
    record : function of a dict
        Hears of each line.
    """

    changes = ("_steps", "_text", "_cpu_seconds")

    def __init__(self, path: Path, record: Record = not_told) -> None:
        self.path, self._record = path, record
        self._steps, self._text, self._cpu_seconds = 0, "", 0.0
        self._is_stale = self._is_told = False  # whether the file lacks something, and somebody heard of it

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where `get_state` was called: lines of later epochs are taken away from the file."""
        super().set_state(state)
        self._is_stale = True
        self._write(b"")

    def on_train_begin(self, logs: Logs) -> None:
        self.path.unlink(missing_ok=True)  # of a training that died before its first checkpoint

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._begin, self._cpu = time.perf_counter(), time.process_time()
        self._cpu_seconds = 0.0

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self._steps = batch + 1
        self._count_cpu()

    def _count_cpu(self) -> None:
        now = time.process_time()
        self._cpu_seconds, self._cpu = self._cpu_seconds + now - self._cpu, now

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        self._count_cpu()
        seconds = {"seconds": time.perf_counter() - self._begin, "cpu_seconds": self._cpu_seconds}
        times = {name: round(value, 6) for name, value in seconds.items()}
        entry = {"epoch": epoch + 1, "steps": self._steps, **logs, **times}
        self._record(entry)
        line = msgspec.json.encode(entry) + b"\n"
        self._text += line.decode()
        self._write(line)

    def _write(self, line: bytes) -> None:
        """Add a line, or write all of them where some, or a part of one, are missing."""
        try:
            if self._is_stale:
                write_atomically(self.path, self._text.encode())
            else:
                with self.path.open("ab") as file:
                    file.write(line)
            self._is_stale = self._is_told = False
        except OSError as error:  # the model is worth more than its history
            if not self._is_told:
                warnings.warn(
                    f"{self.path}: the history could not be written ({error.strerror}); training goes on", stacklevel=2
                )
            self._is_stale = self._is_told = True


class StopWhenDiverged(Callback):
    """Raises DivergedError at the first step whose loss is not a number or infinite.

    Parameters
    ----------
    learning_rate : float
        For the advice.
    """

    def __init__(self, learning_rate: float) -> None:
        self.learning_rate = learning_rate

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        if not math.isfinite(logs["loss"]):
            raise DivergedError(
                f"training: expected a finite loss, got {logs['loss']} in epoch {self._epoch + 1}, step {batch + 1}; "
                f"nothing was saved, try a smaller --lr than {self.learning_rate:g}"
            )
