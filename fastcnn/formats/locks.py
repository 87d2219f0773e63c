"""A lock that one process holds on a folder, and that the system takes back when the process dies, in whatever way."""

import contextlib
import os
from pathlib import Path
from typing import Any, BinaryIO

# One of the two is there: Windows has msvcrt, all others fcntl.
fcntl: Any
msvcrt: Any
try:
    import fcntl
except ImportError:
    fcntl = None
try:
    import msvcrt
except ImportError:
    msvcrt = None

NAME = "lock"


class FolderLock:
    """Held from `take` to `release`. No test has run on Windows.

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
        while True:
            file = self._path.open("ab")
            if not _lock(file):
                file.close()
                return False
            if _is_at(file, self._path):  # else who had it before has taken it away with him
                self._file = file
                return True
            file.close()

    def release(self) -> None:
        """Let others have it; the file goes, too."""
        file, self._file = self._file, None
        if file is None:
            return
        if fcntl is None:  # Windows removes no file that somebody has open
            file.close()
        with contextlib.suppress(OSError):
            self._path.unlink()
        file.close()


def _lock(file: BinaryIO) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # the first byte, which need not be there
    except OSError:
        return False
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
