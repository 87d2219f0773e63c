"""The checkpoints of a training in a folder: the last two, numbered, each with digests of all it holds."""

import contextlib
import re
import threading
import time
from pathlib import Path
from typing import Any

from fastcnn._warnings import warn
from fastcnn.errors import ModelFileError
from fastcnn.formats import state_file

_NAME = re.compile(r"checkpoint-(\d{1,12})\.safetensors")


class CheckpointFiles:
    """Reads the newest good checkpoint, and writes further ones.

    Parameters
    ----------
    folder : Path
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._good: list[int] = []  # numbers of files that were read or written, the newest last
        self._number = max(self._numbers(), default=0)

    def newest(self) -> tuple[Any, dict[str, Any]] | None:
        """Return state and metadata of the newest one that is whole, None where there is none; damaged ones are told.

        Raises
        ------
        ModelFileError
            If there are some, and all of them are damaged.
        """
        last: ModelFileError | None = None
        for number in sorted(self._numbers(), reverse=True):
            path = self._path(number)
            try:
                found = state_file.read(path)
            except ModelFileError as error:
                last = error
                continue
            if last is not None:
                warn(f"training goes on with the checkpoint before the last one, {path.name}, since {last}")
            self._good = [number]
            return found
        if last is not None:
            raise ModelFileError(f"{self.folder}: expected a checkpoint to go on with, got damaged ones alone; remove "
                                 f"them to begin anew") from last
        return None

    def write(self, state: Any, metadata: dict[str, Any]) -> None:
        """Write a checkpoint, and then remove all but the last two that are good."""
        number = self._number + 1
        state_file.save(self._path(number), state, metadata)
        self._number, self._good = number, [*self._good[-1:], number]
        for other in self._numbers():
            if other not in self._good:
                with contextlib.suppress(OSError):
                    self._path(other).unlink()

    def remove(self) -> None:
        """Remove all of them."""
        for number in self._numbers():
            with contextlib.suppress(OSError):
                self._path(number).unlink()

    def _path(self, number: int) -> Path:
        return self.folder / f"checkpoint-{number:06d}.safetensors"

    def _numbers(self) -> list[int]:
        found = (_NAME.fullmatch(path.name) for path in self.folder.iterdir()) if self.folder.is_dir() else ()
        return [int(one[1]) for one in found if one]


class BackgroundWriter:
    """Writes checkpoints in a thread beside the training, one at a time.

    Parameters
    ----------
    files : CheckpointFiles

    Attributes
    ----------
    seconds : float
        What the last writing took.
    """

    def __init__(self, files: CheckpointFiles) -> None:
        self._files = files
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._has_failed = False
        self.seconds = 0.0

    @property
    def is_busy(self) -> bool:
        return self._thread is not None and self._thread.is_alive()

    def write(self, state: Any, metadata: dict[str, Any]) -> None:
        """Begin to write, once what was begun before is done."""
        self.wait()
        self._thread = threading.Thread(target=self._write, args=(state, metadata), name="fastcnn-checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Wait until all is written; warn of a first failure, raise what is none of the system's."""
        if self._thread is not None:
            self._thread.join()
        self._thread, error, self._error = None, self._error, None
        if error is None:
            return
        if not isinstance(error, OSError):
            raise error
        if not self._has_failed:
            warn(f"a checkpoint could not be written, training goes on and it is tried again: {error}")
        self._has_failed = True

    def _write(self, state: Any, metadata: dict[str, Any]) -> None:
        begin = time.perf_counter()
        try:
            self._files.write(state, metadata)
            self._has_failed = False
        except Exception as error:
            self._error = error
        self.seconds = time.perf_counter() - begin
