"""Of several processes that want a kernel one compiles it, and the others wait for its file.

::

    process 1    lock, compile, write the file, unlock
    process 2            no file, the lock is taken: wait .. read the file

The system takes the lock of a process that dies. Without a folder that can be written nobody waits for anybody.
"""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from fastcnn import _interrupts
from fastcnn.formats.locks import FileLock

_PATIENCE = 120.0  # seconds to wait before one compiles itself: the other may have been stopped
_POLL = 0.005

_mine = threading.local()


@contextlib.contextmanager
def keeping() -> Iterator[None]:
    """Keep what this thread claims to the end of a ``with`` statement; these may lie within one another."""
    kept = _kept()
    kept.append([])
    try:
        yield
    finally:
        for lock in kept.pop():
            lock.release()


def are_kept() -> bool:
    """Return whether this thread compiles something of ours."""
    return bool(_kept())


def claim(path: Path, meanwhile: Callable[[], bool]) -> bool:
    """Claim a kernel, once nobody else does, and return whether its file has come meanwhile.

    Parameters
    ----------
    path : Path
        The kernel's file.
    meanwhile : callable
        Does something useful while another process compiles the kernel, and returns whether it has. Within another
        compilation nothing is done but waiting: what that has begun to compile Numba takes for a recursion in any
        kernel that calls it, and such a kernel ends in a jump to nowhere.
    """
    kept = _kept()
    if not kept:
        return False
    lock, end = _lock_of(path), time.monotonic() + _PATIENCE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while not lock.take():
            if path.exists() or time.monotonic() > end:
                return path.exists()
            with _interrupts.deferred():  # a Ctrl-C that came meanwhile is heard as this begins
                pass
            if len(kept) > 1 or not meanwhile():
                time.sleep(_POLL)
    except OSError:  # the cache warns of a folder that cannot be written
        return False
    kept[-1].append(lock)
    return path.exists()


def is_claimed(path: Path) -> bool:
    """Return whether somebody claims a kernel now.

    Parameters
    ----------
    path : Path
        The kernel's file.
    """
    lock = _lock_of(path)
    try:
        if not lock.take():
            return True
    except OSError:
        return False
    lock.release()
    return False


def _kept() -> list[list[FileLock]]:
    """Return what this thread keeps, for each compilation that it is in, the outermost first."""
    if not hasattr(_mine, "kept"):
        _mine.kept = []
    kept: list[list[FileLock]] = _mine.kept
    return kept


def _lock_of(path: Path) -> FileLock:
    return FileLock(path.with_suffix(".lock"))
