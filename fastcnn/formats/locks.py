"""Locks that one process holds, on a folder or for a purpose; the system takes them back however the process dies."""

import contextlib
import errno
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
_HELD = {errno.EAGAIN, errno.EACCES, errno.EWOULDBLOCK, errno.EDEADLK}  # what a system says of a lock of another's


class FileLock:
    """Held from `take` to `release`. No test has run on Windows.

    Parameters
    ----------
    path : Path
        A file that is there while the lock is held, in a folder that is there.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: BinaryIO | None = None

    def take(self) -> bool:
        """Take the lock, and return whether nobody else had it. A file system that knows no locks gives it to all."""
        while True:
            file = self._path.open("ab")
            if not _lock(file):
                file.close()
                return False
            if _is_at(file, self._path):  # else who had it before has taken it away with him
                self._file = file
                return True
            file.close()

    def hand_over(self) -> BinaryIO:
        """Return the file for a process that inherits it, which then holds the lock to its end; it is to be closed."""
        file, self._file = self._file, None
        assert file is not None
        return file

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


class FolderLock(FileLock):
    """The lock of a folder.

    Parameters
    ----------
    folder : Path
        It is there; the lock is a file in it.
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(folder / NAME)


def _lock(file: BinaryIO) -> bool:
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        else:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)  # the first byte, which need not be there
    except OSError as error:
        return error.errno not in _HELD
    return True


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
