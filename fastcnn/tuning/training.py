"""Trainings of trials: processes of ``fastcnn train``, which go on where they stood, to the same bits.

Each has a folder that is a run, and beside it a file of what it printed: it is there still when who waited for it was
killed.
"""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec

from fastcnn.errors import ArgumentError, DataError
from fastcnn.formats.files import write_atomically
from fastcnn.formats.locks import FolderLock

_POLL = 0.05  # seconds
_USAGE = 2
_COMPLETE = "is_complete"


class Training:
    """The training of a trial.

    Parameters
    ----------
    folder : Path
        Of the search.
    number : int
        Of the trial.
    config : str
        What ``--config`` takes, TOML.
    threads : int or None
        For kernels; None leaves it to the machine.
    """

    def __init__(self, folder: Path, number: int, config: str, threads: int | None = None) -> None:
        name = f"trial-{number:04d}"
        self.number, self.run = number, folder / name
        self._told, self._errors = folder / f"{name}.jsonl", folder / f"{name}.log"
        self._config = folder / f"{name}.toml"
        if not self._config.exists():
            write_atomically(self._config, config.encode())
        self._threads = threads
        self._process: subprocess.Popen[bytes] | None = None
        self._until: int | None = None
        self._is_told_to_stop = False

    def entries(self) -> list[dict[str, Any]]:
        """Return what it has printed: a dict for each epoch, and one at the end."""
        try:
            lines = self._told.read_bytes().split(b"\n")[:-1]
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(msgspec.json.decode(line))
            except msgspec.DecodeError:  # the half line of a process that was killed, and another's after it
                continue
        return found

    def epoch(self, number: int) -> dict[str, Any] | None:
        """Return what it printed after an epoch, if it has come so far."""
        return next((one for one in reversed(self.entries()) if one.get("epoch") == number), None)

    def result(self) -> dict[str, Any] | None:
        """Return what it printed at its end, if it has come there."""
        return next((one for one in reversed(self.entries()) if one.get(_COMPLETE) and _figure(one)), None)

    def begin(self, until: int | None = None) -> None:
        """Let it go on in a process of its own, to its end or until an epoch is over."""
        self._until, self._is_told_to_stop = until, False
        if self.result() is not None or (until is not None and self.epoch(until) is not None):
            return
        self._wait_for_others()
        env = dict(os.environ) | {"FASTCNN_REPORT": "0"}  # nobody looks at the page of each trial
        if self._threads is not None:
            env.setdefault("NUMBA_NUM_THREADS", str(self._threads))
        command = [sys.executable, "-m", "fastcnn", "train", "--config", str(self._config), "--out", str(self.run),
                   "--resume", "auto", "--json", "--no-report"]
        with self._told.open("ab") as out, self._errors.open("wb") as err:
            # A session of its own: Ctrl-C is for who waits, and is handed on.
            self._process = subprocess.Popen(command, stdout=out, stderr=err, env=env, start_new_session=True)

    def poll(self) -> bool:
        """Return whether it is where it was to go; tell it to stop there."""
        if self._process is None:
            return True
        over = self._process.poll() is not None
        if not over and self._until is not None and self.epoch(self._until) is not None:
            self.interrupt()
        return over

    def interrupt(self) -> None:
        """Tell it to stop after its step, with all that it needs to go on."""
        if self._process is not None and not self._is_told_to_stop:
            self._is_told_to_stop = True
            # As Ctrl-C, which processes that a shell runs in the background do not hear.
            self._process.send_signal(signal.SIGTERM)

    def wait(self) -> None:
        """Wait until it has stopped."""
        while not self.poll():
            time.sleep(_POLL)

    def failure(self) -> str:
        """Return the sentence of one that failed, else nothing.

        Raises
        ------
        ArgumentError
            A configuration that cannot be trained.
        """
        process, self._process = self._process, None
        if process is None or process.returncode == 0 or self._is_told_to_stop or self.result() is not None:
            return ""
        lines = self._errors.read_text("utf-8", "replace").strip().splitlines()
        told = lines[-1] if lines else f"it ended with {process.returncode}"
        if process.returncode == _USAGE:
            raise ArgumentError(f"trial {self.number}, {self._config}: {told}")
        return told

    def _wait_for_others(self) -> None:
        """Wait for a process that trains it already: it has outlived who began it."""
        if not self.run.is_dir():
            return
        lock = FolderLock(self.run)
        while not lock.take():
            time.sleep(_POLL)
        lock.release()


def _figure(entry: dict[str, Any]) -> str | None:
    """Return the name of the figure of the last line."""
    return next((name for name, value in entry.items() if name.startswith("dev_") and value is not None), None)


def score_of(entry: dict[str, Any], metric: str | None) -> float:
    """Return what decides, of an epoch's line or of the last one.

    Parameters
    ----------
    entry : dict
    metric : str or None
        The name of one of its numbers; None is the figure on dev that the training itself names.

    Raises
    ------
    DataError
        If it has none.
    """
    if metric is None:
        names = [name for name in entry if name.startswith(("dev_", "val_")) and name != "val_loss"]
        metric = names[-1] if names else None
    value = entry.get(metric or "")
    if not isinstance(value, (int, float)):
        raise DataError(f"tune: expected a figure {metric or 'on dev'}, got {', '.join(entry)}; name one with "
                        "--metric, and have a dev part")
    return float(value)
