"""A training that goes on where another process was killed, with the same bits."""

import contextlib
import importlib.metadata
import math
import os
import platform
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn import config, device
from fastcnn._version import __version__
from fastcnn._warnings import warn
from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.callbacks.checkpoint_files import BackgroundWriter, CheckpointFiles
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import user_path
from fastcnn.formats.locks import FolderLock

_SHARE = 0.01  # of the time, which checkpoints may cost where nobody says how often they are written


class BackupAndRestore(Callback):
    """Keeps checkpoints of a training, from which the same call of `fit` goes on after its process died.

    The training that goes on ends with the same model, history and metrics, bit for bit, as one that nobody disturbed,
    from any step on: a checkpoint holds weights and statistics, the optimizer with its averages, the order of the data
    and the place in it, the sums of metrics, what other callbacks have seen, and all seeds that were drawn. What does
    not change must be the same: model, data, arguments, and the callbacks, in their order; others are refused. Another
    learning rate is no difference, since a checkpoint has its own; a larger `epochs` trains on.

    An iterable of batches must give the same ones again, or tell where it stands: with ``get_state()`` and
    ``set_state(state)``, of what JSON and arrays hold. Batches that were seen are passed over, which takes no time
    where they are asked for by number. A callback of your own has `changes`, or these two methods.

    A file is written aside by a thread, and takes its name when it is whole; two are kept. If the newest is damaged,
    the one before it is taken, and a warning says so. Where the disk refuses, a warning says so once, training goes on,
    and it is tried again. A second process that trains with the same folder is refused.

    Parameters
    ----------
    backup_dir : path-like
        A folder for this training alone; it is made.
    save_freq : "epoch", int or "auto"
        After each epoch; after so many batches; or as often as takes a hundredth of the time.
    double_checkpoint : bool
        Two checkpoints are kept in any case.
    delete_checkpoint : bool
        Remove the checkpoints when training has come to its end.

    Attributes
    ----------
    is_paused : bool
        Whether `pause` has ended the training.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer="adam", loss="mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> again = fc.callbacks.BackupAndRestore("backup", save_freq=10)
    >>> history = model.fit(x, y, epochs=3, verbose=0, callbacks=[again])
    """

    comes_last = True

    def __init__(self, backup_dir: Any, save_freq: Any = "epoch", double_checkpoint: bool = False,
                 delete_checkpoint: bool = True) -> None:
        self.backup_dir = str(user_path(backup_dir, "BackupAndRestore"))
        self.save_freq, self.double_checkpoint = save_freq, double_checkpoint
        self.delete_checkpoint = delete_checkpoint
        if save_freq not in ("epoch", "auto") and (type(save_freq) is not int or save_freq < 1):
            raise ArgumentError(f'BackupAndRestore: expected save_freq to be "epoch", "auto" or a positive integer, '
                                f"got {save_freq!r}")
        self._run: Any = None
        self._lock: FolderLock | None = None
        self._pauses = self.is_paused = False

    def set_run(self, run: Any) -> None:
        self._run = run

    def pause(self) -> None:
        """Let training end after the current step, with a checkpoint of it, by KeyboardInterrupt.

        The model then has what the end of training leaves: averages of the weights, if the optimizer or a callback
        keeps any. The checkpoint has the weights of training.
        """
        self._pauses = True

    def check(self, names: Collection[str]) -> None:
        path = Path(self.backup_dir)
        if path.exists() and not path.is_dir():
            raise ArgumentError(f"BackupAndRestore: expected a folder, or a new one, got a file, {self.backup_dir!r}")

    def on_train_begin(self, logs: Logs) -> None:
        path = Path(self.backup_dir)
        path.mkdir(parents=True, exist_ok=True)
        lock = FolderLock(path)
        if not lock.take():
            raise ArgumentError(f"BackupAndRestore: expected {self.backup_dir!r} to be used by one training, got "
                                f"another process that trains with it now; wait for its end, or choose another folder")
        self._lock, self._pauses, self.is_paused = lock, False, False
        self._files = CheckpointFiles(path)
        self._writer = BackgroundWriter(self._files)
        self._batches, self._saved, self._cost = 0, -math.inf, 0.0
        found = self._files.newest()
        if found is not None:
            state, metadata = found
            _tell_of_others(metadata["made_by"])
            self._run.set_state(state)

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        self._batches += 1
        if self._pauses:
            self._save()
            self._writer.wait()
            self._run.finish()
            self.is_paused = True
            raise KeyboardInterrupt
        if self.save_freq == "auto":
            self._save_if_cheap()
        elif self.save_freq != "epoch" and self._batches >= self.save_freq:
            self._save()

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        is_last = epoch + 1 == self.params["epochs"] or self.model.stop_training
        if self.save_freq == "epoch" or is_last:
            self._save()
        elif self.save_freq == "auto":
            self._save_if_cheap()
        if is_last:
            self._writer.wait()

    def _save_if_cheap(self) -> None:
        since = time.perf_counter() - self._saved
        if since * _SHARE >= self._cost + self._writer.seconds and not self._writer.is_busy:
            self._save()

    def _save(self) -> None:
        begin = time.perf_counter()
        self._writer.wait()
        self._writer.write(self._run.get_state(), {"made_by": _makers()})
        self._batches, self._saved, self._cost = 0, begin, time.perf_counter() - begin

    def on_train_end(self, logs: Logs) -> None:
        self._end()
        if self.delete_checkpoint:
            self._files.remove()
            with contextlib.suppress(OSError):  # somebody else has put something there
                os.rmdir(self.backup_dir)

    def on_train_interrupted(self, error: BaseException) -> None:
        if self._lock is not None:
            self._end()

    def _end(self) -> None:
        try:
            self._writer.wait()
        finally:
            if self._lock is not None:
                self._lock.release()
                self._lock = None


def _makers() -> dict[str, Any]:
    """Return what decides about the bits of a result beside the program."""
    return {"fastcnn": __version__, "numpy": np.__version__, "numba": importlib.metadata.version("numba"),
            "python": platform.python_version(), "machine": platform.machine(),
            "vectors": f"{device.current().kernels.lanes_of_block(np.dtype(np.float32))} numbers of float32",
            "table of algorithms": config.algorithm_table()}


def _tell_of_others(before: dict[str, Any]) -> None:
    differs = [f"{name} {before.get(name)} instead of {value}" for name, value in _makers().items()
               if before.get(name) != value]
    if differs:
        warn(f"the checkpoint that training goes on with was written with {', '.join(differs)}; the bits of the result "
             f"may differ from those of an undisturbed training")
