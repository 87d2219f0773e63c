"""Hidden files that a whole file is written to before it takes its name, and the end of those that nobody writes.

A process that is killed cannot remove its file. So whoever writes holds a lock on it, which the system gives back
when the process dies, in whatever way; a file that another process can lock is abandoned. Locks are seen by all
processes of a running system, containers too. Where they are not, in other systems that share a network disk and on
Windows, a file is abandoned when nobody has written to it for a day.
"""

import contextlib
import hashlib
import os
import re
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_DAY = 86400  # seconds
_NAME = re.compile(r"\.fastcnn-([0-9a-f]{8})-[0-9a-f]{12}\.tmp")


@contextlib.contextmanager
def hidden(folder: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """Give a new hidden file to write, with its path; it is removed at the end unless it got another name.

    Parameters
    ----------
    folder : Path
    """
    path, file = folder / f".fastcnn-{_system()}-{os.urandom(6).hex()}.tmp", None
    try:
        while file is None or not path.exists():  # between opening and locking others may take it for abandoned
            if file is not None:
                file.close()
            file = path.open("x+b")
            _lock(file, waits=True)
        yield path, file
    finally:
        try:
            if file is not None:
                file.close()  # on a full disk this fails, too: what waits in a buffer is tried once more
        finally:
            with contextlib.suppress(OSError):
                path.unlink(missing_ok=True)


def sweep(folder: Path) -> None:
    """Remove hidden files that processes which died have left; what cannot be looked at stays.

    Parameters
    ----------
    folder : Path
    """
    with contextlib.suppress(OSError):
        for name in os.listdir(folder):
            if found := _NAME.fullmatch(name):
                with contextlib.suppress(OSError):
                    _remove_if_abandoned(folder / name, found[1] == _system())


def _remove_if_abandoned(path: Path, is_here: bool) -> None:
    if (fcntl is None or not is_here) and time.time() - path.stat().st_mtime < _DAY:
        return
    if fcntl is None:
        path.unlink()  # Windows refuses where it is open
        return
    with path.open("r+b") as file:
        if _lock(file, waits=False):
            path.unlink()


def _lock(file: BinaryIO, waits: bool) -> bool:
    """Lock a file for this process and return whether that was possible: not where another has it, or nobody can."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX if waits else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _system() -> str:
    """Return eight digits for the running system: the containers of a machine see one, another machine another."""
    try:
        text = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        text = socket.gethostname()
    return hashlib.sha256(text.encode()).hexdigest()[:8]
