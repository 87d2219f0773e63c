"""A lock that one process holds on a folder, and that the system takes back when the process dies, in whatever way."""

import contextlib
import os
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NAME = "lock"


class FolderLock:
    """Held from `take` to `release`; where the system knows no such locks (Windows), everybody has it.

    Parameters
    ----------
    folder : Path
        It is there; the lock is a file in it.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / NAME
        self._file: BinaryIO | None = None

    def take(self) -> bool:
        """Lock the folder, and return whether nobody else had."""
        while fcntl is not None:
            file = self._path.open("ab")
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if _is_at(file, self._path):  # else who had it before has taken it away with him
                    self._file = file
                    return True
            except OSError:
                file.close()
                return False
            file.close()
        return True

    def release(self) -> None:
        """Let others have it; the file goes, too."""
        if self._file is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()
            self._file.close()
            self._file = None


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
