"""The numbers of each epoch as a table on disk."""

import csv
import io
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from fastcnn._warnings import warn
from fastcnn.callbacks.callback import Callback, Logs
from fastcnn.errors import ArgumentError
from fastcnn.formats.files import user_path


class CSVLogger(Callback):
    """Writes a row an epoch to a file of comma-separated values, as soon as the epoch is over.

    The columns are ``epoch``, counted from 0, and what the first epoch reports, in alphabetical order; those of a
    validation follow where that one had none. An epoch that lacks a number has NA. Where the disk refuses, a warning
    says so, training goes on, and the next row brings what is missing.

    Parameters
    ----------
    filename : path-like
        In a folder that exists.
    separator : str
        One character.
    append : bool
        Go on with a file that is there, without a second heading.

    Examples
    --------
    >>> model = fc.Sequential([layers.Dense(1, kernel_initializer="zeros")])
    >>> model.compile(optimizer="sgd", loss="mse")
    >>> history = model.fit(np.ones((8, 2)), np.ones((8, 1)), verbose=0, callbacks=fc.callbacks.CSVLogger("log.csv"))
    >>> from pathlib import Path
    >>> print(Path("log.csv").read_text())
    epoch,loss,val_loss
    0,1.0,NA
    <BLANKLINE>
    """

    changes = ("keys", "_begin", "_text")

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        self.filename, self.separator, self.append = str(user_path(filename, "CSVLogger")), separator, append
        self.keys: list[str] | None = None
        self._begin, self._text = 0, ""  # how long the file was, and what was added
        self._is_broken = False
        if not isinstance(separator, str) or len(separator) != 1:
            raise ArgumentError(f"CSVLogger: expected a separator of one character, got {separator!r}")

    def check(self, names: Collection[str]) -> None:
        path = Path(self.filename)
        if path.is_dir() or not path.parent.is_dir():
            got = "a folder" if path.is_dir() else "no such folder"
            raise ArgumentError(f"CSVLogger: expected a file in a folder that exists, got {self.filename!r}, {got}")

    def on_train_begin(self, logs: Logs) -> None:
        path = Path(self.filename)
        self.keys, self._text, self._is_broken = None, "", False
        self._begin = path.stat().st_size if self.append and path.exists() else 0
        self._write(self._begin, "")

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on where `get_state` was called: rows of later epochs are taken away from the file."""
        super().set_state(state)
        self._write(self._begin, self._text)

    def on_epoch_end(self, epoch: int, logs: Logs) -> None:
        if self.keys is None:
            self.keys = sorted(logs)
            if not any(key.startswith("val_") for key in self.keys):
                self.keys += [f"val_{key}" for key in self.keys]
            if not self._begin:
                self._add(["epoch", *self.keys])
        self._add([epoch, *(_cell(logs.get(key, "NA")) for key in self.keys)])

    def _add(self, row: list[Any]) -> None:
        line = io.StringIO()
        csv.writer(line, delimiter=self.separator).writerow(row)
        end = self._begin + len(self._text.encode())
        self._text += line.getvalue()
        if self._is_broken:  # what is missing comes with it, now that there may be room
            self._write(self._begin, self._text)
        else:
            self._write(end, line.getvalue())

    def _write(self, place: int, text: str) -> None:
        """Let the file end at a place, and with this text after it."""
        try:
            with open(self.filename, "r+b" if Path(self.filename).exists() else "w+b") as file:
                file.truncate(place)
                file.seek(place)
                file.write(text.encode())
            self._is_broken = False
        except OSError as error:
            if not self._is_broken:
                warn(f"CSVLogger: {self.filename} could not be written ({error.strerror}); training goes on, and it is "
                     f"tried again")
            self._is_broken = True


def _cell(value: Any) -> Any:
    return f'"[{", ".join(map(str, np.asarray(value).tolist()))}]"' if np.ndim(value) else value
