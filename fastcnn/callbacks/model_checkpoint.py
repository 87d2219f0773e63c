"""Models on disk while they are trained."""

import contextlib
import math
import os
from collections.abc import Collection
from pathlib import Path
from typing import Any

from fastcnn._warnings import warn
from fastcnn.callbacks.callback import Logs
from fastcnn.callbacks.monitor import Monitor
from fastcnn.callbacks.output import tell
from fastcnn.errors import ArgumentError
from fastcnn.formats import file_kinds
from fastcnn.formats.files import user_path


class ModelCheckpoint(Monitor):
    """Saves the model after each epoch, or after so many batches.

    A file is written aside and takes its name when it is whole, so that the one before it is there until then. Where
    the disk refuses, a warning says so once, training goes on, and the next saving tries again.

    Parameters
    ----------
    filepath : path-like
        Ends in ``.safetensors``, or in ``.keras``, ``.h5`` or ``.weights.h5`` for Keras. It may name the epoch, counted
        from 1, and what it reports, ``"{epoch:02d}-{val_loss:.2f}.safetensors"``; and the batch, where `save_freq` is a
        number.
    monitor : str
        With `save_best_only`: the name of one of the numbers that an epoch reports.
    verbose : int
        1 tells what is saved, and why.
    save_best_only : bool
        Save only what is better than all before it.
    save_weights_only : bool
        True is for ``.weights.h5``, which holds weights alone; other files have the structure all the same.
    mode : str
        "min", "max", or "auto": what the loss or metric of that name says.
    save_freq : "epoch" or int
        Save after each epoch, or after so many batches.
    initial_value_threshold : float, optional
        What the first one to be saved must be better than.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1)])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> x, y = np.ones((8, 2)), np.ones((8, 1))
    >>> best = fc.callbacks.ModelCheckpoint("best.safetensors", "val_loss", save_best_only=True)
    >>> history = model.fit(x, y, epochs=3, verbose=0, validation_data=(x, y), callbacks=best)
    >>> fc.saving.load_model("best.safetensors").evaluate(x, y) == best.best
    True
    """

    changes = ("best", "_batches")

    def __init__(self, filepath: Any, monitor: str = "val_loss", verbose: int = 0, save_best_only: bool = False,
                 save_weights_only: bool = False, mode: str = "auto", save_freq: Any = "epoch",
                 initial_value_threshold: float | None = None) -> None:
        super().__init__(monitor, mode)
        self.filepath = str(user_path(filepath, "ModelCheckpoint"))
        self.verbose, self.save_best_only, self.save_weights_only = verbose, save_best_only, save_weights_only
        self.save_freq, self.best = save_freq, initial_value_threshold
        self._batches = 0  # since the last saving
        self._has_failed = False
        self._check_suffix()
        if save_freq != "epoch" and (type(save_freq) is not int or save_freq < 1):
            raise ArgumentError(f'ModelCheckpoint: expected save_freq to be "epoch" or a positive integer, '
                                f"got {save_freq!r}")

    def _check_suffix(self) -> None:
        suffix = file_kinds.suffix_of(Path(self.filepath))
        known = (*file_kinds.SUFFIXES, file_kinds.WEIGHTS)
        if suffix not in known:
            raise ArgumentError(f"ModelCheckpoint: expected a filepath that ends in {', '.join(known[:-1])} or "
                                f"{known[-1]}, got {self.filepath!r}")
        if suffix == file_kinds.WEIGHTS and not self.save_weights_only:
            raise ArgumentError(f"ModelCheckpoint: expected save_weights_only=True for {self.filepath!r}, a file of "
                                f"weights alone; or end it in .keras")
        if suffix != file_kinds.SUFFIXES[0]:
            from fastcnn.formats import keras

            keras.h5py_for("writing")

    def check(self, names: Collection[str]) -> None:
        by_batch = self.save_freq != "epoch"
        known = [name for name in names if not (by_batch and name.startswith("val_"))]  # those come with the epoch
        if self.save_best_only:
            super().check(known)
        try:
            self._path(0, 0 if by_batch else None, dict.fromkeys(known, 0.0))
        except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
            words = ", ".join(["epoch", *(["batch"] if by_batch else []), *known])
            raise ArgumentError(f"ModelCheckpoint: expected a filepath with fields of {words}, got {self.filepath!r} "
                                f"({type(error).__name__}: {error})") from None
        self._names = known

    def on_epoch_begin(self, epoch: int, logs: Logs) -> None:
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: Logs) -> None:
        if self.save_freq == "epoch":
            return
        self._batches += 1
        if self._batches >= self.save_freq:
            self._batches = 0
            self._save(self._epoch, batch, logs)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.save_freq == "epoch":
            self._save(epoch, None, logs)

    def _save(self, epoch: int, batch: int | None, logs: Logs) -> None:
        path, before = self._path(epoch, batch, dict.fromkeys(self._names, math.nan) | logs), self.best
        if not self._is_wanted(epoch, logs, path):
            return
        try:
            os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
            with self.as_validated() if batch is None else contextlib.nullcontext():
                (self.model.save_weights if self.save_weights_only else self.model.save)(path)
        except OSError as error:  # the training is worth more than one file of it
            self.best = before  # so that the next one as good is saved
            if not self._has_failed:
                warn(f"ModelCheckpoint: the model could not be saved, training goes on and it is tried again: {error}")
            self._has_failed = True
            return
        self._has_failed = False
        if self.verbose:
            tell(f"Epoch {epoch + 1}: finished saving model to {path}")

    def _is_wanted(self, epoch: int, logs: Logs, path: str) -> bool:
        says = f"Epoch {epoch + 1}: "
        if not self.save_best_only:
            if self.verbose:
                tell(f"{says}saving model to {path}")
            return True
        value, best = self.value(logs), "None" if self.best is None else f"{self.best:.5f}"
        if value is None:
            return False
        if not self.improves(value, self.best):
            if self.verbose:
                tell(f"{says}{self.monitor} did not improve from {best}")
            return False
        if self.verbose:
            tell(f"{says}{self.monitor} improved from {best} to {value:.5f}, saving model to {path}")
        self.best = value
        return True

    def _path(self, epoch: int, batch: int | None, logs: Logs) -> str:
        fields: dict[str, Any] = {"epoch": epoch + 1, **({} if batch is None else {"batch": batch + 1}), **logs}
        return self.filepath.format(**fields)
